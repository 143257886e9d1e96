"""Qualifying: every candidate decided alone, as validating it would, newest first until the page is full."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from typing import Any

import msgspec
from sqlalchemy.engine import Connection

import largesse.campaigns.service as campaigns
import largesse.vouchers.publishing as publishing
from largesse.engine.benefits import RuleSet
from largesse.engine.books import Ask, Campaign, Voucher
from largesse.engine.candidates import Names, Seen, seen
from largesse.engine.circumstances import Circumstances
from largesse.engine.decision import decide
from largesse.engine.order import Order
from largesse.engine.scenarios import PRODUCTS, Judged, Scenario, concerns_products, judged_in, qualify
from largesse.kernel.access.projects import current_project
from largesse.kernel.database.alone import each_alone
from largesse.kernel.database.unit import Unit
from largesse.redemptions.answers.qualifications import page_answer
from largesse.redemptions.books import Books
from largesse.redemptions.candidates import Sources, wanted
from largesse.redemptions.evaluation import budgets_of, case_of, circumstances, rewards_of, tallies_of
from largesse.redemptions.model import RedeemableInput, RewardInput
from largesse.redemptions.offering import Offers, judged_rules, offers_of
from largesse.redemptions.qualification_model import (
    DEFAULT_LIMIT,
    Candidate,
    Cursor,
    QualificationOptions,
    QualificationRequest,
    Qualified,
    QualifiedPage,
    Refused,
)
from largesse.redemptions.wanted import wanted_by

_MOST_AT_ONCE = 256  # candidates whose state is loaded together


def answer_qualifications(conn: Connection, work: Sequence[tuple[Unit, QualificationRequest]]) -> list[Any]:
    """Decider of the search lane: answers each request as JSON, changing nothing."""
    project = current_project(conn, work[0][0].project)

    def answer(_place: int, unit: Unit, body: QualificationRequest) -> bytes:
        unit.call = msgspec.structs.replace(unit.call, project=project)
        return page_answer(unit, body, Search(conn, unit, body).page(), judged_in(body.scenario or "ALL"))

    return each_alone(answer, work)


class Search:
    """One request: its candidates in order, decided block by block until the page is full."""

    def __init__(self, conn: Connection, unit: Unit, body: QualificationRequest) -> None:
        self._conn = conn
        self._unit = unit
        self._sent = body.as_stackable()
        self._reward = body.reward if body.reward is not None and body.reward.id is not None else None
        self._scenario: Scenario = body.scenario or "ALL"
        if self._reward is not None:  # which only cards that a customer holds can have
            self._scenario = "CUSTOMER_WALLET"
        self._judged: Judged = judged_in(self._scenario)
        self._options = body.options or QualificationOptions()
        self._explains = bool(self._options.explain) and not unit.call.is_client
        self._refused: list[Refused] = []
        self._cursor = Cursor.at(self._options.starting_after)
        self._books = Books(conn, unit.project, [wanted_by(self._sent)], unit.now, lock=False)
        self._case = case_of(self._books, 0, unit.call, self._sent)

    def page(self) -> QualifiedPage:
        limit = self._options.limit or DEFAULT_LIMIT
        customer_id = self._case.customer.id if self._case.customer and not self._case.customer_is_new else None
        found: list[Qualified] = []
        passed = 0  # of those the pages before have shown
        candidates = self._candidates(customer_id)
        at_once = limit + 1
        while len(found) <= limit and (block := list(islice(candidates, at_once))):
            for one in self._qualified(block):
                if self._cursor.has_shown(one.candidate.created_at, passed):
                    passed += 1
                    continue
                found.append(one)
                if len(found) > limit:
                    break
            at_once = min(4 * at_once, _MOST_AT_ONCE)
        after = self._cursor.after([one.candidate.created_at for one in found], limit)
        refused = self._refused if self._explains else None
        return QualifiedPage(found[:limit], after, self._case.customer, customer_id, refused)

    def _candidates(self, customer_id: str | None) -> Iterator[Candidate]:
        unit = self._unit
        offers: tuple[Offers, Seen | None] | None = None
        if self._scenario != "CUSTOMER_WALLET":  # whoever asks why not wants to hear of what the index rules out, too
            offers = self._offers, None if self._explains else self._seen()
        has_customer = self._case.customer is not None
        sources = Sources(self._conn, unit.project, unit.now, self._cursor.before, customer_id, has_customer, offers)
        with_vouchers = not unit.call.is_client or unit.project.settings.client_list_vouchers_enabled
        return sources.of(self._scenario, with_vouchers=with_vouchers)

    @cached_property
    def _offers(self) -> Offers:
        return offers_of(self._conn, self._unit.project, self._scenario, self._unit.now)

    def _seen(self) -> Seen:
        """What the request has of all that offers ask for."""
        names = self._offers.names
        self._books.bring(self._unit.now, names=names)
        about = circumstances(self._books, self._unit.call, self._sent, self._case.customer, None)
        return seen(self._order(), about, names)

    def _qualified(self, block: Sequence[Candidate]) -> Iterator[Qualified]:
        """Those of a block that qualify; what decisions on them read is loaded set-wise."""
        campaign_ids = {one.campaign_id for one in block if one.campaign_id is not None}
        parents = campaigns.definitions(self._conn, self._unit.project, campaign_ids)
        block = wanted(block, self._options.filters, parents)
        if not block:
            return
        handed_out = self._handed_out([one.id for one in block if one.kind == "campaign"], parents)
        self._books.bring(
            self._unit.now,
            codes=[one.id for one in block if one.kind == "voucher"],
            tiers=[one.id for one in block if one.kind == "promotion_tier"],
            stacks=[one.id for one in block if one.kind == "promotion_stack"],
            names=_names(rules for id in handed_out for rules in parents[id].rules),
        )
        asked = [(one, self._asks(one, handed_out.get(one.id))) for one in block]
        case = msgspec.structs.replace(self._case, asks=[ask for _, asks in asked for ask in asks])
        self._books.load_sums(tallies_of(case, self._unit.call), lock=False)
        self._books.load_counters([*budgets_of(case), *rewards_of(case)], lock=False)
        about = circumstances(self._books, self._unit.call, self._sent, case.customer, None)
        about = msgspec.structs.replace(about, lists_cards=True)
        for one, asks in asked:
            if not asks or not self._concerns(asks[0], about):
                continue
            decision = qualify(asks, self._order(), about)
            if decision is None and self._explains:
                self._refused.append(Refused(one, decide(asks, self._order(), about)))
            if decision is not None:
                tiers = self._tiers(asks) if one.kind == "promotion_stack" else ()
                yield Qualified(one, asks, decision, tiers)

    def _tiers(self, asks: Sequence[Ask]) -> list[Candidate]:
        """The tiers of a stack that qualifies, which shows them."""
        found = [self._offers.tiers.get(ask.id) for ask in asks]
        return [one.value for one in found if one is not None]

    def _handed_out(self, campaign_ids: Sequence[str], parents: Mapping[str, Campaign]) -> dict[str, Voucher]:
        """By campaign the code that a customer could get; none of a campaign that makes no more and has none left."""
        if not campaign_ids:
            return {}
        known = {one.id: one for one in campaigns.with_codes(self._conn, self._unit.project)}
        wanted = [known[id] for id in campaign_ids if id in known and id in parents]
        pools = [one.id for one in wanted if one.type != "AUTO_UPDATE"]
        filled = publishing.campaigns_with_free(self._conn, self._unit.project_id, pools, self._unit.now)
        customer = self._case.customer
        found = {}
        for campaign in wanted:
            if campaign.id in pools and campaign.id not in filled:
                continue
            found[campaign.id] = publishing.sample(campaign, parents[campaign.id], customer.id if customer else None)
        return found

    def _asks(self, one: Candidate, handed_out: Voucher | None) -> list[Ask]:
        """What a candidate is asked as: under the name that answers give it, and by the rules that the scenario judges."""
        if one.kind == "campaign":
            if handed_out is None or handed_out.parent is None:
                return []
            return [Ask("voucher", one.id, handed_out, rules=self._rules(handed_out.parent.rules))]
        reward = RewardInput(self._reward.id, self._reward.points) if self._reward is not None else None
        named = RedeemableInput(object=one.kind, id=one.id, reward=reward)
        return [
            msgspec.structs.replace(
                ask, id=one.shown_id if one.kind == "voucher" else ask.id, rules=self._rules(ask.rules)
            )
            for ask in self._books.asks(named)
            if (ask.voucher is not None or ask.tier is not None) and self._is_of_reward(ask)
        ]

    def _is_of_reward(self, ask: Ask) -> bool:
        """Where a reward is asked for, only cards that offer it, under the assignment that is named."""
        if self._reward is None:
            return True
        if ask.offer is None or ask.offer.assignment is None:
            return False
        return self._reward.assignment_id in (None, ask.offer.assignment.id)

    def _rules(self, rules: Sequence[RuleSet]) -> tuple[RuleSet, ...]:
        """As the scenario judges them, kept while no definition changes."""
        if not rules:
            return ()
        kept = judged_rules(self._conn, self._unit.project, rules, self._judged)
        return tuple(kept[one.id] for one in rules)

    def _order(self) -> Order | None:
        """Where rules on the order are not judged, a request without one is as one with an empty cart."""
        if self._case.order is None and self._judged != "everything":
            return Order(amount=0)
        return self._case.order

    def _concerns(self, ask: Ask, about: Circumstances) -> bool:
        if self._scenario not in PRODUCTS:
            return True
        return concerns_products(ask, self._case.order, about, by_discount="DISCOUNT" in self._scenario)


def _names(rules: Iterable[RuleSet]) -> Names:
    """The collections and segments that decisions by these rules ask about."""
    listed = list(rules)
    conditions = [one.conditions for one in listed if one.conditions is not None]
    return Names(
        collections=frozenset(id for one in listed for id in one.collections),
        segments=frozenset(id for one in conditions for id in one.segments),
    )
