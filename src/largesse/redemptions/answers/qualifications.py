"""The answer of a qualification."""

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

import largesse.categories.service as categories
import largesse.customers.service as customers
import largesse.validation_rules.service as validation_rules
from largesse.categories.model import CategoryAnswer
from largesse.engine.books import Ask
from largesse.engine.decision import Outcome
from largesse.engine.order import OrderInput
from largesse.engine.preconditions import LOYALTY
from largesse.engine.scenarios import Judged, omitted
from largesse.kernel import clock, wire
from largesse.kernel.database.unit import Unit
from largesse.orders import forms
from largesse.orders.model import LineAnswer, ObjectReference, OrderAnswer
from largesse.redemptions.answers.redeemables import result, with_stacking_type
from largesse.redemptions.answers.shapes import CardPoints, ItemList, Result
from largesse.redemptions.answers.validations import stacking_rules_view
from largesse.redemptions.qualification_model import Candidate, QualificationRequest, Qualified, QualifiedPage, Refused
from largesse.validation_rules.model import AssignmentAnswer

Shown = TypeVar("Shown", bound="QualifiedTier")
_SAID_OF_LINES = (
    "id",
    "product_id",
    "sku_id",
    "source_id",
    "related_object",
    "price",
    "amount",
    "metadata",
)


class QualifiedAssignment(msgspec.Struct, kw_only=True):
    """The assignment of a rule, and whether all of its conditions were judged: `validation_omitted_rules` were not."""

    id: str
    rule_id: str
    related_object_id: str
    related_object_type: str
    created_at: str
    validation_status: str
    validation_omitted_rules: list[str]
    object: str = "validation_rules_assignment"


class QualifiedAssignmentList(msgspec.Struct, kw_only=True):
    object: str = "list"
    data_ref: str = "data"
    data: list[QualifiedAssignment]
    total: int


class QualifiedTier(msgspec.Struct, kw_only=True):
    """A tier of a stack that qualifies, with the order as it leaves it."""

    id: str
    object: str
    created_at: str
    result: Result
    order: OrderAnswer | UnsetType = UNSET
    applicable_to: ItemList | UnsetType = UNSET
    inapplicable_to: ItemList | UnsetType = UNSET
    metadata: dict[str, Any] | UnsetType = UNSET
    categories: list[CategoryAnswer] | UnsetType = UNSET
    banner: str | UnsetType = UNSET
    name: str | None | UnsetType = UNSET
    campaign_name: str | None | UnsetType = UNSET
    campaign_id: str | None | UnsetType = UNSET
    validation_rules_assignments: QualifiedAssignmentList | UnsetType = UNSET


class QualifiedAnswer(QualifiedTier, kw_only=True):
    """What qualifies, each calculated alone; `redeemables` are the tiers of a stack."""

    redeemables: list[QualifiedTier] | UnsetType = UNSET


class QualifiedList(msgspec.Struct, kw_only=True):
    """`total` counts what is on this page (documented)."""

    object: str = "list"
    data_ref: str = "data"
    data: list[QualifiedAnswer]
    total: int
    has_more: bool
    more_starting_after: str | UnsetType = UNSET


class RefusedAnswer(msgspec.Struct, kw_only=True):
    """What does not qualify, and why: an addition to the API, on request only."""

    id: str
    object: str
    created_at: str
    result: Result


class QualificationAnswer(msgspec.Struct, kw_only=True):
    redeemables: QualifiedList
    refused_redeemables: list[RefusedAnswer] | UnsetType = UNSET
    tracking_id: str | None
    order: OrderAnswer | UnsetType = UNSET
    stacking_rules: dict[str, Any]


def echoed(sent: OrderInput, customer_id: str | None) -> OrderAnswer:
    """The order as it was sent, nothing calculated (documented)."""
    found = OrderAnswer(
        id=sent.id or UNSET,
        source_id=sent.source_id or UNSET,
        amount=sent.amount if sent.amount is not None else UNSET,
        metadata=sent.metadata if sent.metadata is not None else UNSET,
        customer_id=customer_id,
        referrer_id=None,
    )
    if customer_id is not None:
        found.customer = ObjectReference(customer_id)
    if sent.items is not None:
        found.items = []
        for line in sent.items:
            shown = LineAnswer(quantity=int(line.quantity) if line.quantity is not None else 1)
            for name in _SAID_OF_LINES:
                if (value := getattr(line, name)) is not None:
                    setattr(shown, name, value)
            for name in ("product", "sku"):
                if (said := getattr(line, name)) is not None:
                    setattr(shown, name, msgspec.to_builtins(said))
            found.items.append(shown)
    return found


def page_answer(unit: Unit, body: QualificationRequest, page: QualifiedPage, what: Judged) -> bytes:
    """One page, sorted as asked for; `what` is what of the rules was judged."""
    described = _Described(unit, body, page, what)
    found = QualifiedList(
        data=[described.answer(one) for one in _sorted(page.found, body)],
        total=len(page.found),
        has_more=page.next is not None,
        more_starting_after=clock.iso_micros(page.next) if page.next is not None else UNSET,
    )
    answer = QualificationAnswer(
        redeemables=found,
        tracking_id=customers.tracking_id(unit.project, page.customer),
        stacking_rules=stacking_rules_view(unit.project.settings.stacking_rules),
    )
    if page.refused is not None:
        answer.refused_redeemables = [_refused(unit, one) for one in page.refused]
    if body.order is not None:
        answer.order = echoed(body.order, page.customer_id)
    return wire.encode(answer)


def _refused(unit: Unit, one: Refused) -> RefusedAnswer:
    why = next(outcome for outcome in one.decision.outcomes if outcome.status != "APPLICABLE")
    return RefusedAnswer(
        id=one.candidate.shown_id,
        object=one.candidate.kind,
        created_at=clock.iso(one.candidate.created_at),
        result=result(why, unit.call),
    )


def _sorted(found: Sequence[Qualified], body: QualificationRequest) -> Sequence[Qualified]:
    """The deals of one page; equal ones, and all where no deal is asked for, from the newest on."""
    rule = body.options.sorting_rule if body.options else None
    if rule not in ("BEST_DEAL", "LEAST_DEAL"):
        return found
    return sorted(found, key=_deal, reverse=rule == "BEST_DEAL")


def _deal(one: Qualified) -> int:
    order = one.decision.order
    return order.total_applied_discount_amount if order is not None else 0


class _Described:
    """What answers show besides the decision, loaded set-wise for a whole page."""

    def __init__(self, unit: Unit, body: QualificationRequest, page: QualifiedPage, what: Judged) -> None:
        self._unit = unit
        self._body = body
        self._what = what
        self._expand = frozenset((body.options.expand if body.options else None) or ())
        asks = [ask for one in page.found for ask in one.asks]
        ids = {ask.category.id for ask in asks if ask.category} if "category" in self._expand else set()
        self._categories = categories.answers(unit.conn, unit.project, ids)
        self._assigned = self._assignments(asks) if "validation_rules" in self._expand else {}

    def _assignments(self, asks: Sequence[Ask]) -> dict[tuple[str, str], list[AssignmentAnswer]]:
        wanted: dict[str, set[str]] = {}
        for ask in asks:
            for kind, id in _assigned_to(ask):
                wanted.setdefault(kind, set()).add(id)
        return {
            (kind, id): found
            for kind, ids in wanted.items()
            for id, found in validation_rules.assignments(self._unit.conn, self._unit.project, kind, ids).items()
        }

    def answer(self, one: Qualified) -> QualifiedAnswer:
        outcomes = one.decision.outcomes
        if one.candidate.kind != "promotion_stack":
            return self._shown(QualifiedAnswer, one.candidate, outcomes[0])
        tiers = [self._shown(QualifiedTier, tier, outcome) for tier, outcome in zip(one.tiers, outcomes, strict=True)]
        found = QualifiedAnswer(
            id=one.candidate.id,
            object="promotion_stack",
            created_at=clock.iso(one.candidate.created_at),
            result=Result(),
            name=one.candidate.name or UNSET,
            redeemables=tiers,
        )
        if self._body.order is not None and one.decision.order is not None:
            found.order = forms.running(one.decision.order)
        return found

    def _shown(self, kind: type[Shown], candidate: Candidate, outcome: Outcome) -> Shown:
        ask = outcome.ask
        own = ask.tier or ask.voucher
        assert own is not None  # what qualifies exists
        found = kind(
            id=candidate.shown_id,
            object=candidate.kind,
            created_at=clock.iso(candidate.created_at),
            result=self._result(outcome),
            applicable_to=ItemList(outcome.applicable_to, len(outcome.applicable_to)),
            inapplicable_to=ItemList(outcome.inapplicable_to, len(outcome.inapplicable_to)),
            metadata={},
            categories=with_stacking_type(self._categories, ask, self._unit.project.settings.stacking_rules),
        )
        if self._body.order is not None and outcome.order is not None:
            found.order = forms.running(outcome.order)
        if ask.tier is not None and ask.tier.banner is not None:
            found.banner = ask.tier.banner
        if "redeemable" in self._expand:
            found.metadata = own.metadata if not self._unit.call.is_client else {}
            found.name = candidate.name if candidate.name is not None else UNSET
            if ask.campaign is not None:
                found.campaign_name, found.campaign_id = ask.campaign.name, ask.campaign.id
        if "validation_rules" in self._expand:
            found.validation_rules_assignments = self._rules(ask)
        return found

    def _result(self, outcome: Outcome) -> Result:
        found, card = result(outcome, self._unit.call), outcome.ask.voucher
        if card is None:
            return found
        if found.gift is not None and self._body.session is not None and self._body.session.type == "LOCK":
            found.gift["locked_credits"] = card.locked(None, self._unit.now)[1]
        if card.type == LOYALTY:
            coin = outcome.ask.offer.coin if outcome.ask.offer else None
            found.loyalty_card = CardPoints(
                card.gift_amount if outcome.points is None else outcome.points,
                card.balance,
                coin.exchange_ratio if coin else None,
                coin.points_ratio if coin else None,
            )
        return found

    def _rules(self, ask: Ask) -> QualifiedAssignmentList:
        left_out = {rules.id: omitted(rules, self._what) for rules in ask.rules}
        found = [
            QualifiedAssignment(
                **msgspec.structs.asdict(one),
                validation_status="PARTIALLY_VALID" if left_out.get(one.rule_id) else "VALID",
                validation_omitted_rules=left_out.get(one.rule_id, []),
            )
            for key in _assigned_to(ask)
            for one in self._assigned[key]
        ]
        return QualifiedAssignmentList(data=found, total=len(found))


def _assigned_to(ask: Ask) -> Iterator[tuple[str, str]]:
    """What rules of a redeemable may be assigned to, in the order in which they are judged."""
    if ask.campaign is not None:
        yield "campaign", ask.campaign.id
    if ask.tier is not None:
        yield "promotion_tier", ask.tier.id
    elif ask.voucher is not None and ask.voucher.id != ask.id:  # a campaign's code that is not made yet is named as it
        yield "voucher", ask.voucher.id
