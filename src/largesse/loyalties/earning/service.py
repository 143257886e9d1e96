"""Use cases of earning rules."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET

import largesse.campaigns.service as campaigns
import largesse.custom_events.service as custom_events
import largesse.segments.service as segments
import largesse.validation_rules.service as validation_rules
from largesse.campaigns.model import StoredCampaign
from largesse.kernel import clock, definitions, ids, wire
from largesse.kernel.benefits import VALIDITY
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import invalid, invalid_payload, not_found, resource_in_use
from largesse.kernel.http.query import Query
from largesse.loyalties.earning import store
from largesse.loyalties.earning.definition import check_event, check_rule, checked_loyalty, is_custom
from largesse.loyalties.earning.model import (
    ANY_TIER,
    MOST_AT_ONCE,
    ORDER_PAID,
    SEGMENT_ENTERED,
    EarningRuleAnswer,
    EarningRuleList,
    PendingAnswer,
    Reference,
    RuleCreate,
    RuleInput,
    SchemaReference,
    SourceAnswer,
    StoredEarningRule,
)
from largesse.loyalties.lookups import existing_program
from largesse.loyalties.tiers import service as tiers
from largesse.metadata_schemas.service import schemas_of

RELATED = "earning_rule"
_ORDERS = {name: store.rules.c[name] for name in ("created_at", "updated_at")}


# What other rooms ask


def existing_id(unit: Unit, rule_id: str) -> str:
    """Raises ApiError 404 for what is no earning rule."""
    if not store.by_ids(unit.conn, unit.project_id, [rule_id]):
        raise not_found(RELATED, rule_id)
    return rule_id


def check_unused(unit: Unit, subject_type: str, subject_id: str) -> None:
    """Refuses to let go of a segment that points are earned for entering: 400 `resource_in_use` (documented)."""
    entering = store.of_events(unit.conn, unit.project_id, [SEGMENT_ENTERED])
    if naming := [rule.id for rule in entering if rule.subject_id == subject_id]:
        raise resource_in_use(subject_type, subject_id, RELATED, naming)


def remove_of_campaign(unit: Unit, campaign_id: str) -> None:
    """A deleted program takes its rules with it."""
    rule_ids = store.ids_of_campaign(unit.conn, unit.project_id, campaign_id)
    if rule_ids:
        validation_rules.remove_assignments(unit, RELATED, rule_ids)
        store.remove(unit.conn, unit.project_id, rule_ids)
        definitions.changed(unit, ("earning_rule", definitions.ANY))


# The resource


def list_rules(unit: Unit, key: str, query: Query) -> EarningRuleList:
    """Of a program, the newest first. Raises ApiError 404."""
    campaign = existing_program(unit, key)
    page = query.page()
    order = query.order(_ORDERS, "-created_at", store.rules.c.id)
    found, total = store.page(unit.conn, unit.project_id, campaign.id, order, limit=page.limit, offset=page.offset)
    return EarningRuleList(data=answers(unit, found), total=total)


def list_of_tier(unit: Unit, key: str, tier_id: str, query: Query) -> EarningRuleList:
    """The rules of a tier's program, the oldest first: all of them, each as it is without the tier (our decision)."""
    campaign = existing_program(unit, key)
    tiers.existing(unit, campaign, tier_id)
    page = query.page()
    order = [store.rules.c.created_at.asc(), store.rules.c.id.asc()]
    found, total = store.page(unit.conn, unit.project_id, campaign.id, order, limit=page.limit, offset=page.offset)
    return EarningRuleList(data=answers(unit, found), total=total)


def get(unit: Unit, key: str, rule_id: str) -> EarningRuleAnswer:
    """Raises ApiError 404 for the program or the rule."""
    return answers(unit, [_existing(unit, existing_program(unit, key), rule_id)])[0]


def create(unit: Unit, key: str, sent: Sequence[RuleCreate], *, most: int) -> list[EarningRuleAnswer]:
    """Adds rules to a program, all or none; a project can have `most`.

    Raises ApiError 404 for what they refer to, 400 `invalid_payload`, `limit_exceeded`.
    """
    campaign = existing_program(unit, key)
    # First: it makes rivals wait, who would not count these rules yet.
    definitions.changed(unit, ("earning_rule", definitions.ANY))
    if len(sent) > MOST_AT_ONCE:
        raise invalid_payload(f"Payload must have a length <= {MOST_AT_ONCE}")
    if store.count(unit.conn, unit.project_id) + len(sent) > most:
        raise invalid("limit_exceeded", "Limit exceeded", f"A project can have {most} earning rules at most")
    made = [_new_rule(unit, campaign, one) for one in sent]
    store.add(unit.conn, unit.project_id, made)
    for rule, one in zip(made, sent, strict=True):
        if one.validation_rule_id:
            validation_rules.assign(unit, [one.validation_rule_id], RELATED, rule.id)
    shown = answers(unit, made)
    for answer in shown:
        _record(unit, campaign, "assigned", answer)
    return shown


def update(unit: Unit, key: str, rule_id: str, sent: RuleInput) -> EarningRuleAnswer:
    """What is absent stays, null clears; what was earned before stays as it is. Raises ApiError as `create`."""
    campaign = existing_program(unit, key)
    rule = _existing(unit, campaign, rule_id)
    _take(rule, sent)
    if sent.metadata is not UNSET:
        schemas_of(unit).check_changed(RELATED, sent.metadata, rule.metadata)
    return _saved(unit, campaign, rule, "updated", sent)


def switch(unit: Unit, key: str, rule_id: str, *, active: bool) -> EarningRuleAnswer:
    """Raises ApiError 404."""
    campaign = existing_program(unit, key)
    rule = _existing(unit, campaign, rule_id)
    rule.active = active
    return _saved(unit, campaign, rule, "enabled" if active else "disabled", RuleInput())


def delete(unit: Unit, key: str, rule_id: str) -> None:
    """What it gave stays, and points that wait become usable on their day. Raises ApiError 404."""
    campaign = existing_program(unit, key)
    rule = _existing(unit, campaign, rule_id)
    shown = answers(unit, [rule])[0]
    tiers.forget_rule(unit, campaign.id, rule.id)
    validation_rules.remove_assignments(unit, RELATED, [rule.id])
    store.remove(unit.conn, unit.project_id, [rule.id])
    definitions.changed(unit, ("earning_rule", definitions.ANY))
    _record(unit, campaign, "deleted", shown)


def _saved(
    unit: Unit, campaign: StoredCampaign, rule: StoredEarningRule, what: str, sent: RuleInput
) -> EarningRuleAnswer:
    rule.updated_at = unit.now
    store.save(unit.conn, unit.project_id, rule)
    if sent.validation_rule_id is not UNSET:
        validation_rules.remove_assignments(unit, RELATED, [rule.id])
        validation_rules.assign(unit, [sent.validation_rule_id] if sent.validation_rule_id else [], RELATED, rule.id)
    definitions.changed(unit, ("earning_rule", definitions.ANY))
    shown = answers(unit, [rule])[0]
    _record(unit, campaign, what, shown)
    return shown


def _new_rule(unit: Unit, campaign: StoredCampaign, sent: RuleCreate) -> StoredEarningRule:
    if sent.event is None:
        raise invalid_payload("Property .event should be string")
    if sent.loyalty is None:
        raise invalid_payload("Payload should have required property 'loyalty'")
    check_event(sent.event)
    rule = StoredEarningRule(
        id=ids.text_id("ern_"),
        campaign_id=campaign.id,
        automation_id=ids.text_id("auto_"),
        event=sent.event,
        subject_id=_subject(unit, sent, sent.event),
        created_at=unit.now,
    )
    _take(rule, sent)
    schemas_of(unit).check_new(RELATED, rule.metadata)
    return rule


def _subject(unit: Unit, sent: RuleCreate, event: str) -> str | None:
    """What the event must be about. Raises ApiError 404 for what does not exist."""
    if event == ORDER_PAID:
        return None
    if is_custom(event):
        schema_id = _required(
            sent.custom_event.schema_id if sent.custom_event else None, "custom_event.schema_id", event
        )
        if custom_events.by_id(unit, schema_id).name != event:
            raise invalid_payload(f"Property .custom_event.schema_id should be the schema of the event {event}")
        return schema_id
    if event == SEGMENT_ENTERED:
        segment_id = _required(sent.segment.id if sent.segment else None, "segment.id", event)
        segments.tell_of(unit, segment_id)
        return segment_id
    tier_id = _required(sent.loyalty_tier.id if sent.loyalty_tier else None, "loyalty_tier.id", event)
    if tier_id != ANY_TIER:
        tiers.check_exists(unit, tier_id)
    return tier_id


def _required(value: str | None, name: str, event: str) -> str:
    if not value:
        raise invalid_payload(f"Property .{name} is required for the event {event}")
    return value


def _take(rule: StoredEarningRule, sent: RuleInput) -> None:
    if sent.loyalty is not None:
        rule.loyalty = checked_loyalty(sent.loyalty, rule.event)
    if sent.source is not UNSET:
        rule.banner = sent.source.banner if sent.source else None
    if sent.active is not None:
        rule.active = sent.active
    if sent.pending_points is not UNSET:
        rule.pending_days = sent.pending_points.period_value if sent.pending_points else None
    for name in ("expiration_rules", *VALIDITY):
        if (value := getattr(sent, name)) is not UNSET:
            setattr(rule, name, value)
    if sent.metadata is not UNSET:
        rule.metadata = wire.merge_metadata(rule.metadata, sent.metadata)
    check_rule(rule)


def _existing(unit: Unit, campaign: StoredCampaign, rule_id: str) -> StoredEarningRule:
    found = store.by_ids(unit.conn, unit.project_id, [rule_id]).get(rule_id)
    if found is None or found.campaign_id != campaign.id:
        raise not_found(RELATED, rule_id)
    return found


# Shapes


def answers(unit: Unit, found: Sequence[StoredEarningRule]) -> list[EarningRuleAnswer]:
    """Rules with the validation rules assigned to them, read in one query."""
    assigned = validation_rules.assignments(unit.conn, unit.project, RELATED, [rule.id for rule in found])
    return [_answer(rule, next((one.rule_id for one in assigned[rule.id]), None)) for rule in found]


def _answer(rule: StoredEarningRule, validation_rule_id: str | None) -> EarningRuleAnswer:
    shown = EarningRuleAnswer(
        id=rule.id,
        created_at=clock.iso(rule.created_at),
        updated_at=clock.iso_or_none(rule.updated_at),
        validation_rule_id=validation_rule_id,
        loyalty=rule.loyalty,
        event=rule.event,
        source=SourceAnswer(banner=rule.banner, object_id=rule.campaign_id),
        active=rule.active,
        metadata=rule.metadata,
        automation_id=rule.automation_id,
    )
    if is_custom(rule.event):
        shown.custom_event = SchemaReference(rule.subject_id)
    elif rule.event == SEGMENT_ENTERED:
        shown.segment = Reference(rule.subject_id)
    elif rule.event != ORDER_PAID:
        shown.loyalty_tier = Reference(rule.subject_id)
    if rule.pending_days is not None:
        shown.pending_points = PendingAnswer(rule.pending_days)
    if rule.expiration_rules is not None:
        shown.expiration_rules = rule.expiration_rules
    for name in VALIDITY:
        if (value := getattr(rule, name)) is not None:
            setattr(shown, name, clock.iso(value) if name.endswith("_date") else value)
    return shown


def _record(unit: Unit, campaign: StoredCampaign, what: str, shown: EarningRuleAnswer) -> None:
    data: dict[str, Any] = {
        "campaign": msgspec.to_builtins(campaigns.plain(unit, campaign.id)),
        "earning_rule": msgspec.to_builtins(shown),
    }
    unit.record(f"campaign.earning_rule.{what}", campaign.id, data)
