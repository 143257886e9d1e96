"""Largesse: a promotion and loyalty engine. Redeem exactly once, undo exactly."""

__version__ = "0.1.0"
