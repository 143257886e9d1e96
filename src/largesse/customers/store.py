"""Every query on customers."""

from collections.abc import Collection, Mapping, Sequence
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

from largesse.customers.model import COUNTED, Counts, StoredCustomer
from largesse.kernel import wire
from largesse.kernel.database.columns import found_by, metadata, micros, one_of, project_id
from largesse.kernel.database.rows import insert_rows, update_rows

_PROFILE = ("name", "description", "email", "phone", "birthdate", "birthday", "address", "metadata", "updated_at")


def _counter(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


customers = Table(
    "customers",
    metadata,
    project_id(),
    Column("id", Text, nullable=False),
    Column("source_id", Text),
    Column("tracking_key", Text, nullable=False),
    Column("name", Text),
    Column("description", Text),
    Column("email", Text),
    Column("email_key", Text),  # lower case, for look-ups
    Column("phone", Text),
    Column("birthdate", Text),
    Column("birthday", Text),
    Column("address", Text),  # JSON
    Column("metadata", Text, nullable=False),  # JSON
    micros("created_at"),
    micros("updated_at", nullable=True),
    *(_counter(name) for name in COUNTED),
    _counter("last_order_amount"),
    micros("last_order_date", nullable=True),
    PrimaryKeyConstraint("project_id", "id"),
    UniqueConstraint("project_id", "source_id"),
    UniqueConstraint("project_id", "tracking_key"),
    Index("customers_by_email", "project_id", "email_key"),
    Index("customers_by_creation", "project_id", "created_at", "id"),
    Index("customers_by_change", "project_id", "updated_at", "id"),
)

COLUMNS = StoredCustomer.__struct_fields__
_ALL = select(*(customers.c[name] for name in COLUMNS))
_BY_KEYS = _ALL.where(
    customers.c.project_id == bindparam("project"),
    found_by(
        customers.c.id,
        {
            "ids": customers.c.id,
            "source_ids": customers.c.source_id,
            "tracking_keys": customers.c.tracking_key,
            "emails": customers.c.email_key,
        },
    ),
).order_by(customers.c.id)
_BY_KEYS_LOCKED = _BY_KEYS.with_for_update()
_BY_ID = _ALL.where(customers.c.project_id == bindparam("project"), one_of(customers.c.id, "ids")).order_by(
    customers.c.id
)
_BY_ID_LOCKED = _BY_ID.with_for_update()
_BY_ID_FREE = _BY_ID.with_for_update(skip_locked=True)
_BY_SOURCE = _ALL.where(
    customers.c.project_id == bindparam("project"), found_by(customers.c.id, {"source_ids": customers.c.source_id})
).order_by(customers.c.id)
_BY_SOURCE_LOCKED = _BY_SOURCE.with_for_update()
_IDS = (
    select(customers.c.id)
    .where(
        customers.c.project_id == bindparam("project"),
        found_by(customers.c.id, {"ids": customers.c.id, "source_ids": customers.c.source_id}),
    )
    .order_by(customers.c.id)
)
_NEXT_IDS = (
    select(customers.c.id)
    .where(customers.c.project_id == bindparam("project"), customers.c.id > bindparam("after"))
    .order_by(customers.c.id)
    .limit(bindparam("limit"))
)


def find(
    conn: Connection,
    project_id: str,
    *,
    ids: Collection[str] = (),
    source_ids: Collection[str] = (),
    tracking_keys: Collection[str] = (),
    emails: Collection[str] = (),
    lock: bool = False,
) -> list[StoredCustomer]:
    """Every customer named by any of these keys, in one query; `emails` in lower case."""
    if not (ids or source_ids or tracking_keys or emails):
        return []
    arguments: dict[str, Any] = {"project": project_id, "ids": list(ids)}
    if not (tracking_keys or emails) and not (ids and source_ids):  # the common cases, each by one index
        if ids:
            statement = _BY_ID_LOCKED if lock else _BY_ID
        else:
            statement, arguments = _BY_SOURCE_LOCKED if lock else _BY_SOURCE, {"project": project_id}
            arguments["source_ids"] = list(source_ids)
    else:
        statement = _BY_KEYS_LOCKED if lock else _BY_KEYS
        arguments |= {
            "source_ids": list(source_ids),
            "tracking_keys": list(tracking_keys),
            "emails": list(emails),
        }
    return [stored_customer(row) for row in conn.execute(statement, arguments)]


def ids_of(conn: Connection, project_id: str, keys: Collection[str]) -> list[str]:
    """The ids of customers under these ids or source ids, each once, in order."""
    return list(conn.execute(_IDS, {"project": project_id, "ids": list(keys), "source_ids": list(keys)}).scalars())


def some_ids(conn: Connection, project_id: str, after: str, limit: int) -> list[str]:
    """The ids of the next `limit` customers behind `after`."""
    return list(conn.execute(_NEXT_IDS, {"project": project_id, "after": after, "limit": limit}).scalars())


def lock_free(conn: Connection, project_id: str, ids: Collection[str]) -> list[StoredCustomer]:
    """Locks those of the customers that nobody else holds at the moment."""
    return [stored_customer(row) for row in conn.execute(_BY_ID_FREE, {"project": project_id, "ids": list(ids)})]


def insert(conn: Connection, project_id: str, new: Sequence[StoredCustomer]) -> None:
    rows = [(*(_stored(getattr(customer, name)) for name in COLUMNS), _email_key(customer)) for customer in new]
    insert_rows(conn, customers, (*COLUMNS, "email_key"), project_id, rows)


def update(conn: Connection, project_id: str, changed: Sequence[StoredCustomer]) -> None:
    rows = [
        (*(_stored(getattr(customer, name)) for name in _PROFILE), _email_key(customer), customer.id)
        for customer in changed
    ]
    update_rows(conn, customers, ("id",), (*_PROFILE, "email_key"), project_id, rows)


def add_counts(conn: Connection, project_id: str, deltas: Sequence[tuple[str, Counts]]) -> None:
    """Adds to the statistics of existing customers; the last order is set where a delta carries one."""
    plain, with_order = [], []
    for customer_id, counts in deltas:
        added = tuple(getattr(counts, name) for name in COUNTED)
        if counts.last_order_date is None:
            plain.append((*added, customer_id))
        else:
            with_order.append((counts.last_order_amount or 0, counts.last_order_date or None, *added, customer_id))
    update_rows(conn, customers, ("id",), (), project_id, plain, add=COUNTED)
    last = ("last_order_amount", "last_order_date")
    update_rows(conn, customers, ("id",), last, project_id, with_order, add=COUNTED)


def page(
    conn: Connection,
    project_id: str,
    conditions: Sequence[ColumnElement[bool]],
    order: Sequence[UnaryExpression[Any]],
    *,
    limit: int,
    offset: int,
) -> tuple[list[StoredCustomer], int]:
    where = (customers.c.project_id == project_id, *conditions)
    total = conn.execute(select(func.count()).select_from(customers).where(*where)).scalar_one()
    rows = conn.execute(_ALL.where(*where).order_by(*order).limit(limit).offset(offset))
    return [stored_customer(row) for row in rows], total


def remove(conn: Connection, project_id: str, customer_id: str) -> None:
    conn.execute(delete(customers).where(customers.c.project_id == project_id, customers.c.id == customer_id))


def counters(conn: Connection, project_id: str) -> list[tuple[str, Mapping[str, int]]]:
    """The statistics that history must explain, for every customer."""
    names = ("total_succeeded", "total_failed", "total_rolled_back", "total_rollback_failed", "gift_redeemed_amount")
    rows = conn.execute(
        select(customers.c.id, *(customers.c[name] for name in names)).where(customers.c.project_id == project_id)
    )
    return [(row[0], dict(zip(names, row[1:], strict=True))) for row in rows]


def _email_key(customer: StoredCustomer) -> str | None:
    return customer.email.lower() if customer.email else None


def _stored(value: Any) -> Any:
    return wire.encode_text(value) if isinstance(value, dict) else value


def stored_customer(row: Row[Any]) -> StoredCustomer:
    """A row that begins with `COLUMNS`."""
    values = dict(zip(COLUMNS, row, strict=False))
    for name in ("address", "metadata"):
        if values[name] is not None:
            values[name] = wire.decode_stored(values[name], dict[str, Any])
    return StoredCustomer(**values)
