"""What stands between two values: arithmetic and comparisons."""

from collections.abc import Callable
from datetime import tzinfo
from fractions import Fraction

from largesse.engine.formulas.dates import day, instant
from largesse.engine.formulas.numbers import divide, remainder
from largesse.engine.formulas.values import Listed, Value, equal, listed, number, text

ARITHMETIC: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
    "PLUS": lambda left, right: left + right,
    "MINUS": lambda left, right: left - right,
    "TIMES": lambda left, right: left * right,
    "DIVIDE": divide,
    "MODULO": remainder,
}


def _contains(left: Value, right: Value) -> bool:
    """An array: one of its members; a text: a part of it (documented)."""
    if isinstance(left, Listed):
        return left.has(right)
    return text(right) in text(left)


def _in_array(left: Value, right: Value) -> bool:
    """One value: listed; an array: at least one common member (our decision, as in rules)."""
    if isinstance(left, Listed):
        return left.overlaps(listed(right))
    return listed(right).has(left)


COMPARISONS: dict[str, Callable[[Value, Value], bool]] = {
    "MORE": lambda left, right: number(left) > number(right),
    "LESS": lambda left, right: number(left) < number(right),
    "AT_LEAST": lambda left, right: number(left) >= number(right),
    "AT_MOST": lambda left, right: number(left) <= number(right),
    "EQUAL": equal,
    "UNEQUAL": lambda left, right: not equal(left, right),
    "IS": equal,
    "IS_NOT": lambda left, right: not equal(left, right),
    "CONTAINS": _contains,
    "STARTS_WITH": lambda left, right: text(left).startswith(text(right)),
    "ENDS_WITH": lambda left, right: text(left).endswith(text(right)),
    "IN_ARRAY": _in_array,
    "NOT_IN_ARRAY": lambda left, right: not _in_array(left, right),
}

# Dates compare as instants, a date being its first moment; whether two *are* the same is asked of their days (our decision).
DATE_COMPARISONS: dict[str, Callable[[Value, Value, tzinfo], bool]] = {
    "DATE_IS": lambda left, right, zone: day(left, zone) == day(right, zone),
    "DATE_IS_NOT": lambda left, right, zone: day(left, zone) != day(right, zone),
    "IS_AFTER": lambda left, right, zone: instant(left, zone) > instant(right, zone),
    "IS_BEFORE": lambda left, right, zone: instant(left, zone) < instant(right, zone),
}
