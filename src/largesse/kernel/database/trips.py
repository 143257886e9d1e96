"""Round trips to PostgreSQL: what can wait goes out together with what comes next.

A lane's BEGIN waits for the first statement, and the writes of a batch wait for its COMMIT. SQLite is in this process, and nothing
waits there.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from typing import Any, NamedTuple

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.pq.abc import PGresult
from sqlalchemy import Select, event
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry

from largesse.kernel.database.pipeline import Prepared, Statement, exchange, rows, text

# What a connection keeps: what is to be sent before anything else, what is being noted, whether it leads to a sharded store,
# what it has prepared, and the id of its transaction.
_WAITING = "largesse_waiting"
_NOTED = "largesse_noted"
_SHARDED = "largesse_sharded"
_PREPARED = "largesse_prepared"
_TRANSACTION = "largesse_transaction"
_REFUSED = "largesse: refused by"
_ID = Statement(b"SELECT pg_current_xact_id()::text")
_DIALECT = PGDialect_psycopg(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]


class GuardViolation(Exception):
    """A guarded update touched fewer rows than it was given: somebody else took what the decision had counted on."""


Rows = list[tuple[Any, ...]]


class Write(NamedTuple):
    """`values` in the order of the `%s` of `sql`; `expected` is how many rows it must touch, None where any number will do."""

    sql: str
    values: tuple[Any, ...]
    table: str
    expected: int | None


class Question(NamedTuple):
    """A statement that reads, and what it is bound to."""

    statement: Select[Any]
    values: Mapping[str, Any]


@dataclass(slots=True)
class _Waiting:
    begins: bool = False
    writes: list[Write] = field(default_factory=list)


def watch(engine: Engine) -> None:
    """Lets nothing that waits on this engine's connections be overtaken, lost, or kept for the transaction after."""
    event.listen(engine, "connect", _look)
    event.listen(engine, "before_cursor_execute", lambda conn, *_: _send_waiting(conn))
    event.listen(engine, "commit", _send_waiting)
    event.listen(engine, "rollback", _forget)
    event.listen(engine, "rollback_savepoint", lambda conn, *_: _doubt(conn))


def begin(conn: Connection) -> None:
    """Begins a transaction with the next statement. The connection's isolation level is AUTOCOMMIT, or there would be two."""
    conn.info[_WAITING] = _Waiting(begins=True)


def transaction_id(conn: Connection) -> str:
    """That of the transaction that `begin` began, for `fates`; sends what waits, if nothing has been sent yet."""
    if conn.info.get(_WAITING, _Waiting()).begins:
        _send_waiting(conn)
    id: str = conn.info[_TRANSACTION]
    return id


def is_sharded(conn: Connection) -> bool:
    return bool(conn.info[_SHARDED])


def ask(conn: Connection, *questions: Question) -> list[Rows]:
    """On PostgreSQL only: the rows that each question finds, with values as the driver reads them; all in one round trip."""
    asked = [_asked(question) for question in questions]
    with _driver_errors(conn) as driver:
        results = _send(conn, driver, conn.info.pop(_WAITING, _Waiting()), *asked)
        return [rows(driver, result) for result in results]


@contextmanager
def sent_together(conn: Connection, *, with_commit: bool = False) -> Iterator[None]:
    """Inside it `insert_rows`, `update_rows` and `add_rows` are only noted; at the end they go as one statement.

    `with_commit` lets them wait for the next statement outside or for the COMMIT. A second write to a table begins another
    statement in the same round trip. Errors and violated guards are raised when they are sent. Other statements inside run when
    they come: before what is noted. On SQLite all do.
    """
    if conn.dialect.name != "postgresql":
        yield
        return
    noted: list[Write] = []
    conn.info[_NOTED] = noted
    try:
        yield
    finally:
        del conn.info[_NOTED]
    conn.info.setdefault(_WAITING, _Waiting()).writes.extend(noted)
    if not with_commit:
        _send_waiting(conn)


def note(conn: Connection, write: Write) -> bool:
    """Keeps a write inside `sent_together`; False outside, where it is to be sent."""
    noted = conn.info.get(_NOTED)
    if noted is None:
        return False
    noted.append(write)
    return True


def commit(conn: Connection) -> None:
    """Sends what waits together with the COMMIT, after which nothing is left for SQLAlchemy to commit. Raises as the writes do."""
    waiting = conn.info.get(_WAITING)
    if waiting is None or not waiting.writes:
        conn.info.pop(_WAITING, None)
        return
    if conn.info[_SHARDED]:
        _send_waiting(conn)
        return
    del conn.info[_WAITING]
    with _driver_errors(conn) as driver:
        _send(conn, driver, waiting, Statement(b"COMMIT"))


def expect(found: int, wanted: int, table: str) -> None:
    """Raises GuardViolation where a write touched another number of rows than it was given."""
    if found != wanted:
        raise GuardViolation(f"{table}: {found} of {wanted} rows took the change")


def _look(driver: psycopg.Connection[Any], record: ConnectionPoolEntry) -> None:
    found = driver.execute("SELECT 1 FROM pg_extension WHERE extname = 'citus'").fetchone()
    record.info[_SHARDED] = found is not None
    record.info[_PREPARED] = Prepared()
    driver.rollback()


def _send_waiting(conn: Connection) -> None:
    waiting = conn.info.pop(_WAITING, None)
    if waiting is not None:
        with _driver_errors(conn) as driver:
            _send(conn, driver, waiting)


def _forget(conn: Connection) -> None:
    if not conn.invalidated:  # what was kept with the connection died with it
        conn.info.pop(_WAITING, None)
        _doubt(conn)


def _doubt(conn: Connection) -> None:
    """Called before the driver rolls back, which it does only inside a transaction."""
    if conn.invalidated:
        return
    driver: psycopg.Connection[Any] = conn.connection.driver_connection  # type: ignore[assignment]  # known by the dialect
    if driver.pgconn.transaction_status != TransactionStatus.IDLE:
        conn.info[_PREPARED].doubt()


def _send(conn: Connection, driver: psycopg.Connection[Any], waiting: _Waiting, *after: Statement) -> list[PGresult]:
    """One round trip for what waits and what comes `after` it; answers what the latter said."""
    begin = [Statement(b"BEGIN")] if waiting.begins or _is_to_begin(driver) else []
    if waiting.begins:
        begin.append(_ID)
    writes = [_alone(write) for write in waiting.writes] if conn.info[_SHARDED] else _together(waiting.writes)
    results = exchange(driver, conn.info[_PREPARED], [*begin, *writes, *after])
    if waiting.begins:
        conn.info[_TRANSACTION] = (results[1].get_value(0, 0) or b"").decode()
    if conn.info[_SHARDED]:
        for write, result in zip(waiting.writes, results[len(begin) :], strict=False):
            if write.expected is not None:
                expect(result.command_tuples or 0, write.expected, write.table)
    return results[len(begin) + len(writes) :]


def _is_to_begin(driver: psycopg.Connection[Any]) -> bool:
    """Whether the driver would begin a transaction before the next statement."""
    return not driver.autocommit and driver.pgconn.transaction_status == TransactionStatus.IDLE


def _alone(write: Write) -> Statement:
    """As a sharded store takes it."""
    return Statement(_numbered(write.sql), [text(value) for value in write.values])


def _together(writes: Sequence[Write]) -> list[Statement]:
    """One statement for all, or several where a table is written twice."""
    statements: list[Statement] = []
    together: list[Write] = []
    for write in writes:
        if any(write.table == other.table for other in together):
            statements.append(_join(together))
            together = []
        together.append(write)
    return [*statements, _join(together)] if together else []


def _join(writes: Sequence[Write]) -> Statement:
    sql = _joined(tuple((write.sql, write.table, write.expected is not None) for write in writes))
    values = [text(value) for write in writes for value in write.values]
    values += [text(write.expected) for write in writes if write.expected is not None]
    return Statement(sql, values)


@cache
def _joined(writes: tuple[tuple[str, str, bool], ...]) -> bytes:
    """One statement of several, (SQL, table, whether its rows are counted), that fails where a count is not the one expected.

    Its values are those of the writes in turn, then the counts. It fails by reading words as a number, because PostgreSQL has no
    expression that raises an error of one's own.
    """
    number = count(1)
    parts = []
    for place, (sql, _, counted) in enumerate(writes):
        numbered = re.sub("%s", lambda _: f"${next(number)}", sql)
        parts.append(f"w{place} AS ({numbered}{' RETURNING 1' if counted else ''})")
    checks = []
    for place, (_, table, counted) in enumerate(writes):
        if counted:
            failure = f"('{_REFUSED} {table} after ' || count(*) || ' rows')::int"
            checks.append(
                f"(SELECT CASE count(*) WHEN ${next(number)}::bigint THEN 1 ELSE {failure} END FROM w{place})"
            )
    return f"WITH {', '.join(parts)} SELECT {', '.join(checks)}".encode()


@cache
def _numbered(sql: str) -> bytes:
    number = count(1)
    return re.sub("%s", lambda _: f"${next(number)}", sql).encode()


def _asked(question: Question) -> Statement:
    sql, names = _compiled(question.statement)
    return Statement(sql, [text(question.values[name]) for name in names])


@cache
def _compiled(statement: Select[Any]) -> tuple[bytes, list[str]]:
    """The statement as PostgreSQL takes it, and the names of its values in their order."""
    compiled = statement.compile(dialect=_DIALECT)
    return str(compiled).encode(), compiled.positiontup or []


@contextmanager
def _driver_errors(conn: Connection) -> Iterator[psycopg.Connection[Any]]:
    """The driver's connection; its errors are raised as SQLAlchemy's, and what a guard refused as GuardViolation."""
    driver: psycopg.Connection[Any] = conn.connection.driver_connection  # type: ignore[assignment]  # known by the dialect
    try:
        yield driver
    except psycopg.errors.InvalidTextRepresentation as error:
        if _REFUSED in str(error):
            raise GuardViolation(str(error).splitlines()[0]) from None
        raise DBAPIError.instance(None, None, error, psycopg.Error) from error
    except psycopg.Error as error:
        if isinstance(error, psycopg.errors.InvalidSqlStatementName):
            conn.info[_PREPARED].doubt()
        lost = driver.closed or (isinstance(error, psycopg.OperationalError) and error.sqlstate is None)
        if lost:
            driver.close()
            conn.engine.dispose()  # what was pooled beside it died with it
        raise DBAPIError.instance(None, None, error, psycopg.Error, connection_invalidated=lost) from error
