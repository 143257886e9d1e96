"""Dynamic benefits: numbers computed by a formula, with the static one to fall back on."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from largesse.engine.benefits import RuleSet
from largesse.engine.customer import CustomerFacts
from largesse.engine.discounts import AmountDiscount, Discount, FixedDiscount, PercentDiscount, UnitDiscount, Units
from largesse.engine.order import Order
from tests.engine.carts import after, ask, ask_tier, bundle, code, decided, discounts, entry, goods, rule, tier

ITEMS, BY_QUANTITY, SPLIT = "APPLY_TO_ITEMS", "APPLY_TO_ITEMS_BY_QUANTITY", "APPLY_TO_ITEMS_PROPORTIONALLY"
CART = goods(("mug", 1000, 2), ("shirt", 2000, 3), ("bottle", 2500, 1))


def amount(formula: str, fallback: int = 1, **more: Any) -> AmountDiscount:
    return AmountDiscount(amount_off=Decimal(fallback), amount_off_formula=formula, **more)


def percent(formula: str, fallback: int = 1, **more: Any) -> PercentDiscount:
    return PercentDiscount(percent_off=Decimal(fallback), percent_off_formula=formula, **more)


def price(formula: str, fallback: int = 1, **more: Any) -> FixedDiscount:
    return FixedDiscount(fixed_amount=Decimal(fallback), fixed_amount_formula=formula, **more)


@pytest.mark.parametrize(
    ("discount", "off", "dynamic"),
    [
        (percent("IF(ORDER_AMOUNT > 100;15;5)"), 1575, True),
        (amount("IF(ORDER_AMOUNT > 200;ORDER_AMOUNT * 0.15;ORDER_AMOUNT * 0.05)"), 525, True),
        (percent("IF(ORDER_ITEMS_QUANTITY > 4;IF(ORDER_AMOUNT > 200;25;15);10)"), 1050, True),
        (percent('SWITCH(ORDER_METADATA("location");SWITCH_CASE("Boston";10) SWITCH_CASE("Oia";20);5)'), 2100, True),
        (price("ORDER_AMOUNT / 2"), 5250, True),
        (amount("0 - 3"), 0, True),
        (percent("130"), 10500, True),
        (amount('ORDER_METADATA("zzz") / 2', 700), 700, False),
        (amount("10 / (ORDER_UNITS_QUANTITY - 6)", 700), 700, False),
        (amount("1 +", 700), 700, False),  # never saved by the API, and never a failure of a redemption
    ],
)
def test_a_formula_gives_the_number_or_leaves_it_to_the_static_one(discount: Discount, off: int, dynamic: bool) -> None:
    decision = decided(replace(CART, metadata={"location": "Oia"}), ask(code(discount)))
    assert decision.order is not None
    assert decision.order.total_applied_discount_amount == off
    shown = decision.outcomes[0].discount
    assert shown is not None
    assert shown.is_dynamic is dynamic


@pytest.mark.parametrize(
    ("discount", "off"),
    [
        (amount("ORDER_ITEM_PRICE * 0.01 + 1", effect=ITEMS), [110, 120, 125]),
        (amount("ORDER_ITEM_PRICE * 0.01 + 1", effect=BY_QUANTITY), [220, 360, 125]),
        (percent("ORDER_ITEM_UNITS_QUANTITY * 10", effect=ITEMS), [400, 1800, 250]),
        (price("ORDER_ITEM_PRICE * 0.9", effect=ITEMS), [200, 600, 250]),
        (amount("ORDER_AMOUNT / 105", effect=ITEMS), [100, 100, 100]),
        (amount("ORDER_AMOUNT", effect=SPLIT), [2000, 6000, 2500]),
        (amount("ORDER_ITEM_PRICE", 105, effect=SPLIT), [20, 60, 25]),  # a sum over all lines knows no single one
    ],
)
def test_item_level_formulas_see_each_line(discount: Discount, off: list[int]) -> None:
    assert discounts(after(CART, ask(code(discount)))) == off


EIGHTY = "IF(ORDER_AMOUNT > 300;ORDER_ITEM_PRICE * 0.8;ORDER_ITEM_PRICE)"


@pytest.mark.parametrize(
    ("order", "formula", "off"),
    [
        (goods(("tee", 6500, 1), ("sofa", 40000, 1)), EIGHTY, [1300, 0]),
        (goods(("tee", 6500, 1)), EIGHTY, [0]),
        (goods(("tee", 5000, 2), ("sofa", 36500, 1)), "IF(ORDER_AMOUNT > 200;ORDER_ITEM_PRICE * 0.9;1)", [1000, 0]),
        (goods(("tee", 2000, 1), ("sofa", 44500, 1)), "IF(ORDER_AMOUNT > 400;0;20)", [2000, 0]),
        (goods(("tee", 2000, 1)), 'ORDER_METADATA("zzz")', [1200]),
    ],
)
def test_an_entry_prices_by_a_formula(order: Order, formula: str, off: list[int]) -> None:
    rules = rule(entry("tee", price_formula=formula, price=Decimal(800)))
    assert discounts(after(order, ask(code(price("1", 100, effect=ITEMS)), None, None, rules))) == off


def test_an_entry_whose_formula_fails_falls_back_to_the_price_of_the_discount() -> None:
    rules = rule(entry("tee", price_formula='ORDER_METADATA("zzz")'))
    fixed = FixedDiscount(fixed_amount=Decimal(500), effect=ITEMS)
    assert discounts(after(goods(("tee", 2000, 1)), ask(code(fixed), None, None, rules))) == [1500]


def test_units_by_a_formula_are_rounded_down() -> None:
    discount = UnitDiscount(
        unit_off=Decimal(1),
        unit_off_formula="IF(ORDER_UNITS_QUANTITY > 5;ORDER_UNITS_QUANTITY / 2.4;1)",
        unit_type="mug",
        effect="ADD_NEW_ITEMS",
    )
    assert [line.quantity for line in after(CART, ask(code(discount))).lines or ()] == [4, 3, 1]


def test_a_formula_may_give_no_unit() -> None:
    none = Units(unit_off=Decimal(1), unit_off_formula="0", unit_type="mug")
    one = Units(unit_off=Decimal("1.9"), unit_type="bottle")
    order = after(CART, ask(code(UnitDiscount(units=(none, one)))))
    assert discounts(order) == [0, 0, 2500]
    exchange = UnitDiscount(unit_off=Decimal(1), unit_type="hat", effect="REPLACE_ITEMS", source=none)
    assert after(CART, ask(code(exchange))).lines == CART.lines
    nothing = UnitDiscount(
        unit_off=Decimal(1), unit_off_formula="0", unit_type="hat", effect="REPLACE_ITEMS", source=one
    )
    assert after(CART, ask(code(nothing))).lines == CART.lines


def test_formulas_know_the_customer_the_code_and_the_bundles() -> None:
    customer = CustomerFacts("cust_1", {"age": 30}, "1990-03-19")
    about = {"customer": customer, "metadata": {"channel": 4}}
    voucher = code(
        amount(
            'CUSTOMER_METADATA("age") + REDEEMABLE_METADATA("bonus") + REDEMPTION_METADATA("channel")'
            " + VOUCHER_REDEMPTION_QUANTITY + VOUCHER_REDEEMED_QUANTITY + VOUCHER_PUBLISH_COUNT + MONTH(CUSTOMER_BIRTHDATE)"
        ),
        metadata={"bonus": 5},
        quantity=9,
        redeemed_quantity=2,
        publish_count=1,
    )
    assert after(CART, ask(voucher), **about).discount_amount == (30 + 5 + 4 + 9 + 2 + 1 + 3) * 100
    rules: tuple[RuleSet, ...] = (bundle(("shirt", 1), limit=3),)
    once = amount("ORDER_BUNDLE_QUANTITY * 10", bundle_scaling="ONCE")
    assert after(CART, ask(code(once), None, None, *rules)).discount_amount == 3000


def test_formulas_of_a_tier_know_the_tier() -> None:
    promo = tier(amount('REDEEMABLE_METADATA("bonus") + YEAR(PROMOTION_TIER_START_DATE)'), metadata={"bonus": 5})
    begun = replace(promo, start_date=1_577_836_800_000_000)
    assert after(Order(amount=10**6), ask_tier(begun)).discount_amount == 202500
    assert after(Order(amount=10**6), ask_tier(promo)).discount_amount == 1
