"""Segments: groups of customers, listed by name or described by a filter."""
