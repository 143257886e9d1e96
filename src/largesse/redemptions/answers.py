"""The wire forms of validations, redemptions and rollbacks: which member is shown where, present and absent as observed."""

from typing import Any, Generic, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

import largesse.customers.service as customers
import largesse.vouchers.service as vouchers
from largesse.customers.model import SimpleCustomer, StoredCustomer
from largesse.engine.books import Voucher
from largesse.engine.decision import Outcome
from largesse.engine.order import Order
from largesse.engine.sessions import Session
from largesse.engine.stacking import StackingRules
from largesse.kernel import clock, ids, wire
from largesse.kernel.database.unit import Unit
from largesse.orders import forms
from largesse.orders.model import OrderAnswer
from largesse.redemptions.books import Books
from largesse.redemptions.evaluation import Evaluation, Question
from largesse.redemptions.model import Record, StackableRequest
from largesse.vouchers.model import SlimVoucher, VoucherAnswer

date = clock.iso
V = TypeVar("V")


class Channel(msgspec.Struct, frozen=True):
    channel_id: str | None
    channel_type: str


class Gift(msgspec.Struct, frozen=True):
    """`amount` in credits: positive when redeemed, negative when rolled back."""

    amount: int


class SessionKey(msgspec.Struct, frozen=True):
    key: str
    type: str = "LOCK"


class Related(msgspec.Struct, frozen=True):
    id: str
    date: str


class RelatedRedemptions(msgspec.Struct, frozen=True):
    rollbacks: list[Related] | UnsetType = UNSET
    redemptions: list[Related] | UnsetType = UNSET


class RedemptionAnswer(msgspec.Struct, Generic[V], kw_only=True):
    """A redemption or a rollback. Members that do not concern it are absent; the voucher is whole, or slim when read back."""

    id: str
    object: str
    date: str
    customer_id: str | None
    tracking_id: str | None
    metadata: dict[str, Any] | None
    amount: int | UnsetType = UNSET
    redemption: str | UnsetType = UNSET
    reason: str | UnsetType = UNSET
    result: str
    status: str
    session: SessionKey | UnsetType = UNSET
    failure_code: str | UnsetType = UNSET
    failure_message: str | UnsetType = UNSET
    related_redemptions: RelatedRedemptions | UnsetType = UNSET
    rollback_order_mode: str | UnsetType = UNSET
    order: OrderAnswer | None = None
    channel: Channel | UnsetType = UNSET
    customer: SimpleCustomer | None = None
    related_object_type: str | UnsetType = UNSET
    related_object_id: str | UnsetType = UNSET
    related_object_parent_id: str | UnsetType = UNSET
    voucher: V | None | UnsetType = UNSET
    gift: Gift | UnsetType = UNSET


Redeemed = RedemptionAnswer[VoucherAnswer]
Historic = RedemptionAnswer[SlimVoucher]


class Result(msgspec.Struct, omit_defaults=True):
    """What one redeemable would do (`discount`, `gift`), or why not (`error`, `details`)."""

    discount: Any = None
    gift: dict[str, int] | None = None
    error: dict[str, Any] | None = None
    details: dict[str, str] | None = None


class RedeemableAnswer(msgspec.Struct, kw_only=True):
    status: str
    id: str
    object: str
    order: OrderAnswer | UnsetType = UNSET
    applicable_to: dict[str, Any] | UnsetType = UNSET
    inapplicable_to: dict[str, Any] | UnsetType = UNSET
    result: Result
    metadata: dict[str, Any] | UnsetType = UNSET
    categories: list[Any] | UnsetType = UNSET
    campaign_name: str | None | UnsetType = UNSET
    campaign_id: str | None | UnsetType = UNSET


class SessionAnswer(msgspec.Struct):
    key: str | None
    type: str
    ttl: int
    ttl_unit: str


class ValidationAnswer(msgspec.Struct, kw_only=True):
    id: str
    valid: bool
    redeemables: list[RedeemableAnswer]
    skipped_redeemables: list[RedeemableAnswer] | UnsetType = UNSET
    inapplicable_redeemables: list[RedeemableAnswer] | UnsetType = UNSET
    order: OrderAnswer | UnsetType = UNSET
    tracking_id: str | None
    session: SessionAnswer | UnsetType = UNSET
    stacking_rules: dict[str, Any]


class RedeemAnswer(msgspec.Struct, kw_only=True):
    redemptions: list[Redeemed]
    parent_redemption: Redeemed | UnsetType = UNSET
    order: OrderAnswer | None
    inapplicable_redeemables: list[RedeemableAnswer]
    skipped_redeemables: list[RedeemableAnswer]


class RollbacksAnswer(msgspec.Struct, kw_only=True):
    rollbacks: list[Redeemed]
    parent_rollback: Redeemed | UnsetType = UNSET
    order: OrderAnswer | None


class RedemptionList(msgspec.Struct, kw_only=True):
    object: str = "list"
    data_ref: str = "redemptions"
    redemptions: list[Historic]
    total: int


class VoucherHistory(msgspec.Struct, kw_only=True):
    quantity: int | None
    redeemed_quantity: int
    redeemed_amount: int | UnsetType = UNSET
    object: str = "list"
    url: str
    data_ref: str = "redemption_entries"
    total: int
    redemption_entries: list[Historic]


# Validations


def validation_answer(unit: Unit, question: Question, evaluation: Evaluation, session: Session | None) -> bytes:
    decision, body = evaluation.decision, question.body
    request_id = unit.call.request_id
    shown = decision.applicable if decision.valid else decision.outcomes
    skipped, inapplicable = decision.skipped, decision.inapplicable
    root: OrderAnswer | UnsetType = UNSET
    if decision.valid and decision.order is not None:
        root = forms.validated(decision.order, for_client=unit.call.is_client)
    found = ValidationAnswer(
        id=ids.hex_id("valid_"),
        valid=decision.valid,
        redeemables=[_redeemable(unit, body, outcome, request_id) for outcome in shown],
        skipped_redeemables=_redeemables(unit, body, skipped) or UNSET,
        inapplicable_redeemables=_redeemables(unit, body, inapplicable) or UNSET,
        order=root,
        tracking_id=customers.tracking_id(unit.project, evaluation.customer),
        session=_session(session) if session is not None and decision.valid else UNSET,
        stacking_rules=stacking_rules_view(unit.project.settings.stacking_rules),
    )
    return wire.encode(found)


def _session(session: Session) -> SessionAnswer:
    return SessionAnswer(session.key, "LOCK", session.effective_ttl, session.effective_unit)


def stacking_rules_view(rules: StackingRules) -> dict[str, Any]:
    """The rules as validations echo them: without the calculation modes; the per-category limits always explicit."""
    shown: dict[str, Any] = msgspec.to_builtins(rules)
    for hidden in ("discount_calculation_mode", "initial_amount_mode_categories", "discounted_amount_mode_categories"):
        shown.pop(hidden, None)
    if shown["grouped_redeemables_sorting_rule"] is None:  # an addition that some SDK models do not know
        del shown["grouped_redeemables_sorting_rule"]
    return shown


def _redeemables(unit: Unit, body: StackableRequest, outcomes: list[Outcome]) -> list[RedeemableAnswer]:
    return [_redeemable(unit, body, outcome, unit.call.request_id) for outcome in outcomes]


def _redeemable(unit: Unit, body: StackableRequest, outcome: Outcome, request_id: str) -> RedeemableAnswer:
    """One redeemable of a validation, or a skipped or inapplicable one of a redemption."""
    expand = body.options.expand if body.options and body.options.expand else ["order"]
    ask = outcome.ask
    entry = ask.voucher
    found = RedeemableAnswer(status=outcome.status, id=ask.id, object=ask.object, result=_result(outcome, request_id))
    if outcome.status == "APPLICABLE":
        if "order" in expand and outcome.order is not None:
            found.order = forms.running(outcome.order)
        found.applicable_to = {
            "data": outcome.applicable_to,
            "total": len(outcome.applicable_to),
            "data_ref": "data",
            "object": "list",
        }
        found.inapplicable_to = {
            "data": outcome.inapplicable_to,
            "total": len(outcome.inapplicable_to),
            "data_ref": "data",
            "object": "list",
        }
    if entry is not None:
        found.metadata = entry.metadata if "redeemable" in expand and not unit.call.is_client else {}
        found.categories = []
        if "redeemable" in expand:
            found.campaign_name, found.campaign_id = entry.campaign, entry.campaign_id
    return found


def _result(outcome: Outcome, request_id: str) -> Result:
    if outcome.refusal is not None:
        refusal = outcome.refusal
        error = {name: value for name, value in msgspec.to_builtins(refusal).items() if value is not None}
        details = {"message": refusal.error.message if refusal.error else refusal.message, "key": refusal.key}
        return Result(error=error | {"request_id": request_id}, details=details)
    if outcome.skip is not None:
        return Result(details={"key": outcome.skip.key, "message": outcome.skip.message})
    entry = outcome.ask.voucher
    if outcome.credits is not None and entry is not None:
        return Result(gift={"balance": entry.balance, "credits": outcome.credits})
    return Result(discount=outcome.discount)


# Redemptions


def redemption_answer(
    books: Books,
    unit: Unit,
    question: Question,
    evaluation: Evaluation,
    records: list[Record],
    parent: Record | None,
    root: Order | None,
) -> bytes:
    """The answer of the stackable endpoint, or of the older ones: the single redemption object itself."""
    customer = customers.simple(evaluation.customer) if evaluation.customer else None
    shown = [_redeemed(books, unit, question, record, customer, stacked=parent is not None) for record in records]
    if question.form == "single":
        return wire.encode(shown[0])
    decision = evaluation.decision
    found = RedeemAnswer(
        redemptions=shown,
        parent_redemption=_parent(parent, customer, unit) if parent else UNSET,
        order=forms.redeemed(root, for_client=unit.call.is_client) if root else None,
        inapplicable_redeemables=_redeemables(unit, question.body, decision.inapplicable),
        skipped_redeemables=_redeemables(unit, question.body, decision.skipped),
    )
    return wire.encode(found)


def _redeemed(
    books: Books, unit: Unit, question: Question, record: Record, customer: SimpleCustomer | None, *, stacked: bool
) -> Redeemed:
    found = _base(record, customer)
    if record.order is not None:
        found.order = (
            forms.child(record.order) if stacked else forms.whole(record.order, for_client=unit.call.is_client)
        )
    stored = books.voucher(record.voucher_id) if record.voucher_id else None
    if stored is not None:
        found.voucher = vouchers.answer(stored, unit.project, question.settings.base_url, assignments=False)
        if unit.call.is_client:
            found.voucher = without_holder(found.voucher)
    return found


def _parent(record: Record, customer: SimpleCustomer | None, unit: Unit) -> Redeemed:
    found = _base(record, customer)
    if record.order is not None:
        found.order = forms.whole(record.order, for_client=unit.call.is_client)
    found.related_object_type, found.related_object_id = "redemption", record.id
    return found


def without_holder(voucher: VoucherAnswer) -> VoucherAnswer:
    """A client-side answer never tells who holds a code."""
    voucher.holder_id = UNSET
    return voucher


def _base(record: Record, customer: SimpleCustomer | None) -> RedemptionAnswer[Any]:
    """The members every form shows."""
    found = RedemptionAnswer[Any](
        id=record.id,
        object=record.object,
        date=clock.iso(record.date),
        customer_id=record.customer_id,
        tracking_id=record.tracking_id,
        metadata=record.metadata,
        result=record.result,
        status=record.status,
        customer=customer,
    )
    if record.amount is not None:
        found.amount = record.amount
        found.gift = Gift(record.amount)
    if record.object == "redemption_rollback":
        found.redemption = record.source_id or UNSET
        found.reason = record.reason if record.reason is not None else UNSET
    elif record.parent_id is not None:
        found.redemption = record.parent_id
    if record.session_key is not None:
        found.session = SessionKey(record.session_key)
    if record.failure_code is not None:
        found.failure_code = record.failure_code
        found.failure_message = record.failure_message or UNSET
    return found


def _related(found: RedemptionAnswer[Any], record: Record) -> None:
    """Names what a record is about and through which key it came: in answers of GET and of rollbacks."""
    found.channel = Channel(record.channel_id, record.channel_type)
    found.related_object_type = record.related_object_type
    found.related_object_id = record.related_object_id or UNSET
    found.related_object_parent_id = record.related_object_parent_id or UNSET


# Rollbacks


def rollback_answer(
    books: Books,
    unit: Unit,
    undo: Any,
    records: list[Record],
    parent: Record | None,
    order: Order | None,
    customer: StoredCustomer | None,
) -> bytes:
    """One rollback object on the single endpoint, the list with its parent on the other."""
    simple = customers.simple(customer) if customer else None
    shown = [_rolled_back(books, unit, undo, record, simple, stacked=parent is not None) for record in records]
    if undo.endpoint == "single":
        return wire.encode(shown[0])
    found = RollbacksAnswer(rollbacks=shown, order=forms.stored(order) if order else None)
    if parent is not None:
        found.parent_rollback = _rolled_back(books, unit, undo, parent, simple, stacked=False)
    return wire.encode(found)


def _rolled_back(
    books: Books, unit: Unit, undo: Any, record: Record, customer: SimpleCustomer | None, *, stacked: bool
) -> Redeemed:
    found = _base(record, customer)
    _related(found, record)
    if record.order is not None:
        found.order = forms.undiscounted(record.order) if stacked else forms.stored(record.order)
    stored = books.voucher(record.voucher_id) if record.voucher_id else None
    found.voucher = vouchers.answer(stored, unit.project, undo.base_url, assignments=False) if stored else None
    return found


# Reading back


def read_back(record: Record, customer: StoredCustomer | None, *, whole: bool) -> Historic:
    """A record as lists and GET show it: slim voucher, channel, related object. `whole` adds the line items of a child's order."""
    found = _base(record, customers.simple(customer) if customer else None)
    _related(found, record)
    if record.order is not None:
        found.order = forms.recorded(
            record.order, is_child=record.parent_id is not None, is_rollback=record.object == "redemption_rollback"
        )
    found.voucher = None
    if record.voucher_id is not None and record.voucher_code is not None:
        found.voucher = SlimVoucher(
            id=record.voucher_id, code=record.voucher_code, campaign=record.campaign, campaign_id=record.campaign_id
        )
    if record.rollback_id is not None and record.rollback_date is not None:
        undone = [Related(record.rollback_id, clock.iso(record.rollback_date))]
        found.related_redemptions = RelatedRedemptions(rollbacks=undone)
        if whole:
            found.rollback_order_mode = record.rollback_order_mode or UNSET
    return found


def relate(found: Historic, children: list[Record]) -> None:
    """Lists a parent's children on its answer."""
    if not children:
        return
    listed = [Related(child.id, clock.iso(child.date)) for child in children if child.object == "redemption"]
    known = found.related_redemptions
    rollbacks = known.rollbacks if isinstance(known, RelatedRedemptions) else UNSET
    found.related_redemptions = RelatedRedemptions(rollbacks=rollbacks, redemptions=listed)


def voucher_history(entry: Voucher, records: list[Historic], total: int) -> VoucherHistory:
    return VoucherHistory(
        quantity=entry.quantity,
        redeemed_quantity=entry.redeemed_quantity,
        redeemed_amount=entry.redeemed_amount if entry.type == "GIFT_VOUCHER" else UNSET,
        url=f"/v1/vouchers/{entry.code}/redemptions?page=1&limit=10",
        total=total,
        redemption_entries=records,
    )
