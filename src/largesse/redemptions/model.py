"""Redemptions and rollbacks: the requests as sent, the records as stored. Amounts in minor units, times in UTC micros."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from largesse.customers.model import CustomerInput
from largesse.engine.order import Order, OrderInput
from largesse.engine.sessions import Session
from largesse.engine.tallies import Kind, Redeemed

RedeemableKind = Literal["voucher", "promotion_tier", "promotion_stack"]
Expand = Literal["order", "redemption", "redeemable", "category"]
MAX_REDEEMABLES = 30
AUTO_REDEEM = "AUTO_REDEEM"  # the channel of what programs redeem by themselves
_ORDER_ONLY = frozenset({"order"})
Name = Annotated[str, Meta(min_length=1)]


class GiftInput(msgspec.Struct, frozen=True):
    """Credits asked of a gift card; None = as many as the order takes."""

    credits: Annotated[int, Meta(ge=0, le=10**15)] | None = None


class RewardInput(msgspec.Struct, frozen=True):
    """What is asked of a loyalty card; `points` to pay with, None = as many as the order takes."""

    id: str | None = None
    points: Annotated[int, Meta(ge=0, le=10**15)] | None = None


class RedeemableInput(msgspec.Struct, frozen=True):
    """One code, card, tier or stack the caller wants to use; `id` is a code or an internal id."""

    object: RedeemableKind
    id: Name
    gift: GiftInput | None = None
    reward: RewardInput | None = None


class Options(msgspec.Struct, frozen=True):
    """`explain` makes refusals say which conditions of rules failed: an addition to the API, which answers as ever without it."""

    expand: list[Expand] | None = None
    explain: bool | None = None


class StackableRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a validation and of a redemption."""

    redeemables: Annotated[list[RedeemableInput], Meta(min_length=1, max_length=MAX_REDEEMABLES)]
    order: OrderInput | None = None
    customer: CustomerInput | None = None
    tracking_id: str | None = None
    metadata: dict[str, Any] | None = None
    session: Session | None = None
    options: Options | None = None


def explains(request: StackableRequest) -> bool:
    return bool(request.options and request.options.explain)


def explained(request: StackableRequest) -> StackableRequest:
    """The same request, asking for explanations too."""
    options = msgspec.structs.replace(request.options or Options(), explain=True)
    return msgspec.structs.replace(request, options=options)


def names_customer(request: StackableRequest) -> bool:
    """Whether a request says who redeems; a loyalty card without that is redeemed by its holder."""
    sent = request.customer or (request.order.customer if request.order else None)
    return sent is not None or request.tracking_id is not None


def expanded(request: StackableRequest) -> frozenset[str]:
    """What the answer is to show of each redeemable: its order, unless something else is asked for (documented)."""
    asked = request.options.expand if request.options else None
    return frozenset(asked) if asked else _ORDER_ONLY


class OrderReference(msgspec.Struct, frozen=True):
    id: str | None = None
    source_id: str | None = None


class RollbackInput(msgspec.Struct, frozen=True, kw_only=True):
    """The optional body of a rollback."""

    reason: Annotated[str, Meta(max_length=1000)] | None = None
    tracking_id: str | None = None
    customer: CustomerInput | None = None
    order: OrderReference | None = None
    metadata: dict[str, Any] | None = None


class GrantedReward(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The reward that a redemption gave, as it was then. `id` is that of the reward redemption events tell of.

    `shown` are its members in answers, less the customer. `voucher_ids` were handed out with it or credited with `credited`, in
    minor units or points; None for codes.
    """

    id: str
    reward_id: str
    assignment_id: str
    type: str
    shown: dict[str, Any]
    voucher_ids: tuple[str, ...] = ()
    credited: int | None = None


class Record(msgspec.Struct, kw_only=True):
    """One row of history: a redemption (single, parent or child) or a rollback, succeeded or failed.

    `order` is the order as this record left it. `parent_id` is set on children, `source_id` (the undone redemption) on rollbacks.
    """

    id: str
    object: Literal["redemption", "redemption_rollback"]
    date: int
    result: Literal["SUCCESS", "FAILURE"]
    status: Literal["SUCCEEDED", "FAILED", "ROLLED_BACK"]
    customer_id: str | None = None
    tracking_id: str | None = None
    metadata: dict[str, Any] | None = None
    amount: int | None = None  # credits or points: positive when redeemed, negative when rolled back
    parent_id: str | None = None
    source_id: str | None = None
    reason: str | None = None
    session_key: str | None = None
    failure_code: str | None = None
    failure_message: str | None = None
    order_id: str | None = None
    order: Order | None = None
    channel_id: str | None = None
    channel_type: str = "API"
    related_object_type: str = "voucher"
    related_object_id: str | None = None
    related_object_parent_id: str | None = None
    voucher_id: str | None = None
    voucher_code: str | None = None
    campaign: str | None = None
    campaign_id: str | None = None
    promotion_tier_id: str | None = None
    order_amount: int | None = None  # before discounts
    discount_amount: int | None = None  # what this record took off the order; negative when rolled back
    rollback_id: str | None = None
    rollback_date: int | None = None
    rollback_order_mode: str | None = None
    reward: GrantedReward | None = None  # of a loyalty card; the amount is in points then

    @property
    def is_parent(self) -> bool:
        """True for the record that stands for a whole stack."""
        return self.related_object_type == "redemption" and self.result == "SUCCESS"


def redeemed_by(record: Record) -> Redeemed:
    """What the record of a redemption counts for."""
    tier_id, voucher_id = record.promotion_tier_id, record.voucher_id
    kind: Kind = "promotion_tier" if tier_id else "voucher"
    return Redeemed(
        kind, tier_id or voucher_id or "", record.campaign_id, record.customer_id, record.channel_id, record.date
    )
