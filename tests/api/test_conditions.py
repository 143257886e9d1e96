"""Conditions of validation rules through the API: who may have a code, on which order, and what the answer says why not."""

from typing import Any

import pytest

from tests.api.promotions import new_tier, of_tier
from tests.api.shop import amount, code, gift, name, ok, redeem, refused, try_redeem, validate
from tests.servers import Server


def leaf(name: str, conditions: Any, prop: str | None = None, **more: Any) -> dict[str, Any]:
    found = {"name": name, "conditions": conditions, **more}
    return found if prop is None else found | {"property": prop}


def rule(server: Server, **more: Any) -> Any:
    return ok(server.client.post("/v1/validation-rules", json={"name": name("Rule"), **more}))


def assign(server: Server, rule_id: str, object_id: str, related_object_type: str = "voucher") -> None:
    sent = {"related_object_id": object_id, "related_object_type": related_object_type}
    ok(server.client.post(f"/v1/validation-rules/{rule_id}/assignments", json=sent))


def guarded(server: Server, *leaves: dict[str, Any], **more: Any) -> tuple[str, str]:
    """A code for 100 off with one rule of these leaves; (code, rule id)."""
    made = rule(server, rules={str(place): one for place, one in enumerate(leaves, 1)}, **more)
    coupon = code(server.client, amount(100))
    assign(server, made["id"], coupon)
    return coupon, str(made["id"])


BIG = leaf("order.amount", {"$more_than": [1000]})


def test_a_rule_with_conditions_is_shown_as_sent_with_its_logic(server: Server) -> None:
    sent = {"1": BIG, "2": leaf("order.metadata", {"$is": "x"}, "zone", error={"message": "Elsewhere"})}
    made = rule(server, rules=sent)
    assert made["rules"] == {**sent, "logic": "1 and 2"}
    assert ok(server.client.get(f"/v1/validation-rules/{made['id']}")) == made
    changed = ok(server.client.put(f"/v1/validation-rules/{made['id']}", json={"rules": {**sent, "logic": "1 or 2"}}))
    assert changed["rules"]["logic"] == "1 or 2"


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (leaf("order.colour", {"$is": ["red"]}), "rules.1: unknown name 'order.colour'; known are"),
        (leaf("order.amount", {"$roughly": [5]}), "rules.1.conditions: unknown operator '$roughly'"),
        (leaf("customer.segment", {"$more_than": ["seg_1"]}), "unknown operator '$more_than' for customer.segment"),
        (leaf("customer.metadata", {"$is": ["x"]}), "Rule 'customer.metadata' must have a 'property'"),
    ],
)
def test_what_cannot_be_judged_is_refused_where_it_is_written(server: Server, one: dict[str, Any], words: str) -> None:
    sent = {"name": name("Rule"), "rules": {"1": one}}
    error = refused(server.client.post("/v1/validation-rules", json=sent), 400, "invalid_validation_rules")
    assert words in error["details"]


@pytest.mark.parametrize(
    "value",
    [{"id": ["x"], "type": "products_collection"}, {"id": {"a": 1}, "object": "products_collection"}, {"w": 10**30}],
)
def test_metadata_may_be_compared_with_any_value(server: Server, value: Any) -> None:
    coupon, _ = guarded(server, leaf("order.metadata", {"$is": [value]}, "x"))
    redeem(server.client, coupon, order={"amount": 500, "metadata": {"x": value}})


def test_a_code_whose_rule_is_violated_says_so(server: Server) -> None:
    coupon, rule_id = guarded(server, BIG, error={"message": "Buy more"})
    error = refused(try_redeem(server.client, coupon, order=1000), 400, "order_rules_violated")
    assert error["message"] == "order does not match validation rules"
    assert error["details"] == f"Discount Coupon cannot be redeemed because of violated validation rules: {rule_id}"
    assert error["error"] == {"message": "Buy more"}
    result = validate(server.client, coupon, order=1000)["redeemables"][0]["result"]
    assert result["details"] == {"message": "Buy more", "key": "order_rules_violated"}
    assert result["error"]["error"] == {"message": "Buy more"}
    single = ok(server.client.post(f"/v1/vouchers/{coupon}/validate", json={"order": {"amount": 1000}}))
    assert (single["valid"], single["error"]["error"]) == (False, {"message": "Buy more"})
    assert redeem(server.client, coupon, order=1001)["order"]["total_amount"] == 901


def test_a_changed_rule_holds_at_once(server: Server) -> None:
    coupon, rule_id = guarded(server, BIG)
    refused(try_redeem(server.client, coupon, order=1000), 400, "order_rules_violated")
    less = {"rules": {"1": leaf("order.amount", {"$more_than": [999]})}}
    ok(server.client.put(f"/v1/validation-rules/{rule_id}", json=less))
    redeem(server.client, coupon, order=1000)
    ok(server.client.put(f"/v1/validation-rules/{rule_id}", json={"rules": None}))
    redeem(server.client, coupon)


@pytest.mark.parametrize(
    ("one", "sent", "key"),
    [
        (leaf("customer.metadata", {"$is": [1]}, "age"), {"order": 5}, "missing_customer"),
        (BIG, {}, "missing_order"),
        (BIG, {"order": {}}, "missing_amount"),
        (leaf("order.items.count", {"$is": [1]}), {"order": 5}, "missing_order_items"),
        (
            leaf("customer.metadata", {"$is": ["gold"]}, "level"),
            {"order": 5, "customer": {"source_id": "silver-1", "metadata": {"level": "silver"}}},
            "customer_rules_violated",
        ),
        (leaf("redemption.metadata", {"$is": ["pos"]}, "via"), {"metadata": {"via": "web"}}, "redemption_rules_violated"),
        (leaf("redemption.api_key", {"$is": ["someone"]}), {}, "redemption_rules_violated"),
        (
            leaf("publication.redeemable_by_linked_customer", {"$is": [True]}),
            {"customer": {"source_id": "no-holder"}},
            "redemption_rules_violated",
        ),
    ],
)  # fmt: skip
def test_each_family_has_its_key(server: Server, one: dict[str, Any], sent: dict[str, Any], key: str) -> None:
    coupon, _ = guarded(server, one)
    refused(try_redeem(server.client, coupon, **sent), 400, key)
    assert validate(server.client, coupon, **sent)["redeemables"][0]["result"]["error"]["key"] == key


def test_metadata_in_the_request_is_laid_over_the_stored_profile(server: Server) -> None:
    source = name("cust")
    ok(server.client.post("/v1/customers", json={"source_id": source, "metadata": {"level": "gold", "age": 30}}))
    level, age = (
        leaf("customer.metadata", {"$is": ["gold"]}, "level"),
        leaf("customer.metadata", {"$more_than": ["29"]}, "age"),
    )
    coupon, _ = guarded(server, level, age)
    redeem(server.client, coupon, order=500, customer={"source_id": source})
    lowered = {"source_id": source, "metadata": {"level": "silver"}}
    refused(try_redeem(server.client, coupon, order=500, customer=lowered), 400, "customer_rules_violated")


def test_the_cart_is_looked_up_in_the_catalogue(server: Server) -> None:
    source = name("shirt")
    product = ok(server.client.post("/v1/products", json={"name": "Shirt", "metadata": {"brand": "X"}}))
    sku = ok(
        server.client.post(f"/v1/products/{product['id']}/skus", json={"sku": "M", "source_id": source, "price": 700})
    )
    shirts = {
        "name": "order.items.any",
        "conditions": {"$is": [{"id": product["id"], "type": "product_or_sku", "object": "product"}]},
        "rules": {"1": leaf("order.items.aggregated_quantity", {"$more_than_or_equal": [2]}), "logic": "1"},
    }
    coupon, _ = guarded(server, shirts, leaf("product.metadata", {"$is": ["X"]}, "brand"))
    line = {"source_id": source, "related_object": "sku"}
    refused(try_redeem(server.client, coupon, order={"items": [line]}), 400, "order_rules_violated")
    order = redeem(server.client, coupon, order={"items": [{**line, "quantity": 2}]})["order"]
    assert (order["amount"], order["total_amount"]) == (1400, 1300)
    assert sku["product_id"] == product["id"]


def test_the_running_total_counts_within_a_stack(server: Server) -> None:
    coupon, _ = guarded(server, BIG, leaf("order.initial_amount", {"$less_than": [1100]}))
    card = gift(server.client, 100)
    assert validate(server.client, coupon, card, order=1050)["valid"]
    first, second = code(server.client, amount(100)), coupon
    error = refused(try_redeem(server.client, first, second, order=1050), 400, "order_rules_violated")
    assert "Discount Coupon" in error["details"]


def test_the_total_after_the_discount_may_be_limited(server: Server) -> None:
    coupon, _ = guarded(server, leaf("order.total_amount", {"$more_than": [5000]}))
    refused(try_redeem(server.client, coupon, order=5100), 400, "order_rules_violated")
    assert redeem(server.client, coupon, order=5101)["order"]["total_amount"] == 5001


def test_a_tier_is_for_those_its_rule_admits(server: Server) -> None:
    made = rule(server, rules={"1": leaf("order.metadata", {"$in": ["Warsaw"]}, "city")})
    tier_id = new_tier(server.client, amount(100))
    assign(server, made["id"], tier_id, related_object_type="promotion_tier")
    asked = {"redeemables": [of_tier(tier_id)]}
    elsewhere = {**asked, "order": {"amount": 500, "metadata": {"city": "Paris"}}}
    error = refused(server.client.post("/v1/redemptions", json=elsewhere), 400, "order_rules_violated")
    assert error["details"].startswith("Promotion Tier cannot be redeemed")
    ok(server.client.post("/v1/redemptions", json={**asked, "order": {"amount": 500, "metadata": {"city": "Warsaw"}}}))


def test_older_rules_say_what_a_discount_is_for(server: Server) -> None:
    """`discount_applicable` below the products that a rule names stands for `applicable_to`, where a rule has none."""
    marks = {"1": leaf("product.discount_applicable", {"$is": [True]}), "logic": "1"}
    named = leaf("product.id", {"$is": [{"id": "prod_old"}]}, rules=marks)
    made = rule(server, rules={"1": named})
    coupon = code(server.client, {"type": "PERCENT", "percent_off": 50, "effect": "APPLY_TO_ITEMS"})
    assign(server, made["id"], coupon)
    items = [{"product_id": id, "amount": 100, "quantity": 1} for id in ("prod_old", "prod_new")]
    order = redeem(server.client, coupon, order={"items": items})["order"]
    assert (order["amount"], order["total_discount_amount"]) == (200, 50)
    refused(try_redeem(server.client, coupon, order={"items": items[1:]}), 400, "order_rules_violated")


def test_every_context_is_accepted_and_others_are_named(server: Server) -> None:
    contexts = [
        "campaign.referral_program.discount.apply_to_order",
        "earning_rule.custom_event",
        "reward_assignment.pay_with_points",
    ]
    for context in contexts:
        assert rule(server, context_type=context)["context_type"] == context
    sent = {"name": name("Rule"), "context_type": "shop"}
    error = refused(server.client.post("/v1/validation-rules", json=sent), 400, "invalid_payload")
    assert ".context_type" in error["details"]


@pytest.mark.parametrize("kind", ["earning_rule", "distribution", "reward_assignment"])
def test_a_rule_is_assigned_only_to_what_exists(server: Server, kind: str) -> None:
    made = rule(server)
    sent = {"related_object_id": "x_1", "related_object_type": kind}
    error = refused(server.client.post(f"/v1/validation-rules/{made['id']}/assignments", json=sent), 404, "not_found")
    assert error["details"] == f"Cannot find {kind} with id x_1"
