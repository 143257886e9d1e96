"""Older names of conditions, and those about events."""

from typing import Any

import msgspec
import pytest

from largesse.engine.rules import compile_rules
from tests.engine.ruled import UTC_FACTS, holds, leaf, rules

MARKED = rules(leaf("product.discount_applicable", {"$is": [True]}), leaf("product.quantity", {"$is": [3]}))

MARKED_BY_METADATA = rules(leaf("product.metadata.discount_applicable", {"$is": [True]}))


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (leaf("product.price", {"$is": [2500]}), True),
        (leaf("product.price", {"$is": [2501]}), False),
        (leaf("product.quantity", {"$less_than": [2]}), True),
        (leaf("sku.price", {"$is": [2000]}), True),
        (leaf("sku.price", {"$is": [1000]}), False),  # no line of that price names a SKU
        (leaf("sku.quantity", {"$more_than": [2]}), True),
        (leaf("product.discount_applicable", {"$is": [True]}), True),
        (leaf("sku.discount_applicable", {"$is": ["true"]}), True),
        (leaf("product.id", {"$is": ["prod_shirt"]}, rules=MARKED), True),
        (leaf("product.id", {"$is": ["prod_mug"]}, rules=MARKED), False),
        (leaf("product.metadata", {"$is_unknown": [""]}, "brand", rules=MARKED_BY_METADATA), True),
        (leaf("redemption.user.login", {"$is_unknown": [""]}), True),
        (leaf("redemption.user.login", {"$starts_with": ["a"]}), False),
    ],
)  # fmt: skip
def test_older_names_are_judged_as_documented(one: dict[str, Any], expected: bool) -> None:
    assert holds(one) is expected


@pytest.mark.parametrize(
    ("event", "conditions", "expected"),
    [
        ({"page": "home"}, {"$is": ["home"]}, True),
        ({"page": "cart"}, {"$is": ["home"]}, False),
        ({}, {"$is_not": ["home"]}, True),
        (None, {"$is_not": ["home"]}, False),  # nothing happened
    ],
)
def test_a_condition_on_an_event_needs_one(event: dict[str, Any] | None, conditions: Any, expected: bool) -> None:
    found = compile_rules(rules(leaf("custom_event.metadata", conditions, "page")))
    assert found is not None
    assert (found.blame(msgspec.structs.replace(UTC_FACTS, event=event)) is None) is expected
