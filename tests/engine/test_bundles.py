"""Bundles: how many a cart makes, of what, and how they multiply a benefit."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from largesse.engine.benefits import Bundle, BundleComponent, BundleItem, BundleRules, MissingItem, RuleSet
from largesse.engine.bundles import find_bundles
from largesse.engine.cart import Cart
from largesse.engine.discounts import Discount, UnitDiscount
from largesse.engine.order import Line, Order
from tests.engine.carts import (
    Collection,
    after,
    amount_off,
    ask,
    ask_tier,
    bundle,
    card,
    code,
    decided,
    discounts,
    entry,
    fixed,
    goods,
    percent_off,
    rule,
    tier,
)

COLLECTIONS = {
    "pc_wear": Collection("shirt", "hat"),
    "pc_ab": Collection("a", "b"),
    "pc_a": Collection("a"),
    "pc_bc": Collection("b", "c"),
    "pc_abc": Collection("a", "b", "c"),
    "pc_sku": Collection("sku_s"),
}
ITEMS, BY_QUANTITY, SPLIT = "APPLY_TO_ITEMS", "APPLY_TO_ITEMS_BY_QUANTITY", "APPLY_TO_ITEMS_PROPORTIONALLY"


def lines_of(cart: dict[str, int]) -> tuple[Line, ...]:
    """SKUs (sku_…) belong to the product shirt."""
    return tuple(
        Line(product_id="shirt", sku_id=name, quantity=count)
        if name.startswith("sku_")
        else Line(product_id=name, quantity=count)
        for name, count in cart.items()
    )


def found(rules: RuleSet, lines: Sequence[Line]) -> Bundle:
    assert rules.bundle is not None
    return find_bundles(rules.bundle, Cart(lines, COLLECTIONS), lines)


@pytest.mark.parametrize(
    ("components", "limit", "cart", "quantity"),
    [
        ([("laptop", 1), ("bag", 1)], 5, {"laptop": 2, "bag": 2}, 2),
        ([("laptop", 1), ("bag", 1)], 5, {"laptop": 3, "bag": 2}, 2),
        ([("laptop", 1), ("bag", 1)], 5, {"laptop": 3}, 0),
        ([("laptop", 1), ("bag", 1)], 1, {"laptop": 2, "bag": 2}, 1),
        ([("sku_s", 1), ("shirt", 2)], 3, {"sku_s": 3}, 1),
        ([("sku_s", 1), ("shirt", 2)], 3, {"sku_s": 5}, 1),
        ([("sku_s", 1), ("shirt", 2)], 3, {"sku_s": 6}, 2),
        ([("shirt", 1), ("pc_wear", 3)], 5, {"shirt": 2, "hat": 2}, 1),
        ([("a", 2), ("b", 1), ("pc_ab", 2)], 5, {"a": 1, "b": 1}, 0),
        ([("pc_ab", 1), ("pc_a", 1)], 5, {"a": 1, "b": 1}, 1),
        ([("pc_ab", 1), ("pc_a", 1)], 5, {"a": 1}, 0),
        ([("pc_ab", 2), ("pc_bc", 2), ("pc_a", 1)], 5, {"a": 3, "b": 2, "c": 5}, 1),
        ([("pc_abc", 1), ("pc_ab", 1), ("pc_a", 1)], 9, {"a": 2, "b": 2, "c": 2}, 2),
    ],
)
def test_how_many_bundles_a_cart_makes(
    components: list[tuple[str, int]], limit: int, cart: dict[str, int], quantity: int
) -> None:
    assert found(bundle(*components, limit=limit), lines_of(cart)).quantity == quantity


def test_what_the_bundles_are_made_of() -> None:
    some = found(
        bundle(("pc_wear", 1), ("shirt", 1), ("sku_s", 1), limit=2), lines_of({"shirt": 1, "sku_s": 4, "hat": 1})
    )
    assert some == Bundle(
        2,
        2,
        (
            BundleItem("sku_s", "sku", 1, 2),
            BundleItem("shirt", "product", 0, 1),
            BundleItem("shirt", "product", 1, 1),
            BundleItem("sku_s", "sku", 1, 1),
            BundleItem("hat", "product", 2, 1),
        ),
    )


def test_a_line_is_left_to_the_component_that_needs_it() -> None:
    some = found(bundle(("pc_ab", 1), ("pc_a", 1)), lines_of({"a": 1, "b": 1}))
    assert [(item.id, item.item_index) for item in some.identified] == [("b", 1), ("a", 0)]


def test_as_much_of_a_line_is_taken_as_leaves_enough() -> None:
    some = found(bundle(("pc_ab", 4), ("pc_a", 2)), lines_of({"a": 5, "b": 3}))
    assert [(item.id, item.item_quantity) for item in some.identified] == [("a", 3), ("b", 1), ("a", 2)]


def test_what_is_missing_for_a_first_bundle() -> None:
    some = found(bundle(("a", 2), ("b", 1), ("pc_ab", 2), limit=3), lines_of({"a": 1, "b": 1}))
    assert some.quantity == 0
    assert some.identified == (BundleItem("a", "product", 0, 1), BundleItem("b", "product", 1, 1))
    assert some.missing == (MissingItem("a", "product", 1), MissingItem("pc_ab", "products_collection", 2))


def test_items_without_a_product_are_named_by_what_they_have() -> None:
    lines = (Line(sku_id="sku_s", quantity=1), Line(source_id="src", quantity=1))
    named = {"pc_sku": Collection("sku_s"), "pc_any": type("Any", (), {"holds": lambda _, line: not line.sku_id})()}
    rules = BundleRules(
        (BundleComponent("products_collection", "pc_sku"), BundleComponent("products_collection", "pc_any"))
    )
    some = find_bundles(rules, Cart(lines, named), lines)
    assert [(item.object, item.id) for item in some.identified] == [("sku", "sku_s"), ("product", "src")]


def test_free_units_make_no_bundles() -> None:
    free = UnitDiscount(unit_off=Decimal(1), unit_type="a", effect="ADD_NEW_ITEMS")
    asks = ask(code(free)), ask(code(amount_off(1), "v_2"), None, None, bundle(("a", 2)))
    decision = decided(goods(("a", 100, 1)), *asks)
    assert [outcome.status for outcome in decision.outcomes] == ["APPLICABLE", "INAPPLICABLE"]


# What bundles do to benefits

CART = goods(("laptop", 10000, 2), ("mouse", 2500, 3), ("bag", 3000, 2))
TWO = bundle(("laptop", 1), ("bag", 1), limit=5)


@pytest.mark.parametrize(
    ("discount", "off"),
    [
        (amount_off(1000), 2000),
        (percent_off(5), 3350),
        (percent_off(60), 33500),
        (percent_off(5, amount_limit=2000), 2000),
        (fixed(30000), 3500),
        (amount_off(1000, bundle_scaling="ONCE"), 1000),
    ],
)
def test_bundles_multiply_what_is_taken_off_the_order(discount: Discount, off: int) -> None:
    assert after(CART, ask(code(discount), None, None, TWO)).discount_amount == off


@pytest.mark.parametrize(
    ("discount", "limit", "off"),
    [
        (amount_off(2000, effect=BY_QUANTITY), 1, 4000),
        (amount_off(2000, effect=BY_QUANTITY), None, 6000),
        (amount_off(2000, effect=BY_QUANTITY, bundle_scaling="ONCE"), 1, 2000),
        (amount_off(1000, effect=ITEMS), None, 2000),
        (amount_off(1000, effect=ITEMS, aggregated_amount_limit=700), None, 1400),
        (percent_off(10, effect=ITEMS), None, 1500),
        (percent_off(10, effect=ITEMS, aggregated_amount_limit=700), None, 1400),
        (fixed(500, effect=ITEMS), 1, 4000),
    ],
)
def test_bundles_multiply_what_is_taken_off_a_line(discount: Discount, limit: int | None, off: int) -> None:
    order = after(CART, ask(code(discount), None, None, TWO, rule(entry("mouse", quantity_limit=limit))))
    assert discounts(order) == [0, off, 0]


def test_bundles_multiply_a_sum_that_is_split() -> None:
    order = goods(("beans", 3000, 1), ("filters", 2000, 1), ("pot", 500, 2))
    rules = bundle(("pot", 1), limit=2), rule("beans", "filters")
    for effect in (SPLIT, "APPLY_TO_ITEMS_PROPORTIONALLY_BY_QUANTITY"):
        some = after(order, ask(code(amount_off(1000, effect=effect)), None, None, *rules))
        assert discounts(some) == ([1200, 800, 0] if effect == SPLIT else [1000, 1000, 0])


def test_bundles_multiply_free_units() -> None:
    free = UnitDiscount(unit_off=Decimal(1), unit_type="mouse", effect="ADD_NEW_ITEMS")
    order = after(CART, ask(code(free), None, None, TWO))
    assert [line.quantity for line in order.lines or ()] == [2, 5, 2]


def test_a_decision_shows_its_bundles_and_what_is_missing() -> None:
    outcome = decided(CART, ask(code(amount_off(1)), None, None, TWO)).outcomes[0]
    assert outcome.bundle is not None
    assert (outcome.bundle.quantity, outcome.bundle.limit, outcome.bundle.missing) == (2, 5, ())


@pytest.mark.parametrize(
    ("asked", "subject"),
    [
        (ask(code(amount_off(1)), None, None, bundle(("hat", 1))), "Discount Coupon"),
        (ask(code(amount_off(1), is_referral_code=True), None, None, bundle(("hat", 1))), "Referral Code"),
        (ask(card(100), None, None, bundle(("hat", 1))), "Gift Card"),
        (ask_tier(tier(amount_off(1)), bundle(("hat", 1))), "Promotion Tier"),
    ],
)
def test_without_a_bundle_the_rules_are_violated(asked: Any, subject: str) -> None:
    outcome = decided(CART, asked).outcomes[0]
    assert outcome.refusal is not None
    assert (outcome.refusal.key, outcome.refusal.message) == (
        "order_rules_violated",
        "order does not match validation rules",
    )
    assert outcome.refusal.details == f"{subject} cannot be redeemed because of violated validation rules: val_b"
    assert outcome.bundle == Bundle(0, 1, (), (MissingItem("hat", "product", 1),))


def test_every_rule_set_must_find_its_bundle_and_the_first_violated_speaks() -> None:
    rules = [
        bundle(("laptop", 1), id="val_1", limit=2),
        bundle(("hat", 1), id="val_2", message="Buy a hat"),
        bundle(("cap", 1), id="val_3", message="Buy a cap"),
    ]
    refusal = decided(CART, ask(code(amount_off(1)), None, None, *rules)).outcomes[0].refusal
    assert refusal is not None
    assert refusal.details == "Discount Coupon cannot be redeemed because of violated validation rules: val_2, val_3"
    assert refusal.error is not None
    assert refusal.error.message == "Buy a hat"
    both = bundle(("laptop", 1), limit=5), bundle(("mouse", 3), limit=5)
    assert after(CART, ask(code(amount_off(10)), None, None, *both)).discount_amount == 10


@pytest.mark.parametrize(("order", "key"), [(None, "missing_order"), (Order(amount=5), "missing_order_items")])
def test_bundles_need_an_order_with_items(order: Order | None, key: str) -> None:
    for asked in (ask(code(amount_off(1)), None, None, TWO), ask_tier(tier(amount_off(1)), TWO)):
        refusal = decided(order, asked).outcomes[0].refusal
        assert refusal is not None
        assert refusal.key == key


# The law: the count is the greatest that any assignment of units reaches

NAMES = ["a", "b", "c", "pc_ab", "pc_a", "pc_bc", "pc_abc"]


def serves(name: str, item: str) -> bool:
    return name == item or (item in name.removeprefix("pc_") and name.startswith("pc_"))


def reaches(components: list[tuple[str, int]], cart: dict[str, int], quantity: int) -> bool:
    """Hall's condition: what any set of components needs is there in what serves one of them."""
    for chosen in product([False, True], repeat=len(components)):
        some = [one for one, is_in in zip(components, chosen, strict=True) if is_in]
        supply = sum(count for item, count in cart.items() if any(serves(name, item) for name, _ in some))
        if quantity * sum(count for _, count in some) > supply:
            return False
    return True


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(NAMES), st.integers(1, 3)), min_size=1, max_size=5, unique_by=lambda one: one[0]
    ),
    st.dictionaries(st.sampled_from("abc"), st.integers(1, 7), min_size=1),
    st.integers(1, 6),
)
def test_the_greatest_number_of_bundles_is_found(
    components: list[tuple[str, int]], cart: dict[str, int], limit: int
) -> None:
    some = found(bundle(*components, limit=limit), lines_of(cart))
    assert some.quantity == max(count for count in range(limit + 1) if reaches(components, cart, count))
    used: dict[int, int] = {}
    for item in some.identified:
        used[item.item_index] = used.get(item.item_index, 0) + item.item_quantity
    assert all(units <= list(cart.values())[place] for place, units in used.items())
    needed = sum(count for _, count in components)
    assert sum(used.values()) == (some.quantity or 1) * needed - sum(one.item_quantity for one in some.missing)
