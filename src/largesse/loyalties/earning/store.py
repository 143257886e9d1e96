"""Every query on earning rules, and on what they rewarded once."""

from collections.abc import Collection, Sequence
from typing import Any

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
    select,
    update,
)
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import UnaryExpression

from largesse.engine.points import ExpirationRules
from largesse.engine.validity import Hours, Timeframe
from largesse.kernel import wire
from largesse.kernel.database.columns import metadata, micros, one_of, project_id
from largesse.kernel.database.rows import insert_rows
from largesse.loyalties.earning.model import StoredEarningRule

rules = Table(
    "earning_rules",
    metadata,
    project_id(),
    Column("id", Text, nullable=False),
    Column("campaign_id", Text, nullable=False),
    Column("automation_id", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("subject_id", Text),
    Column("loyalty", Text, nullable=False),  # JSON
    Column("pending_days", BigInteger),
    Column("expiration_rules", Text),  # JSON
    Column("banner", Text),
    Column("active", Boolean, nullable=False),
    micros("start_date", nullable=True),
    micros("expiration_date", nullable=True),
    Column("validity_timeframe", Text),  # JSON
    Column("validity_day_of_week", Text),  # JSON
    Column("validity_hours", Text),  # JSON
    Column("metadata", Text, nullable=False),  # JSON
    micros("created_at"),
    micros("updated_at", nullable=True),
    PrimaryKeyConstraint("project_id", "id"),
    Index("earning_rules_of_campaign", "project_id", "campaign_id", "created_at", "id"),
    Index("earning_rules_of_event", "project_id", "event", "created_at", "id"),
)
# One row for each rule and what it rewarded: the key lets one order, event or change of tier earn once, whoever races.
earnings = Table(
    "earnings",
    metadata,
    project_id(),
    Column("rule_id", Text, nullable=False),
    Column("cause_id", Text, nullable=False),
    micros("created_at"),
    PrimaryKeyConstraint("project_id", "cause_id", "rule_id"),
)

_JSON: dict[str, Any] = {
    "loyalty": dict[str, Any],
    "expiration_rules": ExpirationRules,
    "validity_timeframe": Timeframe,
    "validity_day_of_week": list[int],
    "validity_hours": Hours,
    "metadata": dict[str, Any],
}
_FIELDS = StoredEarningRule.__struct_fields__
_ALL = select(*(rules.c[name] for name in _FIELDS))
_MINE = _ALL.where(rules.c.project_id == bindparam("project"))
_OF_EVENTS = _MINE.where(one_of(rules.c.event, "events"))
_BY_IDS = _MINE.where(one_of(rules.c.id, "ids"))
_OF_CAMPAIGN = select(rules.c.id).where(
    rules.c.project_id == bindparam("project"), rules.c.campaign_id == bindparam("campaign")
)
_COUNT = select(func.count()).select_from(rules).where(rules.c.project_id == bindparam("project"))
_EARNED = select(earnings.c.rule_id, earnings.c.cause_id).where(
    earnings.c.project_id == bindparam("project"), one_of(earnings.c.cause_id, "causes")
)


def of_events(conn: Connection, project_id: str, events: Collection[str]) -> list[StoredEarningRule]:
    """The oldest first: the order in which they are applied (documented)."""
    rows = conn.execute(_OF_EVENTS, {"project": project_id, "events": list(events)})
    return sorted((_rule(row) for row in rows), key=lambda rule: (rule.created_at, rule.id))


def by_ids(conn: Connection, project_id: str, ids: Collection[str]) -> dict[str, StoredEarningRule]:
    rows = conn.execute(_BY_IDS, {"project": project_id, "ids": list(ids)})
    return {row.id: _rule(row) for row in rows}


def ids_of_campaign(conn: Connection, project_id: str, campaign_id: str) -> list[str]:
    return list(conn.execute(_OF_CAMPAIGN, {"project": project_id, "campaign": campaign_id}).scalars())


def count(conn: Connection, project_id: str) -> int:
    """Rules of the whole project."""
    return conn.execute(_COUNT, {"project": project_id}).scalar_one()


def page(
    conn: Connection,
    project_id: str,
    campaign_id: str,
    order: Sequence[UnaryExpression[Any]],
    *,
    limit: int,
    offset: int,
) -> tuple[list[StoredEarningRule], int]:
    where = (rules.c.project_id == project_id, rules.c.campaign_id == campaign_id)
    total = conn.execute(select(func.count()).select_from(rules).where(*where)).scalar_one()
    rows = conn.execute(_ALL.where(*where).order_by(*order).limit(limit).offset(offset))
    return [_rule(row) for row in rows], total


def add(conn: Connection, project_id: str, new: Sequence[StoredEarningRule]) -> None:
    insert_rows(conn, rules, _FIELDS, project_id, [tuple(_values(rule).values()) for rule in new])


def save(conn: Connection, project_id: str, rule: StoredEarningRule) -> None:
    values = _values(rule)
    mine = (rules.c.project_id == project_id, rules.c.id == values.pop("id"))
    conn.execute(update(rules).where(*mine).values(**values))


def remove(conn: Connection, project_id: str, rule_ids: Collection[str]) -> None:
    mine = (rules.c.project_id == bindparam("project"), one_of(rules.c.id, "ids"))
    conn.execute(delete(rules).where(*mine), {"project": project_id, "ids": list(rule_ids)})


def earned(conn: Connection, project_id: str, cause_ids: Collection[str]) -> set[tuple[str, str]]:
    """Pairs of (rule, cause) that were rewarded, in one query."""
    rows = conn.execute(_EARNED, {"project": project_id, "causes": list(cause_ids)})
    return {(row[0], row[1]) for row in rows}


def add_earned(conn: Connection, project_id: str, pairs: Collection[tuple[str, str]], now: int) -> None:
    """Raises IntegrityError for a pair that was rewarded meanwhile."""
    ordered = sorted(pairs, key=lambda pair: (pair[1], pair[0]))
    rows = [(rule_id, cause_id, now) for rule_id, cause_id in ordered]
    insert_rows(conn, earnings, ("rule_id", "cause_id", "created_at"), project_id, rows)


def _values(rule: StoredEarningRule) -> dict[str, Any]:
    values = {name: getattr(rule, name) for name in _FIELDS}
    return {
        name: wire.encode_text(value) if name in _JSON and value is not None else value
        for name, value in values.items()
    }


def _rule(row: Row[Any]) -> StoredEarningRule:
    values = dict(zip(_FIELDS, row, strict=True))
    for name, kind in _JSON.items():
        if values[name] is not None:
            values[name] = wire.decode_stored(values[name], kind)
    return StoredEarningRule(**values)
