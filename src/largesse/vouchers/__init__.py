"""Vouchers: discount codes and gift cards, their counters and their credit."""
