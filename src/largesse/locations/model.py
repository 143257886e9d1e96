"""Locations as sent, stored and shown. Times in microseconds UTC."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

Name = Annotated[str, Meta(min_length=1, max_length=255)]


class LocationCreate(msgspec.Struct, frozen=True, kw_only=True):
    """`shape` is a circle around a point or a polygon in GeoJSON."""

    name: Name
    shape: dict[str, Any]


class LocationUpdate(msgspec.Struct, frozen=True, kw_only=True):
    name: Name | None = None
    shape: dict[str, Any] | None = None


class StoredLocation(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    name: str
    shape: dict[str, Any]
    created_at: int
    updated_at: int | None = None


class LocationAnswer(msgspec.Struct, kw_only=True):
    id: str
    name: str
    shape: dict[str, Any]
    created_at: str
    updated_at: str | None
    object: str = "location"


class LocationList(msgspec.Struct, kw_only=True):
    object: str = "list"
    data_ref: str = "data"
    data: list[LocationAnswer]
    total: int
    has_more: bool
