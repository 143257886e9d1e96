"""What filters see of customers, loaded set-wise and only as far as any of the filters at hand looks."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

import largesse.custom_events.service as custom_events
import largesse.customers.service as customers
from largesse.customers.model import Held, StoredCustomer
from largesse.customers.service import HeldBy
from largesse.engine.rules.facts import When
from largesse.engine.segments import Filter
from largesse.kernel import clock
from largesse.kernel.database.unit import Unit
from largesse.kernel.project import Project


class Extras(msgspec.Struct, frozen=True):
    """What profiles have beside the customer's row, by customer id."""

    events: Mapping[str, Mapping[str, Any]] = {}
    held: Mapping[str, Held] = {}


def extras_of(unit: Unit, filters: Collection[Filter], customer_ids: Collection[str], held_by: HeldBy) -> Extras:
    """What the filters look at of these customers; no query where they do not."""
    names = {name for one in filters for name in one.events}
    events: dict[str, dict[str, Any]] = {}
    for (customer_id, name), found in custom_events.occurrences(
        unit.conn, unit.project_id, customer_ids, names
    ).items():
        seen = {"count": found.count, "last_date": clock.iso(found.last_at)}
        events.setdefault(customer_id, {})[name] = seen
    return Extras(events, held_by(unit, customer_ids) if any(one.of_cards for one in filters) else {})


def profile_of(customer: StoredCustomer, extras: Extras) -> dict[str, Any]:
    """A profile as `engine.segments.fields` describes it."""
    held = extras.held.get(customer.id)
    shown: dict[str, Any] = msgspec.to_builtins(customers.answer(customer, held))
    return shown | {"events": extras.events.get(customer.id, {}), "tier_names": held.tier_names if held else {}}


def shown(profile: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a profile that clients see."""
    return {name: value for name, value in profile.items() if name not in ("events", "tier_names")}


def profiles(
    unit: Unit, filters: Collection[Filter], found: Sequence[StoredCustomer], held_by: HeldBy
) -> dict[str, dict[str, Any]]:
    """The profiles of these customers by id."""
    extras = extras_of(unit, filters, [one.id for one in found], held_by)
    return {one.id: profile_of(one, extras) for one in found}


def moment(project: Project, now: int) -> When:
    return When(now=now, zone=project.zone)
