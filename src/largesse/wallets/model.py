"""Buckets and pending points as stored. Days are local days of the project, times microseconds UTC."""

from typing import Any, Literal

import msgspec

from largesse.engine.points import Bucket, Pending

ACTIVE = "ACTIVE"
EXPIRED = "EXPIRED"
PENDING = "PENDING"
PendingStatus = Literal["PENDING", "ACTIVATED", "CANCELED"]
ACTIVATED: PendingStatus = "ACTIVATED"
CANCELED: PendingStatus = "CANCELED"


class StoredPending(Pending, kw_only=True):
    """`details` say what earned the points, under the wire's names: `event`, `earning_rule`, `order`, tiers."""

    voucher_id: str
    campaign_id: str | None
    customer_id: str | None
    order_id: str | None
    added: int = 0  # points it began with
    status: PendingStatus = "PENDING"
    details: dict[str, Any]
    created_at: int
    updated_at: int | None = None


class BucketChange(msgspec.Struct, kw_only=True):
    """What one transaction does to a bucket: by how much it moves, and how many of its points it lost if it `expired`."""

    bucket: Bucket
    voucher_id: str
    campaign_id: str | None
    is_new: bool
    points: int = 0
    lost: int = 0
    expired: bool = False
