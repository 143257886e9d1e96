"""Rewards: what points buy, and for how many of them in which program."""
