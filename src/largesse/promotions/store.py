"""Every query on promotion tiers and stacks."""

from collections.abc import Collection, Sequence
from typing import Any, TypeVar

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
    literal,
    select,
    update,
)
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import ColumnElement, UnaryExpression

from largesse.engine.discounts import Discount
from largesse.engine.validity import Hours, Timeframe
from largesse.kernel import wire
from largesse.kernel.database.columns import metadata, micros, one_of, project_id
from largesse.kernel.database.rows import update_rows
from largesse.promotions.model import Offered, StoredStack, StoredTier

Stored = TypeVar("Stored", StoredTier, StoredStack)

tiers = Table(
    "promotion_tiers",
    metadata,
    project_id(),
    Column("id", Text, nullable=False),
    Column("campaign_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("banner", Text),
    Column("discount", Text, nullable=False),  # JSON
    Column("metadata", Text, nullable=False),  # JSON
    Column("hierarchy", BigInteger, nullable=False),
    Column("active", Boolean, nullable=False),
    micros("start_date", nullable=True),
    micros("expiration_date", nullable=True),
    Column("validity_timeframe", Text),  # JSON
    Column("validity_day_of_week", Text),  # JSON
    Column("validity_hours", Text),  # JSON
    Column("category_id", Text),
    micros("created_at"),
    micros("updated_at", nullable=True),
    PrimaryKeyConstraint("project_id", "id"),
    Index("promotion_tiers_by_creation", "project_id", "created_at", "id"),
    Index("promotion_tiers_by_change", "project_id", "updated_at", "id"),
    Index("promotion_tiers_of_campaign", "project_id", "campaign_id", "hierarchy", "id"),
    Index("promotion_tiers_of_category", "project_id", "category_id"),
)
stacks = Table(
    "promotion_stacks",
    metadata,
    project_id(),
    Column("id", Text, nullable=False),
    Column("campaign_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("tier_ids", Text, nullable=False),  # JSON
    Column("category_id", Text),
    micros("created_at"),
    micros("updated_at", nullable=True),
    PrimaryKeyConstraint("project_id", "id"),
    Index("promotion_stacks_by_creation", "project_id", "created_at", "id"),
    Index("promotion_stacks_of_campaign", "project_id", "campaign_id", "created_at", "id"),
    Index("promotion_stacks_of_category", "project_id", "category_id"),
)

_TABLES: dict[type[StoredTier] | type[StoredStack], Table] = {StoredTier: tiers, StoredStack: stacks}
_JSON: dict[str, Any] = {
    "discount": Discount,
    "metadata": dict[str, Any],
    "validity_timeframe": Timeframe,
    "validity_day_of_week": list[int],
    "validity_hours": Hours,
    "tier_ids": list[str],
}
_ALL = {kind: select(*(table.c[name] for name in kind.__struct_fields__)) for kind, table in _TABLES.items()}
_MINE = {kind: _ALL[kind].where(table.c.project_id == bindparam("project")) for kind, table in _TABLES.items()}
_BY_IDS = {kind: _MINE[kind].where(one_of(table.c.id, "ids")) for kind, table in _TABLES.items()}
_OF_CAMPAIGN = {
    StoredTier: _MINE[StoredTier]
    .where(tiers.c.campaign_id == bindparam("campaign"))
    .order_by(tiers.c.hierarchy, tiers.c.id),
    StoredStack: _MINE[StoredStack]
    .where(stacks.c.campaign_id == bindparam("campaign"))
    .order_by(stacks.c.created_at, stacks.c.id),
}
_LAST = select(func.max(tiers.c.hierarchy)).where(
    tiers.c.project_id == bindparam("project"), tiers.c.campaign_id == bindparam("campaign")
)
_OFFERED = [
    select(
        literal(kind), *(table.c[name] for name in ("id", "name", "campaign_id", "category_id", "created_at")), place
    ).where(table.c.project_id == bindparam("project"))
    for kind, table, place in (
        ("promotion_tier", tiers, tiers.c.hierarchy),
        ("promotion_stack", stacks, literal(0)),
    )
]
_OFFERED_BY = {
    name: [one.where(one_of(table.c[name], "keys")) for one, table in zip(_OFFERED, (tiers, stacks), strict=True)]
    for name in ("id", "campaign_id")
}
_NEWEST = (
    select(tiers.c.id)
    .where(tiers.c.project_id == bindparam("project"))
    .order_by(tiers.c.created_at.desc(), tiers.c.id.desc())
    .limit(bindparam("limit"))
)


def by_ids(conn: Connection, kind: type[Stored], project_id: str, ids: Collection[str]) -> dict[str, Stored]:
    rows = conn.execute(_BY_IDS[kind], {"project": project_id, "ids": list(ids)})
    return {row.id: _read(kind, row) for row in rows}


def of_campaign(
    conn: Connection, kind: type[Stored], project_id: str, campaign_id: str, limit: int | None = None
) -> list[Stored]:
    """Tiers by hierarchy, stacks by age."""
    statement = _OF_CAMPAIGN[kind].limit(limit) if limit else _OF_CAMPAIGN[kind]
    return [_read(kind, row) for row in conn.execute(statement, {"project": project_id, "campaign": campaign_id})]


def last_hierarchy(conn: Connection, project_id: str, campaign_id: str) -> int:
    """0 for a campaign without tiers."""
    return conn.execute(_LAST, {"project": project_id, "campaign": campaign_id}).scalar() or 0


def newest(conn: Connection, project_id: str, limit: int) -> list[str]:
    """Ids of the newest tiers."""
    return list(conn.execute(_NEWEST, {"project": project_id, "limit": limit}).scalars())


def offered(
    conn: Connection, project_id: str, ids: Collection[str] | None, campaign_ids: Collection[str]
) -> list[Offered]:
    """Tiers and stacks, in no order: all for None, else those of these ids and those of these campaigns, each once."""
    if ids is None:
        return [Offered(*row) for one in _OFFERED for row in conn.execute(one, {"project": project_id})]
    found: dict[str, Offered] = {}
    for name, keys in (("id", ids), ("campaign_id", campaign_ids)):
        for one in _OFFERED_BY[name] if keys else ():
            for row in conn.execute(one, {"project": project_id, "keys": list(keys)}):
                made = Offered(*row)
                found[made.id] = made
    return list(found.values())


def add(conn: Connection, project_id: str, new: StoredTier | StoredStack) -> None:
    conn.execute(insert(_TABLES[type(new)]).values(project_id=project_id, **_values(new)))


def save(conn: Connection, project_id: str, changed: StoredTier | StoredStack) -> None:
    table, values = _TABLES[type(changed)], _values(changed)
    conn.execute(update(table).where(table.c.project_id == project_id, table.c.id == values.pop("id")).values(**values))


def renumber(conn: Connection, project_id: str, places: Sequence[tuple[int, str]]) -> None:
    """Rows of (hierarchy, tier id)."""
    update_rows(conn, tiers, ("id",), ("hierarchy",), project_id, places)


def remove(conn: Connection, kind: type[Stored], project_id: str, ids: Collection[str]) -> None:
    table = _TABLES[kind]
    conn.execute(delete(table).where(table.c.project_id == project_id, table.c.id.in_(ids)))


def forget_category(conn: Connection, project_id: str, category_id: str) -> None:
    for table in _TABLES.values():
        mine = (table.c.project_id == project_id, table.c.category_id == category_id)
        conn.execute(update(table).where(*mine).values(category_id=None))


def page(
    conn: Connection,
    kind: type[Stored],
    project_id: str,
    conditions: Sequence[ColumnElement[bool]],
    order: Sequence[UnaryExpression[Any]],
    *,
    limit: int,
    offset: int,
) -> tuple[list[Stored], int]:
    table = _TABLES[kind]
    where = (table.c.project_id == project_id, *conditions)
    total = conn.execute(select(func.count()).select_from(table).where(*where)).scalar_one()
    rows = conn.execute(_ALL[kind].where(*where).order_by(*order).limit(limit).offset(offset))
    return [_read(kind, row) for row in rows], total


def _values(stored: StoredTier | StoredStack) -> dict[str, Any]:
    values = {name: getattr(stored, name) for name in stored.__struct_fields__}
    return {
        name: wire.encode_text(value) if name in _JSON and value is not None else value
        for name, value in values.items()
    }


def _read(kind: type[Stored], row: Row[Any]) -> Stored:
    values = dict(zip(kind.__struct_fields__, row, strict=True))
    for name, form in _JSON.items():
        if values.get(name) is not None:
            values[name] = wire.decode_stored(values[name], form)
    return kind(**values)
