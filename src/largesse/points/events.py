"""What changes of points tell the log, in the shapes that clients see there."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

import msgspec
from sqlalchemy.engine import Connection

import largesse.campaigns.service as campaigns
import largesse.customers.service as customers
import largesse.vouchers.service as vouchers
from largesse.campaigns.model import StoredCampaign
from largesse.customers.model import StoredCustomer
from largesse.engine.points import ExpirationRules, Move, Wallet
from largesse.kernel import clock, wire
from largesse.kernel.database.unit import Unit
from largesse.kernel.project import Project
from largesse.vouchers.model import CreditTransaction, PointsMoved, StoredVoucher
from largesse.wallets.model import StoredPending


class Facts:
    """Holders and programs of some cards: each read in one query, when first asked for."""

    def __init__(
        self,
        conn: Connection,
        project: Project,
        cards: Collection[StoredVoucher],
        holders: Mapping[str, StoredCustomer] | None,
        programs: Mapping[str, StoredCampaign] | None,
    ) -> None:
        self._conn, self._project, self._cards = conn, project, cards
        self._holders = holders
        self._programs = programs
        self._shown: dict[str, msgspec.Raw] = {}  # by id of holder or program; a card without has null under ""

    def customer(self, stored: StoredVoucher) -> msgspec.Raw:
        """The holder of a card, as events show customers: encoded once, whatever happens to the card."""
        if self._holders is None:
            ids = {card.entry.holder_id for card in self._cards if card.entry.holder_id}
            self._holders = customers.by_ids(self._conn, self._project, ids)
        id = stored.entry.holder_id or ""
        if id not in self._shown:
            holder = self._holders.get(id)
            self._shown[id] = msgspec.Raw(wire.encode(customers.simple(holder) if holder else None))
        return self._shown[id]

    def campaign(self, stored: StoredVoucher) -> msgspec.Raw:
        """The program of a card, as events show campaigns: encoded once."""
        id = stored.entry.campaign_id or ""
        if id not in self._shown:
            found = self._program(id)
            self._shown[id] = msgspec.Raw(wire.encode(campaigns.simple(found) if found else None))
        return self._shown[id]

    def rules(self, campaign_id: str | None) -> ExpirationRules | None:
        """How long the points of a program last; None = for ever."""
        found = self._program(campaign_id)
        return found.voucher.expiration_rules if found and found.voucher else None

    def tell_rules(self, wallet: Wallet) -> None:
        wallet.rules = self.rules(wallet.card.campaign_id)

    def _program(self, campaign_id: str | None) -> StoredCampaign | None:
        if self._programs is None:
            ids = {card.entry.campaign_id for card in self._cards if card.entry.campaign_id}
            self._programs = campaigns.by_ids(self._conn, self._project.id, ids)
        return self._programs.get(campaign_id or "")


# Parts


def balance(stored: StoredVoucher, points: int, operation: str) -> dict[str, Any]:
    """A balance object after a change by a signed number of points; `total` is what was not spent (documented)."""
    entry = stored.entry
    return {
        "type": "loyalty_card",
        "total": entry.balance + entry.redeemed_amount,
        "object": "balance",
        "points": points,
        "balance": entry.balance,
        "operation_type": operation,
        "related_object": {"id": entry.id, "type": "voucher"},
    }


def pending_balance(stored: StoredVoucher, points: int, operation: str) -> dict[str, Any]:
    """The same of waiting points, `total` being all that wait on the card."""
    return {
        "points": points,
        "total": stored.entry.pending_amount,
        "object": "balance",
        "related_object": {"id": stored.entry.id, "type": "voucher"},
        "operation_type": operation,
    }


def simple_voucher(stored: StoredVoucher) -> dict[str, Any]:
    """A card as events and transactions show it."""
    return vouchers.simple(stored)


def shown_pending(entry: StoredPending) -> dict[str, Any]:
    """Waiting points in wire form; `updated_at` only once they changed."""
    shown: dict[str, Any] = {
        "id": entry.id,
        "voucher_id": entry.voucher_id,
        "campaign_id": entry.campaign_id,
        "customer_id": entry.customer_id,
        "order_id": entry.order_id,
        "points": entry.points,
        "activates_at": entry.activates_on.isoformat(),
        "details": entry.details,
        "created_at": clock.iso(entry.created_at),
    }
    if entry.updated_at is not None:
        shown["updated_at"] = clock.iso(entry.updated_at)
    return shown


# Events. Those of a card name the card as their entity and its holder, whose activity they are part of.


def transaction_created(unit: Unit, stored: StoredVoucher, made: CreditTransaction, day: date) -> None:
    """Told of every change of a balance, of `day`, so that tiers can follow. It refers to the transaction, as of gift cards."""
    about = PointsMoved(stored, made, day)
    unit.record("voucher.loyalty_card.transaction.created", stored.entry.id, {"transaction": made.id}, about=about)


def rewarded(unit: Unit, facts: Facts, stored: StoredVoucher, made: CreditTransaction, before: dict[str, Any]) -> None:
    """Points earned by a rule; the card is shown as it was before (observed)."""
    details = made.details
    data = {
        "customer": facts.customer(stored),
        "holder": facts.customer(stored),
        "voucher": before,
        "campaign": facts.campaign(stored),
        "loyalty_tier": details.get("loyalty_tier"),
        "earning_rule": details.get("earning_rule"),
        "balance": details["balance"],
        "order": details.get("order"),
        "event": details.get("event"),
    }
    unit.record("customer.rewarded.loyalty_points", stored.entry.id, data, customer_id=stored.entry.holder_id)


def points_added(unit: Unit, facts: Facts, stored: StoredVoucher, made: CreditTransaction) -> None:
    """Points given or taken by hand: one name for both, as gift cards have it (our decision)."""
    _record(unit, facts, stored, "points_added", {"balance": made.details["balance"]}, made)


def points_expired(
    unit: Unit, facts: Facts, stored: StoredVoucher, made: CreditTransaction, moves: Sequence[Move]
) -> None:
    """Points that were lost, with their buckets as they were before (documented)."""
    buckets = [
        {
            "id": move.bucket.id,
            "voucher_id": stored.entry.id,
            "campaign_id": stored.entry.campaign_id,
            "bucket": {"total_points": -move.points},
            "status": "ACTIVE",
            "expires_at": move.bucket.expires_on.isoformat() if move.bucket.expires_on else None,
            "created_at": clock.iso(move.bucket.created_at),
            "object": "loyalty_points_bucket",
        }
        for move in moves
    ]
    lost = -made.details["balance"]["points"]
    _record(unit, facts, stored, "points_expired", {"points": lost, "buckets": buckets}, made)


def points_transferred(
    unit: Unit,
    facts: Facts,
    stored: StoredVoucher,
    made: CreditTransaction,
    source: StoredVoucher,
    target: StoredVoucher,
) -> None:
    parts = {
        "source_voucher": simple_voucher(source),
        "destination_voucher": simple_voucher(target),
        "balance": made.details["balance"],
    }
    _record(unit, facts, stored, "points_transferred", parts, made)


def pending(
    unit: Unit, facts: Facts, stored: StoredVoucher, entry: StoredPending, points: int, what: str, operation: str
) -> None:
    """Waiting points were `added`, `updated` or `canceled`."""
    parts = {
        "voucher_pending_points_balance": pending_balance(stored, points, operation),
        "order": entry.details.get("order"),
        "pending_points": shown_pending(entry),
    }
    _record(unit, facts, stored, f"pending_points.{what}", parts)


def pending_activated(
    unit: Unit, facts: Facts, stored: StoredVoucher, entry: StoredPending, made: CreditTransaction
) -> None:
    parts = {
        "balance": made.details["balance"],
        "order": entry.details.get("order"),
        "pending_points": shown_pending(entry),
    }
    _record(unit, facts, stored, "pending_points.activated", parts, made)


def _record(
    unit: Unit,
    facts: Facts,
    stored: StoredVoucher,
    what: str,
    parts: Mapping[str, Any],
    made: CreditTransaction | None = None,
) -> None:
    data = {
        "customer": facts.customer(stored),
        "campaign": facts.campaign(stored),
        "voucher": simple_voucher(stored),
        **parts,
    }
    if made is not None:
        data["transaction"] = vouchers.transaction_answer(made)
    unit.record(f"voucher.loyalty_card.{what}", stored.entry.id, data, customer_id=stored.entry.holder_id, about=stored)
