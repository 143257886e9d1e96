"""The event log: what changed, written in the transaction that changed it.

Webhooks are delivered from it and activity is shown from it. Events of redemptions and rollbacks refer to the stored record instead
of copying it; all others carry a snapshot. A `redemption.*` event that names a customer is that customer's `customer.redemption.*`
event too: one row, two readings.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import Column, Index, PrimaryKeyConstraint, Table, Text, delete, func, select
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import ColumnElement

from largesse.kernel import ids, wire
from largesse.kernel.call import Call
from largesse.kernel.database.columns import JsonText, metadata, micros, project_id
from largesse.kernel.database.rows import insert_rows

events = Table(
    "events",
    metadata,
    project_id(),
    Column("id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("entity_id", Text, nullable=False),
    Column("customer_id", Text),
    Column("group_id", Text, nullable=False),  # the request that caused it
    Column("source", JsonText, nullable=False),  # {channel, api_key{name, app_id}}
    Column("data", JsonText, nullable=False),
    micros("created_at"),
    PrimaryKeyConstraint("project_id", "id"),
    Index("events_of_customer", "project_id", "customer_id", "id"),
)

_COLUMNS = ("id", "type", "entity_id", "customer_id", "group_id", "source", "data", "created_at")
_FAMILIES = {
    "redemption": "evred_",
    "customer": "evcus_",
    "voucher": "evvou_",
    "campaign": "evcam_",
    "publication": "evpub_",
}
_OTHERS = "evoth_"
_PREFIX = len(_OTHERS)  # all prefixes are equally long


class Event(msgspec.Struct, frozen=True):
    """`type` is the wire name (`voucher.created`); `data` the JSON of its payload's keys.

    `about` is what the event is about as the transaction left it, `before` as it was, where the room knows; both are for reactions
    and are not stored.
    """

    id: str
    type: str
    entity_id: str
    customer_id: str | None
    call: Call
    data: str
    about: Any = None
    before: Any = None


def new_event(
    call: Call,
    type: str,
    entity_id: str,
    data: dict[str, Any],
    customer_id: str | None,
    about: Any = None,
    before: Any = None,
) -> Event:
    prefix = _FAMILIES.get(type.partition(".")[0], _OTHERS)
    text = wire.encode_text(data) if data else "{}"
    return Event(ids.hex_id(prefix), type, entity_id, customer_id, call, text, about, before)


def write_events(conn: Connection, project_id: str, recorded: Sequence[Event]) -> None:
    """Inserts the events of one transaction; all belong to one project."""
    insert_rows(
        conn,
        events,
        _COLUMNS,
        project_id,
        [
            (e.id, e.type, e.entity_id, e.customer_id, e.call.request_id, _source(e.call), e.data, e.call.now)
            for e in recorded
        ],
    )


def _source(call: Call) -> str:
    return _shown_source("CLIENT_API" if call.is_client else "API", call.caller.key_name, call.caller.key_id)


@lru_cache(maxsize=1024)  # of a few keys, over and over
def _shown_source(channel: str, key_name: str, key_id: str) -> str:
    return wire.encode_text({"channel": channel, "api_key": {"name": key_name, "app_id": key_id}})


class StoredEvent(msgspec.Struct, frozen=True):
    """An event as read back."""

    id: str
    type: str
    entity_id: str
    group_id: str
    created_at: int
    data: dict[str, Any]
    source: dict[str, Any]


class EventPage(msgspec.Struct, frozen=True, kw_only=True):
    """Which events of a customer are wanted; `types` None = all, times inclusive."""

    customer_id: str
    after_id: str | None = None
    start: int | None = None
    end: int | None = None
    types: list[str] | None = None
    descending: bool = True
    limit: int


def of_customer(
    conn: Connection, project_id: str, page: EventPage, also: Sequence[ColumnElement[bool]] = ()
) -> list[StoredEvent]:
    """A page of one customer's events that satisfy `also`, in order of their position in time."""
    position = func.substr(events.c.id, _PREFIX + 1)  # the part behind the family prefix sorts by time
    columns = (events.c[name] for name in StoredEvent.__struct_fields__)
    statement = select(*columns).where(*_of_customer(project_id, page), *also)
    if page.after_id:
        after = page.after_id[_PREFIX:]
        statement = statement.where(position < after if page.descending else position > after)
    statement = statement.order_by(position.desc() if page.descending else position.asc()).limit(page.limit)
    return [StoredEvent(*row) for row in conn.execute(statement)]


def count_of_customer(
    conn: Connection, project_id: str, page: EventPage, also: Sequence[ColumnElement[bool]] = ()
) -> int:
    """How many events the page's conditions and `also` hold in all."""
    statement = select(func.count()).select_from(events).where(*_of_customer(project_id, page), *also)
    return conn.execute(statement).scalar_one()


def customers_since(conn: Connection, project_id: str, after_id: str, limit: int) -> list[tuple[str, str | None]]:
    """Ids of at most `limit` events behind `after_id`, of its family and in order, each with the customer it names."""
    within = (events.c.id > after_id, events.c.id < after_id[:_PREFIX] + "~")  # behind every id of the family
    statement = select(events.c.id, events.c.customer_id).where(events.c.project_id == project_id, *within)
    return [(row[0], row[1]) for row in conn.execute(statement.order_by(events.c.id).limit(limit))]


def remove_of_customer(conn: Connection, project_id: str, customer_id: str) -> int:
    """Deletes a customer's events; answers how many there were."""
    mine = (events.c.project_id == project_id, events.c.customer_id == customer_id)
    return conn.execute(delete(events).where(*mine)).rowcount


def _of_customer(project_id: str, page: EventPage) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [
        events.c.project_id == project_id,
        events.c.customer_id == page.customer_id,
    ]
    if page.types is not None:
        conditions.append(events.c.type.in_(page.types))
    if page.start is not None:
        conditions.append(events.c.created_at >= page.start)
    if page.end is not None:
        conditions.append(events.c.created_at <= page.end)
    return conditions
