"""Changes of cards as sent, and what they answer. Points are whole numbers; days are local days of the project."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from largesse.categories.model import CategoryAnswer
from largesse.engine.validity import Hours
from largesse.kernel.benefits import MAX_CREDITS
from largesse.vouchers.model import Assets, LoyaltyCardAnswer, Publish, RedemptionSummary

Points = Annotated[int, Meta(ge=1, le=MAX_CREDITS)]
Text = Annotated[str, Meta(max_length=10_000)]


class PointsChange(msgspec.Struct, frozen=True, kw_only=True):
    """`points` are signed; what expires when is said for added points only."""

    points: int | None = None
    expiration_type: Literal["PROGRAM_RULES", "CUSTOM_DATE", "NON_EXPIRING"] | None = None
    expiration_date: str | None = None
    reason: Text | None = None
    source_id: Text | None = None


class PointsBalance(msgspec.Struct, kw_only=True):
    """`total` is what was not spent: balance and redeemed points together (documented)."""

    points: int
    total: int
    balance: int
    type: str = "loyalty_card"
    object: str = "balance"
    related_object: dict[str, str]
    operation_type: str = "MANUAL"


class TransferItem(msgspec.Struct, frozen=True, kw_only=True):
    """Points that come from the card `code`."""

    code: Annotated[str, Meta(min_length=1)]
    points: Points
    reason: Text | None = None
    source_id: Text | None = None


Transfers = Annotated[list[TransferItem], Meta(min_length=1, max_length=100)]


class TransferAnswer(msgspec.Struct, kw_only=True):
    """The card that got points: a voucher but for three members that the official SDKs accept in no other form (documented)."""

    id: str
    code: str
    campaign: str | None
    campaign_id: str | None
    category: str | None
    category_id: str | None
    categories: list[CategoryAnswer]
    type: str
    loyalty_card: LoyaltyCardAnswer | None
    start_date: str | None
    expiration_date: str | None
    validity_timeframe: dict[str, Any]
    validity_day_of_week: list[int]
    validity_hours: Hours | None
    publish: Publish
    redemption: RedemptionSummary
    active: str
    additional_info: str | None
    metadata: dict[str, Any]
    assets: Assets
    is_referral_code: bool
    holder_id: str | None | UnsetType
    created_at: str
    updated_at: str | None
    object: str = "voucher"


class PendingChange(msgspec.Struct, frozen=True):
    """`points` are signed."""

    points: int | None = None


class PendingBalance(msgspec.Struct, kw_only=True):
    """`total` counts all points that wait on the card."""

    points: int
    total: int
    object: str = "balance"
    related_object: dict[str, str]
    operation_type: str = "MANUAL"


class PendingAnswer(msgspec.Struct, kw_only=True):
    id: str
    voucher_id: str
    campaign_id: str | None
    customer_id: str | None
    order_id: str | None
    points: int
    activates_at: str
    details: dict[str, Any]
    created_at: str
    updated_at: str | UnsetType = UNSET


class PendingList(msgspec.Struct, kw_only=True):
    object: str = "list"
    data_ref: str = "data"
    data: list[PendingAnswer]
    has_more: bool
    more_starting_after: str | UnsetType = UNSET


class BucketPoints(msgspec.Struct):
    total_points: int


class BucketAnswer(msgspec.Struct, kw_only=True):
    """`expires_at` is the last day on which the points can be used, absent where they never expire (documented)."""

    id: str
    voucher_id: str
    campaign_id: str | None
    bucket: BucketPoints
    status: str = "ACTIVE"
    expires_at: str | UnsetType = UNSET
    created_at: str
    updated_at: str | UnsetType = UNSET
    object: str = "loyalty_points_bucket"


class BucketList(msgspec.Struct, kw_only=True):
    object: str = "list"
    data_ref: str = "data"
    data: list[BucketAnswer]
    total: int


class ActivityData(msgspec.Struct):
    data: dict[str, Any]
    event_source: dict[str, Any]


class CardActivity(msgspec.Struct, kw_only=True):
    id: str
    type: str
    data: ActivityData
    created_at: str
    group_id: str


class CardActivityList(msgspec.Struct, kw_only=True):
    object: str = "list"
    data_ref: str = "data"
    data: list[CardActivity]
    has_more: bool
    more_starting_after: str | UnsetType = UNSET
