"""Promotion tiers and stacks: discounts without codes, and sets of them that apply together."""
