"""The calculated order as it stands in each place of an answer.

Amounts that are zero because nothing of that kind happened are absent (observed); `total_amount` is there whenever `amount` is;
whole orders of a redemption show `applied_discount_amount` and `total_applied_discount_amount` even when they are 0.
"""

from typing import Any

import msgspec
from msgspec import UNSET

from largesse.engine.order import Line, Order
from largesse.kernel import clock
from largesse.orders.model import LineAnswer, ObjectReference, OrderAnswer

_PRESENT_WHEN_SET = (
    "id",
    "product_id",
    "sku_id",
    "source_id",
    "related_object",
    "product",
    "sku",
    "metadata",
    "initial_quantity",
    "discount_quantity",
    "price",
    "amount",
    "initial_amount",
    "applied_quantity_amount",
    "application_details",
)
# What a free unit without a price keeps to itself (documented).
_PRICED = (*_PRESENT_WHEN_SET, "applied_quantity", "applied_discount_quantity")


def running(order: Order) -> OrderAnswer:
    """The state after one redeemable of a validation: no id, no status, no customer."""
    return _amounts(order)


def child(order: Order) -> OrderAnswer:
    """The state after one redemption of a stack: no status, no dates, no customer."""
    found = _amounts(order)
    found.metadata = order.metadata or {}
    return found


def validated(order: Order, *, for_client: bool) -> OrderAnswer:
    """The order a validation ends with."""
    found = _amounts(order)
    _name_parties(found, order, for_client)
    return found


def whole(order: Order, *, for_client: bool) -> OrderAnswer:
    """The order of a single redemption or of a parent: totals of the whole request, status and customer."""
    found = _amounts(order)
    if order.amount is not None:
        found.applied_discount_amount = order.applied_discount_amount
        found.total_applied_discount_amount = order.total_applied_discount_amount
    found.status = order.status or UNSET
    found.customer_id = order.customer_id
    found.referrer_id = None if for_client else order.referrer_id
    if order.created_at is not None:
        found.created_at = clock.iso(order.created_at)
    return found


def redeemed(order: Order, *, for_client: bool) -> OrderAnswer:
    """The order as a redemption leaves it in the store: everything."""
    return _with_history(whole(order, for_client=for_client), order, for_client)


def stored(order: Order) -> OrderAnswer:
    """The order as its resource shows it, and as a rollback leaves it."""
    found = _amounts(order)
    found.status = order.status or UNSET
    if order.created_at is not None:
        found.created_at = clock.iso(order.created_at)
    found.updated_at = clock.iso_or_none(order.updated_at)
    found.metadata = order.metadata or {}
    _name_parties(found, order, False)
    if order.redemptions:
        found.redemptions = order.redemptions
    return found


def undiscounted(order: Order) -> OrderAnswer:
    """What a child's rollback shows: identity and amounts only."""
    found = OrderAnswer(id=order.id or UNSET, source_id=order.source_id if order.id else UNSET)
    if order.amount is not None:
        found.amount = found.total_amount = order.amount
    return found


def recorded(order: Order, *, is_child: bool, is_rollback: bool) -> OrderAnswer:
    """The order as a record of history kept it; a child kept a running state, shown without its lines."""
    if is_rollback:
        return stored(order) if order.status else undiscounted(order)
    if is_child:
        found = child(order)
        found.items = UNSET
        return found
    return _with_history(whole(order, for_client=False), order, False)


def _with_history(found: OrderAnswer, order: Order, for_client: bool) -> OrderAnswer:
    found.updated_at = clock.iso_or_none(order.updated_at)
    found.redemptions = order.redemptions or {}
    found.metadata = order.metadata or {}
    _name_parties(found, order, for_client)
    return found


def of_nobody(order: Order) -> Order:
    """The order without who bought, for clients that did not say so themselves."""
    return msgspec.structs.replace(order, customer_id=None)


def _name_parties(found: OrderAnswer, order: Order, for_client: bool) -> None:
    """Who bought and who referred; a client-side answer leaves others' ids out."""
    found.customer_id = order.customer_id
    found.referrer_id = None if for_client else order.referrer_id
    if order.customer_id:
        found.customer = ObjectReference(order.customer_id)
    if order.referrer_id and not for_client:
        found.referrer = ObjectReference(order.referrer_id)


def _amounts(order: Order) -> OrderAnswer:
    """Identity, amounts, lines and metadata, each only where there is something to say."""
    found = OrderAnswer()
    if order.id:
        found.id = order.id
        found.source_id = order.source_id
    elif order.source_id:
        found.source_id = order.source_id
    if order.amount is not None:
        items_discount, items_applied = order.items_discount_amount, order.items_applied_discount_amount
        found.amount = order.amount
        found.total_amount = order.total_amount
        if order.initial_amount is not None:
            found.initial_amount = order.initial_amount
        found.discount_amount = order.discount_amount or UNSET
        found.items_discount_amount = items_discount or UNSET
        found.total_discount_amount = order.discount_amount + items_discount or UNSET
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
    for name in _PRESENT_WHEN_SET if line.amount is None else _PRICED:
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
