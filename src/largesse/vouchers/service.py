"""Use cases of vouchers, and what the redemptions room asks of them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date

import msgspec
from msgspec import UNSET
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import ColumnElement

import largesse.bin.service as bin
import largesse.campaigns.service as campaigns
import largesse.categories.service as categories
import largesse.customers.service as customers
import largesse.validation_rules.service as validation_rules
import largesse.wallets.service as wallets
from largesse.kernel import wire
from largesse.kernel.benefits import VALIDITY, changed_discount, check_validity
from largesse.kernel.database import trips
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import not_found
from largesse.kernel.http.query import Page, Query, within
from largesse.kernel.project import Project
from largesse.metadata_schemas.service import schemas_of
from largesse.vouchers import credit, store, tables
from largesse.vouchers.answers import answer, simple, slim, transaction_answer
from largesse.vouchers.cards import drop_pending, know_rules, open_wallets
from largesse.vouchers.credit import redemption_transaction, refund_transaction, reward_transaction
from largesse.vouchers.filters import FILTERS
from largesse.vouchers.making import new_voucher
from largesse.vouchers.model import (
    DISCOUNT_VOUCHER,
    LOYALTY_CARD,
    BalanceAnswer,
    BalanceChange,
    CreditTransaction,
    Forget,
    PointsChange,
    StoredVoucher,
    TransactionList,
    VoucherAnswer,
    VoucherCounters,
    VoucherCreate,
    VoucherList,
    VoucherUpdate,
)

__all__ = [
    "answer",
    "know_rules",
    "open_wallets",
    "redemption_transaction",
    "refund_transaction",
    "reward_transaction",
    "simple",
    "slim",
    "transaction_answer",
]

_ORDERS = {name: tables.vouchers.c[name] for name in ("created_at", "updated_at", "code")}
_ATTEMPTS = 20


# What redemptions ask


def load(
    conn: Connection,
    project: Project,
    keys: Collection[str],
    *,
    lock: bool,
    binned: bool = False,
    asked: trips.Rows | None = None,
) -> dict[str, StoredVoucher]:
    """Vouchers under every key as given, a code or an id (id first). One query; the same voucher is the same object.

    `lock` keeps the rows from other transactions, taken in id order. Those in the bin are seen only with `binned`. No query where
    `question` was asked already, and found this.
    """
    if asked is None:
        statement, values = question(project, keys, lock=lock, binned=binned)
        rows = store.read(conn.execute(statement, values))
    else:
        rows = store.read(asked)
    by_code = dict(rows)
    by_id = {stored.entry.id: stored for _, stored in rows}
    found: dict[str, StoredVoucher] = {}
    for key in keys:
        stored = by_id.get(key) or by_code.get(project.code_key(key))
        if stored is not None:
            found[key] = stored
    return found


def question(project: Project, keys: Collection[str], *, lock: bool, binned: bool = False) -> trips.Question:
    """What `load` asks, to be asked together with something else."""
    ids = [key for key in keys if key.startswith("v_")]
    return store.question(project.id, {project.code_key(key) for key in keys}, ids, lock=lock, binned=binned)


def add_uses(conn: Connection, project_id: str, changes: Sequence[tuple[str, int, int]], now: int) -> None:
    """Moves stored counters: (voucher id, uses, redeemed credits), one row per voucher. Raises GuardViolation, never oversells."""
    store.add_uses(conn, project_id, changes, now)


def add_points(conn: Connection, project_id: str, changes: Sequence[PointsChange], now: int) -> None:
    """Moves what cards hold, one change per card. Raises GuardViolation, never overspends."""
    store.add_points(conn, project_id, changes, now)


def due_cards(conn: Connection, project_id: str, today: date, limit: int) -> list[tuple[str, str | None]]:
    """Cards (id, holder) on which something falls due until today, those that wait longest first; nothing is locked."""
    return store.due(conn, project_id, today.isoformat(), limit)


def projects_with_due_cards(conn: Connection, latest: date) -> list[str]:
    """The projects that have cards on which something falls due until a day, the latest that it may be anywhere."""
    return store.projects_with_due(conn, latest.isoformat())


def cards_of_holders(
    conn: Connection, project_id: str, holder_ids: Collection[str], *, lock: bool
) -> list[StoredVoucher]:
    """The loyalty cards of customers in id order; who locks them has locked the holders before. One query."""
    return store.cards_of_holders(conn, project_id, holder_ids, lock=lock) if holder_ids else []


def next_cards(conn: Connection, project_id: str, campaign_id: str, after: str, limit: int) -> list[tuple[str, str]]:
    """The next cards of a program (id, holder) beyond the id `after`; nothing is locked."""
    return store.next_cards(conn, project_id, campaign_id, after, limit)


def points_since(
    conn: Connection, project_id: str, voucher_ids: Collection[str], types: Collection[str], since: int
) -> dict[str, int]:
    """The points of each card's transactions of some types from an instant on, signed, by card id."""
    return store.points_since(conn, project_id, voucher_ids, types, since) if voucher_ids else {}


def amounts_by_type(
    conn: Connection, project_id: str, campaign_id: str, since: int | None, until: int | None
) -> dict[str, int]:
    """Signed sums of the transactions of a campaign's codes, dated from `since` to before `until`, for each type."""
    return store.amounts_by_type(conn, project_id, campaign_id, since, until)


def add_transactions(conn: Connection, project_id: str, rows: Sequence[CreditTransaction]) -> None:
    store.insert_transactions(conn, project_id, rows)


def add_credits(conn: Connection, project_id: str, changes: Mapping[str, tuple[int, int]], now: int) -> None:
    """Moves what gift cards got and lost by hand or as a reward: by voucher id (added, subtracted). Raises GuardViolation."""
    rows = [(id, added, subtracted) for id, (added, subtracted) in sorted(changes.items())]
    store.add_credits(conn, project_id, rows, now)


def save_switches(conn: Connection, project_id: str, changed: Sequence[StoredVoucher]) -> None:
    """Writes whether vouchers are active."""
    store.save_all(conn, project_id, sorted(changed, key=lambda stored: stored.entry.id))


def note_locks(conn: Connection, project_id: str, voucher_ids: Sequence[str], until: int) -> None:
    """Notes that a session holds something of these vouchers until then, so that decisions look for its locks."""
    store.note_locks(conn, project_id, voucher_ids, until)


def among_live(column: ColumnElement[str], project_id: str) -> ColumnElement[bool]:
    """Condition: the column names a voucher that is not in the bin."""
    return column.in_(store.live(project_id))


def id_of(unit: Unit, key: str) -> str:
    """The id of the voucher with this code or id. Raises ApiError 404."""
    return _existing(unit, key).entry.id


def note_rules(unit: Unit, voucher_id: str, rule_ids: list[str]) -> None:
    """Lets a voucher know its own rules, in order of assignment, so that decisions need not look for them."""
    store.note_rules(unit.conn, unit.project_id, voucher_id, rule_ids)


def counters(conn: Connection, project_id: str) -> list[VoucherCounters]:
    """Stored counters of every voucher, for verification."""
    return store.counters(conn, project_id)


def count_by_campaign(conn: Connection, project_id: str) -> dict[str, int]:
    """How many codes campaigns hold, those in the bin left out; a campaign without any is absent."""
    return store.count_by_campaign(conn, project_id)


# The resource


def get(unit: Unit, code: str, base_url: str) -> VoucherAnswer:
    return shown(unit, _existing(unit, code), base_url)


def create(unit: Unit, sent: VoucherCreate, base_url: str, *, code: str | None = None) -> VoucherAnswer:
    """A discount code or gift card, as `new_voucher` makes it."""
    stored = new_voucher(unit, sent, code)
    made = shown(unit, stored, base_url)
    record(unit, "voucher.created", made)
    return made


def update(unit: Unit, code: str, sent: VoucherUpdate, base_url: str) -> VoucherAnswer:
    """Changes what may change. Raises ApiError 404, 400 `invalid_voucher` for another discount type."""
    stored = _existing(unit, code, lock=True)
    entry = stored.entry
    if sent.category_id is not UNSET or sent.category is not UNSET:
        entry.category_id = categories.resolve(unit, sent.category_id or None, sent.category or None)
    for name in (*VALIDITY, "active"):
        if (value := getattr(sent, name)) is not UNSET:
            setattr(entry, name, value)
    if sent.additional_info is not UNSET:
        stored.additional_info = sent.additional_info
    if isinstance(sent.discount, dict) and entry.type == DISCOUNT_VOUCHER:
        assert entry.discount is not None  # a discount voucher has one
        entry.discount = changed_discount(entry.discount, sent.discount)
    unset = sent.unset_metadata_fields or []
    entry.metadata = wire.without_fields(wire.merge_metadata(entry.metadata, sent.metadata or None), unset)
    schemas_of(unit).check_changed("voucher", sent.metadata or None, entry.metadata, unset)
    check_validity(entry)
    return _saved(unit, stored, "voucher.updated", base_url)


def switch(unit: Unit, code: str, base_url: str, *, active: bool) -> VoucherAnswer:
    """Enables or disables; doing so again changes nothing more."""
    stored = _existing(unit, code, lock=True)
    stored.entry.active = active
    return _saved(unit, stored, "voucher.enabled" if active else "voucher.disabled", base_url)


def delete(unit: Unit, code: str, forget: Forget, *, force: bool) -> None:
    """To the bin, where its code stays taken, or for good. Raises ApiError 404."""
    stored = _existing(unit, code, lock=True)
    forget(unit, [stored.entry.id])
    if stored.entry.campaign_id is not None:
        campaigns.count_codes(unit, stored.entry.campaign_id, -1, stored.entry.balance)
    if force:
        purge(unit, stored.entry.id)
    else:
        store.put_in_bin(unit.conn, unit.project_id, [stored.entry.id], unit.now)
        drop_pending(unit, [stored])
        bin.put(unit, "voucher", stored.entry.id, stored.entry.code, stored.entry.campaign_id)
    told = {"voucher": msgspec.to_builtins(slim(stored)), "campaign": None}
    unit.record("voucher.deleted", stored.entry.id, told, about=stored)


def purge(unit: Unit, voucher_id: str) -> None:
    """Removes for good, with the assignments of its rules."""
    store.remove(unit.conn, unit.project_id, [voucher_id])
    wallets.remove(unit.conn, unit.project_id, [voucher_id])
    validation_rules.remove_assignments(unit, "voucher", [voucher_id])


def forget_category(unit: Unit, category_id: str) -> None:
    """Vouchers of a category that is gone have none."""
    store.forget_category(unit.conn, unit.project_id, category_id)


def change_balance(
    unit: Unit, code: str, sent: BalanceChange, change_points: Callable[[Unit, str, BalanceChange], BalanceAnswer]
) -> BalanceAnswer:
    """Of gift cards here; loyalty cards, whose holders are locked before them, are left to `change_points`."""
    if _existing(unit, code).entry.type == LOYALTY_CARD:
        return change_points(unit, code, sent)
    return credit.change_balance(unit, _existing(unit, code, lock=True), sent)


def list_transactions(unit: Unit, code: str, query: Query) -> TransactionList:
    mine = tables.transactions.c.voucher_id == _existing(unit, code).entry.id
    return credit.list_transactions(unit, mine, query)


def list_transactions_of_campaign(unit: Unit, key: str, query: Query) -> TransactionList:
    """Those of all codes of a campaign, named by id or name; a campaign without credit has none. Raises ApiError 404."""
    mine = tables.transactions.c.campaign_id == campaigns.find(unit, key).id
    return credit.list_transactions(unit, mine, query)


def list_vouchers(unit: Unit, query: Query, base_url: str) -> VoucherList:
    """Every parameter and filter of the list; newest first."""
    columns = tables.vouchers.c
    conditions = []
    for parameter, column in (("campaign", columns.campaign), ("campaign_id", columns.campaign_id)):
        if value := query.text(parameter):
            conditions.append(column == value)
    if category := query.text("category_id") or query.text("category"):
        named = categories.find(unit, category)
        conditions.append(columns.category_id == (named.id if named else category))
    return _listed(unit, query, conditions, query.page(max_page=99), base_url)


def list_of_campaign(unit: Unit, campaign_id: str, query: Query, base_url: str) -> VoucherList:
    """The vouchers of one campaign, with the parameters and filters of the list; newest first."""
    return _listed(unit, query, [tables.vouchers.c.campaign_id == campaign_id], query.page(), base_url)


def _listed(unit: Unit, query: Query, conditions: list[ColumnElement[bool]], page: Page, base_url: str) -> VoucherList:
    columns = tables.vouchers.c
    conditions += within(columns.created_at, query.between("created_at"))
    conditions += within(columns.updated_at, query.between("updated_at"))
    if wanted := query.all("code"):
        conditions.append(columns.code_key.in_([unit.project.code_key(code) for code in wanted]))
    if wanted := query.all("ids"):
        conditions.append(columns.id.in_(wanted))
    if holder := query.text("customer"):
        customer = customers.by_key(unit, holder)
        conditions.append(columns.holder_id == (customer.id if customer else holder))
    conditions += query.filtered(FILTERS, unit, lambda: schemas_of(unit).types("voucher"))
    order = query.order(_ORDERS, "-created_at", columns.id)
    found, total = store.page(unit.conn, unit.project_id, conditions, order, limit=page.limit, offset=page.offset)
    return VoucherList(vouchers=listed(unit, found, base_url), total=total)


def listed(unit: Unit, found: Sequence[StoredVoucher], base_url: str) -> list[VoucherAnswer]:
    """Vouchers as lists and publications show them: with their categories, without their rules."""
    held = categories.answers(unit.conn, unit.project, {v.entry.category_id for v in found if v.entry.category_id})
    open_wallets(unit.conn, unit.project, [stored for stored in found if stored.wallet is None], unit.now)
    return [answer(stored, base_url, held.get(stored.entry.category_id or "")) for stored in found]


def code_of_asset(conn: Connection, kind: str, asset_id: str) -> str | None:
    """The code that an image address stands for; None when it stands for none."""
    return store.code_of_asset(conn, kind, asset_id)


# Checks and small parts


def shown(unit: Unit, stored: StoredVoucher, base_url: str) -> VoucherAnswer:
    """With its category, and the assignments of its rules: its campaign's and its own."""
    entry = stored.entry
    if stored.wallet is None:
        open_wallets(unit.conn, unit.project, [stored], unit.now)
    category = categories.answers(unit.conn, unit.project, [entry.category_id]) if entry.category_id else {}
    assigned = []
    for kind, id in (("campaign", entry.campaign_id), ("voucher", entry.id)):
        if id is not None:
            assigned += validation_rules.assignments(unit.conn, unit.project, kind, [id])[id]
    return answer(stored, base_url, category.get(entry.category_id or ""), validation_rules.embedded(assigned))


def _existing(unit: Unit, code: str, *, lock: bool = False) -> StoredVoucher:
    stored = load(unit.conn, unit.project, [code], lock=lock).get(code)
    if stored is None:
        raise not_found("voucher", code)
    return stored


def _saved(unit: Unit, stored: StoredVoucher, event: str, base_url: str) -> VoucherAnswer:
    stored.updated_at = unit.now
    store.save(unit.conn, unit.project_id, stored)
    made = shown(unit, stored, base_url)
    record(unit, event, made)
    return made


def record(unit: Unit, event: str, shown: VoucherAnswer) -> None:
    unit.record(event, shown.id, {"voucher": msgspec.to_builtins(shown), "campaign": None})
