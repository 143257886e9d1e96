"""Every query on metadata schemas."""

from collections.abc import Collection
from typing import Any

import msgspec
from sqlalchemy import (
    Boolean,
    Column,
    PrimaryKeyConstraint,
    Row,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    delete,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.engine import Connection

from largesse.kernel.database.columns import JsonText, metadata, micros, one_of, project_id
from largesse.metadata_schemas.model import Definition, StoredSchema

metadata_schemas = Table(
    "metadata_schemas",
    metadata,
    project_id(),
    Column("id", Text, nullable=False),
    Column("related_object", Text, nullable=False),
    Column("properties", JsonText, nullable=False),
    Column("allow_defined_only", Boolean, nullable=False),
    micros("created_at"),
    micros("updated_at", nullable=True),
    PrimaryKeyConstraint("project_id", "id"),
    UniqueConstraint("project_id", "related_object"),
)

_ALL = select(*(metadata_schemas.c[name] for name in StoredSchema.__struct_fields__)).where(
    metadata_schemas.c.project_id == bindparam("project")
)
_BY_KEY = _ALL.where(
    or_(metadata_schemas.c.id == bindparam("key"), metadata_schemas.c.related_object == bindparam("key"))
)
_BY_NAMES = _ALL.where(one_of(metadata_schemas.c.related_object, "names"))
_IN_ORDER = _ALL.order_by(metadata_schemas.c.created_at, metadata_schemas.c.id)


def by_key(conn: Connection, project_id: str, key: str) -> StoredSchema | None:
    """By id, else by the name of the related object."""
    found = [_schema(row) for row in conn.execute(_BY_KEY, {"project": project_id, "key": key})]
    return next((schema for schema in found if schema.id == key), found[0] if found else None)


def by_names(conn: Connection, project_id: str, names: Collection[str]) -> dict[str, StoredSchema]:
    rows = conn.execute(_BY_NAMES, {"project": project_id, "names": list(names)})
    return {row.related_object: _schema(row) for row in rows}


def oldest_first(conn: Connection, project_id: str) -> list[StoredSchema]:
    return [_schema(row) for row in conn.execute(_IN_ORDER, {"project": project_id})]


def add(conn: Connection, project_id: str, schema: StoredSchema) -> None:
    conn.execute(insert(metadata_schemas).values(project_id=project_id, **_values(schema)))


def save(conn: Connection, project_id: str, schema: StoredSchema) -> None:
    mine = (metadata_schemas.c.project_id == project_id, metadata_schemas.c.id == schema.id)
    values = _values(schema)
    changing = ("properties", "allow_defined_only", "updated_at")
    conn.execute(update(metadata_schemas).where(*mine).values({name: values[name] for name in changing}))


def remove(conn: Connection, project_id: str, schema_id: str) -> None:
    mine = (metadata_schemas.c.project_id == project_id, metadata_schemas.c.id == schema_id)
    conn.execute(delete(metadata_schemas).where(*mine))


def _values(schema: StoredSchema) -> dict[str, Any]:
    return msgspec.structs.asdict(schema) | {"properties": msgspec.to_builtins(schema.properties)}


def _schema(row: Row[Any]) -> StoredSchema:
    values = dict(row._mapping)
    values["properties"] = msgspec.convert(values["properties"], dict[str, Definition])
    return StoredSchema(**values)
