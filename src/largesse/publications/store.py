"""Every query on publications and on who holds what."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Index,
    PrimaryKeyConstraint,
    Row,
    Select,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    delete,
    exists,
    func,
    select,
    text,
    union_all,
    update,
)
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import ColumnElement, UnaryExpression

from largesse.kernel import wire
from largesse.kernel.database.columns import found_by, metadata, micros, one_of, project_id
from largesse.kernel.database.rows import insert_rows
from largesse.publications.model import Holder, Publication

# A refused publication leaves its source id free: the caller may try again with it.
_NAMED = text("source_id IS NOT NULL AND result = 'SUCCESS'")
publications = Table(
    "publications",
    metadata,
    project_id(),
    Column("id", Text, nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("tracking_id", Text),
    Column("channel", Text, nullable=False),
    Column("source_id", Text),
    Column("metadata", Text, nullable=False),  # JSON
    Column("result", Text, nullable=False),
    Column("failure_code", Text),
    Column("failure_message", Text),
    Column("campaign_id", Text),
    Column("campaign", Text),
    Column("voucher_type", Text),
    Column("is_referral_code", Boolean, nullable=False),
    Column("vouchers", Text, nullable=False),  # JSON: [[id, code], …]
    Column("voucher_id", Text),  # the first of them
    Column("voucher_code", Text),
    micros("created_at"),
    PrimaryKeyConstraint("project_id", "id"),
    Index(
        "publications_by_source", "project_id", "source_id", unique=True, sqlite_where=_NAMED, postgresql_where=_NAMED
    ),
    Index("publications_by_creation", "project_id", "created_at", "id"),
    Index("publications_of_customer", "project_id", "customer_id", "id"),
    Index("publications_of_campaign", "project_id", "campaign_id", "created_at"),
    Index("publications_of_voucher", "project_id", "voucher_id", "id"),
)
holders = Table(
    "redeemable_holders",
    metadata,
    project_id(),
    Column("id", Text, nullable=False),
    Column("voucher_id", Text, nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("campaign_id", Text),
    Column("campaign_type", Text),
    Column("voucher_type", Text, nullable=False),
    Column("publication_id", Text, nullable=False),
    micros("created_at"),
    PrimaryKeyConstraint("project_id", "id"),
    UniqueConstraint("project_id", "voucher_id", "customer_id"),
    Index("redeemable_holders_of_customer", "project_id", "customer_id", "campaign_id", "id"),
    Index("redeemable_holders_of_publication", "project_id", "publication_id"),
)

_MOST_TOLD = 1000
FIELDS = Publication.__struct_fields__
_COLUMNS = (*FIELDS, "voucher_id", "voucher_code")
_HOLDER_FIELDS = Holder.__struct_fields__
_MINE = select(*(publications.c[name] for name in FIELDS)).where(publications.c.project_id == bindparam("project"))
_BY_SOURCE = _MINE.where(publications.c.source_id == bindparam("source_id"), _NAMED)
_BY_IDS = _MINE.where(one_of(publications.c.id, "ids"))
_HELD = (
    select(*(holders.c[name] for name in _HOLDER_FIELDS))
    .where(
        holders.c.project_id == bindparam("project"),
        holders.c.campaign_id == bindparam("campaign"),
        found_by(holders.c.id, {"customers": holders.c.customer_id}),
    )
    .order_by(holders.c.id)
)
_OF_CUSTOMER = select(*(holders.c[name] for name in _HOLDER_FIELDS)).where(
    holders.c.project_id == bindparam("project"), holders.c.customer_id == bindparam("customer")
)
_HAS = select(holders.c.id).where(
    holders.c.project_id == bindparam("project"),
    holders.c.voucher_id == bindparam("voucher"),
    holders.c.customer_id == bindparam("customer"),
)
_OF_VOUCHERS = (holders.c.project_id == bindparam("project"), one_of(holders.c.voucher_id, "ids"))
_HOLDERS_OF = (
    select(*(holders.c[name] for name in _HOLDER_FIELDS))
    .where(holders.c.project_id == bindparam("project"), found_by(holders.c.id, {"ids": holders.c.voucher_id}))
    .order_by(holders.c.id)
    .limit(bindparam("most"))
)
_REMOVE_HOLDERS = delete(holders).where(*_OF_VOUCHERS)
_LEFT = (
    exists()
    .where(holders.c.project_id == publications.c.project_id, holders.c.publication_id == publications.c.id)
    .correlate(publications)
)
_REMOVE = delete(publications).where(
    publications.c.project_id == bindparam("project"), one_of(publications.c.id, "ids"), ~_LEFT
)
_REMOVE_OF_VOUCHERS = delete(publications).where(
    publications.c.project_id == bindparam("project"), one_of(publications.c.voucher_id, "ids"), ~_LEFT
)
_REMOVE_OF_CUSTOMER = delete(holders).where(
    holders.c.project_id == bindparam("project"), holders.c.customer_id == bindparam("customer")
)
_FORGET_CUSTOMER = (
    update(publications)
    .where(publications.c.project_id == bindparam("project"), publications.c.customer_id == bindparam("customer"))
    .values(tracking_id=None, metadata="{}")
)


def insert(conn: Connection, project_id: str, rows: Sequence[Publication]) -> None:
    """A source id that another publication has raises IntegrityError."""
    insert_rows(conn, publications, _COLUMNS, project_id, [tuple(map(_stored, _values(row))) for row in rows])


def insert_holders(conn: Connection, project_id: str, rows: Sequence[Holder]) -> None:
    """A customer who has the voucher already raises IntegrityError."""
    values = [tuple(getattr(row, name) for name in _HOLDER_FIELDS) for row in rows]
    insert_rows(conn, holders, _HOLDER_FIELDS, project_id, values)


def by_source(conn: Connection, project_id: str, source_id: str) -> Publication | None:
    """The publication that succeeded under this id of the caller's."""
    row = conn.execute(_BY_SOURCE, {"project": project_id, "source_id": source_id}).first()
    return stored_publication(row) if row is not None else None


def by_id(conn: Connection, project_id: str, publication_id: str) -> Publication | None:
    row = conn.execute(_BY_IDS, {"project": project_id, "ids": [publication_id]}).first()
    return stored_publication(row) if row is not None else None


def held(conn: Connection, project_id: str, campaign_id: str, customer_ids: Collection[str]) -> list[Holder]:
    """What these customers have of a campaign, the oldest first."""
    arguments = {"project": project_id, "campaign": campaign_id, "customers": list(customer_ids)}
    return [Holder(**row._mapping) for row in conn.execute(_HELD, arguments)]


def has(conn: Connection, project_id: str, voucher_id: str, customer_id: str) -> bool:
    arguments = {"project": project_id, "voucher": voucher_id, "customer": customer_id}
    return conn.execute(_HAS, arguments).first() is not None


def wallet(
    conn: Connection,
    project_id: str,
    conditions: Sequence[ColumnElement[bool]],
    *,
    after: str | None,
    descending: bool,
    limit: int,
) -> tuple[list[Holder], int]:
    """Entries under the conditions beyond the id `after`, and how many there are on all pages."""
    where = (holders.c.project_id == project_id, *conditions)
    total = conn.execute(select(func.count()).select_from(holders).where(*where)).scalar_one()
    chosen = select(*(holders.c[name] for name in _HOLDER_FIELDS)).where(*where)
    if after is not None:
        chosen = chosen.where(holders.c.id < after if descending else holders.c.id > after)
    rows = conn.execute(chosen.order_by(holders.c.id.desc() if descending else holders.c.id.asc()).limit(limit))
    return [Holder(**row._mapping) for row in rows], total


def of_customer(conn: Connection, project_id: str, customer_id: str) -> list[Holder]:
    """Everything that a customer holds."""
    rows = conn.execute(_OF_CUSTOMER, {"project": project_id, "customer": customer_id})
    return [Holder(**row._mapping) for row in rows]


def of_voucher(project_id: str, voucher_id: str) -> ColumnElement[bool]:
    """Condition: the publication handed the voucher over, or tried to."""
    handed = select(holders.c.publication_id).where(
        holders.c.project_id == project_id, holders.c.voucher_id == voucher_id
    )
    tried = select(publications.c.id).where(
        publications.c.project_id == project_id, publications.c.voucher_id == voucher_id
    )
    return publications.c.id.in_(union_all(handed, tried))


def ids_of_voucher(project_id: str, voucher_id: str) -> Select[tuple[str]]:
    """Selects the ids of its publications."""
    mine = (publications.c.project_id == project_id, of_voucher(project_id, voucher_id))
    return select(publications.c.id).where(*mine)


def page(
    conn: Connection,
    project_id: str,
    conditions: Sequence[ColumnElement[bool]],
    order: Sequence[UnaryExpression[Any]],
    *,
    limit: int,
    offset: int,
) -> tuple[list[Publication], int]:
    where = (publications.c.project_id == project_id, *conditions)
    total = conn.execute(select(func.count()).select_from(publications).where(*where)).scalar_one()
    chosen = select(*(publications.c[name] for name in FIELDS)).where(*where)
    rows = conn.execute(chosen.order_by(*order).limit(limit).offset(offset))
    return [stored_publication(row) for row in rows], total


def count_by_result(
    conn: Connection, project_id: str, campaign_id: str, since: int | None, until: int | None
) -> dict[str, int]:
    """How many publications of a campaign succeeded and failed from `since` on and before `until`."""
    where = [publications.c.project_id == project_id, publications.c.campaign_id == campaign_id]
    if since is not None:
        where.append(publications.c.created_at >= since)
    if until is not None:
        where.append(publications.c.created_at < until)
    counted = select(publications.c.result, func.count()).where(*where).group_by(publications.c.result)
    return {row[0]: row[1] for row in conn.execute(counted)}


def remove_of_vouchers(conn: Connection, project_id: str, voucher_ids: Sequence[str]) -> list[Holder]:
    """Deletes what was published of these; a publication of several codes stays while one of them does.

    Answers who held them; nobody where a shared code had more holders than can be told of in one transaction (our decision).
    """
    named: dict[str, Any] = {"project": project_id, "ids": list(voucher_ids)}
    most = max(len(voucher_ids), _MOST_TOLD)
    held = [Holder(**row._mapping) for row in conn.execute(_HOLDERS_OF, named | {"most": most + 1})]
    conn.execute(_REMOVE_HOLDERS, named)
    conn.execute(_REMOVE, {"project": project_id, "ids": [holder.publication_id for holder in held]})
    conn.execute(_REMOVE_OF_VOUCHERS, named)
    return held if len(held) <= most else []


def forget_customer(conn: Connection, project_id: str, customer_id: str) -> None:
    """Nobody holds what a deleted customer held; what was published stays, without anything personal."""
    named = {"project": project_id, "customer": customer_id}
    conn.execute(_REMOVE_OF_CUSTOMER, named)
    conn.execute(_FORGET_CUSTOMER, named)


def _values(row: Publication) -> list[Any]:
    return [getattr(row, name) for name in _COLUMNS]


def _stored(value: Any) -> Any:
    return wire.encode_text(value) if isinstance(value, dict | list) else value


def stored_publication(row: Row[Any]) -> Publication:
    """A row that begins with `FIELDS`."""
    values = dict(zip(FIELDS, row, strict=False))
    values["metadata"] = wire.decode_stored(values["metadata"], dict[str, Any])
    values["vouchers"] = wire.decode_stored(values["vouchers"], list[tuple[str, str]])
    return Publication(**values)
