"""Validating, redeeming, rolling back: the resource that moves value."""
