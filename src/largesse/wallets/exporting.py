"""Buckets of points as exports carry them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from largesse.kernel.database.unit import Unit
from largesse.kernel.exporting import Source
from largesse.kernel.http.filters import FilterColumn
from largesse.wallets.model import ACTIVE, EXPIRED
from largesse.wallets.store import NEVER, buckets

_c = buckets.c
_FIELDS = ("id", "campaign_id", "voucher_id", "status", "expires_at", "points")


def _values(unit: Unit, rows: Sequence[Row[Any]], _fields: frozenset[str], _base_url: str) -> list[dict[str, Any]]:
    """What a bucket can still be spent for or, once its last day is over, what expired in it (our decision)."""
    today = unit.project.day(unit.now).isoformat()
    return [
        {
            "id": row.id,
            "campaign_id": row.campaign_id,
            "voucher_id": row.voucher_id,
            "status": EXPIRED if row.status == EXPIRED or row.expires_on < today else ACTIVE,
            "expires_at": None if row.expires_on == NEVER else row.expires_on,
            "points": row.points + row.expired_points,
        }
        for row in rows
    ]


EXPIRATIONS = Source(
    fields=_FIELDS,
    default_fields=_FIELDS,
    id=_c.id,
    created_at=_c.created_at,
    columns=(_c.id, _c.campaign_id, _c.voucher_id, _c.status, _c.expires_on, _c.points, _c.expired_points),
    values=_values,
    orders={"expires_at": _c.expires_on},  # what never expires sorts behind every day
    default_order="expires_at",
    filters={
        "campaign_id": FilterColumn(_c.campaign_id, "text"),
        "voucher_id": FilterColumn(_c.voucher_id, "text"),
    },
)
