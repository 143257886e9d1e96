"""Tiers of loyalty programs, and which of them members hold."""
