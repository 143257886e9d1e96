"""Postings: append-only rows under every use, credit and counter.

Each posting changes one account by a signed integer, says what caused it, and names the posting it negates, if it undoes one.
A posting is undone at most once (unique key). Every counter and balance in the system is the sum of its postings.
"""

from collections.abc import Collection, Sequence

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
    func,
    select,
)
from sqlalchemy.engine import Connection

from largesse.kernel import ids
from largesse.kernel.database.columns import metadata, micros, one_of, project_id
from largesse.kernel.database.rows import insert_rows

VOUCHER_USES = "voucher_uses"  # grows by 1 with each redemption, falls with each rollback
GIFT_CREDITS = "gift_credits"  # the card's balance

postings = Table(
    "postings",
    metadata,
    project_id(),
    Column("id", Text, nullable=False),
    Column("account", Text, nullable=False),  # kind of account: voucher_uses, gift_credits
    Column("subject_id", Text, nullable=False),  # whose account: the voucher's id
    Column("amount", BigInteger, nullable=False),  # signed
    Column("cause", Text, nullable=False),  # creation, redemption, rollback, adjustment
    Column("cause_id", Text, nullable=False),
    Column("negates", Text),  # the posting this one undoes
    micros("created_at"),
    PrimaryKeyConstraint("project_id", "id"),
    UniqueConstraint("project_id", "negates"),
    Index("postings_of_account", "project_id", "account", "subject_id", "id"),
    Index("postings_of_cause", "project_id", "cause_id"),
)

_COLUMNS = ("id", "account", "subject_id", "amount", "cause", "cause_id", "negates", "created_at")


class Entry(msgspec.Struct, frozen=True):
    """A posting to be written; `amount` is signed, in uses or credits."""

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
    """Appends postings. A second negation of the same posting raises IntegrityError."""
    insert_rows(
        conn,
        postings,
        _COLUMNS,
        project_id,
        [
            (ids.hex_id("post_"), e.account, e.subject_id, e.amount, e.cause, e.cause_id, e.negates, e.created_at)
            for e in entries
        ],
    )


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


def balances(conn: Connection, project_id: str, account: str) -> dict[str, int]:
    """The sum of postings for every subject of one kind of account."""
    totals = (
        select(postings.c.subject_id, func.sum(postings.c.amount))
        .where(postings.c.project_id == project_id, postings.c.account == account)
        .group_by(postings.c.subject_id)
    )
    return {subject: int(total) for subject, total in conn.execute(totals)}
