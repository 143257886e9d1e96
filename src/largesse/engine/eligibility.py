"""Which lines an item-level benefit may touch, and which entry of the rules governs each of them."""

from collections.abc import Sequence
from functools import lru_cache

import msgspec

from largesse.engine.benefits import ItemEntry, RuleSet
from largesse.engine.cart import Cart

_RANKS = {"sku": 0, "product": 1, "products_collection": 2}
_NAMES = frozenset({"object", "id", "source_id", "product_id", "product_source_id", "strict"})
EVERY_LINE = ItemEntry(object="product")  # what governs lines that no entry limits


class Group(msgspec.Struct, frozen=True):
    """Lines that one entry governs, in request order."""

    entry: ItemEntry
    places: Sequence[int]


class Eligible(msgspec.Struct, frozen=True):
    """`groups` are what a benefit works on: one for each entry that limits anything, then one for all other lines.

    `included` are the lines each entry governs, `limiting` the places of those that limit anything, `excluded` what is left out.
    """

    groups: tuple[Group, ...]
    limiting: tuple[int, ...]
    included: tuple[Group, ...]
    excluded: tuple[Group, ...]


def names_products(rules: Sequence[RuleSet]) -> bool:
    """Whether any rule set includes or excludes products: then a benefit without an effect is for items (documented)."""
    return any(one.applicable_to.included or one.applicable_to.excluded for one in rules)


def eligible(rules: Sequence[RuleSet], cart: Cart) -> Eligible:
    """Excluded beats included, included beats `included_all`; without anything included every other line is eligible.

    The definitions of several rule sets are read as one: what any of them includes, less what any of them excludes (our decision).
    A line that several entries name is governed by the most specific one, SKU before product before collection, then by the first.
    """
    definitions = [one.applicable_to for one in rules]
    excluded = tuple(Group(entry, cart.places_of(entry)) for one in definitions for entry in one.excluded)
    taken = {place for group in excluded for place in group.places}
    named = [Group(entry, cart.places_of(entry)) for one in definitions for entry in one.included]
    governed: list[list[int]] = [[] for _ in named]
    for index in sorted(range(len(named)), key=lambda index: _RANKS[named[index].entry.object]):
        governed[index] = [place for place in named[index].places if place not in taken]
        taken.update(governed[index])
    included = tuple(Group(group.entry, places) for group, places in zip(named, governed, strict=True))
    limiting = tuple(index for index, group in enumerate(included) if _limits(group.entry))
    free = [place for index, group in enumerate(included) if index not in limiting for place in group.places]
    if not named or any(one.included_all for one in definitions):
        free += [place for place in range(len(cart.lines)) if place not in taken]
    groups = [included[index] for index in limiting]
    return Eligible((*groups, Group(EVERY_LINE, sorted(free))), limiting, included, excluded)


@lru_cache(maxsize=10_000)
def _limits(entry: ItemEntry) -> bool:
    """Whether an entry does more than name lines."""
    return any(
        getattr(entry, name) != getattr(EVERY_LINE, name) for name in ItemEntry.__struct_fields__ if name not in _NAMES
    )
