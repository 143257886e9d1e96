"""Use cases of campaigns, and what other rooms ask of them."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import msgspec
from msgspec import UNSET
from sqlalchemy import Column, Select
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import ColumnElement

import largesse.bin.service as bin
import largesse.categories.service as categories
import largesse.validation_rules.service as validation_rules
from largesse.campaigns import answers, definition, store, tallies
from largesse.campaigns.filters import FILTERS, with_status
from largesse.campaigns.holdings import HoldingsByType
from largesse.campaigns.model import (
    CAMPAIGN_TYPES,
    DISCOUNT_COUPONS,
    GIFT_VOUCHERS,
    Accepted,
    AccessList,
    CampaignAnswer,
    CampaignCreate,
    CampaignList,
    CampaignUpdate,
    StoredCampaign,
)
from largesse.engine.books import Campaign
from largesse.engine.points import ExpirationRules
from largesse.kernel import clock, ids
from largesse.kernel import definitions as kept
from largesse.kernel.benefits import VALIDITY
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import ApiError, duplicate_name, invalid, not_found
from largesse.kernel.http.query import Query
from largesse.kernel.jobs.queue import enqueue
from largesse.kernel.project import Project
from largesse.metadata_schemas.service import schemas_of

UPDATE = "CAMPAIGN.VOUCHERS_UPDATE"
DELETE = "CAMPAIGN.VOUCHERS_DELETE"
_HANDED_DOWN = {*VALIDITY, "category_id", "voucher"}  # and the metadata, where codes share its schema (documented)
_HANDED_OUT = (DISCOUNT_COUPONS, GIFT_VOUCHERS)
_ORDERS: dict[str, Column[int]] = {name: store.campaigns.c[name] for name in ("created_at", "updated_at")}


# What decisions ask


def definitions(conn: Connection, project: Project, campaign_ids: Collection[str]) -> dict[str, Campaign]:
    """Campaigns as decisions read them, kept while no definition changes; `project` as `current_project` answered."""

    rows: dict[str, StoredCampaign] = {}

    def load(conn: Connection, project_id: str, ids: list[str]) -> dict[str, Campaign]:
        found = store.by_ids(conn, project_id, ids)
        rows.update({one.id: one for one in found})
        held = categories.load(conn, project, {one.category_id for one in found if one.category_id})
        rules = validation_rules.rules_of(conn, project, "campaign", [one.id for one in found])
        return {
            one.id: Campaign(
                id=one.id,
                name=one.name,
                type=one.campaign_type,
                active=one.active,
                category=held.get(one.category_id or ""),
                metadata=one.metadata or {},
                rules=rules[one.id],
                **{name: getattr(one, name) for name in VALIDITY},
            )
            for one in found
        }

    def follows(id: str, made: Campaign | None) -> Iterator[kept.Key]:
        if made is not None:
            yield from (("validation_rule", one.id) for one in made.rules)
            yield "category", rows[id].category_id or ""

    return kept.load(conn, project, "campaign", campaign_ids, load, follows)


def with_codes(
    conn: Connection, project: Project, campaign_ids: Collection[str] | None = None
) -> Sequence[StoredCampaign]:
    """Campaigns that a code can be handed out of to a customer, all or of these.

    All are kept while none changes, but for `vouchers_count`.
    """
    if campaign_ids is not None:
        found = store.by_ids(conn, project.id, campaign_ids) if campaign_ids else []
        return [one for one in found if one.campaign_type in _HANDED_OUT and one.type != "STANDALONE"]

    def load(conn: Connection, project_id: str, _ids: list[str]) -> dict[str, Sequence[StoredCampaign]]:
        return {"*": store.with_codes(conn, project_id, _HANDED_OUT)}

    return kept.load(conn, project, "campaigns with codes", ["*"], load, _any_campaign)["*"]


def standalone(conn: Connection, project: Project) -> Collection[str]:
    """Ids of the campaigns that hold one code for everybody; kept while no definition changes."""

    def load(conn: Connection, project_id: str, _ids: list[str]) -> dict[str, Collection[str]]:
        return {"*": store.standalone(conn, project_id)}

    return kept.load(conn, project, "standalone campaigns", ["*"], load, _any_campaign)["*"]


def _any_campaign(_id: str, _made: object) -> Iterable[kept.Key]:
    return (("campaign", kept.ANY), ("category", kept.ANY))


# What other rooms ask


def find(unit: Unit, key: str, *, lock: bool = False) -> StoredCampaign:
    """The campaign with this id or name, the id first. Raises ApiError 404."""
    found = store.find(unit.conn, unit.project_id, key, lock=lock)
    if found is None:
        raise not_found("campaign", key)
    return found


def id_or_none(unit: Unit, key: str) -> str | None:
    """The id of the campaign with this id or name; None where there is none."""
    found = store.find(unit.conn, unit.project_id, key, lock=False)
    return found.id if found is not None else None


def by_ids(conn: Connection, project_id: str, campaign_ids: Collection[str]) -> dict[str, StoredCampaign]:
    """The campaigns that exist of these, in one query."""
    return {one.id: one for one in store.by_ids(conn, project_id, campaign_ids)} if campaign_ids else {}


def simple(campaign: StoredCampaign) -> dict[str, Any]:
    """A campaign as events about its codes show it."""
    return {
        "id": campaign.id,
        "name": campaign.name,
        "campaign_type": campaign.campaign_type,
        "type": campaign.type,
        "auto_join": campaign.auto_join,
        "join_once": campaign.join_once,
        "active": campaign.active,
        "category_id": campaign.category_id,
        "metadata": campaign.metadata or {},
        "created_at": clock.iso(campaign.created_at),
        "object": "campaign",
    }


def expiration_rules(
    conn: Connection, project_id: str, campaign_ids: Collection[str]
) -> dict[str, ExpirationRules | None]:
    """How long the points of each program last, None = for ever; in one query."""
    found = by_ids(conn, project_id, campaign_ids)
    return {id: one.voucher.expiration_rules if one.voucher else None for id, one in found.items()}


def lock(unit: Unit, campaign_id: str) -> None:
    """Makes others that change the campaign or add codes to it wait until this transaction ends."""
    store.lock(unit.conn, unit.project_id, campaign_id)


def ids_of_type(conn: Connection, project_id: str, campaign_type: str) -> list[str]:
    """The ids of all campaigns of a type, those in the bin too."""
    return [row.id for row in conn.execute(store.of_type(project_id, campaign_type))]


def any_of_type(conn: Connection, project_id: str, campaign_type: str) -> bool:
    """Whether the project has a campaign of this type."""
    return store.any_of_type(conn, project_id, campaign_type)


def among_live(column: ColumnElement[str], unit: Unit, *, usable: bool = False) -> ColumnElement[bool]:
    """Condition: the column names a campaign that is not deleted, and where asked is active and inside its dates now."""
    return column.in_(store.live(unit.project_id, unit.now if usable else None))


def of_type(project_id: str, campaign_type: str) -> Select[tuple[str]]:
    """Selects the ids of all campaigns of a type, deleted ones included."""
    return store.of_type(project_id, campaign_type)


def count_codes(unit: Unit, campaign_id: str, change: int, credits: int) -> None:
    """Notes that a campaign holds more or fewer live codes; `credits` >= 0 came or went with all of them together."""
    if change > 0:
        tallies.add(unit, campaign_id, {"vouchers_created": change, "created_vouchers_amount": credits})
    elif change < 0:
        tallies.add(unit, campaign_id, {"vouchers_deleted": -change, "amount_deleted": credits})
    if change:
        store.count(unit.conn, unit.project_id, campaign_id, change)


def tally_credits(unit: Unit, campaign_id: str, added: int, subtracted: int) -> None:
    """Notes credits that were given to a card of a campaign by hand, or taken from it."""
    tallies.add(unit, campaign_id, {"amount_added": added, "amount_subtracted": subtracted})


def tally_pending(unit: Unit, campaign_id: str, change: int) -> None:
    """Notes that pending points of a program were changed by hand."""
    name = "pending_points_added" if change > 0 else "pending_points_subtracted"
    tallies.add(unit, campaign_id, {name: abs(change)})


def tallies_of(unit: Unit, campaign_id: str, first: date | None, last: date | None) -> Mapping[str, int]:
    """What was noted from the first day to the last, both included: codes and credits, under the names that summaries show."""
    return tallies.sums(unit.conn, unit.project_id, campaign_id, first, last)


def plain(unit: Unit, key: str) -> CampaignAnswer:
    """A campaign as summaries show it, without its category, rules and access lists. Raises ApiError 404."""
    return answers.answer(find(unit, key))


def answers_of(unit: Unit, campaign_ids: Collection[str]) -> list[CampaignAnswer]:
    """The campaigns that exist of these, with their categories and rules, set-wise."""
    found = store.by_ids(unit.conn, unit.project_id, campaign_ids) if campaign_ids else []
    held = categories.answers(unit.conn, unit.project, {one.category_id for one in found if one.category_id})
    assigned = validation_rules.assignments(unit.conn, unit.project, "campaign", [one.id for one in found])
    shown = []
    for one in found:
        answer = answers.answer(one, held.get(one.category_id or ""))
        answer.validation_rules_assignments = validation_rules.embedded(assigned[one.id])
        shown.append(answer)
    return shown


def counters(conn: Connection, project_id: str) -> Mapping[str, int]:
    """The stored number of live codes of every live campaign that holds codes, for verification."""
    return store.counters(conn, project_id)


def set_progress(unit: Unit, campaign: StoredCampaign, *, creation: str | None = None, generation: str) -> None:
    """Notes how far the making or changing of a campaign's codes is, and nothing else: others may be changing the campaign."""
    store.set_progress(unit.conn, unit.project_id, campaign.id, creation or campaign.creation_status, generation)


def forget_category(unit: Unit, category_id: str) -> None:
    """Campaigns of a category that is gone have none."""
    store.forget_category(unit.conn, unit.project_id, category_id)


def check_changeable(campaign: StoredCampaign) -> None:
    """Raises ApiError 400 `resource_protected`."""
    if campaign.protected:
        details = f"Resource campaign with id {campaign.id} is protected and cannot be modified"
        raise invalid("resource_protected", "Resource is protected", details)


# The resource


def create(unit: Unit, sent: CampaignCreate, holdings: HoldingsByType) -> CampaignAnswer:
    """A campaign with what it begins with. Raises ApiError 409 for a name that is taken, 404 for what it refers to, 400."""
    campaign = definition.new_campaign(sent, ids.text_id("camp_", 24), unit.now)
    if store.is_taken(unit.conn, unit.project_id, campaign.name):
        raise duplicate_name("campaign", campaign.name)
    schemas_of(unit).check_new(_schema_of(campaign), campaign.metadata)
    campaign.category_id = categories.resolve(unit, sent.category_id, sent.category)
    store.add(unit.conn, unit.project_id, campaign)
    validation_rules.assign(unit, sent.validation_rules or (), "campaign", campaign.id)
    holdings[campaign.campaign_type].begin(unit, campaign, sent)
    store.save(unit.conn, unit.project_id, campaign)
    kept.changed(unit, ("campaign", campaign.id))
    shown = _whole(unit, find(unit, campaign.id), holdings)
    unit.record("campaign.created", campaign.id, {"campaign": msgspec.to_builtins(shown)})
    if sent.metadata is None:
        shown.metadata = UNSET  # observed: absent in the answer that creates, an empty object afterwards
    return shown


def get(unit: Unit, key: str, holdings: HoldingsByType) -> CampaignAnswer:
    return _whole(unit, find(unit, key), holdings)


def update(unit: Unit, key: str, sent: CampaignUpdate, holdings: HoldingsByType) -> CampaignAnswer:
    """Changes what may change; codes never published nor redeemed follow in the background. Raises ApiError 404, 400."""
    campaign = find(unit, key, lock=True)
    check_changeable(campaign)
    before = msgspec.structs.replace(campaign)
    changed = definition.take(campaign, sent)
    unset = sent.unset_metadata_fields or []
    schemas_of(unit).check_changed(_schema_of(campaign), sent.metadata or None, campaign.metadata, unset)
    if sent.category_id is not UNSET or sent.category is not UNSET:
        category_id = categories.resolve(unit, sent.category_id or None, sent.category or None)
        if category_id != campaign.category_id:
            campaign.category_id = category_id
            changed.add("category_id")
    campaign.updated_at = unit.now
    handed = _HANDED_DOWN | ({"metadata"} if campaign.use_voucher_metadata_schema else set())
    if campaign.vouchers_count and changed & handed:
        campaign.creation_status = campaign.vouchers_generation_status = "MODIFYING"
        arguments = {"campaign_id": campaign.id, "unset": unset}
        enqueue(unit, UPDATE, arguments, queue=campaign.id, total=campaign.vouchers_count)
    store.save(unit.conn, unit.project_id, campaign)
    kept.changed(unit, ("campaign", campaign.id))
    recalculate = sent.options is not None and bool(sent.options.recalculate_tiers)
    holdings[campaign.campaign_type].reconfigured(unit, before, campaign, recalculate_tiers=recalculate)
    shown = _whole(unit, campaign, holdings)
    unit.record("campaign.updated", campaign.id, {"campaign": msgspec.to_builtins(shown)})
    return shown


def _schema_of(campaign: StoredCampaign) -> str:
    """What a campaign hands down to its codes has to be as their schema says (documented)."""
    return "voucher" if campaign.use_voucher_metadata_schema else "campaign"


def switch(unit: Unit, key: str, *, active: bool) -> None:
    """Enables or disables; the switches of its codes and tiers stay as they are."""
    campaign = find(unit, key, lock=True)
    check_changeable(campaign)
    campaign.active, campaign.updated_at = active, unit.now
    store.save(unit.conn, unit.project_id, campaign)
    kept.changed(unit, ("campaign", campaign.id))
    name = "campaign.enabled" if active else "campaign.disabled"
    unit.record(name, campaign.id, {"campaign": msgspec.to_builtins(_plain(unit, campaign))})


def delete(unit: Unit, key: str, *, force: bool) -> Accepted:
    """Hides the campaign at once; what it holds goes in the background, to the bin or for good. Raises ApiError 404."""
    campaign = find(unit, key, lock=True)
    check_changeable(campaign)
    store.put_in_bin(unit.conn, unit.project_id, campaign.id, unit.now)
    if not force:
        bin.put(unit, "campaign", campaign.id, campaign.name, None)
    kept.changed(unit, ("campaign", campaign.id))
    unit.record("campaign.deleted", campaign.id, {"campaign": msgspec.to_builtins(_plain(unit, campaign))})
    count = campaign.vouchers_count
    return Accepted(async_action_id=_take_away(unit, campaign.id, campaign.campaign_type, count, force=force))


def purge(unit: Unit, campaign_id: str) -> None:
    """Removes a campaign that was in the bin for good, and in the background what it held."""
    kind = store.type_of(unit.conn, unit.project_id, campaign_id)
    if kind is not None:
        _take_away(unit, campaign_id, kind, 0, force=True)


def _take_away(unit: Unit, campaign_id: str, campaign_type: str, count: int, *, force: bool) -> str:
    arguments = {"campaign_id": campaign_id, "campaign_type": campaign_type, "force": force}
    return enqueue(unit, DELETE, arguments, queue=campaign_id, total=count)


def remove(unit: Unit, campaign_id: str) -> None:
    """Removes a campaign for good, with the assignments of its rules; its name is free again. What it held is gone already."""
    store.remove(unit.conn, unit.project_id, campaign_id)
    tallies.remove(unit.conn, unit.project_id, campaign_id)
    validation_rules.remove_assignments(unit, "campaign", [campaign_id])


def list_campaigns(unit: Unit, query: Query, only: str | None = None) -> CampaignList:
    """Every parameter and filter of the list; newest first. `only` shows campaigns of one type."""
    columns = store.campaigns.c
    conditions = []
    if kind := only or query.one_of("campaign_type", CAMPAIGN_TYPES):
        conditions.append(columns.campaign_type == kind)
    if status := query.text("campaign_status"):
        conditions.append(with_status(status))
    if (of_referrals := query.flag("is_referral_code")) is not None:
        is_one = columns.campaign_type == "REFERRAL_PROGRAM"
        conditions.append(is_one if of_referrals else ~is_one)
    conditions += query.filtered(FILTERS, unit, lambda: schemas_of(unit).types("campaign"))
    page = query.page(max_page=100)
    order = query.order(_ORDERS, "-created_at", columns.id)
    found, total = store.page(unit.conn, unit.project_id, conditions, order, limit=page.limit, offset=page.offset)
    expand = query.all("expand")
    wanted = (
        {one.category_id for one in found if one.category_id} if {"category", "categories"} & set(expand) else set()
    )
    held = categories.answers(unit.conn, unit.project, wanted)
    shown = [answers.answer(one, held.get(one.category_id or "")) for one in found]
    if "access_settings_assignments" in expand:
        for one in shown:
            one.access_settings_assignments = AccessList()
    return CampaignList(campaigns=shown, total=total)


def _whole(unit: Unit, campaign: StoredCampaign, holdings: HoldingsByType) -> CampaignAnswer:
    held = categories.answers(unit.conn, unit.project, [campaign.category_id] if campaign.category_id else [])
    assigned = validation_rules.assignments(unit.conn, unit.project, "campaign", [campaign.id])[campaign.id]
    return answers.whole(
        campaign,
        held.get(campaign.category_id or ""),
        validation_rules.embedded(assigned),
        holdings[campaign.campaign_type].shown(unit, campaign),
    )


def _plain(unit: Unit, campaign: StoredCampaign) -> CampaignAnswer:
    held = categories.answers(unit.conn, unit.project, [campaign.category_id] if campaign.category_id else [])
    return answers.answer(campaign, held.get(campaign.category_id or ""))


def standalone_refusal() -> ApiError:
    """No code of a STANDALONE campaign is ever made at random (documented)."""
    return definition.invalid_campaign("You can not generate vouchers for STANDALONE type campaign.")
