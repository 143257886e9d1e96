"""What waits for the next round trip to PostgreSQL: it is sent before anything else, with the COMMIT at last, or not at all."""

from collections.abc import Iterator

import pytest
from sqlalchemy import bindparam, event, select
from sqlalchemy.engine import Engine

from largesse.kernel import ledger
from largesse.kernel.database import migrations, trips
from largesse.kernel.database.stores import open_lanes, open_writer
from largesse.kernel.settings import Settings
from tests.servers import Postgres

UNITS = ("budget", ledger.DISCOUNTED_UNITS)
USES = ("promo_1", ledger.TIER_USES)


@pytest.fixture(params=[False, True], ids=["one", "sharded"])
def engine(postgres: Postgres, request: pytest.FixtureRequest) -> Iterator[Engine]:
    """That of the lanes; as on a sharded store, which takes each write for itself, or not."""
    settings = Settings(database_url=postgres.create_database())
    migrations.upgrade(settings)
    engine = open_lanes(settings, open_writer(settings))
    if request.param:
        event.listen(engine, "connect", lambda _, record: record.info.update(largesse_sharded=True))
    yield engine
    engine.dispose()


def kept(engine: Engine) -> dict[ledger.Key, int]:
    with engine.connect() as conn:
        return dict(ledger.all_values(conn, "p"))


def add(engine: Engine, *steps: int, most: int) -> None:
    with engine.connect() as conn, conn.begin() as transaction:
        trips.begin(conn)
        with trips.sent_together(conn, with_commit=True):
            for step in steps:
                ledger.add(conn, "p", {UNITS: step, USES: 1}, {UNITS: most})
        trips.commit(conn)
        transaction.commit()


def test_writes_wait_for_the_commit_and_are_there_after_it(engine: Engine) -> None:
    add(engine, 2, 3, most=5)
    assert kept(engine) == {UNITS: 5, USES: 2}


def test_a_refused_write_lets_nothing_be_committed(engine: Engine) -> None:
    add(engine, 2, most=5)
    with pytest.raises(trips.GuardViolation, match="counters"):
        add(engine, 2, 2, most=5)
    assert kept(engine) == {UNITS: 2, USES: 1}
    add(engine, 3, most=5)  # and the connection is as good as before
    assert kept(engine) == {UNITS: 5, USES: 2}


def test_who_reads_sees_what_waited(engine: Engine) -> None:
    with engine.connect() as conn, conn.begin() as transaction:
        trips.begin(conn)
        with trips.sent_together(conn, with_commit=True):
            ledger.add(conn, "p", {UNITS: 4}, {})
        assert ledger.values(conn, "p", ["budget"], lock=True) == {UNITS: 4}
        transaction.rollback()
    assert kept(engine) == {}


def test_what_waited_goes_before_a_question(engine: Engine) -> None:
    asked = trips.Question(
        select(ledger.counters.c.value).where(ledger.counters.c.subject_id == bindparam("id")), {"id": "budget"}
    )
    with engine.connect() as conn, conn.begin() as transaction:
        trips.begin(conn)
        with trips.sent_together(conn, with_commit=True):
            ledger.add(conn, "p", {UNITS: 4}, {})
        assert trips.ask(conn, asked) == [[(4,)]]
        with trips.sent_together(conn, with_commit=True):
            ledger.add(conn, "p", {UNITS: 4}, {UNITS: 5})
        with pytest.raises(trips.GuardViolation, match="counters"):
            trips.ask(conn, asked)
        transaction.rollback()
    assert kept(engine) == {}


def test_what_is_rolled_back_does_not_wait_for_the_next_transaction(engine: Engine) -> None:
    with engine.connect() as conn, conn.begin() as transaction:
        trips.begin(conn)
        with trips.sent_together(conn, with_commit=True):
            ledger.add(conn, "p", {UNITS: 4}, {})
        transaction.rollback()
    add(engine, 1, most=5)
    assert kept(engine) == {UNITS: 1, USES: 1}
