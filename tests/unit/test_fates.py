"""What became of a transaction is asked before anything is done again, and where nobody knows, nothing is."""

import asyncio
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import event, text
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError

from largesse.kernel.call import Call, Caller
from largesse.kernel.database import fates, migrations, trips
from largesse.kernel.database.database import Database
from largesse.kernel.database.stores import open_lanes, open_writer
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import ApiError
from largesse.kernel.project import Project, ProjectSettings
from largesse.kernel.settings import Settings
from tests.servers import Postgres

CALL = Call(
    project=Project(id="p", version=1, created_at=0, settings=ProjectSettings(name="Shop"), secret=""),
    caller=Caller(surface="server", key_id="k"),
    request_id="v",
    now=0,
)


@pytest.fixture
def settings(postgres: Postgres) -> Settings:
    made = Settings(database_url=postgres.create_database())
    migrations.upgrade(made)
    return made


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    engine = open_lanes(settings, open_writer(settings))
    yield engine
    engine.dispose()


def begun(conn: Connection) -> str:
    """The id of a transaction that has written something."""
    trips.begin(conn)
    conn.execute(text("CREATE TABLE written ()"))
    return trips.transaction_id(conn)


def test_what_was_committed_is(engine: Engine) -> None:
    with engine.connect() as conn, conn.begin():
        id = begun(conn)
    assert fates.is_committed(engine, id) is True


def test_what_was_rolled_back_is_not(engine: Engine) -> None:
    with engine.connect() as conn, conn.begin() as transaction:
        id = begun(conn)
        transaction.rollback()
    assert fates.is_committed(engine, id) is False


def test_what_only_waits_is_ended(engine: Engine) -> None:
    with engine.connect() as conn, conn.begin() as transaction:
        id = begun(conn)
        assert fates.is_committed(engine, id) is False
        with pytest.raises(DBAPIError) as lost:
            transaction.commit()
    assert fates.is_doubtful(lost.value)


def test_a_sharded_store_knows_only_what_was_committed(engine: Engine) -> None:
    event.listen(engine, "connect", lambda _, record: record.info.update(largesse_sharded=True))
    with engine.connect() as conn, conn.begin() as transaction:
        id = begun(conn)
        transaction.rollback()
    assert fates.is_committed(engine, id) is None


def test_a_store_that_is_away_is_asked_again_for_a_while(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    with engine.connect() as conn, conn.begin():
        id = begun(conn)
    engine.dispose()
    attempts = []

    def refuse(*_: Any) -> Any:
        attempts.append(1)
        if len(attempts) < 3:
            raise psycopg.OperationalError("nobody there")

    event.listen(engine, "do_connect", refuse)
    assert fates.is_committed(engine, id) is True
    assert len(attempts) >= 3
    attempts.clear()
    engine.dispose()
    monkeypatch.setattr(fates, "PATIENCE_SECONDS", 0.03)
    assert fates.is_committed(engine, id) is None


@pytest.mark.parametrize("decided", [False, True], ids=["write", "decision"])
def test_what_nobody_knows_is_not_done_again(
    settings: Settings, decided: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = []

    def do(unit: Unit) -> str:
        done.append(unit)
        unit.conn.execute(text("SELECT 1"))
        return "done"

    def fail(*_: Any) -> None:
        raise DBAPIError.instance(
            None, None, psycopg.OperationalError("gone"), psycopg.Error, connection_invalidated=True
        )  # type: ignore[arg-type]

    async def story(database: Database) -> None:
        if decided:
            await database.decide(CALL, lambda _, work: [do(unit) for unit, _ in work], None, shard="x")
        else:
            await database.write(CALL, do)

    monkeypatch.setattr(fates, "is_committed", lambda *_: None)
    database = Database(settings)
    for engine in (database.reader, database._decider):
        event.listen(engine, "commit", fail)
    database.start()
    try:
        with pytest.raises(ApiError) as refused:
            asyncio.run(story(database))
    finally:
        database.close()
    assert (refused.value.refusal.code, refused.value.refusal.key) == (503, "outcome_unknown")
    assert "Retry-After" not in refused.value.headers
    assert len(done) == 1
