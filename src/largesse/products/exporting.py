"""Products and SKUs as exports carry them. Prices in minor units."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Table

from largesse.kernel import clock
from largesse.kernel.database.unit import Unit
from largesse.kernel.exporting import Source
from largesse.kernel.http.filters import FilterColumn
from largesse.products.store import products, skus

_OF_PRODUCTS = ("id", "name", "price", "image_url", "source_id", "attributes", "created_at")
_OF_SKUS = ("id", "sku", "product_id", "currency", "price", "image_url", "source_id", "attributes", "created_at")


def _values(_unit: Unit, rows: Sequence[Row[Any]], _fields: frozenset[str], _base_url: str) -> list[dict[str, Any]]:
    found = []
    for row in rows:
        values = dict(row._mapping)
        values["created_at"] = clock.iso(values["created_at"])
        values["updated_at"] = clock.iso_or_none(values["updated_at"])
        found.append(values)
    return found


def _source(table: Table, default_fields: tuple[str, ...], schema: str | None) -> Source:
    """The reference names no filters for these; all columns that hold one value can be asked for (our decision)."""
    c, fields = table.c, (*default_fields, "metadata", "updated_at")
    texts = [name for name in ("id", "name", "source_id", "sku", "product_id", "currency", "image_url") if name in c]
    return Source(
        fields=fields,
        default_fields=default_fields,
        id=c.id,
        created_at=c.created_at,
        columns=tuple(c[name] for name in fields),
        values=_values,
        orders={"created_at": c.created_at},
        default_order="-created_at",
        filters={name: FilterColumn(c[name], "text") for name in texts}
        | {
            "price": FilterColumn(c.price, "number"),
            "created_at": FilterColumn(c.created_at, "instant"),
            "updated_at": FilterColumn(c.updated_at, "instant"),
            "metadata": FilterColumn(c.metadata, "metadata"),
        },
        conditions=(c.deleted_at.is_(None),),
        schema=schema,
    )


PRODUCTS = _source(products, _OF_PRODUCTS, "product")
SKUS = _source(skus, _OF_SKUS, None)
