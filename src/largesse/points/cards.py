"""The cards of one transaction, with what they hold: changed in memory, one change seeing the ones before it, and saved once."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Literal

import msgspec
from sqlalchemy.engine import Connection

import largesse.vouchers.service as vouchers
import largesse.wallets.service as wallets
from largesse.campaigns.model import StoredCampaign
from largesse.customers.model import StoredCustomer
from largesse.engine.points import Activation, Expiration, ExpirationRules, Move, Wallet, expiry
from largesse.kernel import ids, ledger
from largesse.kernel.database.unit import Unit
from largesse.kernel.ledger import Posting
from largesse.kernel.project import Project
from largesse.points import events, hooks
from largesse.vouchers.model import LOYALTY_CARD, CreditTransaction, PointsChange, StoredVoucher
from largesse.wallets.model import ACTIVATED, CANCELED, BucketChange, StoredPending
from largesse.wallets.service import Changes

Operation = Literal["MANUAL", "AUTOMATIC"]
AUTOMATION = "Automation"  # the source of what the engine does by itself (documented)
_CAUSES = {
    "PENDING_POINTS_ACTIVATION": "activation",
    "POINTS_ADDITION": "adjustment",
    "POINTS_REMOVAL": "adjustment",
    "POINTS_EXPIRATION": "expiry",
    "POINTS_TRANSFER_IN": "transfer",
    "POINTS_TRANSFER_OUT": "transfer",
}


class Tag(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller says about a change by hand; `source` names who made it (`API`, or nobody)."""

    source: str | None = None
    source_id: str | None = None
    reason: str | None = None


_NOTHING_SAID, _BY_ITSELF = Tag(), Tag(source=AUTOMATION)


class Totals(msgspec.Struct, frozen=True):
    credited: int
    subtracted: int
    redeemed: int
    expired: int
    pending: int


class Cards:
    """Loyalty cards that have holders; their rows and those of the holders must be locked already.

    Cards that have none and vouchers of other kinds are left out. Points are > 0 everywhere. Nothing is written before `save`.
    `holders` and `programs` are those of all cards, by their ids; who does not know them lets them be looked up.
    """

    def __init__(
        self,
        conn: Connection,
        project: Project,
        found: Iterable[StoredVoucher],
        now: int,
        holders: Mapping[str, StoredCustomer] | None = None,
        programs: Mapping[str, StoredCampaign] | None = None,
    ) -> None:
        self._conn, self._project, self._now = conn, project, now
        self.today = project.day(now)
        held = {v.entry.id: v for v in found if v.entry.type == LOYALTY_CARD and v.entry.holder_id is not None}
        vouchers.open_wallets(conn, project, [v for v in held.values() if v.wallet is None], now, locked=True)
        self._cards = held
        self._before = {id: _totals(stored) for id, stored in held.items()}
        self._due = {id: stored.entry.due_on for id, stored in held.items()}
        self._changes = Changes()
        self._accrued: dict[tuple[str, str], int] = {}  # points by bucket and the event that earned them
        self._transactions: list[CreditTransaction] = []
        self._facts = events.Facts(conn, project, held.values(), holders, programs)

    def __iter__(self) -> Iterator[StoredVoucher]:
        return iter(self._cards.values())

    def __contains__(self, stored: StoredVoucher) -> bool:
        return stored.entry.id in self._cards

    def card(self, voucher_id: str) -> StoredVoucher | None:
        """The card with this id, if it is among these."""
        return self._cards.get(voucher_id)

    # What may be asked

    def expiry(
        self, stored: StoredVoucher, rules: ExpirationRules | None = None, earned_on: date | None = None
    ) -> date | None:
        """The last day of points earned on a day (today): by `rules`, those of an earning rule, or else by the program's."""
        if rules is None:
            rules = self._facts.rules(stored.entry.campaign_id)
        return expiry(rules, earned_on or self.today)

    def waiting(self, stored: StoredVoucher, pending_id: str) -> StoredPending | None:
        """Points that wait on a card."""
        for entry in _wallet(stored).pending:
            if entry.id == pending_id and isinstance(entry, StoredPending):
                return entry
        return None

    # What the calendar does

    def settle(self, unit: Unit) -> None:
        """Does what has fallen due on each card until today, day after day.

        What follows from points that became usable comes before others expire (documented).
        """
        today = self.today.isoformat()
        due = [card for card in self._cards.values() if card.entry.due_on is not None and card.entry.due_on <= today]
        while due:
            activated = [stored for stored in due if self._activate_due(unit, stored)]
            for hook in hooks.after_activation if activated else ():
                hook(unit, self, activated)
            due = [stored for stored in due if self._expire_due(unit, stored)]

    def _activate_due(self, unit: Unit, stored: StoredVoucher) -> bool:
        """Makes points usable, as long as nothing expires before; whether there were any."""
        wallet, any_were = _wallet(stored), False
        self._facts.tell_rules(wallet)
        while wallet.is_activated_next(self.today):
            step = wallet.next_due(self.today, _bucket_id, self._now)
            assert isinstance(step, Activation)
            self._note_activation(unit, stored, step, AUTOMATION, "AUTOMATIC")
            any_were = True
        return any_were

    def _expire_due(self, unit: Unit, stored: StoredVoucher) -> bool:
        """Lets expire what one midnight takes; False when nothing was left to do."""
        step = _wallet(stored).next_due(self.today, _bucket_id, self._now)
        if step is None:
            return False
        assert isinstance(step, Expiration)
        self._note_expiration(unit, stored, step)
        return True

    # What gives points

    def begin(self, stored: StoredVoucher) -> None:
        """Makes the initial points of a card that has just got its holder spendable; no transaction tells of them (observed)."""
        if (move := _wallet(stored).begin(_bucket_id, self._now)) is not None:
            self._note(stored, [move], "creation", stored.entry.id)

    def accrue(
        self,
        unit: Unit,
        stored: StoredVoucher,
        points: int,
        expires_on: date | None,
        event_id: str,
        *,
        about: Mapping[str, Any],
    ) -> None:
        """Adds points that an earning rule gives for an event. `about` completes the details of the transaction.

        What all rules give for one event is one posting to each bucket: the event caused it.
        """
        before = events.simple_voucher(stored)
        move = _wallet(stored).credit(points, expires_on, _bucket_id, self._now)
        made = self._transact(unit, stored, "POINTS_ACCRUAL", points, about, _BY_ITSELF, "AUTOMATIC")
        key = move.bucket.id, event_id
        self._accrued[key] = self._accrued.get(key, 0) + points
        self._note_buckets(stored, [move])
        events.rewarded(unit, self._facts, stored, made, before)

    def credit(
        self,
        unit: Unit,
        stored: StoredVoucher,
        points: int,
        expires_on: date | None,
        *,
        about: Mapping[str, Any] | None = None,
        tag: Tag | None = None,
        operation: Operation = "MANUAL",
    ) -> CreditTransaction:
        """Adds points by hand or as a reward. `about` completes the details of the transaction."""
        move = _wallet(stored).credit(points, expires_on, _bucket_id, self._now)
        made = self._transact(unit, stored, "POINTS_ADDITION", points, about or {}, tag, operation)
        self._note(stored, [move], _CAUSES[made.type], made.id)
        events.points_added(unit, self._facts, stored, made)
        return made

    # What takes points

    def remove(
        self,
        unit: Unit,
        stored: StoredVoucher,
        points: int,
        *,
        about: Mapping[str, Any] | None = None,
        tag: Tag | None = None,
    ) -> CreditTransaction:
        """Takes points away by hand. The caller has checked the balance."""
        moves = _wallet(stored).subtract(points)
        made = self._transact(unit, stored, "POINTS_REMOVAL", -points, about or {}, tag, "MANUAL")
        self._note(stored, moves, _CAUSES[made.type], made.id)
        events.points_added(unit, self._facts, stored, made)
        return made

    def spend(
        self,
        unit: Unit,
        stored: StoredVoucher,
        points: int,
        redemption_id: str,
        *,
        about: Mapping[str, Any] | None = None,
        operation: Operation = "MANUAL",
    ) -> CreditTransaction:
        """Spends points on a redemption. The caller has checked the balance; `about` names `reward` and `order`."""
        moves = _wallet(stored).redeem(points)
        details = {"redemption": {"id": redemption_id}, **(about or {})}
        made = self._transact(unit, stored, "POINTS_REDEMPTION", -points, details, None, operation)
        self._note(stored, moves, "redemption", redemption_id)
        return made

    def refund(
        self,
        unit: Unit,
        stored: StoredVoucher,
        postings: Sequence[Posting],
        spent_at: int,
        redemption_id: str,
        rollback_id: str,
        *,
        about: Mapping[str, Any] | None = None,
    ) -> CreditTransaction:
        """Negates what a redemption at an instant took from the buckets of a card: `postings` are those of it on `points`.

        Points of a bucket that has expired get the lifetime they had left when they were spent (our decision).
        """
        wallet, spent_on = _wallet(stored), self._project.day(spent_at)
        buckets = {bucket.id: bucket for bucket in wallet.buckets}
        gone = {posting.subject_id for posting in postings} - buckets.keys()
        buckets |= wallets.buckets(self._conn, self._project.id, gone)
        for posting in postings:
            bucket, points = buckets[posting.subject_id], -posting.amount
            move = wallet.refund(bucket, points, spent_on, self.today, _bucket_id, self._now)
            self._post(bucket.id, points, "rollback", rollback_id, negates=posting.id)
            if move.bucket.id != bucket.id:  # the bucket it came from is over
                self._post(bucket.id, -points, "rollback", rollback_id)
                self._post(move.bucket.id, points, "rollback", rollback_id)
            self._note_buckets(stored, [move])
        total = -sum(posting.amount for posting in postings)
        details = {"redemption": {"id": redemption_id}, "rollback": {"id": rollback_id}, **(about or {})}
        return self._transact(unit, stored, "POINTS_REFUND", total, details, None, "AUTOMATIC")

    def transfer(self, unit: Unit, source: StoredVoucher, target: StoredVoucher, points: int, tag: Tag) -> None:
        """Moves points to another card, where they live as if they had been earned there today (documented)."""
        taken = _wallet(source).subtract(points)
        given = _wallet(target).credit(points, self.expiry(target), _bucket_id, self._now)
        out_id, in_id = ids.hex_id("vtx_"), ids.hex_id("vtx_")
        about_out = {"destination_voucher": events.simple_voucher(target)}
        about_in = {"source_voucher": events.simple_voucher(source)}
        out = self._transact(
            unit, source, "POINTS_TRANSFER_OUT", -points, about_out, tag, "MANUAL", id=out_id, related=in_id
        )
        into = self._transact(
            unit, target, "POINTS_TRANSFER_IN", points, about_in, tag, "MANUAL", id=in_id, related=out_id
        )
        self._note(source, taken, "transfer", out_id)
        self._note(target, [given], "transfer", in_id)
        for stored, made in ((source, out), (target, into)):
            events.points_transferred(unit, self._facts, stored, made, source, target)

    # Points that wait

    def await_points(
        self,
        unit: Unit,
        stored: StoredVoucher,
        points: int,
        activates_on: date,
        *,
        order_id: str | None,
        details: Mapping[str, Any],
        rules: ExpirationRules | None = None,
    ) -> StoredPending:
        """Adds points that become usable at the midnight with which a day begins; `rules` are the earning rule's own, if any."""
        entry = StoredPending(
            id=ids.hex_id("lopp_"),
            points=points,
            added=points,
            activates_on=activates_on,
            rules=rules,
            voucher_id=stored.entry.id,
            campaign_id=stored.entry.campaign_id,
            customer_id=stored.entry.holder_id,
            order_id=order_id,
            details=dict(details),
            created_at=self._now,
        )
        _wallet(stored).await_points(entry)
        self._changes.new_pending[entry.id] = entry
        events.pending(unit, self._facts, stored, entry, points, "added", "AUTOMATIC")
        return entry

    def activate(self, unit: Unit, stored: StoredVoucher, entry: StoredPending) -> CreditTransaction:
        """Makes waiting points usable today."""
        wallet = _wallet(stored)
        self._facts.tell_rules(wallet)
        step = wallet.activate(entry, self.today, _bucket_id, self._now)
        return self._note_activation(unit, stored, step, "API", "MANUAL")

    def adjust(self, unit: Unit, stored: StoredVoucher, entry: StoredPending, points: int) -> None:
        """Changes waiting points by a signed number; the caller has checked that at least 1 is left."""
        _wallet(stored).adjust(entry, points)
        self._changed(entry)
        events.pending(unit, self._facts, stored, entry, points, "updated", "MANUAL")

    def cancel(self, unit: Unit, stored: StoredVoucher, entry: StoredPending) -> None:
        """Drops waiting points."""
        _wallet(stored).cancel(entry)
        entry.status = CANCELED
        self._changed(entry)
        events.pending(unit, self._facts, stored, entry, -entry.points, "canceled", "MANUAL")

    # Writing

    def save(self) -> None:
        """Writes every change since the last call; each kind of row in one statement.

        Raises GuardViolation where the store does not hold what the changes were computed from.
        """
        conn, project_id = self._conn, self._project.id
        moved = [change for id in self._cards if (change := self._change_of(id)) is not None]
        for (bucket_id, event_id), points in self._accrued.items():
            self._post(bucket_id, points, "earning", event_id)
        self._accrued = {}
        changes, self._changes = self._changes, Changes()
        transactions, self._transactions = self._transactions, []
        vouchers.add_points(conn, project_id, moved, self._now)
        wallets.save(conn, project_id, changes, self._now)
        vouchers.add_transactions(conn, project_id, transactions)

    def _change_of(self, id: str) -> PointsChange | None:
        stored = self._cards[id]
        before, after = self._before[id], _totals(stored)
        due_on = stored.entry.due_on = _day(_wallet(stored).due_on())
        if before == after and due_on == self._due[id]:
            return None
        self._before[id], self._due[id] = after, due_on
        stored.updated_at = self._now
        return PointsChange(
            voucher_id=id,
            credited=after.credited - before.credited,
            subtracted=after.subtracted - before.subtracted,
            redeemed=after.redeemed - before.redeemed,
            expired=after.expired - before.expired,
            pending=after.pending - before.pending,
            due_on=due_on,
        )

    def _note_activation(
        self, unit: Unit, stored: StoredVoucher, step: Activation, source: str, operation: Operation
    ) -> CreditTransaction:
        entry = step.pending
        assert isinstance(entry, StoredPending)  # wallets of cards in store hold nothing else
        entry.status = ACTIVATED
        self._changed(entry)
        about = {**entry.details, "pending_points": events.shown_pending(entry)}
        made = self._transact(
            unit,
            stored,
            "PENDING_POINTS_ACTIVATION",
            entry.points,
            about,
            Tag(source=source),
            operation,
            day=step.day,
        )
        self._note(stored, [step.move], "activation", made.id)
        events.pending_activated(unit, self._facts, stored, entry, made)
        return made

    def _note_expiration(self, unit: Unit, stored: StoredVoucher, step: Expiration) -> None:
        over = [move for move in step.moves if move.points]
        made = None
        if over:
            tag = Tag(source=AUTOMATION)
            made = self._transact(unit, stored, "POINTS_EXPIRATION", -step.points, {}, tag, "AUTOMATIC", day=step.day)
            self._note(stored, over, "expiry", made.id)
            events.points_expired(unit, self._facts, stored, made, over)
        for move in step.moves:
            change = self._bucket_change(stored, move)
            change.expired, change.lost = True, -move.points

    def _changed(self, entry: StoredPending) -> None:
        entry.updated_at = self._now
        if entry.id not in self._changes.new_pending:
            self._changes.pending[entry.id] = entry

    def _note(self, stored: StoredVoucher, moves: Sequence[Move], cause: str, cause_id: str) -> None:
        for move in moves:
            self._post(move.bucket.id, move.points, cause, cause_id)
        self._note_buckets(stored, moves)

    def _post(self, bucket_id: str, points: int, cause: str, cause_id: str, negates: str | None = None) -> None:
        posting = ledger.Entry(ledger.POINTS, bucket_id, points, cause, cause_id, self._now, negates)
        self._changes.postings.append(posting)

    def _note_buckets(self, stored: StoredVoucher, moves: Sequence[Move]) -> None:
        for move in moves:
            self._bucket_change(stored, move).points += move.points

    def _bucket_change(self, stored: StoredVoucher, move: Move) -> BucketChange:
        known = self._changes.buckets.get(move.bucket.id)
        if known is None:
            entry = stored.entry
            known = BucketChange(
                bucket=move.bucket, voucher_id=entry.id, campaign_id=entry.campaign_id, is_new=move.is_new
            )
            self._changes.buckets[move.bucket.id] = known
        return known

    def _transact(
        self,
        unit: Unit,
        stored: StoredVoucher,
        kind: str,
        points: int,
        about: Mapping[str, Any],
        tag: Tag | None,
        operation: Operation,
        *,
        id: str | None = None,
        related: str | None = None,
        day: date | None = None,
    ) -> CreditTransaction:
        """The transaction of a change that the card already shows, made on `day` (today)."""
        entry, tag = stored.entry, tag or _NOTHING_SAID
        made = CreditTransaction(
            id=id or ids.hex_id("vtx_"),
            voucher_id=entry.id,
            campaign_id=entry.campaign_id,
            source_id=tag.source_id,
            source=tag.source,
            reason=tag.reason,
            type=kind,
            details={"balance": events.balance(stored, points, operation), **about},
            related_transaction_id=related,
            created_at=self._now,
        )
        self._transactions.append(made)
        events.transaction_created(unit, stored, made, day or self.today)
        return made


def _wallet(stored: StoredVoucher) -> Wallet:
    assert stored.wallet is not None, "the card has no holder"
    return stored.wallet


def _totals(stored: StoredVoucher) -> Totals:
    e = stored.entry
    return Totals(e.gift_amount, e.subtracted_amount, e.redeemed_amount, e.expired_amount, e.pending_amount)


def _bucket_id() -> str:
    return ids.text_id("lopb_")


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
