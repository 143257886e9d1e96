"""Vouchers as sent, stored and shown. Credits in minor units, times in UTC micros."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from largesse.campaigns.model import CardInput, RedemptionLimit
from largesse.categories.model import CategoryAnswer
from largesse.engine.books import Voucher
from largesse.engine.discounts import Discount
from largesse.engine.points import Wallet
from largesse.engine.validity import Hours, Timeframe, Weekday
from largesse.kernel.benefits import GiftInput, Validity
from largesse.kernel.database.unit import Unit
from largesse.kernel.wire import Instant
from largesse.validation_rules.model import AssignmentList

DISCOUNT_VOUCHER = "DISCOUNT_VOUCHER"
GIFT_VOUCHER = "GIFT_VOUCHER"
LOYALTY_CARD = "LOYALTY_CARD"
VoucherType = Literal["DISCOUNT_VOUCHER", "GIFT_VOUCHER", "LOYALTY_CARD"]
Code = Annotated[str, Meta(min_length=1, max_length=255)]


Forget = Callable[[Unit, Sequence[str]], None]  # lets go of what is kept elsewhere of the vouchers with these ids


class VoucherCreate(Validity, kw_only=True):
    """`campaign` may be an id as well; with one, what is not said comes from the campaign."""

    code: str | None = None
    code_config: dict[str, Any] | None = None
    type: VoucherType | None = None
    discount: dict[str, Any] | None = None
    gift: GiftInput | None = None
    loyalty_card: CardInput | None = None
    campaign: str | None = None
    campaign_id: str | None = None
    category: str | None = None
    category_id: str | None = None
    active: bool | None = None
    additional_info: str | None = None
    metadata: dict[str, Any] | None = None
    validation_rules: list[str] | None = None
    redemption: RedemptionLimit | None = None


class CampaignVoucher(msgspec.Struct, kw_only=True):
    """What a request may say of codes that it adds to a campaign; the rest is the campaign's (documented)."""

    category: str | None = None
    category_id: str | None = None
    metadata: dict[str, Any] | None = None
    redemption: RedemptionLimit | None = None
    additional_info: str | None = None
    start_date: Instant | None = None
    expiration_date: Instant | None = None
    code_config: dict[str, Any] | None = None


class VoucherUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """PUT: absent stays, null clears, what cannot change is skipped in silence (documented)."""

    category: str | None | UnsetType = UNSET
    category_id: str | None | UnsetType = UNSET
    start_date: Instant | None | UnsetType = UNSET
    expiration_date: Instant | None | UnsetType = UNSET
    validity_timeframe: Timeframe | None | UnsetType = UNSET
    validity_day_of_week: list[Weekday] | None | UnsetType = UNSET
    validity_hours: Hours | None | UnsetType = UNSET
    active: bool | UnsetType = UNSET
    additional_info: str | None | UnsetType = UNSET
    metadata: dict[str, Any] | None | UnsetType = UNSET
    discount: dict[str, Any] | None | UnsetType = UNSET
    unset_metadata_fields: list[str] | None = None


class BalanceChange(msgspec.Struct, frozen=True):
    """`amount` in credits, negative to remove."""

    amount: Any = None
    source_id: str | None = None
    reason: str | None = None


class StoredVoucher(msgspec.Struct, kw_only=True):
    """A voucher with all the answer needs; `entry` is what decisions read and change."""

    entry: Voucher
    additional_info: str | None
    created_at: int
    updated_at: int | None
    publish_count: int
    referrer_id: str | None
    qr_id: str
    barcode_id: str
    locked_until: int = 0  # no session holds anything of it after that
    wallet: Wallet | None = None  # of a card that has a holder, where somebody opened it …
    today: date = date.min  # … and the local day as of which it is shown


class PointsChange(msgspec.Struct, frozen=True, kw_only=True):
    """By how much the totals of a card move, in points, and what its next day is by the calendar then."""

    voucher_id: str
    credited: int
    subtracted: int
    redeemed: int
    expired: int
    pending: int
    due_on: str | None


class CreditTransaction(msgspec.Struct, frozen=True, kw_only=True):
    """One movement of a gift card's credit or of a loyalty card's points."""

    id: str
    voucher_id: str
    campaign_id: str | None = None
    source_id: str | None = None
    source: str | None = None
    reason: str | None = None
    type: str
    details: dict[str, Any]
    related_transaction_id: str | None = None
    created_at: int


class PointsMoved(msgspec.Struct, frozen=True):
    """A transaction of points with the card as it left it: what its event is about.

    `day` is the local day of the change; what the calendar brings may be of one before today.
    """

    stored: StoredVoucher
    transaction: CreditTransaction
    day: date


class VoucherCounters(msgspec.Struct, frozen=True):
    """`balance` is None where the voucher holds no credit, `points` where it is no card or has no holder yet."""

    id: str
    redeemed_quantity: int
    balance: int | None
    points: int | None
    pending: int


class GiftAnswer(msgspec.Struct, kw_only=True, omit_defaults=True):
    amount: int
    subtracted_amount: int = 0
    balance: int
    effect: str | None = None


class LoyaltyCardAnswer(msgspec.Struct, kw_only=True, omit_defaults=True):
    """`points` counts all that was ever credited; what is 0 or never comes is left out (documented)."""

    points: int
    balance: int
    next_expiration_date: str | UnsetType = UNSET
    next_expiration_points: int | UnsetType = UNSET
    pending_points: int = 0
    expired_points: int = 0
    subtracted_points: int = 0


class Asset(msgspec.Struct):
    id: str
    url: str


class Assets(msgspec.Struct):
    qr: Asset
    barcode: Asset


class Publish(msgspec.Struct, kw_only=True):
    object: str = "list"
    count: int
    url: str


class RedemptionSummary(msgspec.Struct, kw_only=True):
    quantity: int | None
    redeemed_quantity: int
    redeemed_amount: int | UnsetType = UNSET
    redeemed_points: int | UnsetType = UNSET
    object: str = "list"
    url: str


class VoucherAnswer(msgspec.Struct, kw_only=True):
    """The full object; what is unset is an explicit null (documented)."""

    id: str
    code: str
    campaign: str | None
    campaign_id: str | None
    category: str | None
    category_id: str | None
    categories: list[CategoryAnswer]
    type: str
    discount: Discount | None
    gift: GiftAnswer | None
    loyalty_card: LoyaltyCardAnswer | None = None
    start_date: str | None
    expiration_date: str | None
    validity_timeframe: Timeframe | None
    validity_day_of_week: list[int] | None
    validity_hours: Hours | None
    active: bool
    additional_info: str | None
    metadata: dict[str, Any]
    assets: Assets
    is_referral_code: bool
    created_at: str
    updated_at: str | None
    holder_id: str | None | UnsetType = UNSET  # of a card that nobody has: null (observed)
    referrer_id: str | UnsetType = UNSET
    validation_rules_assignments: AssignmentList | UnsetType = UNSET
    publish: Publish
    redemption: RedemptionSummary
    object: str = "voucher"


class SlimVoucher(msgspec.Struct, kw_only=True):
    """A voucher inside lists and records of history."""

    id: str
    code: str
    campaign: str | None
    campaign_id: str | None
    object: str = "voucher"


class VoucherList(msgspec.Struct, kw_only=True):
    object: str = "list"
    data_ref: str = "vouchers"
    vouchers: list[VoucherAnswer]
    total: int


class BalanceAnswer(msgspec.Struct, kw_only=True):
    amount: int
    total: int
    balance: int
    type: str = "gift_voucher"
    operation_type: str = "MANUAL"
    object: str = "balance"
    related_object: dict[str, str]


class TransactionAnswer(msgspec.Struct, kw_only=True):
    id: str
    source_id: str | None
    voucher_id: str
    campaign_id: str | None
    source: str | None
    reason: str | None
    type: str
    details: dict[str, Any]
    related_transaction_id: str | None = None
    created_at: str


class TransactionList(msgspec.Struct, kw_only=True):
    object: str = "list"
    data_ref: str = "data"
    data: list[TransactionAnswer]
    has_more: bool
    more_starting_after: str | UnsetType = UNSET
