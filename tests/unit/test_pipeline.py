"""Several statements in one round trip to PostgreSQL: what they answer, and what is left of a connection when one of them fails."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from largesse.kernel.database import pipeline
from largesse.kernel.database.pipeline import Prepared, Statement, exchange, rows, text
from tests.servers import Postgres

Connection = psycopg.Connection[Any]


@pytest.fixture
def driver(postgres: Postgres) -> Iterator[Connection]:
    with psycopg.connect(postgres.create_database(), autocommit=True) as connection:
        yield connection


def names(driver: Connection) -> list[str]:
    return [name for (name,) in driver.execute("SELECT name FROM pg_prepared_statements WHERE name LIKE 'largesse%'")]


def one(driver: Connection, prepared: Prepared, sql: bytes, *values: Any) -> list[tuple[Any, ...]]:
    (result,) = exchange(driver, prepared, [Statement(sql, [text(value) for value in values])])
    return rows(driver, result)


def test_values_come_back_as_they_went(driver: Connection) -> None:
    texts = ["", "NULL", '"', "\\", "a,b", "{}", "é\n", "\\\\\"'", "$1"]
    sql = b"SELECT $1::text, $2::bigint, $3::boolean, $4::text, $5::text[]"
    assert one(driver, Prepared(), sql, "ü'", -(2**63), True, None, texts) == [("ü'", -(2**63), True, None, texts)]


def test_each_statement_answers_in_its_turn_and_is_prepared_once(driver: Connection) -> None:
    prepared = Prepared()
    for _ in range(3):
        statements = [Statement(b"BEGIN"), Statement(b"SELECT 1"), Statement(b"SELECT 2"), Statement(b"COMMIT")]
        begun, first, second, ended = exchange(driver, prepared, statements)
        assert (rows(driver, first), rows(driver, second)) == ([(1,)], [(2,)])
        assert (begun.command_status, ended.command_status) == (b"BEGIN", b"COMMIT")
    assert len(names(driver)) == 4


@pytest.mark.parametrize("sql", [b"SELECT 1 / (SELECT 0)", b"SELECT FROM nowhere"], ids=["executed", "prepared"])
def test_what_fails_stops_what_follows_and_the_connection_goes_on(driver: Connection, sql: bytes) -> None:
    prepared = Prepared()
    statements = [Statement(b"BEGIN"), Statement(b"CREATE TABLE t ()"), Statement(sql), Statement(b"COMMIT")]
    for _ in range(2):
        with pytest.raises(psycopg.Error) as raised:
            exchange(driver, prepared, statements)
        assert raised.value.sqlstate in ("22012", "42P01")
        driver.rollback()
        assert one(driver, prepared, b"SELECT to_regclass('t')") == [(None,)]
    assert exchange(driver, prepared, [Statement(b"BEGIN"), Statement(b"COMMIT")])


def test_statements_not_used_for_long_are_given_up(driver: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "MOST_PREPARED", 3)
    prepared = Prepared()
    for number in [1, 2, 3, 1, 4, 5, 1, 2]:
        assert one(driver, prepared, b"SELECT %d" % number) == [(number,)]
    assert one(driver, prepared, b"SELECT 1") == [(1,)]
    kept = driver.execute("SELECT statement FROM pg_prepared_statements WHERE name LIKE 'largesse%'").fetchall()
    assert {statement for (statement,) in kept} == {"SELECT 1", "SELECT 2", "SELECT 5"}


def test_what_a_failed_exchange_did_not_give_up_is_given_up_later(
    driver: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "MOST_PREPARED", 3)
    prepared = Prepared()
    for number in range(5):
        statements = [Statement(b"SELECT %d" % number), Statement(b"SELECT %d + 0" % number)]
        with pytest.raises(psycopg.errors.DivisionByZero):
            exchange(driver, prepared, [*statements, Statement(b"SELECT 1 / (SELECT 0)")])
        prepared.doubt()
    one(driver, prepared, b"SELECT 1")
    assert len(names(driver)) <= 4


def test_much_can_go_both_ways_at_once(driver: Connection) -> None:
    long = "x" * 3_000_000
    statements = [Statement(b"SELECT $1::text", [long.encode()])] * 8
    assert all(rows(driver, result) == [(long,)] for result in exchange(driver, Prepared(), statements))


def test_a_text_the_store_cannot_keep_is_refused_before_anything_is_sent(driver: Connection) -> None:
    prepared = Prepared()
    with pytest.raises(psycopg.DataError, match="NUL"):
        exchange(driver, prepared, [Statement(b"BEGIN"), Statement(b"SELECT $1::text", [b"a\0b"])])
    assert driver.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    assert one(driver, prepared, b"SELECT $1::text", "ab") == [("ab",)]


def test_a_connection_that_dies_under_way_is_closed(driver: Connection) -> None:
    with pytest.raises(psycopg.OperationalError):
        one(driver, Prepared(), b"SELECT pg_terminate_backend(pg_backend_pid())")
    with pytest.raises(psycopg.OperationalError):
        one(driver, Prepared(), b"SELECT 1")
    assert driver.closed
