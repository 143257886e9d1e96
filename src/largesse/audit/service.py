"""Looking into the ledger, and trying an undo without doing it."""

from typing import Any

import msgspec

import largesse.redemptions.service as redemptions
import largesse.vouchers.service as vouchers
import largesse.wallets.service as wallets
from largesse.audit.model import (
    UNITS,
    AccountBalance,
    AccountsAnswer,
    Explained,
    ExplanationAnswer,
    Left,
    Reason,
    Return,
    RollbackPreview,
    Share,
)
from largesse.engine.order import Line
from largesse.kernel import clock, ledger
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import ApiError, not_found
from largesse.kernel.http.query import Query
from largesse.redemptions.decisions import StoredOutcome
from largesse.redemptions.model import Record
from largesse.redemptions.rollback import Undo, rollback


def accounts(unit: Unit, key: str, query: Query) -> AccountsAnswer:
    """What stood in the accounts of a voucher (by code or id), tier, reward, bucket or budget at an instant, now by default.

    Sums postings, so it is right for any past instant. Raises ApiError 404 where neither voucher nor posting is known.
    """
    at = query.instant("at")
    at = unit.now if at is None else at - at % 1000 + 999  # dates are shown in milliseconds: the whole of it counts
    voucher = vouchers.load(unit.conn, unit.project, [key], lock=False, binned=True).get(key)
    subjects = [voucher.entry.id if voucher else key]
    if voucher is not None and voucher.entry.type == "LOYALTY_CARD":
        subjects += wallets.changed_at(unit.conn, unit.project_id, voucher.entry.id)
    found = ledger.balances_at(unit.conn, unit.project_id, subjects, at)
    if not found and voucher is None and not ledger.balances_at(unit.conn, unit.project_id, subjects, unit.now):
        raise not_found("account", key)
    return AccountsAnswer(
        id=subjects[0],
        code=voucher.entry.code if voucher else None,
        at=clock.iso(at),
        accounts=[
            AccountBalance(
                account=one.account,
                subject_id=one.subject_id,
                unit=UNITS[one.account],
                balance=one.balance,
                postings=one.postings,
                last_posting_at=clock.iso(one.last_at),
            )
            for one in found
        ],
    )


def explanation(unit: Unit, redemption_id: str) -> ExplanationAnswer:
    """The stored decision. Raises ApiError 404 for an unknown redemption, or one whose decision is not kept any more."""
    records, outcomes = redemptions.decided(unit, redemption_id)
    root, children = records[0], iter(records[1:] or records[:1])
    explained = [
        _explained(outcome, next(children) if outcome.status == "APPLICABLE" else None) for outcome in outcomes
    ]
    return ExplanationAnswer(
        redemption_id=root.id, date=clock.iso(root.date), result=root.result, redeemables=explained
    )


def _explained(outcome: StoredOutcome, record: Record | None) -> Explained:
    """`record` is the redemption of one that was applied; in a request that failed nothing was granted."""
    granted = record if record is not None and record.result == "SUCCESS" else None
    order = granted.order if granted else None
    reason = None
    if outcome.key is not None:
        reason = Reason(key=outcome.key, message=outcome.message, rules=outcome.rules or [])
    return Explained(
        object=outcome.object,
        id=outcome.id,
        status=outcome.status,
        redemption_id=granted.id if granted else None,
        discount_amount=order.total_applied_discount_amount if order else 0,
        shares=[_share(place, line) for place, line in enumerate(order.lines or ()) if line.applied_discount_amount]
        if order
        else [],
        amount=granted.amount if granted else None,
        left=Left(uses=outcome.uses_left, balance=outcome.balance) if outcome.object == "voucher" else None,
        reason=reason,
    )


def _share(place: int, line: Line) -> Share:
    return Share(
        line=place,
        product_id=line.product_id,
        sku_id=line.sku_id,
        discount_amount=line.applied_discount_amount,
        discount_quantity=line.applied_discount_quantity,
    )


class Tried(Exception):
    """Ends the transaction of an undo that was only tried: everything it did is undone with it."""

    def __init__(self, preview: RollbackPreview) -> None:
        super().__init__("an undo was only tried")
        self.preview = preview


def try_rollback(unit: Unit, undo: Undo) -> None:
    """Rolls a redemption back for real, notes what that did, and raises `Tried`. Raises ApiError where there is nothing to undo."""
    answered = rollback(unit.conn, [(unit, undo)])[0]
    if isinstance(answered, ApiError):
        if answered.refusal.code == 404:
            raise answered
        raise Tried(_refused(undo, answered))
    if isinstance(answered, Exception):
        raise answered
    raise Tried(_possible(unit, undo, msgspec.json.decode(answered)))


def _refused(undo: Undo, error: ApiError) -> RollbackPreview:
    refusal = error.refusal
    shown = {"code": refusal.code, "key": refusal.key, "message": refusal.message, "details": refusal.details}
    return RollbackPreview(redemption_id=undo.redemption_id, possible=False, returns=[], order=None, error=shown)


def _possible(unit: Unit, undo: Undo, answer: dict[str, Any]) -> RollbackPreview:
    made = [one["id"] for one in answer["rollbacks"]]
    caused = ledger.caused_by(unit.conn, unit.project_id, made)
    returns = [
        Return(
            account=posting.account,
            subject_id=posting.subject_id,
            unit=UNITS[posting.account],
            amount=posting.amount,
        )
        for id in made
        for posting in caused.get(id, [])
    ]
    order = answer.get("order")
    return RollbackPreview(redemption_id=undo.redemption_id, possible=True, returns=returns, order=order, error=None)
