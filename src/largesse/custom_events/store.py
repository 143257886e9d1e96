"""Every query on custom events and their definitions."""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    Column,
    Index,
    PrimaryKeyConstraint,
    Row,
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

from largesse.custom_events.model import CustomEvent, Occurrences, Property, StoredDefinition
from largesse.kernel import wire
from largesse.kernel.database.columns import JsonText, metadata, micros, one_of, project_id
from largesse.kernel.database.rows import insert_rows

custom_event_schemas = Table(
    "custom_event_schemas",
    metadata,
    project_id(),
    Column("id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("properties", JsonText, nullable=False),
    micros("created_at"),
    micros("updated_at", nullable=True),
    PrimaryKeyConstraint("project_id", "id"),
    UniqueConstraint("project_id", "name"),
)
custom_events = Table(
    "custom_events",
    metadata,
    project_id(),
    Column("id", Text, nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("metadata", JsonText, nullable=False),
    Column("loyalty_code", Text),
    Column("referral", JsonText),
    micros("created_at"),
    PrimaryKeyConstraint("project_id", "id"),
    # What segments and rules count: one customer's events of a name in a period.
    Index("custom_events_of_customer", "project_id", "customer_id", "name", "created_at"),
    # Who had an event of a name.
    Index("custom_events_by_name", "project_id", "name", "customer_id"),
)
_EVENT = ("id", "customer_id", "name", "metadata", "loyalty_code", "referral", "created_at")

_ALL = select(*(custom_event_schemas.c[name] for name in StoredDefinition.__struct_fields__)).where(
    custom_event_schemas.c.project_id == bindparam("project")
)
_BY_ID = _ALL.where(custom_event_schemas.c.id == bindparam("id"))
_BY_NAMES = _ALL.where(one_of(custom_event_schemas.c.name, "names"))
_IN_ORDER = _ALL.order_by(custom_event_schemas.c.created_at, custom_event_schemas.c.id)

_of_customers = (
    custom_events.c.project_id == bindparam("project"),
    one_of(custom_events.c.customer_id, "customers"),
    one_of(custom_events.c.name, "names"),
    custom_events.c.created_at >= bindparam("since"),
    custom_events.c.created_at < bindparam("until"),
)
_OCCURRENCES = (
    select(custom_events.c.customer_id, custom_events.c.name, func.count(), func.max(custom_events.c.created_at))
    .where(*_of_customers)
    .group_by(custom_events.c.customer_id, custom_events.c.name)
)


def by_id(conn: Connection, project_id: str, schema_id: str) -> StoredDefinition | None:
    row = conn.execute(_BY_ID, {"project": project_id, "id": schema_id}).first()
    return _definition(row) if row else None


def by_names(conn: Connection, project_id: str, names: Collection[str]) -> dict[str, StoredDefinition]:
    rows = conn.execute(_BY_NAMES, {"project": project_id, "names": list(names)})
    return {row.name: _definition(row) for row in rows}


def oldest_first(conn: Connection, project_id: str) -> list[StoredDefinition]:
    return [_definition(row) for row in conn.execute(_IN_ORDER, {"project": project_id})]


def add(conn: Connection, project_id: str, definition: StoredDefinition) -> None:
    conn.execute(insert(custom_event_schemas).values(project_id=project_id, **_values(definition)))


def save(conn: Connection, project_id: str, definition: StoredDefinition) -> None:
    mine = (custom_event_schemas.c.project_id == project_id, custom_event_schemas.c.id == definition.id)
    values = _values(definition)
    changing = {name: values[name] for name in ("properties", "updated_at")}
    conn.execute(update(custom_event_schemas).where(*mine).values(changing))


def remove(conn: Connection, project_id: str, schema_id: str) -> None:
    mine = (custom_event_schemas.c.project_id == project_id, custom_event_schemas.c.id == schema_id)
    conn.execute(delete(custom_event_schemas).where(*mine))


def insert_events(conn: Connection, project_id: str, events: Sequence[CustomEvent]) -> None:
    rows = [
        (
            event.id,
            event.customer_id,
            event.name,
            wire.encode_text(event.metadata),
            event.loyalty_code,
            wire.encode_text(event.referral) if event.referral else None,
            event.created_at,
        )
        for event in events
    ]
    insert_rows(conn, custom_events, _EVENT, project_id, rows)


def occurrences(
    conn: Connection, project_id: str, customer_ids: Collection[str], names: Collection[str], since: int, until: int
) -> dict[tuple[str, str], Occurrences]:
    arguments = {
        "project": project_id,
        "customers": list(customer_ids),
        "names": list(names),
        "since": since,
        "until": until,
    }
    rows = conn.execute(_OCCURRENCES, arguments)
    return {(customer_id, name): Occurrences(count, last) for customer_id, name, count, last in rows}


def remove_of_customer(conn: Connection, project_id: str, customer_id: str) -> int:
    mine = (custom_events.c.project_id == project_id, custom_events.c.customer_id == customer_id)
    return conn.execute(delete(custom_events).where(*mine)).rowcount


def _values(definition: StoredDefinition) -> dict[str, Any]:
    return msgspec.structs.asdict(definition) | {"properties": msgspec.to_builtins(definition.properties)}


def _definition(row: Row[Any]) -> StoredDefinition:
    values = dict(row._mapping)
    values["properties"] = msgspec.convert(values["properties"], dict[str, Property])
    return StoredDefinition(**values)
