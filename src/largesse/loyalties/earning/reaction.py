"""Earning points: what customers do meets the earning rules, for all events of a transaction at once.

One query for the customers, one for what was rewarded before, one or two for the cards; nothing where no rule has the event.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import groupby
from typing import Any

import msgspec

import largesse.customers.service as customers
import largesse.vouchers.service as vouchers
from largesse.customers.model import StoredCustomer
from largesse.engine.earning import Mapped, Occasion, awarded, is_open
from largesse.kernel import definitions, seals
from largesse.kernel.database.reactions import News
from largesse.kernel.database.trips import sent_together
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
from largesse.points.service import Cards
from largesse.vouchers.model import StoredVoucher


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
        and (rule.is_always_open or is_open(rule.window, rule.program, trigger.unit.now, project.zone))
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
    rewarded: set[tuple[str, str]] = set()
    for _, of_trigger in groupby(matches, key=lambda match: match.trigger.event.id):
        rewarded |= _reward_all([*of_trigger], cards, opened, members)
    seals.follow(unit.conn, project.id)
    with sent_together(unit.conn):
        opened.save()
        store.add_earned(unit.conn, project.id, rewarded, unit.now)
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
    for _, of_trigger in groupby(candidates, key=lambda candidate: candidate[0].event.id):
        mine = [*of_trigger]
        trigger = mine[0][0]
        customer = holders.get(trigger.customer_id)
        if customer is not None:
            at = judge.occasion(trigger, customer)
            found += [Match(trigger, rule, at) for _, rule in mine if judge.holds(rule, at)]
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


class _Account(msgspec.Struct, frozen=True):
    """A card that may be given points, with what the tier of its holder makes of rules and what its transactions tell."""

    stored: StoredVoucher
    member: Member | None
    mapped: Mapping[str, Mapped]
    tier: dict[str, Any]
    details: dict[str, Any]


def _account(trigger: Trigger, stored: StoredVoucher | None, members: Mapping[str, Member]) -> _Account | None:
    """None where there is no card, or none that may be used."""
    if stored is None or not _is_usable(stored, trigger):
        return None
    member = members.get(stored.entry.id)
    if member is None or member.tier is None:
        return _Account(stored, member, {}, {}, trigger.details)
    tier = {"id": member.tier.id, "name": member.tier.name}
    mapped = member.program.earning.get(member.tier.id, {})
    return _Account(stored, member, mapped, tier, {**trigger.details, "holder_loyalty_tier": tier})


def _reward_all(
    matches: Sequence[Match],
    cards: Mapping[tuple[str, str], StoredVoucher],
    opened: Cards,
    members: Mapping[str, Member],
) -> set[tuple[str, str]]:
    """Gives what the rules that one event meets give; answers the pairs of those that gave something.

    All of them meet the tier that was held before. The next event of the same transaction meets the one that they brought, which
    is noted once all is done.
    """
    trigger = matches[0].trigger
    accounts: dict[str, _Account | None] = {}
    gained: dict[str, int] = {}
    rewarded: set[tuple[str, str]] = set()
    for match in matches:
        rule = match.rule
        program = rule.campaign_id
        if program not in accounts:
            accounts[program] = _account(trigger, cards.get((trigger.customer_id, program)), members)
        account = accounts[program]
        if account is None:
            continue
        mapped = account.mapped.get(rule.id)
        points = awarded(rule.earning, match.occasion, mapped)
        if points == 0:
            continue
        details = {"earning_rule": rule.reference, **account.details}
        if mapped is not None:
            details["loyalty_tier"] = account.tier
        gained[program] = gained.get(program, 0) + _give(match, points, account.stored, details, opened)
        rewarded.add(match.pair)
    for program, points in gained.items():
        account = accounts[program]
        if account is not None and account.member is not None:
            account.member.collect(points, opened.today)
            account.member.follow(account.stored.entry.balance, opened.today)
    return rewarded


def _give(match: Match, points: int, stored: StoredVoucher, details: dict[str, Any], opened: Cards) -> int:
    """Credits one rule's points, or lets them wait; answers how many are there now."""
    trigger, rule = match.trigger, match.rule
    if rule.pending_days is not None:
        opened.await_points(
            trigger.unit,
            stored,
            points,
            opened.today + timedelta(days=rule.pending_days),
            order_id=trigger.order.id if trigger.order else None,
            details={**details, "event": described(trigger.event)},
            rules=rule.expiration_rules,
        )
        return 0
    opened.accrue(
        trigger.unit,
        stored,
        points,
        opened.expiry(stored, rule.expiration_rules),
        trigger.event.id,
        about={**details, "event": {"id": trigger.event.id, "type": trigger.event.type}},
    )
    return points


def _is_usable(stored: StoredVoucher, trigger: Trigger) -> bool:
    entry, now = stored.entry, trigger.unit.now
    if trigger.code is not None and trigger.code not in (entry.code, entry.id):
        return False
    begun = entry.start_date is None or entry.start_date <= now
    return entry.active and begun and (entry.expiration_date is None or now <= entry.expiration_date)
