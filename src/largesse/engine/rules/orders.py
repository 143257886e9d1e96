"""Conditions on the order as a whole, and on all of its lines. Amounts in minor units."""

from collections.abc import Callable, Iterable

from largesse.engine.order import Line
from largesse.engine.rules.facts import Facts
from largesse.engine.rules.leaves import Leaf, Name, Test, of_number, of_property, property_of
from largesse.engine.rules.lines import candidates, lines_at, units
from largesse.engine.rules.operators import OF_METADATA, OF_NUMBER, compile_conditions
from largesse.engine.rules.verdicts import Need

_Quantifier = Callable[[Iterable[object]], bool]


def _initial_amount(facts: Facts) -> int | None:
    order = facts.order
    return order.amount if order.initial_amount is None else order.initial_amount


def _result_amount(facts: Facts) -> int | None:
    return (facts.result or facts.order).total_amount


def _lines(facts: Facts) -> list[Line]:
    return lines_at(facts, candidates(facts))


def _units(facts: Facts) -> int:
    return sum(units(line) for line in _lines(facts))


def _prices(quantifier: _Quantifier) -> Callable[[Leaf, str], Test]:
    def compiled(leaf: Leaf, place: str) -> Test:
        check = compile_conditions(leaf, place, OF_NUMBER)
        return lambda facts: quantifier(check(line.price, facts) for line in _lines(facts))

    return compiled


def _metadata(quantifier: _Quantifier) -> Callable[[Leaf, str], Test]:
    def compiled(leaf: Leaf, place: str) -> Test:
        member = property_of(leaf)
        check = compile_conditions(leaf, place, OF_METADATA)
        return lambda facts: quantifier(check(member(line.metadata), facts) for line in _lines(facts))

    return compiled


def _shown_prices(_leaf: Leaf, facts: Facts) -> list[int | None]:
    return [line.price for line in _lines(facts)]


def _shown_metadata(leaf: Leaf, facts: Facts) -> list[object]:
    member = property_of(leaf)
    return [member(line.metadata) for line in _lines(facts)]


_AMOUNT: frozenset[Need] = frozenset({"order", "amount"})
_ITEMS: frozenset[Need] = frozenset({"order", "items"})
NAMES = {
    "order.amount": of_number("order", lambda facts: facts.order.total_amount, _AMOUNT),
    "order.initial_amount": of_number("order", _initial_amount, _AMOUNT),
    "order.total_amount": of_number("order", _result_amount, _AMOUNT, of_result=True),
    "order.metadata": of_property("order", lambda facts: facts.order.metadata, frozenset({"order"})),
    "order.items.count": of_number("order", _units, _ITEMS),
    "order.items.price_any": Name("order", _prices(any), _ITEMS, actual=_shown_prices),
    "order.items.price_each": Name("order", _prices(all), _ITEMS, actual=_shown_prices),
    "order.items.metadata_any": Name("order", _metadata(any), _ITEMS, actual=_shown_metadata),
    "order.items.metadata_each": Name("order", _metadata(all), _ITEMS, actual=_shown_metadata),
}
