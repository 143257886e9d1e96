"""The calculated order as it stands in each place of an answer.

Amount members that are zero because nothing of that kind happened are absent (observed); `total_amount` is there whenever `amount` is;
whole orders of a redemption show `applied_discount_amount` and `total_applied_discount_amount` even when they are 0.
"""

from typing import Any

from msgspec import UNSET

from largesse.engine.order import Line, Order
from largesse.kernel import clock
from largesse.kernel.database.unit import Unit
from largesse.orders.model import LineAnswer, ObjectReference, OrderAnswer


def validated_child(order: Order) -> OrderAnswer:
    """The running state after one redeemable of a validation."""
    return _amounts(order)


def validated_root(order: Order, unit: Unit) -> OrderAnswer:
    """The order a validation ends with."""
    found = _amounts(order)
    _parties(found, order, unit)
    return found


def child(order: Order) -> OrderAnswer:
    """The running state after one redemption of a stack: no status, no dates, no customer."""
    return _amounts(order)


def whole(order: Order, unit: Unit) -> OrderAnswer:
    """The order of a single redemption or of a parent: totals of the whole request, status and customer."""
    found = _amounts(order)
    _applied_shown(found, order)
    found.status = order.status or UNSET
    found.customer_id, found.referrer_id = order.customer_id, order.referrer_id
    if order.created_at is not None:
        found.created_at = clock.iso(order.created_at)
    return found


def redeemed_root(order: Order, unit: Unit) -> OrderAnswer:
    """The order as stored after the request: everything."""
    found = whole(order, unit)
    if order.status == "CANCELED" and not order.applied_discount_amount:
        found.applied_discount_amount = found.total_applied_discount_amount = UNSET
    found.updated_at = clock.iso_or_none(order.updated_at)
    found.redemptions = order.redemptions or {}
    found.metadata = order.metadata or {}
    _parties(found, order, unit)
    return found


def reduced(order: Order) -> OrderAnswer:
    """A child's rollback: amounts only."""
    found = OrderAnswer()
    if order.amount is not None:
        found.amount = found.total_amount = order.amount
    found.id = order.id or UNSET
    found.source_id = order.source_id if order.id else UNSET
    return found


def stored(order: Order, *, is_child: bool) -> OrderAnswer:
    """The order as a record of history kept it."""
    found = _amounts(order)
    if not is_child and order.status:
        found.status = order.status
        found.created_at = clock.iso(order.created_at) if order.created_at is not None else UNSET
        found.updated_at = clock.iso_or_none(order.updated_at)
        found.customer_id, found.referrer_id = order.customer_id, order.referrer_id
        if order.customer_id:
            found.customer = ObjectReference(order.customer_id)
    return found


def _parties(found: OrderAnswer, order: Order, unit: Unit) -> None:
    """Who bought and who referred; a client-side answer leaves others' ids out."""
    found.customer_id = order.customer_id
    found.referrer_id = None if unit.call.is_client else order.referrer_id
    if order.customer_id:
        found.customer = ObjectReference(order.customer_id)
    if order.referrer_id and not unit.call.is_client:
        found.referrer = ObjectReference(order.referrer_id)


def _applied_shown(found: OrderAnswer, order: Order) -> None:
    if order.amount is not None:
        found.applied_discount_amount = order.applied_discount_amount
        found.total_applied_discount_amount = order.total_applied_discount_amount


def _amounts(order: Order) -> OrderAnswer:
    """Identity, amounts, lines and metadata, each only where there is something to say."""
    found = OrderAnswer()
    if order.id:
        found.id = order.id
        found.source_id = order.source_id
    elif order.source_id:
        found.source_id = order.source_id
    if order.amount is not None:
        found.amount = order.amount
        found.total_amount = order.total_amount
        if order.initial_amount is not None:
            found.initial_amount = order.initial_amount
        items_discount = order.items_discount_amount
        found.discount_amount = order.discount_amount or UNSET
        found.items_discount_amount = items_discount or UNSET
        found.total_discount_amount = order.discount_amount + items_discount or UNSET
        items_applied = order.items_applied_discount_amount
        found.applied_discount_amount = order.applied_discount_amount or UNSET
        found.items_applied_discount_amount = items_applied or UNSET
        found.total_applied_discount_amount = order.applied_discount_amount + items_applied or UNSET
    if order.lines is not None:
        found.items = [_line(line) for line in order.lines]
    if order.metadata is not None:
        found.metadata = order.metadata
    return found


def _line(line: Line) -> LineAnswer:
    found = LineAnswer(quantity=line.quantity)
    texts = ("id", "product_id", "sku_id", "source_id", "related_object", "product", "sku", "metadata")
    numbers = ("initial_quantity", "discount_quantity", "applied_quantity", "applied_discount_quantity", "price", "amount")
    more = ("initial_amount", "applied_quantity_amount", "application_details")
    for name in (*texts, *numbers, *more):
        value: Any = getattr(line, name)
        if value is not None:
            setattr(found, name, value)
    if line.discount_amount:
        found.discount_amount = line.discount_amount
    if line.applied_discount_amount:
        found.applied_discount_amount = line.applied_discount_amount
    if line.subtotal is not None:
        found.subtotal_amount = line.subtotal
    return found
