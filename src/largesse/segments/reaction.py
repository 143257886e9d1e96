"""What segments do about what others did: only customers that something happened to, only by filters that look at it."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from largesse.customers.model import StoredCustomer
from largesse.customers.service import HeldBy
from largesse.kernel import definitions
from largesse.kernel.database.reactions import News, Reaction
from largesse.kernel.events import Event
from largesse.segments.membership import settle, watched
from largesse.segments.model import Touched
from largesse.vouchers.model import PointsMoved, StoredVoucher

_PROFILE = ("name", "description", "email", "phone", "birthdate", "birthday", "updated_at")
_EVERYTHING = "*"
_CHANGES: Mapping[str, frozenset[str]] = {
    "customer.created": frozenset({_EVERYTHING}),
    "customer.order.": frozenset({"orders"}),
    "redemption.failed": frozenset({"redemptions"}),
    "redemption.rollback.failed": frozenset({"redemptions"}),
    "redemption.": frozenset({"redemptions", "orders", "wallet"}),
    "customer.rewarded": frozenset({"wallet"}),
    "customer.voucher.": frozenset({"wallet"}),
    "customer.loyalty.updated": frozenset({"wallet", "tiers"}),
    "customer.loyalty.tier.": frozenset({"tiers"}),
    "customer.publication.": frozenset({"wallet"}),
    "customer.holder.": frozenset({"wallet"}),
    "voucher.": frozenset({"wallet"}),
    "customer.referred": frozenset({"referrals"}),
}
_FAMILIES = tuple(_CHANGES)
_CONCERNING = (*_FAMILIES, "customer.updated", "customer.custom_event")


def make_reaction(held_by: HeldBy) -> Reaction:
    """The reaction that notes who enters and who leaves which segment, and records it."""

    def on_news(news: News) -> None:
        touched = _touched(news)
        if not touched:
            return
        unit = next(iter(touched.values())).unit
        found = watched(unit.conn, definitions.current(unit))
        if not found:
            return
        concerned = {
            customer_id: mine
            for customer_id, one in touched.items()
            if (mine := [judged for judged in found if _concerns(judged[1].reads, one.changes)])
        }
        if concerned:
            settle({customer_id: touched[customer_id].unit for customer_id in concerned}, concerned, held_by)

    return on_news


def _concerns(reads: frozenset[str], changes: set[str]) -> bool:
    return _EVERYTHING in changes or not reads.isdisjoint(changes)


def _touched(news: News) -> dict[str, Touched]:
    """The customers that the events are about, with what may have changed of each; the unit is that of the last event."""
    found: dict[str, Touched] = {}
    for unit, event in news:
        customer_id = event.customer_id or _holder(event)
        if customer_id is None or not event.type.startswith(_CONCERNING):
            continue
        one = found.setdefault(customer_id, Touched(unit, set()))
        one.unit = unit
        one.changes.update(_changes(event))
    return found


def _holder(event: Event) -> str | None:
    """Whose card an event is about, where it is about one."""
    stored = event.about.stored if isinstance(event.about, PointsMoved) else event.about
    return stored.entry.holder_id if isinstance(stored, StoredVoucher) else None


def _changes(event: Event) -> Iterable[str]:
    if event.type == "customer.updated":
        return _changed(event.before, event.about)
    if event.type == "customer.custom_event":
        return (f"events.{name_of(event)}",)
    return _of_family(event.type)


@cache
def _of_family(type: str) -> frozenset[str]:
    return next(changes for family, changes in _CHANGES.items() if type.startswith(family))


def name_of(event: Event) -> str:
    """The name of the custom event that was stored."""
    return str(event.about.name)


def _changed(before: Any, after: Any) -> set[str]:
    """The members of a profile that differ; everything where it is not known what it was."""
    if not isinstance(before, StoredCustomer) or not isinstance(after, StoredCustomer):
        return {_EVERYTHING}
    found = {name for name in _PROFILE if getattr(before, name) != getattr(after, name)}
    return (
        found
        | _differing("address", before.address, after.address)
        | _differing("metadata", before.metadata, after.metadata)
    )


def _differing(member: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> set[str]:
    """The keys under which two objects differ; a nested key is one with the key it stands under."""
    old, new = before or {}, after or {}
    return {f"{member}.{key}" for key in old.keys() | new.keys() if old.get(key) != new.get(key)}
