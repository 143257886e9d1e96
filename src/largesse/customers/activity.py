"""What a customer did, read from the event log; and forgetting a customer."""

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import UNSET

import largesse.kernel.events as log
from largesse.customers import service
from largesse.customers.model import Activity, ActivityList, DeletionAnswer
from largesse.kernel import clock, ids
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import not_found
from largesse.kernel.http.query import Query

# An action is what the customer or shop did, an effect what followed from it (our decision on an unpublished split).
_ACTIONS = ("customer.created", "customer.updated", "customer.confirmed", "customer.deleted", "customer.referred")
_ACTION_PREFIXES = (
    "customer.custom_event",
    "customer.publication.",
    "customer.validation.",
    "customer.redemption.",
    "customer.order.",
)


def list_activity(unit: Unit, key: str, query: Query) -> ActivityList:
    """Newest first; pages by id. Raises ApiError 404 for an unknown customer."""
    customer = service.by_key(unit, key)
    if customer is None:
        raise not_found("customer", key)
    descending = (query.one_of("order", ("created_at", "-created_at", "id", "-id")) or "-created_at").startswith("-")
    limit = query.limit()
    wanted = query.text("type")
    page = log.EventPage(
        customer_id=customer.id,
        after_id=query.starting_after_id(),
        start=query.instant("start_date"),
        end=query.instant("end_date"),
        types=_stored_types(wanted) if wanted else None,
        descending=descending,
        limit=limit + 1,
    )
    category = query.one_of("category", ("ACTION", "EFFECT"))
    found = log.of_customer(unit.conn, unit.project_id, page)
    total = log.count_of_customer(unit.conn, unit.project_id, page)
    shown = [_activity(event) for event in found[:limit] if category in (None, _category(event.type))]
    more = len(found) > limit
    return ActivityList(
        data=shown, total=total, has_more=more, more_starting_after=found[limit - 1].id if more else UNSET
    )


def _stored_types(wanted: str) -> list[str]:
    """One row stands for `redemption.x` and `customer.redemption.x`."""
    return [wanted, wanted.removeprefix("customer.")]


def _customer_type(type: str) -> str:
    return type if type.startswith("customer.") else f"customer.{type}"


def _category(type: str) -> str:
    name = _customer_type(type)
    return "ACTION" if name in _ACTIONS or name.startswith(_ACTION_PREFIXES) else "EFFECT"


def _activity(event: log.StoredEvent) -> Activity:
    return Activity(
        id=event.id,
        type=_customer_type(event.type),
        data=event.data or {event.type.partition(".")[0]: {"id": event.entity_id}},
        created_at=clock.iso(event.created_at),
        group_id=event.group_id,
    )


def delete(
    unit: Unit, key: str, remove_orders: Callable[[Unit, str], int], forget_segments: Callable[[Unit, str], int]
) -> DeletionAnswer:
    """Removes the profile, its orders and its events; the ledger keeps the dangling id. Raises ApiError 404."""
    customer = service.by_key(unit, key)
    if customer is None:
        raise not_found("customer", key)
    events = log.remove_of_customer(unit.conn, unit.project_id, customer.id)
    orders = remove_orders(unit, customer.id)
    service.remove(unit, customer.id)
    segments = forget_segments(unit, customer.id)  # after the profile: whoever was judging it has committed by now
    gone: dict[str, Any] = {"customer": {"id": customer.id, "source_id": customer.source_id, "object": "customer"}}
    unit.record("customer.deleted", customer.id, gone)
    counts = {"events": events, "daily_events": 0, "segments": segments, "orders": orders, "customer": 1}
    return DeletionAnswer(
        id=ids.text_id("del_"),
        created_at=clock.iso(unit.now),
        related_object_id=customer.id,
        data_json=msgspec.to_builtins(counts | {"customer_events": events, "order_events": 0}),
    )
