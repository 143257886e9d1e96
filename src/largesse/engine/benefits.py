"""What a rule set says of a benefit: to which lines it applies, in which order and how far, and of which bundles."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Literal

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


class ItemEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, dict=True):
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

    @cached_property
    def shown(self) -> dict[str, Any]:
        """The members that are set, as answers show them; shared, so never to be changed."""
        found: dict[str, Any] = {"object": self.object}
        for name, default in _DEFAULTS.items():
            value = getattr(self, name)
            if value != default or name in _ALWAYS_SHOWN:
                found[name] = value
        return found

    @cached_property
    def limits(self) -> bool:
        """Whether it does more than name lines."""
        return any(name not in _NAMING and getattr(self, name) != default for name, default in _DEFAULTS.items())

    @cached_property
    def limits_over_time(self) -> bool:
        return any(getattr(self, name) is not None for name in _OVER_TIME)


_DEFAULTS = dict(zip(ItemEntry.__struct_fields__[1:], ItemEntry.__struct_defaults__, strict=True))
_ALWAYS_SHOWN = frozenset({"id", "strict", "effect"})
_NAMING = frozenset({"id", "source_id", "product_id", "product_source_id", "strict"})
_OVER_TIME = tuple(name for name in _DEFAULTS if name.startswith("product_") and name.endswith("_quantity_limit"))


class Group(msgspec.Struct, frozen=True, gc=False):
    """Lines that one entry governs, in request order."""

    entry: ItemEntry
    places: Sequence[int]


class Entries(msgspec.Struct, frozen=True):
    """Entries in their order, found by what they name: `by_name` of products and SKUs, under the object and an id or source id.

    `plain` says of each whether one name stands for all of its lines, `shown` is how answers show it.
    """

    entries: tuple[ItemEntry, ...]
    by_name: Mapping[str, Mapping[str, Sequence[int]]]
    collections: tuple[int, ...]
    plain: tuple[bool, ...]
    shown: tuple[dict[str, Any], ...]


def _indexed(entries: tuple[ItemEntry, ...]) -> Entries:
    by_name: dict[str, dict[str, list[int]]] = {"product": {}, "sku": {}}
    collections, plain = [], []
    for index, entry in enumerate(entries):
        names = {name for name in (entry.id, entry.source_id) if name is not None}
        plain.append(len(names) == 1 and not entry.strict)
        if entry.object == "products_collection":
            collections.append(index)
            continue
        for name in names:
            by_name[entry.object].setdefault(name, []).append(index)
    return Entries(entries, by_name, tuple(collections), tuple(plain), tuple(entry.shown for entry in entries))


class ApplicableTo(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """Excluded beats included, included beats `included_all`. What is found out of its entries is kept with it."""

    included: tuple[ItemEntry, ...] = ()
    excluded: tuple[ItemEntry, ...] = ()
    included_all: bool = False

    @cached_property
    def includes(self) -> Entries:
        return _indexed(self.included)

    @cached_property
    def excludes(self) -> Entries:
        return _indexed(self.excluded)

    @cached_property
    def limited_over_time(self) -> tuple[ItemEntry, ...]:
        """The entries of `included` that have limits over time."""
        return tuple(entry for entry in self.included if entry.limits_over_time)


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
