"""Points that wait: showing them, and deciding by hand what becomes of them."""

from msgspec import UNSET

import largesse.campaigns.service as campaigns
import largesse.wallets.service as wallets
from largesse.kernel import clock
from largesse.kernel.benefits import MAX_CREDITS
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import ApiError, invalid, not_found
from largesse.kernel.http.query import Query
from largesse.loyalties.cards.model import PendingAnswer, PendingBalance, PendingChange, PendingList, PointsBalance
from largesse.loyalties.cards.service import balance, find, lock
from largesse.loyalties.lookups import existing_program
from largesse.points.cards import Cards
from largesse.vouchers.model import StoredVoucher
from largesse.wallets.model import StoredPending


def list_of_program(unit: Unit, campaign: str, query: Query) -> PendingList:
    """Raises ApiError 404."""
    return _page(unit, ("campaign_id", existing_program(unit, campaign).id), query)


def list_of_card(unit: Unit, key: str, campaign: str | None, query: Query) -> PendingList:
    """Raises ApiError 404 for program or voucher."""
    return _page(unit, ("voucher_id", find(unit, key, campaign).entry.id), query)


def _page(unit: Unit, owner: tuple[str, str], query: Query) -> PendingList:
    """Newest first; pages by id. What has fallen due waits no longer, whether or not that was written yet."""
    limit = query.limit()
    found = wallets.page_of_pending(
        unit.conn,
        unit.project_id,
        owner,
        unit.project.day(unit.now),
        after=query.starting_after_id(),
        descending=(query.one_of("order", ("id", "-id")) or "-id") == "-id",
        limit=limit + 1,
    )
    shown = [_answer(entry) for entry in found[:limit]]
    more = len(found) > limit
    return PendingList(data=shown, has_more=more, more_starting_after=shown[-1].id if more else UNSET)


def activate(unit: Unit, key: str, pending_id: str) -> PointsBalance:
    """Makes waiting points usable today. Raises ApiError 404, 400 `invalid_pending_points_state`."""
    cards, stored, entry = _waiting(unit, key, pending_id, "activated")
    cards.activate(unit, stored, entry)
    cards.save()
    return balance(stored, entry.points)


def adjust(unit: Unit, key: str, pending_id: str, sent: PendingChange) -> PendingBalance:
    """Changes waiting points by a signed number. Raises ApiError 404, 400 `invalid_amount`, `invalid_pending_points_state`."""
    cards, stored, entry = _waiting(unit, key, pending_id, "updated")
    change = sent.points or 0
    if change == 0 or not 1 <= entry.points + change <= MAX_CREDITS:
        raise invalid("invalid_amount", "Invalid amount", "Amount has to be a valid positive number")
    cards.adjust(unit, stored, entry, change)
    cards.save()
    if stored.entry.campaign_id is not None:
        campaigns.tally_pending(unit, stored.entry.campaign_id, change)
    return PendingBalance(
        points=change,
        total=stored.entry.pending_amount,
        related_object={"type": "voucher", "id": stored.entry.id},
    )


def cancel(unit: Unit, key: str, pending_id: str) -> None:
    """Drops waiting points. Raises ApiError 404, 400 `invalid_pending_points_state`."""
    cards, stored, entry = _waiting(unit, key, pending_id, "canceled")
    cards.cancel(unit, stored, entry)
    cards.save()


def _waiting(unit: Unit, key: str, pending_id: str, doing: str) -> tuple[Cards, StoredVoucher, StoredPending]:
    cards, stored = lock(unit, key, None)
    entry = cards.waiting(stored, pending_id)
    if entry is None:
        raise _not_waiting(unit, stored, pending_id, doing)
    return cards, stored, entry


def _not_waiting(unit: Unit, stored: StoredVoucher, pending_id: str, doing: str) -> ApiError:
    known = wallets.pending_by_id(unit.conn, unit.project_id, pending_id)
    if known is None or known.voucher_id != stored.entry.id:
        return not_found("pending_points", pending_id)
    # One that waits in the store and not on the card has fallen due just now.
    status = "ACTIVATED" if known.status == "PENDING" else known.status
    details = f"Only pending points in 'PENDING' status can be {doing}. Current status: '{status}'."
    return invalid("invalid_pending_points_state", "Invalid pending points state", details)


def _answer(entry: StoredPending) -> PendingAnswer:
    return PendingAnswer(
        id=entry.id,
        voucher_id=entry.voucher_id,
        campaign_id=entry.campaign_id,
        customer_id=entry.customer_id,
        order_id=entry.order_id,
        points=entry.points,
        activates_at=entry.activates_on.isoformat(),
        details=entry.details,
        created_at=clock.iso(entry.created_at),
        updated_at=clock.iso(entry.updated_at) if entry.updated_at is not None else UNSET,
    )
