"""Undoing: an order without what one redemption applied, and how long that may be asked for."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from largesse.engine.order import Line, Order, without_applied
from largesse.engine.validity import Duration, plus

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def undo_order(order: Order, applied: Order, others_active: bool) -> Order:
    """`order` (as stored now) without the `applied_*` of the redemption that left it as `applied`.

    While other redemptions are active on it, only what this one applied is taken back: discounts and units. When none is left, the
    order is CANCELED and as it was before any: no discount, no added units.
    """
    if others_active:
        return _less(without_applied(order), applied)
    plain = without_applied(order)
    lines = _initial_lines(plain.lines)
    return replace(
        plain,
        status="CANCELED",
        amount=plain.amount if plain.initial_amount is None else plain.initial_amount,
        initial_amount=None,
        discount_amount=0,
        lines=lines,
    )


# Without any redemption


def _initial_lines(lines: Sequence[Line] | None) -> tuple[Line, ...] | None:
    """The lines as sent; None where none were and all have been added."""
    if lines is None:
        return None
    found = tuple(_initial(line) for line in lines if line.initial_quantity != 0)
    return found if found or not lines else None


def _initial(line: Line) -> Line:
    if line.initial_quantity is None and not line.discount_amount and line.discount_quantity is None:
        return line
    return replace(
        line,
        quantity=line.quantity if line.initial_quantity is None else line.initial_quantity,
        amount=line.amount if line.initial_amount is None else line.initial_amount,
        initial_quantity=None,
        initial_amount=None,
        discount_amount=0,
        discount_quantity=None,
    )


# Without one of several


def _less(order: Order, applied: Order) -> Order:
    lines = order.lines
    gained = 0
    if lines is not None and applied.lines is not None:
        partners = _partners(lines, applied.lines)
        kept = [_line_less(line, partners.get(place)) for place, line in enumerate(lines)]
        gained = sum([line.amount or 0 for line in lines]) - sum([line.amount or 0 for line in kept if line])
        lines = tuple(line for line in kept if line is not None)
    amount = order.amount if order.amount is None else order.amount - gained
    after = replace(order, lines=lines, amount=amount, discount_amount=0)
    if order.initial_amount == amount:
        after = replace(after, initial_amount=None)
    rest = max(0, order.discount_amount - applied.applied_discount_amount)
    return replace(after, discount_amount=min(rest, after.total_amount))


def _partners(lines: Sequence[Line], applied: Sequence[Line]) -> dict[int, Line]:
    """For lines of the order by place: the same lines as the redemption left them. Both are in one order, some missing."""
    found: dict[int, Line] = {}
    start = 0
    for undone in applied:
        name = _name(undone)
        place = next((place for place in range(start, len(lines)) if _name(lines[place]) == name), None)
        if place is not None:
            found[place] = undone
            start = place + 1
    return found


def _name(line: Line) -> tuple[str | int | None, ...]:
    return line.id, line.product_id, line.sku_id, line.source_id, line.price


def _line_less(line: Line, undone: Line | None) -> Line | None:
    """The line without what was applied to it; None for a line that had been added and holds no unit any more."""
    if undone is None:
        return line
    quantity, amount = line.quantity, line.amount
    if line.initial_quantity is not None:  # else it was written over since, without the units that had been added
        quantity = max(0, quantity - (undone.applied_quantity or 0))
        amount = None if amount is None else max(0, amount - (undone.applied_quantity_amount or 0))
    if quantity == line.initial_quantity == 0:
        return None
    rest = max(0, line.discount_amount - undone.applied_discount_amount)
    if amount is not None:
        rest = min(rest, amount)
    found = replace(
        line,
        quantity=quantity,
        amount=amount,
        discount_amount=rest,
        discount_quantity=_units_less(line, undone, quantity, bool(rest)),
    )
    if quantity == line.initial_quantity:
        found = replace(found, initial_quantity=None, initial_amount=None)
    return found


def _units_less(line: Line, undone: Line, quantity: int, is_discounted: bool) -> int | None:
    """The units still discounted. They had been counted up to the whole line, so what is left may be fewer than others discount."""
    if line.discount_quantity is None or (not is_discounted and line.amount is not None):
        return None
    left = line.discount_quantity - (undone.applied_discount_quantity or 0)
    return min(quantity, max(left, 1 if is_discounted else 0)) or None


# How long


def rollback_deadline(date: int, months: int, zone: ZoneInfo) -> int:
    """The last instant at which a redemption of `date` may be rolled back: `months` calendar months later, days clamped."""
    start = (_EPOCH + timedelta(microseconds=date)).astimezone(zone)
    end = plus(start.replace(tzinfo=None), Duration(months, 0, 0)).replace(tzinfo=zone)
    return (end.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)
