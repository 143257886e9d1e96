"""Rolling back: post the negation of what was recorded, mark both sides, give the order its amounts back.

Nothing is computed again: uses and credits return by the postings of the redemption, amounts by the order it recorded.
"""

from collections.abc import Sequence, Set
from typing import Any, Literal

import msgspec
from sqlalchemy.engine import Connection

import largesse.customers.service as customers
import largesse.orders.service as orders
import largesse.vouchers.service as vouchers
from largesse.customers.model import Counts, CustomerInput, StoredCustomer
from largesse.engine.order import Order
from largesse.engine.rollback import rollback_deadline, undo_order
from largesse.kernel import clock, errors, ids, ledger, wire
from largesse.kernel.access.projects import current_project
from largesse.kernel.database.alone import each_alone
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import ApiError, invalid
from largesse.orders.model import StoredOrder
from largesse.redemptions import store
from largesse.redemptions.answers.records import rollback_answer
from largesse.redemptions.books import Books
from largesse.redemptions.model import OrderReference, Record, RollbackInput
from largesse.redemptions.unrewarding import KEEP, OF_REWARDS, check_card, undo_reward, used_already
from largesse.redemptions.wanted import Wanted

Endpoint = Literal["single", "stacked"]
WITHOUT_ORDER = "WITHOUT_ORDER"


class Undo(msgspec.Struct, frozen=True, eq=False):
    """A rollback asked for: of one redemption (`single`), or of a stack or a single one (`stacked`)."""

    redemption_id: str
    body: RollbackInput
    endpoint: Endpoint
    base_url: str
    period_months: int


def rollback(conn: Connection, work: Sequence[tuple[Unit, Undo]]) -> list[Any]:
    """Decider: answers each request as JSON, or with the ApiError that refuses it."""
    project = current_project(conn, work[0][0].project)
    now = max(unit.now for unit, _ in work)
    history = store.with_children(conn, project.id, {undo.redemption_id for _, undo in work}, lock=True)
    postings = ledger.caused_by(conn, project.id, history)
    wanted = [wanted_by(undo, history) for _, undo in work]
    books = Books(conn, project, wanted, now, lock=True, binned=True, settler=work[0][0])
    books.load_freed(record for record in history.values() if _counts(record))
    books.load_counters(_counted(postings), lock=True)
    paid_by = {record.voucher_id for record in history.values() if record.reward is not None and record.voucher_id}
    usable = vouchers.load(conn, project, paid_by, lock=False).keys() if paid_by else frozenset[str]()

    def answer(place: int, unit: Unit, undo: Undo) -> bytes | ApiError:
        unit.call, unit.is_current = msgspec.structs.replace(unit.call, project=project), True
        return _Undoing(books, place, unit, undo, history, postings, usable).answer()

    found = each_alone(answer, work)  # nothing of a request that fails in its checks is in the books yet
    books.save([unit for unit, _ in work], now, with_commit=True)
    return found


def _counts(record: Record) -> bool:
    """Whether rules count it: a redemption that stands, and not the one that stands for a stack."""
    return record.object == "redemption" and record.status == "SUCCEEDED" and not record.is_parent


def _counted(postings: dict[str, list[ledger.Posting]]) -> set[str]:
    """The limits over time and the rewards that get units back."""
    posted = [posting for caused in postings.values() for posting in caused]
    return {
        posting.subject_id for posting in posted if posting.account in (ledger.DISCOUNTED_UNITS, ledger.REWARD_USES)
    }


def wanted_by(undo: Undo, history: dict[str, Record]) -> Wanted:
    """Whom and what a rollback touches: the redemption's customer and order, the vouchers and tiers of its children."""
    source = history.get(undo.redemption_id)
    if source is None:
        return Wanted()
    used = [record for record in history.values() if source.id in (record.id, record.parent_id)]
    cards = [id for record in used if record.reward for id in (record.voucher_id, *record.reward.voucher_ids) if id]
    return Wanted(
        CustomerInput(id=source.customer_id) if source.customer_id else None,
        vouchers=[*(record.voucher_id for record in used if record.voucher_id), *cards],
        cards=dict.fromkeys(cards),
        tiers=[record.promotion_tier_id for record in used if record.promotion_tier_id],
        order=OrderReference(id=source.order_id) if source.order_id else None,
    )


class _Undoing:
    """One rollback: its checks in their order, then its effects."""

    def __init__(
        self,
        books: Books,
        place: int,
        unit: Unit,
        undo: Undo,
        history: dict[str, Record],
        postings: dict[str, list[ledger.Posting]],
        usable: Set[str],
    ) -> None:
        """`usable` are the ids of the cards among all that paid for rewards that are not deleted."""
        self._books = books
        self._place = place
        self._unit = unit
        self._undo = undo
        self._history = history
        self._postings = postings
        self._usable = usable

    def answer(self) -> bytes | ApiError:
        body = self._undo.body
        self._books.schemas.check_changed("redemption", body.metadata, body.metadata)
        if body.customer is not None:
            self._books.schemas.check_changed("customer", body.customer.metadata, body.customer.metadata)
        source = self._source()
        customer = self._customer(source)
        self._check_order(source)
        refusal = self._refusal(source) or self._rewards_refusal(source)
        if refusal is not None:
            return self._fail(source, customer, refusal)
        return self._succeed(source, customer)

    # Checks

    def _source(self) -> Record:
        """The redemption to undo: successful, and not part of a stack."""
        undo = self._undo
        source = self._history.get(undo.redemption_id)
        if source is None:
            raise errors.not_found("redemption", undo.redemption_id)
        if source.parent_id is not None:
            raise invalid(
                "invalid_redemption_parent",
                "Invalid redemption parent",
                "You can rollback only a redemption that does not have parent redemption.",
            )
        if source.object != "redemption" or source.result != "SUCCESS":
            raise invalid(
                "invalid_redemption",
                "Invalid redemption",
                "You can rollback only a successful redemption; this is a failed one or a rollback.",
            )
        if source.is_parent and undo.endpoint == "single":
            raise invalid(
                "invalid_redemption",
                "Invalid redemption",
                "You can rollback only a single redemption. Use different endpoint for stacked redemption.",
            )
        return source

    def _customer(self, source: Record) -> StoredCustomer | None:
        """The redeemer, after checking that whoever the request names is the redeemer."""
        redeemer = self._redeemer(source)
        sent, tracking_id = self._undo.body.customer, self._undo.body.tracking_id
        if sent is None and tracking_id is None:
            return redeemer
        found = customers.find(self._unit.conn, self._unit.project, [sent], [tracking_id], lock=False)[0]
        if isinstance(found, ApiError):
            raise found
        if found is None:
            named = (sent.id or sent.source_id if sent else None) or tracking_id or ""
            raise errors.not_found("customer", named)
        if redeemer is None or found.id != redeemer.id:
            raise invalid("invalid_customer", "Invalid customer", "Customer is not related with redemption.")
        return redeemer

    def _redeemer(self, source: Record) -> StoredCustomer | None:
        if source.customer_id is None:
            return None
        try:
            return self._books.customer(self._place, None)
        except ApiError:  # deleted since; the ledger keeps the id
            return None

    def _check_order(self, source: Record) -> None:
        sent = self._undo.body.order
        if sent is None or not (sent.id or sent.source_id):
            return
        stored = self._order(source)
        key, name = (sent.id, "id") if sent.id else (sent.source_id, "source_id")
        if stored is not None and getattr(stored.order, name) == key:
            return
        raise invalid("invalid_order", "Invalid order", "Order is not related with redemption.")

    def _order(self, source: Record) -> StoredOrder | None:
        if source.order_id is None:
            return None
        try:
            return self._books.order(OrderReference(id=source.order_id))
        except ApiError:  # deleted with its customer
            return None

    def _refusal(self, source: Record) -> ApiError | None:
        """The checks whose failure is recorded."""
        if source.rollback_id is not None or source.status == "ROLLED_BACK":
            return invalid("already_rolled_back", "Already rolled back", "Redemption has been already rolled back.")
        months = self._undo.period_months
        if months and self._unit.now > rollback_deadline(source.date, months, self._unit.project.zone):
            details = f"A redemption can be rolled back for {months} months."
            return invalid("rollback_period_exceeded", "Rollback period exceeded", details)
        return None

    def _rewards_refusal(self, source: Record) -> ApiError | None:
        """Why points cannot come back, or what they were for cannot be taken back. Raises ApiError 404 for a card that is gone."""
        rewarded = [child for child in self._undone(source) if child.reward is not None]
        for child in rewarded:
            check_card(self._books, child, self._usable)
        if not rewarded or self._unit.project.settings.reward_rollback_mode == KEEP:
            return None
        returned = [posting for child in self._undone(source) for posting in self._postings.get(child.id, [])]
        return used_already(self._books, rewarded, returned)

    # Failure

    def _fail(self, source: Record, customer: StoredCustomer | None, error: ApiError) -> ApiError:
        record = self._record(source, ids.hex_id("rrf_"))
        record.result, record.status = "FAILURE", "FAILED"
        record.failure_code, record.failure_message = error.refusal.key, error.refusal.message
        self._books.records.append(record)
        self._books.count(customer, Counts(total_rollback_failed=1))
        self._unit.record("redemption.rollback.failed", record.id, customer_id=record.customer_id)
        named = {"resource_id": record.id, "resource_type": "redemption_rollback"}
        return ApiError(msgspec.structs.replace(error.refusal, **named))

    # Success

    def _succeed(self, source: Record, customer: StoredCustomer | None) -> bytes:
        unit, books = self._unit, self._books
        undone = self._undone(source)
        parent = self._record(source, ids.hex_id("rr_")) if source.is_parent else None
        records = [self._record(child, ids.hex_id("rr_")) for child in undone]
        if (
            customer is not None
            and self._undo.body.customer is not None
            and customers.describes(self._undo.body.customer)
        ):
            customer = customers.merged(customer, self._undo.body.customer, unit.project, unit.now)
            books.keep_customer(unit, customer, is_new=False)
        order = self._give_order_back(source, customer, parent or records[0], records)
        for child, record in zip(undone, records, strict=True):
            record.order = _reduced(child.order) if source.is_parent else order
            self._return(child, record, order)
            if child.reward is not None:
                undo_reward(books, unit, child, record, self._postings.get(child.id, []), customer)
        counts = Counts(
            total_rolled_back=len(records),
            gift_redeemed_amount=sum(record.amount or 0 for record in records if record.reward is None),
        )
        books.count(customer, counts)
        everything = [*zip(undone, records, strict=True), *([(source, parent)] if parent else [])]
        if parent is not None:
            parent.order = order
        for target, record in everything:
            self._mark(target, record)
            books.records.append(record)
            if record is not parent:
                unit.record("redemption.rollback.succeeded", record.id, customer_id=record.customer_id)
        return rollback_answer(books, self._undo, records, parent, order, customer)

    def _undone(self, source: Record) -> list[Record]:
        """What a rollback of the source undoes."""
        return self._children(source) if source.is_parent else [source]

    def _children(self, source: Record) -> list[Record]:
        """The successful children, in the order of application (their ids grow with it)."""
        return [r for r in self._history.values() if r.parent_id == source.id and r.result == "SUCCESS"]

    def _return(self, child: Record, record: Record, order: Order | None) -> None:
        """Posts the negation of what the redemption took, and moves the counters with it."""
        self._books.free(child)
        uses = credits = 0
        for posting in self._postings.get(child.id, []):
            if posting.account in OF_REWARDS:
                continue
            self._books.post(
                ledger.Entry(
                    posting.account,
                    posting.subject_id,
                    -posting.amount,
                    "rollback",
                    record.id,
                    self._unit.now,
                    negates=posting.id,
                )
            )
            if posting.account == ledger.VOUCHER_USES:
                uses -= posting.amount
            elif posting.account == ledger.GIFT_CREDITS:
                credits -= posting.amount
        record.amount = -child.amount if child.amount is not None else None
        record.discount_amount = -child.discount_amount if child.discount_amount is not None else None
        stored = self._books.voucher(child.voucher_id) if child.voucher_id else None
        if stored is None:
            return
        stored.updated_at = self._unit.now
        stored.entry.redeemed_quantity += uses
        stored.entry.redeemed_amount -= credits
        if credits:
            transaction = vouchers.refund_transaction(
                stored, credits, order, redemption_id=child.id, rollback_id=record.id, now=self._unit.now
            )
            self._books.transactions.append(transaction)
            refers = {"transaction": transaction.id, "rollback": record.id}
            self._unit.record("voucher.gift.transaction.created", stored.entry.id, refers, about=stored)

    def _give_order_back(
        self, source: Record, customer: StoredCustomer | None, whole: Record, records: list[Record]
    ) -> Order | None:
        """The order without what this redemption applied; under WITHOUT_ORDER only its history changes."""
        before = self._order(source)
        if before is None:
            return None
        unit = self._unit
        order = before.order
        history = dict(order.redemptions or {})
        entry = dict(history.get(source.id, {}))
        entry |= {"rollback_id": whole.id, "rollback_date": clock.iso(unit.now)}
        if source.is_parent:
            entry["rollback_stacked"] = [record.id for record in records]
        history[source.id] = entry
        if self._mode != WITHOUT_ORDER:
            still_active = any("rollback_id" not in other for other in history.values())
            order = undo_order(order, source.order or order, still_active)
        order = msgspec.structs.replace(order, redemptions=history, updated_at=unit.now)
        after = StoredOrder(order=order)
        self._books.keep_order(unit, before, after, whole.id)
        self._books.count(customer, orders.summary_delta(unit, before, after))
        return order

    @property
    def _mode(self) -> str:
        return self._unit.project.settings.stacking_rules.redeemables_rollback_order_mode

    def _mark(self, target: Record, record: Record) -> None:
        """Marks the undone side; the rollback's metadata is laid over its own."""
        target.status = "ROLLED_BACK"
        target.rollback_id, target.rollback_date = record.id, record.date
        target.rollback_order_mode = self._mode
        if record.metadata:
            target.metadata = wire.merge_metadata(target.metadata or {}, record.metadata)
        self._books.undone.append(target)

    def _record(self, source: Record, record_id: str) -> Record:
        """What every record of this rollback shares with the redemption it undoes."""
        body, unit = self._undo.body, self._unit
        return msgspec.structs.replace(
            source,
            id=record_id,
            object="redemption_rollback",
            date=unit.now,
            result="SUCCESS",
            status="SUCCEEDED",
            metadata=body.metadata,
            amount=None,
            parent_id=None,
            source_id=source.id,
            reason=body.reason,
            session_key=None,
            order=None,
            order_amount=source.order_amount,
            discount_amount=None,
            channel_id=unit.call.caller.key_id,
            channel_type="API",
            rollback_id=None,
            rollback_date=None,
            rollback_order_mode=None,
        )


def _reduced(order: Order | None) -> Order | None:
    """What a child's rollback shows of the order: its amount, undiscounted."""
    if order is None:
        return None
    amount = order.initial_amount if order.initial_amount is not None else order.amount
    return Order(id=order.id, source_id=order.source_id, amount=amount)
