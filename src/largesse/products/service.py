"""Use cases of products and SKUs, and the catalogue that orders are priced by."""

from collections.abc import Callable, Collection
from typing import TypeVar

import msgspec
from msgspec import UNSET
from sqlalchemy.engine import Connection

import largesse.bin.service as bin
from largesse.engine.order import Catalog, CatalogEntry, ItemDetails, OrderInput
from largesse.kernel import clock, ids, wire
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import duplicate_found, invalid, invalid_payload, not_found
from largesse.kernel.http.query import Query, since_and_until
from largesse.metadata_schemas.service import schemas_of
from largesse.products import store
from largesse.products.model import (
    EmbeddedSkus,
    Product,
    ProductAnswer,
    ProductCreate,
    ProductList,
    ProductUpdate,
    Sku,
    SkuAnswer,
    SkuCreate,
    SkuList,
    SkuUpdate,
)

T = TypeVar("T", Product, Sku)
CheckUnused = Callable[[Unit, str, str], None]  # (unit, kind, id); raises ApiError 400
# The contract lists more names than a product has; those are accepted and mean its creation (documented oddity).
_ODD = ("type", "code", "campaign", "category")


# What orders ask


def catalog(conn: Connection, project_id: str, product_keys: set[str], sku_keys: set[str]) -> Catalog:
    """The products and SKUs named by id or source id; at most three queries."""
    found_skus = store.by_keys(conn, Sku, project_id, sku_keys) if sku_keys else []
    wanted = product_keys | {sku.product_id for sku in found_skus}
    found_products = store.by_keys(conn, Product, project_id, wanted) if wanted else []
    return Catalog(_keyed(found_products), _keyed(found_skus))


def _keyed(found: list[T]) -> dict[str, CatalogEntry]:
    entries: dict[str, CatalogEntry] = {}
    for item in found:
        name, product_id = (item.name, None) if isinstance(item, Product) else (item.sku, item.product_id)
        entry = CatalogEntry(item.id, item.source_id, name, item.price, item.metadata, product_id)
        entries[item.id] = entry
        if item.source_id:
            entries.setdefault(item.source_id, entry)
    return entries


def live(
    conn: Connection, project_id: str, product_ids: Collection[str], sku_ids: Collection[str]
) -> tuple[dict[str, Product], dict[str, Sku]]:
    """Products and SKUs by id, with the products of these SKUs; a SKU whose product is in the bin is out of reach with it."""
    skus = {sku.id: sku for sku in store.by_keys(conn, Sku, project_id, sku_ids)} if sku_ids else {}
    skus = {id: sku for id, sku in skus.items() if id in sku_ids}
    wanted = {*product_ids, *(sku.product_id for sku in skus.values())}
    products = {one.id: one for one in store.by_keys(conn, Product, project_id, wanted)} if wanted else {}
    return products, {id: sku for id, sku in skus.items() if sku.product_id in products}


def overrides(sent: OrderInput) -> bool:
    """True where a line asks for its product or SKU to be written to the catalogue."""
    return any(
        (line.product and line.product.override) or (line.sku and line.sku.override) for line in sent.items or ()
    )


def override(unit: Unit, sent: OrderInput) -> None:
    """Creates or updates the products and SKUs of lines with `override: true`.

    A SKU is created by its source id under the product the line names or describes (our decision: one without a source id
    is made for it where need be); a line of a product that has neither a known id nor a source id changes nothing.
    """
    for line in sent.items or ():
        of_sku, of_product = line.sku, line.product
        sku_source = line.source_id if line.related_object == "sku" else None
        product_source = line.source_id if line.related_object != "sku" else None
        sku: Sku | None = None
        if of_sku is not None and of_sku.override:
            sku_source = of_sku.source_id or sku_source
            sku = _first(unit, Sku, [key for key in (line.sku_id or of_sku.id, sku_source) if key])
        if of_product is not None and of_product.override:
            keys = (sku.product_id if sku else None, line.product_id or of_product.id)
            source_id = of_product.source_id or product_source
            product = _overridden_product(unit, keys, source_id, of_product, for_sku=sku is None and bool(sku_source))
        else:
            named = (line.product_id, of_product and (of_product.id or of_product.source_id), product_source)
            product = _first(unit, Product, [key for key in named if key]) if of_sku is not None else None
        if of_sku is not None and of_sku.override:
            _overridden_sku(unit, sku, sku_source, of_sku, product)


def _overridden_product(
    unit: Unit, known: tuple[str | None, ...], source_id: str | None, details: ItemDetails, *, for_sku: bool
) -> Product | None:
    found = _first(unit, Product, [key for key in (*known, source_id) if key])
    if found is None:
        if source_id is None and not for_sku:
            return None
        made = Product(id=ids.hex_id("prod_"), source_id=source_id, created_at=unit.now)
        _lay_over(made, details)
        store.add(unit.conn, unit.project_id, made)
        return made
    _lay_over(found, details)
    found.updated_at = unit.now
    store.save(unit.conn, unit.project_id, found)
    return found


def _overridden_sku(
    unit: Unit, found: Sku | None, source_id: str | None, details: ItemDetails, product: Product | None
) -> None:
    if found is None:
        if source_id is None or product is None:
            return
        found = Sku(id=ids.hex_id("sku_"), product_id=product.id, source_id=source_id, created_at=unit.now)
        _lay_over(found, details)
        store.add(unit.conn, unit.project_id, found)
        return
    _lay_over(found, details)
    found.updated_at = unit.now
    store.save(unit.conn, unit.project_id, found)


def _lay_over(item: Product | Sku, details: ItemDetails) -> None:
    if isinstance(item, Product):
        item.name = details.name if details.name is not None else item.name
    else:
        item.sku = details.sku if details.sku is not None else item.sku
    item.price = details.price if details.price is not None else item.price
    item.metadata = wire.merge_metadata(item.metadata, details.metadata)


def _first(unit: Unit, kind: type[T], keys: list[str]) -> T | None:
    """The row named by the first key that names one; ids before source ids."""
    found = store.by_keys(unit.conn, kind, unit.project_id, keys) if keys else []
    for key in keys:
        for item in sorted(found, key=lambda item: item.id != key):
            if key in (item.id, item.source_id):
                return item
    return None


# Products


def create_product(unit: Unit, sent: ProductCreate) -> ProductAnswer:
    """An upsert by id or source id. Raises ApiError 409 while the source id lies in the bin."""
    found = _first(unit, Product, [key for key in ((sent.id,) if sent.id else (sent.source_id,)) if key])
    if found is None:
        if sent.name is None:
            raise invalid_payload("Payload should have required property 'name'")
        if sent.source_id and store.is_binned(unit.conn, Product, unit.project_id, sent.source_id):
            raise duplicate_found("product", sent.source_id)
        made = Product(id=sent.id or ids.hex_id("prod_"), source_id=sent.source_id, created_at=unit.now)
        _take(unit, made, sent, is_new=True)
        store.add(unit.conn, unit.project_id, made)
        return product_answer(made)
    _take(unit, found, sent, is_new=False)
    found.updated_at = unit.now
    store.save(unit.conn, unit.project_id, found)
    return product_answer(found)


def update_product(unit: Unit, key: str, sent: ProductUpdate) -> ProductAnswer:
    product = _existing(unit, Product, "product", key)
    _change(unit, product, sent, ("name", "price", "attributes", "image_url"))
    product.updated_at = unit.now
    store.save(unit.conn, unit.project_id, product)
    return product_answer(product)


def get_product(unit: Unit, key: str, *, with_skus: bool) -> ProductAnswer:
    product = _existing(unit, Product, "product", key)
    found = product_answer(product)
    if with_skus:
        found.skus = _embedded(store.skus_of(unit.conn, unit.project_id, [product.id]).get(product.id, []))
    return found


def list_products(unit: Unit, query: Query) -> ProductList:
    columns = store.products.c
    orders = {name: columns[name] for name in ("created_at", "updated_at")} | dict.fromkeys(_ODD, columns.created_at)
    conditions = since_and_until(columns.created_at, query)
    page = query.page()
    order = query.order(orders, "created_at", columns.id)
    found, total = store.page(
        unit.conn, Product, unit.project_id, conditions, order, limit=page.limit, offset=page.offset
    )
    by_product = store.skus_of(unit.conn, unit.project_id, [product.id for product in found])
    shown = []
    for product in found:
        shown.append(product_answer(product))
        shown[-1].skus = _embedded(by_product.get(product.id, []))
    return ProductList(products=shown, total=total)


def delete_product(unit: Unit, key: str, check_unused: CheckUnused, *, force: bool) -> None:
    """To the bin, or for good with its SKUs. Raises ApiError 404, and 400 `resource_in_use` while something names it."""
    product = _existing(unit, Product, "product", key)
    check_unused(unit, "product", product.id)
    _delete(unit, product, force)


def _delete(unit: Unit, item: Product | Sku, force: bool) -> None:
    if force:
        store.remove(unit.conn, type(item), unit.project_id, item.id)
        return
    store.put_in_bin(unit.conn, unit.project_id, item, unit.now)
    if isinstance(item, Product):
        bin.put(unit, "product", item.id, item.name or item.id, None)
    else:
        bin.put(unit, "sku", item.id, item.sku or item.id, item.product_id)


def purge(unit: Unit, resource_type: str, resource_id: str) -> None:
    """Removes for good what the bin held."""
    store.remove(unit.conn, Product if resource_type == "product" else Sku, unit.project_id, resource_id)


# SKUs


def create_sku(unit: Unit, product_key: str, sent: SkuCreate) -> SkuAnswer:
    """An upsert by id or source id under a product. Raises ApiError 404 for an unknown product."""
    product = _existing(unit, Product, "product", product_key)
    _check_attributes(product, sent.attributes)
    found = _first(unit, Sku, [key for key in ((sent.id,) if sent.id else (sent.source_id,)) if key])
    if found is None:
        if sent.source_id and store.is_binned(unit.conn, Sku, unit.project_id, sent.source_id):
            raise duplicate_found("sku", sent.source_id)
        made = Sku(
            id=sent.id or ids.hex_id("sku_"), product_id=product.id, source_id=sent.source_id, created_at=unit.now
        )
        _take(unit, made, sent, is_new=True)
        store.add(unit.conn, unit.project_id, made)
        return sku_answer(made)
    if found.product_id != product.id:
        raise duplicate_found("sku", found.source_id or found.id)
    _take(unit, found, sent, is_new=False)
    found.updated_at = unit.now
    store.save(unit.conn, unit.project_id, found)
    return sku_answer(found)


def update_sku(unit: Unit, product_key: str, key: str, sent: SkuUpdate) -> SkuAnswer:
    product = _existing(unit, Product, "product", product_key)
    sku = _sku_of(unit, product, key)
    if sent.attributes:
        _check_attributes(product, sent.attributes)
    _change(unit, sku, sent, ("sku", "price", "currency", "attributes", "image_url"))
    sku.updated_at = unit.now
    store.save(unit.conn, unit.project_id, sku)
    return sku_answer(sku)


def get_sku(unit: Unit, key: str) -> SkuAnswer:
    return sku_answer(_existing(unit, Sku, "sku", key))


def list_skus(unit: Unit, product_key: str, query: Query) -> SkuList:
    product = _existing(unit, Product, "product", product_key)
    columns = store.skus.c
    orders = {name: columns[name] for name in ("created_at", "updated_at")} | dict.fromkeys(_ODD, columns.created_at)
    page = query.page()
    order = query.order(orders, "created_at", columns.id)
    mine = [columns.product_id == product.id, *since_and_until(columns.created_at, query)]
    found, total = store.page(unit.conn, Sku, unit.project_id, mine, order, limit=page.limit, offset=page.offset)
    return SkuList(skus=[sku_answer(sku) for sku in found], total=total)


def delete_sku(unit: Unit, product_key: str, key: str, check_unused: CheckUnused, *, force: bool) -> None:
    """As `delete_product`."""
    sku = _sku_of(unit, _existing(unit, Product, "product", product_key), key)
    check_unused(unit, "sku", sku.id)
    _delete(unit, sku, force)


def _sku_of(unit: Unit, product: Product, key: str) -> Sku:
    sku = _existing(unit, Sku, "sku", key)
    if sku.product_id != product.id:
        raise not_found("sku", key)
    return sku


def _check_attributes(product: Product, attributes: dict[str, object] | None) -> None:
    for name in attributes or {}:
        if name not in product.attributes:
            details = (
                f"Attribute {name} is not an attribute of the product; it has {', '.join(product.attributes) or 'none'}"
            )
            raise invalid("invalid_sku", "Invalid SKU", details)


# Shared


def _existing(unit: Unit, kind: type[T], name: str, key: str) -> T:
    found = _first(unit, kind, [key])
    if found is None:
        raise not_found(name, key)
    return found


def _take(unit: Unit, item: Product | Sku, sent: ProductCreate | SkuCreate, *, is_new: bool) -> None:
    """What a POST carries replaces; null counts as absent, metadata is merged. SKUs have the schema of products (documented)."""
    for name in sent.__struct_fields__:
        value = getattr(sent, name)
        if value is not None and name not in ("id", "source_id", "metadata"):
            setattr(item, name, value)
    item.metadata = wire.merge_metadata(item.metadata, sent.metadata)
    if is_new:
        schemas_of(unit).check_new("product", item.metadata)
    else:
        schemas_of(unit).check_changed("product", sent.metadata, item.metadata)


def _change(unit: Unit, item: Product | Sku, sent: ProductUpdate | SkuUpdate, names: tuple[str, ...]) -> None:
    """What a PUT carries replaces, null clears, metadata is merged."""
    for name in names:
        value = getattr(sent, name)
        if value is not UNSET:
            empty = type(getattr(item, name))() if name == "attributes" else None
            setattr(item, name, value if value is not None else empty)
    unset = sent.unset_metadata_fields or []
    item.metadata = wire.without_fields(wire.merge_metadata(item.metadata, sent.metadata or None), unset)
    schemas_of(unit).check_changed("product", sent.metadata or None, item.metadata, unset)


def product_answer(product: Product) -> ProductAnswer:
    values = msgspec.structs.asdict(product)
    values |= {"created_at": clock.iso(product.created_at), "updated_at": clock.iso_or_none(product.updated_at)}
    return ProductAnswer(**values)


def sku_answer(sku: Sku) -> SkuAnswer:
    values = msgspec.structs.asdict(sku)
    values |= {"created_at": clock.iso(sku.created_at), "updated_at": clock.iso_or_none(sku.updated_at)}
    return SkuAnswer(**values)


def _embedded(found: list[Sku]) -> EmbeddedSkus:
    return EmbeddedSkus(data=[sku_answer(sku) for sku in found], total=len(found))
