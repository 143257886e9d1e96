"""The order: as sent, as calculated, and the way from one to the other. All amounts in minor units."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from largesse.engine.customer import CustomerInput
from largesse.engine.refusal import Refusal, invalid_amount, invalid_order

MAX_LINES = 500
MAX_AMOUNT = 10**15
Amount = Annotated[int, Meta(ge=0, le=MAX_AMOUNT)]
OrderStatus = Literal["CREATED", "PAID", "CANCELED", "FULFILLED", "PROCESSING"]


class ItemDetails(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a line says of its product or SKU; with `override` it is written to the catalogue."""

    id: str | None = None
    source_id: str | None = None
    name: str | None = None
    sku: str | None = None
    price: Amount | None = None
    metadata: dict[str, Any] | None = None
    override: bool | None = None


class LineInput(msgspec.Struct, frozen=True):
    """An order line as sent. `quantity` may be a numeric text (observed)."""

    id: str | None = None
    product_id: str | None = None
    sku_id: str | None = None
    source_id: str | None = None
    related_object: Literal["product", "sku"] | None = None
    quantity: Annotated[int, Meta(ge=1, le=10**9)] | Annotated[str, Meta(pattern=r"^[1-9]\d{0,8}$")] | None = None
    price: Amount | None = None
    amount: Amount | None = None
    product: ItemDetails | None = None
    sku: ItemDetails | None = None
    metadata: dict[str, Any] | None = None


class OrderInput(msgspec.Struct, frozen=True, kw_only=True):
    """An order as sent; discounts in it are ignored, they are what is to be computed."""

    id: str | None = None
    source_id: str | None = None
    status: OrderStatus | None = None
    amount: Amount | None = None
    items: list[LineInput] | None = None
    metadata: dict[str, Any] | None = None
    customer: CustomerInput | None = None
    customer_id: str | None = None
    referrer: CustomerInput | None = None
    referrer_id: str | None = None


class Line(msgspec.Struct, frozen=True, gc=False):
    """A calculated line. `discount_*` is all item-level discount so far, `applied_*` that of one redeemable or request."""

    id: str | None = None
    product_id: str | None = None
    sku_id: str | None = None
    source_id: str | None = None
    related_object: str | None = None
    quantity: int = 1
    price: int | None = None
    amount: int | None = None
    initial_quantity: int | None = None
    initial_amount: int | None = None
    discount_amount: int = 0
    discount_quantity: int | None = None
    applied_discount_amount: int = 0
    applied_discount_quantity: int | None = None
    applied_quantity: int | None = None
    applied_quantity_amount: int | None = None
    product: dict[str, Any] | None = None
    sku: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None
    application_details: list[Any] | None = None

    @property
    def subtotal(self) -> int | None:
        """`amount` less all item-level discounts; None while the amount is unknown."""
        return None if self.amount is None else self.amount - self.discount_amount


class Order(msgspec.Struct, frozen=True):
    """A calculated order. `lines` is None when no items were sent, `amount` None when none is known."""

    id: str | None = None
    source_id: str | None = None
    status: str | None = None
    created_at: int | None = None
    updated_at: int | None = None
    customer_id: str | None = None
    referrer_id: str | None = None
    amount: int | None = None
    initial_amount: int | None = None
    discount_amount: int = 0
    applied_discount_amount: int = 0
    lines: tuple[Line, ...] | None = None
    metadata: dict[str, Any] | None = None
    redemptions: dict[str, Any] | None = None

    @property
    def items_discount_amount(self) -> int:
        return sum([line.discount_amount for line in self.lines]) if self.lines else 0

    @property
    def items_applied_discount_amount(self) -> int:
        return sum([line.applied_discount_amount for line in self.lines]) if self.lines else 0

    @property
    def total_discount_amount(self) -> int:
        return self.discount_amount + self.items_discount_amount

    @property
    def total_applied_discount_amount(self) -> int:
        return self.applied_discount_amount + self.items_applied_discount_amount

    @property
    def total_amount(self) -> int:
        """What is left to pay, never below 0; 0 while no amount is known."""
        return max(0, (self.amount or 0) - self.total_discount_amount)


def without_applied(order: Order) -> Order:
    """The order as the next redeemable finds it: what earlier ones applied is theirs."""
    lines = order.lines
    if lines is not None and any(_is_applied(line) for line in lines):
        lines = tuple([line_without_applied(line) for line in lines])
    elif not order.applied_discount_amount:
        return order
    return msgspec.structs.replace(order, applied_discount_amount=0, lines=lines)


def _is_applied(line: Line) -> bool:
    return bool(line.applied_discount_amount or line.applied_discount_quantity or line.applied_quantity)


def line_without_applied(line: Line) -> Line:
    if not _is_applied(line):
        return line
    return msgspec.structs.replace(
        line,
        applied_discount_amount=0,
        applied_discount_quantity=None,
        applied_quantity=None,
        applied_quantity_amount=None,
        application_details=None,
    )


class CatalogEntry(msgspec.Struct, frozen=True):
    """A product or SKU known to the store; `product_id` is set for SKUs."""

    id: str
    source_id: str | None = None
    name: str | None = None
    price: int | None = None
    metadata: dict[str, Any] | None = None
    product_id: str | None = None


class Catalog(msgspec.Struct, frozen=True):
    """Known products and SKUs, each under its id and its source id."""

    products: dict[str, CatalogEntry] = {}
    skus: dict[str, CatalogEntry] = {}


def check_size(sent: OrderInput) -> Refusal | None:
    """Refuses more lines than an order may have (documented limit, our key)."""
    if sent.items is not None and len(sent.items) > MAX_LINES:
        return invalid_order(f"Order cannot contain more than {MAX_LINES} items")
    return None


def check_amount(order: Order) -> Refusal | None:
    """Refuses an order whose prices and quantities multiply beyond any sum of money."""
    if (order.amount or 0) > MAX_AMOUNT or any((line.amount or 0) > MAX_AMOUNT for line in order.lines or ()):
        return invalid_amount(f"The amount of an order cannot be higher than {MAX_AMOUNT}")
    return None


def catalog_keys(sent: OrderInput) -> tuple[set[str], set[str]]:
    """Ids and source ids of the products and of the SKUs that the lines name."""
    products: set[str] = set()
    skus: set[str] = set()
    for line in sent.items or ():
        named = skus if line.related_object == "sku" else products
        named.update(key for key in (line.source_id,) if key)
        products.update(key for key in (line.product_id, *_keys(line.product)) if key)
        skus.update(key for key in (line.sku_id, *_keys(line.sku)) if key)
    return products, skus


def _keys(details: ItemDetails | None) -> tuple[str | None, str | None]:
    return (details.id, details.source_id) if details else (None, None)


def normalise(sent: OrderInput, catalog: Catalog) -> Order:
    """The calculated order before any discount (documented: given amounts are trusted even where they contradict the lines)."""
    lines = tuple(_line(line, catalog) for line in sent.items) if sent.items is not None else None
    amount = sent.amount
    if amount is None and lines:
        known = [line.amount for line in lines if line.amount is not None]
        amount = sum(known) if known else None
    return Order(
        id=sent.id,
        source_id=sent.source_id,
        status=sent.status,
        referrer_id=sent.referrer_id,
        amount=amount,
        lines=lines,
        metadata=sent.metadata,
    )


def _line(sent: LineInput, catalog: Catalog) -> Line:
    sku = _entry(catalog.skus, sent.sku_id, sent.source_id if sent.related_object == "sku" else None, sent.sku)
    by_source = sent.source_id if sent.related_object != "sku" else None
    product = _entry(catalog.products, sent.product_id, by_source, sent.product)
    if product is None and sku is not None and sku.product_id:
        product = catalog.products.get(sku.product_id)
    quantity = int(sent.quantity) if sent.quantity is not None else 1
    price = _price(sent, sku, product)
    amount = sent.amount
    if amount is None and price is not None:
        amount = price * quantity
    return Line(
        id=sent.id,
        product_id=product.id if product else sent.product_id,
        sku_id=sku.id if sku else sent.sku_id,
        source_id=sent.source_id,
        related_object=sent.related_object,
        quantity=quantity,
        price=price,
        amount=amount,
        product=shown(product, sent.product, "name"),
        sku=shown(sku, sent.sku, "sku"),
        metadata=sent.metadata,
    )


def _entry(
    known: dict[str, CatalogEntry], id: str | None, source_id: str | None, details: ItemDetails | None
) -> CatalogEntry | None:
    for key in (id, source_id, *_keys(details)):
        if key and (found := known.get(key)):
            return found
    return None


def _price(sent: LineInput, sku: CatalogEntry | None, product: CatalogEntry | None) -> int | None:
    """Line, then what the line says of its SKU and product, then the catalogue's SKU and product (documented order)."""
    for holder in (sent, sent.sku, sent.product, sku, product):
        if holder is not None and holder.price is not None:
            return holder.price
    return None


def shown(entry: CatalogEntry | None, sent: ItemDetails | None, name: str) -> dict[str, Any] | None:
    """The `product` or `sku` member of an answered line: what is stored, overlaid by what was sent."""
    if entry is None and sent is None:
        return None
    shown: dict[str, Any] = {}
    if entry is not None:
        shown = {"id": entry.id, "source_id": entry.source_id, name: entry.name, "price": entry.price}
        if entry.metadata:
            shown["metadata"] = entry.metadata
        shown = {key: value for key, value in shown.items() if value is not None}
    if sent is not None:
        overlay = msgspec.to_builtins(sent)
        overlay.pop("override", None)
        shown |= {key: value for key, value in overlay.items() if value is not None}
    return shown
