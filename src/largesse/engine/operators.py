"""Operators of filters: what a property must be like, compiled once into a function of its value.

A value is JSON as metadata holds it; a missing property and null are both None. On None the positive operators fail and the
negative ones hold (documented). Days are calendar days in the project's zone; today is neither ago nor ahead (our decision).
"""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from operator import eq, ge, gt, le, lt
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import msgspec

from largesse.engine.formulas.dates import day, instant, parse_date, parse_date_time
from largesse.engine.formulas.errors import NotComputable

MAX_VALUES = 1_000  # under one operator; our decision
Scalar: TypeAlias = str | int | float | bool
_NUMBER = re.compile(r"-?[0-9]{1,30}(?:\.[0-9]{1,30})?", re.ASCII)
_TRUTHS = {"true": True, "false": False}
_MOST = 10**9  # what is counted: days, elements


class Moment(msgspec.Struct, frozen=True):
    """When a value is judged: microseconds UTC, and the zone that says which day that is."""

    now: int
    zone: ZoneInfo

    @property
    def today(self) -> date:
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=self.now)).astimezone(self.zone).date()


Condition: TypeAlias = Callable[[Any, Moment], bool]


class OperatorError(ValueError):
    """An operator that does not exist, or values it cannot take; the message reads on after the operator's name."""


def compile_condition(operator: str, values: Sequence[Any]) -> Condition:
    """Whether a property stands in the relation `operator` to `values`. Raises OperatorError."""
    make = _OPERATORS.get(operator)
    if make is None:
        raise OperatorError(f"is unknown; use one of {', '.join(_OPERATORS)}")
    if len(values) > MAX_VALUES:
        raise OperatorError(f"cannot have more than {MAX_VALUES} values")
    if not all(isinstance(value, Scalar) for value in values):
        raise OperatorError("should have texts, numbers or booleans as its values")
    if not values and operator not in _FREE:
        raise OperatorError("should have a value")
    return make(values)


# Equality


def _marks(value: Any) -> frozenset[Any]:
    """A value under its kind, because Python takes True for 1; a moment in ISO 8601 also as what it means, whatever its zone."""
    if isinstance(value, str):
        found = parse_date_time(value)
        means = {("moment", found)} if found is not None and found.tzinfo else set()
        return frozenset({("text", value), *means})
    return frozenset({("truth" if isinstance(value, bool) else "number", value)})


def _wanted(value: Any) -> frozenset[Any]:
    """What a value of a filter accepts: a text that reads as a number or a truth value accepts that too (documented)."""
    marks = _marks(value)
    if isinstance(value, str):
        number = _as_number(value)
        if number is not None:
            marks |= _marks(number)
        elif value in _TRUTHS:
            marks |= _marks(_TRUTHS[value])
    return marks


def _equals(value: Any, wanted: frozenset[Any]) -> bool:
    return isinstance(value, Scalar) and not wanted.isdisjoint(_marks(value))


def _elements(value: Any) -> list[Any]:
    """A list less its nulls; anything else is a list of one, and nothing is an empty one."""
    if isinstance(value, list):
        return [element for element in value if element is not None]
    return [] if value is None else [value]


def _is(values: Sequence[Scalar]) -> Condition:
    """A list is matched by the same elements, whatever their order and number; other values by any of those given (documented)."""
    each = [_wanted(value) for value in values]
    any_of = frozenset[Any]().union(*each)

    def holds(value: Any, _when: Moment) -> bool:
        if isinstance(value, list) or not each:
            elements = _elements(value)
            return all(_equals(element, any_of) for element in elements) and all(
                any(_equals(element, one) for element in elements) for one in each
            )
        return _equals(value, any_of)

    return holds


def _in(values: Sequence[Scalar]) -> Condition:
    any_of = frozenset[Any]().union(*map(_wanted, values))
    return lambda value, _when: any(_equals(element, any_of) for element in _elements(value))


def _only_in(values: Sequence[Scalar]) -> Condition:
    any_of = frozenset[Any]().union(*map(_wanted, values))
    return lambda value, _when: value is not None and all(_equals(element, any_of) for element in _elements(value))


def _not(make: Callable[[Sequence[Scalar]], Condition]) -> Callable[[Sequence[Scalar]], Condition]:
    def made(values: Sequence[Scalar]) -> Condition:
        holds = make(values)
        return lambda value, when: not holds(value, when)

    return made


# Texts


def _text(test: Callable[[str, str], bool]) -> Callable[[Sequence[Scalar]], Condition]:
    """Any of the texts, in the letters as given."""

    def made(values: Sequence[Scalar]) -> Condition:
        texts = [_as_text(value) for value in values]
        return lambda value, _when: isinstance(value, str) and any(test(value, text) for text in texts)

    return made


def _contains(values: Sequence[Scalar]) -> Condition:
    """A list contains every value given, a text any of them (our decision)."""
    in_text = _text(str.__contains__)(values)
    each = [_wanted(value) for value in values]

    def holds(value: Any, when: Moment) -> bool:
        if isinstance(value, list):
            return all(any(_equals(element, one) for element in value) for one in each)
        return in_text(value, when)

    return holds


def _contains_any(values: Sequence[Scalar]) -> Condition:
    in_text, in_list = _text(str.__contains__)(values), _in(values)
    return lambda value, when: in_list(value, when) if isinstance(value, list) else in_text(value, when)


def _as_text(value: Scalar) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


# Numbers and moments


def _compares(test: Callable[[Any, Any], bool]) -> Callable[[Sequence[Scalar]], Condition]:
    """Numbers with numbers, moments with moments; all values must hold, for at least one element of a list (documented)."""

    def made(values: Sequence[Scalar]) -> Condition:
        numbers = [_as_number(value) for value in values]
        if None not in numbers:
            return _some(lambda value, _when: _is_number(value) and all(test(value, number) for number in numbers))
        return _moments(test)(values)

    return made


def _moments(test: Callable[[Any, Any], bool]) -> Callable[[Sequence[Scalar]], Condition]:
    """A bare date is its first moment in the project's zone (documented)."""

    def made(values: Sequence[Scalar]) -> Condition:
        bounds = [_as_moment(value) for value in values]

        def holds(value: Any, when: Moment) -> bool:
            found = _moment(value)
            return found is not None and all(
                test(_micros(found, when.zone), _micros(bound, when.zone)) for bound in bounds
            )

        return _some(holds)

    return made


def _days(test: Callable[[int, int], bool]) -> Callable[[Sequence[Scalar]], Condition]:
    """`test` is asked how many days lie ahead (negative: ago), and the number given."""

    def made(values: Sequence[Scalar]) -> Condition:
        numbers = [_as_count(value) for value in values]

        def holds(value: Any, when: Moment) -> bool:
            found = _moment(value)
            if found is None:
                return False
            try:
                ahead = (day(found, when.zone) - when.today).days
            except NotComputable:
                return False
            return any(test(ahead, number) for number in numbers)

        return _some(holds)

    return made


def _some(holds: Condition) -> Condition:
    return lambda value, when: any(holds(element, when) for element in _elements(value))


def _counts(test: Callable[[int, int], bool]) -> Callable[[Sequence[Scalar]], Condition]:
    def made(values: Sequence[Scalar]) -> Condition:
        number = _as_count(values[0])
        return lambda value, _when: test(len(_elements(value)), number)

    return made


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _as_number(value: Scalar) -> int | float | None:
    if isinstance(value, str):
        if not _NUMBER.fullmatch(value):
            return None
        return float(value) if "." in value else int(value)
    return None if isinstance(value, bool) else value


def _as_count(value: Scalar) -> int:
    number = _as_number(value)
    if number is None or number != number // 1 or not 0 <= number <= _MOST:
        raise OperatorError(f"should have a whole number from 0 to {_MOST}")
    return int(number)


def _as_moment(value: Scalar) -> date | datetime:
    found = _moment(value)
    if found is None:
        raise OperatorError("should have a number or a date in ISO 8601 to compare with")
    return found


def _moment(value: Any) -> date | datetime | None:
    if not isinstance(value, str):
        return None
    return parse_date(value) or parse_date_time(value)


def _micros(moment: date | datetime, zone: ZoneInfo) -> int:
    return (instant(moment, zone) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


# Presence: the value given does not matter.


def _present(_values: Sequence[Scalar]) -> Condition:
    return lambda value, _when: value is not None


_FREE = frozenset({"$is", "$is_not", "$has_value", "$is_unknown"})  # need no value: `$is []` is an empty list
_OPERATORS: dict[str, Callable[[Sequence[Scalar]], Condition]] = {
    "$is": _is,
    "$is_not": _not(_is),
    "$in": _in,
    "$not_in": _not(_in),
    "$has_value": _present,
    "$is_unknown": _not(_present),
    "$starts_with": _text(str.startswith),
    "$ends_with": _text(str.endswith),
    "$contains": _contains,
    "$not_contain": _not(_contains_any),
    "$not_differ": _only_in,
    "$not_intersect": _not(_in),
    "$more_than": _compares(gt),
    "$less_than": _compares(lt),
    "$more_than_or_equal": _compares(ge),
    "$less_than_or_equal": _compares(le),
    "$more_than_equal": _compares(ge),
    "$less_than_equal": _compares(le),
    "$greater_than": _compares(gt),
    "$greater_than_or_equal": _compares(ge),
    "$after": _moments(gt),
    "$before": _moments(lt),
    "$is_days_ago": _days(lambda ahead, days: -ahead == days),
    "$more_than_ago": _days(lambda ahead, days: -ahead > days),
    "$less_than_ago": _days(lambda ahead, days: 0 < -ahead < days),
    "$is_days_in_future": _days(lambda ahead, days: ahead == days),
    "$more_than_future": _days(lambda ahead, days: ahead > days),
    "$less_than_future": _days(lambda ahead, days: 0 < ahead < days),
    "$count": _counts(eq),
    "$count_more": _counts(gt),
    "$count_less": _counts(lt),
}
