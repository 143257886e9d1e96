"""Promotion tiers and stacks as sent, stored and shown. Times in microseconds UTC."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from largesse.categories.model import CategoryAnswer
from largesse.engine.discounts import Discount
from largesse.engine.validity import Hours, Timeframe, Weekday
from largesse.kernel.benefits import Validity
from largesse.kernel.wire import Instant
from largesse.validation_rules.model import AssignmentList

Name = Annotated[str, Meta(min_length=1, max_length=1000)]
Text = Annotated[str, Meta(max_length=10_000)]
Place = Annotated[int, Meta(ge=1, le=1_000_000)]
MAX_TIERS_OF_STACK = 30  # documented


class ActionInput(msgspec.Struct, frozen=True):
    discount: dict[str, Any] | None = None


class TierCreate(Validity, kw_only=True):
    """`hierarchy` counts from 1; without it a tier comes last."""

    name: Name
    banner: Text | None = None
    action: ActionInput | None = None
    metadata: dict[str, Any] | None = None
    hierarchy: Place | None = None
    active: bool | None = None
    category: str | None = None
    category_id: str | None = None
    validation_rules: list[str] | None = None


class TierUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """PUT: absent stays, null clears; `active` is changed by enabling and disabling only (documented)."""

    name: Name | None | UnsetType = UNSET
    banner: Text | None | UnsetType = UNSET
    action: ActionInput | None | UnsetType = UNSET
    metadata: dict[str, Any] | None | UnsetType = UNSET
    unset_metadata_fields: list[str] | None = None
    hierarchy: Place | None | UnsetType = UNSET
    start_date: Instant | None | UnsetType = UNSET
    expiration_date: Instant | None | UnsetType = UNSET
    validity_timeframe: Timeframe | None | UnsetType = UNSET
    validity_day_of_week: list[Weekday] | None | UnsetType = UNSET
    validity_hours: Hours | None | UnsetType = UNSET
    category: str | None | UnsetType = UNSET
    category_id: str | None | UnsetType = UNSET


class PromotionInput(msgspec.Struct, frozen=True):
    """The tiers that a new campaign begins with."""

    tiers: list[TierCreate] | None = None


class StoredTier(Validity, kw_only=True):
    id: str
    campaign_id: str
    name: str
    banner: str | None = None
    discount: Discount
    metadata: dict[str, Any] = {}
    hierarchy: int
    active: bool = True
    category_id: str | None = None
    created_at: int
    updated_at: int | None = None


class Action(msgspec.Struct):
    discount: Discount


class TierCampaign(msgspec.Struct, kw_only=True):
    """The campaign as its tiers show it: dates stand there as null, windows only where they are set (documented)."""

    id: str
    start_date: str | None
    expiration_date: str | None
    validity_timeframe: Timeframe | UnsetType = UNSET
    validity_day_of_week: list[int] | UnsetType = UNSET
    validity_hours: Hours | UnsetType = UNSET
    active: bool
    category_id: str | None | UnsetType = UNSET
    object: str = "campaign"


class TotalRedeemed(msgspec.Struct):
    total_redeemed: int = 0


class OrderTotals(msgspec.Struct):
    """In minor units."""

    total_amount: int = 0
    total_discount_amount: int = 0


class TierSummary(msgspec.Struct):
    redemptions: TotalRedeemed
    orders: OrderTotals


class TierAnswer(msgspec.Struct, kw_only=True):
    """`promotion_id` stands only where tiers are read (documented); what is unset is left out, but for `category_id`."""

    id: str
    created_at: str
    updated_at: str | UnsetType = UNSET
    name: str
    banner: str | UnsetType = UNSET
    action: Action
    metadata: dict[str, Any]
    hierarchy: int
    promotion_id: str | UnsetType = UNSET
    campaign: TierCampaign
    campaign_id: str
    active: bool
    start_date: str | UnsetType = UNSET
    expiration_date: str | UnsetType = UNSET
    validity_timeframe: Timeframe | UnsetType = UNSET
    validity_day_of_week: list[int] | UnsetType = UNSET
    validity_hours: Hours | UnsetType = UNSET
    summary: TierSummary
    validation_rule_assignments: AssignmentList | UnsetType = UNSET
    category_id: str | None
    categories: list[CategoryAnswer]
    object: str = "promotion_tier"


class TierList(msgspec.Struct, kw_only=True):
    object: str = "list"
    data_ref: str = "tiers"
    tiers: list[TierAnswer]
    total: int
    has_more: bool = False


class StackTiers(msgspec.Struct, kw_only=True):
    """Ids in order of application."""

    ids: Annotated[list[str], Meta(min_length=1, max_length=MAX_TIERS_OF_STACK)]
    hierarchy_mode: Literal["MANUAL"] = "MANUAL"


class StackCreate(msgspec.Struct, frozen=True, kw_only=True):
    name: Name
    tiers: StackTiers
    category: str | None = None
    category_id: str | None = None


class StackUpdate(msgspec.Struct, frozen=True, kw_only=True):
    name: Name | None | UnsetType = UNSET
    tiers: StackTiers | None | UnsetType = UNSET
    category: str | None | UnsetType = UNSET
    category_id: str | None | UnsetType = UNSET


class Offered(msgspec.Struct, frozen=True):
    """A tier or a stack as qualifications list them; `hierarchy` is 0 for a stack."""

    kind: Literal["promotion_tier", "promotion_stack"]
    id: str
    name: str
    campaign_id: str
    category_id: str | None
    created_at: int
    hierarchy: int


class StoredStack(msgspec.Struct, kw_only=True):
    id: str
    campaign_id: str
    name: str
    tier_ids: list[str]
    category_id: str | None = None
    created_at: int
    updated_at: int | None = None


class StackAnswer(msgspec.Struct, kw_only=True):
    id: str
    name: str
    created_at: str
    updated_at: str | UnsetType = UNSET
    campaign_id: str
    tiers: StackTiers
    category_id: str | None
    categories: list[CategoryAnswer]
    object: str = "promotion_stack"


class StackList(msgspec.Struct, kw_only=True):
    object: str = "list"
    data_ref: str = "data"
    data: list[StackAnswer]
    total: int
