"""What a rule set says of a benefit: to which lines it applies, in which order and how far, and of which bundles."""

from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from largesse.engine.rules import Conditions

ItemObject = Literal["product", "sku", "products_collection"]
ItemEffect = Literal[
    "APPLY_TO_EVERY",
    "APPLY_TO_CHEAPEST",
    "APPLY_FROM_CHEAPEST",
    "APPLY_TO_MOST_EXPENSIVE",
    "APPLY_FROM_MOST_EXPENSIVE",
]
ItemTarget = Literal["ITEM", "UNIT"]
MAX_PRICE = 10**15
Limit = Annotated[int, Meta(ge=0, le=10**12)]
Key = Annotated[str, Meta(min_length=1, max_length=255)]


class ItemEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One entry of `included` or `excluded`. Quantities in units, amounts in minor units, `price` in minor units.

    `product_*` limits are over time, in units: per entry or per product of a collection, of all customers or of one.
    """

    def __hash__(self) -> int:
        """Of the name alone: what is known of an entry is looked up often."""
        return hash((self.object, self.id, self.source_id))

    object: ItemObject
    id: Key | None = None
    source_id: Key | None = None
    product_id: Key | None = None
    product_source_id: Key | None = None
    strict: bool = False
    effect: ItemEffect = "APPLY_TO_EVERY"
    target: ItemTarget = "ITEM"
    skip_initially: Annotated[int, Meta(ge=0, le=10**6)] = 0
    repeat: Annotated[int, Meta(ge=1, le=10**6)] = 1
    price: Decimal | None = None
    price_formula: str | None = None
    quantity_limit: Limit | None = None
    aggregated_quantity_limit: Limit | None = None
    amount_limit: Limit | None = None
    aggregated_amount_limit: Limit | None = None
    product_campaign_quantity_limit: Limit | None = None
    product_campaign_quantity_limit_formula: str | None = None
    product_customer_campaign_quantity_limit: Limit | None = None
    product_customer_campaign_quantity_limit_formula: str | None = None
    product_in_collection_campaign_quantity_limit: Limit | None = None
    product_in_collection_campaign_quantity_limit_formula: str | None = None
    product_in_collection_customer_campaign_quantity_limit: Limit | None = None
    product_in_collection_customer_campaign_quantity_limit_formula: str | None = None
    product_promotion_tier_quantity_limit: Limit | None = None
    product_promotion_tier_quantity_limit_formula: str | None = None
    product_customer_promotion_tier_quantity_limit: Limit | None = None
    product_customer_promotion_tier_quantity_limit_formula: str | None = None
    product_in_collection_promotion_tier_quantity_limit: Limit | None = None
    product_in_collection_promotion_tier_quantity_limit_formula: str | None = None
    product_in_collection_customer_promotion_tier_quantity_limit: Limit | None = None
    product_in_collection_customer_promotion_tier_quantity_limit_formula: str | None = None


class ApplicableTo(msgspec.Struct, frozen=True, kw_only=True):
    """Excluded beats included, included beats `included_all`."""

    included: tuple[ItemEntry, ...] = ()
    excluded: tuple[ItemEntry, ...] = ()
    included_all: bool = False


class BundleComponent(msgspec.Struct, frozen=True):
    """At least `quantity` units of a product, a SKU or a collection, for one bundle."""

    object: ItemObject
    id: str
    source_id: str | None = None
    quantity: int = 1


class BundleRules(msgspec.Struct, frozen=True):
    """What makes one bundle, and how many are recognised at most (1 to 100)."""

    components: tuple[BundleComponent, ...]
    limit: int = 1


class RuleSet(msgspec.Struct, frozen=True, kw_only=True):
    """A validation rule as decisions read it. `message` is its custom error text; `conditions` is None where it has none.

    `collections` are the ids of all product collections that any part of it names. `fills_bundle` is whether a cart without one
    complete bundle is refused. `series` names what it counts, anew whenever that begins to be counted: sums kept under another
    series are none of its own. `of_campaign` is set where a campaign has it.
    """

    id: str
    name: str = ""
    applicable_to: ApplicableTo = ApplicableTo()
    bundle: BundleRules | None = None
    fills_bundle: bool = True
    conditions: Conditions | None = None
    message: str | None = None
    collections: frozenset[str] = frozenset()
    series: str = ""
    of_campaign: bool = False


class BundleItem(msgspec.Struct, frozen=True):
    """Units of one line that a bundle uses; `item_index` counts lines from 0."""

    id: str
    object: Literal["product", "sku"]
    item_index: int
    item_quantity: int


class MissingItem(msgspec.Struct, frozen=True):
    """Units that a first bundle still lacks."""

    id: str
    object: ItemObject
    item_quantity: int


class Bundle(msgspec.Struct, frozen=True, omit_defaults=True):
    """The bundles found in a cart, as answers show them."""

    quantity: int
    limit: int
    identified: tuple[BundleItem, ...]
    missing: tuple[MissingItem, ...] = ()
