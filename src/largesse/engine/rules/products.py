"""The older conditions on products and SKUs."""

from collections.abc import Callable, Mapping
from typing import Any

from largesse.engine.order import Line
from largesse.engine.rules.documents import RuleFault
from largesse.engine.rules.facts import Facts
from largesse.engine.rules.items import items_of, places_of
from largesse.engine.rules.leaves import Leaf, Name, Test, property_of, true_only, without_parts
from largesse.engine.rules.lines import (
    CompileSub,
    Matched,
    SubTest,
    candidates,
    lines_at,
    of_all,
    of_line,
    sub_rules,
    units,
)
from largesse.engine.rules.operators import OF_METADATA, compile_conditions, conditions_of
from largesse.engine.rules.verdicts import Need


def _of_kind(kind: str) -> Callable[[Leaf, str], Test]:
    known: dict[str, CompileSub] = {
        f"{kind}.price": of_line(lambda line: line.price),
        f"{kind}.quantity": of_line(units),
    }

    def compiled(leaf: Leaf, place: str) -> Test:
        conditions = conditions_of(leaf, place)
        if len(conditions) != 1 or not conditions.keys() <= {"$is", "$in", "$is_not", "$not_in"}:
            raise RuleFault(f"{place}.conditions should have one operator: $is, $in, $is_not or $not_in")
        [(operator, sent)] = conditions.items()
        items = items_of(sent, f"{place}.conditions.{operator}", (kind,))
        if operator in ("$is_not", "$not_in"):
            without_parts(leaf, place)
            return lambda facts: places_of(items, facts.cart).isdisjoint(candidates(facts))
        sub = sub_rules(leaf, place, known)

        def test(facts: Facts) -> bool:
            every, named = candidates(facts), places_of(items, facts.cart)
            matched = Matched(facts, lines_at(facts, [place for place in every if place in named]), len(every))
            return any(sub is None or sub(matched, line) for line in matched.lines)

        return test

    return compiled


def _metadata(leaf: Leaf, place: str) -> Test:
    """At least one line's product has it; what the line says wins over the catalogue, its SKU over its product (documented)."""
    member = property_of(leaf)
    check = compile_conditions(leaf, place, OF_METADATA)
    sub = sub_rules(leaf, place, _OF_METADATA)

    def test(facts: Facts) -> bool:
        every = lines_at(facts, candidates(facts))
        found = [line for line in every if check(member(_described(line)), facts)]
        matched = Matched(facts, found, len(every))
        return any(sub is None or sub(matched, line) for line in found)

    return test


def _described(line: Line) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in (line.product, line.sku):
        found |= (item.get("metadata") if item else None) or {}
    return found


def _match_all(leaf: Leaf, place: str) -> SubTest:
    true_only(leaf, place)
    return lambda matched, _line: len(matched.lines) == matched.of


_OF_METADATA: Mapping[str, CompileSub] = {
    "product.metadata.aggregated_quantity": of_all(lambda matched: matched.units),
    "product.metadata.aggregated_amount": of_all(lambda matched: matched.amount),
    "product.metadata.match_all": _match_all,
}
_ITEMS: frozenset[Need] = frozenset({"order", "items"})
NAMES = {
    "product.id": Name("order", _of_kind("product"), _ITEMS),
    "sku.id": Name("order", _of_kind("sku"), _ITEMS),
    "product.metadata": Name("order", _metadata, _ITEMS),
}
