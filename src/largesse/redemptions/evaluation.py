"""From a request and the books to a decision: the part that validating and redeeming share."""

from typing import Literal

import msgspec

import largesse.customers.service as customers
from largesse.customers.model import StoredCustomer
from largesse.engine.books import Ask
from largesse.engine.decision import Circumstances, Decision, check_request, decide
from largesse.engine.order import Order, OrderInput, check_amount, check_size, normalise, without_applied
from largesse.kernel import wire
from largesse.kernel.call import Call
from largesse.kernel.errors import ApiError
from largesse.kernel.settings import Settings
from largesse.orders.model import StoredOrder
from largesse.redemptions.books import Books
from largesse.redemptions.model import RedeemableInput, StackableRequest

_DEFAULT_STATUS = "PAID"


class Question(msgspec.Struct, frozen=True, eq=False):
    """One validation or redemption. `form` is the endpoint that asks: several redeemables, or the older ones for a single one."""

    body: StackableRequest
    settings: Settings
    form: Literal["stackable", "single"] = "stackable"


class Evaluation(msgspec.Struct, frozen=True):
    """A decision and what it was made for. `customer` is the redeemer as the request describes them (not stored by this)."""

    decision: Decision
    customer: StoredCustomer | None
    customer_is_new: bool
    stored_order: StoredOrder | None
    order: Order | None  # before any redeemable


def evaluate(books: Books, place: int, call: Call, body: StackableRequest, *, session_key: str | None) -> Evaluation:
    """Decides one request against the books, changing nothing. Raises ApiError for what is refused as a whole, unrecorded."""
    project = call.project
    check_body(body)
    asks = [_ask(books, redeemable) for redeemable in body.redeemables]
    refusal = check_request(asks, project.settings.stacking_rules)
    if refusal is not None:
        raise ApiError(refusal)
    sent = body.customer or (body.order.customer if body.order else None)
    found = books.customer(place, sent)
    customer = found if sent is None else customers.merged(found, sent, project, call.now)
    stored, order = _order(books, body.order, customer, found is not None)
    refusal = check_amount(order) if order is not None else None
    if refusal is not None:
        raise ApiError(refusal)
    about = Circumstances(
        rules=project.settings.stacking_rules, now=call.now, zone=project.zone, session_key=session_key
    )
    decision = decide(asks, order, about)
    return Evaluation(decision, customer, found is None, stored, order)


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


def _ask(books: Books, redeemable: RedeemableInput) -> Ask:
    stored = books.voucher(redeemable.id) if redeemable.object == "voucher" else None
    credits = redeemable.gift.credits if redeemable.gift else None
    return Ask(object=redeemable.object, id=redeemable.id, voucher=stored.entry if stored else None, credits=credits)


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
