"""What a project offers, compiled and indexed once for each version of its definitions, by what a scenario judges of it."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import msgspec
from sqlalchemy.engine import Connection

import largesse.campaigns.service as campaigns
import largesse.promotions.service as promotions
import largesse.validation_rules.service as validation_rules
from largesse.campaigns.model import StoredCampaign
from largesse.engine.benefits import RuleSet
from largesse.engine.books import Ask, Campaign, Tier
from largesse.engine.candidates import Entry, Names, Requirement, concerned, required, together
from largesse.engine.scenarios import PRODUCTS, Judged, Scenario, judged, judged_in
from largesse.engine.shelves import Item, Shelf
from largesse.kernel import definitions
from largesse.kernel.project import Project
from largesse.promotions.model import Offered
from largesse.redemptions.qualification_model import Candidate

_RULE = "validation_rule"


class Offers(msgspec.Struct, frozen=True):
    """What a project offers, the newest first; kept, and made to follow the definitions that change.

    A stack stands beside the id of its first tier. Campaigns are those that codes can be handed out of. `rules` are the ids of
    all rules, for codes that have rules of their own.
    """

    tiers: Shelf[Candidate]
    stacks: Mapping[str, tuple[Candidate, str]]
    campaigns: Shelf[Candidate]
    rules: Shelf[str]
    names: Names

    def refresh(self, now: int) -> None:
        self.tiers.refresh(now)
        self.campaigns.refresh(now)


def offers_of(conn: Connection, project: Project, scenario: Scenario, now: int) -> Offers:
    """By what a scenario judges of them; `project` as `definitions.current` answered."""
    what = judged_in(scenario)
    about = ("discount" if "DISCOUNT" in scenario else "products") if scenario in PRODUCTS else ""
    made = _Making(conn, project, what, about, now)
    found = definitions.whole(
        conn, project, definitions.Whole(f"offers judged by {what} {about}", made.anew, made.after)
    )
    found.refresh(now)
    return found


class _Making:
    """How offers are made, as of a moment, by what is judged of their rules: `about` is what products are looked at for."""

    def __init__(self, conn: Connection, project: Project, what: Judged, about: str, now: int) -> None:
        self._conn = conn
        self._project = project
        self._what = what
        self._about = about
        self._now = now

    def anew(self) -> Offers:
        offered = promotions.offered(self._conn, self._project)
        pools = campaigns.with_codes(self._conn, self._project)
        every = validation_rules.every(self._conn, self._project)
        tiers, known = self._tiers(offered, every)
        return _offers(
            Shelf.of(tiers, self._now),
            self._stacks(offered),
            Shelf.of(self._campaigns(pools, known), self._now),
            Shelf.of(self._rules(every, known), self._now),
        )

    def after(self, before: Offers, changed: Collection[definitions.Key]) -> Offers:
        """Of what was offered before, only what changed is looked at."""
        ids: dict[str, set[str]] = {kind: set() for kind in ("promotion_tier", "promotion_stack", "campaign", _RULE)}
        for kind, id in changed:
            if kind in ids and id != definitions.ANY:
                ids[kind].add(id)
        offered = promotions.offered(
            self._conn, self._project, ids["promotion_tier"] | ids["promotion_stack"], ids["campaign"]
        )
        ids["promotion_tier"].update(one.id for one in offered if one.kind == "promotion_tier")
        ids["promotion_stack"].update(one.id for one in offered if one.kind == "promotion_stack")
        pools = campaigns.with_codes(self._conn, self._project, ids["campaign"])
        every = validation_rules.rule_sets(self._conn, self._project, ids[_RULE])
        tiers, known = self._tiers(offered, every)
        held = {id: one for id, one in before.stacks.items() if id not in ids["promotion_stack"]}
        return _offers(
            before.tiers.changed(_gone(ids["promotion_tier"]) | tiers, self._now),
            held | self._stacks(offered),
            before.campaigns.changed(_gone(ids["campaign"]) | self._campaigns(pools, known), self._now),
            before.rules.changed(_gone(ids[_RULE]) | self._rules(every, known), self._now),
        )

    def _tiers(
        self, offered: Iterable[Offered], every: Mapping[str, RuleSet]
    ) -> tuple[dict[str, Item[Candidate]], dict[str, Requirement]]:
        """The tiers that can be used of these, and what their rules and those of `every` ask for."""
        listed = [_promotion(one) for one in offered if one.kind == "promotion_tier"]
        compiled = promotions.tiers(self._conn, self._project, [one.id for one in listed])
        usable = {id: tier for id, tier in compiled.items() if tier.active and tier.campaign.active}
        # Those of tiers are among all rules, unless somebody has just made them.
        own = [one for tier in usable.values() for one in rules_of(tier)]
        rules = judged_rules(self._conn, self._project, [*every.values(), *own], self._what)
        known = {id: required(one) for id, one in rules.items()}
        found = {
            one.id: Item(one, one.order, _entry(usable[one.id], rules, known, self._about))
            for one in listed
            if one.id in usable
        }
        return found, known

    def _stacks(self, offered: Iterable[Offered]) -> dict[str, tuple[Candidate, str]]:
        stacks = {one.id: _promotion(one) for one in offered if one.kind == "promotion_stack"}
        listed = promotions.stacks(self._conn, self._project, stacks)
        return {id: (stacks[id], tier_ids[0]) for id, tier_ids in listed.items()}

    def _campaigns(self, pools: Iterable[StoredCampaign], known: dict[str, Requirement]) -> dict[str, Item[Candidate]]:
        """Of the campaigns that hand out codes those in use."""
        active = {one.id: one for one in pools if one.active}
        programs = campaigns.definitions(self._conn, self._project, active)
        own = [one for program in programs.values() for one in program.rules if one.id not in known]
        judged = judged_rules(self._conn, self._project, own, self._what)
        known = known | {id: required(one) for id, one in judged.items()}
        return {
            id: Item(made := _campaign(active[id]), made.order, _entry_of_campaign(active[id], program, known))
            for id, program in programs.items()
        }

    @staticmethod
    def _rules(every: Iterable[str], known: Mapping[str, Requirement]) -> dict[str, Item[str]]:
        return {id: Item(id, (id,), Entry(known[id])) for id in every}


def _gone(ids: Iterable[str]) -> dict[str, Any]:
    return dict.fromkeys(ids)


def _offers(
    tiers: Shelf[Candidate],
    stacks: Mapping[str, tuple[Candidate, str]],
    campaigns: Shelf[Candidate],
    rules: Shelf[str],
) -> Offers:
    names = [one for shelf in (tiers, campaigns, rules) for one in shelf.names]
    return Offers(
        tiers,
        stacks,
        campaigns,
        rules,
        Names(
            frozenset().union(*(one.properties for one in names)),
            frozenset().union(*(one.collections for one in names)),
            frozenset().union(*(one.segments for one in names)),
        ),
    )


def _entry_of_campaign(campaign: StoredCampaign, program: Campaign, known: Mapping[str, Requirement]) -> Entry:
    requirement = together(known[own.id] for own in program.rules)
    return Entry(requirement, campaign.start_date, campaign.expiration_date)


def _campaign(one: StoredCampaign) -> Candidate:
    return Candidate(
        kind="campaign",
        id=one.id,
        shown_id=one.id,
        created_at=one.created_at,
        name=one.name,
        campaign_id=one.id,
        category_id=one.category_id,
        voucher_type=one.voucher.type if one.voucher else None,
        joins_once=one.join_once,
    )


def _entry(tier: Tier, rules: Mapping[str, RuleSet], known: Mapping[str, Requirement], about: str) -> Entry:
    requirement = together(known[own.id] for own in rules_of(tier))
    if about:
        own = tuple(rules[one.id] for one in rules_of(tier))
        ask = Ask("promotion_tier", tier.id, tier=tier, rules=own)
        key = concerned(ask, by_discount=about == "discount")
        requirement = requirement if key is None else together([requirement, Requirement((key,))])
    starts = [one.start_date for one in (tier, tier.campaign) if one.start_date is not None]
    ends = [one.expiration_date for one in (tier, tier.campaign) if one.expiration_date is not None]
    return Entry(requirement, max(starts, default=None), min(ends, default=None))


def rules_of(tier: Tier) -> tuple[RuleSet, ...]:
    return tier.campaign.rules + tier.rules


def judged_rules(conn: Connection, project: Project, rules: Iterable[RuleSet], what: Judged) -> Mapping[str, RuleSet]:
    """Rules by id as a scenario judges them; kept while no definition changes."""
    own = {one.series or one.id: one for one in rules}  # what is counted differs with whom a rule is assigned to

    def load(_conn: Connection, _project_id: str, keys: list[str]) -> dict[str, RuleSet]:
        return {key: judged(own[key], what) for key in keys}

    def follows(key: str, _made: object) -> Iterable[definitions.Key]:
        return ((_RULE, own[key].id),)

    found = definitions.load(conn, project, f"rules judged by {what}", own, load, follows)
    return {one.id: one for one in found.values()}


def _promotion(one: Offered) -> Candidate:
    return Candidate(
        kind=one.kind,
        id=one.id,
        shown_id=one.id,
        created_at=one.created_at,
        place=one.hierarchy,
        name=one.name,
        campaign_id=one.campaign_id,
        category_id=one.category_id,
    )
