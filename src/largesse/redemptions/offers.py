"""Promotion tiers, each validated alone: one, or the newest of the project. For the older endpoints of promotions."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy.engine import Connection

import largesse.customers.service as customers
import largesse.promotions.service as promotions
from largesse.engine.books import Ask, Campaign, Tier
from largesse.engine.decision import Outcome, decide
from largesse.kernel import clock, errors, wire
from largesse.kernel.access.projects import current_project
from largesse.kernel.database.alone import each_alone
from largesse.kernel.database.unit import Unit
from largesse.orders import forms
from largesse.orders.model import OrderAnswer
from largesse.redemptions.answers.redeemables import result
from largesse.redemptions.answers.shapes import ItemList
from largesse.redemptions.books import Books
from largesse.redemptions.evaluation import budgets_of, case_of, circumstances, tallies_of
from largesse.redemptions.model import RedeemableInput, StackableRequest
from largesse.redemptions.wanted import wanted_by

MOST = 150  # documented: the newest tiers only


class OfferQuestion(msgspec.Struct, frozen=True, eq=False):
    """What one tier would do, or the newest where `tier_id` is None; `body` names no redeemables."""

    body: StackableRequest
    tier_id: str | None = None


class OfferCampaign(msgspec.Struct, kw_only=True):
    id: str
    start_date: str | None
    expiration_date: str | None
    active: bool
    object: str = "campaign"


class Offer(msgspec.Struct, kw_only=True):
    """A tier and what it would do; `reason` and `error` only where it does not apply."""

    valid: bool
    reason: str | UnsetType = UNSET
    error: dict[str, Any] | UnsetType = UNSET
    applicable_to: ItemList | UnsetType = UNSET
    inapplicable_to: ItemList | UnsetType = UNSET
    tracking_id: str | None
    order: OrderAnswer | UnsetType = UNSET
    id: str
    name: str
    banner: str | UnsetType = UNSET
    discount: Any = None
    start_date: str | UnsetType = UNSET
    expiration_date: str | UnsetType = UNSET
    campaign: OfferCampaign
    hierarchy: int
    discount_amount: int | UnsetType = UNSET
    applied_discount_amount: int | UnsetType = UNSET
    metadata: dict[str, Any]
    category_id: str | None = None
    object: str = "promotion_tier"


class Offers(msgspec.Struct, kw_only=True):
    """The tiers that apply, newest first."""

    valid: bool
    tracking_id: str | None
    promotions: list[Offer]


def validate_tiers(conn: Connection, work: Sequence[tuple[Unit, OfferQuestion]]) -> list[Any]:
    """Decider of the read lane: answers each request as JSON, changing nothing."""
    project = current_project(conn, work[0][0].project)
    now = max(unit.now for unit, _ in work)
    newest: list[str] = []
    if any(question.tier_id is None for _, question in work):
        newest = promotions.newest(conn, project, MOST)
    named = [newest if question.tier_id is None else [question.tier_id] for _, question in work]
    wanted = [
        msgspec.structs.replace(wanted_by(question.body), tiers=tier_ids)
        for (_, question), tier_ids in zip(work, named, strict=True)
    ]
    books = Books(conn, project, wanted, now, lock=False)

    def answer(place: int, unit: Unit, question: OfferQuestion) -> bytes:
        unit.call = msgspec.structs.replace(unit.call, project=project)
        return _offered(books, place, unit, question, named[place])

    return each_alone(answer, work)


def _offered(books: Books, place: int, unit: Unit, question: OfferQuestion, tier_ids: Sequence[str]) -> bytes:
    asks = [ask for id in tier_ids for ask in books.asks(RedeemableInput(object="promotion_tier", id=id)) if ask.tier]
    if question.tier_id is not None and not asks:
        raise errors.not_found("promotion_tier", question.tier_id)
    case = case_of(books, place, unit.call, question.body)
    case = msgspec.structs.replace(case, asks=asks)
    books.load_sums(tallies_of(case, unit.call), lock=False)
    books.load_counters(budgets_of(case), lock=False)
    about = circumstances(books, unit.call, question.body, case.customer, None)
    tracking_id = customers.tracking_id(unit.project, case.customer)
    offers = [_offer(unit, ask, decide([ask], case.order, about).outcomes[0], tracking_id) for ask in asks]
    if question.tier_id is not None:
        return wire.encode(offers[0])
    valid = [offer for offer in offers if offer.valid]
    return wire.encode(Offers(valid=bool(valid), tracking_id=tracking_id, promotions=valid))


def _offer(unit: Unit, ask: Ask, outcome: Outcome, tracking_id: str | None) -> Offer:
    tier = ask.tier
    assert tier is not None  # only asked for where there is one
    found = _described(tier, tracking_id)
    would = result(outcome, unit.call)
    if outcome.status != "APPLICABLE":
        found.reason = (would.details or {}).get("message", "")
        found.error = would.error or UNSET
        return found
    found.valid = True
    found.discount = would.discount
    found.applicable_to = ItemList(outcome.applicable_to, len(outcome.applicable_to))
    found.inapplicable_to = ItemList(outcome.inapplicable_to, len(outcome.inapplicable_to))
    if outcome.order is not None:
        found.order = forms.validated(outcome.order, for_client=unit.call.is_client)
        found.discount_amount = outcome.order.total_discount_amount
        found.applied_discount_amount = outcome.order.total_applied_discount_amount
    return found


def _described(tier: Tier, tracking_id: str | None) -> Offer:
    start, end = clock.iso_or_none(tier.start_date), clock.iso_or_none(tier.expiration_date)
    return Offer(
        valid=False,
        tracking_id=tracking_id,
        id=tier.id,
        name=tier.name,
        banner=tier.banner if tier.banner is not None else UNSET,
        discount=tier.discount,
        start_date=start or UNSET,
        expiration_date=end or UNSET,
        campaign=_campaign(tier.campaign),
        hierarchy=tier.hierarchy,
        metadata=tier.metadata,
        category_id=tier.category.id if tier.category else None,
    )


def _campaign(campaign: Campaign) -> OfferCampaign:
    return OfferCampaign(
        id=campaign.id,
        start_date=clock.iso_or_none(campaign.start_date),
        expiration_date=clock.iso_or_none(campaign.expiration_date),
        active=campaign.active,
    )
