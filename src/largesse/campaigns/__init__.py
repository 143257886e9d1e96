"""Campaigns: what codes and promotion tiers have in common, and what they hold."""
