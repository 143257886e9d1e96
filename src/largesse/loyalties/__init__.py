"""Loyalty programs: their members, how they join, what earns them points, and the tiers they reach."""
