"""What a room offers for export: rows of its tables, read in slices, as values under the names of fields."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Column, Row, and_, or_, select
from sqlalchemy.sql.elements import ColumnElement

from largesse.kernel.database.unit import Unit
from largesse.kernel.http.filters import FilterColumn

# (unit, rows, fields asked for, base of absolute URLs) → the values of each row
Values = Callable[[Unit, Sequence[Row[Any]], frozenset[str], str], list[dict[str, Any]]]


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Objects of one kind. `values` answers, for rows of `columns`, at least the fields asked for: set-wise, never row by row.

    An order never yields NULL: its column stands in a `coalesce` where it can be. Values are texts, numbers, booleans, None,
    lists (shown with commas) and dicts (shown as JSON).
    """

    fields: tuple[str, ...]
    default_fields: tuple[str, ...]
    id: Column[str]
    created_at: Column[int]
    columns: tuple[ColumnElement[Any], ...]
    values: Values
    orders: Mapping[str, ColumnElement[Any]]
    default_order: str
    filters: Mapping[str, FilterColumn]
    conditions: tuple[ColumnElement[bool], ...] = ()  # what every row fulfils, such as not being in the bin
    schema: str | None = None  # whose metadata it is; None where the objects have none


class Place(msgspec.Struct, frozen=True):
    """Where the next slice begins: behind the row with this value of the order and this id."""

    value: str | int
    id: str


def read(
    unit: Unit,
    source: Source,
    conditions: Sequence[ColumnElement[bool]],
    order: str,
    *,
    until: int,
    after: Place | None,
    limit: int,
) -> tuple[list[Row[Any]], Place | None]:
    """The next rows in `order`, a name of `source.orders` that may begin with `-`, and where they end.

    Only what was created `until` then counts, so that an export ends however much comes in meanwhile. A row whose order changes
    between two slices is found where it stands when its turn comes (our decision).
    """
    descending, key = order.startswith("-"), source.orders[order.removeprefix("-")]
    project: Column[str] = source.id.table.c.project_id
    statement = select(*source.columns, key.label("export_key"), source.id.label("export_id")).where(
        project == unit.project_id, source.created_at <= until, *source.conditions, *conditions
    )
    if after is not None:
        beyond = (key < after.value, source.id < after.id) if descending else (key > after.value, source.id > after.id)
        statement = statement.where(or_(beyond[0], and_(key == after.value, beyond[1])))
    parts = [part.desc() if descending else part.asc() for part in (key, source.id)]
    rows: list[Row[Any]] = list(unit.conn.execute(statement.order_by(*parts).limit(limit)))
    return rows, Place(rows[-1].export_key, rows[-1].export_id) if rows else None
