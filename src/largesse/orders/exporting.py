"""Orders as exports carry them. Amounts in minor units."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, func

from largesse.kernel import clock
from largesse.kernel.database.unit import Unit
from largesse.kernel.exporting import Source
from largesse.kernel.http.filters import FilterColumn
from largesse.orders.store import COLUMNS, orders, stored_order

_c = orders.c
_PLAIN = ("id", "source_id", "status", "amount", "discount_amount", "items_discount_amount", "total_discount_amount")
_TOTAL_DISCOUNT = func.coalesce(_c.amount, 0) - _c.total_amount


def _values(_unit: Unit, rows: Sequence[Row[Any]], _fields: frozenset[str], _base_url: str) -> list[dict[str, Any]]:
    found = []
    for row in rows:
        order = stored_order(row)
        values = {name: getattr(order, name) for name in (*_PLAIN, "total_amount", "customer_id", "referrer_id")}
        values["metadata"] = order.metadata
        values["created_at"] = clock.iso_or_none(order.created_at)
        values["updated_at"] = clock.iso_or_none(order.updated_at)
        found.append(values)
    return found


ORDERS = Source(
    fields=(
        *("id", "source_id", "created_at", "updated_at", "status", "amount", "discount_amount"),
        *("items_discount_amount", "total_discount_amount", "total_amount", "customer_id", "referrer_id", "metadata"),
    ),
    default_fields=("id", "source_id", "status"),
    id=_c.id,
    created_at=_c.created_at,
    columns=tuple(_c[name] for name in COLUMNS),
    values=_values,
    orders={"created_at": _c.created_at, "updated_at": func.coalesce(_c.updated_at, -1), "status": _c.status},
    default_order="-created_at",
    filters={
        "id": FilterColumn(_c.id, "text"),
        "source_id": FilterColumn(_c.source_id, "text"),
        "status": FilterColumn(_c.status, "text"),
        "created_at": FilterColumn(_c.created_at, "instant"),
        "updated_at": FilterColumn(_c.updated_at, "instant"),
        "amount": FilterColumn(_c.amount, "number"),
        "discount_amount": FilterColumn(_c.discount_amount, "number"),
        "items_discount_amount": FilterColumn(_TOTAL_DISCOUNT - _c.discount_amount, "number"),
        "total_discount_amount": FilterColumn(_TOTAL_DISCOUNT, "number"),
        "total_amount": FilterColumn(_c.total_amount, "number"),
        "customer_id": FilterColumn(_c.customer_id, "text"),
        "referrer_id": FilterColumn(_c.referrer_id, "text"),
        "metadata": FilterColumn(_c.metadata, "metadata"),
    },
    schema="order",
)
