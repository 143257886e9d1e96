"""Use cases of promotion stacks: tiers that apply together, in a given order."""

import msgspec
from msgspec import UNSET

import largesse.campaigns.service as campaigns
import largesse.categories.service as categories
from largesse.campaigns.definition import invalid_campaign
from largesse.campaigns.model import PROMOTION, StoredCampaign
from largesse.kernel import definitions, ids
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import invalid_payload, not_found
from largesse.kernel.http.query import Query, within
from largesse.promotions import store
from largesse.promotions.answers import stack_answer
from largesse.promotions.model import (
    StackAnswer,
    StackCreate,
    StackList,
    StackTiers,
    StackUpdate,
    StoredStack,
    StoredTier,
)

_ORDERS = {name: store.stacks.c[name] for name in ("created_at", "updated_at", "name")}


def list_stacks(unit: Unit, query: Query, key: str | None = None) -> StackList:
    """Of one campaign (ApiError 404 for an unknown one) or of all; newest first."""
    columns = store.stacks.c
    conditions = [campaigns.among_live(columns.campaign_id, unit)]
    conditions += within(columns.created_at, query.between("created_at"))
    conditions += within(columns.updated_at, query.between("updated_at"))
    if key is not None:
        conditions.append(columns.campaign_id == campaigns.find(unit, key).id)
    page = query.page()
    order = query.order(_ORDERS, "-created_at", columns.id)
    found, total = store.page(
        unit.conn, StoredStack, unit.project_id, conditions, order, limit=page.limit, offset=page.offset
    )
    held = categories.answers(unit.conn, unit.project, {stack.category_id for stack in found if stack.category_id})
    return StackList(data=[stack_answer(stack, held.get(stack.category_id or "")) for stack in found], total=total)


def get(unit: Unit, key: str, stack_id: str) -> StackAnswer:
    return _shown(unit, _existing(unit, key, stack_id))


def create(unit: Unit, key: str, sent: StackCreate) -> StackAnswer:
    """Raises ApiError 404 for the campaign or a tier that is not of it, 400 for tiers named twice."""
    campaign = campaigns.find(unit, key, lock=True)
    campaigns.check_changeable(campaign)
    if campaign.campaign_type != PROMOTION:
        raise invalid_campaign("Only a PROMOTION campaign has stacks")
    stack = StoredStack(
        id=ids.text_id("stack_", 24),
        campaign_id=campaign.id,
        name=sent.name,
        tier_ids=_tiers(unit, campaign, sent.tiers),
        category_id=categories.resolve(unit, sent.category_id, sent.category),
        created_at=unit.now,
    )
    store.add(unit.conn, unit.project_id, stack)
    return _changed(unit, stack, "created")


def update(unit: Unit, key: str, stack_id: str, sent: StackUpdate) -> StackAnswer:
    """Replaces what is sent. Raises as `create`, and 404 for the stack."""
    stack = _existing(unit, key, stack_id, lock=True)
    if isinstance(sent.name, str):
        stack.name = sent.name
    if isinstance(sent.tiers, StackTiers):
        stack.tier_ids = _tiers(unit, campaigns.find(unit, stack.campaign_id), sent.tiers)
    if sent.category_id is not UNSET or sent.category is not UNSET:
        stack.category_id = categories.resolve(unit, sent.category_id or None, sent.category or None)
    stack.updated_at = unit.now
    store.save(unit.conn, unit.project_id, stack)
    return _changed(unit, stack, "updated")


def delete(unit: Unit, key: str, stack_id: str) -> None:
    """Its tiers stay. Raises ApiError 404."""
    stack = _existing(unit, key, stack_id, lock=True)
    store.remove(unit.conn, StoredStack, unit.project_id, [stack.id])
    definitions.changed(unit, ("promotion_stack", stack.id))


def _existing(unit: Unit, key: str, stack_id: str, *, lock: bool = False) -> StoredStack:
    """`lock` keeps others from changing the campaign's tiers and stacks meanwhile."""
    campaign = campaigns.find(unit, key, lock=lock)
    if lock:
        campaigns.check_changeable(campaign)
    stack = store.by_ids(unit.conn, StoredStack, unit.project_id, [stack_id]).get(stack_id)
    if stack is None or stack.campaign_id != campaign.id:
        raise not_found("promotion_stack", stack_id)
    return stack


def _tiers(unit: Unit, campaign: StoredCampaign, sent: StackTiers) -> list[str]:
    if len(set(sent.ids)) < len(sent.ids):
        raise invalid_payload("Property .tiers.ids should NOT have duplicate items")
    found = store.by_ids(unit.conn, StoredTier, unit.project_id, sent.ids)
    for tier_id in sent.ids:
        if tier_id not in found or found[tier_id].campaign_id != campaign.id:
            raise not_found("promotion_tier", tier_id)
    return sent.ids


def _changed(unit: Unit, stack: StoredStack, what: str) -> StackAnswer:
    definitions.changed(unit, ("promotion_stack", stack.id))
    shown = _shown(unit, stack)
    data = {"campaign": {"id": stack.campaign_id}, "promotion_stack": msgspec.to_builtins(shown)}
    unit.record(f"campaign.promotion_stack.{what}", stack.id, data)
    return shown


def _shown(unit: Unit, stack: StoredStack) -> StackAnswer:
    held = categories.answers(unit.conn, unit.project, [stack.category_id] if stack.category_id else [])
    return stack_answer(stack, held.get(stack.category_id or ""))
