"""Equality and order of what conditions compare: values of JSON, as they stand in metadata and as a rule writes them.

A number in metadata equals a text in a rule that reads as that number, and true equals "true" (documented); dates are compared as
instants, a bare date being its first moment in the project's zone.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import msgspec

from largesse.engine.formulas.dates import day, instant, parse_date, parse_date_time
from largesse.engine.formulas.errors import NotComputable

Number: TypeAlias = int | float
Moment: TypeAlias = date | datetime
_Mark: TypeAlias = tuple[str, Any]

_NUMBER = re.compile(r"-?[0-9]{1,30}(?:\.[0-9]{1,30})?", re.ASCII)
_TRUTHS = {"true": True, "false": False}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def number(value: object) -> Number | None:
    """A number as it stands; texts and truth values are none."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def written_number(value: object) -> Number | None:
    """A number as rules may write it: also as a text."""
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return float(value) if "." in value else int(value)
    return number(value)


def moment(value: object) -> Moment | None:
    """The date or date-time that a text is."""
    if not isinstance(value, str) or value[4:5] != "-":
        return None
    return parse_date(value) or parse_date_time(value)


def micros(found: Moment, zone: ZoneInfo) -> int:
    """Microseconds UTC."""
    return (instant(found, zone) - _EPOCH) // _MICROSECOND


def calendar_day(found: Moment, zone: ZoneInfo) -> date | None:
    """The date in the project's zone; None at the very ends of the calendar."""
    try:
        return day(found, zone)
    except NotComputable:
        return None


class Members:
    """Values that a rule names, ready to be asked whether some property is among them."""

    __slots__ = ("_marks", "_moments", "_readings")

    def __init__(self, values: Sequence[object]) -> None:
        self._readings = [(frozenset(readings(value)), moment(value)) for value in values]
        self._marks = frozenset(mark for found, _ in self._readings for mark in found)
        self._moments = [found for _, found in self._readings if found is not None]

    def has(self, value: object, zone: ZoneInfo) -> bool:
        """Whether a single property equals one of them."""
        if any(mark in self._marks for mark in marks(value)):
            return True
        if not self._moments or (found := moment(value)) is None:
            return False
        return micros(found, zone) in {micros(one, zone) for one in self._moments}

    def all_among(self, values: Iterable[object], zone: ZoneInfo) -> bool:
        """Whether every one of them is among the elements of an array."""
        elements = list(values)
        held = {mark for element in elements for mark in marks(element)}
        instants = {micros(found, zone) for element in elements if (found := moment(element)) is not None}
        return all(
            not held.isdisjoint(read) or (found is not None and micros(found, zone) in instants)
            for read, found in self._readings
        )


def marks(value: object) -> Iterator[_Mark]:
    """A property under its kind, because Python takes True for 1."""
    if isinstance(value, str):
        yield "text", value
        if value in _TRUTHS:
            yield "truth", _TRUTHS[value]
    elif isinstance(value, bool):
        yield "truth", value
    elif isinstance(value, int | float):
        yield "number", value
    else:
        yield "object", msgspec.json.encode(value, order="sorted")


def readings(value: object) -> Iterator[_Mark]:
    """A value of a rule: a text also stands for the number it reads as."""
    yield from marks(value)
    if isinstance(value, str) and (found := written_number(value)) is not None:
        yield "number", found
