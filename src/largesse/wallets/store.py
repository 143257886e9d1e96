"""Every query on buckets and pending points."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    PrimaryKeyConstraint,
    Row,
    ScalarSelect,
    Table,
    Text,
    bindparam,
    delete,
    func,
    select,
    text,
    update,
)
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import ColumnElement

from largesse.engine.points import Bucket, ExpirationRules
from largesse.kernel import wire
from largesse.kernel.database.columns import JsonText, metadata, micros, one_of, project_id
from largesse.kernel.database.rows import insert_rows, update_rows
from largesse.wallets.model import ACTIVATED, ACTIVE, CANCELED, EXPIRED, PENDING, BucketChange, StoredPending

NEVER = "never"  # sorts behind every day, so that buckets read in order of expiry
_ACTIVE, _PENDING = text("status = 'ACTIVE'"), text("status = 'PENDING'")
buckets = Table(
    "points_buckets",
    metadata,
    project_id(),
    Column("id", Text, nullable=False),
    Column("voucher_id", Text, nullable=False),
    Column("campaign_id", Text),
    Column("points", BigInteger, nullable=False),
    Column("expired_points", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("expires_on", Text, nullable=False),  # a local day, ISO 8601, or `never`
    micros("created_at"),
    micros("updated_at", nullable=True),
    PrimaryKeyConstraint("project_id", "id"),
    CheckConstraint("points >= 0", name="points"),
    Index(
        "points_buckets_active",
        "project_id",
        "voucher_id",
        "expires_on",
        unique=True,
        sqlite_where=_ACTIVE,
        postgresql_where=_ACTIVE,
    ),
    Index("points_buckets_of_voucher", "project_id", "voucher_id", "id"),
    Index("points_buckets_of_campaign", "project_id", "campaign_id", "expires_on", "id"),
)
pending = Table(
    "pending_points",
    metadata,
    project_id(),
    Column("id", Text, nullable=False),
    Column("voucher_id", Text, nullable=False),
    Column("campaign_id", Text),
    Column("customer_id", Text),
    Column("order_id", Text),
    Column("points", BigInteger, nullable=False),
    Column("added", BigInteger, nullable=False),  # what it began with
    Column("activates_on", Text, nullable=False),  # a local day, ISO 8601
    Column("status", Text, nullable=False),
    Column("rules", JsonText),  # how long the points last, where the earning rule says so
    Column("details", JsonText, nullable=False),
    micros("created_at"),
    micros("updated_at", nullable=True),
    PrimaryKeyConstraint("project_id", "id"),
    CheckConstraint("points >= 1", name="points"),
    Index("pending_points_of_voucher", "project_id", "voucher_id", "id"),
    Index("pending_points_of_campaign", "project_id", "campaign_id", "id"),
    Index("pending_points_of_order", "project_id", "order_id", sqlite_where=_PENDING, postgresql_where=_PENDING),
)

_BUCKET_COLUMNS = ("id", "voucher_id", "campaign_id", "points", "expired_points", "status", "expires_on", "created_at")
_PENDING_COLUMNS = (
    "id",
    "voucher_id",
    "campaign_id",
    "customer_id",
    "order_id",
    "points",
    "added",
    "activates_on",
    "status",
    "rules",
    "details",
    "created_at",
    "updated_at",
)
_ACTIVE_OF = (
    select(buckets.c.voucher_id, buckets.c.id, buckets.c.points, buckets.c.expires_on, buckets.c.created_at)
    .where(buckets.c.project_id == bindparam("project"), one_of(buckets.c.voucher_id, "vouchers"))
    .where(buckets.c.status == text("'ACTIVE'"))  # written out, as the index has it
    .order_by(buckets.c.voucher_id, buckets.c.expires_on, buckets.c.created_at)
)
_CHANGED_AT = select(buckets.c.id, buckets.c.updated_at).where(
    buckets.c.project_id == bindparam("project"), buckets.c.voucher_id == bindparam("voucher")
)
_BY_IDS = select(buckets.c.id, buckets.c.points, buckets.c.expires_on, buckets.c.created_at).where(
    buckets.c.project_id == bindparam("project"), one_of(buckets.c.id, "ids")
)
_ENTRIES = select(*(pending.c[name] for name in _PENDING_COLUMNS)).where(pending.c.project_id == bindparam("project"))
_WAITING = pending.c.status == text("'PENDING'")
_PENDING_OF = _ENTRIES.where(one_of(pending.c.voucher_id, "vouchers"), _WAITING)
_PENDING_BY_ID = _ENTRIES.where(pending.c.id == bindparam("id"))
_PENDING_OF_ORDERS = _ENTRIES.where(one_of(pending.c.order_id, "orders"), _WAITING)


def active_of(conn: Connection, project_id: str, voucher_ids: Collection[str]) -> dict[str, list[Bucket]]:
    """The ACTIVE buckets of each card, in the order in which they are used up; one query."""
    found: dict[str, list[Bucket]] = {id: [] for id in voucher_ids}
    for row in conn.execute(_ACTIVE_OF, {"project": project_id, "vouchers": list(voucher_ids)}):
        found[row.voucher_id].append(_bucket(row))
    return found


def by_ids(conn: Connection, project_id: str, ids: Collection[str]) -> dict[str, Bucket]:
    """Buckets whatever their status."""
    return {row.id: _bucket(row) for row in conn.execute(_BY_IDS, {"project": project_id, "ids": list(ids)})}


def changed_at(conn: Connection, project_id: str, voucher_id: str) -> dict[str, int | None]:
    """When each bucket of a card was changed last; None = never."""
    return {row[0]: row[1] for row in conn.execute(_CHANGED_AT, {"project": project_id, "voucher": voucher_id})}


def pending_of(conn: Connection, project_id: str, voucher_ids: Collection[str]) -> dict[str, list[StoredPending]]:
    """The points that wait on each card; one query."""
    found: dict[str, list[StoredPending]] = {id: [] for id in voucher_ids}
    for row in conn.execute(_PENDING_OF, {"project": project_id, "vouchers": list(voucher_ids)}):
        found[row.voucher_id].append(_pending(row))
    for entries in found.values():
        entries.sort(key=_by_id)
    return found


def pending_by_id(conn: Connection, project_id: str, id: str) -> StoredPending | None:
    row = conn.execute(_PENDING_BY_ID, {"project": project_id, "id": id}).first()
    return _pending(row) if row else None


def pending_of_orders(conn: Connection, project_id: str, order_ids: Collection[str]) -> list[StoredPending]:
    """The points that orders earned and that still wait."""
    rows = conn.execute(_PENDING_OF_ORDERS, {"project": project_id, "orders": list(order_ids)})
    return sorted((_pending(row) for row in rows), key=_by_id)


def save_buckets(conn: Connection, project_id: str, changes: Sequence[BucketChange], now: int) -> None:
    """Adds new buckets, moves the points of ACTIVE ones, ends those that expired.

    GuardViolation when one would fall below zero, or has ended already.
    """
    ordered = sorted(changes, key=lambda change: change.bucket.id)
    moved = [(EXPIRED if c.expired else ACTIVE, now, c.points, c.lost, c.bucket.id) for c in ordered if not c.is_new]
    update_rows(
        conn,
        buckets,
        ("id",),
        ("status", "updated_at"),
        project_id,
        moved,
        add=("points", "expired_points"),
        guard="t.status = 'ACTIVE' AND t.points + {points} >= 0",
    )
    new = [
        (
            c.bucket.id,
            c.voucher_id,
            c.campaign_id,
            c.bucket.points,
            c.lost,
            EXPIRED if c.expired else ACTIVE,
            _stored_day(c.bucket.expires_on),
            c.bucket.created_at,
        )
        for c in ordered
        if c.is_new
    ]
    insert_rows(conn, buckets, _BUCKET_COLUMNS, project_id, new)


def insert_pending(conn: Connection, project_id: str, new: Sequence[StoredPending]) -> None:
    insert_rows(conn, pending, _PENDING_COLUMNS, project_id, [_values(entry) for entry in new])


def change_pending(conn: Connection, project_id: str, changed: Sequence[StoredPending], now: int) -> None:
    """Writes points and status of entries that were waiting; GuardViolation when one no longer is."""
    rows = [(entry.points, entry.status, now, entry.id) for entry in sorted(changed, key=lambda entry: entry.id)]
    guard = "t.status = 'PENDING'"
    update_rows(conn, pending, ("id",), ("points", "status", "updated_at"), project_id, rows, guard=guard)


def drop_pending(conn: Connection, project_id: str, voucher_ids: Sequence[str], now: int) -> None:
    """Cancels all that waits on cards."""
    mine = (pending.c.project_id == bindparam("project"), one_of(pending.c.voucher_id, "vouchers"), _WAITING)
    statement = update(pending).where(*mine).values(status=CANCELED, updated_at=now)
    conn.execute(statement, {"project": project_id, "vouchers": list(voucher_ids)})


def remove(conn: Connection, project_id: str, voucher_ids: Sequence[str]) -> None:
    """Deletes what cards held; the ledger keeps what it posted."""
    for table in (buckets, pending):
        conn.execute(
            delete(table).where(table.c.project_id == bindparam("project"), one_of(table.c.voucher_id, "vouchers")),
            {"project": project_id, "vouchers": list(voucher_ids)},
        )


def page_of_pending(
    conn: Connection,
    project_id: str,
    condition: ColumnElement[bool],
    today: date,
    *,
    after: str | None,
    descending: bool,
    limit: int,
) -> list[StoredPending]:
    """Points under the condition that wait beyond today, those beyond the id `after`."""
    later = pending.c.activates_on > today.isoformat()
    statement = select(pending).where(pending.c.project_id == project_id, condition, _WAITING, later)
    if after:
        statement = statement.where(pending.c.id < after if descending else pending.c.id > after)
    order = pending.c.id.desc() if descending else pending.c.id.asc()
    return [_pending(row) for row in conn.execute(statement.order_by(order).limit(limit))]


def bucket_points(conn: Connection, project_id: str) -> dict[str, tuple[str, int]]:
    """Card and stored points of every bucket, for verification."""
    rows = conn.execute(
        select(buckets.c.id, buckets.c.voucher_id, buckets.c.points).where(buckets.c.project_id == project_id)
    )
    return {id: (voucher_id, points) for id, voucher_id, points in rows}


def pending_sums(conn: Connection, project_id: str) -> dict[str, int]:
    """The sum of waiting points of each card that has some, for verification."""
    rows = conn.execute(
        select(pending.c.voucher_id, func.sum(pending.c.points))
        .where(pending.c.project_id == project_id, pending.c.status == PENDING)
        .group_by(pending.c.voucher_id)
    )
    return {voucher_id: int(points) for voucher_id, points in rows}


def _by_id(entry: StoredPending) -> str:
    return entry.id


def pending_figures(
    conn: Connection, project_id: str, campaign_id: str, since: int | None, until: int | None
) -> dict[str, int]:
    """Of a program: points that began to wait, became usable and were canceled from `since` to before `until`."""
    c = pending.c

    def summed(amount: Column[int], at: Column[int], *conditions: ColumnElement[bool]) -> ScalarSelect[Any]:
        where = [c.project_id == project_id, c.campaign_id == campaign_id, *conditions]
        where += [at >= since] if since is not None else []
        where += [at < until] if until is not None else []
        return select(func.coalesce(func.sum(amount), 0)).where(*where).scalar_subquery()

    row = conn.execute(
        select(
            summed(c.added, c.created_at).label("added"),
            summed(c.points, c.updated_at, c.status == ACTIVATED).label("activated"),
            summed(c.points, c.updated_at, c.status == CANCELED).label("canceled"),
        )
    ).one()
    return {name: int(value) for name, value in row._mapping.items()}


def _stored_day(day: date | None) -> str:
    return NEVER if day is None else day.isoformat()


def _day(text: str) -> date | None:
    return None if text == NEVER else date.fromisoformat(text)


def _bucket(row: Any) -> Bucket:
    return Bucket(id=row.id, points=row.points, expires_on=_day(row.expires_on), created_at=row.created_at)


def _values(entry: StoredPending) -> tuple[Any, ...]:
    values = {name: getattr(entry, name) for name in _PENDING_COLUMNS}
    values["activates_on"] = entry.activates_on.isoformat()
    values["rules"] = wire.encode_text(entry.rules) if entry.rules else None
    values["details"] = wire.encode_text(entry.details)
    return tuple(values.values())


def _pending(row: Row[Any]) -> StoredPending:
    values = {name: getattr(row, name) for name in _PENDING_COLUMNS}
    values["activates_on"] = date.fromisoformat(row.activates_on)
    values["rules"] = wire.convert(row.rules, ExpirationRules) if row.rules else None
    return StoredPending(**values)
