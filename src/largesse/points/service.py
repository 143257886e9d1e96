"""Posting points. Whoever changes what a card holds does it here.

`lock(unit, keys)` locks the holders of cards, then the cards, opens their wallets and writes what the calendar has brought
meanwhile. On the `Cards` it answers every change is made in memory, and `save()` writes them all set-wise:

- joining (programs): `begin` turns the initial points into a bucket once the card has its holder;
- earning rules: `credit(…, "POINTS_ACCRUAL")`, `await_points` for rules with pending points;
- rewards and paying with points: `spend` and `refund`; points as a reward: `credit(…, "POINTS_ADDITION")`, `remove`;
- adjustments and transfers by hand: `credit`, `remove`, `transfer`;
- pending points: `activate`, `adjust`, `cancel`; of canceled orders: `cancel_pending_of_orders`.

A room that has locked and loaded vouchers itself (redemptions) makes `Cards` of them; their holders must be locked as well. Every
change posts to the ledger (account `points`, one subject per bucket, so the split of a spend is its postings), adds a
transaction, records its events and keeps the card's own totals. `Cards.expiry` says when points earned today will expire.
"""

from collections.abc import Collection, Sequence

import msgspec

import largesse.customers.service as customers
import largesse.vouchers.service as vouchers
import largesse.wallets.service as wallets
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import ApiError, invalid
from largesse.points.cards import Cards
from largesse.vouchers.model import StoredVoucher

__all__ = ["Cards", "cancel_pending_of_orders", "lock", "points_exceeded"]


def lock(unit: Unit, keys: Collection[str]) -> tuple[Cards, dict[str, StoredVoucher]]:
    """The cards under these keys (codes or ids), locked after their holders and settled; other keys are left out.

    Answers them ready for changes, and each voucher found under its key, whatever it is.
    """
    glimpsed = vouchers.load(unit.conn, unit.project, keys, lock=False)
    holders = {stored.entry.holder_id for stored in glimpsed.values() if stored.entry.holder_id}
    locked = customers.lock(unit.conn, unit.project_id, holders)
    found = vouchers.load(unit.conn, unit.project, keys, lock=True)
    cards = Cards(unit.conn, unit.project, {v.entry.id: v for v in found.values()}.values(), unit.now, locked)
    cards.settle(unit)
    return cards, found


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
