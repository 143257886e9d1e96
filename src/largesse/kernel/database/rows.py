"""Set-wise writes: many rows, one round trip.

`executemany` on SQLite, one statement over `unnest` arrays on PostgreSQL. Values are what the driver takes: JSON columns already as
text, instants as integers. `project_id` is bound once, so that a sharded store sees one shard per statement.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Boolean, Integer, Table
from sqlalchemy.engine import Connection

Rows = Sequence[tuple[Any, ...]]


class GuardViolation(Exception):
    """A guarded update touched fewer rows than it was given: somebody else took what the decision had counted on."""


def insert_rows(conn: Connection, table: Table, columns: tuple[str, ...], project_id: str, rows: Rows) -> None:
    """Inserts `rows` of `columns` (project_id not among them). A duplicate key raises IntegrityError."""
    if not rows:
        return
    sql = _insert(table, columns, conn.dialect.name)
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql(sql, (project_id, *_arrays(rows)))
    else:
        conn.exec_driver_sql(sql, [(project_id, *row) for row in rows])


def update_rows(
    conn: Connection,
    table: Table,
    keys: tuple[str, ...],
    columns: tuple[str, ...],
    project_id: str,
    rows: Rows,
    *,
    add: tuple[str, ...] = (),
    guard: str = "",
) -> None:
    """Updates one row per tuple; a tuple holds the values of `columns`, then of `add`, then of `keys`.

    Columns in `add` grow by their value. `guard` is an SQL condition on the old row in which `{name}` stands for the new value of
    a column or the amount added to it. A row that is missing or fails the guard raises GuardViolation.
    """
    if not rows:
        return
    sql = _update(table, keys, columns, add, guard, conn.dialect.name)
    if conn.dialect.name == "postgresql":
        count = conn.exec_driver_sql(sql, (*_arrays(rows), project_id)).rowcount
    else:
        count = conn.exec_driver_sql(sql, [(*row, project_id) for row in rows]).rowcount
    if count != len(rows):
        raise GuardViolation(f"{table.name}: {count} of {len(rows)} rows took the change")


def _arrays(rows: Rows) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


# The statements below are put together from names of the schema only; values are always bound.
@cache
def _insert(table: Table, columns: tuple[str, ...], dialect: str) -> str:
    into = f"INSERT INTO {table.name} (project_id, {', '.join(columns)})"
    if dialect == "postgresql":
        return f"{into} SELECT %s, {', '.join(f'd.{name}' for name in columns)} FROM {_unnest(table, columns)}"
    return f"{into} VALUES ({', '.join('?' * (len(columns) + 1))})"


@cache
def _update(
    table: Table, keys: tuple[str, ...], columns: tuple[str, ...], add: tuple[str, ...], guard: str, dialect: str
) -> str:
    names = columns + add + keys
    if dialect == "postgresql":
        value = {name: f"d.{name}" for name in names}
        project, source = "%s", f" FROM {_unnest(table, names)}"
    else:
        value = {name: f"?{place}" for place, name in enumerate(names, 1)}
        project, source = f"?{len(names) + 1}", ""
    sets = [f"{name} = {value[name]}" for name in columns] + [f"{name} = t.{name} + {value[name]}" for name in add]
    match = " AND ".join(f"t.{name} = {value[name]}" for name in keys)
    condition = f" AND ({guard.format_map(value)})" if guard else ""
    return (
        f"UPDATE {table.name} AS t SET {', '.join(sets)}{source} WHERE {match} AND t.project_id = {project}{condition}"
    )


def _unnest(table: Table, columns: tuple[str, ...]) -> str:
    arrays = ", ".join(f"%s::{_sql_type(table, name)}[]" for name in columns)
    return f"unnest({arrays}) AS d({', '.join(columns)})"


def _sql_type(table: Table, column: str) -> str:
    kind = table.c[column].type
    if isinstance(kind, Integer):
        return "bigint"
    return "boolean" if isinstance(kind, Boolean) else "text"
