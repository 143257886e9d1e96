"""Undoing: an order without what one redemption applied, and how long that may be asked for."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from largesse.engine.order import Line, Order, without_applied
from largesse.engine.validity import Duration, plus

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def undo_order(order: Order, applied: Order, others_active: bool) -> Order:
    """`order` (as stored now) without the `applied_*` of the redemption that left it as `applied`.

    While other redemptions are active on it their discounts stay; when none is left the order is CANCELED and bears no discount.
    """
    if not others_active:
        lines = tuple(_bare(line) for line in order.lines) if order.lines is not None else None
        plain = without_applied(msgspec.structs.replace(order, lines=lines))
        return msgspec.structs.replace(plain, status="CANCELED", discount_amount=0)
    lines = order.lines
    if lines is not None and applied.lines is not None and len(lines) == len(applied.lines):
        lines = tuple(_less(line, undone) for line, undone in zip(lines, applied.lines, strict=True))
    rest = max(0, order.discount_amount - applied.applied_discount_amount)
    return without_applied(msgspec.structs.replace(order, discount_amount=rest, lines=lines))


def _bare(line: Line) -> Line:
    if not line.discount_amount and line.discount_quantity is None:
        return line
    return msgspec.structs.replace(line, discount_amount=0, discount_quantity=None)


def _less(line: Line, undone: Line) -> Line:
    if not undone.applied_discount_amount:
        return line
    rest = max(0, line.discount_amount - undone.applied_discount_amount)
    units = line.discount_quantity if rest else None
    return msgspec.structs.replace(line, discount_amount=rest, discount_quantity=units)


def rollback_deadline(date: int, months: int, zone: ZoneInfo) -> int:
    """The last instant at which a redemption of `date` may be rolled back: `months` calendar months later, days clamped."""
    start = (_EPOCH + timedelta(microseconds=date)).astimezone(zone)
    end = plus(start.replace(tzinfo=None), Duration(months, 0, 0)).replace(tzinfo=zone)
    return (end.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)
