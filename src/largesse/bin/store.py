"""Every query on the bin."""

from collections.abc import Sequence

from sqlalchemy import Column, Index, PrimaryKeyConstraint, Table, Text, bindparam, delete, func, select
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import ColumnElement

from largesse.bin.model import BinEntry
from largesse.kernel.database.columns import metadata, micros, one_of, project_id
from largesse.kernel.database.rows import insert_rows

bin_entries = Table(
    "bin_entries",
    metadata,
    project_id(),
    Column("id", Text, nullable=False),
    micros("created_at"),
    Column("resource_id", Text, nullable=False),
    Column("resource_type", Text, nullable=False),
    Column("resource_name", Text, nullable=False),
    Column("resource_parent_id", Text),
    PrimaryKeyConstraint("project_id", "id"),
    Index("bin_entries_of_resource", "project_id", "resource_type", "resource_id"),
)

_ALL = select(*(bin_entries.c[name] for name in BinEntry.__struct_fields__))
_REMOVE_OF = delete(bin_entries).where(
    bin_entries.c.project_id == bindparam("project"),
    bin_entries.c.resource_type == bindparam("type"),
    one_of(bin_entries.c.resource_id, "ids"),
)


def add(conn: Connection, project_id: str, entries: Sequence[BinEntry]) -> None:
    rows = [tuple(getattr(entry, name) for name in BinEntry.__struct_fields__) for entry in entries]
    insert_rows(conn, bin_entries, BinEntry.__struct_fields__, project_id, rows)


def remove_of(conn: Connection, project_id: str, resource_type: str, resource_ids: list[str]) -> None:
    arguments = {"project": project_id, "type": resource_type, "ids": resource_ids}
    conn.execute(_REMOVE_OF, arguments)


def get(conn: Connection, project_id: str, entry_id: str) -> BinEntry | None:
    row = conn.execute(_ALL.where(bin_entries.c.project_id == project_id, bin_entries.c.id == entry_id)).first()
    return BinEntry(**row._mapping) if row else None


def remove(conn: Connection, project_id: str, entry_id: str) -> None:
    conn.execute(delete(bin_entries).where(bin_entries.c.project_id == project_id, bin_entries.c.id == entry_id))


def count(conn: Connection, project_id: str, conditions: Sequence[ColumnElement[bool]]) -> int:
    where = (bin_entries.c.project_id == project_id, *conditions)
    return conn.execute(select(func.count()).select_from(bin_entries).where(*where)).scalar_one()


def page(
    conn: Connection, project_id: str, conditions: Sequence[ColumnElement[bool]], *, descending: bool, limit: int
) -> list[BinEntry]:
    order = bin_entries.c.id.desc() if descending else bin_entries.c.id.asc()
    rows = conn.execute(_ALL.where(bin_entries.c.project_id == project_id, *conditions).order_by(order).limit(limit))
    return [BinEntry(**row._mapping) for row in rows]
