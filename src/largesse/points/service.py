"""Posting points. Whoever changes what a card holds does it here.

`lock(unit, keys)` locks the holders of cards, then the cards, opens their wallets and writes what the calendar has brought
meanwhile. On the `Cards` it answers every change is made in memory, and `save()` writes them all set-wise:

- handing over (publications): `begin` turns the initial points into a bucket once the card has its holder;
- earning rules: `accrue`, `await_points` for rules with pending points;
- rewards and paying with points: `spend` and `refund`; points as a reward: `credit`, `remove`;
- adjustments and transfers by hand: `credit`, `remove`, `transfer`;
- pending points: `activate`, `adjust`, `cancel`; of canceled orders: `cancel_pending_of_orders`.

The worker settles what falls due by `CALENDAR`. What must happen between the activation of points and the expiry of others on one
midnight (redeeming rewards by itself) is told to `hooks.after_activation`; all else follows the event
`voucher.loyalty_card.transaction.created`, which tells of every change of a balance, `about` the card.

A room that has locked and loaded vouchers itself (redemptions) makes `Cards` of them; their holders must be locked as well. Every
change posts to the ledger (account `points`, one subject per bucket, so the split of a spend is its postings), adds a
transaction, records its events and keeps the card's own totals. `Cards.expiry` says when points earned today will expire.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
from sqlalchemy.engine import Connection

import largesse.customers.service as customers
import largesse.vouchers.service as vouchers
import largesse.wallets.service as wallets
from largesse.kernel import clock
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import ApiError, invalid, multiple_requests
from largesse.kernel.jobs.model import Chore
from largesse.points.cards import Cards
from largesse.vouchers.model import StoredVoucher

__all__ = ["Cards", "begin", "cancel_pending_of_orders", "lock", "points_exceeded", "settle_due"]


def lock(unit: Unit, keys: Collection[str]) -> tuple[Cards, dict[str, StoredVoucher]]:
    """The cards under these keys (codes or ids), locked after their holders and settled; other keys are left out.

    Answers them ready for changes, and each voucher found under its key, whatever it is. Raises ApiError `multiple_requests` where
    one of them is being handed over at this moment.
    """
    glimpsed = vouchers.load(unit.conn, unit.project, keys, lock=False)
    holders = {stored.entry.holder_id for stored in glimpsed.values() if stored.entry.holder_id}
    locked = customers.lock(unit.conn, unit.project_id, holders)
    found = vouchers.load(unit.conn, unit.project, keys, lock=True)
    if any(stored.entry.holder_id and stored.entry.holder_id not in locked for stored in found.values()):
        raise multiple_requests()  # a holder came between the two looks
    cards = Cards(unit.conn, unit.project, {v.entry.id: v for v in found.values()}.values(), unit.now, locked)
    cards.settle(unit)
    return cards, found


def begin(unit: Unit, given: Iterable[StoredVoucher]) -> None:
    """Makes the initial points of cards spendable that have just got their holders, whose rows are locked.

    Vouchers of other kinds are left out, and so are cards that had a holder before.
    """
    cards = Cards(unit.conn, unit.project, given, unit.now)
    for stored in cards:
        cards.begin(stored)
    cards.save()


def settle_due(unit: Unit, most: int) -> int:
    """Settles at most so many cards on which something has fallen due; answers how many.

    Those whose holders somebody has in hand are left for later: whoever changes a card settles it first.
    """
    due = dict(vouchers.due_cards(unit.conn, unit.project_id, unit.project.day(unit.now), most))
    if not due:
        return 0
    locked = customers.lock(unit.conn, unit.project_id, {id for id in due.values() if id}, skip_locked=True)
    free = [id for id, holder in due.items() if holder in locked]
    found = vouchers.load(unit.conn, unit.project, free, lock=True)
    cards = Cards(unit.conn, unit.project, found.values(), unit.now, locked)
    cards.settle(unit)
    cards.save()
    return len(free)


def projects_with_due_cards(conn: Connection, now: int) -> list[str]:
    """The projects that may have cards on which something has fallen due, in whatever zone they live."""
    latest = datetime.fromtimestamp(now // clock.SECOND, UTC) + timedelta(hours=14)
    return vouchers.projects_with_due_cards(conn, latest.date())


CALENDAR = Chore(name="POINTS.CALENDAR", due=projects_with_due_cards, step=settle_due)


def cancel_pending_of_orders(units: Sequence[tuple[Unit, str]]) -> None:
    """Cancels the points that canceled orders (unit, order id) had earned and that still wait (our decision); active ones stay."""
    by_order = {order_id: unit for unit, order_id in units}
    if not by_order:
        return
    first = units[0][0]
    waiting = wallets.pending_of_orders(first.conn, first.project_id, by_order.keys())
    if not waiting:
        return
    cards, found = lock(first, {entry.voucher_id for entry in waiting})
    for entry in waiting:
        stored = found.get(entry.voucher_id)
        held = cards.waiting(stored, entry.id) if stored else None
        if stored is not None and held is not None:
            cards.cancel(by_order[entry.order_id or ""], stored, held)
    cards.save()


def points_exceeded(stored: StoredVoucher) -> ApiError:
    """400 `loyalty_card_points_exceeded`: the card holds fewer points than are to be taken."""
    refusal = invalid("loyalty_card_points_exceeded", "loyalty card points exceeded", stored.entry.code).refusal
    return ApiError(msgspec.structs.replace(refusal, resource_id=stored.entry.id, resource_type="voucher"))
