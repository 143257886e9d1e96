"""The promotions of a project, compiled and indexed once for each version of its definitions, by what a scenario judges of them."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy.engine import Connection

import largesse.promotions.service as promotions
from largesse.engine.benefits import RuleSet
from largesse.engine.books import Ask, Tier
from largesse.engine.candidates import Entry, Index, Requirement, concerned, required
from largesse.engine.scenarios import PRODUCTS, Judged, Scenario, judged, judged_in
from largesse.kernel import definitions
from largesse.kernel.project import Project
from largesse.promotions.model import Offered
from largesse.redemptions.qualification_model import Candidate


class Indexed:
    """The tiers and stacks of a project, the newest first, and which tiers may apply; kept while no definition changes.

    A stack stands beside the position of its first tier, None where that is not usable.
    """

    def __init__(
        self, tiers: list[Candidate], stacks: list[tuple[Candidate, int | None]], entries: list[Entry], now: int
    ) -> None:
        self.tiers = tiers
        self.stacks = stacks
        self.index = Index(entries, now)
        self._entries = entries

    def refresh(self, now: int) -> None:
        """As time goes by other tiers may apply."""
        if not self.index.is_fresh(now):
            self.index = Index(self._entries, now)


def indexed(conn: Connection, project: Project, scenario: Scenario, now: int) -> Indexed:
    """The promotions of a project by what a scenario judges of them; `project` as `definitions.current` answered."""
    what = judged_in(scenario)
    about = ("discount" if "DISCOUNT" in scenario else "products") if scenario in PRODUCTS else ""

    def load(conn: Connection, _project_id: str, _ids: list[str]) -> dict[str, Indexed]:
        return {"*": _indexed(conn, project, what, about, now)}

    found = definitions.load(conn, project, f"promotions judged by {what} {about}", ["*"], load)["*"]
    found.refresh(now)
    return found


def _indexed(conn: Connection, project: Project, what: Judged, about: str, now: int) -> Indexed:
    offered = promotions.offered(conn, project)
    compiled = promotions.tiers(conn, project, [one.id for one in offered if one.kind == "promotion_tier"])
    usable = {id: tier for id, tier in compiled.items() if tier.active and tier.campaign.active}
    rules = judged_rules(conn, project, [one for tier in usable.values() for one in rules_of(tier)], what)
    tiers = [_promotion(one) for one in offered if one.id in usable]
    tiers.sort(key=lambda one: one.order, reverse=True)
    places = {one.id: place for place, one in enumerate(tiers)}
    entries = [_entry(usable[one.id], [rules[own.id] for own in rules_of(usable[one.id])], about) for one in tiers]
    listed = promotions.stacks(conn, project, [one.id for one in offered if one.kind == "promotion_stack"])
    stacks = [(_promotion(one), places.get(listed[one.id][0])) for one in offered if one.id in listed]
    stacks.sort(key=lambda pair: pair[0].order, reverse=True)
    return Indexed(tiers, stacks, entries, now)


def _entry(tier: Tier, rules: Sequence[RuleSet], about: str) -> Entry:
    requirement = required(rules)
    if about:
        ask = Ask("promotion_tier", tier.id, tier=tier, rules=tuple(rules))
        key = concerned(ask, by_discount=about == "discount")
        keys = requirement.keys if key is None else (*requirement.keys, key)
        requirement = Requirement(keys, requirement.least, requirement.needs)
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

    return {one.id: one for one in definitions.load(conn, project, f"rules judged by {what}", own, load).values()}


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
