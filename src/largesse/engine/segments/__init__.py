"""Segments: which customers a filter is about, and when that can change by the clock alone."""

from largesse.engine.segments.filters import MAX_FIELDS, Filter, compile_filter

__all__ = ["MAX_FIELDS", "Filter", "compile_filter"]
