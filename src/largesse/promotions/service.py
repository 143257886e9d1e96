"""Use cases of promotion tiers, and what other rooms ask of tiers and stacks."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import UNSET
from sqlalchemy import or_
from sqlalchemy.engine import Connection

import largesse.campaigns.service as campaigns
import largesse.categories.service as categories
import largesse.validation_rules.service as validation_rules
from largesse.campaigns.definition import invalid_campaign
from largesse.campaigns.model import PROMOTION, CampaignCreate, StoredCampaign
from largesse.engine.books import Tier
from largesse.engine.discounts import Discount
from largesse.kernel import definitions, ids, ledger, wire
from largesse.kernel.benefits import VALIDITY, check_validity, checked_discount
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import invalid_payload, not_found
from largesse.kernel.http.query import Query
from largesse.kernel.project import Project
from largesse.metadata_schemas.service import schemas_of
from largesse.promotions import answers as forms
from largesse.promotions import store
from largesse.promotions.model import (
    ActionInput,
    Offered,
    PromotionInput,
    StoredStack,
    StoredTier,
    TierAnswer,
    TierCreate,
    TierList,
    TierUpdate,
)

_ORDERS = {name: store.tiers.c[name] for name in ("created_at", "updated_at")}


# What decisions ask


def tiers(conn: Connection, project: Project, tier_ids: Collection[str]) -> dict[str, Tier]:
    """Tiers as decisions read them, kept while no definition changes; those of deleted campaigns are absent."""

    rows: dict[str, StoredTier] = {}

    def load(conn: Connection, project_id: str, ids: list[str]) -> dict[str, Tier]:
        found = store.by_ids(conn, StoredTier, project_id, ids)
        rows.update(found)
        parents = campaigns.definitions(conn, project, {tier.campaign_id for tier in found.values()})
        held = categories.load(conn, project, {tier.category_id for tier in found.values() if tier.category_id})
        rules = validation_rules.rules_of(conn, project, "promotion_tier", found)
        return {
            id: Tier(
                id=id,
                name=tier.name,
                campaign=parents[tier.campaign_id],
                banner=tier.banner,
                hierarchy=tier.hierarchy,
                discount=tier.discount,
                active=tier.active,
                category=held.get(tier.category_id or ""),
                metadata=tier.metadata,
                rules=rules[id],
                **{name: getattr(tier, name) for name in VALIDITY},
            )
            for id, tier in found.items()
            if tier.campaign_id in parents
        }

    def follows(id: str, made: Tier | None) -> Iterator[definitions.Key]:
        if id in rows:
            yield "campaign", rows[id].campaign_id
            yield "category", rows[id].category_id or ""
        if made is not None:
            yield from (("validation_rule", one.id) for one in made.rules)

    return definitions.load(conn, project, "promotion_tier", tier_ids, load, follows)


def stacks(conn: Connection, project: Project, stack_ids: Collection[str]) -> dict[str, tuple[str, ...]]:
    """The ids of each stack's tiers in their order; kept while no definition changes."""

    rows: dict[str, StoredStack] = {}

    def load(conn: Connection, project_id: str, ids: list[str]) -> dict[str, tuple[str, ...]]:
        found = store.by_ids(conn, StoredStack, project_id, ids)
        rows.update(found)
        parents = campaigns.definitions(conn, project, {stack.campaign_id for stack in found.values()})
        return {id: tuple(stack.tier_ids) for id, stack in found.items() if stack.campaign_id in parents}

    def follows(id: str, _made: object) -> Iterator[definitions.Key]:
        if id in rows:
            yield "campaign", rows[id].campaign_id
            yield "category", rows[id].category_id or ""

    return definitions.load(conn, project, "promotion_stack", stack_ids, load, follows)


def offered(
    conn: Connection,
    project: Project,
    ids: Collection[str] | None = None,
    campaign_ids: Collection[str] = (),
) -> list[Offered]:
    """The tiers and stacks of campaigns that exist: all, or those of these ids and those of these campaigns."""
    found = store.offered(conn, project.id, ids, campaign_ids)
    parents = campaigns.definitions(conn, project, {one.campaign_id for one in found})
    return [one for one in found if one.campaign_id in parents]


def newest(conn: Connection, project: Project, limit: int) -> list[str]:
    """Ids of the project's newest tiers."""
    return store.newest(conn, project.id, limit)


# What other rooms ask


def answers(conn: Connection, project: Project, tier_ids: Collection[str]) -> dict[str, TierAnswer]:
    """The tiers that exist of these as answers show them, with their statistics, set-wise."""
    found = store.by_ids(conn, StoredTier, project.id, tier_ids) if tier_ids else {}
    return {shown.id: shown for shown in _shown(conn, project, list(found.values()))}


def with_statistics(shown: TierAnswer, counts: Mapping[str, int]) -> TierAnswer:
    """The same tier with the statistics of `counts`, by account of the ledger."""
    return msgspec.structs.replace(shown, summary=forms.summary(counts))


def id_of(unit: Unit, tier_id: str) -> str:
    """The id of an existing tier. Raises ApiError 404."""
    return existing(unit, tier_id).id


def forget_category(unit: Unit, category_id: str) -> None:
    """Tiers and stacks of a category that is gone have none."""
    store.forget_category(unit.conn, unit.project_id, category_id)


# The resource


def list_tiers(unit: Unit, query: Query) -> TierList:
    """Of all campaigns, newest first; `is_available` leaves those that can be used now, days and hours aside."""
    columns = store.tiers.c
    conditions = [campaigns.among_live(columns.campaign_id, unit)]
    available = query.flag("is_available")
    if available is not None:
        begun = or_(columns.start_date.is_(None), columns.start_date <= unit.now)
        not_ended = or_(columns.expiration_date.is_(None), columns.expiration_date >= unit.now)
        usable = columns.active.is_(True) & begun & not_ended
        usable &= campaigns.among_live(columns.campaign_id, unit, usable=True)
        conditions.append(usable if available else ~usable)
    page = query.page()
    order = query.order(_ORDERS, "-created_at", columns.id)
    found, total = store.page(
        unit.conn, StoredTier, unit.project_id, conditions, order, limit=page.limit, offset=page.offset
    )
    shown = [forms.with_promotion_id(one) for one in _shown(unit.conn, unit.project, found)]
    return TierList(tiers=shown, total=total, has_more=page.offset + len(found) < total)


def list_of_campaign(unit: Unit, key: str) -> TierList:
    """All tiers of a campaign by their hierarchy. Raises ApiError 404."""
    found = store.of_campaign(unit.conn, StoredTier, unit.project_id, campaigns.find(unit, key).id)
    return TierList(
        tiers=[forms.with_promotion_id(one) for one in _shown(unit.conn, unit.project, found)], total=len(found)
    )


def get(unit: Unit, tier_id: str) -> TierAnswer:
    return forms.with_promotion_id(_one(unit, existing(unit, tier_id)))


def create(unit: Unit, key: str, sent: TierCreate) -> TierAnswer:
    """A tier of a PROMOTION campaign. Raises ApiError 404, 400 `invalid_campaign`, `invalid_voucher`, `invalid_payload`."""
    campaign = campaigns.find(unit, key, lock=True)
    if campaign.campaign_type != PROMOTION:
        raise invalid_campaign("Only a PROMOTION campaign has tiers")
    campaigns.check_changeable(campaign)
    last = store.last_hierarchy(unit.conn, unit.project_id, campaign.id)
    tier = _add(unit, campaign, sent, sent.hierarchy or last + 1, ".action.discount")
    moved = _move(unit, tier, sent.hierarchy) if sent.hierarchy is not None and sent.hierarchy <= last else []
    definitions.changed(unit, *_keys([tier.id, *moved]))
    shown = _one(unit, existing(unit, tier.id))
    _record(unit, "created", shown)
    return shown


def update(unit: Unit, tier_id: str, sent: TierUpdate) -> TierAnswer:
    """Changes what may change; another `hierarchy` moves the tier there and numbers its campaign's anew. Raises ApiError 404."""
    tier = _locked(unit, tier_id)
    for name in (*VALIDITY, "banner"):
        if (value := getattr(sent, name)) is not UNSET:
            setattr(tier, name, value)
    if isinstance(sent.name, str):  # the SDK sends null for what it leaves alone
        tier.name = sent.name
    if isinstance(sent.action, ActionInput):
        tier.discount = _discount(sent.action, ".action.discount")
    unset = sent.unset_metadata_fields or []
    tier.metadata = wire.without_fields(wire.merge_metadata(tier.metadata, sent.metadata or None), unset)
    schemas_of(unit).check_changed("promotion_tier", sent.metadata or None, tier.metadata, unset)
    if sent.category_id is not UNSET or sent.category is not UNSET:
        tier.category_id = categories.resolve(unit, sent.category_id or None, sent.category or None)
    check_validity(tier)
    tier.updated_at = unit.now
    store.save(unit.conn, unit.project_id, tier)
    moved = _move(unit, tier, sent.hierarchy) if isinstance(sent.hierarchy, int) else []
    return _changed(unit, tier.id, "updated", moved)


def switch(unit: Unit, tier_id: str, *, active: bool) -> TierAnswer:
    """Enables or disables; doing so again changes nothing more."""
    tier = _locked(unit, tier_id)
    tier.active, tier.updated_at = active, unit.now
    store.save(unit.conn, unit.project_id, tier)
    return _changed(unit, tier.id, "enabled" if active else "disabled")


def delete(unit: Unit, tier_id: str) -> None:
    """For good; stacks go on without it, and one that it was the last of goes too (our decision). Raises ApiError 404."""
    tier = _locked(unit, tier_id)
    shown = _one(unit, tier)
    changed = _keys([tier.id])
    for stack in store.of_campaign(unit.conn, StoredStack, unit.project_id, tier.campaign_id):
        rest = [id for id in stack.tier_ids if id != tier.id]
        if len(rest) < len(stack.tier_ids):
            changed.append(("promotion_stack", stack.id))
        if not rest:
            store.remove(unit.conn, StoredStack, unit.project_id, [stack.id])
        elif len(rest) < len(stack.tier_ids):
            stack.tier_ids, stack.updated_at = rest, unit.now
            store.save(unit.conn, unit.project_id, stack)
    _remove(unit, [tier.id])
    definitions.changed(unit, *changed)
    _record(unit, "deleted", shown)


def existing(unit: Unit, tier_id: str) -> StoredTier:
    """A tier of a campaign that exists. Raises ApiError 404."""
    tier = store.by_ids(unit.conn, StoredTier, unit.project_id, [tier_id]).get(tier_id)
    if tier is None or not campaigns.by_ids(unit.conn, unit.project_id, [tier.campaign_id]):
        raise not_found("promotion_tier", tier_id)
    return tier


def _locked(unit: Unit, tier_id: str) -> StoredTier:
    """A tier as it stands once nobody else changes its campaign's tiers and stacks. Raises ApiError 404."""
    campaigns.check_changeable(campaigns.find(unit, existing(unit, tier_id).campaign_id, lock=True))
    return existing(unit, tier_id)


def _add(unit: Unit, campaign: StoredCampaign, sent: TierCreate, hierarchy: int, place: str) -> StoredTier:
    schemas_of(unit).check_new("promotion_tier", sent.metadata)
    if sent.action is None:
        raise invalid_payload(f"Property {place} is required: a tier needs a discount")
    tier = StoredTier(
        id=ids.text_id("promo_", 24),
        campaign_id=campaign.id,
        name=sent.name,
        banner=sent.banner,
        discount=_discount(sent.action, place),
        metadata=sent.metadata or {},
        hierarchy=hierarchy,
        active=sent.active is not False,
        category_id=categories.resolve(unit, sent.category_id, sent.category),
        created_at=unit.now,
        **{name: getattr(sent, name) for name in VALIDITY},
    )
    check_validity(tier)
    store.add(unit.conn, unit.project_id, tier)
    validation_rules.assign(unit, sent.validation_rules or (), "promotion_tier", tier.id)
    return tier


def _discount(action: ActionInput, place: str) -> Discount:
    if action.discount is None:
        raise invalid_payload(f"Property {place} is required: a tier needs a discount")
    return checked_discount(action.discount, place)


def _move(unit: Unit, tier: StoredTier, hierarchy: int) -> list[str]:
    """Puts a tier at a place among its campaign's and numbers them from 1 (our decision). The ids of all that moved."""
    others = store.of_campaign(unit.conn, StoredTier, unit.project_id, tier.campaign_id)
    order = [other for other in others if other.id != tier.id]
    order.insert(hierarchy - 1, next(other for other in others if other.id == tier.id))
    moved = [(place, one.id) for place, one in enumerate(order, 1) if one.hierarchy != place]
    store.renumber(unit.conn, unit.project_id, moved)
    return [id for _, id in moved]


def _keys(tier_ids: Iterable[str]) -> list[definitions.Key]:
    return [("promotion_tier", id) for id in tier_ids]


def _remove(unit: Unit, tier_ids: list[str]) -> None:
    store.remove(unit.conn, StoredTier, unit.project_id, tier_ids)
    validation_rules.remove_assignments(unit, "promotion_tier", tier_ids)


def _changed(unit: Unit, tier_id: str, what: str, moved: Sequence[str] = ()) -> TierAnswer:
    definitions.changed(unit, *_keys([tier_id, *moved]))
    shown = _one(unit, existing(unit, tier_id))
    _record(unit, what, shown)
    return shown


def _record(unit: Unit, what: str, shown: TierAnswer) -> None:
    data = {"campaign": {"id": shown.campaign_id}, "promotion_tier": msgspec.to_builtins(shown)}
    unit.record(f"campaign.promotion_tier.{what}", shown.id, data)


def _one(unit: Unit, tier: StoredTier) -> TierAnswer:
    return _shown(unit.conn, unit.project, [tier])[0]


def _shown(conn: Connection, project: Project, found: Sequence[StoredTier]) -> list[TierAnswer]:
    """Tiers with campaign, category, rules and statistics, each asked for once; those of deleted campaigns are left out."""
    tier_ids = [tier.id for tier in found]
    parents = campaigns.by_ids(conn, project.id, {tier.campaign_id for tier in found})
    held = categories.answers(conn, project, {tier.category_id for tier in found if tier.category_id})
    assigned = validation_rules.assignments(conn, project, "promotion_tier", tier_ids)
    counts: dict[str, dict[str, int]] = {id: {} for id in tier_ids}
    for (id, account), value in ledger.values(conn, project.id, tier_ids, lock=False).items():
        counts[id][account] = value
    return [
        forms.tier_answer(
            tier, parents[tier.campaign_id], held.get(tier.category_id or ""), assigned[tier.id], counts[tier.id]
        )
        for tier in found
        if tier.campaign_id in parents
    ]


# With their campaign


class TierHoldings:
    """PROMOTION campaigns hold tiers, and stacks of them."""

    def begin(self, unit: Unit, campaign: StoredCampaign, sent: CampaignCreate) -> None:
        if sent.promotion is None:
            return
        promotion: PromotionInput = wire.convert(sent.promotion, PromotionInput, ".promotion")
        last = 0
        for number, tier in enumerate(promotion.tiers or ()):
            place = tier.hierarchy or last + 1
            last = max(last, place)
            made = _add(unit, campaign, tier, place, f".promotion.tiers[{number}].action.discount")
            _record(unit, "created", _one(unit, made))

    def shown(self, unit: Unit, campaign: StoredCampaign) -> dict[str, Any]:
        found = store.of_campaign(unit.conn, StoredTier, unit.project_id, campaign.id)
        shown = [forms.with_promotion_id(one) for one in _shown(unit.conn, unit.project, found)]
        return {"promotion": TierList(tiers=shown, total=len(shown))}

    def change(
        self, _unit: Unit, _campaign: StoredCampaign, _after: str, _batch: int, _unset: list[str]
    ) -> tuple[int, str | None]:
        return 0, None  # a tier reads what it does not say from its campaign

    def reconfigured(
        self, _unit: Unit, _before: StoredCampaign, _after: StoredCampaign, *, recalculate_tiers: bool
    ) -> None:
        """Nobody takes part in a promotion for longer than an order."""

    def take_away(self, unit: Unit, campaign_id: str, batch: int, *, force: bool) -> int:  # noqa: ARG002 - never in the bin
        stack_ids = [
            stack.id for stack in store.of_campaign(unit.conn, StoredStack, unit.project_id, campaign_id, batch)
        ]
        tier_ids = [tier.id for tier in store.of_campaign(unit.conn, StoredTier, unit.project_id, campaign_id, batch)]
        store.remove(unit.conn, StoredStack, unit.project_id, stack_ids)
        _remove(unit, tier_ids)
        return len(stack_ids) + len(tier_ids)
