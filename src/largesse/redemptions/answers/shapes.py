"""The wire forms of validations, redemptions and rollbacks: members in their order, absent where they do not concern it."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from largesse.categories.model import CategoryAnswer
from largesse.customers.model import SimpleCustomer
from largesse.engine.benefits import Bundle
from largesse.orders.model import OrderAnswer
from largesse.promotions.model import TierAnswer
from largesse.vouchers.model import SlimVoucher, VoucherAnswer

V = TypeVar("V")


class Channel(msgspec.Struct, frozen=True):
    channel_id: str | None
    channel_type: str


class Gift(msgspec.Struct, frozen=True):
    """`amount` in credits: positive when redeemed, negative when rolled back."""

    amount: int


class Points(msgspec.Struct, frozen=True):
    """Points of a loyalty card: positive when redeemed, negative when rolled back."""

    points: int


class CardPoints(Points, frozen=True, omit_defaults=True):
    """What a qualification tells of a card: `points` for the reward asked for, else all it ever had, and its balance.

    The ratios are those of paying with points.
    """

    balance: int = 0
    exchange_ratio: Decimal | None = None
    points_ratio: int | None = None


class SessionKey(msgspec.Struct, frozen=True):
    key: str
    type: str = "LOCK"


class Related(msgspec.Struct, frozen=True):
    id: str
    date: str


class RelatedRedemptions(msgspec.Struct, frozen=True):
    rollbacks: list[Related] | UnsetType = UNSET
    redemptions: list[Related] | UnsetType = UNSET


class RedemptionAnswer(msgspec.Struct, Generic[V], kw_only=True):
    """A redemption or a rollback. Members that do not concern it are absent; the voucher is whole, or slim when read back."""

    id: str
    object: str
    date: str
    customer_id: str | None
    tracking_id: str | None
    metadata: dict[str, Any] | None
    amount: int | UnsetType = UNSET
    redemption: str | UnsetType = UNSET
    reason: str | UnsetType = UNSET
    result: str
    status: str
    session: SessionKey | UnsetType = UNSET
    failure_code: str | UnsetType = UNSET
    failure_message: str | UnsetType = UNSET
    related_redemptions: RelatedRedemptions | UnsetType = UNSET
    rollback_order_mode: str | UnsetType = UNSET
    order: OrderAnswer | None = None
    channel: Channel | UnsetType = UNSET
    customer: SimpleCustomer | None = None
    related_object_type: str | UnsetType = UNSET
    related_object_id: str | UnsetType = UNSET
    related_object_parent_id: str | UnsetType = UNSET
    voucher: V | None | UnsetType = UNSET
    promotion_tier: TierAnswer | UnsetType = UNSET
    gift: Gift | UnsetType = UNSET
    reward: dict[str, Any] | UnsetType = UNSET
    loyalty_card: Points | UnsetType = UNSET


Redeemed = RedemptionAnswer[VoucherAnswer]
Historic = RedemptionAnswer[SlimVoucher]


class Result(msgspec.Struct, omit_defaults=True):
    """What one redeemable would do (`discount`, `gift`, `loyalty_card`), or why not (`error`, `details`); a `bundle` in both."""

    discount: Any = None
    bundle: Bundle | None = None
    gift: dict[str, int] | None = None
    loyalty_card: Points | None = None
    error: dict[str, Any] | None = None
    details: dict[str, str] | None = None


class ItemList(msgspec.Struct):
    """Entries of `applicable_to` or `inapplicable_to`, empty where no rule names products."""

    data: Sequence[dict[str, Any]]
    total: int
    data_ref: str = "data"
    object: str = "list"


class RedeemableAnswer(msgspec.Struct, kw_only=True):
    status: str
    id: str
    object: str
    order: OrderAnswer | UnsetType = UNSET
    applicable_to: ItemList | UnsetType = UNSET
    inapplicable_to: ItemList | UnsetType = UNSET
    result: Result
    metadata: dict[str, Any] | UnsetType = UNSET
    categories: list[CategoryAnswer] | UnsetType = UNSET
    campaign_name: str | None | UnsetType = UNSET
    campaign_id: str | None | UnsetType = UNSET
    name: str | UnsetType = UNSET


class SessionAnswer(msgspec.Struct):
    key: str | None
    type: str
    ttl: int
    ttl_unit: str


class ValidationAnswer(msgspec.Struct, kw_only=True):
    id: str
    valid: bool
    redeemables: list[RedeemableAnswer]
    skipped_redeemables: list[RedeemableAnswer] | UnsetType = UNSET
    inapplicable_redeemables: list[RedeemableAnswer] | UnsetType = UNSET
    order: OrderAnswer | UnsetType = UNSET
    tracking_id: str | None
    session: SessionAnswer | UnsetType = UNSET
    stacking_rules: dict[str, Any]


class RedeemAnswer(msgspec.Struct, kw_only=True):
    redemptions: list[Redeemed]
    parent_redemption: Redeemed | UnsetType = UNSET
    order: OrderAnswer | None
    inapplicable_redeemables: list[RedeemableAnswer]
    skipped_redeemables: list[RedeemableAnswer]


class RollbacksAnswer(msgspec.Struct, kw_only=True):
    rollbacks: list[Redeemed]
    parent_rollback: Redeemed | UnsetType = UNSET
    order: OrderAnswer | None


class RedemptionList(msgspec.Struct, kw_only=True):
    object: str = "list"
    data_ref: str = "redemptions"
    redemptions: list[Historic]
    total: int


class VoucherHistory(msgspec.Struct, kw_only=True):
    quantity: int | None
    redeemed_quantity: int
    redeemed_amount: int | UnsetType = UNSET
    redeemed_points: int | UnsetType = UNSET
    object: str = "list"
    url: str
    data_ref: str = "redemption_entries"
    total: int
    redemption_entries: list[Historic]
