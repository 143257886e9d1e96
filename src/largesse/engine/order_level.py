"""Benefits on the order as a whole; `total_amount` is what is left to pay."""

import msgspec

from largesse.engine.discounts import AmountDiscount, Discount, FixedDiscount, PercentDiscount
from largesse.engine.dynamic import Numbers
from largesse.engine.item_level import scaled_percent
from largesse.engine.money import half_up
from largesse.engine.order import Order, without_applied


def order_discount(discount: Discount, order: Order, numbers: Numbers, times: int, initial: bool) -> int:
    """What is taken off, never more than is left to pay. `times` is how many bundles multiply it; a new price stays as it is.

    `initial` bases a percentage on the amount before any discount and added units.
    """
    total = order.total_amount
    if isinstance(discount, AmountDiscount):
        return min((numbers.money(discount.amount_off_formula, discount.amount_off) or 0) * times, total)
    if isinstance(discount, PercentDiscount):
        percent = numbers.percent(discount.percent_off_formula, discount.percent_off)
        base = total
        if initial:
            base = (order.amount or 0) if order.initial_amount is None else order.initial_amount
        top, bottom = scaled_percent(percent, times)
        off = min(half_up(base * top, bottom), total)
        return off if discount.amount_limit is None else min(off, discount.amount_limit)
    assert isinstance(discount, FixedDiscount)
    return max(0, total - (numbers.money(discount.fixed_amount_formula, discount.fixed_amount) or 0))


def with_order_discount(order: Order, discount: int) -> Order:
    """`order` with the discount taken off, and nothing else applied."""
    order = without_applied(order)
    if not discount:
        return order
    return msgspec.structs.replace(
        order, discount_amount=order.discount_amount + discount, applied_discount_amount=discount
    )
