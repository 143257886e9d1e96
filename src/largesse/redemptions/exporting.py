"""Redemptions and rollbacks, succeeded and failed, as exports carry them. Amounts in minor units."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, func

import largesse.customers.service as customers
import largesse.vouchers.service as vouchers
from largesse.kernel import clock
from largesse.kernel.database.unit import Unit
from largesse.kernel.exporting import Source
from largesse.kernel.http.filters import FilterColumn
from largesse.redemptions.history import FILTERS
from largesse.redemptions.store import COLUMNS, stored_record
from largesse.redemptions.tables import redemptions
from largesse.vouchers.model import LOYALTY_CARD

_c = redemptions.c
_PLAIN = (
    *("id", "object", "voucher_code", "campaign", "promotion_tier_id", "customer_id", "tracking_id", "order_id"),
    *("result", "failure_code", "failure_message", "metadata"),
)


def _values(unit: Unit, rows: Sequence[Row[Any]], fields: frozenset[str], _base_url: str) -> list[dict[str, Any]]:
    found = [stored_record(row) for row in rows]
    named = {one.customer_id for one in found if one.customer_id}
    known = customers.by_ids(unit.conn, unit.project, named) if fields & {"customer_source_id", "customer_name"} else {}
    spent = {one.voucher_id for one in found if one.amount is not None and one.voucher_id}
    asks_amounts = bool(spent) and bool(fields & {"gift_amount", "loyalty_points"})
    cards = vouchers.load(unit.conn, unit.project, spent, lock=False, binned=True) if asks_amounts else {}
    shown = []
    for one in found:
        customer = known.get(one.customer_id or "")
        card = cards.get(one.voucher_id or "")
        in_points = card is not None and card.entry.type == LOYALTY_CARD
        amount = one.order_amount
        values: dict[str, Any] = {name: getattr(one, name) for name in _PLAIN}
        values["date"] = clock.iso(one.date)
        values["customer_source_id"] = customer.source_id if customer else None
        values["customer_name"] = customer.name if customer else None
        values["order_amount"] = one.order.amount if amount is None and one.order is not None else amount
        values["gift_amount"] = None if card is None or in_points else one.amount
        values["loyalty_points"] = one.amount if in_points else None
        shown.append(values)
    return shown


REDEMPTIONS = Source(
    fields=(
        *("id", "object", "date", "voucher_code", "campaign", "promotion_tier_id", "customer_id"),
        *("customer_source_id", "customer_name", "tracking_id", "order_id", "order_amount", "gift_amount"),
        *("loyalty_points", "result", "failure_code", "failure_message", "metadata"),
    ),
    default_fields=("id", "object", "voucher_code", "customer_id", "date", "result"),
    id=_c.id,
    created_at=_c.date,
    columns=tuple(_c[name] for name in COLUMNS),
    values=_values,
    orders={
        "id": _c.id,
        "voucher_code": func.coalesce(_c.voucher_code, ""),
        "tracking_id": func.coalesce(_c.tracking_id, ""),
        "customer_id": func.coalesce(_c.customer_id, ""),
        "created_at": _c.date,
    },
    default_order="-created_at",
    filters=FILTERS
    | {
        "created_at": FilterColumn(_c.date, "instant"),
        "campaign": FilterColumn(_c.campaign, "text"),
        "customer": FilterColumn(_c.customer_id, "text"),
        "voucher": FilterColumn(_c.voucher_code, "text"),
        "related_object": FilterColumn(_c.related_object_id, "text"),
        "status": FilterColumn(_c.status, "text"),
        "metadata": FilterColumn(_c.metadata, "metadata"),
    },
    schema="redemption",
)
