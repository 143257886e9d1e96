"""Undoing rewards: points return to their buckets, pieces to the stock and, if the project says so, what was handed out too.

By default (KEEP) what was handed out stays as it is. Under REVOKE an unused code is switched off, and credit or points are taken
back; what has been used already refuses the whole rollback (our decisions).
"""

from collections.abc import Container, Sequence

from largesse.customers.model import StoredCustomer
from largesse.kernel import ledger
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import ApiError, invalid, not_found
from largesse.redemptions.books import Books
from largesse.redemptions.model import Record
from largesse.redemptions.rewarding import move_credit, tell_undone
from largesse.vouchers.model import DISCOUNT_VOUCHER, GIFT_VOUCHER, StoredVoucher

KEEP = "KEEP"
OF_REWARDS = (ledger.POINTS, ledger.REWARD_USES, ledger.REWARD_STOCK)  # the accounts that are given back here


def check_card(books: Books, child: Record, usable: Container[str]) -> None:
    """Raises ApiError 404 where the card is deleted, be it in the bin (documented), or nobody holds it any more.

    Its points have nowhere to return to. `usable` are the ids of the cards at hand that are not deleted.
    """
    stored = books.voucher(child.voucher_id or "")
    if stored is None or stored.entry.id not in usable:
        raise not_found("voucher", child.voucher_code or "")
    if books.cards.of(stored) is None:
        raise not_found("customer", child.customer_id or "")


def used_already(books: Books, rewarded: Sequence[Record], returned: Sequence[ledger.Posting]) -> ApiError | None:
    """400 `reward_already_used` where a reward that is to be taken back was used; `returned` are the postings undone with it."""
    owed: dict[str, int] = {}
    for child in rewarded:
        for stored in _handed_out(books, child):
            if stored.entry.type == DISCOUNT_VOUCHER and stored.entry.redeemed_quantity:
                return _already_used(stored)
            if child.reward is not None and child.reward.credited is not None:
                owed[stored.entry.id] = owed.get(stored.entry.id, 0) + child.reward.credited
    for posting in returned:
        if posting.account == ledger.GIFT_CREDITS and posting.subject_id in owed:
            owed[posting.subject_id] += posting.amount
    for voucher_id, amount in owed.items():
        stored_card = books.voucher(voucher_id)
        if stored_card is not None and stored_card.entry.balance < amount:
            return _already_used(stored_card)
    return None


def _handed_out(books: Books, child: Record) -> list[StoredVoucher]:
    """What a redemption handed out or credited; what was deleted since is left out."""
    ids = child.reward.voucher_ids if child.reward else ()
    return [stored for id in ids if (stored := books.voucher(id)) is not None]


def _already_used(stored: StoredVoucher) -> ApiError:
    details = f"The reward {stored.entry.code} has been used; undo that first."
    return invalid("reward_already_used", "Reward already used", details)


def undo_reward(
    books: Books,
    unit: Unit,
    child: Record,
    record: Record,
    postings: Sequence[ledger.Posting],
    customer: StoredCustomer | None,
) -> None:
    """Gives back what a redemption took from its card and from the stock; takes back what it gave where the project says so."""
    stored = books.voucher(child.voucher_id or "")
    cards = books.cards.of(stored) if stored is not None else None
    assert stored is not None  # `check_card`
    assert cards is not None
    assert child.reward is not None
    told = {"reward": {"id": child.reward.reward_id, "name": child.reward.shown.get("name")}}
    if record.order is not None and record.order.id:
        told["order"] = {"id": record.order.id, "source_id": record.order.source_id}
    points = [posting for posting in postings if posting.account == ledger.POINTS]
    if points:
        cards.refund(unit, stored, points, child.date, child.id, record.id, about=told)
    _return_pieces(books, unit, child.reward.reward_id, child.reward.type, postings, record)
    if unit.project.settings.reward_rollback_mode != KEEP:
        _take_back(books, unit, child, record, told)
    tell_undone(unit, child, record, stored, customer)


def _return_pieces(
    books: Books, unit: Unit, reward_id: str, kind: str, postings: Sequence[ledger.Posting], record: Record
) -> None:
    """Fewer redemptions; as many pieces more where there is a stock by now, whether or not there was one then (documented)."""
    by_account = {posting.account: posting for posting in postings}
    uses, taken = by_account[ledger.REWARD_USES], by_account.get(ledger.REWARD_STOCK)
    pieces = uses.amount
    books.post(ledger.Entry(uses.account, reward_id, -pieces, "rollback", record.id, unit.now, uses.id))
    if kind == "MATERIAL" and reward_id in books.stocks:
        negates = taken.id if taken is not None else None
        books.post(ledger.Entry(ledger.REWARD_STOCK, reward_id, pieces, "rollback", record.id, unit.now, negates))


def _take_back(books: Books, unit: Unit, child: Record, record: Record, told: dict[str, dict[str, str | None]]) -> None:
    """Under REVOKE: codes are switched off, credit and points taken off the cards that got them."""
    assert child.reward is not None
    details = {"redemption": {"id": child.id}, "rollback": {"id": record.id}, **told}
    for stored in _handed_out(books, child):
        if child.reward.credited is None:
            books.switch_off(stored)
            unit.record(
                "voucher.disabled", stored.entry.id, {"voucher": {"id": stored.entry.id, "code": stored.entry.code}}
            )
        elif stored.entry.type == GIFT_VOUCHER:
            move_credit(books, unit, stored, -child.reward.credited, details)
        else:
            cards = books.cards.of(stored)
            if cards is not None:
                cards.remove(unit, stored, child.reward.credited, about=details)
