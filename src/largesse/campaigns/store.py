"""Every query on campaigns."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
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
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import ColumnElement, UnaryExpression

from largesse.campaigns.model import StoredCampaign, Template
from largesse.engine.qualification import TiersExpiration
from largesse.engine.validity import Hours, Timeframe
from largesse.kernel import wire
from largesse.kernel.database.columns import metadata, micros, one_of, project_id

campaigns = Table(
    "campaigns",
    metadata,
    project_id(),
    Column("id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("campaign_type", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("description", Text),
    Column("voucher", Text),  # JSON of the template
    Column("voucher_type", Text),  # the template's, for filters
    Column("join_once", Boolean, nullable=False),
    Column("auto_join", Boolean, nullable=False),
    Column("use_voucher_metadata_schema", Boolean, nullable=False),
    micros("start_date", nullable=True),
    micros("expiration_date", nullable=True),
    Column("validity_timeframe", Text),  # JSON
    Column("validity_day_of_week", Text),  # JSON
    Column("validity_hours", Text),  # JSON
    Column("activity_duration_after_publishing", Text),
    Column("loyalty_tiers_expiration", Text),  # JSON
    Column("category_id", Text),
    Column("metadata", Text),  # JSON
    Column("active", Boolean, nullable=False),
    Column("vouchers_count", BigInteger, nullable=False),
    Column("creation_status", Text, nullable=False),
    Column("vouchers_generation_status", Text, nullable=False),
    Column("protected", Boolean, nullable=False),
    micros("created_at"),
    micros("updated_at", nullable=True),
    micros("deleted_at", nullable=True),
    PrimaryKeyConstraint("project_id", "id"),
    UniqueConstraint("project_id", "name"),
    Index("campaigns_by_creation", "project_id", "created_at", "id"),
    Index("campaigns_of_category", "project_id", "category_id"),
)

_FIELDS = StoredCampaign.__struct_fields__
_JSON: dict[str, Any] = {
    "voucher": Template,
    "validity_timeframe": Timeframe,
    "validity_day_of_week": list[int],
    "validity_hours": Hours,
    "loyalty_tiers_expiration": TiersExpiration,
    "metadata": dict[str, Any],
}
_LIVE = campaigns.c.deleted_at.is_(None)
_ALL = select(*(campaigns.c[name] for name in _FIELDS))
_MINE = _ALL.where(campaigns.c.project_id == bindparam("project"), _LIVE)
_BY_IDS = _MINE.where(one_of(campaigns.c.id, "ids"))
_BY_ID = _MINE.where(campaigns.c.id == bindparam("key"))
_BY_NAME = _MINE.where(campaigns.c.name == bindparam("key"))
_LOCK = (
    select(campaigns.c.id)
    .where(campaigns.c.project_id == bindparam("project"), campaigns.c.id == bindparam("key"))
    .with_for_update()
)
_STANDALONE = select(campaigns.c.id).where(
    campaigns.c.project_id == bindparam("project"), campaigns.c.type == "STANDALONE", _LIVE
)
_LOCKED = {False: (_BY_ID, _BY_NAME), True: (_BY_ID.with_for_update(), _BY_NAME.with_for_update())}


def by_ids(conn: Connection, project_id: str, ids: Collection[str]) -> list[StoredCampaign]:
    return [_campaign(row) for row in conn.execute(_BY_IDS, {"project": project_id, "ids": list(ids)})]


def find(conn: Connection, project_id: str, key: str, *, lock: bool) -> StoredCampaign | None:
    """By id, else by name."""
    for statement in _LOCKED[lock]:
        if (row := conn.execute(statement, {"project": project_id, "key": key}).first()) is not None:
            return _campaign(row)
    return None


def lock(conn: Connection, project_id: str, campaign_id: str) -> None:
    conn.execute(_LOCK, {"project": project_id, "key": campaign_id})


def with_codes(conn: Connection, project_id: str, kinds: Sequence[str]) -> list[StoredCampaign]:
    """Campaigns of these types that hand out codes, and not one code to everybody."""
    wanted = (campaigns.c.campaign_type.in_(kinds), campaigns.c.type != "STANDALONE")
    return [_campaign(row) for row in conn.execute(_MINE.where(*wanted), {"project": project_id})]


def standalone(conn: Connection, project_id: str) -> list[str]:
    """Ids of the STANDALONE campaigns that are not deleted."""
    return list(conn.execute(_STANDALONE, {"project": project_id}).scalars())


def live(project_id: str, usable_at: int | None) -> Select[tuple[str]]:
    """Ids of the campaigns that are not deleted; with an instant, of those active and inside their dates then."""
    found = select(campaigns.c.id).where(campaigns.c.project_id == project_id, _LIVE)
    if usable_at is None:
        return found
    begun = or_(campaigns.c.start_date.is_(None), campaigns.c.start_date <= usable_at)
    not_ended = or_(campaigns.c.expiration_date.is_(None), campaigns.c.expiration_date >= usable_at)
    return found.where(campaigns.c.active.is_(True), begun, not_ended)


def of_type(project_id: str, campaign_type: str) -> Select[tuple[str]]:
    """Ids of the campaigns of a type."""
    mine = (campaigns.c.project_id == project_id, campaigns.c.campaign_type == campaign_type)
    return select(campaigns.c.id).where(*mine)


def any_of_type(conn: Connection, project_id: str, campaign_type: str) -> bool:
    """Whether a campaign of this type exists that is not deleted."""
    mine = (campaigns.c.project_id == project_id, campaigns.c.campaign_type == campaign_type, _LIVE)
    return conn.execute(select(campaigns.c.id).where(*mine).limit(1)).first() is not None


def is_taken(conn: Connection, project_id: str, name: str) -> bool:
    """Binned names are taken too."""
    found = select(campaigns.c.id).where(campaigns.c.project_id == project_id, campaigns.c.name == name)
    return conn.execute(found).first() is not None


def add(conn: Connection, project_id: str, campaign: StoredCampaign) -> None:
    """A name that is taken raises IntegrityError."""
    conn.execute(insert(campaigns).values(project_id=project_id, **_values(campaign)))


def save(conn: Connection, project_id: str, campaign: StoredCampaign) -> None:
    """Writes everything but the count of codes, which `count` moves."""
    values = _values(campaign)
    del values["vouchers_count"]
    conn.execute(_one(update(campaigns), project_id, values.pop("id")).values(**values))


def count(conn: Connection, project_id: str, campaign_id: str, change: int) -> None:
    changed = update(campaigns).values(vouchers_count=campaigns.c.vouchers_count + change)
    conn.execute(_one(changed, project_id, campaign_id))


def counters(conn: Connection, project_id: str) -> dict[str, int]:
    mine = (campaigns.c.project_id == project_id, _LIVE, campaigns.c.voucher_type.is_not(None))
    rows = conn.execute(select(campaigns.c.id, campaigns.c.vouchers_count).where(*mine))
    return {row[0]: row[1] for row in rows}


def set_progress(conn: Connection, project_id: str, campaign_id: str, creation: str, generation: str) -> None:
    statuses = {"creation_status": creation, "vouchers_generation_status": generation}
    conn.execute(_one(update(campaigns), project_id, campaign_id).values(**statuses))


def put_in_bin(conn: Connection, project_id: str, campaign_id: str, now: int) -> None:
    conn.execute(_one(update(campaigns), project_id, campaign_id).values(deleted_at=now, updated_at=now))


def type_of(conn: Connection, project_id: str, campaign_id: str) -> str | None:
    """Of a campaign in the bin too."""
    mine = (campaigns.c.project_id == project_id, campaigns.c.id == campaign_id)
    return conn.execute(select(campaigns.c.campaign_type).where(*mine)).scalar()


def remove(conn: Connection, project_id: str, campaign_id: str) -> None:
    conn.execute(_one(delete(campaigns), project_id, campaign_id))


def forget_category(conn: Connection, project_id: str, category_id: str) -> None:
    mine = (campaigns.c.project_id == project_id, campaigns.c.category_id == category_id)
    conn.execute(update(campaigns).where(*mine).values(category_id=None))


def page(
    conn: Connection,
    project_id: str,
    conditions: Sequence[ColumnElement[bool]],
    order: Sequence[UnaryExpression[Any]],
    *,
    limit: int,
    offset: int,
) -> tuple[list[StoredCampaign], int]:
    where = (campaigns.c.project_id == project_id, _LIVE, *conditions)
    total = conn.execute(select(func.count()).select_from(campaigns).where(*where)).scalar_one()
    rows = conn.execute(_ALL.where(*where).order_by(*order).limit(limit).offset(offset))
    return [_campaign(row) for row in rows], total


def _one(statement: Any, project_id: str, campaign_id: str) -> Any:
    return statement.where(campaigns.c.project_id == project_id, campaigns.c.id == campaign_id)


def _values(campaign: StoredCampaign) -> dict[str, Any]:
    values = {name: getattr(campaign, name) for name in _FIELDS}
    for name in _JSON:
        if values[name] is not None:
            values[name] = wire.encode_text(values[name])
    return values | {"voucher_type": campaign.voucher.type if campaign.voucher else None}


def _campaign(row: Row[Any]) -> StoredCampaign:
    values = dict(zip(_FIELDS, row, strict=True))
    for name, kind in _JSON.items():
        if values[name] is not None:
            values[name] = wire.decode_stored(values[name], kind)
    return StoredCampaign(**values)
