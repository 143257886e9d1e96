"""Entries of the bin."""

import msgspec
from msgspec import UNSET, UnsetType


class BinEntry(msgspec.Struct, kw_only=True):
    id: str
    created_at: int
    resource_id: str
    resource_type: str
    resource_name: str
    resource_parent_id: str | None = None


class BinAnswer(msgspec.Struct, kw_only=True):
    id: str
    created_at: str
    deleted_by_user_id: str | None = None
    resource_id: str
    resource_type: str
    resource_name: str
    resource_parent_id: str | None
    object: str


class BinList(msgspec.Struct, kw_only=True):
    object: str = "list"
    data_ref: str = "data"
    data: list[BinAnswer]
    total: int
    has_more: bool
    more_starting_after: str | UnsetType = UNSET
