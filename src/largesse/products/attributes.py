"""Products and SKUs as filters see them: what they are judged by, under the names that filters use."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy.engine import Connection

from largesse.engine.collections import Stored, sku_attributes
from largesse.kernel import clock
from largesse.products import store
from largesse.products.model import Product, Sku

_AT_ONCE = 1000  # rows of a scan held at a time


def stored(conn: Connection, project_id: str, product_keys: set[str], sku_keys: set[str], *, with_skus: bool) -> Stored:
    """The products and SKUs named by id or source id, and the products of those SKUs; `with_skus` lists the SKUs of each product.

    At most three queries.
    """
    skus = store.by_keys(conn, Sku, project_id, sku_keys) if sku_keys else []
    wanted = product_keys | {sku.product_id for sku in skus}
    products = store.by_keys(conn, Product, project_id, wanted) if wanted else []
    return Stored(
        _keyed(_all_of_products(conn, project_id, products, with_skus=with_skus)),
        _keyed([_of_sku(sku) for sku in skus]),
    )


def _keyed(seen: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Under id and source id; ids win."""
    by_source = {attributes["source_id"]: attributes for attributes in seen if attributes["source_id"]}
    return by_source | {attributes["id"]: attributes for attributes in seen}


def scan(conn: Connection, project_id: str, *, with_skus: bool) -> Iterator[tuple[Product | Sku, dict[str, Any]]]:
    """Every product and SKU of the catalogue with its attributes, in pages of one or two queries each."""
    after = ""
    while products := store.after_id(conn, Product, project_id, after, limit=_AT_ONCE):
        yield from zip(products, _all_of_products(conn, project_id, products, with_skus=with_skus), strict=True)
        after = products[-1].id
    after = ""
    while skus := store.after_id(conn, Sku, project_id, after, limit=_AT_ONCE):
        parents = store.by_keys(conn, Product, project_id, {sku.product_id for sku in skus})
        known = {product.id: _of_product(product) for product in parents}
        for sku in skus:
            if sku.product_id in known:  # else its product is in the bin
                yield sku, sku_attributes(_of_sku(sku), known[sku.product_id])
        after = skus[-1].id


def _all_of_products(
    conn: Connection, project_id: str, products: Sequence[Product], *, with_skus: bool
) -> list[dict[str, Any]]:
    found = [_of_product(product) for product in products]
    if with_skus and products:
        skus = store.skus_of(conn, project_id, [product.id for product in products])
        for attributes in found:
            attributes["skus"] = [sku.id for sku in skus.get(attributes["id"], ())]
    return found


def _of_product(product: Product) -> dict[str, Any]:
    return {
        "object": "product",
        "id": product.id,
        "source_id": product.source_id,
        "name": product.name,
        "price": product.price,
        "attributes": product.attributes,
        "image_url": product.image_url,
        "metadata": product.metadata,
        "created_at": clock.iso(product.created_at),
        "updated_at": clock.iso_or_none(product.updated_at),
    }


def _of_sku(sku: Sku) -> dict[str, Any]:
    """`attributes` are their names, as on products (our decision)."""
    return {
        "object": "sku",
        "id": sku.id,
        "product_id": sku.product_id,
        "source_id": sku.source_id,
        "name": sku.sku,
        "price": sku.price,
        "attributes": list(sku.attributes),
        "image_url": sku.image_url,
        "metadata": sku.metadata,
        "created_at": clock.iso(sku.created_at),
        "updated_at": clock.iso_or_none(sku.updated_at),
    }
