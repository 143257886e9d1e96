"""Limits over time on the units a promotion tier discounts: shared by all customers or for each, given back by an undo."""

from typing import Any

import httpx

from tests.api.promotions import (
    entry,
    of_tier,
    product,
    promotion,
    redeem_all,
    rule,
    tier,
    tier_ids,
    validate_all,
)
from tests.api.shop import name, ok, percent
from tests.servers import Server

ITEMS = {"effect": "APPLY_TO_ITEMS"}


def cart(*lines: tuple[str, int]) -> dict[str, Any]:
    return {"items": [{"product_id": product_id, "quantity": quantity} for product_id, quantity in lines]}


def limited_tier(client: httpx.Client, limit: str, most: int) -> tuple[str, str]:
    """A tier that discounts at most so many units of a product over time, and the product."""
    item = product(client, 1000)
    rule_id = rule(client, entry(item, **{limit: most}))
    made = promotion(client, tier(percent(50, **ITEMS), validation_rules=[rule_id]))
    return tier_ids(made)[0], item


def units_given(order: dict[str, Any]) -> int:
    return sum(item.get("applied_discount_amount", 0) for item in order["items"]) // 500


def test_units_of_a_tier_are_limited_over_time_and_come_back_with_a_rollback(server: Server) -> None:
    tier_id, item = limited_tier(server.client, "product_promotion_tier_quantity_limit", 5)
    first = redeem_all(server.client, of_tier(tier_id), order=cart((item, 3)))
    second = redeem_all(server.client, of_tier(tier_id), order=cart((item, 3)))
    third = redeem_all(server.client, of_tier(tier_id), order=cart((item, 3)))
    assert [units_given(done["order"]) for done in (first, second, third)] == [3, 2, 0]
    ok(server.client.post(f"/v1/redemptions/{first['redemptions'][0]['id']}/rollback"))
    assert units_given(validate_all(server.client, of_tier(tier_id), order=cart((item, 9)))["order"]) == 3
    assert units_given(redeem_all(server.client, of_tier(tier_id), order=cart((item, 9)))["order"]) == 3
    server.verify()


def test_units_are_limited_for_each_customer(server: Server) -> None:
    tier_id, item = limited_tier(server.client, "product_customer_promotion_tier_quantity_limit", 2)
    ann, bob = {"source_id": name("ann")}, {"source_id": name("bob")}
    given = [
        units_given(redeem_all(server.client, of_tier(tier_id), order=cart((item, 2)), customer=who)["order"])
        for who in (ann, ann, bob)
    ]
    assert given == [2, 0, 2]
