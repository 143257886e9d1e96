"""Every query on segments and on who belongs to them."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    PrimaryKeyConstraint,
    Row,
    Table,
    Text,
    bindparam,
    delete,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import ColumnElement, UnaryExpression

from largesse.kernel.database.columns import JsonText, metadata, micros, one_of, project_id
from largesse.kernel.database.rows import insert_rows, update_rows
from largesse.segments.model import Membership, StoredSegment, SyncStatus

segments = Table(
    "segments",
    metadata,
    project_id(),
    Column("id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("filter", JsonText),
    Column("initial_sync_status", Text, nullable=False),
    micros("created_at"),
    micros("updated_at", nullable=True),
    PrimaryKeyConstraint("project_id", "id"),
    Index("segments_by_creation", "project_id", "created_at", "id"),
)

_TURNING = text("turns_on IS NOT NULL")
# A customer outside has a row only where the clock can bring them in.
members = Table(
    "segment_members",
    metadata,
    project_id(),
    Column("customer_id", Text, nullable=False),
    Column("segment_id", Text, nullable=False),
    Column("inside", Boolean, nullable=False),
    Column(
        "turns_on", BigInteger
    ),  # a day in the project's zone, as date.toordinal counts; null where no clock matters
    PrimaryKeyConstraint("project_id", "customer_id", "segment_id"),
    Index("segment_members_of_segment", "project_id", "segment_id", "customer_id"),
    Index(
        "segment_members_turning",
        "turns_on",
        "project_id",
        "segment_id",
        "customer_id",
        sqlite_where=_TURNING,
        postgresql_where=_TURNING,
    ),
)

_ALL = select(*(segments.c[name] for name in StoredSegment.__struct_fields__)).where(
    segments.c.project_id == bindparam("project")
)
_BY_IDS = _ALL.where(one_of(segments.c.id, "ids"))
_WITH_FILTER = _ALL.where(segments.c.type != "static").order_by(segments.c.created_at, segments.c.id)
_COUNT_WITH_FILTER = select(func.count()).where(
    segments.c.project_id == bindparam("project"), segments.c.type != "static"
)
_LOCKED = (
    select(segments.c.id)
    .where(segments.c.project_id == bindparam("project"), segments.c.id == bindparam("id"))
    .with_for_update()
)


# Segments


def by_ids(conn: Connection, project_id: str, ids: Collection[str]) -> dict[str, StoredSegment]:
    rows = conn.execute(_BY_IDS, {"project": project_id, "ids": list(ids)})
    return {row.id: _segment(row) for row in rows}


def with_filter(conn: Connection, project_id: str) -> list[StoredSegment]:
    """All segments that are not static, oldest first."""
    return [_segment(row) for row in conn.execute(_WITH_FILTER, {"project": project_id})]


def count_with_filter(conn: Connection, project_id: str) -> int:
    return conn.execute(_COUNT_WITH_FILTER, {"project": project_id}).scalar_one()


def lock(conn: Connection, project_id: str, id: str) -> bool:
    """Whether the segment exists; nobody deletes it until the transaction ends."""
    return conn.execute(_LOCKED, {"project": project_id, "id": id}).first() is not None


def add(conn: Connection, project_id: str, segment: StoredSegment) -> None:
    conn.execute(insert(segments).values(project_id=project_id, **msgspec.structs.asdict(segment)))


def set_status(conn: Connection, project_id: str, ids: Collection[str], status: SyncStatus) -> None:
    mine = (segments.c.project_id == project_id, one_of(segments.c.id, "ids"))
    conn.execute(update(segments).where(*mine).values(initial_sync_status=status), {"ids": list(ids)})


def activate(conn: Connection, project_id: str, id: str, now: int) -> bool:
    """Makes a passive segment an auto-update one; False where it is not passive."""
    passive = (segments.c.project_id == project_id, segments.c.id == id, segments.c.type == "passive")
    return conn.execute(update(segments).where(*passive).values(type="auto-update", updated_at=now)).rowcount > 0


def remove(conn: Connection, project_id: str, id: str) -> None:
    conn.execute(delete(segments).where(segments.c.project_id == project_id, segments.c.id == id))


def page(
    conn: Connection,
    project_id: str,
    conditions: Sequence[ColumnElement[bool]],
    order: Sequence[UnaryExpression[Any]],
    *,
    limit: int,
    offset: int,
) -> tuple[list[StoredSegment], int]:
    where = (segments.c.project_id == project_id, *conditions)
    total = conn.execute(select(func.count()).select_from(segments).where(*where)).scalar_one()
    rows = conn.execute(_ALL.where(*where).order_by(*order).limit(limit).offset(offset), {"project": project_id})
    return [_segment(row) for row in rows], total


def _segment(row: Row[Any]) -> StoredSegment:
    return StoredSegment(**row._mapping)


# Memberships

_MEMBERSHIPS = select(*(members.c[name] for name in Membership.__struct_fields__)).where(
    members.c.project_id == bindparam("project")
)
_OF_CUSTOMERS = _MEMBERSHIPS.where(one_of(members.c.customer_id, "customers"))
_IN_SEGMENTS = _OF_CUSTOMERS.where(one_of(members.c.segment_id, "segments"))
_TURNED = _MEMBERSHIPS.where(members.c.turns_on <= bindparam("today")).limit(bindparam("limit"))
_DUE = _TURNED.order_by(members.c.turns_on, members.c.segment_id, members.c.customer_id)
_DUE_IN_SEGMENT = _TURNED.where(members.c.segment_id == bindparam("segment"))
_PROJECTS = select(members.c.project_id).where(members.c.turns_on <= bindparam("today")).distinct().limit(32)
_SOME = (
    select(members.c.customer_id)
    .where(members.c.project_id == bindparam("project"), members.c.segment_id == bindparam("segment"))
    .order_by(members.c.customer_id)
    .limit(bindparam("limit"))
)
_KEYS = ("customer_id", "segment_id")
_VALUES = ("inside", "turns_on")


def of_customers(conn: Connection, project_id: str, customer_ids: Collection[str]) -> list[Membership]:
    """Everything known of these customers."""
    return _memberships(conn, _OF_CUSTOMERS, {"project": project_id, "customers": list(customer_ids)})


def in_segments(
    conn: Connection, project_id: str, customer_ids: Collection[str], segment_ids: Collection[str]
) -> list[Membership]:
    """What is known of these customers in these segments; each pair is sought by its key."""
    asked = {"project": project_id, "customers": list(customer_ids), "segments": list(segment_ids)}
    return _memberships(conn, _IN_SEGMENTS, asked)


def due(conn: Connection, project_id: str, today: int, limit: int) -> list[Membership]:
    """At most `limit` memberships that the clock may have changed by `today`, those that wait longest first."""
    return _memberships(conn, _DUE, {"project": project_id, "today": today, "limit": limit})


def due_in_segment(conn: Connection, project_id: str, segment_id: str, today: int, limit: int) -> list[Membership]:
    """The same of one segment."""
    asked = {"project": project_id, "segment": segment_id, "today": today, "limit": limit}
    return _memberships(conn, _DUE_IN_SEGMENT, asked)


def projects_due(conn: Connection, today: int) -> list[str]:
    """At most 32 projects that have such."""
    return list(conn.execute(_PROJECTS, {"today": today}).scalars())


def _memberships(conn: Connection, statement: Any, asked: dict[str, Any]) -> list[Membership]:
    return [Membership(*row) for row in conn.execute(statement, asked)]


def is_member(
    project_id: str, segment_id: str, customer_id: ColumnElement[str], joined: Collection[str], left: Collection[str]
) -> ColumnElement[bool]:
    """The condition that a customer is in a segment; `joined` and `left` are what the clock did that is not noted yet."""
    noted = customer_id.in_(
        select(members.c.customer_id).where(
            members.c.project_id == project_id, members.c.segment_id == segment_id, members.c.inside
        )
    )
    if not joined and not left:
        return noted
    return (noted & customer_id.not_in(list(left))) | customer_id.in_(list(joined))


def write(
    conn: Connection,
    project_id: str,
    new: Iterable[Membership],
    changed: Iterable[Membership],
    gone: Iterable[Membership],
) -> None:
    """Inserts, updates and deletes rows of customers that are locked."""
    rows = [(*_key(one), one.inside, one.turns_on) for one in new]
    insert_rows(conn, members, (*_KEYS, *_VALUES), project_id, rows)
    update_rows(conn, members, _KEYS, _VALUES, project_id, [(one.inside, one.turns_on, *_key(one)) for one in changed])
    by_segment: dict[str, list[str]] = {}
    for one in gone:
        by_segment.setdefault(one.segment_id, []).append(one.customer_id)
    for segment_id, customer_ids in by_segment.items():
        conn.execute(_LEAVE, {"project": project_id, "segment": segment_id, "customers": customer_ids})


def _key(one: Membership) -> tuple[str, str]:
    return one.customer_id, one.segment_id


_LEAVE = delete(members).where(
    members.c.project_id == bindparam("project"),
    one_of(members.c.customer_id, "customers"),
    members.c.segment_id == bindparam("segment"),
)
_FORGET = delete(members).where(members.c.project_id == bindparam("project"), members.c.customer_id == bindparam("key"))


def remove_of_customer(conn: Connection, project_id: str, customer_id: str) -> list[Membership]:
    """Deletes what is known of a customer; answers what it was."""
    found = of_customers(conn, project_id, [customer_id])
    conn.execute(_FORGET, {"project": project_id, "key": customer_id})
    return found


def remove_some(conn: Connection, project_id: str, segment_id: str, limit: int) -> int:
    """Deletes at most `limit` memberships of a segment; answers how many."""
    asked = {"project": project_id, "segment": segment_id, "limit": limit}
    customer_ids = list(conn.execute(_SOME, asked).scalars())
    if customer_ids:
        conn.execute(_LEAVE, {"project": project_id, "segment": segment_id, "customers": customer_ids})
    return len(customer_ids)
