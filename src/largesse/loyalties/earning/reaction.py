"""Earning points: what customers do meets the earning rules, for all events of a transaction at once.

One query for the customers, one for what was rewarded before, one or two for the cards; nothing where no rule has the event.
"""

from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby
from typing import Any

import msgspec

import largesse.customers.service as customers
import largesse.vouchers.service as vouchers
from largesse.customers.model import StoredCustomer
from largesse.engine.earning import Occasion, awarded, is_open
from largesse.kernel import definitions, seals
from largesse.kernel.database.reactions import News
from largesse.kernel.database.rows import sent_together
from largesse.kernel.database.unit import Unit
from largesse.kernel.project import Project
from largesse.loyalties.earning import store
from largesse.loyalties.earning.conditions import Judge
from largesse.loyalties.earning.model import ANY_TIER
from largesse.loyalties.earning.rules import EarningRule, of_events
from largesse.loyalties.earning.triggers import Trigger, described, triggers
from largesse.loyalties.joining import join
from largesse.loyalties.tiers import standing
from largesse.loyalties.tiers.standing import Member
from largesse.points.cards import AUTOMATION, Tag
from largesse.points.service import Cards
from largesse.vouchers.model import StoredVoucher

_BY_ITSELF = Tag(source=AUTOMATION)


class Match(msgspec.Struct, frozen=True):
    """A rule that rewards what happened, and on which occasion."""

    trigger: Trigger
    rule: EarningRule
    occasion: Occasion

    @property
    def pair(self) -> tuple[str, str]:
        return self.rule.id, self.trigger.cause_id


def on_news(news: News) -> set[str]:
    """Gives the points that events earn, or lets them wait; every rule for each event once, ever.

    Answers the ids of the cards that it opened: what others hold of them is out of date.
    """
    found = triggers(news)
    if not found:
        return set()
    unit = found[0].unit
    project = definitions.current(unit)
    rules = of_events(unit.conn, project, {trigger.name for trigger in found})
    candidates = [
        (trigger, rule)
        for trigger in found
        for rule in rules[trigger.name]
        if rule.subject_id in (None, ANY_TIER, trigger.subject_id)
        and is_open(rule.window, rule.program, trigger.unit.now, project.zone)
    ]
    return _earn(unit, project, candidates) if candidates else set()


def _earn(unit: Unit, project: Project, candidates: Sequence[tuple[Trigger, EarningRule]]) -> set[str]:
    holders = customers.lock(unit.conn, project.id, {trigger.customer_id for trigger, _ in candidates})
    matches = _unrewarded(unit, _matching(unit, project, candidates, holders))
    if not matches:
        return set()
    cards = _cards(unit, project, matches, holders)
    if not cards:
        return set()
    programs = {match.rule.campaign_id: match.rule.campaign for match in matches}
    opened = Cards(unit.conn, project, cards.values(), unit.now, holders, programs)
    opened.settle(unit)
    members = standing.as_of(unit.conn, project, [*cards.values()], unit.now)
    rewarded: list[Match] = []
    for _, of_trigger in groupby(matches, key=lambda match: match.trigger.event.id):
        given = [
            (match, points) for match in of_trigger if (points := _reward(match, cards, opened, members)) is not None
        ]
        rewarded += [match for match, _ in given]
        for match, points in given:
            _raise(match, points, cards, opened, members)
    seals.follow(unit.conn, project.id)
    with sent_together(unit.conn):
        opened.save()
        store.add_earned(unit.conn, project.id, {match.pair for match in rewarded}, unit.now)
    return {stored.entry.id for stored in cards.values()}


def _matching(
    unit: Unit,
    project: Project,
    candidates: Sequence[tuple[Trigger, EarningRule]],
    holders: dict[str, StoredCustomer],
) -> list[Match]:
    """The candidates whose conditions hold; a rule whose conditions do not is passed over in silence (documented)."""
    judge = Judge.load(unit, project, candidates)
    found = []
    for trigger, rule in candidates:
        customer = holders.get(trigger.customer_id)
        if customer is None:
            continue
        at = judge.occasion(trigger, customer)
        if judge.holds(rule, at):
            found.append(Match(trigger, rule, at))
    return found


def _unrewarded(unit: Unit, matches: Sequence[Match]) -> list[Match]:
    if not matches:
        return []
    known = store.earned(unit.conn, unit.project_id, {match.trigger.cause_id for match in matches})
    found = []
    for match in matches:
        if match.pair not in known:
            known.add(match.pair)
            found.append(match)
    return found


def _cards(
    unit: Unit, project: Project, matches: Sequence[Match], holders: dict[str, StoredCustomer]
) -> dict[tuple[str, str], StoredVoucher]:
    """The card of each customer in each program that rewards them; who has none joins where the program lets them."""
    wanted = {(match.trigger.customer_id, match.rule.campaign_id): match for match in matches}
    found = vouchers.cards_of_holders(unit.conn, project.id, {customer_id for customer_id, _ in wanted}, lock=True)
    cards: dict[tuple[str, str], StoredVoucher] = {}
    for stored in found:
        cards.setdefault((stored.entry.holder_id or "", stored.entry.campaign_id or ""), stored)
    for key, match in wanted.items():
        if key not in cards and match.rule.campaign.auto_join and match.trigger.code is None:
            joined = join(match.trigger.unit, match.rule.campaign_id, holders[match.trigger.customer_id])
            if joined is not None:
                cards[key] = joined
    return {key: cards[key] for key in wanted if key in cards}


def _raise(
    match: Match,
    points: int,
    cards: dict[tuple[str, str], StoredVoucher],
    opened: Cards,
    members: dict[str, Member],
) -> None:
    """Lets the next event of the same transaction meet the tier that this one brought; it is noted once all is done."""
    entry = cards[match.trigger.customer_id, match.rule.campaign_id].entry
    if (member := members.get(entry.id)) is not None:
        member.collect(points, opened.today)
        member.follow(entry.balance, opened.today)


def _reward(
    match: Match,
    cards: dict[tuple[str, str], StoredVoucher],
    opened: Cards,
    members: dict[str, Member],
) -> int | None:
    """Credits one rule's points, or lets them wait; answers how many are there now, None where there is nothing to give."""
    trigger, rule = match.trigger, match.rule
    stored = cards.get((trigger.customer_id, rule.campaign_id))
    if stored is None or not _is_usable(stored, trigger):
        return None
    member = members.get(stored.entry.id)
    tier = member.tier if member else None
    mapped = member.program.earning.get(tier.id, {}).get(rule.id) if member and tier else None
    given = awarded(rule.earning, match.occasion, mapped)
    if given == 0:
        return None
    details: dict[str, Any] = {"earning_rule": rule.reference, **trigger.details}
    if tier is not None:
        details["holder_loyalty_tier"] = {"id": tier.id, "name": tier.name}
        if mapped is not None:
            details["loyalty_tier"] = details["holder_loyalty_tier"]
    if rule.pending_days is not None:
        opened.await_points(
            trigger.unit,
            stored,
            given,
            opened.today + timedelta(days=rule.pending_days),
            order_id=trigger.order.id if trigger.order else None,
            details={**details, "event": described(trigger.event)},
            rules=rule.expiration_rules,
        )
        return 0
    opened.credit(
        trigger.unit,
        stored,
        given,
        "POINTS_ACCRUAL",
        opened.expiry(stored, rule.expiration_rules),
        about={**details, "event": {"id": trigger.event.id, "type": trigger.event.type}},
        tag=_BY_ITSELF,
        operation="AUTOMATIC",
    )
    return given


def _is_usable(stored: StoredVoucher, trigger: Trigger) -> bool:
    entry, now = stored.entry, trigger.unit.now
    if trigger.code is not None and trigger.code not in (entry.code, entry.id):
        return False
    begun = entry.start_date is None or entry.start_date <= now
    return entry.active and begun and (entry.expiration_date is None or now <= entry.expiration_date)
