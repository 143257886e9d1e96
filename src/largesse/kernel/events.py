"""The event log: what changed, written in the transaction that changed it.

Webhooks are delivered from it and activity is shown from it. Events of redemptions and rollbacks refer to the stored record instead
of copying it; all others carry a snapshot. A `redemption.*` event that names a customer is that customer's `customer.redemption.*`
event too: one row, two readings.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Column, Index, PrimaryKeyConstraint, Table, Text
from sqlalchemy.engine import Connection

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
_FAMILIES = {"redemption": "evred_", "customer": "evcus_", "voucher": "evvou_", "campaign": "evcam_", "publication": "evpub_"}


class Event(msgspec.Struct, frozen=True):
    """`type` is the wire name (`voucher.created`); `data` the JSON of its payload's keys."""

    id: str
    type: str
    entity_id: str
    customer_id: str | None
    call: Call
    data: str


def new_event(call: Call, type: str, entity_id: str, data: dict[str, Any], customer_id: str | None) -> Event:
    prefix = _FAMILIES.get(type.partition(".")[0], "evoth_")
    return Event(ids.hex_id(prefix), type, entity_id, customer_id, call, wire.encode_text(data) if data else "{}")


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
    channel = "CLIENT_API" if call.is_client else "API"
    return wire.encode_text({"channel": channel, "api_key": {"name": call.caller.key_name, "app_id": call.caller.key_id}})
