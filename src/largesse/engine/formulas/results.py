"""How the number a formula gives is used (documented). Negative numbers count as 0."""

import math
from fractions import Fraction


def minor_units(result: Fraction) -> int:
    """Money: formulas speak of major units; times 100, halves up. For amount_off, fixed_amount and price."""
    return whole(result * 100)


def percent(result: Fraction) -> Fraction:
    """A percentage, held within 0 to 100, not rounded. For percent_off."""
    return min(max(result, Fraction(0)), Fraction(100))


def units(result: Fraction) -> int:
    """A quantity, rounded down. For unit_off and quantity limits."""
    return max(0, math.floor(result))


def whole(result: Fraction) -> int:
    """The nearest whole number, halves up. For points."""
    return max(0, math.floor(result + Fraction(1, 2)))
