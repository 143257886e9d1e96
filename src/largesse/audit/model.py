"""Answers to auditors. Instants are ISO 8601 in UTC, amounts in the unit named beside them."""

from typing import Any, Literal

import msgspec

from largesse.engine.explanation import Explanation
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


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why a redeemable was refused or skipped; `rules` name the conditions that did not hold, with what they wanted and found."""

    key: str
    message: str | None
    rules: list[Explanation]


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """What one redeemable took off one line of the order, counted from 0; minor units, and units made free or cheaper."""

    line: int
    product_id: str | None
    sku_id: str | None
    discount_amount: int
    discount_quantity: int | None


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """What a voucher had left after the request: uses (None without limit), and credits or points of a card."""

    uses: int | None
    balance: int | None


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one redeemable. `discount_amount` is all it took off the order, `shares` the part that went to lines."""

    object: str
    id: str
    status: str
    redemption_id: str | None
    discount_amount: int
    shares: list[Share]
    amount: int | None  # credits or points it cost
    left: Left | None
    reason: Reason | None


class ExplanationAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Why a request to redeem was decided so, its redeemables in the order in which they were judged."""

    redemption_id: str
    date: str
    result: str
    redeemables: list[Explained]
    object: Literal["explanation"] = "explanation"
