"""What other rooms ask of wallets: reading them for many cards at once, and writing what became of them."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date

import msgspec
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import ColumnElement

from largesse.engine.books import Voucher
from largesse.engine.points import Bucket, Pending, Wallet
from largesse.kernel import ledger
from largesse.wallets import store
from largesse.wallets.model import BucketChange, StoredPending


def load(conn: Connection, project_id: str, cards: Iterable[Voucher]) -> dict[str, Wallet]:
    """The wallets of cards, by card id, without the rules of their programs: one query, a second where points are pending."""
    by_id = {card.id: card for card in cards}
    if not by_id:
        return {}
    buckets = store.active_of(conn, project_id, by_id)
    waiting = [card.id for card in by_id.values() if card.pending_amount]
    pending = store.pending_of(conn, project_id, waiting) if waiting else {}
    wallets = {}
    for id, card in by_id.items():
        waits: list[Pending] = [*pending.get(id, [])]
        wallets[id] = Wallet(card=card, buckets=buckets[id], pending=waits)
    return wallets


class Changes(msgspec.Struct, kw_only=True):
    """What became of the wallets of one transaction: new and changed rows, and the postings under them."""

    buckets: dict[str, BucketChange] = {}
    new_pending: dict[str, StoredPending] = {}
    pending: dict[str, StoredPending] = {}
    postings: list[ledger.Entry] = []


def save(conn: Connection, project_id: str, changes: Changes, now: int) -> None:
    """Writes each kind of row in one statement. GuardViolation where a bucket or an entry is not as it was read."""
    store.save_buckets(conn, project_id, list(changes.buckets.values()), now)
    store.insert_pending(conn, project_id, list(changes.new_pending.values()))
    store.change_pending(conn, project_id, list(changes.pending.values()), now)
    ledger.post(conn, project_id, changes.postings)


def buckets(conn: Connection, project_id: str, ids: Collection[str]) -> dict[str, Bucket]:
    """Buckets by their ids, those that expired too."""
    return store.by_ids(conn, project_id, ids) if ids else {}


def changed_at(conn: Connection, project_id: str, voucher_id: str) -> dict[str, int | None]:
    """When each bucket of a card was changed last; None = never."""
    return store.changed_at(conn, project_id, voucher_id)


def pending_by_id(conn: Connection, project_id: str, id: str) -> StoredPending | None:
    """Pending points whatever became of them."""
    return store.pending_by_id(conn, project_id, id)


def pending_of_orders(conn: Connection, project_id: str, order_ids: Collection[str]) -> list[StoredPending]:
    """The points that orders earned and that still wait, in one query."""
    return store.pending_of_orders(conn, project_id, order_ids) if order_ids else []


def page_of_pending(
    conn: Connection,
    project_id: str,
    owner: tuple[str, str],
    today: date,
    *,
    after: str | None,
    descending: bool,
    limit: int,
) -> list[StoredPending]:
    """Points of one `voucher_id` or `campaign_id` (name, value) that wait beyond today, by id."""
    name, value = owner
    mine: ColumnElement[bool] = store.pending.c[name] == value
    return store.page_of_pending(conn, project_id, mine, today, after=after, descending=descending, limit=limit)


def pending_figures(
    conn: Connection, project_id: str, campaign_id: str, since: int | None, until: int | None
) -> dict[str, int]:
    """Of a program: points that began to wait (`added`), became usable and were canceled, from `since` to before `until`."""
    return store.pending_figures(conn, project_id, campaign_id, since, until)


def drop_pending(conn: Connection, project_id: str, voucher_ids: Sequence[str], now: int) -> None:
    """Cancels all that waits on cards that are deleted."""
    store.drop_pending(conn, project_id, voucher_ids, now)


def remove(conn: Connection, project_id: str, voucher_ids: Sequence[str]) -> None:
    """Deletes what cards held; the ledger keeps what it posted."""
    store.remove(conn, project_id, voucher_ids)


def bucket_points(conn: Connection, project_id: str) -> dict[str, tuple[str, int]]:
    """Card and stored points of every bucket, for verification."""
    return store.bucket_points(conn, project_id)


def pending_sums(conn: Connection, project_id: str) -> dict[str, int]:
    """The sum of waiting points of each card that has some, for verification."""
    return store.pending_sums(conn, project_id)
