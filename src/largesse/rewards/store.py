"""Every query on rewards and their assignments."""

from collections.abc import Collection, Sequence
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
    UniqueConstraint,
    bindparam,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import ColumnElement

from largesse.engine.rewards import Parameters
from largesse.kernel import wire
from largesse.kernel.database.columns import metadata, micros, one_of, project_id
from largesse.kernel.database.rows import insert_rows
from largesse.rewards.model import Attributes, StoredAssignment, StoredReward

rewards = Table(
    "rewards",
    metadata,
    project_id(),
    Column("id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("parameters", Text, nullable=False),  # JSON
    Column("attributes", Text),  # JSON
    Column("metadata", Text, nullable=False),  # JSON
    micros("created_at"),
    micros("updated_at", nullable=True),
    PrimaryKeyConstraint("project_id", "id"),
    Index("rewards_by_creation", "project_id", "created_at", "id"),
)
assignments = Table(
    "reward_assignments",
    metadata,
    project_id(),
    Column("id", Text, nullable=False),
    Column("reward_id", Text, nullable=False),
    Column("related_object_id", Text, nullable=False),  # of a campaign
    Column("related_object_type", Text, nullable=False),
    Column("points", BigInteger),
    Column("auto_redeem", Boolean, nullable=False),
    micros("created_at"),
    micros("updated_at", nullable=True),
    PrimaryKeyConstraint("project_id", "id"),
    UniqueConstraint("project_id", "reward_id", "related_object_id"),
    Index("reward_assignments_of_campaign", "project_id", "related_object_id", "created_at", "id"),
)

_COLUMNS = StoredReward.__struct_fields__
_JSON: dict[str, Any] = {"parameters": Parameters, "attributes": Attributes, "metadata": dict[str, Any]}
_REWARDS = select(*(rewards.c[name] for name in _COLUMNS)).where(rewards.c.project_id == bindparam("project"))
_REWARDS_BY_IDS = _REWARDS.where(one_of(rewards.c.id, "ids")).order_by(rewards.c.id)
_REWARDS_LOCKED = _REWARDS_BY_IDS.with_for_update()
_ASSIGNMENT_COLUMNS = StoredAssignment.__struct_fields__
_ASSIGNMENTS = select(*(assignments.c[name] for name in _ASSIGNMENT_COLUMNS)).where(
    assignments.c.project_id == bindparam("project")
)
_OF_CAMPAIGNS = _ASSIGNMENTS.where(one_of(assignments.c.related_object_id, "campaigns")).order_by(
    assignments.c.created_at, assignments.c.id
)
_OF_REWARD = _ASSIGNMENTS.where(assignments.c.reward_id == bindparam("reward")).order_by(
    assignments.c.created_at, assignments.c.id
)


def of_item(conn: Connection, project_id: str, item_id: str) -> list[str]:
    """Ids of rewards that are this product or SKU, a few of them."""
    named = wire.encode_text(item_id)
    mine = (rewards.c.project_id == project_id, rewards.c.type == "MATERIAL")
    names = rewards.c.parameters.contains(named, autoescape=True)
    found = select(rewards.c.id).where(*mine, names).order_by(rewards.c.id).limit(100)
    return list(conn.execute(found).scalars())


def by_ids(conn: Connection, project_id: str, ids: Collection[str], *, lock: bool = False) -> dict[str, StoredReward]:
    """The rewards that exist of these; locked in id order where asked."""
    rows = conn.execute(_REWARDS_LOCKED if lock else _REWARDS_BY_IDS, {"project": project_id, "ids": list(ids)})
    return {reward.id: reward for reward in map(_reward, rows)}


def page(
    conn: Connection, project_id: str, conditions: Sequence[ColumnElement[bool]], *, limit: int, offset: int
) -> tuple[list[StoredReward], int]:
    """Newest first."""
    where = (rewards.c.project_id == project_id, *conditions)
    total = conn.execute(select(func.count()).select_from(rewards).where(*where)).scalar_one()
    newest = (rewards.c.created_at.desc(), rewards.c.id.desc())
    statement = _REWARDS.where(*conditions).order_by(*newest).limit(limit).offset(offset)
    return [_reward(row) for row in conn.execute(statement, {"project": project_id})], total


def with_assignment(project_id: str, assignment_id: str) -> ColumnElement[bool]:
    """Condition: the reward has this assignment."""
    mine = (assignments.c.project_id == project_id, assignments.c.id == assignment_id)
    return rewards.c.id.in_(select(assignments.c.reward_id).where(*mine))


def add(conn: Connection, project_id: str, reward: StoredReward) -> None:
    insert_rows(conn, rewards, _COLUMNS, project_id, [tuple(_values(reward).values())])


def save(conn: Connection, project_id: str, reward: StoredReward) -> None:
    row = (rewards.c.project_id == project_id, rewards.c.id == reward.id)
    conn.execute(update(rewards).where(*row).values(**_values(reward)))


def remove(conn: Connection, project_id: str, reward_id: str) -> None:
    conn.execute(delete(rewards).where(rewards.c.project_id == project_id, rewards.c.id == reward_id))


def of_campaigns(conn: Connection, project_id: str, campaign_ids: Collection[str]) -> list[StoredAssignment]:
    """All assignments of these campaigns, oldest first."""
    rows = conn.execute(_OF_CAMPAIGNS, {"project": project_id, "campaigns": list(campaign_ids)})
    return [StoredAssignment(**row._mapping) for row in rows]


def of_reward(conn: Connection, project_id: str, reward_id: str) -> list[StoredAssignment]:
    """All assignments of a reward, oldest first."""
    rows = conn.execute(_OF_REWARD, {"project": project_id, "reward": reward_id})
    return [StoredAssignment(**row._mapping) for row in rows]


def assignment(
    conn: Connection, project_id: str, assignment_id: str, *, reward_id: str | None, campaign_id: str | None
) -> StoredAssignment | None:
    """An assignment of this reward, or of this campaign."""
    statement = _ASSIGNMENTS.where(assignments.c.id == assignment_id)
    if reward_id is not None:
        statement = statement.where(assignments.c.reward_id == reward_id)
    if campaign_id is not None:
        statement = statement.where(assignments.c.related_object_id == campaign_id)
    row = conn.execute(statement, {"project": project_id}).first()
    return StoredAssignment(**row._mapping) if row else None


def assignment_page(
    conn: Connection, project_id: str, conditions: Sequence[ColumnElement[bool]], *, limit: int, offset: int
) -> tuple[list[StoredAssignment], int]:
    """Newest first."""
    where = (assignments.c.project_id == project_id, *conditions)
    total = conn.execute(select(func.count()).select_from(assignments).where(*where)).scalar_one()
    newest = (assignments.c.created_at.desc(), assignments.c.id.desc())
    statement = _ASSIGNMENTS.where(*conditions).order_by(*newest).limit(limit).offset(offset)
    return [StoredAssignment(**row._mapping) for row in conn.execute(statement, {"project": project_id})], total


def add_assignments(conn: Connection, project_id: str, made: Sequence[StoredAssignment]) -> None:
    """A reward that the campaign has already raises IntegrityError."""
    rows = [tuple(msgspec.structs.astuple(one)) for one in made]
    insert_rows(conn, assignments, _ASSIGNMENT_COLUMNS, project_id, rows)


def save_assignment(conn: Connection, project_id: str, one: StoredAssignment) -> None:
    row = (assignments.c.project_id == project_id, assignments.c.id == one.id)
    values = {"points": one.points, "auto_redeem": one.auto_redeem, "updated_at": one.updated_at}
    conn.execute(update(assignments).where(*row).values(**values))


def remove_assignments(conn: Connection, project_id: str, ids: Collection[str]) -> None:
    conn.execute(delete(assignments).where(assignments.c.project_id == project_id, assignments.c.id.in_(ids)))


def _values(reward: StoredReward) -> dict[str, Any]:
    values = msgspec.structs.asdict(reward)
    return values | {name: wire.encode_text(values[name]) for name in _JSON if values[name] is not None}


def _reward(row: Row[Any]) -> StoredReward:
    values = dict(row._mapping)
    for name, kind in _JSON.items():
        if values[name] is not None:
            values[name] = wire.decode_stored(values[name], kind)
    return StoredReward(**values)
