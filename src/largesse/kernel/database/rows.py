"""Set-wise writes: many rows, one round trip.

`executemany` on SQLite, one statement over `unnest` arrays on PostgreSQL. Values are what the driver takes: JSON columns already as
text, instants as integers. `project_id` is bound once, so that a sharded store sees one shard per statement.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Boolean, Integer, Table
from sqlalchemy.engine import Connection

from largesse.kernel import wire
from largesse.kernel.database import trips
from largesse.kernel.database.pipeline import array

Rows = Sequence[tuple[Any, ...]]


def insert_rows(conn: Connection, table: Table, columns: tuple[str, ...], project_id: str, rows: Rows) -> None:
    """Inserts `rows` of `columns` (project_id not among them). A duplicate key raises IntegrityError."""
    if not rows:
        return
    sql = _insert(table, columns, conn.dialect.name)
    if conn.dialect.name == "postgresql":
        _send(conn, sql, (project_id, *_arrays(rows)), table.name, None)
    else:
        conn.exec_driver_sql(sql, [(project_id, *row) for row in rows])


def insert_rows_alike(
    conn: Connection,
    table: Table,
    same: Mapping[str, Any],
    columns: tuple[str, ...],
    project_id: str,
    rows: Sequence[tuple[str, ...]],
) -> None:
    """Inserts rows that share the values of `same` and differ in `columns`, all texts. A duplicate key raises IntegrityError.

    What all share is sent once: with many columns alike this costs a fraction of `insert_rows`.
    """
    if not rows:
        return
    sql = _insert_alike(table, tuple(same), columns, conn.dialect.name)
    varying = _arrays(rows) if conn.dialect.name == "postgresql" else [wire.encode_text(rows)]
    conn.exec_driver_sql(sql, (project_id, *same.values(), *varying))


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
        _send(conn, sql, (*_arrays(rows), project_id), table.name, len(rows))
    else:
        trips.expect(conn.exec_driver_sql(sql, [(*row, project_id) for row in rows]).rowcount, len(rows), table.name)


def add_rows(
    conn: Connection,
    table: Table,
    keys: tuple[str, ...],
    amount: str,
    columns: tuple[str, ...],
    project_id: str,
    rows: Rows,
    *,
    guard: str,
) -> None:
    """Adds to the column `amount` of one row per tuple, making rows that are missing; a tuple holds keys, amount, then `columns`.

    `columns` are replaced. `guard` is an SQL condition as for `update_rows`, in which `t.{amount}` is 0 for a row that is missing;
    a row that fails it raises GuardViolation. Rows are taken in their order, which rivals must share.
    """
    if not rows:
        return
    sql = _add(table, keys, amount, columns, guard, conn.dialect.name)
    if conn.dialect.name == "postgresql":
        _send(conn, sql, (project_id, *_arrays(rows)), table.name, len(rows))
    else:
        found = conn.exec_driver_sql(sql, [(project_id, *row) for row in rows]).rowcount
        trips.expect(found, len(rows), table.name)


def _send(conn: Connection, sql: str, values: tuple[Any, ...], table: str, expected: int | None) -> None:
    if trips.note(conn, trips.Write(sql, values, table, expected)):
        return
    found = conn.exec_driver_sql(sql, values).rowcount
    if expected is not None:
        trips.expect(found, expected, table)


def _arrays(rows: Rows) -> list[str]:
    """One array for each column, as text: the driver's own takes four times as long for JSON texts."""
    return [array(column) for column in zip(*rows, strict=True)]


# The statements below are put together from names of the schema only; values are always bound.
@cache
def _insert(table: Table, columns: tuple[str, ...], dialect: str) -> str:
    into = f"INSERT INTO {table.name} (project_id, {', '.join(columns)})"
    if dialect == "postgresql":
        return f"{into} SELECT %s, {', '.join(f'd.{name}' for name in columns)} FROM {_unnest(table, columns)}"
    return f"{into} VALUES ({', '.join('?' * (len(columns) + 1))})"


@cache
def _insert_alike(table: Table, same: tuple[str, ...], columns: tuple[str, ...], dialect: str) -> str:
    into = f"INSERT INTO {table.name} (project_id, {', '.join(same + columns)})"
    if dialect == "postgresql":
        values = [f"%s::{_sql_type(table, name)}" for name in same] + [f"d.{name}" for name in columns]
        return f"{into} SELECT %s, {', '.join(values)} FROM {_unnest(table, columns)}"
    values = ["?" for _ in same] + [f"d.value ->> {place}" for place in range(len(columns))]
    return f"{into} SELECT ?, {', '.join(values)} FROM json_each(?) AS d"


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


@cache
def _add(table: Table, keys: tuple[str, ...], amount: str, columns: tuple[str, ...], guard: str, dialect: str) -> str:
    names = (*keys, amount, *columns)
    if dialect == "postgresql":
        new = {name: f"d.{name}" for name in names}
        source = f"SELECT %s, {', '.join(new.values())} FROM {_unnest(table, names)}"
    else:
        new = {name: f"?{place}" for place, name in enumerate(names, 2)}
        source = f"SELECT ?1, {', '.join(new.values())}"
    sets = [f"{amount} = t.{amount} + excluded.{amount}", *(f"{name} = excluded.{name}" for name in columns)]
    fresh = guard.replace(f"t.{amount}", "0").format_map(new)
    held = guard.format_map({name: f"excluded.{name}" for name in names})
    return (
        f"INSERT INTO {table.name} AS t (project_id, {', '.join(names)}) {source} WHERE {fresh}"
        f" ON CONFLICT (project_id, {', '.join(keys)}) DO UPDATE SET {', '.join(sets)} WHERE {held}"
    )


def _unnest(table: Table, columns: tuple[str, ...]) -> str:
    arrays = ", ".join(f"%s::{_sql_type(table, name)}[]" for name in columns)
    return f"unnest({arrays}) AS d({', '.join(columns)})"


def _sql_type(table: Table, column: str) -> str:
    kind = table.c[column].type
    if isinstance(kind, Integer):
        return "bigint"
    return "boolean" if isinstance(kind, Boolean) else "text"
