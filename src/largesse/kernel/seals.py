"""Seals: a hash over each batch of postings and the seal before it, so that a posting changed or removed later is found.

Chaining one seal to the next in the whole project would make every transaction wait for the one before it. Instead each connection
writes a strand of its own: its seals follow each other, its first one follows the newest seal of the project at that moment. So a
seal costs one row and one hash, reads nothing, and locks nothing; and whatever is changed in the middle breaks the seal over it,
whatever is removed leaves a seal without its postings or its predecessor. What the store itself cannot show is that the newest
seals were removed together with their postings: for that, `largesse verify --chain` prints the newest one, to be noted elsewhere.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    PrimaryKeyConstraint,
    Table,
    Text,
    and_,
    bindparam,
    event,
    func,
    select,
)
from sqlalchemy.engine import Connection, Engine

from largesse.kernel import ids, wire
from largesse.kernel.database.columns import metadata, micros, project_id
from largesse.kernel.database.rows import insert_rows

seals = Table(
    "seals",
    metadata,
    project_id(),
    Column("id", Text, nullable=False),
    Column("previous", Text),  # the seal this one follows; none for the first of a project
    Column("count", BigInteger, nullable=False),  # postings under it
    Column("digest", Text, nullable=False),  # SHA-256 of the previous digest and the postings, in order of their ids
    micros("created_at"),
    PrimaryKeyConstraint("project_id", "id"),
)
_COLUMNS = ("id", "previous", "count", "digest", "created_at")
_NEWEST = (
    select(seals.c.id, seals.c.digest)
    .where(seals.c.project_id == bindparam("project"))
    .order_by(seals.c.id.desc())
    .limit(1)
)
_HEADS, _SAVED = "largesse_seal_heads", "largesse_saved_seal_heads"  # where a connection keeps the ends of its strands

Row = Sequence[Any]  # a posting's columns in the order that the ledger writes them, its id first


class Head(msgspec.Struct, frozen=True):
    """The newest seal of a strand, as `seal_…:digest`; a strand that begins a project has neither."""

    id: str | None = None
    digest: str = ""

    def __str__(self) -> str:
        return f"{self.id}:{self.digest}"


def watch(engine: Engine) -> None:
    """Lets strands of this engine's connections end where their transactions do not commit."""
    event.listen(engine, "rollback", _forget)
    event.listen(engine, "savepoint", _save)
    event.listen(engine, "rollback_savepoint", _restore)
    event.listen(engine, "release_savepoint", _release)


def follow(conn: Connection, project_id: str) -> None:
    """Makes sure that the connection has a strand in the project. Needed where `seal` may not read, costs nothing otherwise."""
    heads: dict[str, Head] = conn.info.setdefault(_HEADS, {})
    if project_id not in heads:
        found = conn.execute(_NEWEST, {"project": project_id}).first()
        heads[project_id] = Head(*found) if found else Head()


def seal(conn: Connection, project_id: str, rows: Iterable[Row], now: int) -> str:
    """Writes the seal over postings that are being written; answers its id."""
    follow(conn, project_id)
    heads: dict[str, Head] = conn.info[_HEADS]
    before = heads[project_id]
    ordered = sorted(rows, key=lambda row: row[0])
    made = Head(ids.hex_id("seal_"), _digest(before.digest, ordered))
    heads[project_id] = made
    insert_rows(conn, seals, _COLUMNS, project_id, [(made.id, before.id, len(ordered), made.digest, now)])
    return str(made.id)


def _digest(previous: str, ordered: Iterable[Row]) -> str:
    found = hashlib.sha256(previous.encode())
    for row in ordered:
        found.update(wire.encode(list(row)))
    return found.hexdigest()


def _forget(conn: Connection) -> None:
    if conn.invalidated:  # what was kept with the connection died with it
        return
    conn.info.pop(_HEADS, None)
    conn.info.pop(_SAVED, None)


def _save(conn: Connection, _name: str | None) -> None:
    conn.info.setdefault(_SAVED, []).append(dict(conn.info.get(_HEADS, {})))


def _restore(conn: Connection, _name: str, _context: Any) -> None:
    if conn.invalidated:
        return
    conn.info[_HEADS] = conn.info[_SAVED].pop()


def _release(conn: Connection, _name: str, _context: Any) -> None:
    conn.info[_SAVED].pop()


# Verification


class Flaw(msgspec.Struct, frozen=True):
    """One place where the chain does not hold."""

    project_id: str
    subject: str
    problem: str


class Checked(msgspec.Struct, frozen=True):
    """What was found: `unsealed` postings are older than the first seal."""

    newest: Head
    postings: int
    seals: int
    unsealed: int
    flaws: list[Flaw]


def check(conn: Connection, project_id: str, postings: Iterator[tuple[str | None, Row]], noted: Head | None) -> Checked:
    """Computes every seal of a project again, over `postings` as (seal id, columns) in order of seal and id.

    `noted` is a seal that an earlier check printed and that must still be there.
    """
    flaws: list[Flaw] = []

    def flaw(subject: str | None, problem: str) -> None:
        flaws.append(Flaw(project_id, str(subject), problem))

    unsealed, counted, sealed = 0, 0, 0
    first = conn.execute(select(func.min(seals.c.created_at)).where(seals.c.project_id == project_id)).scalar()
    groups = _groups(postings)
    group = next(groups, None)
    newest = Head()
    for id, previous, count, digest, before in _all(conn, project_id):
        while group is not None and (group[0] is None or group[0] < id):
            unsealed += _outside(group, first, flaw)
            group = next(groups, None)
        rows: list[Row] = []
        if group is not None and group[0] == id:
            rows = group[1]
            group = next(groups, None)
        if previous is not None and before is None:
            flaw(id, f"follows {previous}, which is gone")
        elif len(rows) != count:
            flaw(id, f"seals {count} postings, {len(rows)} are there")
        elif _digest(before or "", rows) != digest:
            flaw(id, "does not fit its postings: one of them was changed")
        newest = Head(id, digest)
        sealed, counted = sealed + 1, counted + len(rows)
    while group is not None:
        unsealed += _outside(group, first, flaw)
        group = next(groups, None)
    if noted is not None and not _is_there(conn, project_id, noted):
        flaw(noted.id, "was noted and is not there any more, or not with that digest")
    return Checked(newest, counted + unsealed, sealed, unsealed, flaws)


def _all(conn: Connection, project_id: str) -> Iterator[Any]:
    before = seals.alias("before")
    follows = and_(before.c.project_id == seals.c.project_id, before.c.id == seals.c.previous)
    statement = (
        select(seals.c.id, seals.c.previous, seals.c.count, seals.c.digest, before.c.digest)
        .join_from(seals, before, follows, isouter=True)
        .where(seals.c.project_id == project_id)
        .order_by(seals.c.id)
    )
    return iter(conn.execute(statement.execution_options(yield_per=5000)))


def _groups(postings: Iterator[tuple[str | None, Row]]) -> Iterator[tuple[str | None, list[Row]]]:
    """The postings of one seal after the other; those without come one by one."""
    current: str | None = None
    rows: list[Row] = []
    for seal_id, row in postings:
        if rows and (seal_id != current or seal_id is None):
            yield current, rows
            rows = []
        current = seal_id
        rows.append(row)
    if rows:
        yield current, rows


def _outside(group: tuple[str | None, list[Row]], first: int | None, flaw: Any) -> int:
    """Postings under no seal that is there: rightly so only where they are older than the first one."""
    seal_id, rows = group
    if seal_id is not None:
        flaw(seal_id, f"is gone; {len(rows)} postings name it")
        return 0
    for row in rows:
        if first is not None and row[-1] > first:
            flaw(row[0], "is a posting under no seal, younger than the first seal")
    return len(rows)


def _is_there(conn: Connection, project_id: str, noted: Head) -> bool:
    condition = (seals.c.project_id == project_id, seals.c.id == noted.id, seals.c.digest == noted.digest)
    return conn.execute(select(seals.c.id).where(*condition)).first() is not None
