"""Looking into the ledger, and trying an undo without doing it."""

from typing import Any

import msgspec

import largesse.vouchers.service as vouchers
import largesse.wallets.service as wallets
from largesse.audit.model import UNITS, AccountBalance, AccountsAnswer, Return, RollbackPreview
from largesse.kernel import clock, ledger
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import ApiError, not_found
from largesse.kernel.http.query import Query
from largesse.redemptions.rollback import Undo, rollback


def accounts(unit: Unit, key: str, query: Query) -> AccountsAnswer:
    """What stood in the accounts of a voucher (by code or id), tier, reward, bucket or budget at an instant, now by default.

    Sums postings, so it is right for any past instant. Raises ApiError 404 where neither voucher nor posting is known.
    """
    at = query.instant("at")
    at = unit.now if at is None else at + 999  # dates are shown in milliseconds: the whole of it counts
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
