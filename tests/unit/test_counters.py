"""Counters of the ledger, on every store: they grow together, never beyond their limit, and equal their postings."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from sqlalchemy.engine import Connection, Engine

from largesse.kernel import ledger
from largesse.kernel.database.trips import GuardViolation, sent_together

UNITS = ("budget", ledger.DISCOUNTED_UNITS)
USES = ("promo_1", ledger.TIER_USES)


@pytest.fixture
def conn(engine: Engine) -> Iterator[Connection]:
    """Of a transaction that leaves nothing."""
    with engine.connect() as conn, conn.begin() as transaction:
        yield conn
        transaction.rollback()


def value(conn: Connection, key: ledger.Key) -> int:
    return ledger.values(conn, "p", [key[0]], lock=True)[key]


def test_counters_that_never_moved_are_absent_and_begin_at_zero(conn: Connection) -> None:
    assert ledger.values(conn, "p", ["budget", "promo_1"], lock=True) == {}
    ledger.add(conn, "p", {UNITS: 3, USES: 1, ("promo_2", ledger.TIER_USES): 0}, {})
    ledger.add(conn, "p", {UNITS: 4, USES: -1}, {})
    assert ledger.values(conn, "p", ["budget", "promo_1", "promo_2"], lock=False) == {UNITS: 7, USES: 0}
    assert ledger.values(conn, "another", ["budget"], lock=False) == {}
    assert ledger.all_values(conn, "p") == {UNITS: 7, USES: 0}


@pytest.mark.parametrize("steps", [[6], [3, 3], [5, 1]])
def test_growth_beyond_the_limit_is_refused(conn: Connection, steps: list[int]) -> None:
    *allowed, last = steps
    for step in allowed:
        ledger.add(conn, "p", {UNITS: step}, {UNITS: 5})
    with pytest.raises(GuardViolation):
        ledger.add(conn, "p", {UNITS: last, USES: 1}, {UNITS: 5})


def test_what_is_given_back_is_never_refused(conn: Connection) -> None:
    ledger.add(conn, "p", {UNITS: 9}, {})
    ledger.add(conn, "p", {UNITS: -2}, {UNITS: 5})
    assert value(conn, UNITS) == 7


def test_a_refusal_among_statements_sent_together_is_noticed(conn: Connection) -> None:
    with pytest.raises(GuardViolation), sent_together(conn):
        ledger.add(conn, "p", {UNITS: 6}, {UNITS: 5})


def test_rivals_never_pass_the_limit(engine: Engine) -> None:
    """Each in a transaction of its own, without having looked."""

    def take(_place: int) -> int:
        with suppress(GuardViolation), engine.connect() as conn, conn.begin():
            ledger.add(conn, "race", {UNITS: 1, USES: 1}, {UNITS: 5})
            return 1
        return 0

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(take, range(24))) == 5
    with engine.connect() as conn:
        assert ledger.all_values(conn, "race") == {UNITS: 5, USES: 5}
