"""Credit of gift cards: manual changes, and the transactions of every movement."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import UNSET
from sqlalchemy.sql.elements import ColumnElement

import largesse.campaigns.service as campaigns
from largesse.engine.order import Order
from largesse.kernel import ids, ledger
from largesse.kernel.benefits import MAX_CREDITS
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import ApiError, invalid
from largesse.kernel.http.filters import FilterColumn
from largesse.kernel.http.query import Query
from largesse.vouchers import store, tables
from largesse.vouchers.answers import transaction_answer
from largesse.vouchers.model import (
    GIFT_VOUCHER,
    BalanceAnswer,
    BalanceChange,
    CreditTransaction,
    StoredVoucher,
    TransactionList,
)


def change_balance(unit: Unit, stored: StoredVoucher, sent: BalanceChange) -> BalanceAnswer:
    """Adds credit, or removes it down to zero at most. Raises ApiError 400 `invalid_add_balance_params`, `gift_amount_exceeded`."""
    entry, amount = stored.entry, sent.amount
    if entry.type != GIFT_VOUCHER:
        raise _invalid("Only the balance of a gift card can be changed; this voucher holds none")
    if isinstance(amount, bool) or not isinstance(amount, int) or amount == 0 or abs(amount) > MAX_CREDITS:
        raise _invalid("Property .amount should be a whole number other than 0")
    if entry.gift_amount + amount > MAX_CREDITS:
        raise _invalid(f"The amount of a gift card cannot be higher than {MAX_CREDITS}")
    if entry.balance + amount < 0:
        raise invalid("gift_amount_exceeded", "gift amount exceeded", entry.code)
    added, subtracted = (amount, 0) if amount > 0 else (0, -amount)
    entry.gift_amount += added
    entry.subtracted_amount += subtracted
    kind = "CREDITS_ADDITION" if amount > 0 else "CREDITS_REMOVAL"
    transaction = _transaction(stored, kind, amount, {}, unit.now, operation="MANUAL")
    transaction = msgspec.structs.replace(transaction, source="API", source_id=sent.source_id, reason=sent.reason)
    store.add_credits(unit.conn, unit.project_id, [(entry.id, added, subtracted)], unit.now)
    store.insert_transactions(unit.conn, unit.project_id, [transaction])
    posting = ledger.Entry(ledger.GIFT_CREDITS, entry.id, amount, "adjustment", transaction.id, unit.now)
    ledger.post(unit.conn, unit.project_id, [posting])
    if entry.campaign_id is not None:
        campaigns.tally_credits(unit, entry.campaign_id, added, subtracted)
    answer = BalanceAnswer(
        amount=amount,
        total=entry.gift_amount - entry.subtracted_amount,
        balance=entry.balance,
        related_object={"type": "voucher", "id": entry.id},
    )
    data = {"balance": msgspec.to_builtins(answer), "transaction": transaction.id}
    unit.record("voucher.gift.balance_added", entry.id, data, customer_id=entry.holder_id)
    unit.record("voucher.gift.transaction.created", entry.id, {"transaction": transaction.id}, about=stored)
    return answer


def redemption_transaction(
    stored: StoredVoucher, credits: int, order: Order | None, *, redemption_id: str, now: int
) -> CreditTransaction:
    """`credits` > 0 were spent; the entry already shows the balance after it."""
    about = _about(order) | {"redemption": {"id": redemption_id}}
    return _transaction(stored, "CREDITS_REDEMPTION", -credits, about, now, operation="AUTOMATIC")


def refund_transaction(
    stored: StoredVoucher, credits: int, order: Order | None, *, redemption_id: str, rollback_id: str, now: int
) -> CreditTransaction:
    """`credits` > 0 came back; the entry already shows the balance after it."""
    about = _about(order) | {"redemption": {"id": redemption_id}, "rollback": {"id": rollback_id}}
    return _transaction(stored, "CREDITS_REFUND", credits, about, now, operation="AUTOMATIC")


def reward_transaction(stored: StoredVoucher, credits: int, about: Mapping[str, Any], now: int) -> CreditTransaction:
    """Credits (signed) that came as a reward, or went again with its undoing; the entry already shows the balance after it."""
    kind = "CREDITS_ADDITION" if credits > 0 else "CREDITS_REMOVAL"
    return _transaction(stored, kind, credits, dict(about), now, operation="AUTOMATIC")


_FILTERS = {
    "id": FilterColumn(tables.transactions.c.id, "text"),
    "voucher_id": FilterColumn(tables.transactions.c.voucher_id, "text"),
    "created_at": FilterColumn(tables.transactions.c.created_at, "instant"),
}


def list_transactions(unit: Unit, mine: ColumnElement[bool], query: Query) -> TransactionList:
    """Those that are `mine`, a voucher's or a campaign's: newest first, pages by id. Discount vouchers have none."""
    conditions = [mine, *query.filtered(_FILTERS, unit)]
    descending = (query.one_of("order", ("id", "-id")) or "-id") == "-id"
    limit = query.limit()
    found = store.page_of_transactions(
        unit.conn,
        unit.project_id,
        conditions,
        after=query.starting_after_id(),
        descending=descending,
        limit=limit + 1,
    )
    shown = [transaction_answer(transaction) for transaction in found[:limit]]
    more = len(found) > limit
    return TransactionList(data=shown, has_more=more, more_starting_after=shown[-1].id if more else UNSET)


def _about(order: Order | None) -> dict[str, Any]:
    return {"order": {"id": order.id, "source_id": order.source_id}} if order is not None and order.id else {}


def _transaction(
    stored: StoredVoucher, kind: str, amount: int, about: dict[str, Any], now: int, *, operation: str
) -> CreditTransaction:
    entry = stored.entry
    balance = {
        "type": "gift_voucher",
        "total": entry.gift_amount - entry.subtracted_amount,
        "object": "balance",
        "amount": amount,
        "balance": entry.balance,
        "operation_type": operation,
        "related_object": {"id": entry.id, "type": "voucher"},
    }
    return CreditTransaction(
        id=ids.hex_id("vtx_"),
        voucher_id=entry.id,
        campaign_id=entry.campaign_id,
        type=kind,
        details={"balance": balance} | about,
        created_at=now,
    )


def _invalid(details: str) -> ApiError:
    return invalid("invalid_add_balance_params", "Invalid add balance params", details)
