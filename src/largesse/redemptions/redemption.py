"""Redeeming: decide, then record uses, credits, order, customer and history in one transaction."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import msgspec
from sqlalchemy.engine import Connection

import largesse.campaigns.service as campaigns
import largesse.customers.service as customers
import largesse.orders.service as orders
import largesse.products.service as products
import largesse.vouchers.service as vouchers
from largesse.customers.model import Counts
from largesse.engine.books import Ask, Tier
from largesse.engine.decision import Decision, Outcome, Posting, commit
from largesse.engine.order import Order, without_applied
from largesse.engine.preconditions import LOYALTY
from largesse.engine.refusal import Refusal
from largesse.kernel import clock, errors, ids, ledger
from largesse.kernel.database.alone import each_alone
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import ApiError
from largesse.orders.model import StoredOrder
from largesse.points.cards import Operation
from largesse.redemptions.answers.records import redemption_answer
from largesse.redemptions.books import Books
from largesse.redemptions.evaluation import Evaluation, Question, check_metadata, evaluate, load_budgets
from largesse.redemptions.model import AUTO_REDEEM, Record, StackableRequest, explains
from largesse.redemptions.opening import open_books
from largesse.redemptions.rewarding import Issued, about, credit, issue, tell
from largesse.redemptions.wanted import wanted_by
from largesse.vouchers.model import StoredVoucher


def redeem(conn: Connection, work: Sequence[tuple[Unit, Question]]) -> list[Any]:
    """Decider: answers each request as JSON, or with the ApiError that refuses it (its failure record is in the batch)."""
    first = work[0][0]
    now = max(unit.now for unit, _ in work)
    wanted = [wanted_by(question.body) for _, question in work]
    books = open_books(conn, first.project, wanted, now, lock=True, settler=first)
    project = books.project
    for unit, _ in work:
        unit.is_current = True
        if unit.call.project is not project:
            unit.call = msgspec.structs.replace(unit.call, project=project)
    load_budgets(books, [(unit, question.body) for unit, question in work], lock=True)
    # Nothing of a request that fails in a decision is in the books yet.
    found = each_alone(lambda place, unit, question: _redeem_one(books, place, unit, question), work)
    books.save([unit for unit, _ in work], now, with_commit=True)
    return found


def _redeem_one(books: Books, place: int, unit: Unit, question: Question) -> bytes | ApiError:
    body = question.body
    session_key = body.session.key if body.session else None
    check_member(books, unit, question)
    explain = unit.project.settings.explanation_days > 0
    evaluation = evaluate(books, place, unit.call, body, session_key=session_key, explain=explain)
    check_metadata(books, body, evaluation, creates=True)
    if evaluation.decision.failure is not None:
        return _record_failure(books, unit, question, evaluation, evaluation.decision.failure)
    issued = _issued(books, unit, question, evaluation)
    if isinstance(issued, Refusal):
        return _record_failure(books, unit, question, evaluation, issued)
    return _grant(books, unit, question, evaluation, session_key, issued)


def check_member(books: Books, unit: Unit, question: Question) -> None:
    """Raises ApiError 404 where the path names no loyalty card, or one of another program."""
    if question.member is None:
        return
    key = question.body.redeemables[0].id
    stored, program = books.voucher(key), question.member.program
    entry = stored.entry if stored else None
    if program is not None and (entry is None or program not in (entry.campaign_id, entry.campaign)):
        campaigns.find(unit, program)
        raise errors.not_found("voucher", key)
    if entry is None or entry.type != LOYALTY:
        raise errors.not_found("voucher", key)


def _issued(books: Books, unit: Unit, question: Question, evaluation: Evaluation) -> Mapping[str, Issued] | Refusal:
    """By the card's id what the rewards of a request hand out. A refusal, and nothing handed out, where one of them cannot."""
    asks = [outcome.ask for outcome in evaluation.decision.applicable if outcome.ask.offer is not None]
    found: dict[str, Issued] = {}
    customer = evaluation.customer
    if not asks or customer is None:
        return found
    known = books.cards.known()
    ask = asks[0]
    try:
        with unit.attempt() if any(map(_hands_out, asks)) else nullcontext():
            for ask in asks:
                if ask.voucher is not None and ask.offer is not None:
                    found[ask.voucher.id] = issue(books, unit, customer, ask.offer, question.settings.base_url)
    except ApiError as error:
        books.cards.forget_all_but(known)
        return msgspec.structs.replace(error.refusal, redeemable_type=ask.object, redeemable_id=ask.id)
    return found


def _hands_out(ask: Ask) -> bool:
    """Whether the reward may make or publish a code."""
    assignment = ask.offer.assignment if ask.offer else None
    return assignment is not None and assignment.reward.parameters.campaign is not None


# Success


def _grant(
    books: Books,
    unit: Unit,
    question: Question,
    evaluation: Evaluation,
    session_key: str | None,
    issued: Mapping[str, Issued],
) -> bytes:
    body, decision = question.body, evaluation.decision
    if body.order is not None:
        products.override(unit, body.order)
    evaluation = _keep_customer(books, unit, question, evaluation)
    applied = decision.applicable
    parent_id = ids.hex_id("r_") if len(applied) > 1 else None
    record_ids = [ids.hex_id("r_") for _ in applied]
    root = _keep_order(books, unit, evaluation, decision, parent_id, record_ids)
    commit(decision, session_key, books.budgets, books.tallies, books.stocks)
    evaluation = _unexplained(evaluation, unit, body)
    records = [
        child(books, unit, body, evaluation, outcome, record_id, parent_id, root, issued)
        for outcome, record_id in zip(applied, record_ids, strict=True)
    ]
    books.note_decision(parent_id or record_ids[0], decision)  # with points as they are after they were spent
    parent = None
    if parent_id is not None:
        parent = _record(unit, body, evaluation, parent_id, session_key)
        parent.order, parent.order_id = root, root.id if root else None
        parent.related_object_type, parent.related_object_id = "redemption", parent_id
        books.records.append(parent)
    books.records.extend(records)
    counts = Counts(
        total_succeeded=len(applied),
        gift_redeemed_amount=sum(outcome.credits or 0 for outcome in applied),
    )
    books.count(evaluation.customer, counts)
    held = [outcome.ask.voucher.id for outcome in applied if outcome.ask.voucher]
    if session_key and held:
        books.free_locks(session_key, held)
    return redemption_answer(books, unit, question, evaluation, records, parent, root)


def child(
    books: Books,
    unit: Unit,
    body: StackableRequest,
    evaluation: Evaluation,
    outcome: Outcome,
    record_id: str,
    parent_id: str | None,
    root: Order | None,
    issued: Mapping[str, Issued],
    channel: tuple[str, str] | None = None,
) -> Record:
    """The record of one applied redeemable, with its postings, counters and events noted in the books.

    `channel` (type and id) is where it came from, unless from a key.
    """
    record = _record(unit, body, evaluation, record_id, body.session.key if body.session else None)
    if channel is not None:
        record.channel_type, record.channel_id = channel
    record.parent_id = parent_id
    record.order = root
    if parent_id is not None and outcome.order is not None and root is not None:
        record.order = msgspec.structs.replace(outcome.order, id=root.id, source_id=root.source_id)
    record.order_id = root.id if root else None
    if outcome.order is not None:
        record.order_amount = outcome.order.amount
        record.discount_amount = outcome.order.total_applied_discount_amount
    _relate(record, outcome.ask)
    for posting in (*outcome.postings, *_tier_amounts(outcome.ask.tier, record)):
        if posting.account == ledger.POINTS:  # posted bucket by bucket where they are spent
            continue
        entry = ledger.Entry(posting.account, posting.subject_id, posting.amount, "redemption", record_id, unit.now)
        books.post(entry, posting.most)
    if outcome.credits is not None:
        record.amount = outcome.credits
    stored = books.voucher(outcome.ask.id) if outcome.ask.voucher else None
    if stored is not None:
        stored.updated_at = unit.now
    if stored is not None and outcome.credits:
        transaction = vouchers.redemption_transaction(
            stored, outcome.credits, record.order, redemption_id=record_id, now=unit.now
        )
        books.transactions.append(transaction)
        refers = {"transaction": transaction.id, "redemption": record_id}
        unit.record("voucher.gift.transaction.created", stored.entry.id, refers, about=stored)
    unit.record("redemption.succeeded", record_id, customer_id=record.customer_id)
    if stored is not None and stored.entry.id in issued:
        _give_reward(books, unit, evaluation, outcome, record, stored, issued[stored.entry.id])
    return record


def _give_reward(
    books: Books,
    unit: Unit,
    evaluation: Evaluation,
    outcome: Outcome,
    record: Record,
    stored: StoredVoucher,
    issued: Issued,
) -> None:
    """Takes the points and gives what they are for."""
    cards, offer, customer = books.cards.of(stored), outcome.ask.offer, evaluation.customer
    assert cards is not None  # its holder was locked with the customers, as a reward was asked for
    assert offer is not None
    assert customer is not None
    record.amount, record.reward = outcome.points or 0, issued.granted
    told = about(offer, record.order)
    if outcome.points:
        operation: Operation = "AUTOMATIC" if record.channel_type == AUTO_REDEEM else "MANUAL"
        cards.spend(unit, stored, outcome.points, record.id, about=told, operation=operation)
    credit(books, unit, issued, record, told)
    tell(unit, record, stored, customer)


def _tier_amounts(tier: Tier | None, record: Record) -> list[Posting]:
    """What a tier's statistics gain besides its use: the order's amount and what was taken off it."""
    if tier is None:
        return []
    sums = ((ledger.TIER_ORDERS, record.order_amount), (ledger.TIER_DISCOUNTS, record.discount_amount))
    return [Posting(account, tier.id, amount) for account, amount in sums if amount]


def _keep_customer(books: Books, unit: Unit, question: Question, evaluation: Evaluation) -> Evaluation:
    """Creates or updates the customer the request describes. A client-side call does so only where the project allows it."""
    customer = evaluation.customer
    sent = question.body.customer or (question.body.order.customer if question.body.order else None)
    if customer is None or sent is None:
        return evaluation
    if unit.call.is_client and not unit.project.settings.client_create_customer_enabled:
        return msgspec.structs.replace(evaluation, customer=None) if evaluation.customer_is_new else evaluation
    if evaluation.customer_is_new or customers.describes(sent):
        books.keep_customer(unit, customer, is_new=evaluation.customer_is_new)
    return evaluation


def _keep_order(
    books: Books,
    unit: Unit,
    evaluation: Evaluation,
    decision: Decision,
    parent_id: str | None,
    record_ids: list[str],
) -> Order | None:
    """Stores the order as the request leaves it and answers it with this request's applied amounts."""
    order = decision.order
    if order is None:
        return None
    customer = evaluation.customer
    before = evaluation.stored_order
    key = parent_id or record_ids[0]
    root = msgspec.structs.replace(
        order,
        id=order.id or orders.new_order_id(),
        status=order.status or "PAID",
        created_at=order.created_at if before else unit.now,
        updated_at=unit.now if before else None,
        customer_id=order.customer_id or (customer.id if customer else None),
        redemptions={**(order.redemptions or {}), key: _order_entry(unit, decision, parent_id, record_ids)},
    )
    after = StoredOrder(order=without_applied(root))
    books.keep_order(unit, before, after, key)
    books.count(customer, orders.summary_delta(unit, before, after))
    return root


def _order_entry(unit: Unit, decision: Decision, parent_id: str | None, record_ids: list[str]) -> dict[str, Any]:
    """What the order's `redemptions` map says of this request: a single redemption, or a parent with its children."""
    entry: dict[str, Any] = {"date": clock.iso(unit.now)}
    if parent_id is not None:
        return entry | {"related_object_type": "redemption", "related_object_id": parent_id, "stacked": record_ids}
    ask = decision.applicable[0].ask
    redeemed = ask.tier or ask.voucher
    entry |= {"related_object_type": ask.object, "related_object_id": redeemed.id if redeemed else ask.id}
    campaign_id = ask.tier.campaign.id if ask.tier else ask.voucher.campaign_id if ask.voucher else None
    if campaign_id is not None:
        entry["related_object_parent_id"] = campaign_id
    return entry


# Failure


def _record_failure(books: Books, unit: Unit, question: Question, evaluation: Evaluation, refusal: Refusal) -> ApiError:
    """Writes the failure record and the customer; nothing else of a refused request is kept."""
    evaluation = _keep_customer(books, unit, question, evaluation)
    record = _record(unit, question.body, evaluation, ids.hex_id("rf_"), None)
    record.result, record.status = "FAILURE", "FAILED"
    record.failure_code, record.failure_message = refusal.key, refusal.message
    record.related_object_type, record.related_object_id = "redemption", record.id
    if len(question.body.redeemables) == 1 and question.body.redeemables[0].object != "promotion_stack":
        _relate(record, evaluation.asks[0])
    books.records.append(record)
    books.note_decision(record.id, evaluation.decision)
    books.count(evaluation.customer, Counts(total_failed=1))
    unit.record("redemption.failed", record.id, customer_id=record.customer_id)
    shown = refusal.explanation if _may_see_why(unit, question.body) else None
    told = {"resource_id": record.id, "resource_type": "redemption", "explanation": shown}
    return ApiError(msgspec.structs.replace(refusal, **told))


def _may_see_why(unit: Unit, body: StackableRequest) -> bool:
    return explains(body) and not unit.call.is_client


def _unexplained(evaluation: Evaluation, unit: Unit, body: StackableRequest) -> Evaluation:
    """Without the explanations that are stored but were not asked for."""
    decision = evaluation.decision
    if _may_see_why(unit, body) or not any(one.refusal and one.refusal.explanation for one in decision.outcomes):
        return evaluation
    outcomes = [
        msgspec.structs.replace(one, refusal=msgspec.structs.replace(one.refusal, explanation=None))
        if one.refusal
        else one
        for one in decision.outcomes
    ]
    return msgspec.structs.replace(evaluation, decision=msgspec.structs.replace(decision, outcomes=outcomes))


def _record(
    unit: Unit, body: StackableRequest, evaluation: Evaluation, record_id: str, session_key: str | None
) -> Record:
    """What every record of one request shares."""
    customer = evaluation.customer
    return Record(
        id=record_id,
        object="redemption",
        date=unit.now,
        result="SUCCESS",
        status="SUCCEEDED",
        customer_id=customer.id if customer else None,
        tracking_id=customers.tracking_id(unit.project, customer),
        metadata=body.metadata,
        session_key=session_key,
        channel_id=unit.call.caller.key_id,
    )


def _relate(record: Record, ask: Ask) -> None:
    """Relates a record to the voucher or tier asked for, if there is one."""
    if ask.tier is not None:
        tier = ask.tier
        record.related_object_type, record.related_object_id = "promotion_tier", tier.id
        record.promotion_tier_id = tier.id
        record.campaign, record.campaign_id = tier.campaign.name, tier.campaign.id
        record.related_object_parent_id = tier.campaign.id
    elif ask.voucher is not None:
        voucher = ask.voucher
        record.related_object_type, record.related_object_id = "voucher", voucher.id
        record.voucher_id, record.voucher_code = voucher.id, voucher.code
        record.campaign, record.campaign_id = voucher.campaign, voucher.campaign_id
        record.related_object_parent_id = voucher.campaign_id
