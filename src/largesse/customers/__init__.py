"""Customers: who buys, what they did, what they may be told apart by."""
