"""Rounding: half up to the minor unit, once per computed number (documented), always on exact integers."""

from decimal import ROUND_HALF_UP, Decimal

MAX_DECIMALS = 20  # of a number that is given; our decision


def is_within(value: Decimal, least: int, most: int) -> bool:
    """Whether it is a number from `least` to `most`. Neither NaN is, nor what only a fraction of endless length would say."""
    return value.is_finite() and least <= value <= most and int(value.as_tuple().exponent) >= -MAX_DECIMALS


def half_up(numerator: int, denominator: int) -> int:
    """`numerator / denominator` of non-negative integers, halves rounded up."""
    return (2 * numerator + denominator) // (2 * denominator)


def whole_units(amount: Decimal) -> int:
    """An amount that may carry decimals as whole minor units, rounded half up."""
    return int(amount.to_integral_value(ROUND_HALF_UP))
