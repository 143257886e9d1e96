"""Earning rules as sent, stored and shown. Amounts in minor units, times in microseconds UTC."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from largesse.engine.customer import CustomerInput
from largesse.engine.earning import Measure
from largesse.engine.order import OrderInput
from largesse.engine.points import ExpirationRules
from largesse.engine.validity import Hours, Timeframe, Weekday
from largesse.kernel.benefits import Validity
from largesse.kernel.wire import Instant

ORDER_PAID = "order.paid"
SEGMENT_ENTERED = "customer.segment.entered"
TIER_EVENTS = tuple(
    f"customer.loyalty.tier.{change}" for change in ("joined", "left", "upgraded", "downgraded", "prolonged")
)
ANY_TIER = "__ANY__"
MOST_AT_ONCE = 100  # rules of one request; our decision
MOST_COVERED = 100  # products, SKUs and collections of one rule; our decision
Event = Annotated[str, Meta(min_length=1, max_length=300)]
Banner = Annotated[str, Meta(max_length=1000)]
# Numbers may also come as texts (observed).
Whole = Annotated[int, Meta(ge=1, le=10**12)] | Annotated[str, Meta(pattern=r"^0*[1-9]\d{0,11}$")]


# As sent


class CoveredInput(msgspec.Struct, frozen=True):
    object: Literal["product", "sku", "products_collection"]
    id: Annotated[str, Meta(min_length=1, max_length=1000)]


class RateInput(msgspec.Struct, frozen=True):
    """`points` for `every` so much; lines that count are named by `applicable_to`, or by a single `object` and `id`."""

    every: Whole | None = None
    points: Whole | None = None
    points_formula: Annotated[str, Meta(max_length=10_000)] | None = None
    property: str | None = None
    object: Literal["product", "sku", "products_collection"] | None = None
    id: str | None = None
    applicable_to: Annotated[list[CoveredInput], Meta(max_length=MOST_COVERED)] | None = None


class PartInput(msgspec.Struct, frozen=True):
    """What of an order, its items, the customer or the custom event is measured."""

    amount: RateInput | None = None
    total_amount: RateInput | None = None
    subtotal_amount: RateInput | None = None
    quantity: RateInput | None = None
    metadata: RateInput | None = None


class LoyaltyInput(msgspec.Struct, frozen=True):
    type: Literal["FIXED", "PROPORTIONAL"]
    calculation_type: Measure | None = None
    points: Whole | None = None
    points_formula: Annotated[str, Meta(max_length=10_000)] | None = None
    order: PartInput | None = None
    order_items: PartInput | None = None
    customer: PartInput | None = None
    custom_event: PartInput | None = None


class PendingInput(msgspec.Struct, frozen=True):
    """After how many days the points become usable."""

    period_value: Annotated[int, Meta(ge=1, le=90)]
    period_type: Literal["DAY"] | None = None


class SchemaReference(msgspec.Struct, frozen=True):
    schema_id: str | None = None


class Reference(msgspec.Struct, frozen=True):
    id: str | None = None


class SourceInput(msgspec.Struct, frozen=True):
    banner: Banner | None = None


class RuleInput(msgspec.Struct, frozen=True, kw_only=True):
    """What creation and update share; absent stays, null clears what may be missing."""

    loyalty: LoyaltyInput | None = None
    validation_rule_id: str | None | UnsetType = UNSET
    source: SourceInput | None | UnsetType = UNSET
    active: bool | None = None
    pending_points: PendingInput | None | UnsetType = UNSET
    expiration_rules: ExpirationRules | None | UnsetType = UNSET
    start_date: Instant | None | UnsetType = UNSET
    expiration_date: Instant | None | UnsetType = UNSET
    validity_timeframe: Timeframe | None | UnsetType = UNSET
    validity_day_of_week: list[Weekday] | None | UnsetType = UNSET
    validity_hours: Hours | None | UnsetType = UNSET
    metadata: dict[str, Any] | None | UnsetType = UNSET


class RuleCreate(RuleInput, frozen=True, kw_only=True):
    """The event and what it is about never change afterwards."""

    event: Event | None = None
    custom_event: SchemaReference | None = None
    segment: Reference | None = None
    loyalty_tier: Reference | None = None


class EstimateInput(msgspec.Struct, frozen=True):
    """Who would pay which order; an order named by id or source id may be described further, and that wins."""

    customer: CustomerInput | None = None
    order: OrderInput | None = None


# As stored


class StoredEarningRule(Validity, kw_only=True):
    """`subject_id` is the schema, the segment or the tier (or `__ANY__`) that the event must be about; None for orders."""

    id: str
    campaign_id: str
    automation_id: str
    event: str
    subject_id: str | None = None
    loyalty: dict[str, Any] = {}
    pending_days: int | None = None
    expiration_rules: ExpirationRules | None = None
    banner: str | None = None
    active: bool = True
    metadata: dict[str, Any] = {}
    created_at: int
    updated_at: int | None = None


# As shown


class PendingAnswer(msgspec.Struct):
    period_value: int
    period_type: str = "DAY"


class SourceAnswer(msgspec.Struct, kw_only=True):
    banner: str | None
    object_id: str
    object_type: str = "campaign"


class EarningRuleAnswer(msgspec.Struct, kw_only=True):
    """Members that were never set are left out (observed)."""

    id: str
    created_at: str
    updated_at: str | None
    validation_rule_id: str | None
    loyalty: dict[str, Any]
    event: str
    custom_event: SchemaReference | UnsetType = UNSET
    segment: Reference | UnsetType = UNSET
    loyalty_tier: Reference | UnsetType = UNSET
    pending_points: PendingAnswer | UnsetType = UNSET
    source: SourceAnswer
    active: bool
    start_date: str | UnsetType = UNSET
    expiration_date: str | UnsetType = UNSET
    validity_timeframe: Timeframe | UnsetType = UNSET
    validity_day_of_week: list[int] | UnsetType = UNSET
    validity_hours: Hours | UnsetType = UNSET
    expiration_rules: ExpirationRules | UnsetType = UNSET
    metadata: dict[str, Any]
    automation_id: str
    object: Literal["earning_rule"] = "earning_rule"


class ProgramReference(msgspec.Struct, kw_only=True):
    id: str
    name: str
    object: str = "campaign"


class EstimateAnswer(msgspec.Struct, kw_only=True):
    campaign: ProgramReference
    points_estimation: int


class EarningRuleList(msgspec.Struct, kw_only=True):
    object: str = "list"
    data_ref: str = "data"
    data: list[EarningRuleAnswer]
    total: int
