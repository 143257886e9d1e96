"""Every query on exports and the parts of their files."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    PrimaryKeyConstraint,
    Row,
    Table,
    Text,
    UnaryExpression,
    bindparam,
    delete,
    exists,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.engine import Connection

from largesse.exports.model import Status, StoredExport
from largesse.kernel.access.tables import projects
from largesse.kernel.database.columns import JsonText, metadata, micros, project_id

_WITH_FILE = text("size > 0")
exports = Table(
    "exports",
    metadata,
    project_id(),
    Column("id", Text, nullable=False),
    Column("exported_object", Text, nullable=False),
    Column("parameters", JsonText, nullable=False),
    Column("status", Text, nullable=False),
    Column("token", Text, nullable=False),
    Column("size", BigInteger, nullable=False),  # bytes of all parts; 0 before there are some, and once they are gone
    micros("created_at"),
    micros("kept_until"),
    PrimaryKeyConstraint("project_id", "id"),
    Index("exports_by_creation", "project_id", "created_at", "id"),
    Index("exports_by_end", "project_id", "kept_until", sqlite_where=_WITH_FILE, postgresql_where=_WITH_FILE),
)
parts = Table(
    "export_parts",
    metadata,
    project_id(),
    Column("export_id", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("content", Text, nullable=False),
    PrimaryKeyConstraint("project_id", "export_id", "number"),
)
_ALL = select(*(exports.c[name] for name in StoredExport.__struct_fields__))
_MINE = (exports.c.project_id == bindparam("project"), exports.c.id == bindparam("id"))
_BY_ID = _ALL.where(*_MINE)
_BY_ID_LOCKED = _BY_ID.with_for_update()
_PARTS_OF = (parts.c.project_id == bindparam("project"), parts.c.export_id == bindparam("id"))
_PART = select(parts.c.content).where(*_PARTS_OF, parts.c.number == bindparam("number"))
_ENDED = (
    select(exports.c.id)
    .where(exports.c.project_id == bindparam("project"), exports.c.kept_until <= bindparam("now"), _WITH_FILE)
    .limit(1)
)
_FIRST_PART = select(func.min(parts.c.number)).where(*_PARTS_OF)
_PROJECTS_WITH_ENDED = select(projects.c.project_id).where(
    exists().where(exports.c.project_id == projects.c.project_id, exports.c.kept_until <= bindparam("now"), _WITH_FILE)
)


def by_id(conn: Connection, project_id: str, id: str, *, lock: bool = False) -> StoredExport | None:
    row = conn.execute(_BY_ID_LOCKED if lock else _BY_ID, {"project": project_id, "id": id}).first()
    return _stored(row) if row else None


def page(
    conn: Connection, project_id: str, order: Sequence[UnaryExpression[Any]], *, limit: int, offset: int
) -> tuple[list[StoredExport], int]:
    mine = exports.c.project_id == project_id
    total = conn.execute(select(func.count()).select_from(exports).where(mine)).scalar_one()
    rows = conn.execute(_ALL.where(mine).order_by(*order).limit(limit).offset(offset))
    return [_stored(row) for row in rows], total


def add(conn: Connection, project_id: str, new: StoredExport) -> None:
    conn.execute(insert(exports).values(project_id=project_id, **msgspec.structs.asdict(new)))


def change(conn: Connection, project_id: str, id: str, *, status: Status, size: int = 0) -> None:
    """Sets the status and lets the file grow by so many bytes."""
    mine = (exports.c.project_id == project_id, exports.c.id == id)
    conn.execute(update(exports).where(*mine).values(status=status, size=exports.c.size + size))


def remove(conn: Connection, project_id: str, id: str) -> bool:
    """Deletes an export with its file; False where there is none."""
    found = conn.execute(delete(exports).where(*_MINE), {"project": project_id, "id": id}).rowcount
    conn.execute(delete(parts).where(*_PARTS_OF), {"project": project_id, "id": id})
    return found > 0


def add_part(conn: Connection, project_id: str, id: str, number: int, content: str) -> None:
    conn.execute(insert(parts).values(project_id=project_id, export_id=id, number=number, content=content))


def part(conn: Connection, project_id: str, id: str, number: int) -> str | None:
    """One part of a file, counted from 0; None behind the last."""
    content: str | None = conn.execute(_PART, {"project": project_id, "id": id, "number": number}).scalar()
    return content


def projects_with_ended(conn: Connection, now: int) -> list[str]:
    """The projects that keep files longer than they should."""
    return list(conn.execute(_PROJECTS_WITH_ENDED, {"now": now}).scalars())


def drop_ended(conn: Connection, project_id: str, now: int, most: int) -> int:
    """Deletes at most so many parts of a file that is no longer kept; answers how many."""
    id = conn.execute(_ENDED, {"project": project_id, "now": now}).scalar()
    if id is None:
        return 0
    first = conn.execute(_FIRST_PART, {"project": project_id, "id": id}).scalar() or 0
    some = delete(parts).where(*_PARTS_OF, parts.c.number < first + most)
    dropped = conn.execute(some, {"project": project_id, "id": id}).rowcount
    if dropped < most:
        mine = (exports.c.project_id == project_id, exports.c.id == id)
        conn.execute(update(exports).where(*mine).values(size=0))
    return max(dropped, 1)


def _stored(row: Row[Any]) -> StoredExport:
    return StoredExport(**row._mapping)
