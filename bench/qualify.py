"""Qualifications among ever more promotions, of which as many match as before: what grows is what is not looked at."""

from collections.abc import Iterator
from statistics import median
from typing import Any

from bench.scenarios import Requests, Shop

HEADER = ("live tiers", "matching", "p50 ms", "p99 ms", "per second", "first after a change ms")
COUNTS = (10, 1_000, 10_000)
MATCHING = 5
_TIERS_OF_CAMPAIGN = 100
_DISCOUNT = {"type": "PERCENT", "percent_off": 10}
_ORDER = {
    "items": [{"product_id": "mug", "quantity": 2, "price": 1_000}, {"product_id": "tea", "quantity": 1, "price": 500}]
}
_CUSTOMER = {"source_id": "ann", "metadata": {"level": "gold"}}
REQUEST: Requests = [("/v1/qualifications", {"order": _ORDER, "customer": _CUSTOMER, "options": {"limit": 5}})]


def _condition(name: str, operator: str, value: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "conditions": {operator: [value]}, **more}


def _rules(number: int) -> dict[str, Any]:
    """Mixed rules: of products, of the customer, of the order's amount, of its metadata; the first few match the request."""
    matches = number < MATCHING
    mug = {"id": "mug" if matches else f"product-{number}", "object": "product"}
    leaves = [
        [_condition("order.items.any", "$is", mug)],
        [_condition("customer.metadata", "$is", "gold" if matches else f"level-{number}", property="level")],
        [
            _condition("order.initial_amount", "$more_than_or_equal", 2_000 if matches else 10_000 + number),
            _condition("customer.metadata", "$is", "gold", property="level"),
        ],
        [
            _condition("order.items.any", "$is", mug),
            _condition("order.initial_amount", "$more_than_or_equal", 1_000),
        ],
        [_condition("order.initial_amount", "$more_than_or_equal", 2_500 if matches else 10_000 + number)],
    ][number % 5]
    return {str(place): one for place, one in enumerate(leaves, 1)}


def prepare(shop: Shop, present: int, wanted: int) -> None:
    """Brings the number of live tiers from `present` to `wanted`, each with a rule of its own."""
    for first in range(present, wanted, _TIERS_OF_CAMPAIGN):
        numbers = range(first, min(first + _TIERS_OF_CAMPAIGN, wanted))
        rules: Requests = [("/v1/validation-rules", {"name": f"Rule {one}", "rules": _rules(one)}) for one in numbers]
        made = shop.send(rules, connections=1, collect='"id":"(val_[0-9A-Za-z]+)"')["collected"]
        tiers = [
            {"name": f"Tier {rule_id}", "action": {"discount": _DISCOUNT}, "validation_rules": [rule_id]}
            for rule_id in made
        ]
        campaign = {"name": f"Campaign {first}", "campaign_type": "PROMOTION", "promotion": {"tiers": tiers}}
        shop.send([("/v1/campaigns", campaign)], connections=1)


def rows(shop: Shop, rounds: int, seconds: float) -> Iterator[list[str]]:
    """For each number of tiers: the first qualification after a definition changed, and the ones that follow."""
    present = 0
    for count in COUNTS:
        prepare(shop, present, count)
        present = count
        firsts = [_first(shop, f"{count}-{round}") for round in range(rounds)]
        found = [shop.send(REQUEST, connections=1, seconds=seconds) for _ in range(rounds)]
        p50, p99, rate = (median(one[name] for one in found) for name in ("p50_ms", "p99_ms", "per_second"))
        yield [f"{count:,}", str(MATCHING), f"{p50:.1f}", f"{p99:.1f}", f"{rate:,.0f}", f"{median(firsts):.0f}"]


def _first(shop: Shop, name: str) -> float:
    """Milliseconds of the first one after a definition was made, which the index has to follow."""
    shop.send([("/v1/validation-rules", {"name": f"One more {name}", "rules": _rules(MATCHING)})], connections=1)
    milliseconds: float = shop.send(REQUEST, connections=1)["p50_ms"]
    return milliseconds
