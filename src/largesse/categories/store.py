"""Every query on categories."""

from collections.abc import Collection

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import ColumnElement

from largesse.categories.model import StoredCategory
from largesse.kernel.database.columns import metadata, micros, one_of, project_id

categories = Table(
    "categories",
    metadata,
    project_id(),
    Column("id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("hierarchy", BigInteger, nullable=False),
    micros("created_at"),
    micros("updated_at", nullable=True),
    PrimaryKeyConstraint("project_id", "id"),
    UniqueConstraint("project_id", "name"),
    Index("categories_by_creation", "project_id", "created_at", "id"),
)

_ALL = select(*(categories.c[name] for name in StoredCategory.__struct_fields__)).where(
    categories.c.project_id == bindparam("project")
)
_BY_IDS = _ALL.where(one_of(categories.c.id, "ids"))
_BY_NAME = _ALL.where(categories.c.name == bindparam("name"))
_NEWEST_FIRST = _ALL.order_by(categories.c.created_at.desc(), categories.c.id.desc())


def name_of(project_id: ColumnElement[str], category_id: ColumnElement[str]) -> ColumnElement[str]:
    """The name of the category that a row of another table carries; NULL where it has none."""
    mine = (categories.c.project_id == project_id, categories.c.id == category_id)
    return select(categories.c.name).where(*mine).scalar_subquery()


def by_ids(conn: Connection, project_id: str, ids: Collection[str]) -> dict[str, StoredCategory]:
    rows = conn.execute(_BY_IDS, {"project": project_id, "ids": list(ids)})
    return {row.id: StoredCategory(**row._mapping) for row in rows}


def by_name(conn: Connection, project_id: str, name: str) -> StoredCategory | None:
    row = conn.execute(_BY_NAME, {"project": project_id, "name": name}).first()
    return StoredCategory(**row._mapping) if row else None


def newest_first(conn: Connection, project_id: str) -> list[StoredCategory]:
    return [StoredCategory(**row._mapping) for row in conn.execute(_NEWEST_FIRST, {"project": project_id})]


def add(conn: Connection, project_id: str, category: StoredCategory) -> None:
    conn.execute(insert(categories).values(project_id=project_id, **msgspec.structs.asdict(category)))


def save(conn: Connection, project_id: str, category: StoredCategory) -> None:
    row = (categories.c.project_id == project_id, categories.c.id == category.id)
    values = {"name": category.name, "hierarchy": category.hierarchy, "updated_at": category.updated_at}
    conn.execute(update(categories).where(*row).values(**values))


def remove(conn: Connection, project_id: str, category_id: str) -> None:
    conn.execute(delete(categories).where(categories.c.project_id == project_id, categories.c.id == category_id))
