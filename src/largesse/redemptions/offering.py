"""What a project offers, compiled and indexed once for each version of its definitions, by what a scenario judges of it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar

import msgspec
from sqlalchemy.engine import Connection

import largesse.campaigns.service as campaigns
import largesse.promotions.service as promotions
import largesse.validation_rules.service as validation_rules
from largesse.campaigns.model import StoredCampaign
from largesse.engine.benefits import RuleSet
from largesse.engine.books import Ask, Campaign, Tier
from largesse.engine.candidates import Entry, Index, Names, Requirement, Seen, concerned, required, together
from largesse.engine.scenarios import PRODUCTS, Judged, Scenario, judged, judged_in
from largesse.kernel import definitions
from largesse.kernel.project import Project
from largesse.promotions.model import Offered
from largesse.redemptions.qualification_model import Candidate

T = TypeVar("T")


class Section(Generic[T]):
    """Things of one kind, in the order in which they are listed, and which of them may apply to a request."""

    def __init__(self, items: Sequence[T], entries: Sequence[Entry], now: int) -> None:
        self.items = items
        self._entries = entries
        self._index = Index(entries, now)

    @property
    def names(self) -> Names:
        return self._index.names

    def refresh(self, now: int) -> None:
        """As time goes by others may apply."""
        if not self._index.is_fresh(now):
            self._index = Index(self._entries, now)

    def that_may_apply(self, request: Seen | None, first: int = 0) -> Iterator[T]:
        """Those from position `first` on; all of them for None."""
        places = range(first, len(self.items)) if request is None else self._index.find(request, first)
        return (self.items[place] for place in places)

    def may_apply(self, place: int, request: Seen | None) -> bool:
        return request is None or self._index.may_apply(place, request)


class Offers(msgspec.Struct, frozen=True):
    """What a project offers, the newest first; kept while no definition changes.

    A stack stands beside the position of its first tier, None where that is not usable. Campaigns are those that codes can be
    handed out of. `rules` are the ids of all rules, for codes that have rules of their own.
    """

    tiers: Section[Candidate]
    stacks: Sequence[tuple[Candidate, int | None]]
    campaigns: Section[Candidate]
    rules: Section[str]
    names: Names

    def refresh(self, now: int) -> None:
        self.tiers.refresh(now)
        self.campaigns.refresh(now)


def offers_of(conn: Connection, project: Project, scenario: Scenario, now: int) -> Offers:
    """By what a scenario judges of them; `project` as `definitions.current` answered."""
    what = judged_in(scenario)
    about = ("discount" if "DISCOUNT" in scenario else "products") if scenario in PRODUCTS else ""

    def load(conn: Connection, _project_id: str, _ids: list[str]) -> dict[str, Offers]:
        return {"*": _offers(conn, project, what, about, now)}

    found = definitions.load(conn, project, f"offers judged by {what} {about}", ["*"], load)["*"]
    found.refresh(now)
    return found


def _offers(conn: Connection, project: Project, what: Judged, about: str, now: int) -> Offers:
    offered = promotions.offered(conn, project)
    compiled = promotions.tiers(conn, project, [one.id for one in offered if one.kind == "promotion_tier"])
    usable = {id: tier for id, tier in compiled.items() if tier.active and tier.campaign.active}
    pools = {one.id: one for one in campaigns.with_codes(conn, project) if one.active}
    programs = campaigns.definitions(conn, project, pools)
    # Those of tiers and campaigns are among all rules, unless somebody has just made them.
    own = [one for tier in usable.values() for one in rules_of(tier)]
    own += [one for program in programs.values() for one in program.rules]
    rules = judged_rules(conn, project, [*validation_rules.every(conn, project).values(), *own], what)
    tiers = _newest_first(_promotion(one) for one in offered if one.id in usable)
    places = {one.id: place for place, one in enumerate(tiers)}
    listed = promotions.stacks(conn, project, [one.id for one in offered if one.kind == "promotion_stack"])
    stacks = _newest_first(_promotion(one) for one in offered if one.id in listed)
    known = {id: required(one) for id, one in rules.items()}
    sections = (
        Section(tiers, [_entry(usable[one.id], rules, known, about) for one in tiers], now),
        _campaigns(pools, programs, known, now),
        Section([*known], [Entry(one) for one in known.values()], now),
    )
    return Offers(
        sections[0],
        [(one, places.get(listed[one.id][0])) for one in stacks],
        sections[1],
        sections[2],
        Names(
            frozenset().union(*(one.names.properties for one in sections)),
            frozenset().union(*(one.names.collections for one in sections)),
            frozenset().union(*(one.names.segments for one in sections)),
        ),
    )


def _campaigns(
    pools: Mapping[str, StoredCampaign], programs: Mapping[str, Campaign], known: Mapping[str, Requirement], now: int
) -> Section[Candidate]:
    listed = _newest_first(_campaign(pools[id]) for id in programs)
    entries = [
        Entry(
            together(known[own.id] for own in programs[one.id].rules),
            pools[one.id].start_date,
            pools[one.id].expiration_date,
        )
        for one in listed
    ]
    return Section(listed, entries, now)


def _newest_first(found: Iterable[Candidate]) -> list[Candidate]:
    return sorted(found, key=lambda one: one.order, reverse=True)


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
