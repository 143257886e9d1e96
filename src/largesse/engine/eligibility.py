"""Which lines an item-level benefit may touch, and which entry of the rules governs each of them."""

from collections.abc import Sequence

import msgspec

from largesse.engine.benefits import ApplicableTo, Entries, Group, ItemEntry, RuleSet
from largesse.engine.cart import Cart

_RANKS = {"sku": 0, "product": 1, "products_collection": 2}
EVERY_LINE = ItemEntry(object="product")  # what governs lines that no entry limits


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
    excluded = [group for one in definitions for group in one.excludes.unplaced]
    for index, places in _placed([one.excludes for one in definitions], cart).items():
        excluded[index] = Group(excluded[index].entry, places)
    taken = {place for group in excluded for place in group.places}
    included = [group for one in definitions for group in one.includes.unplaced]
    named = _placed([one.includes for one in definitions], cart)
    for index in sorted(named, key=lambda index: _RANKS[included[index].entry.object]):
        entry = included[index].entry
        included[index] = Group(entry, [place for place in named[index] if place not in taken])
        taken.update(included[index].places)
    limiting = _limiting(definitions)
    free = [place for index in named.keys() - set(limiting) for place in included[index].places]
    if not included or any(one.included_all for one in definitions):
        free += [place for place in range(len(cart.lines)) if place not in taken]
    groups = [included[index] for index in limiting]
    return Eligible((*groups, Group(EVERY_LINE, sorted(free))), limiting, tuple(included), tuple(excluded))


def _placed(definitions: Sequence[Entries], cart: Cart) -> dict[int, list[int]]:
    """The lines of each entry that names any, by its number among the entries of all definitions, in that order."""
    found = {}
    before = 0
    for known in definitions:
        for index in cart.entries_of(known):
            if places := cart.places_of(known.entries[index]):
                found[before + index] = places
        before += len(known.entries)
    return found


def _limiting(definitions: Sequence[ApplicableTo]) -> tuple[int, ...]:
    found: list[int] = []
    before = 0
    for one in definitions:
        found += [before + index for index in one.includes.limiting]
        before += len(one.included)
    return tuple(found)
