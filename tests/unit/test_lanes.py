"""Hands of a lane: one decides at a time, rivals are never in two of them, and what was accepted is done."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

import pytest
from sqlalchemy.engine import Connection, Engine

from largesse.kernel.call import Call, Caller
from largesse.kernel.database import lanes, migrations, trips
from largesse.kernel.database.lanes import Lane
from largesse.kernel.database.stores import open_lanes, open_writer
from largesse.kernel.database.unit import Unit
from largesse.kernel.project import Project, ProjectSettings
from largesse.kernel.settings import Settings
from tests.servers import Postgres

HANDS = 3
PROJECT = Project(id="p", version=1, created_at=0, settings=ProjectSettings(name="Shop"), secret="")
CALL = Call(project=PROJECT, caller=Caller(surface="server", key_id="k"), request_id="v", now=0)


class Held:
    """A decider that holds each of its batches until it is let go, and knows how many it held at once."""

    def __init__(self) -> None:
        self.begun: list[list[str]] = []
        self._go = threading.Semaphore(0)
        self._changed = threading.Condition()

    def __call__(self, _conn: Connection, work: Sequence[tuple[Unit, str]]) -> list[Any]:
        with self._changed:
            self.begun.append([name for _, name in work])
            self._changed.notify_all()
        assert self._go.acquire(timeout=30)
        return [name for _, name in work]

    def let_go(self, batches: int) -> None:
        self._go.release(batches)

    async def has_begun(self, batches: int) -> bool:
        """Whether so many begin before long."""

        def wait() -> bool:
            with self._changed:
                return self._changed.wait_for(lambda: len(self.begun) >= batches, timeout=30)

        return await asyncio.to_thread(wait)


@pytest.fixture
def engine(postgres: Postgres) -> Iterator[Engine]:
    settings = Settings(database_url=postgres.create_database(), lanes=HANDS)
    migrations.upgrade(settings)
    writer = open_writer(settings)
    engine = open_lanes(settings, writer)
    yield engine
    engine.dispose()
    writer.dispose()


def run(engine: Engine, story: Callable[[Lane], Awaitable[None]], hands: int = HANDS) -> None:
    lane = Lane("test", engine, capacity=100, writes=True, hands=hands)
    lane.start()

    async def told() -> None:
        try:
            await story(lane)
        finally:
            await asyncio.to_thread(lane.stop, 30)

    asyncio.run(told())


def test_rivals_wait_for_each_other_and_are_then_decided_together(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "PATIENCE_SECONDS", 0.001)

    async def story(lane: Lane) -> None:
        held = Held()
        first = [lane.submit(CALL, held, "a1", shard="a")]
        assert await held.has_begun(1)
        rest = [lane.submit(CALL, held, name, shard=name[0]) for name in ("a2", "b1", "a3")]
        assert await held.has_begun(2)
        held.let_go(3)
        assert await asyncio.gather(*first, *rest) == ["a1", "a2", "b1", "a3"]
        assert held.begun == [["a1"], ["b1"], ["a2", "a3"]]

    run(engine, story)


def test_the_next_hand_decides_while_the_one_before_commits(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "PATIENCE_SECONDS", 60.0)
    committing, go = threading.Event(), threading.Event()
    commit = trips.commit

    def slow(conn: Connection) -> None:
        if not committing.is_set():
            committing.set()
            assert go.wait(30)
        commit(conn)

    monkeypatch.setattr(trips, "commit", slow)

    async def story(lane: Lane) -> None:
        held = Held()
        held.let_go(2)
        first = lane.submit(CALL, held, "a", shard="a")
        await asyncio.to_thread(committing.wait, 30)
        assert await lane.submit(CALL, held, "b", shard="b") == "b"
        assert not first.done()
        go.set()
        assert await first == "a"

    run(engine, story)


@pytest.mark.parametrize(("patience", "expected"), [(60.0, 1), (0.001, HANDS)])
def test_one_hand_decides_at_a_time_unless_it_takes_too_long(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, patience: float, expected: int
) -> None:
    monkeypatch.setattr(lanes, "PATIENCE_SECONDS", patience)

    async def story(lane: Lane) -> None:
        held = Held()
        futures = []
        for number in range(HANDS):
            futures.append(lane.submit(CALL, held, str(number), shard=str(number)))
            assert await held.has_begun(min(number + 1, expected))
        await asyncio.sleep(0.05)
        assert len(held.begun) == expected
        held.let_go(HANDS)
        assert await asyncio.gather(*futures) == [str(number) for number in range(HANDS)]

    run(engine, story)


@pytest.mark.parametrize("hands", [1, HANDS])
def test_a_lane_that_stops_finishes_what_it_accepted(engine: Engine, hands: int) -> None:
    async def story(lane: Lane) -> None:
        held = Held()
        futures = [lane.submit(CALL, held, str(number), shard=str(number % 5)) for number in range(99)]
        held.let_go(99)
        await asyncio.to_thread(lane.stop, 30)
        assert await asyncio.gather(*futures) == [str(number) for number in range(99)]

    run(engine, story, hands)


def test_a_batch_has_one_project_and_a_limit(engine: Engine) -> None:
    other = Call(project=Project(id="q", version=1, created_at=0, settings=ProjectSettings(name="Shop"), secret=""),
                 caller=CALL.caller, request_id="w", now=0)  # fmt: skip

    async def story(lane: Lane) -> None:
        held = Held()
        futures = [lane.submit(CALL, held, "first", shard="x")]
        assert await held.has_begun(1)
        for number in range(40):
            futures.append(lane.submit(CALL, held, f"p{number}", shard=None))
            futures.append(lane.submit(other, held, f"q{number}", shard=None))
        held.let_go(99)
        await asyncio.gather(*futures)
        assert [len(batch) for batch in held.begun] == [1, 32, 32, 8, 8]
        assert all(len({name[0] for name in batch}) == 1 for batch in held.begun)
        assert [name for batch in held.begun for name in batch if name[0] == "p"] == [f"p{n}" for n in range(40)]

    run(engine, story, hands=1)


def test_what_fails_around_a_batch_ends_its_requests_and_holds_up_no_others(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise ValueError("unforeseen")

    async def story(lane: Lane) -> None:
        held = Held()
        held.let_go(99)
        with monkeypatch.context() as broken:
            broken.setattr(Lane, "_answer", fail)
            for _ in range(HANDS):
                with pytest.raises(ValueError, match="unforeseen"):
                    await asyncio.wait_for(lane.submit(CALL, held, "one", shard="x"), 30)
        assert await asyncio.wait_for(lane.submit(CALL, held, "two", shard="x"), 30) == "two"

    run(engine, story)
