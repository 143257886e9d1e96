"""What benefits take off an order. Arithmetic as documented; `T` is what is left to pay."""

from decimal import Decimal

import msgspec

from largesse.engine import money
from largesse.engine.allocation import allocate, allocate_within
from largesse.engine.discounts import AmountDiscount, Discount, FixedDiscount, PercentDiscount, UnitDiscount
from largesse.engine.order import Line, Order, without_applied

ComputedDiscount = AmountDiscount | PercentDiscount | FixedDiscount


def resolved(discount: Discount) -> Discount:
    """The discount as a validation shows it: with the effect in force and whether it was computed by a formula."""
    effect = discount.effective if isinstance(discount, UnitDiscount) else discount.effect or "APPLY_TO_ORDER"
    return msgspec.structs.replace(discount, effect=effect, is_dynamic=False)


def apply_discount(discount: Discount, order: Order, *, from_initial_amount: bool, skip_lines: frozenset[int]) -> Order:
    """`order` after the discount; its `applied_*` members are this discount's alone.

    `from_initial_amount` bases percentages on amounts before any discount; `skip_lines` are not discounted again.
    """
    fresh = without_applied(order)
    if isinstance(discount, UnitDiscount) or order.amount is None:
        return fresh
    if discount.effect in (None, "APPLY_TO_ORDER"):
        return with_order_discount(fresh, _order_discount(discount, order, from_initial_amount))
    places = [
        place for place, line in enumerate(order.lines or ()) if line.amount is not None and place not in skip_lines
    ]
    if not places:
        return fresh
    lines = order.lines or ()
    shares = _line_discounts(discount, [lines[place] for place in places], from_initial_amount)
    return with_line_discounts(fresh, dict(zip(places, shares, strict=True)), counts_units=not _splits(discount))


def _splits(discount: ComputedDiscount) -> bool:
    """True for the effects that split one sum over lines, where no unit is discounted by itself."""
    return isinstance(discount, AmountDiscount) and "PROPORTIONALLY" in (discount.effect or "")


def _order_discount(discount: ComputedDiscount, order: Order, from_initial_amount: bool) -> int:
    total = order.total_amount
    if isinstance(discount, AmountDiscount):
        return min(money.whole_units(discount.amount_off or Decimal(0)), total)
    if isinstance(discount, PercentDiscount):
        initial = order.initial_amount if order.initial_amount is not None else order.amount
        base = (initial or 0) if from_initial_amount else total
        return min(_capped(money.percent_of(base, discount.percent_off or Decimal(0)), discount.amount_limit), total)
    return max(0, total - money.whole_units(discount.fixed_amount or Decimal(0)))


def _line_discounts(discount: ComputedDiscount, lines: list[Line], from_initial_amount: bool) -> list[int]:
    """The discount of every eligible line, before the order's own limit."""
    if isinstance(discount, AmountDiscount):
        return _amount_on_lines(discount, lines)
    if isinstance(discount, PercentDiscount):
        percent = discount.percent_off or Decimal(0)
        shares = []
        for line in lines:
            subtotal = line.subtotal or 0
            base = (line.initial_amount or line.amount or 0) if from_initial_amount else subtotal
            shares.append(min(_capped(money.percent_of(base, percent), discount.amount_limit), subtotal))
        return _consumed(shares, discount.aggregated_amount_limit)
    price = money.whole_units(discount.fixed_amount or Decimal(0))
    return [max(0, (line.subtotal or 0) - price * line.quantity) for line in lines]


def _amount_on_lines(discount: AmountDiscount, lines: list[Line]) -> list[int]:
    off = money.whole_units(discount.amount_off or Decimal(0))
    subtotals = [line.subtotal or 0 for line in lines]
    if _splits(discount):
        total = min(_capped(off, discount.aggregated_amount_limit), sum(subtotals))
        if discount.effect == "APPLY_TO_ITEMS_PROPORTIONALLY":
            return allocate(total, subtotals)
        return allocate_within(total, [line.quantity for line in lines], subtotals)
    if discount.effect == "APPLY_TO_ITEMS_BY_QUANTITY":
        shares = [
            min(min(off, line.price if line.price is not None else off) * line.quantity, subtotal)
            for line, subtotal in zip(lines, subtotals, strict=True)
        ]
    else:
        shares = [min(off, subtotal) for subtotal in subtotals]
    return _consumed(shares, discount.aggregated_amount_limit)


def _capped(amount: int, limit: int | None) -> int:
    return amount if limit is None else min(amount, limit)


def _consumed(shares: list[int], limit: int | None) -> list[int]:
    """Shares under a common limit, used up in their order."""
    if limit is None:
        return shares
    found = []
    for share in shares:
        found.append(min(share, limit))
        limit -= found[-1]
    return found


def apply_credits(effect: str | None, credits: int, order: Order) -> tuple[Order, int]:
    """`order` after paying with up to `credits` of a gift card, and how many were taken."""
    fresh = without_applied(order)
    if effect != "APPLY_TO_ITEMS":
        taken = min(credits, order.total_amount)
        return with_order_discount(fresh, taken), taken
    rest = min(credits, order.total_amount)
    shares: dict[int, int] = {}
    for place, line in enumerate(order.lines or ()):
        shares[place] = min(rest, line.subtotal or 0)
        rest -= shares[place]
    return with_line_discounts(fresh, shares, counts_units=False), sum(shares.values())


# What every effect ends in


def with_order_discount(order: Order, discount: int) -> Order:
    if not discount:
        return order
    return msgspec.structs.replace(
        order, discount_amount=order.discount_amount + discount, applied_discount_amount=discount
    )


def with_line_discounts(order: Order, shares: dict[int, int], *, counts_units: bool) -> Order:
    """`order` with `shares` (place → discount) taken off its lines, trimmed from the last place until the order can bear them."""
    excess = sum(shares.values()) - order.total_amount
    for place in reversed(shares):
        if excess <= 0:
            break
        cut = min(excess, shares[place])
        shares[place] -= cut
        excess -= cut
    if not any(shares.values()):
        return order
    lines = list(order.lines or ())
    for place, share in shares.items():
        if share:
            lines[place] = _discounted(lines[place], share, counts_units)
    return msgspec.structs.replace(order, lines=tuple(lines))


def _discounted(line: Line, share: int, counts_units: bool) -> Line:
    units = line.quantity if counts_units else None
    return msgspec.structs.replace(
        line,
        discount_amount=line.discount_amount + share,
        applied_discount_amount=share,
        discount_quantity=units if counts_units else line.discount_quantity,
        applied_discount_quantity=units,
    )
