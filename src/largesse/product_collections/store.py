"""Every query on product collections."""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    Column,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import UnaryExpression

from largesse.kernel.database.columns import JsonText, metadata, micros, one_of, project_id
from largesse.product_collections.model import StoredCollection

collections = Table(
    "product_collections",
    metadata,
    project_id(),
    Column("id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("filter", JsonText),
    Column("products", JsonText, nullable=False),
    micros("created_at"),
    micros("updated_at", nullable=True),
    PrimaryKeyConstraint("project_id", "id"),
    UniqueConstraint("project_id", "name"),
    Index("product_collections_by_creation", "project_id", "created_at", "id"),
)

_ALL = select(*(collections.c[name] for name in StoredCollection.__struct_fields__)).where(
    collections.c.project_id == bindparam("project")
)
_BY_IDS = _ALL.where(one_of(collections.c.id, "ids"))
_KNOWN = select(collections.c.id).where(
    collections.c.project_id == bindparam("project"), one_of(collections.c.id, "ids")
)
_HELD = _KNOWN.order_by(collections.c.id).with_for_update(read=True)
_LOCKED = _KNOWN.with_for_update()
_NAMED = select(collections.c.id).where(
    collections.c.project_id == bindparam("project"), collections.c.name == bindparam("name")
)
_COUNT = select(func.count()).where(collections.c.project_id == bindparam("project"))


def by_ids(conn: Connection, project_id: str, ids: Collection[str]) -> dict[str, StoredCollection]:
    rows = conn.execute(_BY_IDS, {"project": project_id, "ids": list(ids)})
    return {row.id: StoredCollection(**row._mapping) for row in rows}


def hold(conn: Connection, project_id: str, ids: Collection[str]) -> set[str]:
    """Which of the ids exist; until the transaction ends they stay."""
    return set(conn.execute(_HELD, {"project": project_id, "ids": list(ids)}).scalars())


def lock(conn: Connection, project_id: str, id: str) -> None:
    """Waits until nobody holds the collection; afterwards nobody can until the transaction ends."""
    conn.execute(_LOCKED, {"project": project_id, "ids": [id]})


def id_by_name(conn: Connection, project_id: str, name: str) -> str | None:
    return conn.execute(_NAMED, {"project": project_id, "name": name}).scalar()


def count(conn: Connection, project_id: str) -> int:
    return conn.execute(_COUNT, {"project": project_id}).scalar_one()


def add(conn: Connection, project_id: str, collection: StoredCollection) -> None:
    conn.execute(insert(collections).values(project_id=project_id, **msgspec.structs.asdict(collection)))


def save(conn: Connection, project_id: str, collection: StoredCollection) -> None:
    values = msgspec.structs.asdict(collection)
    row = (collections.c.project_id == project_id, collections.c.id == values.pop("id"))
    conn.execute(update(collections).where(*row).values(**values))


def remove(conn: Connection, project_id: str, id: str) -> None:
    conn.execute(delete(collections).where(collections.c.project_id == project_id, collections.c.id == id))


def page(
    conn: Connection, project_id: str, order: Sequence[UnaryExpression[Any]], *, limit: int, offset: int
) -> list[StoredCollection]:
    rows = conn.execute(_ALL.order_by(*order).limit(limit).offset(offset), {"project": project_id})
    return [StoredCollection(**row._mapping) for row in rows]
