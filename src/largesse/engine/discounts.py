"""Discounts as a merchant defines them, and what a definition may not be. What they take off is computed elsewhere."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from largesse.engine.formulas import FormulaError, compile_formula
from largesse.engine.money import MAX_DECIMALS, is_within
from largesse.engine.order import MAX_AMOUNT
from largesse.engine.refusal import Refusal, invalid_payload, invalid_voucher

AmountEffect = Literal[
    "APPLY_TO_ORDER",
    "APPLY_TO_ITEMS",
    "APPLY_TO_ITEMS_PROPORTIONALLY",
    "APPLY_TO_ITEMS_PROPORTIONALLY_BY_QUANTITY",
    "APPLY_TO_ITEMS_BY_QUANTITY",
]
PlainEffect = Literal["APPLY_TO_ORDER", "APPLY_TO_ITEMS"]
UnitEffect = Literal["ADD_MISSING_ITEMS", "ADD_NEW_ITEMS", "ADD_MANY_ITEMS", "ADD_SAME_ITEMS", "REPLACE_ITEMS"]
Scaling = Literal["MULTIPLY", "ONCE"]
Cap = Annotated[int, Meta(ge=0, le=MAX_AMOUNT)]
Name = Annotated[str, Meta(min_length=1, max_length=255)]
MAX_UNITS = 10**6  # of one kind given by one discount; our decision


class AmountDiscount(msgspec.Struct, tag="AMOUNT", tag_field="type", frozen=True, kw_only=True, omit_defaults=True):
    """A sum off the order or its lines, in minor units. `bundle_scaling` ONCE keeps it the same for any number of bundles."""

    amount_off: Decimal | None = None
    amount_off_formula: str | None = None
    aggregated_amount_limit: Cap | None = None
    effect: AmountEffect | None = None
    bundle_scaling: Scaling | None = None
    is_dynamic: bool | None = None


class PercentDiscount(msgspec.Struct, tag="PERCENT", tag_field="type", frozen=True, kw_only=True, omit_defaults=True):
    """A share of the order or of its lines, 0 to 100; `amount_limit` caps the order or each line."""

    percent_off: Decimal | None = None
    percent_off_formula: str | None = None
    amount_limit: Cap | None = None
    aggregated_amount_limit: Cap | None = None
    effect: PlainEffect | None = None
    bundle_scaling: Scaling | None = None
    is_dynamic: bool | None = None


class FixedDiscount(msgspec.Struct, tag="FIXED", tag_field="type", frozen=True, kw_only=True, omit_defaults=True):
    """A new price, in minor units: for the order or for each unit."""

    fixed_amount: Decimal | None = None
    fixed_amount_formula: str | None = None
    effect: PlainEffect | None = None
    bundle_scaling: Scaling | None = None
    is_dynamic: bool | None = None


class ItemReference(msgspec.Struct, frozen=True, omit_defaults=True):
    """A product or SKU of the catalogue."""

    id: Name | None = None
    source_id: Name | None = None
    name: str | None = None


class Units(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A number of units of one product or SKU; `unit_type` is its id."""

    unit_off: Decimal | None = None
    unit_off_formula: str | None = None
    unit_type: Name | None = None
    effect: Literal["ADD_MISSING_ITEMS", "ADD_NEW_ITEMS"] | None = None
    product: ItemReference | None = None
    sku: ItemReference | None = None


class UnitDiscount(msgspec.Struct, tag="UNIT", tag_field="type", frozen=True, kw_only=True, omit_defaults=True):
    """Free units. `unit_type` is a product or SKU, for ADD_SAME_ITEMS also a collection; `units` are those of ADD_MANY_ITEMS.

    REPLACE_ITEMS takes `source` out of the cart for them (the API names no member for it; our decision).
    """

    unit_off: Decimal | None = None
    unit_off_formula: str | None = None
    unit_type: Name | None = None
    effect: UnitEffect | None = None
    product: ItemReference | None = None
    sku: ItemReference | None = None
    units: Annotated[tuple[Units, ...], Meta(max_length=100)] | None = None
    source: Units | None = None
    bundle_scaling: Scaling | None = None
    is_dynamic: bool | None = None

    @property
    def effective(self) -> UnitEffect:
        """The effect in force: without one, ADD_MANY_ITEMS for a list and ADD_MISSING_ITEMS for one kind (documented)."""
        return self.effect or ("ADD_MISSING_ITEMS" if self.units is None else "ADD_MANY_ITEMS")

    @property
    def given(self) -> tuple["Units | UnitDiscount", ...]:
        """Every kind of unit it gives."""
        return (self.units or ()) if self.effective == "ADD_MANY_ITEMS" else (self,)


Discount = AmountDiscount | PercentDiscount | FixedDiscount | UnitDiscount


def check_discount(discount: Discount) -> Refusal | None:
    """What the types cannot say of a definition: a number must be there, also beside a formula, and be possible."""
    if isinstance(discount, UnitDiscount):
        return _check_units(discount)
    if isinstance(discount, AmountDiscount):
        return _check_number("amount_off", discount.amount_off, discount.amount_off_formula, MAX_AMOUNT)
    if isinstance(discount, PercentDiscount):
        return _check_number("percent_off", discount.percent_off, discount.percent_off_formula, 100)
    return _check_number("fixed_amount", discount.fixed_amount, discount.fixed_amount_formula, MAX_AMOUNT)


def _check_number(
    name: str, value: Decimal | None, formula: str | None, most: int, least: int = 0, place: str = ""
) -> Refusal | None:
    if value is None:
        beside = "; it counts where its formula cannot be computed" if formula is not None else ""
        return invalid_voucher(f"Discount should have required property '{place}{name}'{beside}")
    if not is_within(value, least, most):
        return invalid_voucher(
            f"Property .discount.{place}{name} should be a number from {least} to {most}, "
            f"with at most {MAX_DECIMALS} decimals"
        )
    if formula is not None:
        try:
            compile_formula(formula)
        except FormulaError as error:
            return invalid_payload(f"Property .discount.{place}{name}_formula is not a formula: {error.message}")
    return None


def _check_units(discount: UnitDiscount) -> Refusal | None:
    effect = discount.effective
    if effect == "ADD_MANY_ITEMS":
        if not discount.units:
            return invalid_voucher("Discount should have required property 'units'")
        checks = [_check_kind(units, f"units[{place}].") for place, units in enumerate(discount.units)]
        return next((refusal for refusal in checks if refusal is not None), None)
    refusal = _check_kind(discount, "")
    if refusal is None and effect == "REPLACE_ITEMS":
        if discount.source is None:
            return invalid_voucher("Discount should have required property 'source', the units that are replaced")
        refusal = _check_kind(discount.source, "source.")
    return refusal


def _check_kind(units: Units | UnitDiscount, place: str) -> Refusal | None:
    if not names(units):
        return invalid_voucher(f"Discount should have required property '{place}unit_type', the id of a product or SKU")
    return _check_number("unit_off", units.unit_off, units.unit_off_formula, MAX_UNITS, 1, place)


def names(units: Units | UnitDiscount) -> tuple[str, ...]:
    """Every id and source id the units go by."""
    references = (units.product, units.sku)
    held = (units.unit_type, *(name for one in references if one is not None for name in (one.id, one.source_id)))
    return tuple(name for name in held if name)


def item_names(discount: Discount | None) -> Iterable[str]:
    """The names of the products and SKUs whose prices the discount may need."""
    if not isinstance(discount, UnitDiscount):
        return ()
    return {name for units in discount.given for name in names(units)}
