"""Conditions of validation rules: which hold for whom and what, and which one is blamed."""

from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from largesse.engine.books import Category
from largesse.engine.customer import CustomerFacts
from largesse.engine.discounts import UnitDiscount
from largesse.engine.order import Catalog, CatalogEntry, Line, Order
from largesse.engine.rules import Violation, compile_rules
from largesse.engine.stacking import StackingRules
from tests.engine.carts import (
    amount_off,
    ask,
    ask_tier,
    card,
    code,
    keys,
    percent_off,
    tier,
)
from tests.engine.ruled import (
    BOTTLE,
    CART,
    MUG,
    PC_WEAR,
    SHIRT,
    SHIRT_ONLY,
    UTC_FACTS,
    coupon,
    holds,
    item,
    judged,
    leaf,
    rule_set,
    rules,
    sub,
)


@pytest.mark.parametrize(
    ("name", "conditions", "expected"),
    [
        ("order.amount", {"$more_than": [10000]}, True),
        ("order.amount", {"$more_than": [10500]}, False),
        ("order.amount", {"$more_than_or_equal": [10500]}, True),
        ("order.amount", {"$greater_than_or_equal": ["10500"]}, True),
        ("order.amount", {"$less_than_equal": 10500}, True),
        ("order.amount", {"$less_than": [10500]}, False),
        ("order.amount", {"$more_than": [10000], "$less_than": [10500]}, False),
        ("order.amount", {"$more_than": [10000, 10500]}, False),
        ("order.amount", {"$is": [10500, 1]}, True),
        ("order.amount", {"$not_in": [10500, 1]}, False),
        ("order.amount", {"$has_value": ""}, True),
        ("order.initial_amount", {"$is": [10500]}, True),
        ("order.items.count", {"$is": [6]}, True),
        ("order.items.price_any", {"$is": [2500]}, True),
        ("order.items.price_each", {"$more_than": [1000]}, False),
        ("order.items.price_each", {"$more_than_or_equal": [1000]}, True),
    ],
)
def test_an_order_is_judged_by_its_numbers(name: str, conditions: dict[str, Any], expected: bool) -> None:
    assert holds(leaf(name, conditions)) is expected


def test_free_units_are_not_counted() -> None:
    given = Line(product_id="prod_hat", price=1, quantity=2, amount=2, initial_quantity=0)
    assert holds(leaf("order.items.count", {"$is": [1]}), Order(amount=3, lines=(Line(quantity=1), given)))


def test_amounts_under_way_are_those_of_the_running_order() -> None:
    sets = rule_set(leaf("order.amount", {"$more_than": [1000]}), leaf("order.initial_amount", {"$less_than": [1100]}))
    present = ask(card(100), 100)
    order = Order(amount=1050)
    assert keys(judged(order, coupon(sets), present)) == ["APPLICABLE", "APPLICABLE"]
    partial = StackingRules(redeemables_application_mode="PARTIAL", redeemables_sorting_rule="REQUESTED_ORDER")
    gift_first = judged(order, present, coupon(sets), rules=partial)
    assert keys(gift_first) == ["APPLICABLE", "order_rules_violated"]
    alone = rule_set(leaf("order.initial_amount", {"$less_than": [1100]}))
    assert judged(order, present, coupon(alone)).valid


def test_of_two_percentages_the_second_sees_what_the_first_left() -> None:
    partial = StackingRules(redeemables_application_mode="PARTIAL", redeemables_sorting_rule="REQUESTED_ORDER")
    limited = rule_set(leaf("order.amount", {"$more_than": [10000]}))
    ten, twenty = ask(code(percent_off(10), "v_10")), ask(code(percent_off(20), "v_20"), None, None, limited)
    assert keys(judged(CART, ten, twenty, rules=partial)) == ["APPLICABLE", "order_rules_violated"]
    reversed_order = judged(CART, twenty, ten, rules=partial)
    assert reversed_order.order is not None
    assert reversed_order.order.total_amount == 7560


@pytest.mark.parametrize(("off", "expected"), [(5500, False), (5000, True)])
def test_the_total_is_judged_after_the_discount(off: int, expected: bool) -> None:
    sets = rule_set(leaf("order.total_amount", {"$more_than": [5000]}))
    assert judged(CART, coupon(sets, off=off)).valid is expected


def test_an_exclusive_code_is_probed_by_its_total_too() -> None:
    sets = rule_set(leaf("order.total_amount", {"$more_than": [5000]}))
    strict = StackingRules(exclusive_categories=["cat_1"], redeemables_application_mode="PARTIAL")
    exclusive = coupon(sets, off=6000, id="v_x", category=Category("cat_1", "X", 1))
    assert keys(judged(CART, exclusive, coupon(), rules=strict)) == ["order_rules_violated", "APPLICABLE"]


def test_an_effect_that_cannot_be_had_is_the_reason_before_the_rules() -> None:
    huge = UnitDiscount(unit_off=10**9, unit_type="prod_gold", effect="ADD_MISSING_ITEMS")
    gold = Catalog(products={"prod_gold": CatalogEntry("prod_gold", price=10**14)})
    asked = ask(code(huge), None, None, rule_set(leaf("order.total_amount", {"$more_than": [0]})))
    assert keys(judged(CART, asked, catalog=gold)) == ["invalid_amount"]


# Items


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (item("any", SHIRT, subs=(sub("aggregated_quantity", {"$more_than_or_equal": [3]}),)), True),
        (item("any", SHIRT, subs=(sub("aggregated_quantity", {"$more_than_or_equal": [4]}),)), False),
        (item("any", SHIRT), True),
        (item("any", "prod_shirt"), True),
        (item("any", "sku_m"), True),
        (item("any", {"id": "sku_l", "object": "sku"}), False),
        (item("any"), True),
        (item("any", MUG, source=PC_WEAR), False),
        (item("every", PC_WEAR), False),
        (item("none", {"id": "prod_hat", "object": "product"}), True),
        (item("none", MUG), False),
        (item("most_expensive", BOTTLE), True),
        (item("most_expensive", SHIRT), False),
        (item("most_expensive", SHIRT, source=PC_WEAR), True),
        (item("cheapest", MUG, subs=(sub("quantity", {"$more_than": [2]}),)), False),
        (item("cheapest", MUG, subs=(sub("quantity", {"$is": [2]}),)), True),
        (item("any", SHIRT, subs=(sub("metadata", {"$is": ["red"]}, "color"),)), True),
        (item("any", MUG, SHIRT, subs=(sub("price", {"$is": 1000}), sub("quantity", {"$is": 3})), logic="1 and 2"), False),
        (item("any", MUG, SHIRT, subs=(sub("price", {"$is": 1000}), sub("quantity", {"$is": 3})), logic="1 or 2"), True),
        (item("any", PC_WEAR, subs=(sub("aggregated_amount", {"$more_than": [5999]}),)), True),
        (item("any", MUG, SHIRT, subs=(sub("aggregated_amount", {"$is": [1]}),)), False),
        (item("any", MUG, SHIRT, subs=(sub("aggregated_quantity", {"$is": [1]}),)), False),
        (leaf("order.items.any", {"$is_not": [MUG, SHIRT, BOTTLE]}), False),
        (leaf("order.items.any", {"$not_in": [MUG]}), True),
        (leaf("order.items.metadata_any", {"$is": ["red"]}, "color"), True),
        (leaf("order.items.metadata_each", {"$is": ["red"]}, "color"), False),
        (leaf("product.id", {"$is": ["prod_mug"]}), True),
        (leaf("product.id", {"$is": [{"id": "prod_hat"}]}), False),
        (leaf("product.id", {"$is_not": ["prod_mug"]}), False),
        (leaf("product.id", {"$not_in": ["prod_hat"]}), True),
        (leaf("product.id", {"$is": ["prod_mug"]}, rules=rules(leaf("product.price", {"$less_than": 1000}))), False),
        (leaf("sku.id", {"$in": ["sku_m"]}, rules=rules(leaf("sku.quantity", {"$is": 3}))), True),
    ],
)  # fmt: skip
def test_a_cart_is_judged_by_its_items(one: dict[str, Any], expected: bool) -> None:
    assert holds(one) is expected


def test_every_item_matches_where_the_cart_has_nothing_else() -> None:
    assert holds(item("every", PC_WEAR), SHIRT_ONLY)
    assert holds(item("every", PC_WEAR, subs=(sub("price", {"$is": 2000}),)), SHIRT_ONLY)
    assert not holds(item("every", PC_WEAR, subs=(sub("price", {"$is": 1}),)), SHIRT_ONLY)


def test_without_prices_nothing_is_cheapest() -> None:
    assert not holds(item("cheapest"), Order(amount=1, lines=(Line(product_id="prod_mug"),)))


def test_an_item_known_by_its_source_id() -> None:
    line = Line(source_id="shop-1", price=1, amount=1)
    assert holds(item("any", {"object": "product", "source_id": "shop-1"}), Order(amount=1, lines=(line,)))
    assert holds(item("any", {"id": "prod_x", "source_id": "shop-1"}), Order(amount=1, lines=(line,)))


@pytest.mark.parametrize(
    ("subs", "expected"),
    [
        ((), True),
        ((leaf("product.metadata.aggregated_quantity", {"$is": [3]}),), True),
        ((leaf("product.metadata.aggregated_amount", {"$is": [800]}),), True),
        ((leaf("product.metadata.match_all", {"$is": [True]}),), False),
    ],
)
def test_products_are_judged_by_their_metadata(subs: tuple[dict[str, Any], ...], expected: bool) -> None:
    first = Line(product={"metadata": {"brand": "X"}}, quantity=2, amount=600)
    second = Line(product={"metadata": {"brand": "Y"}}, sku={"metadata": {"brand": "X"}}, amount=200)
    other = Line(product={"id": "prod_1"}, amount=5)
    order = Order(amount=805, lines=(first, second, other))
    one = leaf("product.metadata", {"$is": ["X"]}, "brand", rules=rules(*subs))
    assert holds(one, order) is expected


# Metadata


@pytest.mark.parametrize(
    ("prop", "conditions", "expected"),
    [
        ("tags", {"$is": ["b", "a"]}, True),
        ("tags", {"$is": ["a"]}, False),
        ("tags", {"$is": ["a", "b", "c"]}, False),
        ("tags", {"$is_not": ["a"]}, True),
        ("tags", {"$in": ["a"]}, True),
        ("tags", {"$not_in": ["c"]}, True),
        ("tags", {"$contains": ["a", "c"]}, False),
        ("tags", {"$contains": ["a", "b"]}, True),
        ("tags", {"$not_contain": ["a", "c"]}, False),
        ("tags", {"$count": [2]}, True),
        ("tags", {"$count_more": [2]}, False),
        ("tags", {"$count_less": ["3"]}, True),
        ("tags", {"$starts_with": ["b"]}, True),
        ("tags", {"$not_differ": ["a", "b", "c"]}, True),
        ("tags", {"$not_differ": ["a"]}, False),
        ("tags", {"$not_intersect": ["c"]}, True),
        ("none", {"$is": []}, True),
        ("none", {"$not_differ": []}, True),
        ("none", {"$has_value": [""]}, True),
        ("missing", {"$is": []}, True),
        ("missing", {"$is": ["x"]}, False),
        ("missing", {"$is_not": ["x"]}, True),
        ("missing", {"$not_in": ["x"]}, True),
        ("missing", {"$contains": ["x"]}, False),
        ("missing", {"$not_contain": ["x"]}, True),
        ("missing", {"$not_intersect": ["x"]}, True),
        ("missing", {"$not_differ": ["x"]}, False),
        ("missing", {"$is_unknown": [""]}, True),
        ("missing", {"$has_value": [""]}, False),
        ("missing", {"$count": [0]}, True),
        ("missing", {"$count_less": [1]}, True),
        ("missing", {"$more_than": [0]}, False),
        ("missing", {"$after": ["2020-01-01"]}, False),
        ("age", {"$is": ["30"]}, True),
        ("age", {"$is": ["30.0"]}, True),
        ("age", {"$more_than": ["29.5"]}, True),
        ("age", {"$more_than": ["2020-01-01"]}, False),
        ("age", {"$starts_with": ["3"]}, False),
        ("age", {"$is_days_ago": [1]}, False),
        ("age", {"$dow": [1]}, False),
        ("age", {"$after": ["2020-01-01"]}, False),
        ("ratio", {"$is": ["0.1"]}, True),
        ("vip", {"$is": [True]}, True),
        ("vip", {"$is": ["true"]}, True),
        ("vip", {"$is": [1]}, False),
        ("vip", {"$more_than": [0]}, False),
        ("size", {"$is": [{"w": 1}]}, True),
        ("address.zip", {"$ends_with": ["-001"]}, True),
        ("address.zip", {"$starts_with": ["x", "10"]}, True),
        ("address.zip", {"$contains": ["x", "0-0"]}, True),
        ("address.zip", {"$contains": [5]}, False),
        ("address.zip", {"$not_contain": ["0-0"]}, False),
        ("address.zip.more", {"$is_unknown": ""}, True),
        ("a.b", {"$is": ["dotted"]}, True),
        ("joined", {"$more_than_ago": [7]}, True),
        ("joined", {"$more_than_ago": [8]}, False),
        ("joined", {"$is_days_ago": [8]}, True),
        ("joined", {"$less_than_ago": [9]}, True),
        ("joined", {"$less_than_future": [9]}, False),
        ("joined", {"$after": ["2026-03-09"]}, True),
        ("joined", {"$before": ["2026-03-10"]}, False),
        ("joined", {"$before": ["2026-03-11"]}, True),
        ("joined", {"$is": ["2026-03-10T00:00:00Z"]}, True),
        ("joined", {"$is": ["2026-03-10T01:00:00Z"]}, False),
        ("joined", {"$more_than_or_equal": ["2026-03-10"]}, True),
        ("joined", {"$dow": [2]}, True),
        ("joined", {"$dow": ["0", "1"]}, False),
        ("next", {"$more_than_future": [1]}, True),
        ("next", {"$more_than_future": [2]}, False),
        ("next", {"$less_than_future": [3]}, True),
        ("next", {"$is_days_in_future": [1, 2]}, True),
        ("seen", {"$is_days_ago": [0]}, True),
        ("seen", {"$less_than_ago": [5]}, False),
        ("seen", {"$timeframe": ["2026-03-17T11:30:00Z;P1D;PT1H"]}, True),
        ("seen", {"$timeframe": ["2026-03-17T11:29:00Z;P1D;PT30M"]}, False),
        ("seen", {"$timeframe_absolute": ["2026-03-18;2026-03-18T12:00:00Z"]}, True),
        ("seen", {"$timeframe_absolute": ["2026-03-19;2026-03-20"]}, False),
        ("seen", {"$timeframe_daily_hours": ["09:00;12:00;3"]}, False),
        ("seen", {"$timeframe_daily_hours": ["09:00;12:01;3,4"]}, True),
        ("seen", {"$timeframe_daily_hours": ["09:00;12:01"]}, True),
        ("last", {"$timeframe": ["2026-03-17;P9999Y;P9999Y"]}, True),  # it opened and never closes
    ],
)  # fmt: skip
def test_a_customer_is_judged_by_their_metadata(prop: str, conditions: dict[str, Any], expected: bool) -> None:
    assert holds(leaf("customer.metadata", conditions, prop)) is expected


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"$is": ["seg_vip", "seg_x"]}, True),
        ({"$in": [{"id": "seg_vip", "object": "segment"}]}, True),
        ({"$is": ["seg_x"]}, False),
        ({"$is": []}, False),
        ({"$is_not": ["seg_x"]}, True),
        ({"$not_in": ["seg_x", "seg_vip"]}, False),
        ({"$is": ["seg_vip"], "$is_not": ["seg_new"]}, False),
    ],
)
def test_a_customer_is_judged_by_their_segments(conditions: dict[str, Any], expected: bool) -> None:
    ann = CustomerFacts("cust_ann", is_in=lambda id: id in ("seg_vip", "seg_new"))
    assert holds(leaf("customer.segment", conditions), customer=ann) is expected


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"$is": ["ltr_gold"]}, True),
        ({"$is": ["ltr_silver", {"id": "ltr_gold", "object": "loyalty_tier"}]}, True),
        ({"$is": ["ltr_silver"]}, False),
        ({"$is_not": ["ltr_silver"]}, True),
        ({"$is_not": ["ltr_gold", "ltr_silver"]}, False),
    ],
)
def test_a_customer_is_judged_by_their_tiers(conditions: dict[str, Any], expected: bool) -> None:
    ann = CustomerFacts("cust_ann", holds=lambda id: id == "ltr_gold")
    assert holds(leaf("customer.loyalty.tier", conditions), customer=ann) is expected
    assert holds(leaf("customer.loyalty.tier", {"$is": ["ltr_gold"]})) is False


def test_who_is_in_no_segment_is_told_so() -> None:
    decision = judged(CART, coupon(rule_set(leaf("customer.segment", {"$is": ["seg_x"]}))))
    refusal = decision.outcomes[0].refusal
    assert refusal is not None
    assert (refusal.key, refusal.message) == ("customer_rules_violated", "customer does not match segment rules")
    nobody = judged(CART, coupon(rule_set(leaf("customer.segment", {"$is_not": ["seg_x"]}))), customer=None)
    assert nobody.outcomes[0].refusal is not None
    assert nobody.outcomes[0].refusal.key == "missing_customer"


def test_conditions_name_the_segments_they_look_at() -> None:
    one, two = leaf("customer.segment", {"$is": ["a", "b"], "$is_not": "c"}), leaf("order.amount", {"$is": [1]})
    found = compile_rules(rules(one, two))
    assert found is not None
    assert found.segments == {"a", "b", "c"}
    assert found.blame(msgspec.structs.replace(UTC_FACTS, customer=None)) == Violation("segment")


def test_days_are_those_of_the_projects_zone() -> None:
    seen = leaf("redemption.metadata", {"$is_days_ago": [0]}, "at")
    late = {"at": "2026-03-17T23:30:00Z"}
    assert not holds(seen, metadata=late)
    assert holds(seen, metadata=late, zone=ZoneInfo("Europe/Warsaw"))
    assert not holds(seen, metadata={"at": "9999-12-31T23:30:00Z"}, zone=ZoneInfo("Europe/Warsaw"))


def test_an_order_is_judged_by_its_metadata() -> None:
    assert holds(leaf("order.metadata", {"$is": ["Santorini"]}, "location"))
    assert not holds(leaf("order.metadata", {"$is_not": ["Santorini"]}, "location"))
    assert holds(leaf("order.metadata", {"$is_not": ["x"]}, "zone"))
    assert holds(leaf("order.metadata", {"$is_not": ["x"]}, "zone"), Order(amount=1))


# The redemption


def test_a_code_for_its_holder_only() -> None:
    sets = rule_set(leaf("publication.redeemable_by_linked_customer", {"$is": [True]}))
    assert judged(CART, coupon(sets, holder_id="cust_ann")).valid
    assert keys(judged(CART, coupon(sets, holder_id="cust_ben"))) == ["redemption_rules_violated"]
    assert keys(judged(CART, coupon(sets))) == ["redemption_rules_violated"]
    on_tier = ask_tier(tier(amount_off(1)), sets)
    assert keys(judged(CART, on_tier)) == ["redemption_rules_violated"]


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [({"$is": ["app_1"]}, True), ({"$in": [{"id": "app_2"}]}, False), ({"$is_not": ["app_2"]}, True)],
)
def test_the_calling_key_may_matter(conditions: dict[str, Any], expected: bool) -> None:
    assert holds(leaf("redemption.api_key", conditions), api_key="app_1") is expected


def test_what_the_request_says_of_the_redemption_may_matter() -> None:
    one = leaf("redemption.metadata", {"$in": ["pos"]}, "channel", error={"message": "In shops only"})
    decision = judged(CART, coupon(rule_set(one)), metadata={"channel": "web"})
    refusal = decision.outcomes[0].refusal
    assert refusal is not None
    assert (refusal.key, refusal.message) == (
        "redemption_rules_violated",
        "redemption does not match validation rules",
    )
    assert refusal.details == "Discount Coupon cannot be redeemed because of violated validation rules: val_1"
    assert refusal.error is not None
    assert refusal.error.message == "In shops only"
