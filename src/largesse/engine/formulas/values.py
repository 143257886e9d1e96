"""What a formula computes with: exact numbers, texts, truth values, dates and lists. Never a float."""

import re
from collections.abc import Iterable
from datetime import date, datetime
from fractions import Fraction
from functools import lru_cache
from typing import Any, TypeAlias

from largesse.engine.formulas.errors import NotComputable
from largesse.engine.formulas.numbers import bounded

MAX_TEXT = 2_000  # characters of a text a formula looks at; our decision
MAX_LIST = 500  # elements of a list a formula looks at; our decision
_NUMBER = re.compile(r"-?[0-9]{1,30}(?:\.[0-9]{1,30})?")
_TRUTHS = {"true": ("truth", True), "false": ("truth", False)}
_Mark: TypeAlias = tuple[str, Any]


class Listed:
    """A list, ready to be asked for its members: an array of metadata, or a text like "EU,EMEA" (documented)."""

    __slots__ = ("_marks", "_readings")

    def __init__(self, elements: Iterable["Value"]) -> None:
        members = tuple(elements)
        if len(members) > MAX_LIST:
            raise NotComputable
        self._marks = frozenset(_mark(member) for member in members)
        self._readings = frozenset(_reading(member) for member in members) - {None}

    def has(self, sought: "Value") -> bool:
        """Whether an element equals `sought` as `equal` has it."""
        mark = _mark(sought)
        return mark in self._marks or mark in self._readings or _reading(sought) in self._marks

    def overlaps(self, other: "Listed") -> bool:
        """Whether some element of one equals some element of the other."""
        apart = self._marks.isdisjoint
        return not (apart(other._marks) and apart(other._readings) and self._readings.isdisjoint(other._marks))


Value: TypeAlias = Fraction | str | bool | date | datetime | Listed


def equal(left: Value, right: Value) -> bool:
    """Equality of single values: texts exactly; a text that reads as a number, "true" or "false" also equals that value.

    Lists and dates have operators of their own (our decision) and are NotComputable here.
    """
    one, other = _mark(left), _mark(right)
    return one == other or _reading(left) == other or one == _reading(right)


def _mark(value: Value) -> _Mark:
    """A value under its kind, because Python takes True for 1."""
    if isinstance(value, str):
        return "text", value
    if isinstance(value, bool):
        return "truth", value
    return "number", number(value)


def _reading(value: Value) -> _Mark | None:
    """What a text also means, besides itself."""
    if not isinstance(value, str):
        return None
    if _NUMBER.fullmatch(value):
        return "number", Fraction(value)
    return _TRUTHS.get(value)


def from_json(raw: object) -> Value:
    """A member of metadata. NotComputable for null, nested objects and what is too large."""
    if isinstance(raw, str):
        if len(raw) > MAX_TEXT:
            raise NotComputable
        return raw
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, int):
        return bounded(Fraction(raw))
    if isinstance(raw, float):
        return bounded(_decimal_fraction(raw))
    if isinstance(raw, list):
        return Listed([from_json(element) for element in raw[: MAX_LIST + 1] if element is not None])
    raise NotComputable


def _decimal_fraction(raw: float) -> Fraction:
    """The decimal number that was written in the JSON, not its binary neighbour."""
    try:
        return Fraction(repr(raw))
    except ValueError:  # infinite, or not a number
        raise NotComputable from None


def number(value: Value) -> Fraction:
    """The value as a number; texts are not converted (documented: a wrong type makes the fallback apply)."""
    if isinstance(value, Fraction):
        return value
    raise NotComputable


def truth(value: Value) -> bool:
    if isinstance(value, bool):
        return value
    raise NotComputable


def text(value: Value) -> str:
    if isinstance(value, str):
        return value
    raise NotComputable


def listed(value: Value) -> Listed:
    """A list, or a comma-separated text as one."""
    return value if isinstance(value, Listed) else _split(text(value))


@lru_cache(maxsize=64)  # the same few lists are asked for again and again
def _split(separated: str) -> Listed:
    return Listed(part.strip() for part in separated.split(",", MAX_LIST))
