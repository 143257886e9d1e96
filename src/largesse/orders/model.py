"""Orders as stored and as shown. Amounts in minor units."""

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from largesse.engine.order import Order, OrderInput
from largesse.kernel.wire import Instant


class OrderCreate(OrderInput, frozen=True, kw_only=True):
    """POST: an upsert by id or source id; `created_at` may be given for a new one."""

    created_at: Instant | None = None


class OrderUpdate(OrderInput, frozen=True, kw_only=True):
    """PUT: absent stays; items are replaced whole, metadata is merged."""

    unset_metadata_fields: list[str] | None = None


class StoredOrder(msgspec.Struct, frozen=True):
    """An order as the store keeps it: without the `applied_*` of any single redemption."""

    order: Order


class ObjectReference(msgspec.Struct):
    id: str
    object: str = "customer"


class LineAnswer(msgspec.Struct, kw_only=True):
    object: str = "order_item"
    id: str | UnsetType = UNSET
    product_id: str | UnsetType = UNSET
    sku_id: str | UnsetType = UNSET
    related_object: str | UnsetType = UNSET
    source_id: str | UnsetType = UNSET
    quantity: int
    initial_quantity: int | UnsetType = UNSET
    discount_quantity: int | UnsetType = UNSET
    applied_quantity: int | UnsetType = UNSET
    applied_discount_quantity: int | UnsetType = UNSET
    price: int | UnsetType = UNSET
    amount: int | UnsetType = UNSET
    initial_amount: int | UnsetType = UNSET
    discount_amount: int | UnsetType = UNSET
    applied_discount_amount: int | UnsetType = UNSET
    applied_quantity_amount: int | UnsetType = UNSET
    subtotal_amount: int | UnsetType = UNSET
    product: dict[str, Any] | UnsetType = UNSET
    sku: dict[str, Any] | UnsetType = UNSET
    metadata: dict[str, Any] | UnsetType = UNSET
    application_details: list[Any] | UnsetType = UNSET


class OrderAnswer(msgspec.Struct, kw_only=True):
    """An order in any place of an answer; what does not belong there is absent."""

    id: str | UnsetType = UNSET
    source_id: str | None | UnsetType = UNSET
    status: str | UnsetType = UNSET
    created_at: str | UnsetType = UNSET
    updated_at: str | None | UnsetType = UNSET
    amount: int | UnsetType = UNSET
    initial_amount: int | UnsetType = UNSET
    discount_amount: int | UnsetType = UNSET
    items_discount_amount: int | UnsetType = UNSET
    total_discount_amount: int | UnsetType = UNSET
    total_amount: int | UnsetType = UNSET
    applied_discount_amount: int | UnsetType = UNSET
    items_applied_discount_amount: int | UnsetType = UNSET
    total_applied_discount_amount: int | UnsetType = UNSET
    items: list[LineAnswer] | UnsetType = UNSET
    metadata: dict[str, Any] | UnsetType = UNSET
    customer: ObjectReference | UnsetType = UNSET
    referrer: ObjectReference | UnsetType = UNSET
    customer_id: str | None | UnsetType = UNSET
    referrer_id: str | None | UnsetType = UNSET
    redemptions: dict[str, Any] | UnsetType = UNSET
    object: str = "order"


class OrderList(msgspec.Struct, kw_only=True):
    object: str = "list"
    data_ref: str = "orders"
    orders: list[OrderAnswer]
    total: int
