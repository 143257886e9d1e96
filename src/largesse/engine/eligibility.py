"""Which lines an item-level benefit may touch, and which entry of the rules governs each of them."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from largesse.engine.benefits import Entries, Group, ItemEntry, RuleSet
from largesse.engine.cart import Cart

_MOST_SPECIFIC_FIRST = ("sku", "product", "products_collection")
EVERY_LINE = ItemEntry(object="product")  # what governs lines that no entry limits


class Eligible(msgspec.Struct, frozen=True):
    """`groups` are what a benefit works on: one for each entry that limits anything, then one for all other lines.

    `included` are the lines each entry governs and `excluded` those left out, where there are any, by the number of the entry
    among those of all rule sets, in order; `limiting` are the numbers of `groups` but the last.
    """

    groups: tuple[Group, ...]
    limiting: tuple[int, ...]
    included: Mapping[int, Group]
    excluded: Mapping[int, Group]


def names_products(rules: Sequence[RuleSet]) -> bool:
    """Whether any rule set includes or excludes products: then a benefit without an effect is for items (documented)."""
    return any(one.applicable_to.included or one.applicable_to.excluded for one in rules)


def eligible(rules: Sequence[RuleSet], cart: Cart) -> Eligible:
    """Excluded beats included, included beats `included_all`; without anything included every other line is eligible.

    The definitions of several rule sets are read as one: what any of them includes, less what any of them excludes (our decision).
    A line that several entries name is governed by the most specific one, SKU before product before collection, then by the first.
    """
    definitions = [one.applicable_to for one in rules]
    excluded = _placed([one.excludes for one in definitions], cart)
    taken = {place for group in excluded.values() for place in group.places}
    named = _placed([one.includes for one in definitions], cart)
    governed: dict[int, Group] = {}
    for index, group in _by_rank(named):
        if len(taken) == len(cart.lines):
            break
        if not taken.isdisjoint(group.places):
            group = Group(group.entry, [place for place in group.places if place not in taken])
        if group.places:
            governed[index] = group
            taken.update(group.places)
    included = {index: governed[index] for index in sorted(governed)}
    limiting = tuple([index for index, group in included.items() if group.entry.limits])
    free = [place for index in included.keys() - set(limiting) for place in included[index].places]
    if any(one.included_all for one in definitions) or not any(one.included for one in definitions):
        free += [place for place in range(len(cart.lines)) if place not in taken]
    groups = [included[index] for index in limiting]
    return Eligible((*groups, Group(EVERY_LINE, sorted(free))), limiting, included, excluded)


def _by_rank(named: Mapping[int, Group]) -> Iterator[tuple[int, Group]]:
    """The most specific first, then in order; found as far as asked for."""
    for kind in _MOST_SPECIFIC_FIRST:
        yield from [one for one in named.items() if one[1].entry.object == kind]


def _placed(definitions: Sequence[Entries], cart: Cart) -> dict[int, Group]:
    """The lines of each entry that names any, by its number among the entries of all definitions, in that order."""
    found = {}
    before = 0
    for known in definitions:
        for index, places in cart.entries_of(known).items():
            found[before + index] = Group(known.entries[index], places)
        before += len(known.entries)
    return found
