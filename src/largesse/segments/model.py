"""Segments as stored and as shown. Times in microseconds UTC inside, days as `date.toordinal` counts them."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from largesse.engine.segments import Filter
from largesse.kernel.database.unit import Unit

Kind = Literal["auto-update", "passive", "static"]
SyncStatus = Literal["IN_PROGRESS", "DONE"]
Name = Annotated[str, Meta(min_length=1, max_length=1000)]


class SegmentCreate(msgspec.Struct, frozen=True, kw_only=True):
    """`customers`, ids or source ids, belong to static segments, `filter` to the others."""

    name: Name | None = None
    type: Kind | None = None
    filter: Any = None
    customers: list[str] | None = None


class StoredSegment(msgspec.Struct, frozen=True, kw_only=True):
    """`initial_sync_status` is DONE once it is known of every customer whether they are in."""

    id: str
    name: str
    type: Kind
    filter: dict[str, Any] | None = None
    initial_sync_status: SyncStatus
    created_at: int
    updated_at: int | None = None


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """A segment as decisions and reactions read it; `filter` None for a static one."""

    id: str
    name: str
    records: bool  # whether entering and leaving are told of (documented: of auto-update segments)
    is_filled: bool
    filter: Filter | None
    reference: Mapping[str, str]


class Membership(msgspec.Struct, frozen=True):
    """What is known of one customer in one segment: in or not, and from which day on the clock may have changed that."""

    customer_id: str
    segment_id: str
    inside: bool
    turns_on: int | None


class SegmentAnswer(msgspec.Struct, kw_only=True):
    id: str
    name: str
    created_at: str
    updated_at: str | None
    type: Kind
    filter: dict[str, Any] | None
    initial_sync_status: SyncStatus
    object: Literal["segment"] = "segment"


class SegmentList(msgspec.Struct, kw_only=True):
    object: Literal["list"] = "list"
    data_ref: Literal["data"] = "data"
    data: list[SegmentAnswer]
    total: int


class SegmentReference(msgspec.Struct, kw_only=True):
    id: str
    name: str
    object: Literal["segment"] = "segment"


class CustomerSegments(msgspec.Struct, kw_only=True):
    object: Literal["list"] = "list"
    data_ref: Literal["data"] = "data"
    data: list[SegmentReference]
    total: int


class Touched(msgspec.Struct):
    """A customer that something happened to: the unit that tells of what follows, and what may have changed."""

    unit: Unit
    changes: set[str]
