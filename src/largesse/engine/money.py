"""Rounding: half up to the minor unit, once per computed number (documented), always on exact integers."""

from decimal import ROUND_HALF_UP, Decimal


def half_up(numerator: int, denominator: int) -> int:
    """`numerator / denominator` of non-negative integers, halves rounded up."""
    return (2 * numerator + denominator) // (2 * denominator)


def whole_units(amount: Decimal) -> int:
    """An amount that may carry decimals as whole minor units, rounded half up."""
    return int(amount.to_integral_value(ROUND_HALF_UP))
