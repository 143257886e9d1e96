"""What happened to a card, read from the event log."""

from collections.abc import Callable
from typing import Any

from msgspec import UNSET
from sqlalchemy import Select, Text, and_, cast, or_

import largesse.kernel.events as log
import largesse.publications.service as publications
from largesse.kernel import clock
from largesse.kernel.database.unit import Unit
from largesse.kernel.http.query import Query
from largesse.loyalties.cards.model import ActivityData, CardActivity, CardActivityList
from largesse.loyalties.cards.service import find

RecordsOf = Callable[
    [str, str], Select[Any]
]  # (project id, voucher id) → ids of what was recorded of a voucher elsewhere
# So spelled in the API's description: SDKs made from it accept no other names here, nor a `source` that is no text.
_SPELLED = {
    "customer.redemption.succeeded": "customer.redemption.succceeded",
    "customer.redemption.rollback.succeeded": "customer.redemption.rollback.succceeded",
}
_UNSEEN = "voucher.loyalty_card.transaction.created"  # it belongs to no customer's activity (documented)


def list_activity(unit: Unit, key: str, campaign: str | None, query: Query, records_of: RecordsOf) -> CardActivityList:
    """Newest first; pages by id. Raises ApiError 404 for program or voucher."""
    stored = find(unit, key, campaign)
    descending = (query.one_of("order", ("created_at", "-created_at")) or "-created_at") == "-created_at"
    limit = query.limit()
    after = query.starting_after_id()
    if stored.entry.holder_id is None:
        return CardActivityList(data=[], has_more=False)
    page = log.EventPage(customer_id=stored.entry.holder_id, after_id=after, descending=descending, limit=limit + 1)
    entity = log.events.c.entity_id
    # Tiers are the customer's, in a program: their events name it, and the index has narrowed them to the customer's.
    of_tiers = and_(
        log.events.c.type.startswith("customer.loyalty.tier."),
        cast(log.events.c.data, Text).contains(f'"{stored.entry.campaign_id}"'),
    )
    elsewhere = [of(unit.project_id, stored.entry.id) for of in (publications.ids_of_voucher, records_of)]
    mine = or_(entity == stored.entry.id, of_tiers, *(entity.in_(ids) for ids in elsewhere))
    found = log.of_customer(unit.conn, unit.project_id, page, [mine, log.events.c.type != _UNSEEN])
    shown = [_activity(event) for event in found[:limit]]
    more = len(found) > limit
    return CardActivityList(data=shown, has_more=more, more_starting_after=shown[-1].id if more else UNSET)


def _activity(event: log.StoredEvent) -> CardActivity:
    """Every event is shown as one of the customer's, whose ids begin with `evcus_` (documented)."""
    name = event.type if event.type.startswith("customer.") else f"customer.{event.type}"
    data = event.data or {event.type.partition(".")[0]: {"id": event.entity_id}}
    if isinstance(source := data.get("source"), dict):
        data = data | {"source": source.get("id")}
    return CardActivity(
        id=f"evcus_{event.id.partition('_')[2]}",
        type=_SPELLED.get(name, name),
        data=ActivityData(data, event.source),
        created_at=clock.iso(event.created_at),
        group_id=event.group_id,
    )
