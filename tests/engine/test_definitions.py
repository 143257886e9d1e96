"""What a discount may be defined as."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from largesse.engine.discounts import (
    AmountDiscount,
    Discount,
    FixedDiscount,
    ItemReference,
    PercentDiscount,
    UnitDiscount,
    Units,
    check_discount,
)
from largesse.engine.units import unit_items
from tests.engine.carts import amount_off, ask, card, code, percent_off


def units(off: int | str = 1, kind: str | None = "prod_mug", **more: Any) -> UnitDiscount:
    return UnitDiscount(unit_off=Decimal(off), unit_type=kind, **more)


def some(off: int | str = 1, kind: str | None = "prod_mug", **more: Any) -> Units:
    return Units(unit_off=Decimal(off), unit_type=kind, **more)


@pytest.mark.parametrize(
    "discount",
    [
        amount_off(5),
        amount_off(5, amount_off_formula="ORDER_AMOUNT * 0.1"),
        percent_off("12.5"),
        units(),
        units(2, None, product=ItemReference(source_id="mug")),
        units(effect="ADD_NEW_ITEMS"),
        UnitDiscount(units=(some(), some(3, effect="ADD_NEW_ITEMS"))),
        units(effect="REPLACE_ITEMS", source=some(2, "prod_tee")),
    ],
)
def test_what_a_discount_may_be(discount: Discount) -> None:
    assert check_discount(discount) is None


@pytest.mark.parametrize(
    ("discount", "key", "details"),
    [
        (AmountDiscount(), "invalid_voucher", "required property 'amount_off'"),
        (amount_off(-1), "invalid_voucher", "amount_off should be a number from 0"),
        (amount_off("NaN"), "invalid_voucher", "amount_off should be a number"),
        (amount_off("1e-99999999"), "invalid_voucher", "at most 20 decimals"),
        (percent_off(101), "invalid_voucher", "percent_off should be a number from 0 to 100"),
        (FixedDiscount(fixed_amount_formula="1"), "invalid_voucher", "'fixed_amount'; it counts where its formula"),
        (
            PercentDiscount(percent_off=Decimal(5), percent_off_formula="1 +"),
            "invalid_payload",
            "Property .discount.percent_off_formula is not a formula: The formula ends too early",
        ),
        (UnitDiscount(), "invalid_voucher", "required property 'unit_type'"),
        (UnitDiscount(unit_type="prod_mug"), "invalid_voucher", "required property 'unit_off'"),
        (units("0.5"), "invalid_voucher", "unit_off should be a number from 1"),
        (units(10**6 + 1), "invalid_voucher", "unit_off should be a number from 1"),
        (UnitDiscount(units=()), "invalid_voucher", "required property 'units'"),
        (units(effect="ADD_MANY_ITEMS"), "invalid_voucher", "required property 'units'"),
        (UnitDiscount(units=(some(), some(1, None))), "invalid_voucher", "'units[1].unit_type'"),
        (units(effect="REPLACE_ITEMS"), "invalid_voucher", "required property 'source'"),
        (units(effect="REPLACE_ITEMS", source=some(0)), "invalid_voucher", ".discount.source.unit_off"),
    ],
)
def test_what_a_discount_may_not_be(discount: Discount, key: str, details: str) -> None:
    refusal = check_discount(discount)
    assert refusal is not None
    assert refusal.key == key
    assert details in (refusal.details or "")


def test_members_nobody_knows_are_passed_over() -> None:
    sent = {"type": "AMOUNT", "amount_off": 5, "colour": "red"}
    assert msgspec.convert(sent, Discount) == amount_off(5)


def test_the_items_whose_prices_are_needed() -> None:
    many = UnitDiscount(units=(some(), some(1, "sku_m", sku=ItemReference(id="sku_m", source_id="M"))))
    asks = [ask(code(units(1, "prod_tee"))), ask(code(many, "v_2")), ask(code(amount_off(1), "v_3")), ask(card(5))]
    assert unit_items([*asks, ask(None)]) == {"prod_tee", "prod_mug", "sku_m", "M"}
