"""The names a formula can ask for: facts of the cart, the customer, the redeemable and the calendar."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any, TypeAlias

from largesse.engine.formulas.context import Evaluation, FormulaContext, date_time
from largesse.engine.formulas.dates import parse_date
from largesse.engine.formulas.errors import NotComputable
from largesse.engine.formulas.values import Value, from_json
from largesse.engine.order import Line, Order

Operand: TypeAlias = Callable[[Evaluation], Value | None]
Metadata: TypeAlias = Callable[[Evaluation], dict[str, Any] | None]
LineOf: TypeAlias = Callable[[Evaluation], Line | None]


def _quantity(value: int | None) -> Fraction | None:
    return None if value is None else Fraction(value)


def _money(minor_units: int | None) -> Fraction | None:
    """Formulas speak of major units (documented)."""
    return None if minor_units is None else Fraction(minor_units, 100)


def _of_order(read: Callable[[Order], Fraction | None]) -> Operand:
    def value(evaluation: Evaluation) -> Fraction | None:
        order = evaluation.context.order
        return None if order is None else read(order)

    return value


def _of_line(line_of: LineOf, read: Callable[[Line], Fraction | None]) -> Operand:
    def value(evaluation: Evaluation) -> Fraction | None:
        line = line_of(evaluation)
        return None if line is None else read(line)

    return value


def _of_context(read: Callable[[FormulaContext], int | None]) -> Operand:
    return lambda evaluation: _quantity(read(evaluation.context))


def _date_of_context(read: Callable[[FormulaContext], int | None]) -> Operand:
    def value(evaluation: Evaluation) -> Value | None:
        micros = read(evaluation.context)
        return None if micros is None else date_time(micros)

    return value


def _birthdate(evaluation: Evaluation) -> Value | None:
    """The date as written: whoever is born on the 19th is so in every zone."""
    return parse_date((evaluation.context.customer_birthdate or "")[:10])


def _lines_metadata(line_of: LineOf) -> Metadata:
    def metadata(evaluation: Evaluation) -> dict[str, Any] | None:
        line = line_of(evaluation)
        return line.metadata if line else None

    return metadata


def _products_metadata(line_of: LineOf) -> Metadata:
    def metadata(evaluation: Evaluation) -> dict[str, Any] | None:
        line = line_of(evaluation)
        return line.product.get("metadata") if line and line.product else None

    return metadata


def _order_metadata(evaluation: Evaluation) -> dict[str, Any] | None:
    order = evaluation.context.order
    return order.metadata if order else None


_LINES: dict[str, LineOf] = {
    "ORDER_ITEM": lambda evaluation: evaluation.line,
    "CHEAPEST_ORDER_ITEM": lambda evaluation: evaluation.cheapest_line,
    "MOST_EXPENSIVE_ORDER_ITEM": lambda evaluation: evaluation.most_expensive_line,
}
_FACTS_OF_LINES: dict[str, Callable[[Line], Fraction | None]] = {
    "PRICE": lambda line: _money(line.price),
    "AMOUNT": lambda line: _money(line.amount),
    "SUBTOTAL": lambda line: _money(line.subtotal),
    "UNITS_QUANTITY": lambda line: Fraction(line.quantity),
}

OPERANDS: dict[str, Operand] = {
    "ORDER_AMOUNT": _of_order(lambda order: _money(order.amount)),
    "ORDER_ITEMS_QUANTITY": _of_order(lambda order: None if order.lines is None else Fraction(len(order.lines))),
    "ORDER_UNITS_QUANTITY": _of_order(
        lambda order: None if order.lines is None else Fraction(sum(line.quantity for line in order.lines))
    ),
    "ORDER_BUNDLE_QUANTITY": _of_context(lambda context: context.bundle_quantity),
    "order.bundle.quantity": _of_context(lambda context: context.bundle_quantity),
    "VOUCHER_REDEMPTION_QUANTITY": _of_context(lambda context: context.voucher_redemption_quantity),
    "VOUCHER_REDEEMED_QUANTITY": _of_context(lambda context: context.voucher_redeemed_quantity),
    "VOUCHER_PUBLISH_COUNT": _of_context(lambda context: context.voucher_publish_count),
    "VOUCHER_START_DATE": _date_of_context(lambda context: context.voucher_start_date),
    "VOUCHER_EXPIRATION_DATE": _date_of_context(lambda context: context.voucher_expiration_date),
    "PROMOTION_TIER_START_DATE": _date_of_context(lambda context: context.promotion_tier_start_date),
    "PROMOTION_TIER_EXPIRATION_DATE": _date_of_context(lambda context: context.promotion_tier_expiration_date),
    "CUSTOMER_BIRTHDATE": _birthdate,
    "TODAY": lambda evaluation: evaluation.today,
    "NOW": lambda evaluation: evaluation.now,
    **{
        f"{which}_{fact}": _of_line(line_of, read)
        for which, line_of in _LINES.items()
        for fact, read in _FACTS_OF_LINES.items()
    },
}

METADATA: dict[str, Metadata] = {
    "ORDER_METADATA": _order_metadata,
    "CUSTOMER_METADATA": lambda evaluation: evaluation.context.customer_metadata,
    "REDEEMABLE_METADATA": lambda evaluation: evaluation.context.redeemable_metadata,
    "REDEMPTION_METADATA": lambda evaluation: evaluation.context.redemption_metadata,
    "PUBLICATION_METADATA": lambda evaluation: evaluation.context.publication_metadata,
    **{f"{which}_METADATA": _lines_metadata(line_of) for which, line_of in _LINES.items()},
    **{f"{which}_PRODUCT_METADATA": _products_metadata(line_of) for which, line_of in _LINES.items()},
}


def of_fact(name: str) -> Callable[[Evaluation], Value]:
    """A fact without arguments; NotComputable where it is missing."""
    read = OPERANDS[name]

    def value(evaluation: Evaluation) -> Value:
        found = read(evaluation)
        if found is None:
            raise NotComputable
        return found

    return value


def of_metadata(name: str, key: str) -> Callable[[Evaluation], Value]:
    """One member of a metadata object; a key with dots also reaches into nested objects."""
    metadata = METADATA[name]

    def value(evaluation: Evaluation) -> Value:
        return evaluation.once((name, key), lambda: from_json(member(metadata(evaluation), key)))

    return value


def member(held: object, key: str) -> object:
    """A member of metadata; dots reach into nested objects where no key is written with them. None where there is none."""
    if isinstance(held, dict) and key in held:
        return held[key]
    for step in key.split("."):
        held = held.get(step) if isinstance(held, dict) else None
    return held
