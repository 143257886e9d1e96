"""Every query on locations."""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    Column,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
    UnaryExpression,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import ColumnElement

from largesse.kernel.database.columns import JsonText, metadata, micros, one_of, project_id
from largesse.locations.model import StoredLocation

locations = Table(
    "locations",
    metadata,
    project_id(),
    Column("id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("shape", JsonText, nullable=False),
    micros("created_at"),
    micros("updated_at", nullable=True),
    PrimaryKeyConstraint("project_id", "id"),
    Index("locations_by_creation", "project_id", "created_at", "id"),
)
_COLUMNS = [locations.c[name] for name in StoredLocation.__struct_fields__]
_BY_IDS = select(*_COLUMNS).where(locations.c.project_id == bindparam("project"), one_of(locations.c.id, "ids"))


def by_ids(conn: Connection, project_id: str, ids: Collection[str]) -> dict[str, StoredLocation]:
    rows = conn.execute(_BY_IDS, {"project": project_id, "ids": list(ids)})
    return {row.id: StoredLocation(**row._mapping) for row in rows}


def page(
    conn: Connection,
    project_id: str,
    conditions: Sequence[ColumnElement[bool]],
    order: Sequence[UnaryExpression[Any]],
    *,
    limit: int,
    offset: int,
) -> tuple[list[StoredLocation], int]:
    where = (locations.c.project_id == project_id, *conditions)
    total = conn.execute(select(func.count()).select_from(locations).where(*where)).scalar_one()
    rows = conn.execute(select(*_COLUMNS).where(*where).order_by(*order).limit(limit).offset(offset))
    return [StoredLocation(**row._mapping) for row in rows], total


def add(conn: Connection, project_id: str, location: StoredLocation) -> None:
    conn.execute(insert(locations).values(project_id=project_id, **msgspec.structs.asdict(location)))


def save(conn: Connection, project_id: str, location: StoredLocation) -> None:
    mine = (locations.c.project_id == project_id, locations.c.id == location.id)
    values = {name: getattr(location, name) for name in ("name", "shape", "updated_at")}
    conn.execute(update(locations).where(*mine).values(values))


def remove(conn: Connection, project_id: str, location_id: str) -> None:
    mine = (locations.c.project_id == project_id, locations.c.id == location_id)
    conn.execute(delete(locations).where(*mine))
