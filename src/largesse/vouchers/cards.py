"""Loyalty cards: opening what they hold, so that answers show it and others can change it."""

from collections.abc import Iterable

from sqlalchemy.engine import Connection

import largesse.campaigns.service as campaigns
import largesse.wallets.service as wallets
from largesse.engine.points import Wallet
from largesse.kernel.database.unit import Unit
from largesse.kernel.project import Project
from largesse.vouchers import store
from largesse.vouchers.model import LOYALTY_CARD, StoredVoucher

_ATTEMPTS = 5


def open_wallets(
    conn: Connection, project: Project, found: Iterable[StoredVoucher], now: int, *, locked: bool = False
) -> None:
    """Gives the cards among the vouchers their wallets, as the store has them, and the day as of which they are shown.

    One query, a second where points are pending; none where there is no card, or none that has a holder. Cards that are not
    `locked` are read again where somebody changed them between these queries, and are what the calendar has made of them by now,
    whether or not that was written yet.
    """
    cards = {v.entry.id: v for v in found if v.entry.type == LOYALTY_CARD and v.entry.holder_id is not None}
    if not cards:
        return
    today = project.day(now)
    opened = wallets.load(conn, project.id, [stored.entry for stored in cards.values()])
    for _ in range(0 if locked else _ATTEMPTS):
        torn = [wallet.card for wallet in opened.values() if not wallet.agrees()]
        if not torn:
            break
        store.reread(conn, project.id, torn)
        opened |= wallets.load(conn, project.id, torn)
    due = [w for w in opened.values() if w.pending and (day := w.due_on()) is not None and day <= today]
    if due:
        know_rules(conn, project.id, due)
    for id, wallet in opened.items():
        cards[id].wallet, cards[id].today = wallet, today
        if not locked:
            cards[id].wallet = as_shown = wallet.as_of(today)
            cards[id].entry = as_shown.card


def know_rules(conn: Connection, project_id: str, opened: Iterable[Wallet]) -> None:
    """Tells wallets how long the points of their programs last; one query."""
    by_campaign: dict[str, list[Wallet]] = {}
    for wallet in opened:
        by_campaign.setdefault(wallet.card.campaign_id or "", []).append(wallet)
    for campaign_id, rules in campaigns.expiration_rules(conn, project_id, by_campaign.keys()).items():
        for wallet in by_campaign[campaign_id]:
            wallet.rules = rules


def drop_pending(unit: Unit, deleted: Iterable[StoredVoucher]) -> None:
    """Cancels what waits on cards that are deleted; no query where nothing does."""
    if waiting := [stored.entry.id for stored in deleted if stored.entry.pending_amount]:
        wallets.drop_pending(unit.conn, unit.project_id, waiting, unit.now)
