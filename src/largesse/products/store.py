"""Every query on products and SKUs. Rows in the bin (`deleted_at` set) keep their keys and are seen by nobody."""

from collections.abc import Collection, Sequence
from typing import Any, TypeVar

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import ColumnElement, UnaryExpression

from largesse.kernel.database.columns import JsonText, found_by, metadata, micros, one_of, project_id
from largesse.products.model import Product, Sku

T = TypeVar("T", Product, Sku)

products = Table(
    "products",
    metadata,
    project_id(),
    Column("id", Text, nullable=False),
    Column("source_id", Text),
    Column("name", Text),
    Column("price", BigInteger),
    Column("attributes", JsonText, nullable=False),
    Column("metadata", JsonText, nullable=False),
    Column("image_url", Text),
    micros("created_at"),
    micros("updated_at", nullable=True),
    micros("deleted_at", nullable=True),
    PrimaryKeyConstraint("project_id", "id"),
    UniqueConstraint("project_id", "source_id"),
    Index("products_by_creation", "project_id", "created_at", "id"),
    Index("products_by_change", "project_id", "updated_at", "id"),
)
skus = Table(
    "skus",
    metadata,
    project_id(),
    Column("id", Text, nullable=False),
    Column("product_id", Text, nullable=False),
    Column("source_id", Text),
    Column("sku", Text),
    Column("price", BigInteger),
    Column("currency", Text),
    Column("attributes", JsonText, nullable=False),
    Column("metadata", JsonText, nullable=False),
    Column("image_url", Text),
    micros("created_at"),
    micros("updated_at", nullable=True),
    micros("deleted_at", nullable=True),
    PrimaryKeyConstraint("project_id", "id"),
    UniqueConstraint("project_id", "source_id"),
    Index("skus_of_product", "project_id", "product_id", "created_at"),
)

_TABLES: dict[type[Any], Table] = {Product: products, Sku: skus}
_SELECTS = {kind: select(*(table.c[name] for name in kind.__struct_fields__)) for kind, table in _TABLES.items()}
_BY_KEYS = {
    kind: _SELECTS[kind].where(
        table.c.project_id == bindparam("project"),
        table.c.deleted_at.is_(None),
        found_by(table.c.id, {"ids": table.c.id, "source_ids": table.c.source_id}),
    )
    for kind, table in _TABLES.items()
}

_AFTER_ID = {
    kind: _SELECTS[kind]
    .where(table.c.project_id == bindparam("project"), table.c.deleted_at.is_(None), table.c.id > bindparam("after"))
    .order_by(table.c.id)
    .limit(bindparam("limit"))
    for kind, table in _TABLES.items()
}


def by_keys(conn: Connection, kind: type[T], project_id: str, keys: Collection[str]) -> list[T]:
    """Live rows whose id or source id is among `keys`, in one query."""
    rows = conn.execute(_BY_KEYS[kind], {"project": project_id, "ids": list(keys), "source_ids": list(keys)})
    return [kind(**row._mapping) for row in rows]


def after_id(conn: Connection, kind: type[T], project_id: str, after: str, *, limit: int) -> list[T]:
    """The next live rows behind an id, in order of their ids; "" is before all."""
    rows = conn.execute(_AFTER_ID[kind], {"project": project_id, "after": after, "limit": limit})
    return [kind(**row._mapping) for row in rows]


def is_binned(conn: Connection, kind: type[T], project_id: str, source_id: str) -> bool:
    table = _TABLES[kind]
    found = select(table.c.id).where(
        table.c.project_id == project_id, table.c.source_id == source_id, table.c.deleted_at.is_not(None)
    )
    return conn.execute(found).first() is not None


def add(conn: Connection, project_id: str, row: Product | Sku) -> None:
    conn.execute(insert(_TABLES[type(row)]).values(project_id=project_id, **msgspec.structs.asdict(row)))


def save(conn: Connection, project_id: str, row: Product | Sku) -> None:
    table = _TABLES[type(row)]
    values = msgspec.structs.asdict(row)
    key = values.pop("id")
    conn.execute(update(table).where(table.c.project_id == project_id, table.c.id == key).values(**values))


def put_in_bin(conn: Connection, project_id: str, row: Product | Sku, now: int) -> None:
    table = _TABLES[type(row)]
    conn.execute(update(table).where(table.c.project_id == project_id, table.c.id == row.id).values(deleted_at=now))


def remove(conn: Connection, kind: type[Product] | type[Sku], project_id: str, key: str) -> None:
    """Deletes a row for good, a product with its SKUs."""
    table = _TABLES[kind]
    if kind is Product:
        conn.execute(delete(skus).where(skus.c.project_id == project_id, skus.c.product_id == key))
    conn.execute(delete(table).where(table.c.project_id == project_id, table.c.id == key))


def page(
    conn: Connection,
    kind: type[T],
    project_id: str,
    conditions: Sequence[ColumnElement[bool]],
    order: Sequence[UnaryExpression[Any]],
    *,
    limit: int,
    offset: int,
) -> tuple[list[T], int]:
    table = _TABLES[kind]
    where = (table.c.project_id == project_id, table.c.deleted_at.is_(None), *conditions)
    total = conn.execute(select(func.count()).select_from(table).where(*where)).scalar_one()
    rows = conn.execute(_SELECTS[kind].where(*where).order_by(*order).limit(limit).offset(offset))
    return [kind(**row._mapping) for row in rows], total


def skus_of(conn: Connection, project_id: str, product_ids: Collection[str]) -> dict[str, list[Sku]]:
    """The live SKUs of several products, oldest first, in one query."""
    statement = (
        _SELECTS[Sku]
        .where(skus.c.project_id == project_id, skus.c.deleted_at.is_(None), one_of(skus.c.product_id, "products"))
        .order_by(skus.c.created_at, skus.c.id)
    )
    found: dict[str, list[Sku]] = {}
    for row in conn.execute(statement, {"products": list(product_ids)}):
        sku = Sku(**row._mapping)
        found.setdefault(sku.product_id, []).append(sku)
    return found
