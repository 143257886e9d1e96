"""Conditions on how often, and how far, a code, tier or campaign was redeemed; the redemption being judged counts already."""

import math
from typing import get_args

from largesse.engine.rules.facts import Count, Facts, Period
from largesse.engine.rules.leaves import Compile, Leaf, Name, Test
from largesse.engine.rules.operators import OF_NUMBER, compile_conditions, values_of
from largesse.engine.rules.values import written_number
from largesse.engine.rules.verdicts import Need

_PERIODS: tuple[Period | None, ...] = (None, *get_args(Period))
_UPPER = ("$less_than", "$less_than_or_equal", "$less_than_equal")
_OUT_OF_REACH = 2**62  # no sum comes near; the store could not hold a bound much beyond
_CUSTOMER: frozenset[Need] = frozenset({"customer"})


def _counted(count: Count) -> Compile:
    """Where nothing is counted, as for the campaign of a code that has none, the condition holds (documented)."""

    def compiled(leaf: Leaf, place: str) -> Test:
        check = compile_conditions(leaf, place, OF_NUMBER)

        def test(facts: Facts) -> bool:
            found = facts.counted(count)
            return found is None or check(found, facts)

        return test

    return compiled


def most_of(leaf: Leaf) -> int | None:
    """The highest count that a compiled condition lets through; None where it has no upper bound that a count could reach."""
    bounds = [
        math.ceil(bound) - 1 if operator == "$less_than" else math.floor(bound)
        for operator in _UPPER
        for value in (values_of(leaf["conditions"][operator]) if operator in leaf["conditions"] else ())
        if (bound := written_number(value)) is not None
    ]
    most = min(bounds, default=_OUT_OF_REACH)
    return most if most < _OUT_OF_REACH else None


def _name(count: Count) -> Name:
    return Name(
        "redemption",
        _counted(count),
        _CUSTOMER if count.per == "customer" else frozenset(),
        of_result=count.measure != "uses",
        count=count,
        actual=lambda _leaf, facts: facts.counted(count),
    )


def _names(prefix: str, count: Count) -> dict[str, Name]:
    """One name for all time, and one for each period."""
    return {
        f"{prefix}.{period}" if period else prefix: _name(Count(count.of, count.measure, period, count.per))
        for period in _PERIODS
    }


NAMES = {
    **_names("redemption.count", Count("itself")),
    **_names("redemption.count.per_customer", Count("itself", per="customer")),
    "redemption.count.per_api_key": _name(Count("itself", per="api_key")),
    "redemption.count.per_user": _name(Count("itself", per="user")),
    **_names("campaign.redemptions.count", Count("campaign")),
    **_names("campaign.redemptions.customers_count", Count("campaign", per="customer")),
    "campaign.orders.amount": _name(Count("campaign", "orders")),
    "campaign.orders.amount_discounted": _name(Count("campaign", "discounts")),
    "redemption.gift.amount": _name(Count("campaign", "credits")),
}
