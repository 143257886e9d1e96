"""What earning rules award."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from largesse.engine.cart import Cart
from largesse.engine.collections import StaticCollection
from largesse.engine.customer import CustomerFacts
from largesse.engine.earning import (
    MAX_POINTS,
    Covered,
    Earning,
    Measure,
    Multiplied,
    Occasion,
    Proportion,
    Replaced,
    Window,
    awarded,
    collections_of,
    is_open,
)
from largesse.engine.formulas import compile_formula
from largesse.engine.order import Line, Order
from largesse.engine.validity import DailyHours, Hours, Timeframe
from tests.engine.carts import NOW, UTC

DAY = 86_400_000_000
NOBODY = CustomerFacts("cust_1")
COLLECTIONS = {
    "pc_a": StaticCollection(frozenset({"prod_1"}), frozenset()),
    "pc_b": StaticCollection(frozenset({"prod_1", "prod_2"}), frozenset()),
}


def per(measure: Measure, every: int, points: int, property: str = "", *covered: Covered) -> Earning:
    return Earning(points=points, per=Proportion(measure=measure, every=every, property=property, covered=covered))


def paid(customer: CustomerFacts = NOBODY, event: dict[str, Any] | None = None, **order: Any) -> Occasion:
    made = Order(**order)
    cart = Cart(made.lines or (), COLLECTIONS)
    return Occasion(now=NOW, zone=UTC, customer=customer, order=made, cart=cart, event=event)


def line(product: str, amount: int, **more: Any) -> Line:
    return Line(product_id=product, amount=amount, **more)


DISCOUNTED = {"amount": 50_000, "discount_amount": 5_000}
TWO_LINES = (line("prod_1", 2_500), line("prod_2", 1_550))
CHEAPER = (line("prod_1", 2_500, discount_amount=1_000), line("prod_2", 1_550))
A_AND_B = (Covered("products_collection", "pc_a"), Covered("products_collection", "pc_b"))


@pytest.mark.parametrize(
    ("earning", "order", "points"),
    [
        (per("ORDER_TOTAL_AMOUNT", 500, 10), DISCOUNTED, 900),
        (per("ORDER_AMOUNT", 500, 10), DISCOUNTED, 1_000),
        (per("ORDER_AMOUNT", 1_000, 1), {"amount": 9_999}, 9),
        (per("ORDER_AMOUNT", 1_000, 1), {"amount": 999}, 0),
        (per("ORDER_AMOUNT", 1_000, 1), {}, 0),
        (Earning(points=1_000), {}, 1_000),
        (
            per("ORDER_ITEMS_QUANTITY", 3, 10, "", Covered("product", "prod_1")),
            {"lines": (line("prod_1", 700, quantity=7, discount_quantity=1), line("prod_2", 9, quantity=30))},
            20,
        ),
        (per("ORDER_ITEMS_AMOUNT", 200, 1, "", *A_AND_B), {"lines": TWO_LINES}, 20),
        (per("ORDER_ITEMS_SUBTOTAL_AMOUNT", 200, 1, "", *A_AND_B), {"lines": CHEAPER}, 15),
        (per("ORDER_ITEMS_AMOUNT", 1, 1, "", Covered("sku", "sku_1")), {"lines": (Line(sku_id="sku_1"),)}, 0),
        (per("ORDER_METADATA", 2, 1, "visits"), {"metadata": {"visits": 7}}, 3),
        (per("ORDER_METADATA", 2, 1, "visits"), {"metadata": {"visits": "7"}}, 0),
        (per("ORDER_METADATA", 2, 1, "visits"), {"metadata": {"visits": -7}}, 0),
        (per("ORDER_METADATA", 2, 1, "visits.all"), {"metadata": {"visits": {"all": 4.5}}}, 2),
        (per("ORDER_METADATA", 2, 1, "visits"), {}, 0),
    ],
)
def test_points_of_an_order(earning: Earning, order: dict[str, Any], points: int) -> None:
    assert awarded(earning, paid(**order)) == points


def test_customer_and_event_metadata_are_measured() -> None:
    occasion = paid(CustomerFacts("cust_1", {"value": 10}), event={"score": 25})
    assert awarded(per("CUSTOMER_METADATA", 3, 4, "value"), occasion) == 12
    assert awarded(per("CUSTOM_EVENT_METADATA", 10, 7, "score"), occasion) == 14


def test_without_an_order_nothing_of_it_counts() -> None:
    occasion = Occasion(now=NOW, zone=UTC, customer=NOBODY)
    covered = Covered("product", "prod_1")
    for measure in ("ORDER_AMOUNT", "ORDER_METADATA", "CUSTOM_EVENT_METADATA"):
        assert awarded(per(measure, 1, 1, "x"), occasion) == 0  # type: ignore[arg-type]
    assert awarded(per("ORDER_ITEMS_QUANTITY", 1, 1, "", covered), occasion) == 0
    assert awarded(Earning(points=5), occasion) == 5


@pytest.mark.parametrize(("metadata", "points"), [({"clv": 40}, 12), ({"clv": 50}, 16), ({}, 50), ({"clv": -1}, 0)])
def test_a_formula_stands_for_the_points_and_they_for_it_where_it_cannot_be_computed(
    metadata: dict[str, Any], points: int
) -> None:
    earning = Earning(points=50, formula=compile_formula('CUSTOMER_METADATA("clv") * 0.31'))
    assert awarded(earning, paid(CustomerFacts("cust_1", metadata))) == points


def test_a_formula_is_rounded_after_it_was_multiplied() -> None:
    earning = Earning(
        points=1, formula=compile_formula("ORDER_AMOUNT / 3"), per=Proportion(measure="ORDER_AMOUNT", every=50)
    )
    assert awarded(earning, paid(amount=100)) == 1  # 2 × 1/3


@pytest.mark.parametrize(
    ("earning", "mapped", "points"),
    [
        (Earning(points=20), Multiplied(Fraction(2)), 40),
        (Earning(points=25), Multiplied(Fraction("1.5")), 38),
        (Earning(points=20), Multiplied(Fraction(0)), 0),
        (Earning(points=20), Replaced(200), 200),
        (per("ORDER_AMOUNT", 1_000, 1), Replaced(3), 12),
        (per("ORDER_AMOUNT", 5_000, 1), Replaced(3), 0),
        (Earning(points=10**12), Multiplied(Fraction(1_000)), MAX_POINTS),
    ],
)
def test_a_tier_maps_the_points(earning: Earning, mapped: Multiplied | Replaced, points: int) -> None:
    assert awarded(earning, paid(amount=4_500), mapped) == points


def test_collections_a_cart_must_know() -> None:
    earnings = [Earning(points=1), per("ORDER_ITEMS_AMOUNT", 1, 1, "", A_AND_B[0], Covered("product", "prod_1"))]
    assert collections_of(earnings) == {"pc_a"}


ENDED = Window(expiration_date=NOW - DAY)
VALID = Window(start_date=NOW - DAY, expiration_date=NOW)
MONDAYS, TUESDAYS = (Window(days=(day,)) for day in (1, 2))  # NOW is a Monday, 14:13 UTC


@pytest.mark.parametrize(
    ("own", "campaign", "expected"),
    [
        (Window(), Window(), True),
        (Window(), VALID, True),
        (ENDED, VALID, False),
        (Window(), ENDED, False),
        (VALID, ENDED, False),
        (Window(start_date=NOW + 1), VALID, False),
        (Window(), MONDAYS, True),
        (Window(), TUESDAYS, False),
        (MONDAYS, TUESDAYS, True),
        (TUESDAYS, Window(), False),
        (Window(hours=Hours([DailyHours("14:00", "15:00")])), TUESDAYS, True),
        (Window(hours=Hours([DailyHours("15:00", "16:00")])), Window(), False),
        (Window(start_date=NOW - 2 * DAY, timeframe=Timeframe("P3D", "P1D")), Window(), False),
        (Window(start_date=NOW - 3 * DAY, timeframe=Timeframe("P3D", "P1D")), Window(), True),
    ],
)
def test_when_a_rule_is_open(own: Window, campaign: Window, expected: bool) -> None:
    assert is_open(own, campaign, NOW, UTC) is expected


@given(
    amounts=st.lists(st.integers(0, 10**9), max_size=5),
    every=st.integers(1, 10**4),
    points=st.integers(1, 1_000),
    multiplier=st.fractions(0, 10, max_denominator=100),
)
def test_awards_are_whole_never_negative_and_grow_with_the_order(
    amounts: list[int], every: int, points: int, multiplier: Fraction
) -> None:
    earning = per("ORDER_AMOUNT", every, points)
    found = [awarded(earning, paid(amount=amount), Multiplied(multiplier)) for amount in sorted(amounts)]
    assert found == sorted(found)
    for amount, award in zip(sorted(amounts), found, strict=True):
        exact = amount // every * points * multiplier
        assert award == MAX_POINTS or abs(award - exact) <= Fraction(1, 2)


@given(st.lists(st.tuples(st.sampled_from(["prod_1", "prod_2", "prod_3"]), st.integers(0, 10**6)), max_size=8))
def test_a_line_counts_once_however_many_entries_name_it(lines: list[tuple[str, int]]) -> None:
    order = tuple(line(product, amount) for product, amount in lines)
    covered = (Covered("product", "prod_1"), Covered("product", "prod_2"), *A_AND_B)
    expected = sum(amount for product, amount in lines if product != "prod_3")
    assert awarded(per("ORDER_ITEMS_AMOUNT", 1, 1, "", *covered), paid(lines=order)) == expected
