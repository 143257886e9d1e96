"""Every query on loyalty tiers and on who holds them."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    PrimaryKeyConstraint,
    Row,
    Table,
    Text,
    bindparam,
    delete,
    exists,
    func,
    select,
    update,
)
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import ColumnElement, UnaryExpression

from largesse.engine.tiers import Grant, Held, Standing
from largesse.kernel import wire
from largesse.kernel.access.tables import projects
from largesse.kernel.database.columns import metadata, micros, one_of, project_id
from largesse.kernel.database.rows import insert_rows, update_rows
from largesse.loyalties.tiers.model import Mapping, Membership, StoredTier

tiers = Table(
    "loyalty_tiers",
    metadata,
    project_id(),
    Column("id", Text, nullable=False),
    Column("campaign_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("low", BigInteger, nullable=False),
    Column("high", BigInteger),
    Column("earning_rules", Text, nullable=False),  # JSON
    Column("rewards", Text, nullable=False),  # JSON
    Column("metadata", Text, nullable=False),  # JSON
    micros("created_at"),
    micros("updated_at", nullable=True),
    PrimaryKeyConstraint("project_id", "id"),
    Index("loyalty_tiers_of_campaign", "project_id", "campaign_id", "created_at", "id"),
)
# One row for each card whose holder ever held a tier, or is about to.
members = Table(
    "loyalty_tier_members",
    metadata,
    project_id(),
    Column("voucher_id", Text, nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("campaign_id", Text, nullable=False),
    Column("tier_id", Text),
    Column("start_on", Text),  # local days, ISO 8601
    Column("end_on", Text),
    Column("grants", Text, nullable=False),  # JSON
    Column("due_on", Text),
    Column("period_on", Text),
    Column("collected", BigInteger, nullable=False),
    micros("created_at"),
    micros("updated_at", nullable=True),
    PrimaryKeyConstraint("project_id", "voucher_id"),
    Index("loyalty_tier_members_of_customer", "project_id", "customer_id"),
    Index("loyalty_tier_members_of_campaign", "project_id", "campaign_id", "voucher_id"),
    Index("loyalty_tier_members_due", "project_id", "due_on", "voucher_id"),
)

_JSON: dict[str, Any] = {
    "earning_rules": dict[str, Mapping],
    "rewards": dict[str, Mapping],
    "metadata": dict[str, Any],
}
_FIELDS = StoredTier.__struct_fields__
_TIERS = select(*(tiers.c[name] for name in _FIELDS))
_MINE = _TIERS.where(tiers.c.project_id == bindparam("project"))
_BY_IDS = _MINE.where(one_of(tiers.c.id, "ids"))
_OF_CAMPAIGNS = _MINE.where(one_of(tiers.c.campaign_id, "campaigns"))
_CHANGING = ("tier_id", "start_on", "end_on", "grants", "due_on", "period_on", "collected", "updated_at")
_MEMBER = ("voucher_id", "customer_id", "campaign_id", *_CHANGING, "created_at")
_MEMBERS = select(*(members.c[name] for name in _MEMBER)).where(members.c.project_id == bindparam("project"))
_OF_CARDS = _MEMBERS.where(one_of(members.c.voucher_id, "vouchers"))
_OF_CUSTOMERS = _MEMBERS.where(one_of(members.c.customer_id, "customers"))
_DUE_PROJECTS = select(projects.c.project_id).where(
    exists().where(members.c.project_id == projects.c.project_id, members.c.due_on <= bindparam("latest"))
)
_DUE = _MEMBERS.where(members.c.due_on <= bindparam("today")).order_by(members.c.due_on, members.c.voucher_id)
_GRANTS = wire.decoder(tuple[Grant, ...])


# Tiers


def by_ids(conn: Connection, project_id: str, ids: Collection[str]) -> dict[str, StoredTier]:
    rows = conn.execute(_BY_IDS, {"project": project_id, "ids": list(ids)})
    return {row.id: _tier(row) for row in rows}


def of_campaigns(conn: Connection, project_id: str, campaign_ids: Collection[str]) -> list[StoredTier]:
    """From the lowest to the highest of each."""
    rows = conn.execute(_OF_CAMPAIGNS, {"project": project_id, "campaigns": list(campaign_ids)})
    return sorted((_tier(row) for row in rows), key=lambda tier: (tier.campaign_id, tier.low, tier.id))


def page(
    conn: Connection, project_id: str, campaign_id: str, order: Sequence[UnaryExpression[Any]], *, limit: int
) -> tuple[list[StoredTier], int]:
    where: tuple[ColumnElement[bool], ...] = (tiers.c.project_id == project_id, tiers.c.campaign_id == campaign_id)
    total = conn.execute(select(func.count()).select_from(tiers).where(*where)).scalar_one()
    rows = conn.execute(_TIERS.where(*where).order_by(*order).limit(limit))
    return [_tier(row) for row in rows], total


def add(conn: Connection, project_id: str, new: Sequence[StoredTier]) -> None:
    insert_rows(conn, tiers, _FIELDS, project_id, [tuple(_values(tier).values()) for tier in new])


def save(conn: Connection, project_id: str, tier: StoredTier) -> None:
    values = _values(tier)
    mine = (tiers.c.project_id == project_id, tiers.c.id == values.pop("id"))
    conn.execute(update(tiers).where(*mine).values(**values))


def remove(conn: Connection, project_id: str, tier_id: str) -> None:
    conn.execute(delete(tiers).where(tiers.c.project_id == project_id, tiers.c.id == tier_id))


def remove_of_campaign(conn: Connection, project_id: str, campaign_id: str) -> None:
    """Deletes a program's tiers and who held them."""
    for table in (tiers, members):
        conn.execute(delete(table).where(table.c.project_id == project_id, table.c.campaign_id == campaign_id))


def _values(tier: StoredTier) -> dict[str, Any]:
    return {name: wire.encode_text(getattr(tier, name)) if name in _JSON else getattr(tier, name) for name in _FIELDS}


def _tier(row: Row[Any]) -> StoredTier:
    values = dict(zip(_FIELDS, row, strict=True))
    for name, kind in _JSON.items():
        values[name] = wire.decode_stored(values[name], kind)
    return StoredTier(**values)


# Who holds them


def of_cards(conn: Connection, project_id: str, voucher_ids: Collection[str]) -> dict[str, Membership]:
    """By the id of the card; a card whose holder never stood anywhere is absent."""
    rows = conn.execute(_OF_CARDS, {"project": project_id, "vouchers": list(voucher_ids)})
    return {row.voucher_id: _member(row) for row in rows}


def of_customers(conn: Connection, project_id: str, customer_ids: Collection[str]) -> list[Membership]:
    rows = conn.execute(_OF_CUSTOMERS, {"project": project_id, "customers": list(customer_ids)})
    return [_member(row) for row in rows]


def of_campaign(conn: Connection, project_id: str, campaign_id: str) -> list[Membership]:
    """Every member of a program, for verification."""
    statement = _MEMBERS.where(members.c.campaign_id == campaign_id).order_by(members.c.voucher_id)
    return [_member(row) for row in conn.execute(statement, {"project": project_id})]


def put(conn: Connection, project_id: str, new: Sequence[Membership], changed: Sequence[Membership]) -> None:
    """Writes memberships, set-wise; the caller holds the row locks of their customers."""
    insert_rows(conn, members, _MEMBER, project_id, [_stored(one) for one in new])
    rows = [(*_stored(one)[3:-1], one.voucher_id) for one in sorted(changed, key=lambda one: one.voucher_id)]
    update_rows(conn, members, ("voucher_id",), _CHANGING, project_id, rows)


def remove_members(conn: Connection, project_id: str, voucher_ids: Collection[str]) -> None:
    """Forgets where the holders of cards stood: the cards are gone."""
    mine = (members.c.project_id == bindparam("project"), one_of(members.c.voucher_id, "vouchers"))
    conn.execute(delete(members).where(*mine), {"project": project_id, "vouchers": list(voucher_ids)})


def projects_due(conn: Connection, latest: str) -> list[str]:
    """The projects with memberships that time changes until the day `latest`, each looked up by the index."""
    return list(conn.execute(_DUE_PROJECTS, {"latest": latest}).scalars())


def due(conn: Connection, project_id: str, today: str, *, limit: int) -> list[Membership]:
    """Memberships that time changes on a day or has changed before, the oldest first."""
    rows = conn.execute(_DUE.limit(limit), {"project": project_id, "today": today})
    return [_member(row) for row in rows]


def _stored(one: Membership) -> tuple[Any, ...]:
    held = one.held
    return (
        one.voucher_id,
        one.customer_id,
        one.campaign_id,
        held.tier_id if held else None,
        held.start.isoformat() if held else None,
        held.end.isoformat() if held and held.end else None,
        wire.encode_text(one.standing.grants),
        one.due_on.isoformat() if one.due_on else None,
        one.period_on.isoformat() if one.period_on else None,
        one.collected,
        one.updated_at,
        one.created_at,
    )


def _member(row: Row[Any]) -> Membership:
    held = Held(row.tier_id, date.fromisoformat(row.start_on), _day(row.end_on)) if row.tier_id else None
    return Membership(
        voucher_id=row.voucher_id,
        customer_id=row.customer_id,
        campaign_id=row.campaign_id,
        standing=Standing(held, _GRANTS.decode(row.grants)),
        due_on=_day(row.due_on),
        period_on=_day(row.period_on),
        collected=row.collected,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
