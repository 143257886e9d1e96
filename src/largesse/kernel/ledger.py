"""Postings: append-only rows under every use, credit and counter.

Each posting changes one account by a signed integer, says what caused it, and names the posting it negates, if it undoes one.
A posting is undone at most once (unique key). Every counter and balance in the system is the sum of its postings. Counters that no
row of their own carries (those of promotion tiers, of budgets over time) stand in the table `counters`.
"""

from collections.abc import Collection, Mapping, Sequence

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.engine import Connection

from largesse.kernel import ids, seals
from largesse.kernel.database.columns import metadata, micros, one_of, project_id
from largesse.kernel.database.rows import add_rows, insert_rows, update_rows

VOUCHER_USES = "voucher_uses"  # grows by 1 with each redemption, falls with each rollback
GIFT_CREDITS = "gift_credits"  # the card's balance
POINTS = "points"  # of one bucket of a loyalty card
TIER_USES = "tier_uses"  # of a promotion tier, as of a voucher
TIER_ORDERS = "tier_orders"  # amounts of the orders a tier was redeemed on, before discounts, in minor units
TIER_DISCOUNTS = "tier_discounts"  # what a tier took off, in minor units
REWARD_USES = "reward_uses"  # of a reward, as of a voucher
REWARD_STOCK = "reward_stock"  # units left of a reward; a reward without such a counter has no limit
DISCOUNTED_UNITS = "discounted_units"  # units that count against a limit over time; the subject names the budget
HISTORY = "history"  # no sum: the row of a campaign or tier that rivals wait for while history is summed up
COUNTED = (
    TIER_USES,
    TIER_ORDERS,
    TIER_DISCOUNTS,
    REWARD_USES,
    DISCOUNTED_UNITS,
)  # what `counters` keeps from the first move on
ACCOUNTS = (VOUCHER_USES, GIFT_CREDITS, POINTS, REWARD_STOCK, *COUNTED)  # all that have postings
KEPT = (*COUNTED, REWARD_STOCK)  # all that it keeps

postings = Table(
    "postings",
    metadata,
    project_id(),
    Column("id", Text, nullable=False),
    Column("account", Text, nullable=False),  # kind of account, one of the names above
    Column(
        "subject_id", Text, nullable=False
    ),  # whose account: the id of a voucher, bucket or tier, the key of a budget
    Column("amount", BigInteger, nullable=False),  # signed
    Column(
        "cause", Text, nullable=False
    ),  # creation, redemption, rollback, adjustment, earning, activation, expiry, transfer
    Column("cause_id", Text, nullable=False),
    Column("negates", Text),  # the posting this one undoes
    micros("created_at"),
    Column("seal_id", Text),  # the seal over it; see `kernel.seals`. None for what was posted before there were seals
    PrimaryKeyConstraint("project_id", "id"),
    UniqueConstraint("project_id", "negates"),
    Index("postings_of_account", "project_id", "account", "subject_id", "id"),
    Index("postings_of_cause", "project_id", "cause_id"),
)
# One row per account that ever moved. `most` is the limit its last growth was held to, so that the statement itself refuses more.
counters = Table(
    "counters",
    metadata,
    project_id(),
    Column("subject_id", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("value", BigInteger, nullable=False),
    Column("most", BigInteger),
    PrimaryKeyConstraint("project_id", "subject_id", "account"),
)
Key = tuple[str, str]  # (subject id, account)

_SEALED = ("id", "account", "subject_id", "amount", "cause", "cause_id", "negates", "created_at")
_COLUMNS = (*_SEALED, "seal_id")


class Entry(msgspec.Struct, frozen=True):
    """A posting to be written; `amount` is signed, in uses, credits or points."""

    account: str
    subject_id: str
    amount: int
    cause: str
    cause_id: str
    created_at: int
    negates: str | None = None


class Posting(msgspec.Struct, frozen=True):
    """A posting as stored, with what an undo needs."""

    id: str
    account: str
    subject_id: str
    amount: int
    cause_id: str


def post(conn: Connection, project_id: str, entries: Sequence[Entry]) -> None:
    """Appends postings under one seal. A second negation of the same posting raises IntegrityError.

    Inside `sent_together` it needs `seals.follow` to have been called before.
    """
    if not entries:
        return
    rows = [
        (ids.hex_id("post_"), e.account, e.subject_id, e.amount, e.cause, e.cause_id, e.negates, e.created_at)
        for e in entries
    ]
    seal_id = seals.seal(conn, project_id, rows, entries[0].created_at)
    insert_rows(conn, postings, _COLUMNS, project_id, [(*row, seal_id) for row in rows])


def check_seals(conn: Connection, project_id: str, noted: seals.Head | None = None) -> seals.Checked:
    """Computes the seals over all postings again; see `seals.check`."""
    statement = (
        select(postings.c.seal_id, *(postings.c[name] for name in _SEALED))
        .where(postings.c.project_id == project_id)
        .order_by(postings.c.seal_id, postings.c.id)
    )
    rows = conn.execute(statement.execution_options(yield_per=5000))
    return seals.check(conn, project_id, ((row[0], tuple(row[1:])) for row in rows), noted)


_BY_CAUSE = select(
    postings.c.id, postings.c.account, postings.c.subject_id, postings.c.amount, postings.c.cause_id
).where(postings.c.project_id == bindparam("project"), one_of(postings.c.cause_id, "causes"))


def caused_by(conn: Connection, project_id: str, causes: Collection[str]) -> dict[str, list[Posting]]:
    """The postings of each cause (a redemption's id), in one query."""
    found: dict[str, list[Posting]] = {}
    for row in conn.execute(_BY_CAUSE, {"project": project_id, "causes": list(causes)}):
        posting = Posting(*row)
        found.setdefault(posting.cause_id, []).append(posting)
    return found


_VALUES = (
    select(counters.c.subject_id, counters.c.account, counters.c.value)
    .where(counters.c.project_id == bindparam("project"), one_of(counters.c.subject_id, "subjects"))
    .order_by(counters.c.subject_id, counters.c.account)
)
_VALUES_LOCKED = _VALUES.with_for_update()
_HELD = "{value} <= 0 OR {most} IS NULL OR t.value + {value} <= {most}"


def values(conn: Connection, project_id: str, subjects: Collection[str], *, lock: bool) -> dict[Key, int]:
    """The counters of these subjects in one query, locked in order of their keys where asked; one that never moved is absent."""
    if not subjects:
        return {}
    statement = _VALUES_LOCKED if lock else _VALUES
    rows = conn.execute(statement, {"project": project_id, "subjects": list(subjects)})
    return {(subject_id, account): value for subject_id, account, value in rows}


def hold(conn: Connection, project_id: str, subjects: Collection[str]) -> None:
    """Makes rivals for these subjects wait until this transaction ends; taken in order of their ids."""
    rows = [(subject, HISTORY, 0, None) for subject in sorted(subjects)]
    add_rows(conn, counters, ("subject_id", "account"), "value", ("most",), project_id, rows, guard="TRUE")


def add(conn: Connection, project_id: str, changes: Mapping[Key, int], limits: Mapping[Key, int]) -> None:
    """Moves counters by signed amounts, in order of their keys; a counter that has no row yet begins at 0.

    Growth beyond a limit raises GuardViolation, also where another transaction was faster: nothing is ever overspent.
    """
    rows = sorted(
        (subject_id, account, amount, limits.get((subject_id, account)))
        for (subject_id, account), amount in changes.items()
        if amount
    )
    add_rows(conn, counters, ("subject_id", "account"), "value", ("most",), project_id, rows, guard=_HELD)


def draw(conn: Connection, project_id: str, changes: Mapping[Key, int]) -> None:
    """Moves counters that must exist and never fall below zero; one that would raises GuardViolation."""
    rows = [(amount, *key) for key, amount in sorted(changes.items()) if amount]  # in the order that rivals share
    update_rows(
        conn,
        counters,
        ("subject_id", "account"),
        (),
        project_id,
        rows,
        add=("value",),
        guard="t.value + {value} >= 0",
    )


def put(conn: Connection, project_id: str, key: Key, value: int | None) -> None:
    """Sets a counter whose subject the caller has locked, or removes it; the caller posts the difference.

    The row stays where it is: who waits for it must find it again.
    """
    mine = (counters.c.project_id == project_id, counters.c.subject_id == key[0], counters.c.account == key[1])
    if value is None:
        conn.execute(delete(counters).where(*mine))
    elif not conn.execute(update(counters).where(*mine).values(value=value)).rowcount:
        insert_rows(conn, counters, ("subject_id", "account", "value"), project_id, [(*key, value)])


def all_values(conn: Connection, project_id: str) -> dict[Key, int]:
    """Every counter as stored, for verification."""
    rows = conn.execute(
        select(counters.c.subject_id, counters.c.account, counters.c.value).where(counters.c.project_id == project_id)
    )
    return {(subject_id, account): value for subject_id, account, value in rows}


class Balance(msgspec.Struct, frozen=True):
    """The sum of one account's postings up to an instant, their number, and when the last of them was made."""

    account: str
    subject_id: str
    balance: int
    postings: int
    last_at: int


_BALANCES_AT = (
    select(
        postings.c.account,
        postings.c.subject_id,
        func.sum(postings.c.amount),
        func.count(),
        func.max(postings.c.created_at),
    )
    .where(
        postings.c.project_id == bindparam("project"),
        one_of(postings.c.account, "accounts"),
        one_of(postings.c.subject_id, "subjects"),
        postings.c.created_at <= bindparam("at"),
    )
    .group_by(postings.c.account, postings.c.subject_id)
    .order_by(postings.c.account, postings.c.subject_id)
)


def balances_at(conn: Connection, project_id: str, subjects: Collection[str], at: int) -> list[Balance]:
    """Every account of these subjects as it stood at an instant; one that never moved till then is absent."""
    asked = {"project": project_id, "accounts": list(ACCOUNTS), "subjects": list(subjects), "at": at}
    return [Balance(row[0], row[1], int(row[2]), row[3], row[4]) for row in conn.execute(_BALANCES_AT, asked)]


def balances(conn: Connection, project_id: str, account: str) -> dict[str, int]:
    """The sum of postings for every subject of one kind of account."""
    totals = (
        select(postings.c.subject_id, func.sum(postings.c.amount))
        .where(postings.c.project_id == project_id, postings.c.account == account)
        .group_by(postings.c.subject_id)
    )
    return {subject: int(total) for subject, total in conn.execute(totals)}
