"""Loyalty tiers as sent, stored and shown. Points are whole; times are UTC micros, days are local days of the project."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from largesse.engine.tiers import Held, Standing

MAX_POINTS = 10**15
MOST_TIERS = 100  # of one program; our decision
Name = Annotated[str, Meta(min_length=1, max_length=1000)]
Points = Annotated[int, Meta(ge=0, le=MAX_POINTS)]


# As sent


class PointsInput(msgspec.Struct, frozen=True):
    """From `low` to `high`, both included; no `high` means without ceiling."""

    low: Points | None = msgspec.field(name="from", default=None)
    high: Points | None = msgspec.field(name="to", default=None)


class Mapping(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a tier makes of an earning rule's points or of a reward's price. NOT_AVAILABLE is for rewards (our decision)."""

    type: Literal["MULTIPLY", "CUSTOM", "NOT_AVAILABLE"]
    multiplier: Decimal | None = None
    points: Points | None = None


class TierInput(msgspec.Struct, frozen=True, kw_only=True):
    """A new tier; an update lays over what is there, maps are replaced whole."""

    name: Name | None = None
    points: PointsInput | None = None
    earning_rules: dict[str, Mapping] | None | UnsetType = UNSET
    rewards: dict[str, Mapping] | None | UnsetType = UNSET
    metadata: dict[str, Any] | None | UnsetType = UNSET


# As stored


class StoredTier(msgspec.Struct, kw_only=True):
    """`earning_rules` by the id of the rule, `rewards` by the id of the assignment."""

    id: str
    campaign_id: str
    name: str
    low: int
    high: int | None
    earning_rules: dict[str, Mapping] = {}
    rewards: dict[str, Mapping] = {}
    metadata: dict[str, Any] = {}
    created_at: int
    updated_at: int | None = None


class Membership(msgspec.Struct, kw_only=True):
    """Where the holder of a card stands in its program. `due_on` is the first day on which time changes it, None = never.

    `collected` are the points collected so far in the calendar period that begins on `period_on`.
    """

    voucher_id: str
    customer_id: str
    campaign_id: str
    standing: Standing = Standing()
    due_on: date | None = None
    period_on: date | None = None
    collected: int = 0
    created_at: int
    updated_at: int | None = None

    @property
    def held(self) -> Held | None:
        return self.standing.held


# As shown


class PointsAnswer(msgspec.Struct):
    low: int = msgspec.field(name="from")
    high: int | None = msgspec.field(name="to")


class ConfigAnswer(msgspec.Struct):
    """The same bounds again, as clients of older versions read them."""

    points: PointsAnswer


class ExpirationAnswer(msgspec.Struct, kw_only=True):
    """Since when and until when a customer holds the tier; no last day where it goes by the balance."""

    customer_id: str
    campaign_id: str
    tier_id: str
    start_date: str
    expiration_date: str | None
    created_at: str
    updated_at: str | None


class TierChange(msgspec.Struct, frozen=True, kw_only=True):
    """What the event of a changed tier is about: `tier_id` is the tier entered or kept, or the one left."""

    voucher_id: str
    campaign_id: str
    tier_id: str
    day: date


class TierAnswer(msgspec.Struct, kw_only=True):
    id: str
    name: str
    campaign_id: str
    metadata: dict[str, Any]
    created_at: str
    updated_at: str | None
    earning_rules: dict[str, Mapping]
    rewards: dict[str, Mapping]
    config: ConfigAnswer
    points: PointsAnswer
    expiration: ExpirationAnswer | UnsetType = UNSET
    object: Literal["loyalty_tier"] = "loyalty_tier"


class TierList(msgspec.Struct, kw_only=True):
    object: str = "list"
    data_ref: str = "data"
    data: list[TierAnswer]
    total: int
