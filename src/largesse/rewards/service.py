"""Use cases of rewards, and what other rooms ask of them."""

from collections.abc import Collection, Iterable, Mapping

import msgspec
from msgspec import UNSET
from sqlalchemy.engine import Connection

import largesse.validation_rules.service as validation_rules
from largesse.engine.rewards import Assignment, Parameters, Reward
from largesse.kernel import clock, definitions, ids, ledger, wire
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import invalid_payload, not_found, resource_in_use
from largesse.kernel.http.query import Query
from largesse.kernel.project import Project
from largesse.metadata_schemas.service import schemas_of
from largesse.rewards import store
from largesse.rewards.definition import MATERIAL, checked, missing_param, type_of
from largesse.rewards.model import (
    Attributes,
    RewardAnswer,
    RewardCreate,
    RewardList,
    RewardUpdate,
    StoredAssignment,
    StoredReward,
)

RELATED = "reward_assignment"


# What decisions ask


def offered(conn: Connection, project: Project, campaign_ids: Collection[str]) -> dict[str, Mapping[str, Assignment]]:
    """For each program its assignments by the reward's id, kept while no definition changes.

    `project` as `current_project` answered. A program without any has an empty mapping.
    """

    def load(conn: Connection, project_id: str, ids: list[str]) -> dict[str, Mapping[str, Assignment]]:
        found: dict[str, dict[str, Assignment]] = {id: {} for id in ids}
        listed = store.of_campaigns(conn, project_id, ids)
        rewards = store.by_ids(conn, project_id, {one.reward_id for one in listed})
        rules = validation_rules.rules_of(conn, project, RELATED, [one.id for one in listed])
        for one in listed:
            found[one.related_object_id][one.reward_id] = Assignment(
                id=one.id,
                reward=_compiled(rewards[one.reward_id]),
                points=one.points,
                auto_redeem=one.auto_redeem,
                rules=rules[one.id],
            )
        return dict(found)

    return definitions.load(conn, project, "rewards of campaign", campaign_ids, load)


def _compiled(reward: StoredReward) -> Reward:
    return Reward(
        id=reward.id,
        name=reward.name,
        type=reward.type,
        parameters=reward.parameters,
        metadata=reward.metadata,
        created_at=reward.created_at,
        updated_at=reward.updated_at,
    )


def check_unused(unit: Unit, object_type: str, item_id: str) -> None:
    """Refuses to let go of a product or SKU that is a reward: 400 `resource_in_use` (documented)."""
    if naming := store.of_item(unit.conn, unit.project_id, item_id):
        raise resource_in_use(object_type, item_id, "reward", naming)


# The resource


def list_rewards(unit: Unit, query: Query) -> RewardList:
    """Newest first; `assignment_id` leaves the reward of one assignment."""
    conditions = []
    if assignment_id := query.text("assignment_id"):
        conditions.append(store.with_assignment(unit.project_id, assignment_id))
    page = query.page()
    found, total = store.page(unit.conn, unit.project_id, conditions, limit=page.limit, offset=page.offset)
    return RewardList(data=shown(unit, found), total=total)


def get(unit: Unit, reward_id: str) -> RewardAnswer:
    """Raises ApiError 404."""
    return shown(unit, [existing(unit, reward_id)])[0]


def create(unit: Unit, sent: RewardCreate) -> RewardAnswer:
    """Raises ApiError 404 for what it refers to, 400 `missing_param`, `invalid_balance`, `invalid_payload`."""
    if sent.name is None:
        raise missing_param("name")
    kind = type_of(sent.type, sent.parameters)
    assert sent.parameters is not None
    schemas_of(unit).check_new("reward", sent.metadata)
    reward = StoredReward(
        id=ids.text_id("rew_"),
        name=sent.name,
        type=kind,
        parameters=checked(unit, kind, sent.parameters),
        attributes=(sent.attributes or Attributes()) if kind == MATERIAL else sent.attributes,
        metadata=sent.metadata or {},
        created_at=unit.now,
    )
    store.add(unit.conn, unit.project_id, reward)
    if kind == MATERIAL and sent.stock is not None:
        _set_stock(unit, reward, sent.stock, "creation")
    return shown(unit, [reward])[0]


def update(unit: Unit, reward_id: str, sent: RewardUpdate) -> RewardAnswer:
    """Metadata and attributes are laid over what is there. Raises ApiError as `create`, and 404."""
    reward = existing(unit, reward_id, lock=True)
    if sent.name is not None:
        reward.name = sent.name
    if sent.parameters is not None:
        reward.parameters = checked(unit, reward.type, sent.parameters)
        check_no_circle(reward.parameters, (one.related_object_id for one in _assigned(unit, reward.id)))
    if sent.metadata:
        reward.metadata = wire.merge_metadata(reward.metadata, sent.metadata)
        schemas_of(unit).check_changed("reward", sent.metadata, reward.metadata)
    if isinstance(sent.attributes, Attributes):
        held = msgspec.to_builtins(reward.attributes or Attributes())
        reward.attributes = msgspec.convert(held | msgspec.to_builtins(sent.attributes), Attributes)
    reward.updated_at = unit.now
    store.save(unit.conn, unit.project_id, reward)
    definitions.changed(unit, ("reward", definitions.ANY))
    if reward.type == MATERIAL and sent.stock is not UNSET:
        _set_stock(unit, reward, sent.stock, "adjustment")
    return shown(unit, [reward])[0]


def delete(unit: Unit, reward_id: str) -> None:
    """Raises ApiError 404, and 400 `resource_in_use` while a program offers it."""
    reward = existing(unit, reward_id, lock=True)
    assigned = [one.id for one in _assigned(unit, reward.id)]
    if assigned:
        raise resource_in_use("reward", reward.id, RELATED, assigned)
    store.remove(unit.conn, unit.project_id, reward.id)
    definitions.changed(unit, ("reward", definitions.ANY))


def _assigned(unit: Unit, reward_id: str) -> list[StoredAssignment]:
    return store.of_reward(unit.conn, unit.project_id, reward_id)


def existing(unit: Unit, reward_id: str, *, lock: bool = False) -> StoredReward:
    """Raises ApiError 404."""
    found = store.by_ids(unit.conn, unit.project_id, [reward_id], lock=lock).get(reward_id)
    if found is None:
        raise not_found("reward", reward_id)
    return found


def check_no_circle(parameters: Parameters, campaign_ids: Iterable[str]) -> None:
    """A program cannot hand out its own points as a reward (our decision): 400 `invalid_payload`."""
    handed = parameters.campaign
    if handed is not None and handed.type == "LOYALTY_PROGRAM" and handed.id in campaign_ids:
        raise invalid_payload("A loyalty program cannot give its own points as a reward")


def _set_stock(unit: Unit, reward: StoredReward, stock: int | None, cause: str) -> None:
    """Sets what is left of a reward, None for no limit; what that adds or takes away is posted."""
    key = (reward.id, ledger.REWARD_STOCK)
    before = ledger.values(unit.conn, unit.project_id, [reward.id], lock=True).get(key)
    if stock == before:
        return
    ledger.put(unit.conn, unit.project_id, key, stock)
    change = (stock or 0) - (before or 0)
    if change:
        entry = ledger.Entry(ledger.REWARD_STOCK, reward.id, change, cause, reward.id, unit.now)
        ledger.post(unit.conn, unit.project_id, [entry])


# Shapes


def shown(unit: Unit, rewards: Iterable[StoredReward]) -> list[RewardAnswer]:
    """Rewards with their counters as they are now, read in one query."""
    listed = list(rewards)
    counted = ledger.values(unit.conn, unit.project_id, {reward.id for reward in listed}, lock=False)
    return [_answer(reward, counted) for reward in listed]


def _answer(reward: StoredReward, counted: Mapping[ledger.Key, int]) -> RewardAnswer:
    return RewardAnswer(
        id=reward.id,
        name=reward.name,
        stock=counted.get((reward.id, ledger.REWARD_STOCK)),
        redeemed=counted.get((reward.id, ledger.REWARD_USES)),
        attributes=reward.attributes if reward.attributes is not None else UNSET,
        metadata=reward.metadata,
        type=reward.type,
        parameters=reward.parameters,
        created_at=clock.iso(reward.created_at),
        updated_at=clock.iso_or_none(reward.updated_at),
    )
