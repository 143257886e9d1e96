"""Use cases of orders, and what the redemptions room asks of them."""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy.engine import Connection

import largesse.customers.service as customers
import largesse.products.service as products
from largesse.customers.model import Counts
from largesse.engine.order import Order, OrderInput, catalog_keys, check_amount, check_size, normalise
from largesse.kernel import ids, wire
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import ApiError, not_found
from largesse.kernel.http.query import Query
from largesse.metadata_schemas.service import Schemas, schemas_of
from largesse.orders import forms, store
from largesse.orders.model import OrderAnswer, OrderCreate, OrderList, OrderUpdate, StoredOrder

_ORDERS = {name: store.orders.c[name] for name in ("created_at", "updated_at")}


# What redemptions ask


def new_order_id() -> str:
    return ids.hex_id("ord_")


def load(
    conn: Connection, project_id: str, order_ids: Collection[str], source_ids: Collection[str], *, lock: bool
) -> tuple[dict[str, StoredOrder], dict[str, StoredOrder]]:
    """Stored orders under their ids and under their source ids, in one query."""
    found = [StoredOrder(order) for order in store.load(conn, project_id, order_ids, source_ids, lock=lock)]
    by_id = {stored.order.id or "": stored for stored in found}
    return by_id, {stored.order.source_id: stored for stored in found if stored.order.source_id}


def save(conn: Connection, project_id: str, new: Sequence[StoredOrder], changed: Sequence[StoredOrder]) -> None:
    """Writes orders, set-wise; a source id taken meanwhile raises IntegrityError."""
    store.insert(conn, project_id, [stored.order for stored in new])
    store.update(conn, project_id, [stored.order for stored in changed])


def record_change(unit: Unit, before: StoredOrder | None, after: StoredOrder, redemption_id: str | None = None) -> None:
    """Events of a created or changed order; an order without customer has none.

    One changed by a redemption refers to that record, which keeps the order as it then was.
    """
    order = after.order
    if order.customer_id is None:
        return
    refers: dict[str, Any] = {"redemption": redemption_id, "order": order.id}
    data = refers if redemption_id else {"order": msgspec.to_builtins(forms.stored(order))}
    names = ["customer.order.created" if before is None else "customer.order.updated"]
    earlier = before.order.status if before else "CREATED"
    if order.status != earlier:
        names.append(f"customer.order.{str(order.status).lower()}")
    for name in names:
        unit.record(name, str(order.id), data, customer_id=order.customer_id, about=after)


def summary_delta(unit: Unit, before: StoredOrder | None, after: StoredOrder) -> Counts:
    """How an order's change moves its customer's totals: paid and fulfilled orders count."""
    old = before.order if before is not None and before.order.status in store.COUNTED else None
    new = after.order if after.order.status in store.COUNTED else None
    count = (new is not None) - (old is not None)
    amount = (new.total_amount if new else 0) - (old.total_amount if old else 0)
    if new is not None:
        return Counts(
            orders_count=count, orders_amount=amount, last_order_amount=new.total_amount, last_order_date=new.created_at
        )
    if old is None:
        return Counts()
    last = None
    if old.customer_id is not None:
        last = store.last_counted(unit.conn, unit.project_id, old.customer_id, str(old.id))
    total, date = last or (0, 0)
    return Counts(orders_count=count, orders_amount=amount, last_order_amount=total, last_order_date=date)


def preview(unit: Unit, sent: OrderInput) -> Order:
    """The order a request means: a stored one with what was sent laid over it, or a new one. Nothing is written.

    Raises ApiError 404 for an unknown id that nothing else describes.
    """
    refusal = check_size(sent)
    if refusal is not None:
        raise ApiError(refusal)
    stored = None
    if sent.id or sent.source_id:
        by_id, by_source = load(
            unit.conn, unit.project_id, [sent.id or ""], [sent.source_id or ""] if not sent.id else [], lock=False
        )
        stored = by_id.get(sent.id or "") or by_source.get(sent.source_id or "")
    if stored is None:
        if sent.id and sent.items is None and sent.amount is None:
            raise not_found("order", sent.id)
        return _calculated(unit, sent)
    order = stored.order
    if sent.items is not None or sent.amount is not None:
        fresh = _calculated(unit, sent)
        lines = fresh.lines if sent.items is not None else order.lines
        order = msgspec.structs.replace(order, amount=fresh.amount, lines=lines)
    if sent.metadata is not None:
        order = msgspec.structs.replace(order, metadata=wire.merge_metadata(order.metadata or {}, sent.metadata))
    return order


# The resource


def get(unit: Unit, key: str) -> OrderAnswer:
    return forms.stored(_existing(unit, key, lock=False).order)


def create(unit: Unit, sent: OrderCreate) -> OrderAnswer:
    """`POST /v1/orders`: an upsert by id or source id; a new order is CREATED unless it says otherwise."""
    _check(unit, sent)
    if sent.id or sent.source_id:
        by_id, by_source = load(
            unit.conn,
            unit.project_id,
            [sent.id] if sent.id else [],
            [sent.source_id] if sent.source_id else [],
            lock=True,
        )
        known = by_id.get(sent.id or "") if sent.id else by_source.get(sent.source_id or "")
        if known is not None:
            return forms.stored(_change(unit, known, sent).order)
    schemas_of(unit).check_new("order", sent.metadata)
    products.override(unit, sent)
    order = _calculated(unit, sent)
    customer_id, referrer_id = _parties(unit, sent)
    order = msgspec.structs.replace(
        order,
        id=sent.id or new_order_id(),
        status=sent.status or "CREATED",
        created_at=sent.created_at if sent.created_at is not None else unit.now,
        customer_id=customer_id,
        referrer_id=referrer_id,
    )
    stored = StoredOrder(order)
    save(unit.conn, unit.project_id, [stored], [])
    _settle(unit, None, stored)
    return forms.stored(order)


def update(unit: Unit, key: str, sent: OrderUpdate) -> OrderAnswer:
    _check(unit, sent)
    return forms.stored(_change(unit, _existing(unit, key, lock=True), sent).order)


def list_orders(unit: Unit, query: Query) -> OrderList:
    page = query.page()
    order = query.order(_ORDERS, "created_at", store.orders.c.id)
    found, total = store.page(unit.conn, unit.project_id, [], order, limit=page.limit, offset=page.offset)
    return OrderList(orders=[forms.stored(order) for order in found], total=total)


def remove_of_customer(unit: Unit, customer_id: str) -> int:
    """Deletes a customer's orders; answers how many there were."""
    return store.remove_of_customer(unit.conn, unit.project_id, customer_id)


def totals_by_customer(conn: Connection, project_id: str) -> dict[str, tuple[int, int]]:
    """Number and sum of paid orders for every customer, for verification."""
    return store.totals_by_customer(conn, project_id)


def _check(unit: Unit, sent: OrderInput) -> None:
    wire.check_metadata(sent.metadata)
    refusal = check_size(sent)
    if refusal is not None:
        raise ApiError(refusal)
    check_items(schemas_of(unit), sent, new=True)


def check_items(schemas: Schemas, sent: OrderInput, *, new: bool) -> None:
    """Refuses metadata of lines, and of what they override, that is not as its schema says. `new` lines need all they require."""
    for line in sent.items or ():
        if new:
            schemas.check_new("order_item", line.metadata)
        else:
            schemas.check_changed("order_item", line.metadata, line.metadata)
        for details in (line.product, line.sku):
            if details is not None and details.override:
                schemas.check_changed("product", details.metadata, details.metadata)


def _calculated(unit: Unit, sent: OrderInput) -> Order:
    order = normalise(sent, products.catalog(unit.conn, unit.project_id, *catalog_keys(sent)))
    refusal = check_amount(order)
    if refusal is not None:
        raise ApiError(refusal)
    if order.lines:
        lines = tuple(
            line if line.id else msgspec.structs.replace(line, id=ids.hex_id("ordli_")) for line in order.lines
        )
        order = msgspec.structs.replace(order, lines=lines)
    return order


def _parties(unit: Unit, sent: OrderInput) -> tuple[str | None, str | None]:
    """Ids of the customer and the referrer, both created or updated as the order describes them."""
    customer_id = customers.upsert(unit, sent.customer).id if sent.customer else None
    if customer_id is None and sent.customer_id:
        customer_id = _known(unit, sent.customer_id)
    referrer_id = customers.upsert(unit, sent.referrer).id if sent.referrer else None
    if referrer_id is None and sent.referrer_id:
        referrer_id = _known(unit, sent.referrer_id)
    return customer_id, referrer_id


def _known(unit: Unit, key: str) -> str:
    customer = customers.by_key(unit, key)
    if customer is None:
        raise not_found("customer", key)
    return customer.id


def _change(unit: Unit, before: StoredOrder, sent: OrderInput) -> StoredOrder:
    """Lays what was sent over a stored order: new lines or amounts are calculated again, discounts of redemptions stay."""
    products.override(unit, sent)
    order = before.order
    changes: dict[str, Any] = {"updated_at": unit.now}
    if sent.items is not None or sent.amount is not None:
        fresh = _calculated(unit, sent)
        amount = fresh.amount if fresh.amount is not None else order.amount
        changes |= {
            "amount": amount,
            "initial_amount": None,
            "lines": fresh.lines if sent.items is not None else order.lines,
            "discount_amount": min(order.discount_amount, amount or 0),
        }
    if sent.status is not None:
        changes["status"] = sent.status
    metadata = order.metadata
    if sent.metadata is not None:
        metadata = wire.merge_metadata(metadata or {}, sent.metadata)
    unset = sent.unset_metadata_fields if isinstance(sent, OrderUpdate) else None
    if unset and metadata:
        metadata = wire.without_fields(metadata, unset)
    schemas_of(unit).check_changed("order", sent.metadata, metadata, unset)
    customer_id, referrer_id = _parties(unit, sent)
    changes |= {
        "metadata": metadata,
        "customer_id": customer_id or order.customer_id,
        "referrer_id": referrer_id or order.referrer_id,
    }
    after = StoredOrder(msgspec.structs.replace(order, **changes))
    save(unit.conn, unit.project_id, [], [after])
    _settle(unit, before, after)
    return after


def _settle(unit: Unit, before: StoredOrder | None, after: StoredOrder) -> None:
    """Events and customer totals of a change; an order that moves to another customer leaves the first one's totals."""
    record_change(unit, before, after)
    previous = before.order.customer_id if before else None
    current = after.order.customer_id
    if before is not None and previous is not None and previous != current:
        left = StoredOrder(msgspec.structs.replace(before.order, status="CANCELED"))
        customers.add_counts(unit.conn, unit.project_id, [(previous, summary_delta(unit, before, left))])
        data = {"order": msgspec.to_builtins(forms.stored(after.order))}
        unit.record("customer.order.updated", str(after.order.id), data, customer_id=previous, about=after)
    if current is not None:
        base = before if previous == current else None
        customers.add_counts(unit.conn, unit.project_id, [(current, summary_delta(unit, base, after))])


def _existing(unit: Unit, key: str, *, lock: bool) -> StoredOrder:
    by_id, by_source = load(unit.conn, unit.project_id, [key], [key], lock=lock)
    found = by_id.get(key) or by_source.get(key)
    if found is None:
        raise not_found("order", key)
    return found
