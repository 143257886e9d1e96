"""List filters: `filters[field][conditions][$op][0]=value` in all spellings that SDKs use, as conditions on columns."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec
from sqlalchemy import Float, and_, cast, exists, func, literal, or_, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import Text

from largesse.kernel import clock
from largesse.kernel.errors import invalid_query

_SEGMENT = re.compile(r"\[([^\[\]]*)\]")
_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,6})?")
Kind = Literal["text", "number", "instant", "boolean", "metadata", "custom"]
Custom = Callable[[str, list[str], int], ColumnElement[bool]]


class Filters(msgspec.Struct):
    """Fields with their conditions, joined by `junction`; the conditions of one field are always joined by AND."""

    junction: str = "and"
    fields: dict[str, dict[str, list[str]]] = {}


class FilterColumn(msgspec.Struct, frozen=True):
    """What a field filters: a column of a kind, or for `custom` a function of operator, values and now."""

    column: ColumnElement[Any]
    kind: Kind
    custom: Custom | None = None


def parse_filters(pairs: list[tuple[str, str]]) -> Filters | None:
    """The filters among query parameters; None when there are none. Raises ApiError 400 for a shape that is not understood."""
    found = Filters()
    seen = False
    for name, value in pairs:
        path = _path(name)
        if path is None:
            continue
        seen = True
        if not path:
            _take_document(found, value)
        elif path == ["junction"]:
            found.junction = _junction(value)
        elif len(path) in (3, 4) and path[1] == "conditions":
            found.fields.setdefault(path[0], {}).setdefault(path[2], []).append(value)
        else:
            raise invalid_query(f"Filter {name} should have the form filters[field][conditions][$operator]")
    return found if seen else None


def _path(name: str) -> list[str] | None:
    """The segments after `filters`, None for a parameter that is not a filter."""
    if name.startswith("filters"):
        rest = name.removeprefix("filters")
    elif name.startswith("[filters]"):
        rest = name.removeprefix("[filters]")
    else:
        return None
    segments = _SEGMENT.findall(rest)
    if "".join(f"[{segment}]" for segment in segments) != rest:
        raise invalid_query(f"Filter {name} should have the form filters[field][conditions][$operator]")
    return segments


def _take_document(found: Filters, text: str) -> None:
    """`filters=` with the same tree as JSON."""
    try:
        document = msgspec.json.decode(text)
    except msgspec.DecodeError:
        raise invalid_query(
            "Parameter filters should be JSON, or have the form filters[field][conditions][$operator]"
        ) from None
    if not isinstance(document, dict):
        raise invalid_query("Parameter filters should be an object")
    for field, node in document.items():
        if field == "junction":
            found.junction = _junction(str(node))
            continue
        conditions = node.get("conditions") if isinstance(node, dict) else None
        if not isinstance(conditions, dict):
            raise invalid_query(f"Filter {field} should have an object conditions")
        for operator, value in conditions.items():
            values = value if isinstance(value, list) else [value]
            found.fields.setdefault(field, {}).setdefault(operator, []).extend(map(_as_text, values))


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _junction(value: str) -> str:
    if value.lower() not in ("and", "or"):
        raise invalid_query("Property .filters.junction should be equal to one of the allowed values [ and, or ]")
    return value.lower()


def where(filters: Filters, columns: Mapping[str, FilterColumn], now: int = 0) -> ColumnElement[bool] | None:
    """The condition that `filters` describe. Raises ApiError 400 for unknown fields, operators and impossible values."""
    parts = []
    for field, conditions in filters.fields.items():
        name, _, key = field.partition(".")
        column = columns.get(field) or (columns.get(name) if key else None)
        if column is None or (column.kind == "metadata" and not key):
            raise invalid_query(f"Filter {field} is unknown; known are {', '.join(columns)}")
        compiled = [_condition(field, column, key, operator, values, now) for operator, values in conditions.items()]
        parts.append(and_(*compiled))
    if not parts:
        return None
    return and_(*parts) if filters.junction == "and" else or_(*parts)


def _condition(
    field: str, column: FilterColumn, key: str, operator: str, values: list[str], now: int
) -> ColumnElement[bool]:
    if column.custom is not None:
        return column.custom(operator, values, now)
    if column.kind == "number":
        return _number(field, cast(column.column, Float), operator, values)
    if column.kind == "instant":
        return _instant(field, column.column, operator, values, now)
    if column.kind == "boolean":
        return _boolean(field, column.column, operator, values)
    if column.kind == "metadata":
        return _metadata(field, column.column, key, operator, values)
    return _text(field, column.column, operator, values)


def _text(field: str, column: ColumnElement[Any], operator: str, values: list[str]) -> ColumnElement[bool]:
    def any_of(make: Callable[[str], ColumnElement[bool]]) -> ColumnElement[bool]:
        return or_(*(make(value) for value in values))

    def none_of(condition: ColumnElement[bool]) -> ColumnElement[bool]:
        return or_(~condition, column.is_(None))

    match operator:
        case "$is" | "$in":
            return column.in_(values)
        case "$is_not" | "$not_in":
            return or_(column.not_in(values), column.is_(None))
        case "$contains":
            return any_of(lambda value: column.contains(value, autoescape=True))
        case "$not_contain":
            return none_of(any_of(lambda value: column.contains(value, autoescape=True)))
        case "$starts_with":
            return any_of(lambda value: column.startswith(value, autoescape=True))
        case "$ends_with":
            return any_of(lambda value: column.endswith(value, autoescape=True))
    return _presence(field, column, operator)


def _presence(field: str, column: ColumnElement[Any], operator: str) -> ColumnElement[bool]:
    if operator == "$has_value":
        return column.is_not(None)
    if operator == "$is_unknown":
        return column.is_(None)
    raise invalid_query(f"Operator {operator} is not understood for filter {field}")


def _number(field: str, column: ColumnElement[Any], operator: str, values: list[str]) -> ColumnElement[bool]:
    if operator in ("$has_value", "$is_unknown"):
        return _presence(field, column, operator)
    numbers = [_as_number(field, value) for value in values]
    match operator:
        case "$is" | "$in":
            return column.in_(numbers)
        case "$is_not" | "$not_in":
            return or_(column.not_in(numbers), column.is_(None))
        case "$more_than":
            return column > numbers[0]
        case "$less_than":
            return column < numbers[0]
        case "$more_than_equal" | "$more_than_or_equal" | "$greater_than_or_equal":
            return column >= numbers[0]
        case "$less_than_equal" | "$less_than_or_equal":
            return column <= numbers[0]
    return _presence(field, column, operator)


def _as_number(field: str, value: str) -> float:
    if not _NUMBER.fullmatch(value):
        raise invalid_query(f"Filter {field} should compare with a number")
    return float(value)


def _instant(field: str, column: ColumnElement[Any], operator: str, values: list[str], now: int) -> ColumnElement[bool]:
    match operator:
        case "$after":
            return later(column, _as_instant(field, values[0]))
        case "$before":
            return earlier(column, _as_instant(field, values[0]))
        case "$more_than":
            return column < now - _as_days(field, values[0]) * clock.DAY
        case "$less_than":
            return and_(column > now - _as_days(field, values[0]) * clock.DAY, column <= now)
    return _presence(field, column, operator)


def later(column: ColumnElement[Any], instant: int) -> ColumnElement[bool]:
    """After `instant` (microseconds) as clients see time, in milliseconds: what shows the same one is not later."""
    return column >= (instant // 1000 + 1) * 1000


def earlier(column: ColumnElement[Any], instant: int) -> ColumnElement[bool]:
    return column < -(-instant // 1000) * 1000


def _as_instant(field: str, value: str) -> int:
    try:
        return clock.parse_iso(value.replace(" ", "+"))
    except (ValueError, OverflowError):
        raise invalid_query(f"Filter {field} cannot be recognized as a ISO-8601 compliant date") from None


def _as_days(field: str, value: str) -> int:
    if not re.fullmatch(r"\d{1,6}", value):
        raise invalid_query(f"Filter {field} should compare with a number of days")
    return int(value)


def _boolean(field: str, column: ColumnElement[Any], operator: str, values: list[str]) -> ColumnElement[bool]:
    if operator not in ("$is", "$is_not"):
        return _presence(field, column, operator)
    if values[0].lower() not in ("true", "false"):
        raise invalid_query(f"Filter {field} should be true or false")
    wanted = (values[0].lower() == "true") == (operator == "$is")
    return column.is_(wanted)


_NEGATIVE = {"$is_not": "$is", "$not_in": "$in", "$not_contain": "$contains"}
_COUNTS: dict[str, Callable[[Any, float], ColumnElement[bool]]] = {
    "$count": lambda length, number: length == number,
    "$count_less": lambda length, number: length < number,
    "$count_more": lambda length, number: length > number,
}


def _metadata(
    field: str, column: ColumnElement[Any], key: str, operator: str, values: list[str]
) -> ColumnElement[bool]:
    """A list matches where any of its elements does; other values count as a list of one, null and absent as an empty one."""
    elements = json_elements(column, literal(key)).table_valued("value", "number")
    if operator in _COUNTS:
        length = select(func.count(elements.c.value)).select_from(elements).scalar_subquery()
        return _COUNTS[operator](length, _as_number(field, values[0]))
    if operator == "$has_value" or operator == "$is_unknown":
        has_value = exists().select_from(elements).where(elements.c.value.is_not(None))
        return has_value if operator == "$has_value" else ~has_value
    wanted = _NEGATIVE.get(operator, operator)
    if wanted.startswith(("$more", "$less", "$greater")):
        condition = _number(field, elements.c.number, wanted, values)
    elif wanted in ("$after", "$before"):  # dates are text in ISO form, which sorts as time does
        condition = elements.c.value > values[0] if wanted == "$after" else elements.c.value < values[0]
    else:
        condition = _text(field, elements.c.value, wanted, values)
    found = exists().select_from(elements).where(condition)
    return ~found if operator in _NEGATIVE else found


class json_elements(FunctionElement[Any]):  # noqa: N801 - reads as an SQL function
    """Rows (value as text, number where it is one) of the member of a JSON text column under a key."""

    type = Text()
    inherit_cache = True


@compiles(json_elements, "sqlite")
def _json_elements_sqlite(element: json_elements, compiler: SQLCompiler, **options: Any) -> str:
    column, key = (compiler.process(clause, **options) for clause in element.clauses)
    # Types are looked at first: SQL values of json_each would show booleans as 1 and 0.
    as_list = (
        "CASE j.type WHEN 'array' THEN j.value WHEN 'true' THEN '[true]' WHEN 'false' THEN '[false]' "
        "WHEN 'null' THEN '[]' ELSE json_array(j.value) END"
    )
    value = "CASE e.type WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' ELSE CAST(e.value AS TEXT) END"
    number = "CASE WHEN e.type IN ('integer', 'real') THEN e.value END"
    rows = f"json_each({column}) AS j, json_each({as_list}) AS e WHERE j.key = {key}"
    return f"(SELECT {value} AS value, {number} AS number FROM {rows})"


@compiles(json_elements, "postgresql")
def _json_elements_postgresql(element: json_elements, compiler: SQLCompiler, **options: Any) -> str:
    column, key = (compiler.process(clause, **options) for clause in element.clauses)
    member = f"(({column})::jsonb -> {key})"
    as_list = f"CASE jsonb_typeof({member}) WHEN 'array' THEN {member} ELSE jsonb_build_array({member}) END"
    value = "x #>> '{}'"
    number = f"CASE jsonb_typeof(x) WHEN 'number' THEN ({value})::float8 END"
    return f"(SELECT {value} AS value, {number} AS number FROM jsonb_array_elements({as_list}) AS x)"
