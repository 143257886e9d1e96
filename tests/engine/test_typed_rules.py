"""Conditions on metadata by the types of its schema."""

from typing import Any

import pytest

from largesse.engine.rules.typed import typed

TYPES = {"customer": {"code": "string", "joined": "date", "age": "number"}, "order_item": {"sku": "string"}}


def leaf(property: str, name: str = "customer.metadata", **conditions: Any) -> dict[str, Any]:
    return {"name": name, "property": property, "conditions": {f"${key}": value for key, value in conditions.items()}}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (leaf("code", **{"is": [7, "x", True]}), leaf("code", **{"is": ["7", "x", True]})),
        (leaf("code", **{"is": 1.5}), leaf("code", **{"is": ["1.5"]})),
        (leaf("joined", more_than=[7]), leaf("joined", more_than_ago=[7])),
        (leaf("joined", less_than="7"), leaf("joined", less_than_ago=["7"])),
        (leaf("joined", more_than=["2026-03-01"]), leaf("joined", more_than=["2026-03-01"])),
        (leaf("joined", after=["2026-03-01"]), leaf("joined", after=["2026-03-01"])),
        (leaf("age", more_than=[7]), leaf("age", more_than=[7])),
        (leaf("other", more_than=[7]), leaf("other", more_than=[7])),
        (leaf("code", "order.metadata", more_than=[7]), leaf("code", "order.metadata", more_than=[7])),
    ],
)
def test_a_condition_means_what_its_type_says(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert typed({"1": before, "logic": "1"}, TYPES) == {"1": after, "logic": "1"}


def test_rules_within_rules_have_types_too() -> None:
    rules = {"1": {"name": "order.items.any", "rules": {"1": leaf("sku", "order.items.metadata", **{"is": [7]})}}}
    assert typed(rules, TYPES)["1"]["rules"]["1"]["conditions"] == {"$is": ["7"]}


def test_what_is_no_rule_stays_as_it_is() -> None:
    rules = {"1": {"name": 5, "conditions": "x"}, "2": {"name": "order.amount", "conditions": {"$is": [1]}}, "3": None}
    assert typed(rules, TYPES) == rules
