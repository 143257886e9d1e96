"""One round trip to PostgreSQL for several statements: libpq's pipeline mode, through the driver's wrapper of libpq.

The driver's own pipelines do the same for any cursor and any type. With statements known beforehand and values as text, this takes
a fraction of their processor time, which is a good part of what a small batch costs.
"""

import select
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import count
from typing import Any, NamedTuple

import psycopg
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn, PGresult

_PREPARED = b"SELECT name::bytea FROM pg_prepared_statements"
_PREFIX = b"largesse_"
MOST_PREPARED = 200  # statements of one connection; each keeps its plan in the memory of the store


class Statement(NamedTuple):
    """SQL with `$1`, `$2`, … and a value for each: text as PostgreSQL reads it, or None."""

    sql: bytes
    values: Sequence[bytes | None] = ()


class Prepared:
    """The names under which one connection has prepared statements; those used last are at the end."""

    def __init__(self) -> None:
        self._names: OrderedDict[bytes, bytes] = OrderedDict()
        self._numbers = count(1)
        self._surplus: list[bytes] = []
        self.is_doubtful = False

    def doubt(self) -> None:
        """Lets the store be asked what is left. To be called at a rollback, after which the driver may give up all there is."""
        self.is_doubtful = True

    def hold_on_to(self, left: Collection[bytes]) -> None:
        """Forgets what is not among these names; those among them that an exchange which failed forgot are to be given up."""
        self._names = OrderedDict((sql, name) for sql, name in self._names.items() if name in left)
        self._surplus = [name for name in left if name.startswith(_PREFIX) and name not in self._names.values()]
        self.is_doubtful = False

    def name(self, sql: bytes) -> bytes | None:
        """That of a statement; None for one that is not prepared."""
        found = self._names.get(sql)
        if found is not None:
            self._names.move_to_end(sql)
        return found

    def new_name(self) -> bytes:
        """One that was never used."""
        return _PREFIX + b"%d" % next(self._numbers)

    def keep(self, sql: bytes, name: bytes) -> None:
        """Notes what is prepared by now."""
        self._names[sql] = name

    def take_surplus(self) -> list[bytes]:
        """The names that are to be given up, because others were used since or nobody knows them any more."""
        taken, self._surplus = self._surplus, []
        return taken + [self._names.popitem(last=False)[1] for _ in range(len(self._names) - MOST_PREPARED)]


def exchange(driver: psycopg.Connection[Any], prepared: Prepared, statements: Sequence[Statement]) -> list[PGresult]:
    """Sends all, waits once, and answers what each said. The first that fails stops those after it and is raised (psycopg.Error).

    Transactions are the statements' own business: BEGIN and COMMIT may be among them.
    """
    if any(value is not None and b"\0" in value for statement in statements for value in statement.values):
        raise psycopg.DataError("PostgreSQL text fields cannot contain NUL (0x00) characters")
    if prepared.is_doubtful:
        (left,) = _talk(driver.pgconn, lambda connection: connection.send_query_params(_PREPARED, None))
        prepared.hold_on_to([name for (name,) in rows(driver, _check(left))])
    asked: list[bytes | None] = []

    def send(connection: PGconn) -> None:
        asked.extend(_send(connection, prepared, statement) for statement in statements)
        for unused in prepared.take_surplus():
            connection.send_query_params(b"DEALLOCATE " + unused, None)

    results = iter(_talk(driver.pgconn, send))
    answers = []
    for statement, name in zip(statements, asked, strict=True):
        if name is not None:
            _check(next(results))
            prepared.keep(statement.sql, name)
        answers.append(_check(next(results)))
    return answers


def _talk(connection: PGconn, send: Callable[[PGconn], None]) -> list[PGresult]:
    """What the connection says to all that `send` sends on it."""
    try:
        connection.enter_pipeline_mode()
        send(connection)
        connection.pipeline_sync()
        results = _receive(connection)
        connection.exit_pipeline_mode()
    except BaseException:  # nobody knows what is still under way on it
        connection.finish()
        raise
    return results


def rows(driver: psycopg.Connection[Any], result: PGresult) -> list[tuple[Any, ...]]:
    """What a statement found, with values as the driver reads them."""
    transformer = Transformer(driver)
    transformer.set_pgresult(result)
    return transformer.load_rows(0, result.ntuples, tuple)


def text(value: str | int | bool | Sequence[str] | None) -> bytes | None:
    """A value as PostgreSQL reads it."""
    if value is None:
        return None
    if isinstance(value, list):
        value = array(value)
    return str(value).encode()


def array(values: Iterable[str | int | bool | None]) -> str:
    """An array as PostgreSQL reads it."""
    return "{" + ",".join(map(_element, values)) + "}"


def _element(value: str | int | bool | None) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)


def _send(connection: PGconn, prepared: Prepared, statement: Statement) -> bytes | None:
    """Answers the name under which the statement is prepared now; None where it was."""
    known = prepared.name(statement.sql)
    name = known or prepared.new_name()
    if known is None:
        connection.send_prepare(name, statement.sql)
    connection.send_query_prepared(name, statement.values)
    return None if known else name


def _receive(connection: PGconn) -> list[PGresult]:
    """A result for each command before the sync. Reads while it sends, or both sides could wait for each other."""
    results: list[PGresult] = []
    poll = select.poll()
    while True:
        unsent = connection.flush()
        poll.register(connection.socket, select.POLLIN | (select.POLLOUT if unsent else 0))
        poll.poll()
        connection.consume_input()
        while not connection.is_busy():
            result = connection.get_result()
            if result is None:  # the end of what one command said
                continue
            if result.status == ExecStatus.PIPELINE_SYNC:
                return results
            results.append(result)


def _check(result: PGresult) -> PGresult:
    if result.status in (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK):
        return result
    raise error_from_result(result)
