"""What waits for the next round trip to PostgreSQL: it is sent before anything else, with the COMMIT at last, or not at all."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Text, bindparam, event, func, select
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError

from largesse.kernel import ledger
from largesse.kernel.database import migrations, trips
from largesse.kernel.database.stores import is_transient, open_lanes, open_writer
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


def test_a_question_is_asked_inside_the_transaction_it_belongs_to(postgres: Postgres) -> None:
    settings = Settings(database_url=postgres.create_database())
    migrations.upgrade(settings)
    engine = open_writer(settings)
    asked = trips.Question(select(func.pg_current_xact_id_if_assigned(), bindparam("id", type_=Text)), {"id": "x"})
    with engine.connect() as conn, conn.begin() as transaction:
        assert trips.ask(conn, asked) == [[(None, "x")]]
        ledger.add(conn, "p", {UNITS: 4}, {})
        assert trips.ask(conn, asked) != [[(None, "x")]]
        transaction.rollback()
    assert kept(engine) == {}
    engine.dispose()


@pytest.mark.parametrize("nested", [False, True], ids=["all", "savepoint"])
def test_what_the_driver_gives_up_at_a_rollback_is_prepared_again(engine: Engine, nested: bool) -> None:
    asked = trips.Question(select(bindparam("id", type_=Text)), {"id": "x"})
    with engine.connect() as conn:
        with conn.begin() as transaction:
            trips.begin(conn)
            assert trips.ask(conn, asked) == [[("x",)]]
            for _ in range(6):  # until the driver prepares it
                conn.execute(select(1))
            rolled_back = conn.begin_nested() if nested else transaction
            rolled_back.rollback()
            if nested:
                assert trips.ask(conn, asked) == [[("x",)]]
        assert trips.ask(conn, asked) == [[("x",)]]


def test_prepared_statements_that_vanish_are_a_reason_to_try_again(engine: Engine) -> None:
    asked = trips.Question(select(bindparam("id", type_=Text)), {"id": "x"})
    with engine.connect() as conn:
        assert trips.ask(conn, asked) == [[("x",)]]
        conn.exec_driver_sql("DEALLOCATE ALL")
        with pytest.raises(DBAPIError) as raised:
            trips.ask(conn, asked)
        assert is_transient(raised.value)
        assert trips.ask(conn, asked) == [[("x",)]]
