"""List filters as conditions on columns."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Float, and_, cast, exists, func, literal, not_, or_, select
from sqlalchemy.sql.elements import ColumnElement

from largesse.kernel import clock
from largesse.kernel.database.columns import json_elements
from largesse.kernel.errors import ApiError, invalid_query
from largesse.kernel.http import days
from largesse.kernel.http.filter_parsing import Filters

_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,6})?", re.ASCII)
_UTC = ZoneInfo("UTC")
Kind = Literal["text", "number", "instant", "boolean", "metadata", "custom"]
Types = Callable[[], Mapping[str, str]]
Custom = Callable[[str, list[str], int], ColumnElement[bool]]


class FilterColumn(msgspec.Struct, frozen=True):
    """What a field filters: a column or expression of a kind, or for `custom` a function of operator, values and now.

    `allowed` are the only values that a text can have.
    """

    column: ColumnElement[Any]
    kind: Kind
    custom: Custom | None = None
    allowed: tuple[str, ...] = ()


class Moment(msgspec.Struct, frozen=True):
    """Now, in microseconds UTC, and the zone that says which day that is."""

    now: int = 0
    zone: ZoneInfo = _UTC

    @property
    def today(self) -> date:
        return datetime.fromtimestamp(self.now // 1_000_000, self.zone).date()

    def midnight(self, day: date) -> int:
        return int(datetime.combine(day, time.min, self.zone).timestamp()) * 1_000_000


def where(
    filters: Filters,
    columns: Mapping[str, FilterColumn],
    now: int = 0,
    zone: ZoneInfo = _UTC,
    types: Types | None = None,
) -> ColumnElement[bool] | None:
    """The condition that `filters` describe. Raises ApiError 400 for unknown fields, operators and impossible values.

    `now` in microseconds UTC; `types` answers, where metadata is asked about, which types the schema gives to its keys.
    """
    parts = []
    at = Moment(now, zone)
    for field, conditions in filters.fields.items():
        name, _, key = field.partition(".")
        column = columns.get(field) or (columns.get(name) if key else None)
        if column is None or (column.kind == "metadata") != bool(key and field not in columns):
            raise invalid_query(f"Property .filters.{field} is unknown; known are {', '.join(columns)}")
        type = types().get(key) if types is not None and column.kind == "metadata" else None
        condition = _Condition(field, column, key, at, type)
        parts.append(and_(*(condition.of(operator, values) for operator, values in conditions.items())))
    if not parts:
        return None
    return and_(*parts) if filters.junction == "and" else or_(*parts)


_PRESENCE = ("$has_value", "$is_unknown")


class _Condition(msgspec.Struct, frozen=True):
    """Of one field."""

    field: str
    column: FilterColumn
    key: str
    at: Moment
    type: str | None

    def of(self, operator: str, values: list[str]) -> ColumnElement[bool]:
        column = self.column
        if not values and operator not in _PRESENCE:
            raise _wrong(self.field, operator, "should have at least one value")
        if column.custom is not None:
            return column.custom(operator, values or [""], self.at.now)
        if operator in _PRESENCE and column.kind != "metadata":
            return _presence(column.column, operator)
        match column.kind:
            case "number":
                return _number(self.field, cast(column.column, Float), operator, values)
            case "instant":
                return _instant(self.field, column.column, operator, values, self.at)
            case "boolean":
                return _boolean(self.field, column.column, operator, values)
            case "metadata":
                return _metadata(self, operator, values)
        if column.allowed and operator in _IDENTITY and not set(values) <= set(column.allowed):
            allowed = ", ".join(column.allowed)
            raise _wrong(self.field, operator, f"should be equal to one of the allowed values [ {allowed} ]")
        return _text(self.field, column.column, operator, values)


def _wrong(field: str, operator: str, what: str) -> ApiError:
    return invalid_query(f"Property .filters.{field}.conditions.{operator} {what}")


def unknown_operator(field: str, operator: str, known: Iterable[str]) -> ApiError:
    """400 that names the operators which a field understands."""
    return _wrong(field, operator, f"is unknown; use one of {', '.join(known)}")


_IDENTITY = ("$is", "$is_not", "$in", "$not_in")
_TEXTS = (*_IDENTITY, "$contains", "$not_contain", "$starts_with", "$ends_with")


def _text(field: str, column: ColumnElement[Any], operator: str, values: list[str]) -> ColumnElement[bool]:
    def any_of(make: Callable[[ColumnElement[Any], str], ColumnElement[bool]]) -> ColumnElement[bool]:
        return or_(*(make(column, value) for value in values))

    match operator:
        case "$is" | "$in":
            return column.in_(values)
        case "$is_not" | "$not_in":
            return or_(column.not_in(values), column.is_(None))
        case "$contains":
            return any_of(_holds)
        case "$not_contain":
            return or_(not_(any_of(_holds)), column.is_(None))
        case "$starts_with":
            return any_of(lambda text, value: func.substr(text, 1, len(value)) == value)
        case "$ends_with":
            return any_of(_ends_with)
    raise unknown_operator(field, operator, (*_TEXTS, *_PRESENCE))


# Not by LIKE, which heeds case on one store and not on the other.
def _holds(text: ColumnElement[Any], value: str) -> ColumnElement[bool]:
    return func.replace(text, value, "") != text if value else text.is_not(None)


def _ends_with(text: ColumnElement[Any], value: str) -> ColumnElement[bool]:
    length = func.length(text)
    return and_(length >= len(value), func.substr(text, length - len(value) + 1) == value)


def _presence(column: ColumnElement[Any], operator: str) -> ColumnElement[bool]:
    return column.is_not(None) if operator == "$has_value" else column.is_(None)


_NUMBERS = (*_IDENTITY, "$more_than", "$less_than", "$more_than_equal", "$less_than_equal")


def _number(field: str, column: ColumnElement[Any], operator: str, values: list[str]) -> ColumnElement[bool]:
    numbers = [_as_number(field, operator, value) for value in values]
    match operator:
        case "$is" | "$in":
            return column.in_(numbers)
        case "$is_not" | "$not_in":
            return or_(column.not_in(numbers), column.is_(None))
        case "$more_than" | "$greater_than":
            return column > numbers[0]
        case "$less_than":
            return column < numbers[0]
        case "$more_than_equal" | "$more_than_or_equal" | "$greater_than_or_equal":
            return column >= numbers[0]
        case "$less_than_equal" | "$less_than_or_equal":
            return column <= numbers[0]
    raise unknown_operator(field, operator, (*_NUMBERS, *_PRESENCE))


def _as_number(field: str, operator: str, value: str) -> float:
    if not _NUMBER.fullmatch(value):
        raise _wrong(field, operator, "should be number")
    return float(value)


def _instant(
    field: str, column: ColumnElement[Any], operator: str, values: list[str], at: Moment
) -> ColumnElement[bool]:
    match operator:
        case "$after":
            return later(column, _as_instant(field, operator, values[0]))
        case "$before":
            return earlier(column, _as_instant(field, operator, values[0]))
        case "$more_than":
            return column < at.now - _as_days(field, operator, values[0]) * clock.DAY
        case "$less_than":
            return and_(column > at.now - _as_days(field, operator, values[0]) * clock.DAY, column <= at.now)
        case "$is":
            return or_(*(_at(column, _as_instant(field, operator, value), value, at) for value in values))
    return _within(column, *_days(field, operator, values[0], at), at)


def _at(column: ColumnElement[Any], instant: int, value: str, at: Moment) -> ColumnElement[bool]:
    """On a day, or in a millisecond, which is as exactly as clients see time."""
    if len(value) == len("YYYY-MM-DD"):
        day = date.fromisoformat(value)
        return _within(column, day, day + timedelta(days=1) if day < date.max else None, at)
    return and_(column >= instant // 1000 * 1000, column < (instant // 1000 + 1) * 1000)


def _within(column: ColumnElement[Any], first: date | None, end: date | None, at: Moment) -> ColumnElement[bool]:
    """From the first day to before the second, where there are such ends."""
    return and_(
        *([column >= at.midnight(first)] if first else []),
        *([column < at.midnight(end)] if end else []),
        column.is_not(None),
    )


_INSTANTS = ("$after", "$before", "$more_than", "$less_than", "$is")


def _days(field: str, operator: str, value: str, at: Moment) -> tuple[date | None, date | None]:
    """From the first day to before the second, where there are such ends."""
    try:
        found = days.days_of(operator, value, at.today)
        if found is None:
            raise unknown_operator(field, operator, (*_INSTANTS, *_PRESENCE, *days.OPERATORS))
        return _date(found[0]), _date(found[1])
    except (ValueError, OverflowError):
        raise _wrong(field, operator, "should be a number of days or a year") from None


def _date(ordinal: int | None) -> date | None:
    return None if ordinal is None else date.fromordinal(ordinal)


def later(column: ColumnElement[Any], instant: int) -> ColumnElement[bool]:
    """After `instant` (microseconds) as clients see time, in milliseconds: what shows the same one is not later."""
    return column >= (instant // 1000 + 1) * 1000


def earlier(column: ColumnElement[Any], instant: int) -> ColumnElement[bool]:
    return column < -(-instant // 1000) * 1000


def _as_instant(field: str, operator: str, value: str) -> int:
    try:
        return clock.parse_iso(value.replace(" ", "+"))
    except (ValueError, OverflowError):
        raise _wrong(field, operator, "cannot be recognized as a ISO-8601 compliant date") from None


def _as_days(field: str, operator: str, value: str) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", value):
        raise _wrong(field, operator, "should be a number of days")
    return int(value)


def _boolean(field: str, column: ColumnElement[Any], operator: str, values: list[str]) -> ColumnElement[bool]:
    if operator not in _IDENTITY:
        raise unknown_operator(field, operator, (*_IDENTITY, *_PRESENCE))
    words = {value.lower() for value in values}
    if not words <= {"true", "false"}:
        raise _wrong(field, operator, "should be boolean")
    found = or_(*(column.is_(word == "true") for word in words))
    return not_(found) if operator in _NEGATIVE else found


_SYNONYMS = ("$greater_than", "$more_than_or_equal", "$greater_than_or_equal", "$less_than_or_equal")
_WORDS = ("$active", "$failed", "$in_progress", "$expired", "$before_start", "$enabled", "$disabled")
_NEGATIVE = {"$is_not": "$is", "$not_in": "$in", "$not_contain": "$contains"}
_COUNTS: dict[str, Callable[[Any, float], ColumnElement[bool]]] = {
    "$count": lambda length, number: length == number,
    "$count_less": lambda length, number: length < number,
    "$count_more": lambda length, number: length > number,
}


def _metadata(condition: _Condition, operator: str, values: list[str]) -> ColumnElement[bool]:
    """A list matches where any of its elements does; other values count as a list of one, null and absent as an empty one.

    Values are texts unless a schema says otherwise; what compares by size, compares numbers (our decision).
    """
    field = condition.field
    elements = json_elements(condition.column.column, literal(condition.key)).table_valued("value", "number")
    if operator in _COUNTS:
        length = select(func.count(elements.c.value)).select_from(elements).scalar_subquery()
        return _COUNTS[operator](length, _as_number(field, operator, values[0]))
    if operator in _PRESENCE:
        has_value = exists().select_from(elements).where(elements.c.value.is_not(None))
        return has_value if operator == "$has_value" else not_(has_value)
    found = (
        exists().select_from(elements).where(_element(condition, elements.c, _NEGATIVE.get(operator, operator), values))
    )
    return not_(found) if operator in _NEGATIVE else found


def _element(condition: _Condition, element: Any, operator: str, values: list[str]) -> ColumnElement[bool]:
    """Of one value: `element` has it as text and, where it is one, as a number."""
    field, at = condition.field, condition.at
    if condition.type in ("date", "datetime") and operator in _DAYS_AGO:
        operator = _DAYS_AGO[operator]
    if operator in ("$after", "$before"):  # dates are text in ISO form, which sorts as time does
        _as_instant(field, operator, values[0])
        text: ColumnElement[bool] = element.value > values[0] if operator == "$after" else element.value < values[0]
        return text
    if operator in days.OPERATORS:
        first, end = _days(field, operator, values[0], at)
        dated = func.substr(element.value, 5, 1) == "-"
        return and_(
            dated,
            *([element.value >= first.isoformat()] if first else []),
            *([element.value < end.isoformat()] if end else []),
        )
    if condition.type == "number" or operator.startswith(("$more", "$less", "$greater")):
        return _number(field, element.number, operator, values)
    if condition.type == "boolean" and not {value.lower() for value in values} <= {"true", "false"}:
        raise _wrong(field, operator, "should be boolean")
    return _text(field, element.value, operator, values)


_DAYS_AGO = {"$more_than": "$more_than_ago", "$less_than": "$less_than_ago"}

# All that some kind of column understands; words without a value are of single fields.
OPERATORS = tuple(
    dict.fromkeys((*_TEXTS, *_NUMBERS, *_PRESENCE, *_INSTANTS, *_COUNTS, *days.OPERATORS, *_SYNONYMS, *_WORDS))
)
