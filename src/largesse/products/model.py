"""Products and SKUs as sent, stored and shown. Prices in minor units."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from largesse.engine.order import Amount

Name = Annotated[str, Meta(min_length=1, max_length=1000)]
Key = Annotated[str, Meta(min_length=1, max_length=255)]


class ProductCreate(msgspec.Struct, frozen=True, kw_only=True):
    id: Key | None = None
    source_id: Key | None = None
    name: Name | None = None
    price: Amount | None = None
    attributes: list[str] | None = None
    metadata: dict[str, Any] | None = None
    image_url: str | None = None


class ProductUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """PUT: absent stays, null clears; the name cannot be cleared."""

    name: Name | UnsetType = UNSET
    price: Amount | None | UnsetType = UNSET
    attributes: list[str] | None | UnsetType = UNSET
    metadata: dict[str, Any] | None | UnsetType = UNSET
    image_url: str | None | UnsetType = UNSET
    unset_metadata_fields: list[str] | None = None


class SkuCreate(msgspec.Struct, frozen=True, kw_only=True):
    id: Key | None = None
    source_id: Key | None = None
    sku: str | None = None
    price: Amount | None = None
    currency: str | None = None
    attributes: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None
    image_url: str | None = None


class SkuUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """PUT: absent stays, null clears."""

    sku: str | None | UnsetType = UNSET
    price: Amount | None | UnsetType = UNSET
    currency: str | None | UnsetType = UNSET
    attributes: dict[str, Any] | None | UnsetType = UNSET
    metadata: dict[str, Any] | None | UnsetType = UNSET
    image_url: str | None | UnsetType = UNSET
    unset_metadata_fields: list[str] | None = None


class Product(msgspec.Struct, kw_only=True):
    id: str
    source_id: str | None = None
    name: str | None = None
    price: int | None = None
    attributes: list[str] = []
    metadata: dict[str, Any] = {}
    image_url: str | None = None
    created_at: int
    updated_at: int | None = None


class Sku(msgspec.Struct, kw_only=True):
    id: str
    product_id: str
    source_id: str | None = None
    sku: str | None = None
    price: int | None = None
    currency: str | None = None
    attributes: dict[str, Any] = {}
    metadata: dict[str, Any] = {}
    image_url: str | None = None
    created_at: int
    updated_at: int | None = None


class SkuAnswer(msgspec.Struct, kw_only=True):
    id: str
    source_id: str | None
    product_id: str
    sku: str | None
    price: int | None
    currency: str | None
    attributes: dict[str, Any]
    image_url: str | None
    metadata: dict[str, Any]
    created_at: str
    updated_at: str | None
    object: str = "sku"


class EmbeddedSkus(msgspec.Struct, kw_only=True):
    object: str = "list"
    data_ref: str = "data"
    data: list[SkuAnswer]
    total: int


class ProductAnswer(msgspec.Struct, kw_only=True):
    id: str
    source_id: str | None
    name: str | None
    price: int | None
    attributes: list[str]
    metadata: dict[str, Any]
    image_url: str | None
    created_at: str
    updated_at: str | None
    object: str = "product"
    skus: EmbeddedSkus | UnsetType = UNSET


class ProductList(msgspec.Struct, kw_only=True):
    object: str = "list"
    data_ref: str = "products"
    products: list[ProductAnswer]
    total: int


class SkuList(msgspec.Struct, kw_only=True):
    object: str = "list"
    data_ref: str = "skus"
    skus: list[SkuAnswer]
    total: int
