"""Earning rules as events meet them: found by the event, compiled once per version of the project's definitions."""

from collections.abc import Collection
from typing import Any

import msgspec
from sqlalchemy.engine import Connection

import largesse.campaigns.service as campaigns
import largesse.validation_rules.service as validation_rules
from largesse.campaigns.model import LOYALTY_PROGRAM, StoredCampaign
from largesse.engine.benefits import RuleSet
from largesse.engine.earning import Earning, Window
from largesse.engine.points import ExpirationRules
from largesse.kernel import definitions
from largesse.kernel.benefits import Validity
from largesse.kernel.database.unit import Unit
from largesse.kernel.project import Project
from largesse.loyalties.earning import store
from largesse.loyalties.earning.definition import earning_of
from largesse.loyalties.earning.model import StoredEarningRule

RELATED = "earning_rule"


class EarningRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that is switched on, of a program that is; `window` and `program` say when they are open, unless they always are."""

    id: str
    campaign_id: str
    subject_id: str | None
    earning: Earning
    window: Window
    program: Window
    is_always_open: bool
    campaign: StoredCampaign
    conditions: tuple[RuleSet, ...]
    pending_days: int | None
    expiration_rules: ExpirationRules | None
    reference: dict[str, Any]


def of_events(conn: Connection, project: Project, events: Collection[str]) -> dict[str, tuple[EarningRule, ...]]:
    """The rules of each event in the order in which they are applied, the oldest first; `()` where there are none.

    `project` as `definitions.current` answered. No query where all is kept.
    """

    def load(conn: Connection, project_id: str, events: list[str]) -> dict[str, tuple[EarningRule, ...]]:
        found: dict[str, list[EarningRule]] = {event: [] for event in events}
        stored = [rule for rule in store.of_events(conn, project_id, events) if rule.active]
        programs = campaigns.by_ids(conn, project_id, {rule.campaign_id for rule in stored})
        conditions = validation_rules.rules_of(conn, project, RELATED, [rule.id for rule in stored])
        for rule in stored:
            program = programs.get(rule.campaign_id)
            if program is not None and program.active:
                found[rule.event].append(_compiled(rule, program, conditions[rule.id]))
        return {event: tuple(rules) for event, rules in found.items()}

    return definitions.load(conn, project, "earning rules", events, load)


def _compiled(rule: StoredEarningRule, program: StoredCampaign, conditions: tuple[RuleSet, ...]) -> EarningRule:
    own, of_program = _window(rule), _window(program)
    return EarningRule(
        id=rule.id,
        campaign_id=rule.campaign_id,
        subject_id=rule.subject_id,
        earning=earning_of(rule.loyalty),
        window=own,
        program=of_program,
        is_always_open=own == of_program == Window(),
        campaign=program,
        conditions=tuple(one for one in conditions if one.conditions is not None),
        pending_days=rule.pending_days,
        expiration_rules=rule.expiration_rules,
        reference={"id": rule.id, "source": {"banner": rule.banner}},
    )


def _window(validity: Validity) -> Window:
    return Window(
        start_date=validity.start_date,
        expiration_date=validity.expiration_date,
        timeframe=validity.validity_timeframe,
        days=tuple(validity.validity_day_of_week or ()),
        hours=validity.validity_hours,
    )


def has_programs(unit: Unit) -> bool:
    """Whether any program of the project ever rewards paid orders; no query while no definition changes."""
    project = definitions.current(unit)

    def load(conn: Connection, project_id: str, keys: list[str]) -> dict[str, bool]:
        return dict.fromkeys(keys, campaigns.any_of_type(conn, project_id, LOYALTY_PROGRAM))

    return definitions.load(unit.conn, project, "loyalty programs", ["any"], load)["any"]
