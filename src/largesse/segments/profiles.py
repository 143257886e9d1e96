"""What filters see of customers, loaded set-wise and only as far as any of the filters at hand looks."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy.engine import Connection

import largesse.custom_events.service as custom_events
import largesse.customers.service as customers
from largesse.customers.model import StoredCustomer
from largesse.engine.rules.facts import When
from largesse.engine.segments import Filter
from largesse.kernel import clock
from largesse.kernel.project import Project


class Extras(msgspec.Struct, frozen=True):
    """What profiles have beside the customer's row, by customer id."""

    events: Mapping[str, Mapping[str, Any]] = {}


def extras_of(conn: Connection, project: Project, filters: Collection[Filter], customer_ids: Collection[str]) -> Extras:
    """What the filters look at of these customers; no query where they do not."""
    names = {name for one in filters for name in one.events}
    events: dict[str, dict[str, Any]] = {}
    for (customer_id, name), found in custom_events.occurrences(conn, project.id, customer_ids, names).items():
        seen = {"count": found.count, "last_date": clock.iso(found.last_at)}
        events.setdefault(customer_id, {})[name] = seen
    return Extras(events)


def profile_of(customer: StoredCustomer, extras: Extras) -> dict[str, Any]:
    """A profile as `engine.segments.fields` describes it."""
    shown: dict[str, Any] = msgspec.to_builtins(customers.answer(customer))
    return shown | {"events": extras.events.get(customer.id, {})}


def profiles(
    conn: Connection, project: Project, filters: Collection[Filter], found: Sequence[StoredCustomer]
) -> dict[str, dict[str, Any]]:
    """The profiles of these customers by id."""
    extras = extras_of(conn, project, filters, [one.id for one in found])
    return {one.id: profile_of(one, extras) for one in found}


def moment(project: Project, now: int) -> When:
    return When(now=now, zone=project.zone)
