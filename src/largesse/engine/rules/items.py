"""Conditions on what is in the cart: `order.items.any` and its kin, with sub-rules on the lines they match."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from largesse.engine.order import Line
from largesse.engine.rules.documents import RuleFault
from largesse.engine.rules.facts import CartView, Facts
from largesse.engine.rules.leaves import Leaf, Name, Test, id_of, without_parts
from largesse.engine.rules.lines import (
    Matched,
    SubTest,
    candidates,
    lines_at,
    of_all,
    of_line,
    of_line_metadata,
    shown_lines,
    sub_rules,
    units,
)
from largesse.engine.rules.operators import conditions_of, values_of
from largesse.engine.rules.verdicts import Need

_COLLECTION = "products_collection"
_KINDS: dict[str, tuple[str, ...]] = {
    "product": ("product",),
    "sku": ("sku",),
    _COLLECTION: (_COLLECTION,),
    "product_or_sku": ("product", "sku"),
}
_SUB_RULES = {
    "order.items.aggregated_amount": of_all(lambda matched: matched.amount),
    "order.items.aggregated_quantity": of_all(lambda matched: matched.units),
    "order.items.price": of_line(lambda line: line.price),
    "order.items.quantity": of_line(units),
    "order.items.metadata": of_line_metadata,
}
_OPERATORS = ("$from", "$in", "$is", "$is_not", "$not_in")
_Choose = Callable[[Facts, Sequence[int]], Sequence[int]]  # (facts, candidates) → those of them that match


class Items(msgspec.Struct, frozen=True):
    """Products, SKUs and collections that a rule names. Of a collection the first name that is known counts."""

    names: Mapping[str, frozenset[str]]  # ids and source ids of products and SKUs
    collections: tuple[tuple[str, ...], ...]

    @property
    def named(self) -> frozenset[tuple[str, str]]:
        """Every kind and name that one of them goes by."""
        of_items = [(kind, name) for kind, names in self.names.items() for name in names]
        return frozenset(of_items + [(_COLLECTION, name) for names in self.collections for name in names])

    def places(self, cart: CartView) -> set[int]:
        """The lines that are of any of these; found from whichever side has fewer names."""
        found: set[int] = set()
        for kind, names in self.names.items():
            found.update(cart.places(kind, *(cart.names(kind) & names)))
        for names_of_one in self.collections:
            found.update(cart.places(_COLLECTION, *names_of_one))
        return found


class _ItemRule(msgspec.Struct, frozen=True):
    """Which lines are looked at (`$from`), which of them match, and what must hold of those."""

    source: _Choose
    choose: _Choose
    sub: SubTest | None

    def matched(self, facts: Facts, places: Sequence[int], of: int) -> Matched:
        return Matched(facts, lines_at(facts, self.choose(facts, places)), of)

    def holds(self, matched: Matched, line: Line) -> bool:
        return self.sub is None or self.sub(matched, line)


def _any(rule: _ItemRule, facts: Facts) -> bool:
    """One matching line makes all sub-rules true together."""
    every = candidates(facts)
    matched = rule.matched(facts, rule.source(facts, every), len(every))
    return any(rule.holds(matched, line) for line in matched.lines)


def _every(rule: _ItemRule, facts: Facts) -> bool:
    every = candidates(facts)
    matched = rule.matched(facts, rule.source(facts, every), len(every))
    return 0 < len(matched.lines) == len(every) and all(rule.holds(matched, line) for line in matched.lines)


def _none(rule: _ItemRule, facts: Facts) -> bool:
    return not rule.choose(facts, rule.source(facts, candidates(facts)))


def _extreme(best: Callable[[Sequence[int]], int]) -> Callable[[_ItemRule, Facts], bool]:
    """Of lines of the same extreme unit price one match is enough (our decision)."""

    def holds(rule: _ItemRule, facts: Facts) -> bool:
        lines = facts.cart.lines
        prices = {
            place: price for place in rule.source(facts, candidates(facts)) if (price := lines[place].price) is not None
        }
        if not prices:
            return False
        wanted = best(list(prices.values()))
        matched = rule.matched(facts, [place for place, price in prices.items() if price == wanted], len(prices))
        return bool(matched.lines) and all(rule.holds(matched, line) for line in matched.lines)

    return holds


def _rule(holds: Callable[[_ItemRule, Facts], bool]) -> Callable[[Leaf, str], Test]:
    def compiled(leaf: Leaf, place: str) -> Test:
        rule = _ItemRule(*_selection(leaf, place), sub_rules(leaf, place, _SUB_RULES))
        return lambda facts: holds(rule, facts)

    return compiled


def _rule_without_parts(leaf: Leaf, place: str) -> Test:
    without_parts(leaf, place)
    rule = _ItemRule(*_selection(leaf, place), None)
    return lambda facts: _none(rule, facts)


def _selection(leaf: Leaf, place: str) -> tuple[_Choose, _Choose]:
    """Without a condition every line matches (documented)."""
    source: _Choose = _everything
    chosen: list[_Choose] = []
    for operator, sent in conditions_of(leaf, place).items():
        if operator not in _OPERATORS:
            known = ", ".join(_OPERATORS)
            raise RuleFault(f"{place}.conditions: unknown operator '{operator}' for {leaf['name']}; known are {known}")
        items = items_of(sent, f"{place}.conditions.{operator}")
        if operator == "$from":
            source = _choice(items, wanted=True)
        else:
            chosen.append(_choice(items, wanted=operator in ("$is", "$in")))
    return source, _all_of(chosen)


def items_of(sent: Any, place: str, kinds: tuple[str, ...] | None = None) -> Items:
    """The things a condition names; `kinds` where the rule's name says what they are. Raises RuleFault."""
    names: dict[str, set[str]] = {}
    collections = []
    try:
        found = [_item(one, kinds) for one in values_of(sent)]
        if not found:
            raise ValueError("should have at least one value")
    except ValueError as error:
        raise RuleFault(f"{place} {error}") from None
    for of_kinds, of_one in found:
        for kind in of_kinds:
            if kind == _COLLECTION:
                collections.append(of_one)
            else:
                names.setdefault(kind, set()).update(of_one)
    return Items({kind: frozenset(some) for kind, some in names.items()}, tuple(collections))


def _item(value: object, kinds: tuple[str, ...] | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What one of them may be, and the names it goes by."""
    name = id_of(value)
    if not isinstance(value, dict):
        return kinds or _KINDS["product_or_sku"], (name,)
    kind = value.get("object") or value.get("type") or "product_or_sku"
    if not isinstance(kind, str) or kind not in _KINDS:
        raise ValueError(f"should name objects of one of {', '.join(sorted(_KINDS))}")
    source = value.get("source_id")
    return kinds or _KINDS[kind], (name, source) if isinstance(source, str) and source else (name,)


def _choice(items: Items, *, wanted: bool) -> _Choose:
    def choose(facts: Facts, places: Sequence[int]) -> Sequence[int]:
        named = items.places(facts.cart)
        return [place for place in places if (place in named) is wanted]

    return choose


def _everything(_facts: Facts, places: Sequence[int]) -> Sequence[int]:
    return places


def _all_of(chosen: Sequence[_Choose]) -> _Choose:
    def choose(facts: Facts, places: Sequence[int]) -> Sequence[int]:
        for one in chosen:
            places = one(facts, places)
        return places

    return choose


def _shown(leaf: Leaf, facts: Facts) -> list[dict[str, object]]:
    """The lines that a condition matches; what it asks of them beyond that is left out."""
    source, choose = _selection(leaf, "rules")
    return shown_lines(facts, choose(facts, source(facts, candidates(facts))))


_ITEMS: frozenset[Need] = frozenset({"order", "items"})
NAMES: Mapping[str, Name] = {
    "order.items.any": Name("order", _rule(_any), _ITEMS, actual=_shown),
    "order.items.every": Name("order", _rule(_every), _ITEMS, actual=_shown),
    "order.items.none": Name("order", _rule_without_parts, _ITEMS, actual=_shown),
    "order.items.cheapest": Name("order", _rule(_extreme(min)), _ITEMS, actual=_shown),
    "order.items.most_expensive": Name("order", _rule(_extreme(max)), _ITEMS, actual=_shown),
}
