"""Earning rules of loyalty programs: what customers do that gives them points."""
