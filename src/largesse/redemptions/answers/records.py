"""Redemptions and rollbacks in wire form: as they are made, and as they are read back."""

from typing import Any

import msgspec
from msgspec import UNSET

import largesse.customers.service as customers
import largesse.vouchers.service as vouchers
from largesse.customers.model import SimpleCustomer, StoredCustomer
from largesse.engine.books import Voucher
from largesse.engine.order import Order
from largesse.kernel import clock, wire
from largesse.kernel.database.unit import Unit
from largesse.orders import forms
from largesse.promotions.model import TierAnswer
from largesse.redemptions.answers.redeemables import redeemables
from largesse.redemptions.answers.shapes import (
    Channel,
    Gift,
    Historic,
    Points,
    RedeemAnswer,
    Redeemed,
    RedemptionAnswer,
    Related,
    RelatedRedemptions,
    RollbacksAnswer,
    SessionKey,
    VoucherHistory,
)
from largesse.redemptions.books import Books
from largesse.redemptions.evaluation import Evaluation, Question
from largesse.redemptions.model import Record, names_customer
from largesse.vouchers.model import SlimVoucher, VoucherAnswer


def _base(record: Record, customer: SimpleCustomer | None) -> RedemptionAnswer[Any]:
    """The members every form shows."""
    found: RedemptionAnswer[Any] = RedemptionAnswer(  # called plain: a subscript costs at every call
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
        if record.reward is not None:
            found.loyalty_card = Points(record.amount)
        else:
            found.gift = Gift(record.amount)
    if record.reward is not None:
        found.reward = {"customer": customer, **record.reward.shown}
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
    """Names what a record is about and through which key it came: in answers of GET, of rollbacks and of a single reward."""
    found.channel = Channel(record.channel_id, record.channel_type)
    found.related_object_type = record.related_object_type
    found.related_object_id = record.related_object_id or UNSET
    found.related_object_parent_id = record.related_object_parent_id or UNSET


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
    knows = not unit.call.is_client or names_customer(question.body)  # who has a card's code need not know its holder
    customer = customers.simple(evaluation.customer) if evaluation.customer and knows else None
    if not knows:
        records = [_of_nobody(one) for one in records]
        parent, root = parent and _of_nobody(parent), root and forms.of_nobody(root)
    shown = [_redeemed(books, unit, question, record, customer, stacked=parent is not None) for record in records]
    if question.form == "single":
        return wire.encode(shown[0])
    decision = evaluation.decision
    found = RedeemAnswer(
        redemptions=shown,
        parent_redemption=_parent(parent, customer, unit) if parent else UNSET,
        order=forms.redeemed(root, for_client=unit.call.is_client) if root else None,
        inapplicable_redeemables=redeemables(books, unit.call, question.body, decision.inapplicable),
        skipped_redeemables=redeemables(books, unit.call, question.body, decision.skipped),
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
    _show_redeemed(books, found, record, question.settings.base_url)
    if question.form == "single" and record.reward is not None and not unit.call.is_client:
        _related(found, record)  # documented for rewards alone
    if unit.call.is_client:
        _leave_out_holder(found, record, customer)
    return found


def _of_nobody(record: Record) -> Record:
    return msgspec.structs.replace(
        record, customer_id=None, tracking_id=None, order=record.order and forms.of_nobody(record.order)
    )


def _leave_out_holder(found: Redeemed, record: Record, customer: SimpleCustomer | None) -> None:
    """A client-side answer never tells who holds a code, nor who redeemed a card unless the client said so."""
    if isinstance(found.voucher, VoucherAnswer):
        found.voucher = without_holder(found.voucher)
    if record.reward is None:
        return
    shown = {**record.reward.shown, "customer": customer}
    if isinstance(shown.get("voucher"), VoucherAnswer):
        shown["voucher"] = without_holder(msgspec.structs.replace(shown["voucher"]))
    found.reward = shown


def _show_redeemed(books: Books, found: Redeemed, record: Record, base_url: str) -> None:
    """The whole voucher or tier, as the request leaves it."""
    stored = books.voucher(record.voucher_id) if record.voucher_id else None
    if stored is not None:
        found.voucher = vouchers.answer(stored, base_url, books.categories.get(stored.entry.category_id or ""))
    if record.promotion_tier_id is not None and (tier := books.tier_answer(record.promotion_tier_id)) is not None:
        found.promotion_tier = tier


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


def rollback_answer(
    books: Books,
    undo: Any,
    records: list[Record],
    parent: Record | None,
    order: Order | None,
    customer: StoredCustomer | None,
) -> bytes:
    """One rollback object on the single endpoint, the list with its parent on the other."""
    simple = customers.simple(customer) if customer else None
    shown = [_rolled_back(books, undo, record, simple, stacked=parent is not None) for record in records]
    if undo.endpoint == "single":
        return wire.encode(shown[0])
    found = RollbacksAnswer(rollbacks=shown, order=forms.stored(order) if order else None)
    if parent is not None:
        found.parent_rollback = _rolled_back(books, undo, parent, simple, stacked=False)
    return wire.encode(found)


def _rolled_back(
    books: Books, undo: Any, record: Record, customer: SimpleCustomer | None, *, stacked: bool
) -> Redeemed:
    found = _base(record, customer)
    _related(found, record)
    if record.order is not None:
        found.order = forms.undiscounted(record.order) if stacked else forms.stored(record.order)
    found.voucher = None
    _show_redeemed(books, found, record, undo.base_url)
    return found


def read_back(record: Record, customer: StoredCustomer | None, tier: TierAnswer | None, *, whole: bool) -> Historic:
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
    if tier is not None:
        found.promotion_tier = tier
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
        redeemed_points=entry.redeemed_amount if entry.type == "LOYALTY_CARD" else UNSET,
        url=f"/v1/vouchers/{entry.code}/redemptions?page=1&limit=10",
        total=total,
        redemption_entries=records,
    )
