"""An index of redeemables by what a request must have for them to apply: what it finds is all that may, and few that do not.

From conditions only what is necessary is taken, and only where looking it up is cheap: products, SKUs and collections that must be
in the cart, values that metadata must have, segments, keys, a least amount, dates. Of several necessities of one redeemable the
rarest is looked up, the others are checked. What cannot be indexed is found always.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import merge
from typing import Any

import msgspec

from largesse.engine.benefits import ApplicableTo, RuleSet
from largesse.engine.books import Ask
from largesse.engine.cart import COLLECTION, product_names, sku_names
from largesse.engine.circumstances import Circumstances
from largesse.engine.discounts import UnitDiscount, item_names
from largesse.engine.eligibility import names_products
from largesse.engine.logic import Every, Leaf, Logic
from largesse.engine.order import Order
from largesse.engine.preconditions import GIFT
from largesse.engine.rules import Condition, Need
from largesse.engine.rules.items import items_of
from largesse.engine.rules.leaves import id_of, property_of
from largesse.engine.rules.operators import values_of
from largesse.engine.rules.values import marks, moment, readings, written_number
from largesse.engine.scenarios import names_products_wanted

Probe = tuple[Any, ...]  # something that a request has: ("product", name), ("customer.metadata", property, mark), …
Key = frozenset[Probe]  # necessary is one of these
_LINES = ("order.items.any", "order.items.every", "order.items.cheapest", "order.items.most_expensive")
_OLDER = {"product.id": ("product",), "sku.id": ("sku",)}
_METADATA = ("customer.metadata", "order.metadata", "redemption.metadata")
_EQUAL = ("$is", "$in")
_LEAST = ("$more_than", "$greater_than", "$more_than_or_equal", "$greater_than_or_equal", "$more_than_equal")
_SEGMENT, _API_KEY = "customer.segment", "redemption.api_key"
_HOUR = 3_600_000_000


class Names(msgspec.Struct, frozen=True):
    """What requests have to be asked about, because something indexed names it."""

    properties: frozenset[tuple[str, str]] = frozenset()
    collections: frozenset[str] = frozenset()
    segments: frozenset[str] = frozenset()


NO_NAMES = Names()


class Requirement(msgspec.Struct, frozen=True):
    """What a request must have: one of every key, `least` as the amount of its order (minor units), and what conditions need."""

    keys: tuple[Key, ...] = ()
    least: float | None = None
    needs: frozenset[Need] = frozenset()


class Entry(msgspec.Struct, frozen=True):
    """One redeemable to be indexed, usable from `start` to `end` (microseconds UTC)."""

    requirement: Requirement
    start: int | None = None
    end: int | None = None


class Seen(msgspec.Struct, frozen=True):
    """What a request has."""

    now: int
    probes: frozenset[Probe]
    amount: int | None
    has: frozenset[Need]


# What is necessary


def required(rules: RuleSet) -> Requirement:
    """What these must have to hold."""
    found = Requirement()
    if rules.conditions is not None:
        found = _of_logic(rules.conditions.logic, rules.conditions.parts)
        found = Requirement(found.keys, found.least, rules.conditions.needs)
    if rules.bundle is not None and rules.fills_bundle:
        keys = tuple(_named(part.object, part.id, part.source_id) for part in rules.bundle.components)
        found = together([found, Requirement(keys, needs=frozenset({"order", "items"}))])
    return found


def concerned(ask: Ask, *, by_discount: bool) -> Key | None:
    """The products of which one must be in the cart that the redeemable is to concern; None where any will do.

    Empty where no cart will. As `scenarios.concerns_products` judges it.
    """
    found = _discounted(ask)
    if by_discount or found is None:
        return found
    wanted: list[Key | None] = []
    for rules in ask.rules:
        parts = rules.conditions.parts.values() if rules.conditions is not None else ()
        asking = [part for part in parts if part.judged and names_products_wanted(part)]
        wanted += [min(_of_condition(part).keys, key=len, default=None) for part in asking]
        if rules.bundle is not None:
            wanted += [_named(one.object, one.id, one.source_id) for one in rules.bundle.components]
    return _any_of([found, *wanted])


def _discounted(ask: Ask) -> Key | None:
    benefit = ask.voucher or ask.tier
    discount = benefit.discount if benefit is not None else None
    if isinstance(discount, UnitDiscount):
        kinds = ("product", "sku", COLLECTION)
        return frozenset((kind, name) for name in item_names(discount) for kind in kinds)
    if ask.voucher is not None and ask.voucher.type == GIFT:
        effect = ask.voucher.gift_effect
    else:
        effect = discount.effect if discount is not None else "APPLY_TO_ORDER"
        effect = effect or ("APPLY_TO_ITEMS" if names_products(ask.rules) else "APPLY_TO_ORDER")
    if effect in (None, "APPLY_TO_ORDER"):
        return frozenset()
    return _included([one.applicable_to for one in ask.rules])


def _included(definitions: Sequence[ApplicableTo]) -> Key | None:
    entries = [entry for one in definitions for entry in one.included]
    if not entries or any(one.included_all for one in definitions):
        return None
    return _any_of([_named(entry.object, entry.id, entry.source_id) for entry in entries])


def _of_logic(logic: Logic, parts: Mapping[str, Condition]) -> Requirement:
    if isinstance(logic, Leaf):
        return _of_condition(parts[logic.key])
    found = [_of_logic(one, parts) for one in logic.parts]
    if isinstance(logic, Every):
        return together(found)
    key = _any_of([min(one.keys, key=len, default=None) for one in found])
    return Requirement(() if key is None else (key,), _lowest(one.least for one in found))


def _of_condition(part: Condition) -> Requirement:
    """Nothing where it is not judged, or where nothing that it asks for can be looked up."""
    if not part.judged:
        return Requirement()
    asked: dict[str, Any] = part.document.get("conditions", {})
    if part.name == "order.initial_amount":
        bounds = [bound for operator, sent in asked.items() for bound in _bounds(operator, sent)]
        return Requirement(least=max(bounds, default=None))
    found = [_key(part, operator, sent) for operator, sent in asked.items()]
    return Requirement(tuple(key for key in found if key is not None))


def _bounds(operator: str, sent: Any) -> Iterator[float]:
    """What a number must at least be."""
    numbers = [number for value in values_of(sent) if (number := written_number(value)) is not None]
    if operator in _LEAST:
        yield from numbers
    elif operator in _EQUAL and numbers:
        yield min(numbers)


def _key(part: Condition, operator: str, sent: Any) -> Key | None:
    """One of what this operator names must be there; None where it says nothing of that kind."""
    if operator not in _EQUAL and not (operator == "$from" and part.name in _LINES):
        return None
    if part.name in _LINES or part.name in _OLDER:
        return items_of(sent, "", _OLDER.get(part.name)).named
    values = values_of(sent)
    if part.name == _SEGMENT:
        return frozenset((_SEGMENT, id_of(value)) for value in values)
    if part.name == _API_KEY:
        return frozenset((_API_KEY, mark) for value in values for mark in readings(id_of(value)))
    # A missing property is like an empty list, and instants are equal in many spellings.
    if part.name not in _METADATA or not values or any(moment(value) is not None for value in values):
        return None
    name = part.document["property"]
    return frozenset((part.name, name, mark) for value in values for mark in readings(value))


def _named(kind: str, *names: str | None) -> Key:
    return frozenset((kind, name) for name in names if name)


def _any_of(keys: Iterable[Key | None]) -> Key | None:
    """Necessary is one of any of these, nothing where one of them is nothing."""
    found: set[Probe] = set()
    for key in keys:
        if key is None:
            return None
        found |= key
    return frozenset(found)


def _lowest(amounts: Iterable[float | None]) -> float | None:
    """Of alternatives; None where one of them asks for none."""
    found = list(amounts)
    known = [amount for amount in found if amount is not None]
    return min(known) if len(known) == len(found) else None


def _highest(one: float | None, other: float | None) -> float | None:
    return other if one is None else one if other is None else max(one, other)


def together(found: Iterable[Requirement]) -> Requirement:
    """What all of these ask for."""
    keys: list[Key] = []
    least: float | None = None
    needs: frozenset[Need] = frozenset()
    for one in found:
        keys += one.keys
        least = _highest(least, one.least)
        needs |= one.needs
    return Requirement(tuple(keys), least, needs)


# What a request has


def seen(order: Order | None, about: Circumstances, names: Names) -> Seen:
    """What can be asked of it under these names."""
    found: set[Probe] = set()
    lines = (order.lines if order is not None else None) or ()
    for line in lines:
        found.update(("product", name) for name in product_names(line))
        found.update(("sku", name) for name in sku_names(line))
    for id in names.collections & about.collections.keys():
        if any(about.collections[id].holds(line) for line in lines):
            found.add((COLLECTION, id))
    described = {
        "customer.metadata": about.customer.metadata if about.customer else None,
        "order.metadata": order.metadata if order is not None else None,
        "redemption.metadata": about.metadata,
    }
    for where, name in names.properties:
        value = property_of({"name": where, "property": name})(described[where])
        for one in value if isinstance(value, list) else [value]:
            found.update((where, name, mark) for mark in marks(one))
    if about.customer is not None:
        found.update((_SEGMENT, id) for id in names.segments if about.customer.is_in(id))
    if about.api_key is not None:
        found.add((_API_KEY, ("text", about.api_key)))
    return Seen(about.now, frozenset(found), _amount(order), _has(order, about))


def _amount(order: Order | None) -> int | None:
    if order is None:
        return None
    return order.amount if order.initial_amount is None else order.initial_amount


def _has(order: Order | None, about: Circumstances) -> frozenset[Need]:
    found: set[Need] = set()
    if about.customer is not None:
        found.add("customer")
    if order is not None:
        found.add("order")
        if order.lines:
            found.add("items")
        if order.amount is not None:
            found.add("amount")
    return frozenset(found)


# The index


class _Places:
    """Positions of entries that are looked up together, those that ask for an amount apart from the others, by that amount."""

    def __init__(self) -> None:
        self._free: list[int] = []
        self._bound: list[tuple[float, int]] = []
        self._amounts: list[float] = []

    def add(self, place: int, least: float | None) -> None:
        """In order of their positions."""
        if least is None:
            self._free.append(place)
        else:
            self._bound.append((least, place))

    def sort(self) -> None:
        """To be called once all are added."""
        self._bound.sort()
        self._amounts = [amount for amount, _ in self._bound]

    def within(self, amount: int | None, first: int) -> Iterator[list[int]]:
        """Lists in order of those from position `first` on that an order of this amount may have."""
        yield self._free[bisect_left(self._free, first) :]
        if amount is not None and self._bound:
            reached = self._bound[: bisect_right(self._amounts, amount)]
            yield sorted([place for _, place in reached if place >= first])


class Index:
    """Entries by position. Built at a moment (microseconds UTC), and true for an hour before and after it."""

    def __init__(self, entries: Sequence[Entry], now: int) -> None:
        self._built_at = now
        self._entries = entries
        self._is_dated = any(one.start is not None or one.end is not None for one in entries)
        self._by_probe: dict[Probe, _Places] = {}
        self._always = _Places()
        live = [place for place, one in enumerate(entries) if self._may_live(one)]
        rarity = Counter(probe for place in live for key in entries[place].requirement.keys for probe in key)
        for place in live:
            requirement = entries[place].requirement
            if not requirement.keys:
                self._always.add(place, requirement.least)
                continue
            for probe in min(requirement.keys, key=lambda key: sum([rarity[probe] for probe in key])):
                self._by_probe.setdefault(probe, _Places()).add(place, requirement.least)
        for places in (self._always, *self._by_probe.values()):
            places.sort()
        self.names = _names(rarity)

    def is_fresh(self, now: int) -> bool:
        """Whether it still knows all that may apply at `now`."""
        return not self._is_dated or abs(now - self._built_at) <= _HOUR

    def find(self, request: Seen, first: int = 0) -> Iterator[int]:
        """The positions, from `first` on, of all entries that may apply, in order, and of few others; found as far as asked for."""
        held = [found for probe in request.probes if (found := self._by_probe.get(probe)) is not None]
        lists = [places for found in (self._always, *held) for places in found.within(request.amount, first)]
        last = -1
        for place in merge(*lists):
            if place != last and self.may_apply(place, request):
                yield place
            last = place

    def may_apply(self, place: int, request: Seen) -> bool:
        """False only where the entry certainly does not apply."""
        one = self._entries[place]
        if (one.start is not None and request.now < one.start) or (one.end is not None and request.now > one.end):
            return False
        requirement = one.requirement
        if not requirement.needs <= request.has:
            return False
        if requirement.least is not None and (request.amount is None or request.amount < requirement.least):
            return False
        probes = request.probes
        return not any(key.isdisjoint(probes) for key in requirement.keys)

    def _may_live(self, one: Entry) -> bool:
        """Whether its dates allow it while the index is fresh."""
        begins = one.start is None or one.start <= self._built_at + _HOUR
        return begins and (one.end is None or one.end >= self._built_at - _HOUR)


def _names(probes: Iterable[Probe]) -> Names:
    properties: set[tuple[str, str]] = set()
    by_kind: dict[str, set[str]] = {COLLECTION: set(), _SEGMENT: set()}
    for probe in probes:
        if probe[0] in _METADATA:
            properties.add((probe[0], probe[1]))
        elif probe[0] in by_kind:
            by_kind[probe[0]].add(probe[1])
    return Names(frozenset(properties), frozenset(by_kind[COLLECTION]), frozenset(by_kind[_SEGMENT]))
