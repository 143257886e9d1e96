"""Conditions on who redeems."""

from collections.abc import Callable

from largesse.engine.customer import CustomerFacts
from largesse.engine.rules.documents import RuleFault
from largesse.engine.rules.facts import Facts
from largesse.engine.rules.leaves import Compile, Leaf, Name, Test, id_of, metadata
from largesse.engine.rules.operators import conditions_of, values_of

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


NAMES = {
    "customer.metadata": Name(
        "customer", metadata(lambda facts: facts.customer.metadata if facts.customer else None), frozenset({"customer"})
    ),
    SEGMENT: Name("segment", _belonging(lambda customer, id: customer.is_in(id)), frozenset({"customer"})),
    TIER: Name("customer", _belonging(lambda customer, id: customer.holds(id)), frozenset({"customer"})),
}
