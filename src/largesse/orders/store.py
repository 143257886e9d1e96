"""Every query on orders."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    PrimaryKeyConstraint,
    Row,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    delete,
    func,
    select,
)
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import ColumnElement, UnaryExpression

from largesse.engine.order import Line, Order
from largesse.kernel import wire
from largesse.kernel.database.columns import found_by, metadata, micros, project_id
from largesse.kernel.database.rows import insert_rows, update_rows

orders = Table(
    "orders",
    metadata,
    project_id(),
    Column("id", Text, nullable=False),
    Column("source_id", Text),
    Column("status", Text, nullable=False),
    micros("created_at"),
    micros("updated_at", nullable=True),
    Column("customer_id", Text),
    Column("referrer_id", Text),
    Column("amount", BigInteger),
    Column("initial_amount", BigInteger),
    Column("discount_amount", BigInteger, nullable=False),
    Column("total_amount", BigInteger, nullable=False),
    Column("lines", Text),  # JSON
    Column("metadata", Text),  # JSON
    Column("redemptions", Text),  # JSON
    PrimaryKeyConstraint("project_id", "id"),
    UniqueConstraint("project_id", "source_id"),
    Index("orders_by_creation", "project_id", "created_at", "id"),
    Index("orders_by_change", "project_id", "updated_at", "id"),
    Index("orders_of_customer", "project_id", "customer_id", "created_at"),
)

COLUMNS = (
    "id",
    "source_id",
    "status",
    "created_at",
    "updated_at",
    "customer_id",
    "referrer_id",
    "amount",
    "initial_amount",
    "discount_amount",
    "lines",
    "metadata",
    "redemptions",
)
_JSON: dict[str, Any] = {"lines": tuple[Line, ...], "metadata": dict[str, Any], "redemptions": dict[str, Any]}
_CHANGING = tuple(name for name in COLUMNS if name not in ("id", "source_id", "created_at"))
_ALL = select(*(orders.c[name] for name in COLUMNS))
_BY_KEYS = _ALL.where(
    orders.c.project_id == bindparam("project"),
    found_by(orders.c.id, {"ids": orders.c.id, "source_ids": orders.c.source_id}),
).order_by(orders.c.id)
_BY_KEYS_LOCKED = _BY_KEYS.with_for_update()
COUNTED = ("PAID", "FULFILLED")


def load(
    conn: Connection, project_id: str, ids: Collection[str], source_ids: Collection[str], *, lock: bool
) -> list[Order]:
    statement = _BY_KEYS_LOCKED if lock else _BY_KEYS
    arguments = {"project": project_id, "ids": list(ids), "source_ids": list(source_ids)}
    return [stored_order(row) for row in conn.execute(statement, arguments)]


def insert(conn: Connection, project_id: str, new: Sequence[Order]) -> None:
    rows = [(*(_stored(order, name) for name in COLUMNS), order.total_amount) for order in new]
    insert_rows(conn, orders, (*COLUMNS, "total_amount"), project_id, rows)


def update(conn: Connection, project_id: str, changed: Sequence[Order]) -> None:
    rows = [(*(_stored(order, name) for name in _CHANGING), order.total_amount, order.id) for order in changed]
    update_rows(conn, orders, ("id",), (*_CHANGING, "total_amount"), project_id, rows)


def page(
    conn: Connection,
    project_id: str,
    conditions: Sequence[ColumnElement[bool]],
    order: Sequence[UnaryExpression[Any]],
    *,
    limit: int,
    offset: int,
) -> tuple[list[Order], int]:
    where = (orders.c.project_id == project_id, *conditions)
    total = conn.execute(select(func.count()).select_from(orders).where(*where)).scalar_one()
    rows = conn.execute(_ALL.where(*where).order_by(*order).limit(limit).offset(offset))
    return [stored_order(row) for row in rows], total


def last_counted(conn: Connection, project_id: str, customer_id: str, except_id: str) -> tuple[int, int] | None:
    """Total and date of a customer's newest paid order other than one; None when there is none."""
    statement = (
        select(orders.c.total_amount, orders.c.created_at)
        .where(
            orders.c.project_id == project_id,
            orders.c.customer_id == customer_id,
            orders.c.status.in_(COUNTED),
            orders.c.id != except_id,
        )
        .order_by(orders.c.created_at.desc(), orders.c.id.desc())
        .limit(1)
    )
    row = conn.execute(statement).first()
    return (row[0], row[1]) if row else None


def totals_by_customer(conn: Connection, project_id: str) -> dict[str, tuple[int, int]]:
    """Number and sum of paid orders for every customer."""
    statement = (
        select(orders.c.customer_id, func.count(), func.sum(orders.c.total_amount))
        .where(orders.c.project_id == project_id, orders.c.customer_id.is_not(None), orders.c.status.in_(COUNTED))
        .group_by(orders.c.customer_id)
    )
    return {customer_id: (count, int(total)) for customer_id, count, total in conn.execute(statement)}


def remove_of_customer(conn: Connection, project_id: str, customer_id: str) -> int:
    """Deletes a customer's orders; answers how many."""
    mine = (orders.c.project_id == project_id, orders.c.customer_id == customer_id)
    return conn.execute(delete(orders).where(*mine)).rowcount


def _stored(order: Order, name: str) -> Any:
    value = getattr(order, name)
    return wire.encode_text(value) if name in _JSON and value is not None else value


def stored_order(row: Row[Any]) -> Order:
    """A row that begins with `COLUMNS`."""
    values = dict(zip(COLUMNS, row, strict=False))
    for name, kind in _JSON.items():
        if values[name] is not None:
            values[name] = wire.decode_stored(values[name], kind)
    return Order(**values)
