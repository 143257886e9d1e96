"""Benefits on the items of a cart, over HTTP: rules that say where they apply, free units, limits over time, and their undo."""

from typing import Any

import httpx
import pytest

from tests.api.promotions import entry, of_code, product, redeem_all, rule, try_redeem_all, validate_all
from tests.api.shop import amount, code, fixed, name, ok, percent, refused, uses
from tests.servers import Server

ITEMS = {"effect": "APPLY_TO_ITEMS"}
EACH_UNIT = {"effect": "APPLY_TO_ITEMS_BY_QUANTITY"}
SPLIT = {"effect": "APPLY_TO_ITEMS_PROPORTIONALLY"}
SPLIT_BY_UNITS = {"effect": "APPLY_TO_ITEMS_PROPORTIONALLY_BY_QUANTITY"}


def cart(*lines: tuple[str, int]) -> dict[str, Any]:
    return {"items": [{"product_id": product_id, "quantity": quantity} for product_id, quantity in lines]}


def discounts(order: dict[str, Any]) -> list[int]:
    return [item.get("discount_amount", 0) for item in order["items"]]


@pytest.fixture(scope="module")
def goods(server: Server) -> dict[str, str]:
    """Products of a small shop."""
    prices = {"mug": 1000, "poster": 1500, "tshirt": 2000, "bottle": 2500}
    return {kind: product(server.client, price) for kind, price in prices.items()}


@pytest.fixture(scope="module")
def basket(goods: dict[str, str]) -> dict[str, Any]:
    return cart((goods["mug"], 2), (goods["poster"], 3), (goods["tshirt"], 3), (goods["bottle"], 2))


@pytest.fixture(scope="module")
def advertised(server: Server, goods: dict[str, str]) -> str:
    """A rule that includes everything but bottles."""
    return rule(server.client, *(entry(goods[kind]) for kind in ("mug", "poster", "tshirt")))


@pytest.mark.parametrize(
    ("discount", "off", "due"),
    [
        (amount(1000, **ITEMS), [1000, 1000, 1000, 0], 14500),
        (amount(1000, **ITEMS, aggregated_amount_limit=2500), [1000, 1000, 500, 0], 15000),
        (amount(1000, **EACH_UNIT), [2000, 3000, 3000, 0], 9500),
        (amount(1000, **SPLIT), [160, 360, 480, 0], 16500),
        (amount(1000, **SPLIT_BY_UNITS), [250, 375, 375, 0], 16500),
        (percent(10, **ITEMS), [200, 450, 600, 0], 16250),
        (percent(10), [200, 450, 600, 0], 16250),  # without an effect, the rule's products decide
        (percent(50, **ITEMS, amount_limit=2000, aggregated_amount_limit=4500), [1000, 2000, 1500, 0], 13000),
        (fixed(1000, **ITEMS), [0, 1500, 3000, 0], 13000),
    ],
)
def test_a_benefit_acts_on_the_products_of_its_rule(
    server: Server, basket: dict[str, Any], advertised: str, discount: dict[str, Any], off: list[int], due: int
) -> None:
    made = code(server.client, discount, validation_rules=[advertised])
    validated = validate_all(server.client, of_code(made), order=basket)
    assert discounts(validated["order"]) == off
    assert validated["order"]["total_amount"] == due
    redeemed = redeem_all(server.client, of_code(made), order=basket)
    assert discounts(redeemed["order"]) == off
    assert redeemed["order"]["items_discount_amount"] == sum(off)
    assert "discount_amount" not in redeemed["order"]
    undone = ok(server.client.post(f"/v1/redemptions/{redeemed['redemptions'][0]['id']}/rollback"))
    assert (discounts(undone["order"]), undone["order"]["total_amount"]) == ([0, 0, 0, 0], 17500)


def test_answers_say_what_a_benefit_applies_to(server: Server, goods: dict[str, str]) -> None:
    rule_id = rule(
        server.client,
        entry(goods["mug"]),
        applicable_to={"included": [entry(goods["mug"])], "excluded": [entry(goods["bottle"])]},
    )
    made = code(server.client, percent(10, **ITEMS), validation_rules=[rule_id])
    order = cart((goods["mug"], 1), (goods["bottle"], 1))
    (only,) = validate_all(server.client, of_code(made), order=order)["redeemables"]
    for side, kind in (("applicable_to", "mug"), ("inapplicable_to", "bottle")):
        assert (only[side]["total"], only[side]["object"], only[side]["data_ref"]) == (1, "list", "data")
        assert (only[side]["data"][0]["object"], only[side]["data"][0]["id"]) == ("product", goods[kind])
    older = ok(server.client.post(f"/v1/vouchers/{made}/validate", json={"order": order}))
    assert older["applicable_to"] == only["applicable_to"]
    assert older["inapplicable_to"] == only["inapplicable_to"]


def test_every_third_unit_after_the_first(server: Server) -> None:
    item = product(server.client, 700)
    rule_id = rule(server.client, entry(item, target="UNIT", skip_initially=1, repeat=3))
    made = code(server.client, amount(100, **EACH_UNIT), validation_rules=[rule_id])
    validated = validate_all(server.client, of_code(made), order=cart((item, 10)))
    assert (discounts(validated["order"]), validated["order"]["total_amount"]) == ([300], 6700)
    shown = validated["redeemables"][0]["applicable_to"]["data"][0]
    assert shown["order_item_units"] == [{"index": 0, "units": [2, 5, 8]}]


def test_limits_of_units_per_line_and_over_all_lines(server: Server) -> None:
    first, second = product(server.client, 3000), product(server.client, 2000)
    rule_id = rule(
        server.client,
        entry(first, quantity_limit=1, aggregated_quantity_limit=1),
        entry(second, quantity_limit=2, aggregated_quantity_limit=3),
    )
    made = code(server.client, amount(500, **EACH_UNIT), validation_rules=[rule_id])
    found = redeem_all(server.client, of_code(made), order=cart((first, 3), (second, 2), (second, 4)))["order"]
    assert discounts(found) == [500, 1000, 500]
    assert [item["discount_quantity"] for item in found["items"]] == [1, 2, 1]
    assert found["total_amount"] == 19000


def test_without_items_a_benefit_on_products_is_used_up_without_effect(server: Server, advertised: str) -> None:
    made = code(server.client, amount(1000), validation_rules=[advertised])
    redeemed = redeem_all(server.client, of_code(made), order=20000)
    assert redeemed["order"]["total_applied_discount_amount"] == 0
    assert (redeemed["order"]["total_amount"], uses(server.client, made)) == (20000, 1)


def test_a_formula_prices_an_item_by_the_order(server: Server) -> None:
    item, other = product(server.client, 6500), product(server.client, 40000)
    formula = "IF(ORDER_AMOUNT > 300;ORDER_ITEM_PRICE * 0.8;ORDER_ITEM_PRICE)"
    rule_id = rule(server.client, entry(item, price_formula=formula, price=6500))
    made = code(server.client, fixed(6500, **ITEMS), validation_rules=[rule_id])
    assert discounts(redeem_all(server.client, of_code(made), order=cart((item, 1), (other, 1)))["order"]) == [1300, 0]
    assert redeem_all(server.client, of_code(made), order=cart((item, 1)))["order"]["total_amount"] == 6500


# Free units


def free(effect: str, count: int, item: str) -> dict[str, Any]:
    return {"type": "UNIT", "effect": effect, "unit_off": count, "unit_type": item}


def figures(line: dict[str, Any]) -> dict[str, int]:
    return {key: line[key] for key in sorted(line) if key.endswith(("amount", "quantity"))}


def test_missing_units_are_added_and_free(server: Server) -> None:
    red, book, phone = (product(server.client, price) for price in (2900, 1700, 60000))
    made = code(server.client, free("ADD_MISSING_ITEMS", 23, book))
    found = redeem_all(server.client, of_code(made), order=cart((red, 1), (book, 1), (phone, 1)))["order"]
    line = figures(found["items"][1])
    assert (line["quantity"], line["initial_quantity"], line["discount_quantity"]) == (23, 1, 23)
    assert (line["amount"], line["discount_amount"], line["subtotal_amount"]) == (39100, 39100, 0)
    assert (found["amount"], found["initial_amount"]) == (102000, 64600)
    assert (found["items_discount_amount"], found["total_amount"]) == (39100, 62900)


def test_new_units_join_their_line_and_leave_it_on_rollback(server: Server) -> None:
    mug, bottle = product(server.client, 1000), product(server.client, 2500)
    made = code(server.client, free("ADD_NEW_ITEMS", 1, mug))
    redeemed = redeem_all(server.client, of_code(made), order=cart((mug, 1), (bottle, 2)))
    line, found = figures(redeemed["order"]["items"][0]), redeemed["order"]
    assert (line["quantity"], line["initial_quantity"], line["discount_quantity"]) == (2, 1, 1)
    assert (line["amount"], line["initial_amount"], line["discount_amount"]) == (2000, 1000, 1000)
    assert (found["amount"], found["initial_amount"], found["total_amount"]) == (7000, 6000, 6000)
    undone = ok(server.client.post(f"/v1/redemptions/{redeemed['redemptions'][0]['id']}/rollback"))["order"]
    assert figures(undone["items"][0]) == {"amount": 1000, "quantity": 1, "subtotal_amount": 1000}
    assert (undone["amount"], undone["total_amount"], "initial_amount" in undone) == (6000, 6000, False)
    assert ok(server.client.get(f"/v1/orders/{undone['id']}"))["amount"] == 6000


def test_a_free_unit_from_the_catalogue_gets_a_line_of_its_own(server: Server) -> None:
    mug, bottle = product(server.client, 1000), product(server.client, 2500)
    made = code(server.client, free("ADD_NEW_ITEMS", 1, mug))
    redeemed = redeem_all(server.client, of_code(made), order=cart((bottle, 2)))
    line = redeemed["order"]["items"][1]
    assert line["product_id"] == mug
    assert (line["quantity"], line["initial_quantity"], line["amount"], line["subtotal_amount"]) == (1, 0, 1000, 0)
    assert (line["applied_quantity"], line["applied_quantity_amount"]) == (1, 1000)
    assert (redeemed["order"]["amount"], redeemed["order"]["total_amount"]) == (6000, 5000)
    undone = ok(server.client.post(f"/v1/redemptions/{redeemed['redemptions'][0]['id']}/rollback"))["order"]
    assert [item["product_id"] for item in undone["items"]] == [bottle]
    assert (undone["amount"], undone["total_amount"]) == (5000, 5000)


def test_several_kinds_of_free_units_are_one_redemption(server: Server) -> None:
    first, second = product(server.client, 2900), product(server.client, 3100)
    units = [free("ADD_MISSING_ITEMS", 1, first), free("ADD_NEW_ITEMS", 1, second)]
    given = [{key: value for key, value in one.items() if key != "type"} for one in units]
    made = code(server.client, {"type": "UNIT", "effect": "ADD_MANY_ITEMS", "units": given})
    redeemed = redeem_all(server.client, of_code(made), order=cart((first, 1), (second, 1)))
    assert discounts(redeemed["order"]) == [2900, 3100]
    assert (redeemed["order"]["amount"], redeemed["order"]["total_amount"]) == (9100, 3100)
    assert len(redeemed["redemptions"]) == 1


def test_a_free_unit_without_price_shows_no_amounts(server: Server) -> None:
    first, second, shipping = product(server.client, 1200), product(server.client, 3100), product(server.client)
    made = code(server.client, free("ADD_MISSING_ITEMS", 1, shipping))
    found = validate_all(server.client, of_code(made), order=cart((first, 1), (second, 1)))["order"]
    assert figures(found["items"][2]) == {"discount_quantity": 1, "initial_quantity": 0, "quantity": 1}
    assert (found["amount"], found["total_amount"]) == (4300, 4300)
    assert "total_discount_amount" not in found


def test_free_units_then_a_percentage_of_what_is_left(server: Server) -> None:
    item, mug = product(server.client, 5000), product(server.client, 1000)
    codes = code(server.client, free("ADD_NEW_ITEMS", 2, mug)), code(server.client, percent(10))
    found = redeem_all(server.client, *map(of_code, codes), order=cart((item, 1), (mug, 1)))["order"]
    assert (found["amount"], found["items_discount_amount"]) == (8000, 2000)
    assert (found["discount_amount"], found["total_amount"]) == (600, 5400)


def test_a_line_discount_after_a_large_order_discount_takes_what_is_left(server: Server) -> None:
    codes = code(server.client, amount(900)), code(server.client, percent(50, **ITEMS))
    found = redeem_all(server.client, *map(of_code, codes), order=cart((product(server.client, 1000), 1)))["order"]
    assert (discounts(found), found["total_amount"], found["items"][0]["subtotal_amount"]) == ([100], 0, 900)


# Bundles


def test_a_bundle_multiplies_its_benefit_and_says_what_it_found(server: Server) -> None:
    beans, filters = product(server.client, 3000), product(server.client, 2000)
    rule_id = rule(server.client, entry(beans), entry(filters), bundle_rules=bundle((beans, 1), (filters, 1), limit=5))
    made = code(server.client, amount(1000, **SPLIT), validation_rules=[rule_id])
    validated = validate_all(server.client, of_code(made), order=cart((beans, 2), (filters, 2)))
    assert discounts(validated["order"]) == [1200, 800]
    found = validated["redeemables"][0]["result"]["bundle"]
    assert (found["quantity"], found["limit"], "missing" in found) == (2, 5, False)
    assert [(one["id"], one["item_index"], one["item_quantity"]) for one in found["identified"]] == [
        (beans, 0, 2),
        (filters, 1, 2),
    ]
    (lacking,) = validate_all(server.client, of_code(made), order=cart((beans, 2)))["redeemables"]
    assert (lacking["status"], lacking["result"]["error"]["key"]) == ("INAPPLICABLE", "order_rules_violated")
    assert lacking["result"]["bundle"]["quantity"] == 0
    assert lacking["result"]["bundle"]["missing"] == [{"id": filters, "object": "product", "item_quantity": 1}]


def bundle(*parts: tuple[str, int], limit: int) -> dict[str, Any]:
    rules: dict[str, Any] = {
        str(place): {
            "name": "order.items.any",
            "conditions": {"$is": [{"id": item, "type": "product_or_sku", "object": "product"}]},
            "rules": {
                "1": {"name": "order.items.aggregated_quantity", "conditions": {"$is": [units]}, "rules": {}},
                "logic": "1",
            },
        }
        for place, (item, units) in enumerate(parts, 1)
    }
    return {**rules, "logic": " and ".join(rules), "limit": limit}


# Limits over time


def units_given(order: dict[str, Any]) -> int:
    return sum(item.get("applied_discount_amount", 0) for item in order["items"]) // 500


def test_codes_of_one_campaign_share_its_limit(server: Server) -> None:
    item = product(server.client, 1000)
    rule_id = rule(server.client, entry(item, product_campaign_quantity_limit=5))
    campaign_id, first = coupons(server.client, percent(50, **ITEMS), validation_rules=[rule_id])
    more = [ok(server.client.post(f"/v1/campaigns/{campaign_id}/vouchers"))["code"] for _ in range(2)]
    codes = [first, *more]
    given = [units_given(redeem_all(server.client, of_code(one), order=cart((item, 2)))["order"]) for one in codes]
    assert given == [2, 2, 1]
    both = redeem_all(server.client, of_code(codes[0]), of_code(codes[1]), order=cart((item, 2)))
    assert units_given(both["order"]) == 0


# Campaigns


def coupons(client: httpx.Client, discount: dict[str, Any], **more: Any) -> tuple[str, str]:
    """A campaign of discount codes and its only code: (campaign id, code)."""
    body = {
        "name": name("Campaign"),
        "campaign_type": "DISCOUNT_COUPONS",
        "voucher": {"type": "DISCOUNT_VOUCHER", "discount": discount},
        **more,
    }
    made = str(ok(client.post("/v1/campaigns", json=body))["id"])
    return made, str(ok(client.post(f"/v1/campaigns/{made}/vouchers"))["code"])


def test_a_code_follows_the_switch_and_the_category_of_its_campaign(server: Server) -> None:
    category = ok(server.client.post("/v1/categories", json={"name": name("N"), "hierarchy": 3}))
    campaign_id, made = coupons(server.client, percent(10), category_id=category["id"])
    expand = {"expand": ["redeemable", "category"]}
    (shown,) = validate_all(server.client, of_code(made), order=5, options=expand)["redeemables"]
    assert (shown["campaign_id"], [one["id"] for one in shown["categories"]]) == (campaign_id, [category["id"]])
    redeemed = redeem_all(server.client, of_code(made), order=1000)
    only = redeemed["redemptions"][0]
    assert redeemed["order"]["redemptions"][only["id"]]["related_object_parent_id"] == campaign_id
    assert ok(server.client.get(f"/v1/redemptions/{only['id']}"))["related_object_parent_id"] == campaign_id
    ok(server.client.post(f"/v1/campaigns/{campaign_id}/disable"))
    refused(try_redeem_all(server.client, of_code(made), order=5), 400, "voucher_disabled")
    ok(server.client.post(f"/v1/campaigns/{campaign_id}/enable"))
    redeem_all(server.client, of_code(made), order=5)


def test_the_codes_of_a_deleted_campaign_are_gone_at_once(server: Server) -> None:
    campaign_id, made = coupons(server.client, percent(10))
    done = redeem_all(server.client, of_code(made), order=1000)["redemptions"][0]["id"]
    assert server.client.delete(f"/v1/campaigns/{campaign_id}").status_code in (200, 202)
    refused(try_redeem_all(server.client, of_code(made), order=5), 404, "not_found")
    assert ok(server.client.post(f"/v1/redemptions/{done}/rollback"))["order"]["total_amount"] == 1000
