"""Operators of conditions: `{"$more_than": [5]}` compiled into a check of one property.

All operators of a condition must hold. A property that is missing fails, except where an operator asks for what it is not.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from largesse.engine.rules import moments
from largesse.engine.rules.documents import RuleFault
from largesse.engine.rules.facts import When
from largesse.engine.rules.moments import Check, whole
from largesse.engine.rules.values import Members, Moment, Number, micros, moment, number, written_number

MAX_VALUES = 10_000  # under one operator; our decision
_Build = Callable[[Sequence[object]], Check]  # raises ValueError for values that cannot be


def compile_conditions(leaf: Mapping[str, Any], place: str, operators: Mapping[str, _Build]) -> Check:
    """The check that the conditions of a leaf are. Raises RuleFault for an operator that is not among those that fit."""
    found = []
    for operator, sent in conditions_of(leaf, place).items():
        build = operators.get(operator)
        if build is None:
            known = ", ".join(sorted(operators))
            raise RuleFault(f"{place}.conditions: unknown operator '{operator}' for {leaf['name']}; known are {known}")
        try:
            found.append(build(values_of(sent)))
        except ValueError as error:
            raise RuleFault(f"{place}.conditions.{operator} {error}") from None
    if not found:
        raise RuleFault(f"{place}.conditions should have at least one operator")
    if len(found) == 1:
        return found[0]
    checks = tuple(found)
    return lambda value, when: all(check(value, when) for check in checks)


def conditions_of(leaf: Mapping[str, Any], place: str) -> dict[str, Any]:
    """The operators of a leaf with what stands under them. Raises RuleFault."""
    found = leaf.get("conditions", {})
    if not isinstance(found, dict):
        raise RuleFault(f"{place}.conditions should be object")
    return found


def values_of(sent: object) -> list[object]:
    """The values under an operator; a scalar counts as a list of one (documented). Raises ValueError."""
    values = sent if isinstance(sent, list) else [sent]
    if len(values) > MAX_VALUES:
        raise ValueError(f"should not have more than {MAX_VALUES} values")
    if any(value is None for value in values):
        raise ValueError("should not contain null")
    return values


# What a property equals


def _equals(values: Sequence[object]) -> Check:
    """One of the values; an array has exactly these elements, and none is like an empty one (documented)."""
    members = Members(values)
    empty = not values

    def check(value: object, when: When) -> bool:
        if value is None:
            return empty
        if isinstance(value, list):
            return all(members.has(one, when.zone) for one in value) and members.all_among(value, when.zone)
        return members.has(value, when.zone)

    return check


def _in(values: Sequence[object]) -> Check:
    members = Members(values)

    def check(value: object, when: When) -> bool:
        return any(members.has(one, when.zone) for one in _elements(value))

    return check


def _not_differ(values: Sequence[object]) -> Check:
    """Every element is among the values (our decision)."""
    members = Members(values)

    def check(value: object, when: When) -> bool:
        return value is not None and all(members.has(one, when.zone) for one in _elements(value))

    return check


def _negated(build: _Build) -> _Build:
    def built(values: Sequence[object]) -> Check:
        check = build(values)
        return lambda value, when: not check(value, when)

    return built


def _elements(value: object) -> Sequence[object]:
    if value is None:
        return ()
    return value if isinstance(value, list) else (value,)


# How it compares


def _compares(holds: Callable[[Number, Number], bool]) -> _Build:
    """Numbers with numbers, dates with dates; all values must be met, of an array by one element (documented)."""

    def build(values: Sequence[object]) -> Check:
        bounds = [_bound(value) for value in _some(values)]

        def check(value: object, when: When) -> bool:
            return any(all(_meets(one, bound, when) for bound in bounds) for one in _elements(value))

        return check

    def _meets(value: object, bound: tuple[Number | None, Moment | None], when: When) -> bool:
        least, date = bound
        found = number(value)
        if found is not None:
            return least is not None and holds(found, least)
        at = moment(value)
        return at is not None and date is not None and holds(micros(at, when.zone), micros(date, when.zone))

    return build


def _bound(value: object) -> tuple[Number | None, Moment | None]:
    found = written_number(value), moment(value)
    if found == (None, None):
        raise ValueError("should be a number, or a date in ISO 8601")
    return found


def _numeric(build: _Build) -> _Build:
    """For properties that are always numbers."""

    def built(values: Sequence[object]) -> Check:
        if any(written_number(value) is None for value in values):
            raise ValueError("should be a number")
        return build(values)

    return built


def _some(values: Sequence[object]) -> Sequence[object]:
    if not values:
        raise ValueError("should have at least one value")
    return values


def _dated(build: _Build) -> _Build:
    """Operators on dates; of an array one element must hold."""

    def built(values: Sequence[object]) -> Check:
        check = build(_some(values))
        return lambda value, when: any(check(one, when) for one in _elements(value))

    return built


# Texts and arrays


def _text(holds: Callable[[str, tuple[str, ...]], bool]) -> _Build:
    def build(values: Sequence[object]) -> Check:
        texts = tuple(value for value in _some(values) if isinstance(value, str))
        if len(texts) < len(values):
            raise ValueError("should be text")
        return lambda value, _when: any(isinstance(one, str) and holds(one, texts) for one in _elements(value))

    return build


def _contains(values: Sequence[object]) -> Check:
    """A text has one of the texts in it, an array all of the values (our decision)."""
    members = Members(_some(values))
    texts = [value for value in values if isinstance(value, str)]

    def check(value: object, when: When) -> bool:
        if isinstance(value, list):
            return members.all_among(value, when.zone)
        return isinstance(value, str) and any(text in value for text in texts)

    return check


def _not_contain(values: Sequence[object]) -> Check:
    """None of the values, neither in a text nor in an array."""
    members = Members(_some(values))
    texts = [value for value in values if isinstance(value, str)]

    def check(value: object, when: When) -> bool:
        if isinstance(value, list):
            return not any(members.has(one, when.zone) for one in value)
        return not (isinstance(value, str) and any(text in value for text in texts))

    return check


def _counts(holds: Callable[[int, int], bool]) -> _Build:
    """A missing array is an empty one."""

    def build(values: Sequence[object]) -> Check:
        wanted = whole(_some(values)[0])
        return lambda value, _when: holds(len(_elements(value)), wanted)

    return build


def _has_value(_values: Sequence[object]) -> Check:
    return lambda value, _when: value is not None


_IDENTITY: dict[str, _Build] = {"$is": _equals, "$is_not": _negated(_equals), "$in": _in, "$not_in": _negated(_in)}
_PRESENCE: dict[str, _Build] = {"$has_value": _has_value, "$is_unknown": _negated(_has_value)}
_MORE, _LESS = _compares(lambda one, other: one > other), _compares(lambda one, other: one < other)
_LEAST, _MOST = _compares(lambda one, other: one >= other), _compares(lambda one, other: one <= other)
_COMPARISON: dict[str, _Build] = {
    "$more_than": _MORE,
    "$greater_than": _MORE,
    "$less_than": _LESS,
    "$more_than_or_equal": _LEAST,
    "$greater_than_or_equal": _LEAST,
    "$more_than_equal": _LEAST,
    "$less_than_or_equal": _MOST,
    "$less_than_equal": _MOST,
}
_DATES: dict[str, _Build] = {
    "$after": moments.after,
    "$before": moments.before,
    "$more_than_ago": moments.more_than_ago,
    "$less_than_ago": moments.less_than_ago,
    "$is_days_ago": moments.is_days_ago,
    "$more_than_future": moments.more_than_future,
    "$less_than_future": moments.less_than_future,
    "$is_days_in_future": moments.is_days_in_future,
    "$dow": moments.weekday,
    "$timeframe": moments.timeframe,
    "$timeframe_absolute": moments.timeframe_absolute,
    "$timeframe_daily_hours": moments.timeframe_daily_hours,
}
_ARRAYS: dict[str, _Build] = {
    "$starts_with": _text(lambda value, texts: value.startswith(texts)),
    "$ends_with": _text(lambda value, texts: value.endswith(texts)),
    "$contains": _contains,
    "$not_contain": _not_contain,
    "$count": _counts(lambda count, wanted: count == wanted),
    "$count_more": _counts(lambda count, wanted: count > wanted),
    "$count_less": _counts(lambda count, wanted: count < wanted),
    "$not_differ": _not_differ,
    "$not_intersect": _negated(_in),
}
OF_ID = _IDENTITY
OF_TEXT = (
    _IDENTITY
    | _PRESENCE
    | {name: _ARRAYS[name] for name in ("$starts_with", "$ends_with", "$contains", "$not_contain")}
)
OF_NUMBER = {name: _numeric(build) for name, build in (_IDENTITY | _COMPARISON).items()} | _PRESENCE
OF_METADATA = _IDENTITY | _PRESENCE | _COMPARISON | {name: _dated(build) for name, build in _DATES.items()} | _ARRAYS
