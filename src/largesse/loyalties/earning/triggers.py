"""What happened that may earn points: events of this transaction, read as earning rules know them."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import msgspec

from largesse.custom_events.model import CustomEvent
from largesse.engine.order import Order
from largesse.kernel import clock, wire
from largesse.kernel.database.reactions import News
from largesse.kernel.database.unit import Unit
from largesse.kernel.events import Event
from largesse.loyalties.earning.model import ORDER_PAID, SEGMENT_ENTERED, TIER_EVENTS
from largesse.loyalties.tiers.model import TierChange

_PAID = "customer.order.paid"
_CUSTOM = "customer.custom_event"
_CONCERNING = frozenset({_PAID, _CUSTOM, SEGMENT_ENTERED, *TIER_EVENTS})


class PaidOrder(Protocol):
    """What the event of a paid order is about."""

    @property
    def order(self) -> Order: ...


class Trigger(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a customer did or reached.

    `name` is the event as rules name it, `subject_id` what it is about. A rule rewards one `cause_id` at most once. `details` are
    what a transaction tells of it.
    """

    unit: Unit
    event: Event
    customer_id: str
    name: str
    cause_id: str
    subject_id: str | None = None
    order: Order | None = None
    metadata: Mapping[str, Any] | None = None
    code: str | None = None
    details: dict[str, Any] = {}


def triggers(news: News) -> list[Trigger]:
    """Those of the events that can earn, in the order in which they happened."""
    return list(_triggers(news))


def _triggers(news: News) -> Iterable[Trigger]:
    for unit, event in news:
        if event.type not in _CONCERNING or event.customer_id is None:
            continue
        if event.type != _CUSTOM or event.about.feeds_programs:
            yield _READERS.get(event.type, _of_tier)(unit, event, event.customer_id)


def _of_order(unit: Unit, event: Event, customer_id: str) -> Trigger:
    about: PaidOrder = event.about
    order = about.order
    return Trigger(
        unit=unit,
        event=event,
        customer_id=customer_id,
        name=ORDER_PAID,
        cause_id=order.id or event.id,
        order=order,
        details={"order": {"id": order.id, "source_id": order.source_id}},
    )


def _of_custom_event(unit: Unit, event: Event, customer_id: str) -> Trigger:
    about: CustomEvent = event.about
    return Trigger(
        unit=unit,
        event=event,
        customer_id=customer_id,
        name=about.name,
        cause_id=about.id,
        subject_id=about.schema_id,
        metadata=about.metadata,
        code=about.loyalty_code,
        details={
            "custom_event": {"id": about.id, "type": about.name},
            "event_schema": {"id": about.schema_id, "name": about.name},
        },
    )


def _of_segment(unit: Unit, event: Event, customer_id: str) -> Trigger:
    """One request brings a customer into a segment once, however often points drive them out and in again (our decision)."""
    segment = wire.decoder(dict[str, Any]).decode(event.data).get("segment") or {}
    return Trigger(
        unit=unit,
        event=event,
        customer_id=customer_id,
        name=SEGMENT_ENTERED,
        cause_id=f"{event.call.request_id}:{customer_id}:{event.about}",
        subject_id=event.about,
        details={"segment": {"id": event.about, "name": segment.get("name")}},
    )


def _of_tier(unit: Unit, event: Event, customer_id: str) -> Trigger:
    """One request rewards a customer for a tier once on each day, so that rewards cannot feed themselves (our decision)."""
    about: TierChange = event.about
    return Trigger(
        unit=unit,
        event=event,
        customer_id=customer_id,
        name=event.type,
        cause_id=f"{event.call.request_id}:{about.voucher_id}:{about.day}:{about.tier_id}",
        subject_id=about.tier_id,
    )


_READERS = {_PAID: _of_order, _CUSTOM: _of_custom_event, SEGMENT_ENTERED: _of_segment}


def described(event: Event) -> dict[str, Any]:
    """An event as points that wait tell of it."""
    source = {"channel": "CLIENT_API" if event.call.is_client else "API"}
    return {
        "id": event.id,
        "type": event.type,
        "group_id": event.call.request_id,
        "entity_id": event.customer_id,
        "created_at": clock.iso(event.call.now),
        "category": "EFFECT",
        "event_source": source,
    }
