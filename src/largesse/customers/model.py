"""Customers as stored and as shown. Amounts in minor units, times in UTC micros."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from largesse.engine.customer import Address, CustomerInput, Text
from largesse.kernel.wire import Day

__all__ = ["Address", "CustomerInput"]


class CustomerUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """PUT: an absent member stays, a null clears; metadata is merged."""

    name: Text | None | UnsetType = UNSET
    description: Text | None | UnsetType = UNSET
    email: Text | None | UnsetType = UNSET
    phone: Text | None | UnsetType = UNSET
    birthdate: Day | None | UnsetType = UNSET
    birthday: Day | None | UnsetType = UNSET
    address: dict[str, Annotated[str, Meta(max_length=1000)] | None] | None | UnsetType = UNSET
    metadata: dict[str, Any] | None | UnsetType = UNSET
    unset_metadata_fields: list[str] | None = None


# The statistics that grow by what happens.
COUNTED = (
    "total_succeeded",
    "total_failed",
    "total_rolled_back",
    "total_rollback_failed",
    "gift_redeemed_amount",
    "orders_count",
    "orders_amount",
)


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Changes of a customer's statistics. `last_order_*` are set, not added, where given; a date of 0 clears them."""

    total_succeeded: int = 0
    total_failed: int = 0
    total_rolled_back: int = 0
    total_rollback_failed: int = 0
    gift_redeemed_amount: int = 0
    orders_count: int = 0
    orders_amount: int = 0
    last_order_amount: int | None = None
    last_order_date: int | None = None

    def plus(self, other: "Counts") -> "Counts":
        return Counts(
            total_succeeded=self.total_succeeded + other.total_succeeded,
            total_failed=self.total_failed + other.total_failed,
            total_rolled_back=self.total_rolled_back + other.total_rolled_back,
            total_rollback_failed=self.total_rollback_failed + other.total_rollback_failed,
            gift_redeemed_amount=self.gift_redeemed_amount + other.gift_redeemed_amount,
            orders_count=self.orders_count + other.orders_count,
            orders_amount=self.orders_amount + other.orders_amount,
            last_order_amount=other.last_order_amount
            if other.last_order_amount is not None
            else self.last_order_amount,
            last_order_date=other.last_order_date if other.last_order_date is not None else self.last_order_date,
        )


class StoredCustomer(msgspec.Struct, kw_only=True):
    """A profile with its statistics."""

    id: str
    source_id: str | None = None
    tracking_key: str = ""
    name: str | None = None
    description: str | None = None
    email: str | None = None
    phone: str | None = None
    birthdate: str | None = None
    birthday: str | None = None
    address: dict[str, Any] | None = None
    metadata: dict[str, Any] = {}
    created_at: int
    updated_at: int | None = None
    total_succeeded: int = 0
    total_failed: int = 0
    total_rolled_back: int = 0
    total_rollback_failed: int = 0
    gift_redeemed_amount: int = 0
    orders_count: int = 0
    orders_amount: int = 0
    last_order_amount: int = 0
    last_order_date: int | None = None


class SimpleCustomer(msgspec.Struct, kw_only=True):
    """A customer inside a redemption."""

    id: str
    name: str | None
    email: str | None
    source_id: str | None
    metadata: dict[str, Any]
    object: str = "customer"


class Standing(msgspec.Struct, kw_only=True):
    """A customer in one loyalty program: what is left on the card, and the id of the tier."""

    points: int = 0
    loyalty_tier: str | UnsetType = UNSET
    referred_customers: int = 0


class Loyalty(msgspec.Struct, kw_only=True):
    """`points` ever credited to the cards a customer holds, less those that expired; programs under their names."""

    points: int = 0
    referred_customers: int = 0
    campaigns: dict[str, Standing] = {}


class Held(msgspec.Struct, kw_only=True):
    """What is on the cards that a customer holds: credits in minor units, points. Another room knows; it changes by the clock.

    Not kept beside the customer: every posting of points would have to keep it right there, and a midnight changes it as well.
    """

    gift_credits: int = 0
    points: int = 0
    redeemed_points: int = 0
    loyalty: Loyalty = msgspec.field(default_factory=Loyalty)
    tier_names: dict[str, str] = {}  # by id


class RedemptionTotals(msgspec.Struct, kw_only=True):
    total_redeemed: int
    total_failed: int
    total_succeeded: int
    total_rolled_back: int
    total_rollback_failed: int
    total_rollback_succeeded: int
    gift: dict[str, int]
    loyalty_card: dict[str, int]


class OrderTotals(msgspec.Struct, kw_only=True):
    total_amount: int
    total_count: int
    average_amount: int
    last_order_amount: int
    last_order_date: str | UnsetType = UNSET


class Summary(msgspec.Struct):
    redemptions: RedemptionTotals
    orders: OrderTotals


class CustomerAnswer(msgspec.Struct, kw_only=True):
    """A customer as the resource shows it; members never set are absent."""

    id: str
    source_id: str | None
    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    email: str | UnsetType = UNSET
    phone: str | UnsetType = UNSET
    birthdate: str | UnsetType = UNSET
    birthday: str | UnsetType = UNSET
    address: dict[str, Any] | None | UnsetType = UNSET
    summary: Summary
    loyalty: Loyalty
    referrals: dict[str, Any]
    metadata: dict[str, Any]
    system_metadata: dict[str, Any] = {}
    created_at: str
    updated_at: str | UnsetType = UNSET
    assets: dict[str, str] | UnsetType = UNSET
    object: str = "customer"


class CustomerList(msgspec.Struct, kw_only=True):
    object: str = "list"
    data_ref: str = "customers"
    customers: list[CustomerAnswer]
    total: int
    has_more: bool


class DeletionAnswer(msgspec.Struct, kw_only=True):
    """A permanent deletion; the spelling of `object` is the API's."""

    id: str
    created_at: str
    related_object_id: str
    related_object: str = "customer"
    status: str = "DONE"
    data_json: dict[str, int]
    object: str = "pernament_deletion"


class Activity(msgspec.Struct, kw_only=True):
    id: str
    type: str
    data: dict[str, Any]
    created_at: str
    group_id: str


class ActivityList(msgspec.Struct, kw_only=True):
    object: str = "list"
    data_ref: str = "data"
    data: list[Activity]
    total: int
    has_more: bool
    more_starting_after: str | UnsetType = UNSET
