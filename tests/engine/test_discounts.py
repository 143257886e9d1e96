"""What discounts take off, to the cent."""

import pytest

from largesse.engine.discounts import Discount
from largesse.engine.order import Order
from tests.engine.carts import amount_off, ask, card, cart, code, decided, discounts, fixed, percent_off

ITEMS, BY_QUANTITY = "APPLY_TO_ITEMS", "APPLY_TO_ITEMS_BY_QUANTITY"
SPLIT, SPLIT_BY_QUANTITY = "APPLY_TO_ITEMS_PROPORTIONALLY", "APPLY_TO_ITEMS_PROPORTIONALLY_BY_QUANTITY"


@pytest.mark.parametrize(
    ("amount", "discount", "off"),
    [
        (22500, amount_off(300), 300),
        (700, amount_off(1000), 700),
        (11499, percent_off(10), 1150),
        (11499, percent_off(10, amount_limit=3000), 1150),
        (50000, percent_off(10, amount_limit=3000), 3000),
        (1005, percent_off(50), 503),
        (1001, percent_off("12.5"), 125),
        (17500, fixed(10000), 7500),
        (8000, fixed(10000), 0),
        (100, percent_off(0), 0),
        (333, percent_off("33.333333333"), 111),
        (1000, amount_off("99.5"), 100),
    ],
)
def test_an_order_level_discount(amount: int, discount: Discount, off: int) -> None:
    order = decided(Order(amount=amount), ask(code(discount))).order
    assert order is not None
    assert (order.discount_amount, order.applied_discount_amount, order.total_amount) == (off, off, amount - off)
    assert order.items_discount_amount == 0


def test_a_given_amount_is_trusted_against_its_lines() -> None:
    order = decided(cart((3300, 1), (3400, 1), amount=6000), ask(code(amount_off(1000)))).order
    assert order is not None
    assert (order.amount, order.total_amount) == (6000, 5000)
    assert [line.subtotal for line in order.lines or ()] == [3300, 3400]


@pytest.mark.parametrize(
    ("lines", "discount", "off"),
    [
        ([(2000, 1), (700, 1)], amount_off(1000, effect=ITEMS), [1000, 700]),
        ([(1000, 2), (1500, 3)], amount_off(1000, effect=ITEMS, aggregated_amount_limit=1500), [1000, 500]),
        ([(300, 4)], amount_off(500, effect=BY_QUANTITY), [1200]),
        ([(1000, 2), (1500, 3), (2000, 3)], amount_off(1000, effect=BY_QUANTITY), [2000, 3000, 3000]),
        ([(1000, 1)] * 3, amount_off(100, effect=SPLIT), [34, 33, 33]),
        ([(777, 1), (333, 1), (1, 1)], amount_off(101, effect=SPLIT), [71, 30, 0]),
        ([(200, 1), (300, 1)], amount_off(1000, effect=SPLIT), [200, 300]),
        ([(1000, 3), (1000, 3), (1000, 1)], amount_off(1000, effect=SPLIT_BY_QUANTITY), [429, 428, 143]),
        ([(100, 5), (900, 1), (900, 1)], amount_off(1000, effect=SPLIT_BY_QUANTITY), [500, 250, 250]),
        ([(333, 1), (333, 1), (334, 1)], percent_off(15, effect=ITEMS), [50, 50, 50]),
        (
            [(2000, 1), (4500, 1), (6000, 1)],
            percent_off(50, effect=ITEMS, amount_limit=2000, aggregated_amount_limit=4500),
            [1000, 2000, 1500],
        ),
        ([(1000, 2), (1500, 3), (2000, 3)], fixed(1000, effect=ITEMS), [0, 1500, 3000]),
    ],
)
def test_an_item_level_discount_without_product_definition(
    lines: list[tuple[int, int]], discount: Discount, off: list[int]
) -> None:
    order = decided(cart(*lines), ask(code(discount))).order
    assert order is not None
    assert discounts(order) == off
    assert order.discount_amount == 0
    assert order.total_amount == sum(price * quantity for price, quantity in lines) - sum(off)


def test_a_split_over_a_trusted_smaller_amount() -> None:
    order = decided(cart((3300, 1), (3400, 1), amount=6000), ask(code(amount_off(300, effect=SPLIT)))).order
    assert order is not None
    assert discounts(order) == [148, 152]
    assert [line.subtotal for line in order.lines or ()] == [3152, 3248]
    assert order.total_amount == 5700


def test_units_are_counted_for_discounts_of_units_only() -> None:
    by_item = decided(cart((999, 5)), ask(code(percent_off(25, effect=ITEMS)))).order
    split = decided(cart((999, 5)), ask(code(amount_off(25, effect=SPLIT)))).order
    assert by_item is not None
    assert split is not None
    assert [line.discount_quantity for line in by_item.lines or ()] == [5]
    assert [line.discount_quantity for line in split.lines or ()] == [None]


def test_an_item_level_discount_never_takes_more_than_is_left_to_pay() -> None:
    order = decided(cart((1000, 1)), ask(code(amount_off(900))), ask(code(percent_off(50, effect=ITEMS), "v_2"))).order
    assert order is not None
    assert (order.total_amount, discounts(order)) == (0, [100])
    assert [line.subtotal for line in order.lines or ()] == [900]


def test_trimming_goes_backwards() -> None:
    order = decided(
        cart((1000, 1), (1000, 1)), ask(code(amount_off(1500))), ask(code(amount_off(400, effect=ITEMS), "v_2"))
    ).order
    assert order is not None
    assert discounts(order) == [400, 100]


def test_a_discount_on_an_order_without_items_or_amount_has_no_effect() -> None:
    for order in (Order(amount=20000), Order()):
        decision = decided(order, ask(code(amount_off(1000, effect=ITEMS))))
        assert decision.valid
        assert decision.order is not None
        assert decision.order.total_applied_discount_amount == 0


@pytest.mark.parametrize(
    ("balance", "credits", "amount", "taken"),
    [(21500, None, 165700, 21500), (21500, 2, 1000, 2), (5000, 5000, 3000, 3000), (0, None, 500, 0)],
)
def test_a_gift_card_pays_no_more_than_is_due(balance: int, credits: int | None, amount: int, taken: int) -> None:
    decision = decided(Order(amount=amount), ask(card(balance), credits))
    assert decision.outcomes[0].credits == taken
    assert decision.order is not None
    assert decision.order.total_amount == amount - taken


def test_a_gift_card_on_items_is_spent_line_by_line() -> None:
    order = decided(cart((2000, 2), (3000, 1)), ask(card(9000, gift_effect=ITEMS), 5000)).order
    assert order is not None
    assert discounts(order) == [4000, 1000]
    assert order.total_amount == 2000


def test_a_missing_effect_is_shown_as_the_order() -> None:
    shown = decided(Order(amount=10), ask(code(amount_off(5)))).outcomes[0].discount
    assert shown == amount_off(5, effect="APPLY_TO_ORDER", is_dynamic=False)
