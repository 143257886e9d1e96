"""What a customer did, read from the event log; and forgetting a customer."""

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import UNSET
from sqlalchemy import Select, Text, cast, not_, or_
from sqlalchemy.sql.elements import ColumnElement

import largesse.kernel.events as log
from largesse.customers import service
from largesse.customers.model import Activity, ActivityList, DeletionAnswer
from largesse.kernel import clock, ids, wire
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import not_found
from largesse.kernel.http.filters import earlier, later
from largesse.kernel.http.query import Query

# (project id, campaign id, type of campaigns) → ids of the redemptions and rollbacks of that campaign, or of those of the type.
RecordsOfCampaigns = Callable[[str, str | None, str | None], Select[Any]]
# The contract lists more names than an activity has; those are accepted and mean its time (documented oddity).
_ORDERS = [
    sign + name
    for name in ("created_at", "id", "updated_at", "type", "code", "campaign", "category")
    for sign in ("", "-")
]
_CAMPAIGN_TYPES = ("PROMOTION", "GIFT_VOUCHERS", "REFERRAL_PROGRAM", "DISCOUNT_COUPONS", "LOYALTY_PROGRAM")
# An action is what the customer or shop did, an effect what followed from it (our decision on an unpublished split).
_ACTIONS = ("customer.created", "customer.updated", "customer.confirmed", "customer.deleted", "customer.referred")
_ACTION_PREFIXES = (
    "customer.custom_event",
    "customer.publication.",
    "customer.validation.",
    "customer.redemption.",
    "customer.order.",
)


def list_activity(unit: Unit, key: str, query: Query, records_of_campaigns: RecordsOfCampaigns) -> ActivityList:
    """Newest first; pages by id. Raises ApiError 404 for an unknown customer."""
    customer = service.by_key(unit, key)
    if customer is None:
        raise not_found("customer", key)
    descending = (query.one_of("order", _ORDERS) or "-created_at").startswith("-")
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
    conditions = _conditions(unit, query, records_of_campaigns, descending=descending)
    found = log.of_customer(unit.conn, unit.project_id, page, conditions)
    total = log.count_of_customer(unit.conn, unit.project_id, page, conditions)
    shown = [_activity(event) for event in found[:limit]]
    more = len(found) > limit
    return ActivityList(
        data=shown, total=total, has_more=more, more_starting_after=found[limit - 1].id if more else UNSET
    )


def _stored_types(wanted: str) -> list[str]:
    """One row stands for `redemption.x` and `customer.redemption.x`."""
    return [wanted, wanted.removeprefix("customer.")]


def _customer_type(type: str) -> str:
    return type if type.startswith("customer.") else f"customer.{type}"


def _conditions(
    unit: Unit, query: Query, records_of_campaigns: RecordsOfCampaigns, *, descending: bool
) -> list[ColumnElement[bool]]:
    """Of a campaign or of a type of campaigns is what names one in its data, and what was recorded of its codes and tiers."""
    columns = log.events.c
    conditions: list[ColumnElement[bool]] = []
    if category := query.one_of("category", ("ACTION", "EFFECT")):
        stored = [type for name in _ACTIONS for type in _stored_types(name)]
        begins = [columns.type.startswith(type) for name in _ACTION_PREFIXES for type in _stored_types(name)]
        acts = or_(columns.type.in_(stored), *begins)
        conditions.append(acts if category == "ACTION" else not_(acts))
    if (start := query.instant("starting_after")) is not None:
        conditions.append(earlier(columns.created_at, start) if descending else later(columns.created_at, start))
    data = cast(columns.data, Text)
    campaign_id, kind = query.text("campaign_id"), query.one_of("campaign_type", _CAMPAIGN_TYPES)
    for name, value in (("id", campaign_id), ("campaign_type", kind)):
        if value is not None:
            named = data.contains(f'"{name}":{wire.encode_text(value)}', autoescape=True)
            chosen = (value, None) if name == "id" else (None, value)
            conditions.append(or_(named, columns.entity_id.in_(records_of_campaigns(unit.project_id, *chosen))))
    if product_id := query.text("product_id"):
        conditions.append(data.contains(wire.encode_text(product_id), autoescape=True))
    return conditions


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
    if customer is None or not service.lock(unit.conn, unit.project_id, [customer.id]):  # first, as everybody does
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
