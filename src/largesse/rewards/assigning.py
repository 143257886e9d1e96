"""Assignments: which rewards a program offers, and for how many points."""

from collections.abc import Sequence
from datetime import timedelta

import msgspec

import largesse.campaigns.service as campaigns
import largesse.validation_rules.service as validation_rules
from largesse.campaigns.model import StoredCampaign
from largesse.engine.refusal import Refusal
from largesse.kernel import clock, definitions, ids
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import ApiError, duplicate_found, invalid_payload, not_found
from largesse.kernel.http.query import Query
from largesse.kernel.jobs.queue import INTERNAL, enqueue
from largesse.rewards import service, store
from largesse.rewards.definition import COIN, LOYALTY_PROGRAM, missing_param
from largesse.rewards.model import (
    AssignmentAnswer,
    AssignmentCreate,
    AssignmentItem,
    AssignmentList,
    AssignmentUpdate,
    Offered,
    Price,
    PriceParameters,
    RewardAnswer,
    StoredAssignment,
)
from largesse.rewards.service import RELATED

AUTO_REDEEM = f"{INTERNAL}AUTO_REDEEM"
_OFFERING = (LOYALTY_PROGRAM, "REFERRAL_PROGRAM")


# Of a reward


def list_of_reward(unit: Unit, reward_id: str, query: Query) -> AssignmentList:
    """Newest first. Raises ApiError 404."""
    conditions = [store.assignments.c.reward_id == service.existing(unit, reward_id).id]
    page = query.page()
    found, total = store.assignment_page(unit.conn, unit.project_id, conditions, limit=page.limit, offset=page.offset)
    return AssignmentList(data=[answer(one) for one in found], total=total)


def create(unit: Unit, reward_id: str, sent: AssignmentCreate) -> AssignmentAnswer:
    """Raises ApiError 404 for reward or campaign, 409 where the campaign has the reward, 400 `missing_param`, `invalid_payload`."""
    service.existing(unit, reward_id)
    if sent.campaign is None:
        details = "Cannot find campaign with id null"
        raise ApiError(Refusal(404, "not_found", "Resource not found", details, resource_type="campaign"))
    campaign = campaigns.find(unit, sent.campaign, lock=True)
    item = AssignmentItem(parameters=sent.parameters, validation_rules=sent.validation_rules)
    made = answer(_assign(unit, campaign, reward_id, item))
    _record(unit, "created", campaign, made)
    return made


def of_reward(unit: Unit, reward_id: str, assignment_id: str) -> StoredAssignment:
    """Raises ApiError 404 for the reward, or an assignment that is not of it."""
    reward = service.existing(unit, reward_id)
    found = store.assignment(unit.conn, unit.project_id, assignment_id, reward_id=reward.id, campaign_id=None)
    return _found(found, assignment_id)


def existing_id(unit: Unit, assignment_id: str) -> str:
    """The same id, of whichever reward. Raises ApiError 404."""
    found = store.assignment(unit.conn, unit.project_id, assignment_id, reward_id=None, campaign_id=None)
    return _found(found, assignment_id).id


# Of a program


def list_of_campaign(unit: Unit, key: str, query: Query) -> AssignmentList:
    """Newest first; `assignment_id`, in either spelling, leaves one. Raises ApiError 404 for a key that names no program."""
    conditions = [store.assignments.c.related_object_id == _program(unit, key).id]
    if assignment_id := query.text("assignment_id") or query.text("assignmentId"):
        conditions.append(store.assignments.c.id == assignment_id)
    page = query.page()
    found, total = store.assignment_page(unit.conn, unit.project_id, conditions, limit=page.limit, offset=page.offset)
    return AssignmentList(data=[answer(one) for one in found], total=total)


def create_many(unit: Unit, key: str, sent: Sequence[AssignmentItem]) -> list[AssignmentAnswer]:
    """All of them or none. Raises ApiError as `create`."""
    campaign = _program(unit, key, lock=True)
    made = []
    for place, item in enumerate(sent):
        if item.reward is None:
            raise missing_param(f"[{place}].reward")
        made.append(_assign(unit, campaign, item.reward, item))
    shown = [answer(one) for one in made]
    for one in shown:
        _record(unit, "created", campaign, one)
    return shown


def of_campaign(unit: Unit, key: str, assignment_id: str) -> StoredAssignment:
    """Raises ApiError 404 for the program, or an assignment that is not of it."""
    program = _program(unit, key)
    found = store.assignment(unit.conn, unit.project_id, assignment_id, reward_id=None, campaign_id=program.id)
    return _found(found, assignment_id)


def reward_of(unit: Unit, key: str, assignment_id: str) -> RewardAnswer:
    """The reward that an assignment of a program offers. Raises ApiError 404."""
    return service.get(unit, of_campaign(unit, key, assignment_id).reward_id)


def of_program(unit: Unit, campaign_id: str) -> list[StoredAssignment]:
    """All assignments of a program, the oldest first."""
    return store.of_campaigns(unit.conn, unit.project_id, [campaign_id])


def offers(unit: Unit, campaign_id: str) -> list[Offered]:
    """All that a program offers, with the rewards as they are now; the oldest first."""
    listed = store.of_campaigns(unit.conn, unit.project_id, [campaign_id])
    found = store.by_ids(unit.conn, unit.project_id, {one.reward_id for one in listed})
    shown = {reward.id: reward for reward in service.shown(unit, found.values())}
    return [Offered(reward=shown[one.reward_id], assignment=answer(one)) for one in listed]


# Of either


def update(unit: Unit, found: StoredAssignment, sent: AssignmentUpdate) -> AssignmentAnswer:
    """A new price; what pays with points has none, and stays as it is. Raises ApiError 400 `missing_param`, `invalid_payload`."""
    price = sent.parameters.loyalty if sent.parameters else None
    if found.points is not None:
        if price is None:
            raise missing_param("parameters.loyalty")
        before = found.points, found.auto_redeem
        if price.points is not None:
            found.points = price.points
        if price.auto_redeem is not None:
            if price.auto_redeem:
                campaigns.find(unit, found.related_object_id, lock=True)
                _check_only_one(unit, found.related_object_id, found.id)
            found.auto_redeem = price.auto_redeem
        if (found.points, found.auto_redeem) != before:
            _begin_to_redeem(unit, found)
    found.updated_at = unit.now
    store.save_assignment(unit.conn, unit.project_id, found)
    definitions.changed(unit, ("reward", definitions.ANY))
    shown = answer(found)
    _record(unit, "updated", _offering(unit, found), shown)
    return shown


def delete(unit: Unit, found: StoredAssignment) -> None:
    """With the assignments of its rules; what was redeemed of it stays redeemed."""
    store.remove_assignments(unit.conn, unit.project_id, [found.id])
    validation_rules.remove_assignments(unit, RELATED, [found.id])
    definitions.changed(unit, ("reward", definitions.ANY))
    _record(unit, "deleted", _offering(unit, found), answer(found))


def forget_campaign(unit: Unit, campaign_id: str) -> None:
    """A campaign that is gone for good offers nothing any more."""
    held = [one.id for one in store.of_campaigns(unit.conn, unit.project_id, [campaign_id])]
    if held:
        store.remove_assignments(unit.conn, unit.project_id, held)
        validation_rules.remove_assignments(unit, RELATED, held)
        definitions.changed(unit, ("reward", definitions.ANY))


# Parts


def _assign(unit: Unit, campaign: StoredCampaign, reward_id: str, item: AssignmentItem) -> StoredAssignment:
    """The campaign's row is locked, so that no two requests give it the same reward or a second automatic one.

    The reward's row too, so that it does not go meanwhile.
    """
    reward = service.existing(unit, reward_id, lock=True)
    if campaign.campaign_type not in _OFFERING:
        raise invalid_payload(f"A campaign of type {campaign.campaign_type} offers no rewards; a loyalty program does")
    service.check_no_circle(reward.parameters, [campaign.id])
    for one in store.of_campaigns(unit.conn, unit.project_id, [campaign.id]):
        if one.reward_id == reward.id:
            raise duplicate_found(RELATED, one.id)
    made = StoredAssignment(
        id=ids.text_id("rewa_"), reward_id=reward.id, related_object_id=campaign.id, created_at=unit.now
    )
    if reward.type != COIN:
        price = item.parameters.loyalty if item.parameters else None
        if price is None:
            raise missing_param("parameters.loyalty")
        if price.points is None:
            raise missing_param("parameters.loyalty.points")
        made.points, made.auto_redeem = price.points, bool(price.auto_redeem)
    if made.auto_redeem:
        _check_only_one(unit, campaign.id, made.id)
    store.add_assignments(unit.conn, unit.project_id, [made])
    if reward.type == COIN:
        validation_rules.assign(unit, item.validation_rules or (), RELATED, made.id)
    _begin_to_redeem(unit, made)
    definitions.changed(unit, ("reward", definitions.ANY))
    return made


def _begin_to_redeem(unit: Unit, assignment: StoredAssignment) -> None:
    """Cards that hold the points already are served by the next daily run (documented: with every credit, and in the daily run)."""
    if assignment.auto_redeem:
        tomorrow = unit.project.midnight(unit.project.day(unit.now) + timedelta(days=1))
        arguments = {"campaign_id": assignment.related_object_id, "assignment_id": assignment.id}
        enqueue(unit, AUTO_REDEEM, arguments, queue=f"{assignment.related_object_id} auto-redeem", due_at=tomorrow)


def _check_only_one(unit: Unit, campaign_id: str, assignment_id: str) -> None:
    """A program redeems at most one reward by itself (documented; the key is our decision)."""
    for one in store.of_campaigns(unit.conn, unit.project_id, [campaign_id]):
        if one.auto_redeem and one.id != assignment_id:
            raise invalid_payload(f"Only one reward of a campaign can be redeemed automatically; it is {one.id}")


def _program(unit: Unit, key: str, *, lock: bool = False) -> StoredCampaign:
    campaign = campaigns.find(unit, key, lock=lock)
    if campaign.campaign_type != LOYALTY_PROGRAM:
        raise not_found("campaign", key)
    return campaign


def _offering(unit: Unit, found: StoredAssignment) -> StoredCampaign | None:
    """The campaign of an assignment; None for one in the bin."""
    campaign_id = found.related_object_id
    return campaigns.by_ids(unit.conn, unit.project_id, [campaign_id]).get(campaign_id)


def _record(unit: Unit, what: str, campaign: StoredCampaign | None, shown: AssignmentAnswer) -> None:
    data = {
        "campaign": campaigns.simple(campaign) if campaign else None,
        "reward_assignment": msgspec.to_builtins(shown),
    }
    unit.record(f"campaign.reward.assignment.{what}", shown.related_object_id, data)


def _found(found: StoredAssignment | None, assignment_id: str) -> StoredAssignment:
    if found is None:
        raise not_found(RELATED, assignment_id)
    return found


def answer(one: StoredAssignment) -> AssignmentAnswer:
    shown = AssignmentAnswer(
        id=one.id,
        reward_id=one.reward_id,
        related_object_id=one.related_object_id,
        related_object_type=one.related_object_type,
        created_at=clock.iso(one.created_at),
        updated_at=clock.iso_or_none(one.updated_at),
    )
    if one.points is not None:
        shown.parameters = PriceParameters(Price(one.points, True if one.auto_redeem else None))
    return shown
