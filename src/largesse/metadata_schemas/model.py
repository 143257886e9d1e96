"""Metadata schemas as sent, stored and shown: with members in snake case by the management API, in camel case by `/v1`."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

RELATED = (
    "campaign",
    "customer",
    "earning_rule",
    "loyalty_tier",
    "order",
    "order_item",
    "product",
    "promotion_tier",
    "publication",
    "redemption",
    "reward",
    "voucher",
)
"""The objects whose metadata can have a schema (documented); a schema of any other name is for nesting in these."""

MOST_DEFINITIONS = 100  # in one schema, removed ones included (documented)
FREE_OBJECT = "unknown"  # as `object_type`: an object of any shape (documented)

Type = Literal["string", "number", "boolean", "date", "datetime", "image_url", "geopoint", "object"]
Key = Annotated[str, Meta(min_length=1, max_length=255)]
Length = Annotated[int, Meta(ge=0, le=1_000_000)]
Values = Annotated[list[int | float | str], Meta(max_length=1000)]


class Definition(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one key holds: a value of a type, or an array of such values, within bounds.

    `optional` false means that the key is required when the object is created; `deleted` that the definition no longer counts.
    """

    type: Type
    array: bool = False
    optional: bool = True
    deleted: bool = False
    object_type: str | None = None
    eq: Values | None = None
    ne: Values | None = None
    lt: int | float | None = None
    lte: int | float | None = None
    gt: int | float | None = None
    gte: int | float | None = None
    min_length: Length | None = None
    max_length: Length | None = None
    exact_length: Length | None = None


NUMERIC = ("lt", "lte", "gt", "gte")
TEXTUAL = ("min_length", "max_length", "exact_length")
CAMEL_CASE = {
    "object_type": "objectType",
    "min_length": "minLength",
    "max_length": "maxLength",
    "exact_length": "exactLength",
}


class SchemaCreate(msgspec.Struct, frozen=True, kw_only=True):
    """`properties` holds definitions by key; both spellings of their members are understood."""

    related_object: Key
    properties: dict[Key, dict[str, Any]]
    allow_defined_only: bool | None = None


class SchemaUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """Definitions to add or to replace whole; keys that are not sent stay (documented)."""

    properties: dict[Key, dict[str, Any]] | None = None
    allow_defined_only: bool | None = None


class StoredSchema(msgspec.Struct, frozen=True, kw_only=True):
    """Times in microseconds UTC."""

    id: str
    related_object: str
    properties: dict[str, Definition]
    allow_defined_only: bool = False
    created_at: int
    updated_at: int | None = None


class SchemaAnswer(msgspec.Struct, kw_only=True):
    id: str
    related_object: str
    properties: dict[str, dict[str, Any]]
    allow_defined_only: bool
    created_at: str
    updated_at: str | None
    object: str = "metadata_schema"


class SchemaList(msgspec.Struct, kw_only=True):
    """As the management API lists."""

    object: str = "list"
    data_ref: str = "data"
    data: list[SchemaAnswer]
    total: int


class NamedSchemaList(msgspec.Struct, kw_only=True):
    """As `/v1` lists."""

    object: str = "list"
    data_ref: str = "schemas"
    schemas: list[SchemaAnswer]
    total: int
