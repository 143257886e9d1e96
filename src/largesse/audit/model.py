"""Answers to auditors. Instants are ISO 8601 in UTC, amounts in the unit named beside them."""

from typing import Any, Literal

import msgspec

from largesse.kernel import ledger

UNITS = {
    ledger.VOUCHER_USES: "redemptions",
    ledger.GIFT_CREDITS: "credits",
    ledger.POINTS: "points",
    ledger.TIER_USES: "redemptions",
    ledger.TIER_ORDERS: "minor units",
    ledger.TIER_DISCOUNTS: "minor units",
    ledger.REWARD_USES: "redemptions",
    ledger.REWARD_STOCK: "pieces",
    ledger.DISCOUNTED_UNITS: "units",
}


class AccountBalance(msgspec.Struct, frozen=True, kw_only=True):
    """The sum of an account's postings up to an instant. `subject_id` is a bucket's where points are counted."""

    account: str
    subject_id: str
    unit: str
    balance: int
    postings: int
    last_posting_at: str


class AccountsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the ledger keeps of one object; `code` where it is a voucher."""

    id: str
    code: str | None
    at: str
    accounts: list[AccountBalance]
    object: Literal["accounts"] = "accounts"


class Return(msgspec.Struct, frozen=True, kw_only=True):
    """How one account would change: uses fall, credits, points and pieces rise."""

    account: str
    subject_id: str
    unit: str
    amount: int


class RollbackPreview(msgspec.Struct, frozen=True, kw_only=True):
    """What a rollback of a redemption would do now, had it been asked for; `error` says why it would be refused."""

    redemption_id: str
    possible: bool
    returns: list[Return]
    order: dict[str, Any] | None
    error: dict[str, Any] | None
    object: Literal["rollback_preview"] = "rollback_preview"
