"""Rewards and their assignments to programs, as sent, stored and shown. Amounts in minor units, times in microseconds UTC."""

from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from largesse.engine.rewards import Parameters

RewardType = Literal["CAMPAIGN", "COIN", "MATERIAL"]
Name = Annotated[str, Meta(min_length=1, max_length=1000)]
Stock = Annotated[int, Meta(ge=0, le=10**12)]
Points = Annotated[int, Meta(ge=1, le=10**12)]
MOST_AT_ONCE = 100  # rewards assigned by one request; our decision


# As sent


class CampaignInput(msgspec.Struct, frozen=True):
    """`balance` in minor units for gift cards, in points for loyalty cards; coupons have none."""

    id: str | None = None
    balance: Any = None


class CoinInput(msgspec.Struct, frozen=True):
    """Numbers, also as texts: some clients write them so (documented)."""

    exchange_ratio: Decimal | None = None
    points_ratio: Decimal | None = None


class ProductInput(msgspec.Struct, frozen=True):
    id: str | None = None
    sku_id: str | None = None


class ParametersInput(msgspec.Struct, frozen=True):
    campaign: CampaignInput | None = None
    coin: CoinInput | None = None
    product: ProductInput | None = None


class Attributes(msgspec.Struct, frozen=True, omit_defaults=True):
    image_url: Annotated[str, Meta(max_length=2000)] | None = None
    description: Annotated[str, Meta(max_length=10_000)] | None = None


class RewardCreate(msgspec.Struct, frozen=True, kw_only=True):
    """`type` is implied by the parameters where it is not said."""

    name: Name | None = None
    type: RewardType | None = None
    parameters: ParametersInput | None = None
    stock: Stock | None = None
    attributes: Attributes | None = None
    metadata: dict[str, Any] | None = None


class RewardUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """PUT: absent stays. `stock` null lifts the limit; the type cannot change and is skipped in silence (documented)."""

    name: Name | None = None
    parameters: ParametersInput | None = None
    stock: Stock | None | UnsetType = UNSET
    attributes: Attributes | None | UnsetType = UNSET
    metadata: dict[str, Any] | None | UnsetType = UNSET


class Price(msgspec.Struct, frozen=True, omit_defaults=True):
    points: Points | None = None
    auto_redeem: bool | None = None


class PriceParameters(msgspec.Struct, frozen=True):
    loyalty: Price | None = None


class AssignmentCreate(msgspec.Struct, frozen=True, kw_only=True):
    """A reward offered in a campaign, named by id or name; what pays with points has rules instead of a price."""

    campaign: str | None = None
    parameters: PriceParameters | None = None
    validation_rules: Annotated[list[str], Meta(max_length=30)] | None = None


class AssignmentItem(msgspec.Struct, frozen=True, kw_only=True):
    """One of several rewards that a program is given at once."""

    reward: str | None = None
    parameters: PriceParameters | None = None
    validation_rules: Annotated[list[str], Meta(max_length=30)] | None = None


class AssignmentUpdate(msgspec.Struct, frozen=True, kw_only=True):
    parameters: PriceParameters | None = None


# As stored


class StoredReward(msgspec.Struct, kw_only=True):
    """A reward without its counters: stock and redemptions are kept by the ledger."""

    id: str
    name: str
    type: str
    parameters: Parameters
    attributes: Attributes | None = None
    metadata: dict[str, Any] = {}
    created_at: int
    updated_at: int | None = None


class StoredAssignment(msgspec.Struct, kw_only=True):
    """`points` is None where the reward pays with points and has no price of its own."""

    id: str
    reward_id: str
    related_object_id: str
    related_object_type: str = "campaign"
    points: int | None = None
    auto_redeem: bool = False
    created_at: int
    updated_at: int | None = None


# As shown


class RewardAnswer(msgspec.Struct, kw_only=True):
    """`stock` null: without limit; `redeemed` null: never yet (documented)."""

    id: str
    name: str
    stock: int | None
    redeemed: int | None
    attributes: Attributes | UnsetType = UNSET
    metadata: dict[str, Any]
    type: str
    parameters: Parameters
    created_at: str
    updated_at: str | None
    object: Literal["reward"] = "reward"


class RewardList(msgspec.Struct, kw_only=True):
    object: str = "list"
    data_ref: str = "data"
    data: list[RewardAnswer]
    total: int


class AssignmentAnswer(msgspec.Struct, kw_only=True):
    id: str
    reward_id: str
    related_object_id: str
    related_object_type: str
    parameters: PriceParameters | UnsetType = UNSET
    created_at: str
    updated_at: str | None
    object: Literal["reward_assignment"] = "reward_assignment"


class AssignmentList(msgspec.Struct, kw_only=True):
    object: str = "list"
    data_ref: str = "data"
    data: list[AssignmentAnswer]
    total: int


class Offered(msgspec.Struct, kw_only=True):
    """A reward that a program offers, at its base price: to a card's holder, or to all of a tier (`loyalty_tier_reward`)."""

    reward: RewardAnswer
    assignment: AssignmentAnswer
    object: Literal["loyalty_reward", "loyalty_tier_reward"] = "loyalty_reward"


class OfferedList(msgspec.Struct, kw_only=True):
    object: str = "list"
    data_ref: str = "data"
    data: list[Offered]
    total: int
