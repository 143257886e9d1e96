"""Conditions on who redeems."""

from collections.abc import Callable

from largesse.engine.customer import CustomerFacts
from largesse.engine.rules.documents import RuleFault
from largesse.engine.rules.facts import Facts
from largesse.engine.rules.leaves import Compile, Leaf, Name, Test, id_of, of_property
from largesse.engine.rules.operators import conditions_of, values_of
from largesse.engine.rules.verdicts import Group

SEGMENT = "customer.segment"
TIER = "customer.loyalty.tier"
_ANY, _NONE = ("$is", "$in"), ("$is_not", "$not_in")


def _belonging(belongs: Callable[[CustomerFacts, str], bool]) -> Compile:
    """To any of the segments or tiers that are named, or to none of them (documented)."""

    def compiled(leaf: Leaf, place: str) -> Test:
        asked = _asked(leaf, place)
        if not asked:
            raise RuleFault(f"{place}.conditions should have at least one operator")
        checks = tuple((operator in _ANY, ids) for operator, ids in asked.items())

        def test(facts: Facts) -> bool:
            customer = facts.customer
            if customer is None:
                return False
            return all(any(belongs(customer, id) for id in ids) is wanted for wanted, ids in checks)

        return test

    return compiled


def segments_of(leaf: Leaf, place: str) -> frozenset[str]:
    """The segments that a condition looks at; none where it is about anything else. Raises RuleFault."""
    if leaf["name"] != SEGMENT:
        return frozenset()
    return frozenset(id for ids in _asked(leaf, place).values() for id in ids)


def _asked(leaf: Leaf, place: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for operator, sent in conditions_of(leaf, place).items():
        if operator not in (*_ANY, *_NONE):
            known = ", ".join(sorted((*_ANY, *_NONE)))
            raise RuleFault(f"{place}.conditions: unknown operator '{operator}' for {leaf['name']}; known are {known}")
        try:
            found[operator] = [id_of(one) for one in values_of(sent)]
        except ValueError as error:
            raise RuleFault(f"{place}.conditions.{operator} {error}") from None
    return found


def _belongs(group: Group, belongs: Callable[[CustomerFacts, str], bool]) -> Name:
    """A name for what a customer belongs to; an explanation tells it as far as the condition names it."""

    def named(leaf: Leaf, facts: Facts) -> list[str]:
        customer = facts.customer
        ids = {id for ids in _asked(leaf, "rules").values() for id in ids}
        return sorted(id for id in ids if customer is not None and belongs(customer, id))

    return Name(group, _belonging(belongs), frozenset({"customer"}), actual=named)


NAMES = {
    "customer.metadata": of_property(
        "customer", lambda facts: facts.customer.metadata if facts.customer else None, frozenset({"customer"})
    ),
    SEGMENT: _belongs("segment", lambda customer, id: customer.is_in(id)),
    TIER: _belongs("customer", lambda customer, id: customer.holds(id)),
}
