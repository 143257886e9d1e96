"""Item-level benefits: which lines get what, within every limit and by every application rule."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from largesse.engine.benefits import RuleSet
from largesse.engine.discounts import Discount
from largesse.engine.order import Line, Order
from largesse.engine.stacking import StackingRules
from tests.engine.carts import (
    Collection,
    after,
    amount_off,
    ask,
    card,
    code,
    decided,
    discounts,
    entry,
    fixed,
    goods,
    percent_off,
    rule,
)

ITEMS, BY_QUANTITY = "APPLY_TO_ITEMS", "APPLY_TO_ITEMS_BY_QUANTITY"
SPLIT, SPLIT_BY_QUANTITY = "APPLY_TO_ITEMS_PROPORTIONALLY", "APPLY_TO_ITEMS_PROPORTIONALLY_BY_QUANTITY"
SHOP = goods(("mug", 1000, 2), ("poster", 1500, 3), ("tee", 2000, 3), ("bottle", 2500, 2))
WALL = goods(("tee", 2000, 3), ("poster", 1500, 5), ("mug", 1000, 2), ("socks", 500, 4), ("bottle", 2500, 2))
THREE = rule("mug", "poster", "tee")
COLLECTIONS = {"pc_wear": Collection("mug", "poster", "tee"), "pc_four": Collection("tee", "poster", "mug", "socks")}


def wear(**more: Any) -> RuleSet:
    return rule(entry("pc_wear", "products_collection", **more))


def four(**more: Any) -> RuleSet:
    return rule(entry("pc_four", "products_collection", **more))


def given(order: Order, discount: Discount, *rules: RuleSet, **more: Any) -> Order:
    return after(order, ask(code(discount), None, None, *rules), collections=COLLECTIONS, **more)


@pytest.mark.parametrize(
    ("discount", "rules", "off"),
    [
        (amount_off(1000, effect=ITEMS), THREE, [1000, 1000, 1000, 0]),
        (amount_off(1000, effect=ITEMS, aggregated_amount_limit=2500), THREE, [1000, 1000, 500, 0]),
        (amount_off(1000, effect=ITEMS, aggregated_amount_limit=2000), THREE, [1000, 1000, 0, 0]),
        (amount_off(1000, effect=BY_QUANTITY), THREE, [2000, 3000, 3000, 0]),
        (amount_off(1000, effect=SPLIT), THREE, [160, 360, 480, 0]),
        (amount_off(1000, effect=SPLIT_BY_QUANTITY), THREE, [250, 375, 375, 0]),
        (percent_off(10, effect=ITEMS), THREE, [200, 450, 600, 0]),
        (
            percent_off(50, effect=ITEMS, amount_limit=2000, aggregated_amount_limit=4500),
            THREE,
            [1000, 2000, 1500, 0],
        ),
        (fixed(1000, effect=ITEMS), THREE, [0, 1500, 3000, 0]),
        (fixed(1000, effect=ITEMS), wear(quantity_limit=2, aggregated_quantity_limit=3), [0, 1000, 1000, 0]),
        (percent_off(50, effect=ITEMS), wear(effect="APPLY_TO_CHEAPEST"), [1000, 0, 0, 0]),
        (percent_off(50, effect=ITEMS), wear(effect="APPLY_TO_MOST_EXPENSIVE", target="UNIT"), [0, 0, 1000, 0]),
        (percent_off(50, effect=ITEMS), wear(amount_limit=800, aggregated_amount_limit=2000), [800, 800, 400, 0]),
        (percent_off(50, effect=ITEMS), wear(effect="APPLY_FROM_CHEAPEST", skip_initially=2), [0, 0, 3000, 0]),
        (amount_off(300, effect=SPLIT), wear(aggregated_amount_limit=125), [20, 45, 60, 0]),
        (amount_off(300), THREE, [300, 300, 300, 0]),  # no effect given: the rules name products
    ],
)
def test_what_each_line_gets(discount: Discount, rules: RuleSet, off: list[int]) -> None:
    order = given(SHOP, discount, rules)
    assert discounts(order) == off
    assert order.items_discount_amount == order.items_applied_discount_amount == sum(off)
    assert order.total_amount == 17500 - sum(off)


def test_subtotals_and_units_of_a_discounted_cart() -> None:
    order = given(SHOP, amount_off(1000, effect=BY_QUANTITY), THREE)
    lines = order.lines or ()
    assert [line.discount_quantity for line in lines] == [2, 3, 3, None]
    assert [line.applied_discount_quantity for line in lines] == [2, 3, 3, None]
    assert [line.subtotal for line in lines] == [0, 1500, 3000, 5000]


def test_a_split_names_no_units() -> None:
    assert [line.discount_quantity for line in given(SHOP, amount_off(10, effect=SPLIT)).lines or ()] == [None] * 4


def test_a_limit_in_all_is_used_up_line_by_line() -> None:
    order = goods(("mug", 1000, 3), ("tee", 2000, 3), ("bottle", 2500, 2))
    discount = amount_off(2000, effect=ITEMS, aggregated_amount_limit=5000)
    assert discounts(given(order, discount, rule("mug", "tee"))) == [2000, 2000, 0]


def test_limits_of_units_of_each_entry() -> None:
    order = goods(("a", 3000, 3), ("b", 2000, 2), ("b", 2000, 4))
    rules = rule(
        entry("a", quantity_limit=1, aggregated_quantity_limit=1),
        entry("b", quantity_limit=2, aggregated_quantity_limit=3),
    )
    found = given(order, amount_off(500, effect=BY_QUANTITY), rules)
    assert discounts(found) == [500, 1000, 500]
    assert [line.discount_quantity for line in found.lines or ()] == [1, 2, 1]
    assert (found.amount, found.total_amount) == (21000, 19000)


def test_a_limit_of_units_of_one_product_over_two_lines() -> None:
    order = goods(("a", 900, 3), ("a", 900, 2))
    rules = rule(entry("a", quantity_limit=1, aggregated_quantity_limit=1))
    assert discounts(given(order, amount_off(500, effect=BY_QUANTITY), rules)) == [500, 0]


@pytest.mark.parametrize(
    ("discount", "limit", "off", "units"),
    [
        (percent_off(25, effect=ITEMS), 3, 749, 3),
        (amount_off(4000, effect=ITEMS), 3, 2997, 3),
        (fixed(500, effect=ITEMS), 2, 998, 2),
        (percent_off(25, effect=ITEMS), 0, 0, None),
    ],
)
def test_only_some_units_of_a_line(discount: Discount, limit: int, off: int, units: int | None) -> None:
    order = given(goods(("a", 999, 5)), discount, rule(entry("a", quantity_limit=limit)))
    assert discounts(order) == [off]
    assert [line.discount_quantity for line in order.lines or ()] == [units]


def test_a_line_that_gets_nothing_uses_up_nothing() -> None:
    order = goods(("mug", 500, 2), ("tee", 2000, 2))
    assert discounts(given(order, fixed(500, effect=ITEMS), wear(aggregated_quantity_limit=2))) == [0, 3000]


@pytest.mark.parametrize(
    ("discount", "rules", "off"),
    [
        (
            amount_off(500, effect=ITEMS),
            four(effect="APPLY_FROM_MOST_EXPENSIVE", skip_initially=1, repeat=2),
            [0, 500, 0, 500, 0],
        ),
        (
            amount_off(500, effect=BY_QUANTITY),
            four(effect="APPLY_FROM_MOST_EXPENSIVE", skip_initially=1, repeat=2, target="UNIT"),
            [500, 1500, 500, 1000, 0],
        ),
        (percent_off(100, effect=ITEMS), four(target="UNIT", skip_initially=7, repeat=5), [0, 1500, 0, 500, 0]),
        (percent_off(100, effect=ITEMS), four(target="UNIT", skip_initially=99), [0] * 5),
    ],
)
def test_application_rules_choose_lines_or_units(discount: Discount, rules: RuleSet, off: list[int]) -> None:
    assert discounts(given(WALL, discount, rules)) == off


def test_units_are_counted_on_through_the_cart() -> None:
    rules = rule(entry("a", target="UNIT", skip_initially=1, repeat=3))
    order = given(goods(("a", 700, 10)), amount_off(100, effect=BY_QUANTITY), rules)
    assert discounts(order) == [300]
    assert order.total_amount == 6700


@pytest.mark.parametrize("effect", ["APPLY_TO_CHEAPEST", "APPLY_TO_MOST_EXPENSIVE"])
def test_of_equal_prices_the_lower_subtotal_is_taken_then_the_earlier_line(effect: str) -> None:
    half = percent_off(50, effect=ITEMS)
    order = goods(("mug", 1000, 3), ("poster", 1000, 2), ("tee", 1000, 2))
    assert discounts(given(order, half, wear(effect=effect))) == [0, 1000, 0]


def test_a_line_without_a_price_counts_by_its_amount() -> None:
    lines = (Line(product_id="mug", quantity=3, amount=1000), Line(product_id="tee", price=333, quantity=1, amount=333))
    order = given(Order(amount=1333, lines=lines), percent_off(100, effect=ITEMS), wear(effect="APPLY_TO_CHEAPEST"))
    assert discounts(order) == [0, 333]


def test_units_of_a_line_without_a_price_get_the_full_amount() -> None:
    order = Order(amount=1000, lines=(Line(product_id="mug", quantity=3, amount=1000),))
    assert discounts(given(order, amount_off(300, effect=BY_QUANTITY))) == [900]
    assert discounts(given(order, amount_off(400, effect=BY_QUANTITY))) == [1000]


def test_excluded_lines_and_those_not_included_stay_whole() -> None:
    tenth = percent_off(10, effect=ITEMS)
    assert discounts(given(SHOP, tenth, rule(excluded=("mug",)))) == [0, 450, 600, 500]
    assert discounts(given(SHOP, tenth, rule(included_all=True, excluded=("tee",)))) == [200, 450, 0, 500]
    assert discounts(given(SHOP, tenth, rule("mug", "tee", excluded=("tee",)))) == [200, 0, 0, 0]
    assert discounts(given(SHOP, tenth, rule(entry("tee", quantity_limit=1), included_all=True))) == [
        200,
        450,
        200,
        500,
    ]
    assert discounts(given(SHOP, tenth, rule("mug"), rule("tee", id="val_2"))) == [200, 0, 600, 0]
    only = Order(lines=SHOP.lines[:1])
    assert discounts(given(only, tenth, rule("mug", excluded=("mug",)))) == [0]
    assert discounts(given(SHOP, tenth, rule(entry("pc_gone", "products_collection")))) == [0, 0, 0, 0]


def test_the_most_specific_entry_governs_a_line() -> None:
    lines = (
        Line(product_id="tee", sku_id="tee_m", price=100, quantity=9, amount=900),
        Line(product_id="tee", price=100, quantity=9, amount=900),
        Line(product_id="mug", price=100, quantity=9, amount=900),
    )
    rules = rule(
        entry("pc_wear", "products_collection", quantity_limit=3),
        entry("tee", quantity_limit=2),
        entry("tee", quantity_limit=9),
        entry("tee_m", "sku", quantity_limit=1),
    )
    assert discounts(given(Order(amount=2700, lines=lines), percent_off(100, effect=ITEMS), rules)) == [100, 200, 300]


@pytest.mark.parametrize(
    ("line", "named"),
    [
        (Line(product_id="tee", sku_id="tee_m"), entry("tee")),
        (Line(product_id="tee"), entry("tee", strict=True)),
        (Line(source_id="t-1"), entry("x", source_id="t-1")),
        (Line(source_id="t-1", related_object="product"), entry("t-1")),
        (Line(source_id="t-1-m", related_object="sku"), entry("t-1-m", "sku")),
        (Line(product_id="tee", product={"id": "tee", "source_id": "t-1"}), entry("x", source_id="t-1")),
        (Line(sku={"id": "tee_m", "source_id": "t-1-m"}), entry("x", "sku", source_id="t-1-m")),
        (Line(product_id="tee", source_id="t-1"), entry("tee", source_id="t-1")),
    ],
)
def test_lines_are_found_by_id_or_source_id(line: Line, named: Any) -> None:
    order = Order(amount=100, lines=(_priced(line),))
    assert discounts(given(order, amount_off(10, effect=ITEMS), rule(named))) == [10]


@pytest.mark.parametrize(
    ("line", "named"),
    [
        (Line(product_id="tee", sku_id="tee_m"), entry("tee", strict=True)),
        (Line(source_id="t-1", related_object="sku"), entry("t-1")),
        (Line(product_id="tee"), entry("tee", "sku")),
        (Line(sku_id="tee_m"), entry("tee")),
    ],
)
def test_lines_of_something_else_are_not_found(line: Line, named: Any) -> None:
    order = Order(amount=100, lines=(_priced(line),))
    assert discounts(given(order, amount_off(10, effect=ITEMS), rule(named))) == [0]


def _priced(line: Line) -> Line:
    return replace(line, price=100, amount=100)


def test_an_entry_prices_its_items() -> None:
    order = goods(("mug", 1000, 2), ("tee", 2000, 1))
    rules = rule(entry("mug", price=Decimal(700)), "tee")
    assert discounts(given(order, fixed(1500, effect=ITEMS), rules)) == [600, 500]


def test_a_split_keeps_each_entry_within_its_limit_and_gives_the_rest_to_the_others() -> None:
    order = goods(("mug", 1000, 1), ("tee", 1000, 1), ("poster", 1000, 1))
    rules = rule(entry("mug", aggregated_amount_limit=50), entry("tee", aggregated_amount_limit=400), "poster")
    assert discounts(given(order, amount_off(900, effect=SPLIT), rules)) == [50, 400, 450]
    assert discounts(given(order, amount_off(900, effect=SPLIT_BY_QUANTITY), rules)) == [50, 400, 450]
    assert discounts(given(order, amount_off(60, effect=SPLIT), rules)) == [20, 20, 20]


def test_a_split_is_lowered_to_what_is_left_to_pay_before_it_is_split() -> None:
    order = goods(("mug", 1000, 1), ("tee", 3000, 1))
    first, second = ask(code(amount_off(3600))), ask(code(amount_off(1000, effect=SPLIT), "v_2"))
    assert discounts(after(order, first, second)) == [100, 300]


def test_percentages_of_initial_amounts_stay_within_the_subtotal() -> None:
    initial = StackingRules(discount_calculation_mode="INITIAL_AMOUNT")
    asks = [ask(code(percent_off(part, effect=ITEMS), f"v_{part}")) for part in (50, 40, 30)]
    order = after(goods(("mug", 1000, 1)), *asks, rules=initial)
    assert (discounts(order), order.total_amount) == ([1000], 0)


def test_trimming_goes_backwards_through_the_order_of_application() -> None:
    order = goods(("mug", 1000, 1), ("tee", 2000, 1))
    from_cheapest = ask(
        code(percent_off(50, effect=ITEMS), "v_2"), None, None, wear(effect="APPLY_FROM_MOST_EXPENSIVE")
    )
    found = after(order, ask(code(amount_off(2000))), from_cheapest, collections=COLLECTIONS)
    assert discounts(found) == [0, 1000]
    assert found.total_amount == 0


def test_a_gift_card_on_items_pays_for_those_it_may() -> None:
    order = goods(("a", 2000, 2), ("b", 3000, 1))
    decision = decided(order, ask(card(9000, gift_effect=ITEMS), 5000, None, rule("b")))
    assert decision.outcomes[0].credits == 3000
    assert decision.order is not None
    assert (discounts(decision.order), decision.order.total_amount) == ([0, 3000], 4000)
    assert [line.discount_quantity for line in decision.order.lines or ()] == [None, None]


def test_a_gift_card_on_items_needs_one_it_may_pay_for() -> None:
    decision = decided(goods(("a", 2000, 2)), ask(card(9000, gift_effect=ITEMS), 5000, None, rule("b")))
    refusal = decision.outcomes[0].refusal
    assert refusal is not None
    assert refusal.key == "missing_order_items_amount"


def test_an_order_without_items_gets_nothing_and_is_redeemed_all_the_same() -> None:
    for effect in (None, SPLIT, BY_QUANTITY):
        order = given(Order(amount=20000), amount_off(1000, effect=effect), rule("mug"))
        assert (order.total_amount, order.total_applied_discount_amount) == (20000, 0)


def test_under_once_a_line_takes_one_item_level_discount() -> None:
    order = goods(("a", 10000, 1), ("b", 5000, 2))
    asks = (
        ask(code(percent_off(10, effect=ITEMS)), None, None, rule("a")),
        ask(code(percent_off(20, effect=ITEMS), "v_2")),
    )
    once = StackingRules(redeemables_products_application_mode="ONCE")
    assert discounts(after(order, *asks, rules=once)) == [1000, 2000]
    assert discounts(after(order, *asks)) == [2800, 2000]


def test_under_once_stored_discounts_count_and_the_next_cheapest_is_taken() -> None:
    once = StackingRules(redeemables_products_application_mode="ONCE")
    lines = (
        Line(product_id="mug", price=1000, amount=1000, discount_amount=100),
        Line(product_id="tee", price=2000, amount=2000),
    )
    order = Order(id="ord_1", amount=3000, lines=lines)
    found = given(order, percent_off(50, effect=ITEMS), wear(effect="APPLY_TO_CHEAPEST"), rules=once)
    assert discounts(found) == [100, 1000]
    assert [line.applied_discount_amount for line in found.lines or ()] == [0, 1000]
