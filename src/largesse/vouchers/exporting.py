"""Transactions of credit and points as exports carry them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from largesse.kernel import clock, wire
from largesse.kernel.database.unit import Unit
from largesse.kernel.exporting import Source
from largesse.kernel.http.filters import FilterColumn
from largesse.vouchers.tables import transactions

_c = transactions.c
_PLAIN = ("id", "campaign_id", "voucher_id", "type", "source_id", "reason", "source", "related_transaction_id")


def _values(_unit: Unit, rows: Sequence[Row[Any]], _fields: frozenset[str], _base_url: str) -> list[dict[str, Any]]:
    """`balance` is what was left after the transaction, `amount` by how much it moved: credits in minor units, or points."""
    found = []
    for row in rows:
        details = wire.decode_stored(row.details, dict[str, Any])
        balance = details["balance"]
        values: dict[str, Any] = {name: getattr(row, name) for name in _PLAIN}
        values["balance"] = balance["balance"]
        values["amount"] = balance["points"] if "points" in balance else balance["amount"]
        values["created_at"] = clock.iso(row.created_at)
        values["details"] = details
        found.append(values)
    return found


TRANSACTIONS = Source(
    fields=(
        "id",
        "campaign_id",
        "voucher_id",
        "type",
        "source_id",
        "reason",
        "source",
        "balance",
        "amount",
        "related_transaction_id",
        "created_at",
        "details",
    ),
    default_fields=("id", "type", "source_id", "reason", "source", "balance", "amount", "created_at"),
    id=_c.id,
    created_at=_c.created_at,
    columns=(*(_c[name] for name in _PLAIN), _c.created_at, _c.details),
    values=_values,
    orders={"created_at": _c.created_at},
    default_order="-created_at",
    filters={
        "created_at": FilterColumn(_c.created_at, "instant"),
        "voucher_id": FilterColumn(_c.voucher_id, "text"),
        "campaign_id": FilterColumn(_c.campaign_id, "text"),
    },
)
