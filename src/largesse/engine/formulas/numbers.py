"""Exact arithmetic on rationals that cannot grow without bound."""

import decimal
import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

from largesse.engine.formulas.errors import NotComputable

MAX_BITS = 1_024  # of a numerator or denominator, about 300 digits; our decision
MAX_DIGITS = 30  # of a literal, and of the places of ROUND, FLOOR and CEIL; our decision
MAX_EXPONENT = 1_000_000  # our decision
ROOT_DIGITS = 34  # significant digits of a power that has no exact value of reasonable size; our decision
_TRAPS = [decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow, decimal.Underflow]
_POWERS = decimal.Context(prec=50, rounding=decimal.ROUND_HALF_EVEN, Emin=-400, Emax=400, traps=_TRAPS)


def bounded(value: Fraction) -> Fraction:
    """The same number; NotComputable when it takes more room than any sum of money could need."""
    if value.numerator.bit_length() > MAX_BITS or value.denominator.bit_length() > MAX_BITS:
        raise NotComputable
    return value


def divide(dividend: Fraction, divisor: Fraction) -> Fraction:
    if not divisor:
        raise NotComputable
    return dividend / divisor


def remainder(dividend: Fraction, divisor: Fraction) -> Fraction:
    """What whole division leaves, with the sign of the dividend (our decision: as decimal arithmetic has it)."""
    return dividend - divisor * math.trunc(divide(dividend, divisor))


def power(base: Fraction, exponent: Fraction) -> Fraction:
    """Exact for whole exponents as long as the result fits; otherwise rounded to 34 significant digits."""
    if abs(exponent) > MAX_EXPONENT or (not base and exponent < 0):
        raise NotComputable
    if exponent.denominator == 1:
        bits = max(base.numerator.bit_length(), base.denominator.bit_length())
        if bits * abs(exponent.numerator) <= MAX_BITS:
            return Fraction(base**exponent.numerator)
    context = _POWERS.copy()
    try:
        found = context.power(_rounded(context, base), _rounded(context, exponent))
    except decimal.DecimalException:  # a root of a negative number, or beyond all bounds
        raise NotComputable from None
    context.prec = ROOT_DIGITS
    return Fraction(context.plus(found))


def _rounded(context: decimal.Context, value: Fraction) -> Decimal:
    return context.divide(Decimal(value.numerator), Decimal(value.denominator))


def half_away_from_zero(value: Fraction) -> int:
    whole = math.floor(abs(value) + Fraction(1, 2))
    return whole if value >= 0 else -whole


def rounding(to_whole: Callable[[Fraction], int]) -> Callable[..., Fraction]:
    """A function of a number and of how many decimals to keep; negative decimals are tens, hundreds, …"""

    def rounded(value: Fraction, places: Fraction = Fraction(0)) -> Fraction:
        if places.denominator != 1 or abs(places) > MAX_DIGITS:
            raise NotComputable
        scale = Fraction(10) ** places.numerator
        return to_whole(value * scale) / scale

    return rounded
