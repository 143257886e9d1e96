"""The older conditions on products and SKUs."""

from collections.abc import Callable, Mapping
from typing import Any

from largesse.engine.order import Line
from largesse.engine.rules.documents import RuleFault
from largesse.engine.rules.facts import Facts
from largesse.engine.rules.items import items_of
from largesse.engine.rules.leaves import Leaf, Name, Test, property_of, true_only, without_parts
from largesse.engine.rules.lines import (
    CompileSub,
    Matched,
    SubTest,
    candidates,
    lines_at,
    of_all,
    of_line,
    shown_lines,
    sub_rules,
    units,
)
from largesse.engine.rules.operators import OF_METADATA, OF_NUMBER, compile_conditions, conditions_of
from largesse.engine.rules.verdicts import Need

_EXCLUDING = ("$is_not", "$not_in")
_ITEMS: frozenset[Need] = frozenset({"order", "items"})


def _of_kind(kind: str) -> Callable[[Leaf, str], Test]:
    known: dict[str, CompileSub] = {
        f"{kind}.price": of_line(lambda line: line.price),
        f"{kind}.quantity": of_line(units),
        f"{kind}.discount_applicable": _always,
    }

    def compiled(leaf: Leaf, place: str) -> Test:
        operator, choose = _choice(kind, leaf, place)
        if operator in _EXCLUDING:
            without_parts(leaf, place)
            return lambda facts: not choose(facts)
        sub = sub_rules(leaf, place, known)

        def test(facts: Facts) -> bool:
            matched = Matched(facts, lines_at(facts, choose(facts)), len(candidates(facts)))
            return any(sub is None or sub(matched, line) for line in matched.lines)

        return test

    return compiled


def _choice(kind: str, leaf: Leaf, place: str) -> tuple[str, Callable[[Facts], list[int]]]:
    """The one operator of a condition on products or SKUs, and the places of the lines it names."""
    conditions = conditions_of(leaf, place)
    if len(conditions) != 1 or not conditions.keys() <= {"$is", "$in", *_EXCLUDING}:
        raise RuleFault(f"{place}.conditions should have one operator: $is, $in, $is_not or $not_in")
    [(operator, sent)] = conditions.items()
    items = items_of(sent, f"{place}.conditions.{operator}", (kind,))

    def choose(facts: Facts) -> list[int]:
        named = items.places(facts.cart)
        return [place for place in candidates(facts) if place in named]

    return operator, choose


def _shown(kind: str) -> Callable[[Leaf, Facts], object]:
    return lambda leaf, facts: shown_lines(facts, _choice(kind, leaf, "rules")[1](facts))


def _of_any_line(kind: str, read: Callable[[Line], int | None]) -> Name:
    """A condition on its own, that one line meets; of SKUs one that names a SKU (our decision)."""

    def compiled(leaf: Leaf, place: str) -> Test:
        check = compile_conditions(leaf, place, OF_NUMBER)
        return lambda facts: any(check(value, facts) for value in values(facts))

    def values(facts: Facts) -> list[int | None]:
        lines = lines_at(facts, candidates(facts))
        return [read(line) for line in lines if kind == "product" or line.sku_id is not None]

    return Name("order", compiled, _ITEMS, actual=lambda _leaf, facts: values(facts))


def _always(leaf: Leaf, place: str) -> Callable[..., bool]:
    """Says what a discount applies to; as a condition it holds (documented)."""
    true_only(leaf, place)
    return lambda *_about: True


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


def _shown_metadata(leaf: Leaf, facts: Facts) -> list[object]:
    member = property_of(leaf)
    return [member(_described(line)) for line in lines_at(facts, candidates(facts))]


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
    "product.metadata.discount_applicable": _always,
}
WITH_PARTS = ("product.id", "sku.id", "product.metadata")  # the names that may have sub-rules
NAMES = {
    "product.id": Name("order", _of_kind("product"), _ITEMS, actual=_shown("product")),
    "sku.id": Name("order", _of_kind("sku"), _ITEMS, actual=_shown("sku")),
    "product.metadata": Name("order", _metadata, _ITEMS, actual=_shown_metadata),
    **{
        f"{kind}.{name}": _of_any_line(kind, read)
        for kind in ("product", "sku")
        for name, read in (("price", lambda line: line.price), ("quantity", units))
    },
    **{f"{kind}.discount_applicable": Name("order", _always) for kind in ("product", "sku")},
}
