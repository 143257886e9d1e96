"""Free units: added to the cart, taken off what is in it, or exchanged for others."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from largesse.engine.decision import commit
from largesse.engine.discounts import ItemReference, UnitDiscount, Units
from largesse.engine.order import Catalog, CatalogEntry, Line, Order, without_applied
from largesse.engine.rollback import undo_order
from largesse.engine.stacking import StackingRules
from tests.engine.carts import Collection, after, amount_off, ask, code, decided, discounts, goods, percent_off

CATALOG = Catalog(
    products={
        "mug": CatalogEntry("mug", "m-1", "Mug", 1000, {"color": "red"}),
        "jacket": CatalogEntry("jacket", None, "Jacket", 29900),
        "limited": CatalogEntry("limited", None, None, 2500),
        "tee": CatalogEntry("tee", None, "Tee", 1900),
        "shipping": CatalogEntry("shipping", None, "Shipping"),
    },
    skus={
        "tee_m": CatalogEntry("tee_m", None, "M", 2100, None, "tee"),
        "tee_l": CatalogEntry("tee_l", None, "L", None, None, "tee"),
    },
)
MISSING, NEW, SAME, REPLACE = "ADD_MISSING_ITEMS", "ADD_NEW_ITEMS", "ADD_SAME_ITEMS", "REPLACE_ITEMS"


def units(off: int, kind: str, effect: Any = MISSING, **more: Any) -> UnitDiscount:
    return UnitDiscount(unit_off=Decimal(off), unit_type=kind, effect=effect, **more)


def some(off: int, kind: str, effect: Any = None) -> Units:
    return Units(unit_off=Decimal(off), unit_type=kind, effect=effect)


def given(order: Order, *discounts: Any, **more: Any) -> Order:
    asks = [ask(code(discount, f"v_{place}")) for place, discount in enumerate(discounts)]
    return after(order, *asks, catalog=more.pop("catalog", CATALOG), **more)


def shown(line: Line) -> dict[str, Any]:
    """The members of a line that say anything of amounts and units."""
    names = [name for name in line.__struct_fields__ if "amount" in name or "quantity" in name]
    return {name: getattr(line, name) for name in names if getattr(line, name)} | {"subtotal": line.subtotal}


def test_missing_units_are_added_and_made_free_with_those_that_are_there() -> None:
    order = given(goods(("red", 2900, 1), ("book", 1700, 1), ("phone", 60000, 1)), units(23, "book"))
    _, book, _ = order.lines or ()
    assert shown(book) == {
        "quantity": 23,
        "initial_quantity": 1,
        "discount_quantity": 23,
        "applied_discount_quantity": 23,
        "applied_quantity": 22,
        "amount": 39100,
        "initial_amount": 1700,
        "discount_amount": 39100,
        "applied_discount_amount": 39100,
        "applied_quantity_amount": 37400,
        "subtotal": 0,
    }
    assert (order.amount, order.initial_amount, order.items_discount_amount) == (102000, 64600, 39100)
    assert order.total_amount == 62900


def test_units_that_are_there_are_made_free_and_the_others_keep_their_price() -> None:
    order = given(goods(("tee", 2900, 3)), units(1, "tee"))
    [tee] = order.lines or ()
    assert (tee.quantity, tee.discount_quantity, tee.discount_amount, tee.applied_quantity) == (3, 1, 2900, None)
    assert (order.total_amount, order.initial_amount) == (5800, None)


def test_several_matching_lines_are_served_in_request_order() -> None:
    order = given(goods(("tee", 2000, 1), ("mug", 100, 1), ("tee", 1500, 2)), units(2, "tee"))
    assert discounts(order) == [2000, 0, 1500]
    assert [line.discount_quantity for line in order.lines or ()] == [1, None, 1]


def test_new_units_join_the_line_they_match() -> None:
    order = given(goods(("mug", 1000, 1), ("bottle", 2500, 2)), units(1, "mug", NEW))
    mug, bottle = order.lines or ()
    assert (mug.quantity, mug.discount_quantity, mug.amount, mug.initial_amount) == (2, 1, 2000, 1000)
    assert (mug.discount_amount, mug.subtotal) == (1000, 1000)
    assert bottle == Line(product_id="bottle", price=2500, quantity=2, amount=5000)
    assert (order.amount, order.initial_amount, order.total_amount) == (7000, 6000, 6000)


def test_new_units_of_what_is_not_there_make_a_line_at_the_price_of_the_catalogue() -> None:
    order = given(goods(("bottle", 2500, 2)), units(1, "mug", NEW))
    mug = (order.lines or ())[1]
    assert mug == Line(
        product_id="mug",
        quantity=1,
        price=1000,
        amount=1000,
        initial_quantity=0,
        initial_amount=0,
        discount_amount=1000,
        discount_quantity=1,
        applied_discount_amount=1000,
        applied_discount_quantity=1,
        applied_quantity=1,
        applied_quantity_amount=1000,
        product={"id": "mug", "source_id": "m-1", "name": "Mug", "price": 1000, "metadata": {"color": "red"}},
    )
    assert (order.amount, order.initial_amount, order.total_amount) == (6000, 5000, 5000)


@pytest.mark.parametrize(
    ("kind", "more", "product_id", "sku_id", "price"),
    [
        ("tee_m", {}, "tee", "tee_m", 2100),
        ("tee_l", {}, "tee", "tee_l", 1900),
        ("sku_unknown", {}, None, "sku_unknown", None),
        ("x", {"sku": ItemReference("x", "s-1", "X"), "product": ItemReference("p")}, "p", "x", None),
        ("p", {"product": ItemReference("p", None, "P")}, "p", None, None),
    ],
)
def test_what_a_new_line_is_of(
    kind: str, more: dict[str, Any], product_id: str | None, sku_id: str | None, price: int | None
) -> None:
    line = (given(goods(("bottle", 2500, 2)), units(2, kind, NEW, **more)).lines or ())[1]
    assert (line.product_id, line.sku_id, line.price, line.quantity) == (product_id, sku_id, price, 2)


def test_a_sku_matches_lines_of_that_sku_only() -> None:
    lines = (
        Line(product_id="tee", sku_id="tee_l", price=1900, quantity=1, amount=1900),
        Line(product_id="tee", sku_id="tee_m", price=2000, quantity=1, amount=2000),
    )
    order = Order(amount=3900, lines=lines)
    assert discounts(given(order, units(1, "tee_m"))) == [0, 2000]
    assert discounts(given(order, units(1, "tee"))) == [1900, 0]


def test_many_kinds_each_by_its_own_effect() -> None:
    discount = UnitDiscount(units=(some(1, "a"), some(1, "b", NEW)))
    order = given(goods(("a", 2900, 1), ("b", 3100, 1)), discount)
    first, second = order.lines or ()
    assert (first.discount_amount, second.quantity, second.discount_amount, second.subtotal) == (2900, 2, 3100, 3100)
    assert (order.amount, order.items_discount_amount, order.total_amount) == (9100, 6000, 3100)


def test_a_free_product_without_a_price_shows_no_amounts() -> None:
    order = given(goods(("a", 1200, 1), ("b", 3100, 1)), units(1, "shipping"))
    shipping = (order.lines or ())[2]
    assert (shipping.product_id, shipping.quantity, shipping.initial_quantity) == ("shipping", 1, 0)
    assert (shipping.discount_quantity, shipping.amount, shipping.discount_amount) == (1, None, 0)
    assert (order.amount, order.total_amount, order.total_discount_amount) == (4300, 4300, 0)
    assert order.initial_amount is None


def test_units_on_an_order_that_bears_a_discount_already() -> None:
    order = given(Order(amount=28000, discount_amount=8400), units(3, "jacket", NEW))
    assert (order.amount, order.initial_amount, order.discount_amount) == (117700, 28000, 8400)
    assert (order.items_discount_amount, order.total_discount_amount, order.total_amount) == (89700, 98100, 19600)
    assert (order.applied_discount_amount, order.items_applied_discount_amount) == (0, 89700)


def test_the_same_again_for_every_line_of_a_collection() -> None:
    order = goods(("tee", 2000, 1), ("mug", 1000, 2), ("tee", 1800, 1))
    found = given(order, units(2, "pc_tees", SAME), collections={"pc_tees": Collection("tee")})
    assert [line.quantity for line in found.lines or ()] == [3, 2, 3]
    assert discounts(found) == [4000, 0, 3600]
    assert found.total_amount == order.amount
    assert discounts(given(order, units(2, "mug", SAME))) == [0, 2000, 0]
    assert given(order, units(2, "gone", SAME)).lines == order.lines


@pytest.mark.parametrize(
    ("order", "discount", "amount", "off", "total"),
    [
        (goods(("tee", 2000, 3)), units(1, "limited", REPLACE, source=some(1, "tee")), 6500, [0, 500], 6000),
        (goods(("bottle", 2500, 3)), units(1, "mug", REPLACE, source=some(1, "bottle")), 6000, [0, 0], 6000),
        (goods(("bottle", 2500, 3)), units(3, "mug", REPLACE, source=some(1, "bottle")), 8000, [0, 500], 7500),
        (goods(("bottle", 2500, 3)), units(1, "mug", REPLACE, source=some(4, "bottle")), 7500, [0], 7500),
        (
            goods(("tee", 2000, 2), ("tee", 2000, 3)),
            units(1, "limited", REPLACE, source=some(1, "tee")),
            10500,
            [0, 0, 500],
            10000,
        ),
        (goods(("bottle", 2500, 3)), units(1, "mug", REPLACE), 7500, [0], 7500),
    ],
)
def test_units_are_replaced(order: Order, discount: UnitDiscount, amount: int, off: list[int], total: int) -> None:
    found = given(order, discount)
    assert (found.amount, discounts(found), found.total_amount) == (amount, off, total)


def test_a_replacement_says_what_went_and_what_came() -> None:
    order = given(goods(("tee", 2000, 1), ("tee", 2000, 5)), units(1, "limited", REPLACE, source=some(3, "tee")))
    first, second, target = order.lines or ()
    assert (first.quantity, first.amount, first.applied_quantity, first.applied_quantity_amount) == (0, 0, -1, -2000)
    assert (second.quantity, second.applied_quantity) == (3, -2)
    assert target.application_details == [
        {
            "source_index": place,
            "source_applied_quantity": -gone,
            "source_applied_quantity_amount": -gone * 2000,
            "target_index": 2,
            "target_applied_quantity": 1,
            "target_applied_quantity_amount": 2500,
            "target_applied_discount_amount": 0,
        }
        for place, gone in ((0, 1), (1, 2))
    ]


def test_discounted_units_cannot_be_replaced() -> None:
    exchange = units(1, "limited", REPLACE, source=some(1, "tee"))
    order = given(goods(("tee", 2000, 1)), percent_off(10, effect="APPLY_TO_ITEMS"), exchange)
    assert [line.quantity for line in order.lines or ()] == [1]


def test_no_replacement_makes_an_order_negative() -> None:
    order = given(goods(("tee", 2000, 1)), amount_off(1500), units(1, "mug", REPLACE, source=some(1, "tee")))
    assert (order.amount, order.total_amount) == (2000, 500)
    assert [line.quantity for line in order.lines or ()] == [1]


def test_later_percentages_see_what_is_left_and_initial_amounts_know_no_added_units() -> None:
    order = goods(("a", 5000, 1), ("mug", 1000, 1))
    for mode in ("DISCOUNTED_AMOUNT", "INITIAL_AMOUNT"):
        rules = StackingRules(discount_calculation_mode=mode)  # type: ignore[arg-type]
        found = given(order, units(2, "mug", NEW), percent_off(10), rules=rules)
        assert (found.amount, found.items_discount_amount, found.discount_amount, found.total_amount) == (
            8000,
            2000,
            600,
            5400,
        )
    initial = StackingRules(discount_calculation_mode="INITIAL_AMOUNT")
    found = given(order, units(2, "jacket", NEW), percent_off(10, effect="APPLY_TO_ITEMS"), rules=initial)
    assert discounts(found) == [500, 100, 59800]
    assert found.total_amount == 5400


def test_a_unit_that_is_free_already_is_not_freed_again() -> None:
    order = given(goods(("mug", 1000, 2)), units(1, "mug"), units(2, "mug"), units(2, "mug"))
    [mug] = order.lines or ()
    assert (mug.discount_amount, mug.discount_quantity, mug.quantity) == (2000, 2, 2)


def test_two_kinds_of_one_discount_share_the_units_of_a_line() -> None:
    order = given(goods(("mug", 1000, 2)), UnitDiscount(units=(some(1, "mug"), some(2, "mug"), some(3, "mug"))))
    [mug] = order.lines or ()
    assert (mug.quantity, mug.discount_quantity, mug.discount_amount) == (3, 3, 3000)


def test_free_units_cost_no_more_than_is_left_to_pay() -> None:
    order = given(goods(("mug", 1000, 1), ("tee", 2000, 1)), amount_off(2500), units(1, "mug"))
    assert (discounts(order), order.total_amount) == ([500, 0], 0)
    order = given(goods(("mug", 1000, 1), ("tee", 2000, 1)), amount_off(3000), units(1, "mug"))
    assert (discounts(order), order.total_amount) == ([0, 0], 0)
    assert [line.initial_quantity for line in order.lines or ()] == [None, None]


def test_a_line_with_an_amount_of_its_own_keeps_it() -> None:
    order = Order(amount=3500, lines=(Line(product_id="a", quantity=2, amount=3401), Line(product_id="b", amount=99)))
    found = given(order, units(3, "a"))
    [a, _] = found.lines or ()
    assert (a.quantity, a.amount, a.discount_amount) == (3, 5102, 5102)
    assert found.total_amount == 99


def test_an_order_without_amounts_gets_its_units_all_the_same() -> None:
    order = Order(lines=(Line(product_id="a", quantity=2), Line(product_id="mug")))
    found = given(order, units(3, "a"), units(1, "jacket", NEW))
    assert [(line.quantity, line.discount_quantity, line.amount) for line in found.lines or ()] == [
        (3, 3, None),
        (1, None, None),
        (1, 1, None),
    ]
    assert found.amount is None


def test_without_an_order_nothing_is_added() -> None:
    decision = decided(None, ask(code(units(1, "mug", NEW))))
    assert (decision.valid, decision.order) == (True, None)


def test_added_units_are_an_effect_and_what_is_there_for_free_is_none() -> None:
    skip = StackingRules(redeemables_no_effect_rule="SKIP")
    free = decided(goods(("a", 1200, 1)), ask(code(units(1, "shipping"))), rules=skip, catalog=CATALOG)
    assert free.valid
    none = decided(Order(lines=(Line(product_id="shipping"),)), ask(code(units(1, "shipping"))), rules=skip)
    assert [outcome.status for outcome in none.outcomes] == ["SKIPPED"]


def test_under_once_discounted_lines_are_left_alone() -> None:
    once = StackingRules(redeemables_products_application_mode="ONCE")
    order = goods(("mug", 1000, 2), ("tee", 2000, 1))
    tenth = percent_off(10, effect="APPLY_TO_ITEMS")
    found = given(order, tenth, units(1, "mug"), rules=once)
    assert [(line.product_id, line.quantity, line.discount_amount) for line in found.lines or ()] == [
        ("mug", 2, 200),
        ("tee", 1, 200),
        ("mug", 1, 1000),
    ]
    shipped = given(Order(amount=5, lines=(Line(product_id="shipping"),)), units(1, "shipping"), rules=once)
    assert [(line.quantity, line.discount_quantity) for line in shipped.lines or ()] == [(1, 1)]
    same = given(order, tenth, units(1, "pc", SAME), rules=once, collections={"pc": Collection("mug")})
    assert discounts(same) == [200, 200]


def test_an_order_cannot_grow_beyond_any_sum_of_money() -> None:
    dear = Catalog(products={"yacht": CatalogEntry("yacht", price=10**14)})
    decision = decided(goods(("a", 1, 1)), ask(code(units(100, "yacht", NEW))), catalog=dear)
    assert [outcome.refusal.key for outcome in decision.outcomes if outcome.refusal] == ["invalid_amount"]


def test_the_effect_in_force_is_shown() -> None:
    asks = [ask(code(UnitDiscount(unit_off=Decimal(1), unit_type="mug")))]
    asks += [ask(code(UnitDiscount(units=(some(1, "mug"),)), "v_2"))]
    effects = [outcome.discount.effect for outcome in decided(goods(("a", 1, 1)), *asks).outcomes if outcome.discount]
    assert effects == ["ADD_MISSING_ITEMS", "ADD_MANY_ITEMS"]


def test_the_request_as_a_whole_sums_up_what_its_children_did() -> None:
    order = given(goods(("mug", 1000, 1)), units(2, "mug", NEW), units(1, "tee", NEW), percent_off(10))
    mug, tee = order.lines or ()
    assert (mug.applied_quantity, mug.applied_quantity_amount, mug.applied_discount_quantity) == (2, 2000, 2)
    assert (tee.applied_quantity, tee.applied_quantity_amount, tee.applied_discount_amount) == (1, 1900, 1900)
    assert (order.applied_discount_amount, order.total_applied_discount_amount) == (100, 4000)
    exchange = units(1, "limited", REPLACE, source=some(1, "tee"))
    replaced = given(goods(("tee", 2000, 2)), exchange, percent_off(10))
    assert [len(line.application_details or ()) for line in replaced.lines or ()] == [0, 1]


# Undoing


def undone(before: Order, *discounts: Any) -> Order:
    found = given(before, *discounts)
    return undo_order(found, found, others_active=False)


@pytest.mark.parametrize(
    "discount",
    [
        units(1, "mug", NEW),
        units(5, "mug"),
        units(1, "jacket", NEW),
        units(1, "shipping"),
        UnitDiscount(units=(some(1, "mug"), some(1, "tee_m", NEW))),
        units(1, "limited", REPLACE, source=some(2, "mug")),
    ],
)
def test_undoing_takes_added_units_and_lines_away(discount: UnitDiscount) -> None:
    before = goods(("mug", 1000, 2), ("bottle", 2500, 2))
    assert undone(before, discount) == replace(before, status="CANCELED")


def test_undoing_on_an_order_that_had_no_lines() -> None:
    found = undone(Order(amount=100), units(1, "mug", NEW))
    assert (found.amount, found.lines, found.initial_amount) == (100, None, None)


def test_undoing_one_of_two_takes_only_its_own_units_away() -> None:
    before = goods(("mug", 1000, 1), ("bottle", 2500, 2))
    first = given(before, UnitDiscount(units=(some(2, "mug", NEW), some(1, "jacket", NEW))))
    second = given(first, UnitDiscount(units=(some(1, "mug", NEW), some(1, "tee", NEW))))
    left = undo_order(second, first, others_active=True)
    assert [(line.product_id, line.quantity, line.amount, line.discount_amount) for line in left.lines or ()] == [
        ("mug", 2, 2000, 1000),
        ("bottle", 2, 5000, 0),
        ("tee", 1, 1900, 1900),
    ]
    assert (left.amount, left.initial_amount, left.total_amount) == (8900, 6000, 6000)
    assert [line.discount_quantity for line in left.lines or ()] == [1, None, 1]
    assert undo_order(left, second, others_active=False) == replace(before, status="CANCELED")


def test_undoing_the_second_of_two_is_as_if_only_the_first_had_been() -> None:
    before = goods(("mug", 1000, 1), ("bottle", 2500, 2))
    first = given(before, percent_off(10, effect="APPLY_TO_ITEMS"))
    second = given(first, UnitDiscount(units=(some(1, "mug", NEW), some(1, "shipping"))))
    assert undo_order(second, second, others_active=True) == without_applied(first)


def test_a_free_unit_without_price_goes_with_its_redemption() -> None:
    before = Order(amount=10, lines=(Line(product_id="shipping"), Line(product_id="a", amount=10)))
    first = given(before, units(2, "shipping"))
    second = given(first, units(1, "shipping", NEW))
    left = undo_order(second, second, others_active=True)
    assert [(line.quantity, line.discount_quantity) for line in left.lines or ()] == [(2, 2), (1, None)]
    whole = undo_order(left, first, others_active=True)
    assert [(line.quantity, line.discount_quantity) for line in whole.lines or ()] == [(1, None), (1, None)]


def test_what_was_written_over_since_cannot_be_taken_back() -> None:
    first = given(goods(("mug", 1000, 1)), amount_off(100), units(1, "jacket", NEW))
    rewritten = replace(goods(("bottle", 2500, 2)), discount_amount=100)
    assert undo_order(rewritten, first, others_active=True) == goods(("bottle", 2500, 2))
    bare = Order(amount=500, discount_amount=100)
    assert undo_order(bare, first, others_active=True) == Order(amount=500)


def test_units_that_were_written_over_since_are_not_taken_back() -> None:
    first = given(goods(("mug", 1000, 1)), units(2, "mug", NEW))
    rewritten = given(goods(("mug", 1000, 1), ("bottle", 2500, 1)), percent_off(10))
    left = undo_order(rewritten, first, others_active=True)
    assert [(line.quantity, line.amount) for line in left.lines or ()] == [(1, 1000), (1, 2500)]
    assert (left.amount, left.discount_amount) == (3500, 350)


def test_units_that_were_replaced_since_are_not_taken_back_twice() -> None:
    first = given(goods(("mug", 1000, 2)), units(2, "mug", NEW))
    exchange = units(2, "limited", REPLACE, source=some(2, "mug"))
    second = given(first, exchange, exchange)
    left = undo_order(second, first, others_active=True)
    assert [(line.product_id, line.quantity) for line in left.lines or ()] == [("mug", 0), ("limited", 2)]
    assert left.amount == 5000


def test_committing_free_units_counts_one_use() -> None:
    voucher = code(units(1, "mug", NEW))
    commit(decided(goods(("a", 1, 1)), ask(voucher), catalog=CATALOG))
    assert voucher.redeemed_quantity == 1
