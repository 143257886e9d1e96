"""Product collections as sent, stored and shown."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

Name = Annotated[str, Meta(min_length=1, max_length=1000)]
Key = Annotated[str, Meta(min_length=1, max_length=255)]
Kind = Literal["STATIC", "AUTO_UPDATE"]


class Member(msgspec.Struct, frozen=True, omit_defaults=True):
    """A product, which stands for its SKUs too, or a single SKU; `product_id` is that of a SKU's product."""

    id: Key
    object: Literal["product", "sku"]
    product_id: Key | None = None


class CollectionCreate(msgspec.Struct, frozen=True, kw_only=True):
    """`products` are those of a STATIC collection, `filter` is that of an AUTO_UPDATE one; the other is ignored."""

    type: Kind
    name: Any
    products: Annotated[list[Member], Meta(max_length=1000)] | None = None
    filter: Any = None


class CollectionUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """A STATIC collection takes a name only, an AUTO_UPDATE one name and filter (documented)."""

    name: Any = UNSET
    filter: Any = UNSET


class StoredCollection(msgspec.Struct, kw_only=True):
    """`filter` in the form answers show, None where the collection is STATIC. Times in microseconds UTC."""

    id: str
    name: str
    type: str
    filter: dict[str, Any] | None = None
    products: list[dict[str, Any]] = []
    created_at: int
    updated_at: int | None = None


class CollectionAnswer(msgspec.Struct, kw_only=True):
    id: str
    name: str
    type: str
    filter: dict[str, Any] | UnsetType = UNSET
    products: list[dict[str, Any]] | UnsetType = UNSET
    created_at: str
    updated_at: str | UnsetType = UNSET
    object: Literal["products_collection"] = "products_collection"


class CollectionList(msgspec.Struct, kw_only=True):
    object: str = "list"
    data_ref: str = "data"
    data: list[CollectionAnswer]
    total: int


class MemberProduct(msgspec.Struct, kw_only=True, tag_field="object", tag="product"):
    """A product without its SKUs."""

    id: str
    source_id: str | None
    name: str | None
    price: int | None
    attributes: list[str]
    metadata: dict[str, Any]
    image_url: str | None
    created_at: str
    updated_at: str | None


class MemberSku(msgspec.Struct, kw_only=True, tag_field="object", tag="sku"):
    """A SKU with its product.

    `attributes` stand there only where it has any: the official Python SDK reads them in this list as those of a product, and fails
    on an object (our decision).
    """

    id: str
    source_id: str | None
    product_id: str
    sku: str | None
    price: int | None
    currency: str | None
    attributes: dict[str, Any] | UnsetType = UNSET
    image_url: str | None
    metadata: dict[str, Any]
    created_at: str
    updated_at: str | None
    product: MemberProduct


class MemberList(msgspec.Struct, kw_only=True):
    object: str = "list"
    data_ref: str = "data"
    data: list[MemberProduct | MemberSku]
    total: int
