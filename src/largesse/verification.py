"""`largesse verify`: every counter and balance, computed again from the postings it must equal."""

from collections.abc import Callable, Iterator

import msgspec
from sqlalchemy.engine import Connection

import largesse.campaigns.service as campaigns
import largesse.customers.service as customers
import largesse.redemptions.service as redemptions
import largesse.vouchers.service as vouchers
import largesse.wallets.service as wallets
from largesse.kernel import clock, ledger, seals
from largesse.kernel.access.projects import list_projects
from largesse.kernel.call import Call, Caller
from largesse.kernel.database.unit import Unit
from largesse.kernel.project import Project
from largesse.loyalties.standings import held_by
from largesse.loyalties.tiers import members
from largesse.segments import membership


class Drift(msgspec.Struct, frozen=True):
    """One number that is not what the ledger says."""

    project_id: str
    subject: str  # kind and id of the object that carries the number
    name: str
    stored: int
    expected: int


def run(conn: Connection, on_project: Callable[[str], None] = lambda _project_id: None) -> list[Drift]:
    """All drift of all projects; empty when every number is right. Calls `on_project` before each project."""
    found: list[Drift] = []
    for project in list_projects(conn):
        on_project(project.id)
        found.extend(_vouchers(conn, project.id))
        found.extend(_points(conn, project.id))
        found.extend(_campaigns(conn, project.id))
        found.extend(_customers(conn, project.id))
        found.extend(_counters(conn, project.id))
        found.extend(_sums(conn, project))
        found.extend(_segments(conn, project))
        found.extend(_tiers(conn, project))
    return found


def _tiers(conn: Connection, project: Project) -> Iterator[Drift]:
    """Points collected towards tiers, against the transactions of the period."""
    for voucher_id, stored, expected in members.miscounted(conn, project, clock.now_micros()):
        yield Drift(project.id, f"loyalty card {voucher_id}", "points collected for tiers", stored, expected)


def _sums(conn: Connection, project: Project) -> Iterator[Drift]:
    """What rules count by, against history."""
    for one in redemptions.kept_sums(conn, project):
        if one.kept != one.history:
            yield Drift(project.id, one.scope, one.name, one.kept, one.history)


def _segments(conn: Connection, project: Project) -> Iterator[Drift]:
    """Who is noted to be in a segment, against its filter."""
    caller = Caller(surface="server", key_id="verify")
    call = Call(project=project, caller=caller, request_id="verify", now=clock.now_micros())
    for segment_id, wrong in membership.misjudged(Unit(conn, call, is_current=True), held_by):
        yield Drift(project.id, f"segment {segment_id}", "customers noted wrongly", wrong, 0)


def chains(conn: Connection, noted: str | None = None) -> dict[str, seals.Checked]:
    """The seals of every project, computed again; `noted` is PROJECT:SEAL:DIGEST as an earlier run printed it."""
    project_id, _, head = (noted or "").partition(":")
    kept = seals.Head(*head.split(":", 1)) if ":" in head else seals.Head(head or None)
    return {
        project.id: ledger.check_seals(conn, project.id, kept if noted and project.id == project_id else None)
        for project in list_projects(conn)
    }


def _vouchers(conn: Connection, project_id: str) -> Iterator[Drift]:
    uses = ledger.balances(conn, project_id, ledger.VOUCHER_USES)
    credits = ledger.balances(conn, project_id, ledger.GIFT_CREDITS)
    recorded = redemptions.uses_by_voucher(conn, project_id)
    for voucher in vouchers.counters(conn, project_id):
        subject = f"voucher {voucher.id}"
        expected = uses.get(voucher.id, 0)
        if voucher.redeemed_quantity != expected:
            yield Drift(project_id, subject, "redeemed_quantity", voucher.redeemed_quantity, expected)
        if recorded.get(voucher.id, 0) != expected:
            yield Drift(project_id, subject, "redemptions on record", recorded.get(voucher.id, 0), expected)
        if voucher.balance is not None and voucher.balance != credits.get(voucher.id, 0):
            yield Drift(project_id, subject, "gift balance", voucher.balance, credits.get(voucher.id, 0))


def _points(conn: Connection, project_id: str) -> Iterator[Drift]:
    """Buckets against their postings; balances and pending points of cards against their buckets and entries."""
    posted = ledger.balances(conn, project_id, ledger.POINTS)
    held: dict[str, int] = {}
    for bucket_id, (voucher_id, points) in wallets.bucket_points(conn, project_id).items():
        held[voucher_id] = held.get(voucher_id, 0) + points
        if points != posted.get(bucket_id, 0):
            yield Drift(project_id, f"points bucket {bucket_id}", "points", points, posted.get(bucket_id, 0))
    waiting = wallets.pending_sums(conn, project_id)
    for card in vouchers.counters(conn, project_id):
        subject = f"loyalty card {card.id}"
        if card.points is not None and card.points != held.get(card.id, 0):
            yield Drift(project_id, subject, "balance", card.points, held.get(card.id, 0))
        if card.pending != waiting.get(card.id, 0):
            yield Drift(project_id, subject, "pending points", card.pending, waiting.get(card.id, 0))


def _campaigns(conn: Connection, project_id: str) -> Iterator[Drift]:
    held = vouchers.count_by_campaign(conn, project_id)
    for campaign_id, stored in campaigns.counters(conn, project_id).items():
        if stored != held.get(campaign_id, 0):
            yield Drift(project_id, f"campaign {campaign_id}", "vouchers_count", stored, held.get(campaign_id, 0))


def _customers(conn: Connection, project_id: str) -> Iterator[Drift]:
    recorded = redemptions.counts_by_customer(conn, project_id)
    for customer_id, counts in customers.counters(conn, project_id):
        expected = recorded.get(customer_id, {})
        for name, stored in counts.items():
            if stored != expected.get(name, 0):
                yield Drift(project_id, f"customer {customer_id}", name, stored, expected.get(name, 0))


def _counters(conn: Connection, project_id: str) -> Iterator[Drift]:
    """Counters of tiers and budgets against their postings, and the uses of tiers against history."""
    stored = ledger.all_values(conn, project_id)
    expected: dict[ledger.Key, int] = {}
    for account in ledger.KEPT:
        for subject_id, total in ledger.balances(conn, project_id, account).items():
            expected[subject_id, account] = total
    for key in sorted(stored.keys() | expected.keys()):
        if stored.get(key, 0) != expected.get(key, 0):
            yield Drift(project_id, key[0], key[1], stored.get(key, 0), expected.get(key, 0))
    recorded = redemptions.uses_by_tier(conn, project_id)
    used = {subject_id for subject_id, account in expected if account == ledger.TIER_USES}
    for tier_id in sorted(used | recorded.keys()):
        uses, records = expected.get((tier_id, ledger.TIER_USES), 0), recorded.get(tier_id, 0)
        if records != uses:
            yield Drift(project_id, f"promotion_tier {tier_id}", "redemptions on record", records, uses)
