"""Every query on vouchers and the transactions of their credit."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import (
    Select,
    bindparam,
    delete,
    exists,
    func,
    select,
    update,
)
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import ColumnElement, UnaryExpression

from largesse.engine.books import Voucher
from largesse.engine.discounts import Discount
from largesse.engine.validity import Hours, Timeframe
from largesse.kernel import wire
from largesse.kernel.access.tables import projects
from largesse.kernel.database import trips
from largesse.kernel.database.columns import found_by, one_of
from largesse.kernel.database.rows import insert_rows, insert_rows_alike, update_rows
from largesse.vouchers.model import (
    GIFT_VOUCHER,
    LOYALTY_CARD,
    CreditTransaction,
    PointsChange,
    StoredVoucher,
    VoucherCounters,
)
from largesse.vouchers.tables import transactions, vouchers

COLUMNS = tuple(c.name for c in vouchers.c if c.name not in ("project_id", "code_key", "deleted_at"))
_JSON: dict[str, Any] = {
    "discount": Discount,
    "validity_timeframe": Timeframe,
    "validity_day_of_week": list[int],
    "validity_hours": Hours,
    "rule_ids": list[str],
    "metadata": dict[str, Any],
}
_OWN = (
    "additional_info",
    "created_at",
    "updated_at",
    "publish_count",
    "referrer_id",
    "qr_id",
    "barcode_id",
    "locked_until",
)
_CHANGING = (
    "category_id",
    "discount",
    "active",
    "start_date",
    "expiration_date",
    "validity_timeframe",
    "validity_day_of_week",
    "validity_hours",
    "metadata",
    "additional_info",
    "updated_at",
)
_ALL = select(*(vouchers.c[name] for name in COLUMNS))
_BY_KEYS = _ALL.add_columns(vouchers.c.code_key).where(
    vouchers.c.project_id == bindparam("project"),
    found_by(vouchers.c.id, {"ids": vouchers.c.id, "codes": vouchers.c.code_key}),
)
_BY_CODES = _ALL.add_columns(vouchers.c.code_key).where(
    vouchers.c.project_id == bindparam("project"), found_by(vouchers.c.id, {"codes": vouchers.c.code_key})
)
_LIVE = vouchers.c.deleted_at.is_(None)
_STATEMENTS = {
    (with_ids, binned, lock): _variant
    for with_ids, base in ((True, _BY_KEYS), (False, _BY_CODES))
    for binned in (True, False)
    for lock in (True, False)
    for ordered in [(base if binned else base.where(_LIVE)).order_by(vouchers.c.id)]
    for _variant in [ordered.with_for_update() if lock else ordered]
}
_TRANSACTION_COLUMNS = CreditTransaction.__struct_fields__
_TAKEN = select(vouchers.c.code_key).where(
    vouchers.c.project_id == bindparam("project"), one_of(vouchers.c.code_key, "codes")
)
_REMOVE = delete(vouchers).where(vouchers.c.project_id == bindparam("project"), one_of(vouchers.c.id, "ids"))
_REMOVE_TRANSACTIONS = delete(transactions).where(
    transactions.c.project_id == bindparam("project"), one_of(transactions.c.voucher_id, "ids")
)
_HELD_AMOUNTS = (
    "gift_amount",
    "subtracted_amount",
    "redeemed_amount",
    "expired_amount",
    "pending_amount",
    "due_on",
)
_TOTALS = select(vouchers.c.id, *(vouchers.c[name] for name in _HELD_AMOUNTS)).where(
    vouchers.c.project_id == bindparam("project"), one_of(vouchers.c.id, "ids")
)
_DUE_CARDS = (
    select(vouchers.c.id, vouchers.c.holder_id)
    .where(vouchers.c.project_id == bindparam("project"), vouchers.c.due_on <= bindparam("today"))
    .where(vouchers.c.holder_id.is_not(None), vouchers.c.deleted_at.is_(None))
    .order_by(vouchers.c.due_on)
    .limit(bindparam("limit"))
)
_DUE_PROJECTS = select(projects.c.project_id).where(
    exists().where(
        vouchers.c.project_id == projects.c.project_id,
        vouchers.c.due_on <= bindparam("today"),
        vouchers.c.holder_id.is_not(None),
        vouchers.c.deleted_at.is_(None),
    )
)
_CARDS = _ALL.where(
    vouchers.c.project_id == bindparam("project"),
    _LIVE,
    vouchers.c.type == LOYALTY_CARD,
    vouchers.c.holder_id.is_not(None),
)
_CARDS_OF_HOLDERS = _CARDS.where(found_by(vouchers.c.id, {"holders": vouchers.c.holder_id})).order_by(vouchers.c.id)
_CARDS_OF_HOLDERS_LOCKED = _CARDS_OF_HOLDERS.with_for_update()
_NEXT_CARDS = (
    select(vouchers.c.id, vouchers.c.holder_id)
    .where(
        vouchers.c.project_id == bindparam("project"),
        vouchers.c.campaign_id == bindparam("campaign"),
        vouchers.c.id > bindparam("after"),
        vouchers.c.holder_id.is_not(None),
        _LIVE,
    )
    .order_by(vouchers.c.id)
    .limit(bindparam("limit"))
)
_EARNED_SINCE = select(transactions.c.voucher_id, transactions.c.details).where(
    transactions.c.project_id == bindparam("project"),
    one_of(transactions.c.voucher_id, "vouchers"),
    transactions.c.created_at >= bindparam("since"),
    one_of(transactions.c.type, "types"),
)
_DISTINCT = ("id", "code", "code_key", "qr_id", "barcode_id")  # what no two codes of a campaign share


def question(
    project_id: str, codes: Collection[str], ids: Collection[str], *, lock: bool, binned: bool
) -> trips.Question:
    """Asks for vouchers with these code keys or ids, locked in id order where wanted; `read` tells what was found."""
    values: dict[str, Any] = {"project": project_id, "codes": list(codes)}
    if ids:
        values["ids"] = list(ids)
    return trips.Question(_STATEMENTS[bool(ids), binned, lock], values)


def read(rows: Iterable[Sequence[Any]]) -> list[tuple[str, StoredVoucher]]:
    """The vouchers that `question` found, each with its code key."""
    return [(row[-1], stored_voucher(row)) for row in rows]


def insert(conn: Connection, project_id: str, stored: StoredVoucher, code_key: str) -> None:
    """A code that is taken raises IntegrityError."""
    insert_all(conn, project_id, [(stored, code_key)])


def insert_all(conn: Connection, project_id: str, rows: Sequence[tuple[StoredVoucher, str]]) -> None:
    """Vouchers with their code keys; a code that is taken raises IntegrityError."""
    values = [(*_values(stored, COLUMNS), code_key) for stored, code_key in rows]
    insert_rows(conn, vouchers, (*COLUMNS, "code_key"), project_id, values)


def insert_alike(conn: Connection, project_id: str, model: StoredVoucher, rows: Sequence[tuple[str, ...]]) -> None:
    """Vouchers that are all as `model` but for their (id, code, code key, QR id, barcode id); a taken code is an IntegrityError."""
    columns = tuple(name for name in COLUMNS if name not in _DISTINCT)
    same = dict(zip(columns, _values(model, columns), strict=True))
    insert_rows_alike(conn, vouchers, same, _DISTINCT, project_id, rows)


def taken(conn: Connection, project_id: str, code_keys: Collection[str]) -> set[str]:
    """Those of the code keys that a voucher has, in the bin or not."""
    return set(conn.execute(_TAKEN, {"project": project_id, "codes": list(code_keys)}).scalars())


def live(project_id: str) -> Select[tuple[str]]:
    """Ids of the vouchers that are not in the bin."""
    return select(vouchers.c.id).where(vouchers.c.project_id == project_id, _LIVE)


def is_taken(conn: Connection, project_id: str, code_key: str) -> bool:
    """Binned codes are taken too."""
    found = select(vouchers.c.id).where(vouchers.c.project_id == project_id, vouchers.c.code_key == code_key)
    return conn.execute(found).first() is not None


def save(conn: Connection, project_id: str, stored: StoredVoucher) -> None:
    """Writes what an update may change; counters are changed by `add_uses` and `add_credit` only."""
    update_rows(conn, vouchers, ("id",), _CHANGING, project_id, [(*_values(stored, _CHANGING), stored.entry.id)])


def add_uses(conn: Connection, project_id: str, changes: Sequence[tuple[str, int, int]], now: int) -> None:
    """Moves uses and redeemed credits; GuardViolation when a limit, a balance or zero would be passed."""
    update_rows(
        conn,
        vouchers,
        ("id",),
        ("updated_at",),
        project_id,
        [(now, uses, credits, voucher_id) for voucher_id, uses, credits in changes],
        add=("redeemed_quantity", "redeemed_amount"),
        guard=(
            "(t.quantity IS NULL OR {redeemed_quantity} <= 0 OR t.redeemed_quantity + {redeemed_quantity} <= t.quantity)"
            " AND t.redeemed_quantity + {redeemed_quantity} >= 0 AND t.redeemed_amount + {redeemed_amount} >= 0"
            " AND t.gift_amount - t.subtracted_amount - t.expired_amount - t.redeemed_amount - {redeemed_amount} >= 0"
        ),
    )


def add_credits(conn: Connection, project_id: str, changes: Sequence[tuple[str, int, int]], now: int) -> None:
    """Moves lifetime income and removals: (voucher id, added, subtracted); GuardViolation when a balance would fall below zero."""
    update_rows(
        conn,
        vouchers,
        ("id",),
        ("updated_at",),
        project_id,
        [(now, added, subtracted, voucher_id) for voucher_id, added, subtracted in changes],
        add=("gift_amount", "subtracted_amount"),
        guard=("t.gift_amount + {gift_amount} - t.subtracted_amount - {subtracted_amount} - t.redeemed_amount >= 0"),
    )


def add_points(conn: Connection, project_id: str, changes: Sequence[PointsChange], now: int) -> None:
    """Moves what cards hold, one change per card; GuardViolation when a balance or a total would fall below zero."""
    update_rows(
        conn,
        vouchers,
        ("id",),
        ("updated_at", "due_on"),
        project_id,
        [
            (now, c.due_on, c.credited, c.subtracted, c.redeemed, c.expired, c.pending, c.voucher_id)
            for c in sorted(changes, key=lambda change: change.voucher_id)
        ],
        add=("gift_amount", "subtracted_amount", "redeemed_amount", "expired_amount", "pending_amount"),
        guard=(
            "t.redeemed_amount + {redeemed_amount} >= 0 AND t.pending_amount + {pending_amount} >= 0"
            " AND t.gift_amount + {gift_amount} - t.subtracted_amount - {subtracted_amount}"
            " - t.redeemed_amount - {redeemed_amount} - t.expired_amount - {expired_amount} >= 0"
        ),
    )


def reread(conn: Connection, project_id: str, entries: Sequence[Voucher]) -> None:
    """Brings what cards hold up to date, in one query."""
    by_id = {entry.id: entry for entry in entries}
    for row in conn.execute(_TOTALS, {"project": project_id, "ids": list(by_id)}):
        for name in _HELD_AMOUNTS:
            setattr(by_id[row.id], name, getattr(row, name))


def due(conn: Connection, project_id: str, today: str, limit: int) -> list[tuple[str, str | None]]:
    """Cards on which something falls due until today, with their holders: those that wait longest first. Nothing is locked."""
    rows = conn.execute(_DUE_CARDS, {"project": project_id, "today": today, "limit": limit})
    return [(row.id, row.holder_id) for row in rows]


def cards_of_holders(
    conn: Connection, project_id: str, holder_ids: Collection[str], *, lock: bool
) -> list[StoredVoucher]:
    """The loyalty cards of customers in id order."""
    statement = _CARDS_OF_HOLDERS_LOCKED if lock else _CARDS_OF_HOLDERS
    rows = conn.execute(statement, {"project": project_id, "holders": list(holder_ids)})
    return [stored_voucher(row) for row in rows]


def next_cards(conn: Connection, project_id: str, campaign_id: str, after: str, limit: int) -> list[tuple[str, str]]:
    """The next cards of a campaign that have a holder (id, holder) beyond the id `after`, in id order."""
    asked = {"project": project_id, "campaign": campaign_id, "after": after, "limit": limit}
    return [(row.id, row.holder_id) for row in conn.execute(_NEXT_CARDS, asked)]


def points_since(
    conn: Connection, project_id: str, voucher_ids: Collection[str], types: Collection[str], since: int
) -> dict[str, int]:
    """The points of each card's transactions of some types from an instant on; a card without any is absent."""
    asked = {"project": project_id, "vouchers": list(voucher_ids), "types": list(types), "since": since}
    found: dict[str, int] = {}
    for voucher_id, details in conn.execute(_EARNED_SINCE, asked):
        points = wire.decoder(Any).decode(details)["balance"]["points"]
        found[voucher_id] = found.get(voucher_id, 0) + points
    return found


def projects_with_due(conn: Connection, latest: str) -> list[str]:
    """The projects that have cards on which something falls due until `latest`."""
    return list(conn.execute(_DUE_PROJECTS, {"today": latest}).scalars())


def note_locks(conn: Connection, project_id: str, voucher_ids: Sequence[str], until: int) -> None:
    conn.execute(
        update(vouchers)
        .where(vouchers.c.project_id == project_id, vouchers.c.id.in_(voucher_ids), vouchers.c.locked_until < until)
        .values(locked_until=until)
    )


def note_rules(conn: Connection, project_id: str, voucher_id: str, rule_ids: list[str]) -> None:
    update_rows(conn, vouchers, ("id",), ("rule_ids",), project_id, [(wire.encode_text(rule_ids), voucher_id)])


def forget_category(conn: Connection, project_id: str, category_id: str) -> None:
    conn.execute(
        update(vouchers)
        .where(vouchers.c.project_id == project_id, vouchers.c.category_id == category_id)
        .values(category_id=None)
    )


def put_in_bin(conn: Connection, project_id: str, voucher_ids: Sequence[str], now: int) -> None:
    """Nothing waits on a card any more that is there."""
    rows = [(now, now, 0, id) for id in voucher_ids]
    update_rows(conn, vouchers, ("id",), ("deleted_at", "updated_at", "pending_amount"), project_id, rows)


def remove(conn: Connection, project_id: str, voucher_ids: list[str]) -> None:
    """Deletes vouchers and their transactions; the ledger keeps what it posted."""
    conn.execute(_REMOVE_TRANSACTIONS, {"project": project_id, "ids": voucher_ids})
    conn.execute(_REMOVE, {"project": project_id, "ids": voucher_ids})


def page(
    conn: Connection,
    project_id: str,
    conditions: Sequence[ColumnElement[bool]],
    order: Sequence[UnaryExpression[Any]],
    *,
    limit: int,
    offset: int,
) -> tuple[list[StoredVoucher], int]:
    where = (vouchers.c.project_id == project_id, _LIVE, *conditions)
    total = conn.execute(select(func.count()).select_from(vouchers).where(*where)).scalar_one()
    rows = conn.execute(_ALL.where(*where).order_by(*order).limit(limit).offset(offset))
    return [stored_voucher(row) for row in rows], total


def of_campaign(
    conn: Connection, project_id: str, campaign_id: str, *, after: str, limit: int, binned: bool
) -> list[StoredVoucher]:
    """The next vouchers of a campaign beyond the id `after`, in id order, locked."""
    mine = (vouchers.c.project_id == project_id, vouchers.c.campaign_id == campaign_id, vouchers.c.id > after)
    statement = _ALL.where(*mine) if binned else _ALL.where(*mine, _LIVE)
    rows = conn.execute(statement.order_by(vouchers.c.id).limit(limit).with_for_update())
    return [stored_voucher(row) for row in rows]


def save_all(conn: Connection, project_id: str, changed: Sequence[StoredVoucher]) -> None:
    """As `save`, for many, and with it what codes that nobody has had begin with."""
    columns = (*_CHANGING, "gift_effect", "gift_amount")
    rows = [(*_values(stored, columns), stored.entry.id) for stored in changed]
    update_rows(conn, vouchers, ("id",), columns, project_id, rows)


def insert_transactions(conn: Connection, project_id: str, rows: Sequence[CreditTransaction]) -> None:
    values = [
        (
            t.id,
            t.voucher_id,
            t.campaign_id,
            t.source_id,
            t.source,
            t.reason,
            t.type,
            wire.encode_text(t.details),
            t.related_transaction_id,
            t.created_at,
            _amount(t),
        )
        for t in rows
    ]
    insert_rows(conn, transactions, (*_TRANSACTION_COLUMNS, "amount"), project_id, values)


def _amount(transaction: CreditTransaction) -> int:
    balance = transaction.details["balance"]
    return int(balance["points"] if "points" in balance else balance["amount"])


def amounts_by_type(
    conn: Connection, project_id: str, campaign_id: str, since: int | None, until: int | None
) -> dict[str, int]:
    """Signed sums of the transactions of a campaign's codes, dated from `since` to before `until`, for each type."""
    c = transactions.c
    where = [c.project_id == project_id, c.campaign_id == campaign_id]
    if since is not None:
        where.append(c.created_at >= since)
    if until is not None:
        where.append(c.created_at < until)
    summed = select(c.type, func.sum(c.amount)).where(*where).group_by(c.type)
    return {kind: int(amount or 0) for kind, amount in conn.execute(summed)}


def page_of_transactions(
    conn: Connection,
    project_id: str,
    conditions: Sequence[ColumnElement[bool]],
    *,
    after: str | None,
    descending: bool,
    limit: int,
) -> list[CreditTransaction]:
    """Transactions under the conditions beyond the id `after`."""
    statement = select(*(transactions.c[name] for name in _TRANSACTION_COLUMNS)).where(
        transactions.c.project_id == project_id, *conditions
    )
    if after:
        statement = statement.where(transactions.c.id < after if descending else transactions.c.id > after)
    order = transactions.c.id.desc() if descending else transactions.c.id.asc()
    found = []
    for row in conn.execute(statement.order_by(order).limit(limit)):
        values = dict(row._mapping)
        values["details"] = wire.decode_stored(values["details"], dict[str, Any])
        found.append(CreditTransaction(**values))
    return found


def counters(conn: Connection, project_id: str) -> list[VoucherCounters]:
    """Stored counters of every voucher, binned ones included."""
    c = vouchers.c
    balance = c.gift_amount - c.subtracted_amount - c.redeemed_amount - c.expired_amount
    rows = conn.execute(
        select(c.id, c.redeemed_quantity, c.type, c.holder_id, balance, c.pending_amount).where(
            c.project_id == project_id
        )
    )
    return [
        VoucherCounters(
            id,
            uses,
            balance if kind == GIFT_VOUCHER else None,
            balance if kind == LOYALTY_CARD and holder else None,
            pending,
        )
        for id, uses, kind, holder, balance, pending in rows
    ]


def count_by_campaign(conn: Connection, project_id: str) -> dict[str, int]:
    mine = (vouchers.c.project_id == project_id, _LIVE, vouchers.c.campaign_id.is_not(None))
    counted = select(vouchers.c.campaign_id, func.count()).where(*mine).group_by(vouchers.c.campaign_id)
    return {row[0]: row[1] for row in conn.execute(counted)}


def code_of_asset(conn: Connection, kind: str, asset_id: str) -> str | None:
    """The code an image shows; the one look-up that no project narrows, as image addresses carry none."""
    column = vouchers.c.qr_id if kind == "qr" else vouchers.c.barcode_id
    row = conn.execute(select(vouchers.c.code).where(column == asset_id, _LIVE)).first()
    return row[0] if row else None


def _values(stored: StoredVoucher, names: tuple[str, ...]) -> tuple[Any, ...]:
    values = []
    for name in names:
        value = getattr(stored if name in _OWN else stored.entry, name)
        values.append(wire.encode_text(value) if name in _JSON and value is not None else value)
    return tuple(values)


def stored_voucher(row: Sequence[Any]) -> StoredVoucher:
    """A row that begins with `COLUMNS`."""
    values = dict(zip(COLUMNS, row, strict=False))
    for name, kind in _JSON.items():
        if values[name] is not None:
            values[name] = wire.decode_stored(values[name], kind)
    own = {name: values.pop(name) for name in _OWN}
    return StoredVoucher(entry=Voucher(**values), **own)
