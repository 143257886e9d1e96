"""Publications as exports carry them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, func

import largesse.customers.service as customers
from largesse.kernel import clock
from largesse.kernel.database.unit import Unit
from largesse.kernel.exporting import Source
from largesse.kernel.http.filters import FilterColumn
from largesse.publications.service import FILTERS
from largesse.publications.store import FIELDS, publications, stored_publication

_c = publications.c


def _values(unit: Unit, rows: Sequence[Row[Any]], fields: frozenset[str], _base_url: str) -> list[dict[str, Any]]:
    """One row each, also where several codes were handed over."""
    found = [stored_publication(row) for row in rows]
    named = {one.customer_id for one in found}
    sources = customers.source_ids(unit, named) if "customer_source_id" in fields else {}
    return [
        {
            "voucher_code": [code for _, code in one.vouchers],
            "customer_id": one.customer_id,
            "customer_source_id": sources.get(one.customer_id),
            "date": clock.iso(one.created_at),
            "channel": one.channel,
            "campaign": one.campaign,
            "is_winner": None,
            "metadata": one.metadata,
        }
        for one in found
    ]


PUBLICATIONS = Source(
    fields=(
        *("voucher_code", "customer_id", "customer_source_id", "date", "channel", "campaign", "is_winner"),
        "metadata",
    ),
    default_fields=("voucher_code", "customer_id", "date", "channel"),
    id=_c.id,
    created_at=_c.created_at,
    columns=tuple(_c[name] for name in FIELDS),
    values=_values,
    orders={
        "id": _c.id,
        "voucher_code": func.coalesce(_c.voucher_code, ""),
        "tracking_id": func.coalesce(_c.tracking_id, ""),
        "customer_id": _c.customer_id,
        "created_at": _c.created_at,
        "channel": _c.channel,
    },
    default_order="-created_at",
    filters=FILTERS
    | {
        "created_at": FilterColumn(_c.created_at, "instant"),
        "campaign": FilterColumn(_c.campaign, "text"),
        "customer": FilterColumn(_c.customer_id, "text"),
        "voucher": FilterColumn(_c.voucher_code, "text"),
        "voucher_code": FilterColumn(_c.voucher_code, "text"),
        "channel": FilterColumn(_c.channel, "text"),
        "metadata": FilterColumn(_c.metadata, "metadata"),
    },
    schema="publication",
)
