"""From a request and the books to a decision: the part that validating and redeeming share."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Literal

import msgspec

import largesse.customers.service as customers
import largesse.orders.service as orders
from largesse.customers.model import StoredCustomer
from largesse.engine import budgets
from largesse.engine.books import Ask
from largesse.engine.circumstances import Circumstances
from largesse.engine.customer import CustomerFacts
from largesse.engine.decision import Decision, check_request, decide
from largesse.engine.order import Order, OrderInput, check_amount, check_size, normalise, without_applied
from largesse.engine.tallies import Tally, wanted_tallies
from largesse.kernel import wire
from largesse.kernel.call import Call
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import ApiError
from largesse.kernel.settings import Settings
from largesse.orders.model import StoredOrder
from largesse.redemptions.books import Books
from largesse.redemptions.model import StackableRequest, explains

_DEFAULT_STATUS = "PAID"


class Member(msgspec.Struct, frozen=True):
    """The one redeemable must be a loyalty card, of this program where the path names one (by id or name)."""

    program: str | None = None


class Question(msgspec.Struct, frozen=True, eq=False):
    """One validation or redemption. `form` is the endpoint that asks: several redeemables, or the older ones for a single one."""

    body: StackableRequest
    settings: Settings
    form: Literal["stackable", "single"] = "stackable"
    member: Member | None = None


class Case(msgspec.Struct, frozen=True):
    """What a request asks for, of whom, on which order: all that a decision is made from, before it is made.

    `customer` is the redeemer as the request describes them (not stored by this), `order` the order before any redeemable.
    """

    asks: list[Ask]
    customer: StoredCustomer | None
    customer_is_new: bool
    stored_order: StoredOrder | None
    order: Order | None


class Evaluation(Case, frozen=True):
    """A case decided."""

    decision: Decision


def load_budgets(books: Books, work: Sequence[tuple[Unit, StackableRequest]], *, lock: bool) -> None:
    """Loads the limits over time that the decisions of a batch may read, in one query; none where no rule has any.

    A request that cannot be put as a case here fails when its turn comes; a budget missed because an earlier request of the batch
    changed the order stands at 0, and what would overspend it is refused by the statement and decided again.
    """
    cases: list[Case] = []
    tallies: set[Tally] = set()
    for place, (unit, body) in enumerate(work) if books.has_rules else ():
        with suppress(ApiError):
            cases.append(case := case_of(books, place, unit.call, body))
            tallies |= tallies_of(case, unit.call)
    books.load_sums(tallies, lock=lock)
    keys = {key for case in cases for key in budgets_of(case)} | {key for case in cases for key in rewards_of(case)}
    books.load_counters(keys, lock=lock)


def budgets_of(case: Case) -> list[str]:
    """The keys of the limits over time that the case may meet."""
    return budgets.wanted(case.asks, case.order, case.customer.id if case.customer else None)


def rewards_of(case: Case) -> list[str]:
    """The rewards asked for of which there may be a stock."""
    offers = [ask.offer for ask in case.asks if ask.offer is not None]
    return [offer.reward_id for offer in offers if offer.assignment and offer.assignment.reward.parameters.product]


def tallies_of(case: Case, call: Call) -> set[Tally]:
    """The sums over history that the rules of the case may ask for."""
    customer_id = case.customer.id if case.customer else None
    return wanted_tallies(case.asks, call.now, call.project.calendar, customer_id, call.caller.key_id)


def evaluate(
    books: Books, place: int, call: Call, body: StackableRequest, *, session_key: str | None, explain: bool = False
) -> Evaluation:
    """Decides one request against the books, changing nothing. Raises ApiError for what is refused as a whole, unrecorded.

    `explain` makes refusals carry the conditions that failed, whether or not the request asked for them.
    """
    case = case_of(books, place, call, body)
    about = circumstances(books, call, body, case.customer, session_key)
    if explain and not about.explains:
        about = msgspec.structs.replace(about, explains=True)
    decision = decide(case.asks, case.order, about)
    return Evaluation(case.asks, case.customer, case.customer_is_new, case.stored_order, case.order, decision)


def circumstances(
    books: Books, call: Call, body: StackableRequest, customer: StoredCustomer | None, session_key: str | None
) -> Circumstances:
    """What the redeemables of one request are judged by."""
    return Circumstances(
        rules=call.project.settings.stacking_rules,
        now=call.now,
        zone=call.project.zone,
        first_weekday=call.project.settings.first_weekday,
        session_key=session_key,
        customer=_facts(books, call, customer) if customer else None,
        metadata=body.metadata,
        api_key=call.caller.key_id,
        catalog=books.catalog,
        collections=books.collections.at(call),
        budgets=books.budgets,
        tallies=books.tallies,
        stocks=books.stocks,
        explains=explains(body) and not call.is_client,  # rules and profiles are not for everybody to see
    )


def _facts(books: Books, call: Call, customer: StoredCustomer) -> CustomerFacts:
    return CustomerFacts(
        customer.id,
        customer.metadata,
        customer.birthdate,
        lambda segment_id: books.is_in(segment_id, customer, call),
        lambda tier_id: books.holds(tier_id, customer.id, call.now),
    )


def case_of(books: Books, place: int, call: Call, body: StackableRequest) -> Case:
    """Raises ApiError for a request that is refused as a whole."""
    check_body(body)
    asks = [ask for redeemable in body.redeemables for ask in books.asks(redeemable)]
    kinds = [redeemable.object for redeemable in body.redeemables]
    named = asks
    if "promotion_stack" in kinds:  # judged as it was sent, before its tiers stand for it
        named = [Ask(redeemable.object, redeemable.id) for redeemable in body.redeemables]
    refusal = check_request(named, call.project.settings.stacking_rules)
    if refusal is not None:
        raise ApiError(refusal)
    sent = body.customer or (body.order.customer if body.order else None)
    found = books.customer(place, sent)
    if found is None and sent is None and body.tracking_id is None:
        found = books.holder(asks)
    customer = found if sent is None else customers.merged(found, sent, call.project, call.now)
    stored, order = _order(books, body.order, customer, found is not None)
    refusal = check_amount(order) if order is not None else None
    if refusal is not None:
        raise ApiError(refusal)
    return Case(asks, customer, found is None, stored, order)


def check_body(body: StackableRequest) -> None:
    """What the types cannot say: sizes of metadata and of the order."""
    wire.check_metadata(body.metadata)
    if body.customer is not None:
        wire.check_metadata(body.customer.metadata)
    if body.order is not None:
        wire.check_metadata(body.order.metadata)
        refusal = check_size(body.order)
        if refusal is not None:
            raise ApiError(refusal)


def check_metadata(books: Books, body: StackableRequest, case: Case, *, creates: bool) -> None:
    """Refuses metadata that is not as its schema says (400 `metadata_validation_failed`), unrecorded.

    What `creates` has to bring along everything required; other requests are held to what they say (our decision).
    """
    if not books.project.described:
        return
    schemas = books.schemas
    sent = body.customer or (body.order.customer if body.order else None)
    if sent is not None and case.customer is not None:
        customers.check_metadata(schemas, sent, case.customer, is_new=creates and case.customer_is_new)
    if creates:
        schemas.check_new("redemption", body.metadata)
    else:
        schemas.check_changed("redemption", body.metadata, body.metadata)
    order = body.order
    if order is None:
        return
    if creates and case.stored_order is None:
        schemas.check_new("order", order.metadata)
    elif case.stored_order is None or order.id:
        schemas.check_changed("order", order.metadata, case.order.metadata if case.order else None)
    orders.check_items(schemas, order, new=creates and case.stored_order is None)


def _order(
    books: Books, sent: OrderInput | None, customer: StoredCustomer | None, customer_exists: bool
) -> tuple[StoredOrder | None, Order | None]:
    """The order a request is about: new, stored, or stored and overwritten.

    Documented: named by `id`, what the request carries overwrites the stored order; named by `source_id`, the stored one wins.
    """
    if sent is None:
        return None, None
    stored = books.order(sent)
    customer_id = customer.id if customer is not None and customer_exists else None
    if stored is None:
        order = normalise(sent, books.catalog)
        return None, msgspec.structs.replace(order, customer_id=customer_id)
    order = without_applied(stored.order)
    if sent.id and (sent.items is not None or sent.amount is not None or sent.metadata is not None):
        order = _overwritten(order, sent, books)
    status = sent.status or order.status
    if sent.status is None and status != "FULFILLED":
        status = _DEFAULT_STATUS
    return stored, msgspec.structs.replace(order, status=status, customer_id=order.customer_id or customer_id)


def _overwritten(order: Order, sent: OrderInput, books: Books) -> Order:
    metadata = wire.merge_metadata(order.metadata or {}, sent.metadata) if sent.metadata else order.metadata
    if sent.items is None and sent.amount is None:
        return msgspec.structs.replace(order, metadata=metadata)
    fresh = normalise(sent, books.catalog)
    amount = fresh.amount if fresh.amount is not None else order.amount
    return msgspec.structs.replace(
        order,
        amount=amount,
        initial_amount=None,
        lines=fresh.lines if sent.items is not None else order.lines,
        discount_amount=min(order.discount_amount, amount or 0),
        metadata=metadata,
    )
