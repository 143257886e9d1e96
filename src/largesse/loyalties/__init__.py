"""Loyalty programs: what earns points, and the tiers of their members."""
