"""The one way to the store: reads, ordinary writes and decisions, from the event loop."""

import asyncio
import contextvars
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import msgspec
from sqlalchemy import text
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError, IntegrityError

from largesse.kernel import errors
from largesse.kernel.call import Call
from largesse.kernel.database import fates, trips
from largesse.kernel.database.idempotency import Replays
from largesse.kernel.database.lanes import ATTEMPTS, Decider, EachAlone, Lane
from largesse.kernel.database.reactions import Reactions, react
from largesse.kernel.database.stores import is_transient, is_unavailable, open_lanes, open_reader, open_writer
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import ApiError
from largesse.kernel.events import write_events
from largesse.kernel.settings import Settings

T = TypeVar("T")
Q = TypeVar("Q")


class Database:
    """Owns engines, lanes and threads of one process. `start` before use, `close` finishes accepted work.

    `reactions` see what every transaction recorded, before it commits.
    """

    def __init__(self, settings: Settings, reactions: Reactions = ()) -> None:
        self.embedded = settings.embedded
        self.writer: Engine = open_writer(settings)
        self.reader: Engine = open_reader(settings, self.writer)
        self._decider: Engine = open_lanes(settings, self.writer)
        hands = 1 if settings.embedded else settings.lanes
        capacity = settings.lane_capacity
        self._write_lane = Lane(
            "write", self._decider, capacity=capacity, writes=True, hands=hands, reactions=reactions
        )
        self._read_lane = Lane("read", self.reader, capacity=capacity, writes=False)
        self._search_lane = Lane("search", self.reader, capacity=capacity, writes=False)
        self._lanes = (self._write_lane, self._read_lane, self._search_lane)
        self._reactions = reactions
        self._each_alone = EachAlone(reactions)
        self._threads = ThreadPoolExecutor(settings.pool_size, thread_name_prefix="store")
        self._capacity = capacity
        self._waiting = 0
        self._grace = settings.shutdown_seconds

    def start(self) -> None:
        for lane in self._lanes:
            lane.start()

    def close(self) -> None:
        """Finishes what was accepted, then lets go of the store."""
        for lane in self._lanes:
            lane.stop(self._grace)
        self._threads.shutdown(wait=True)
        self.reader.dispose()
        self._decider.dispose()
        self.writer.dispose()

    async def read(self, call: Call, function: Callable[[Unit], T]) -> T:
        """Runs `function` in a transaction that only reads."""
        return await self._in_thread(_read, self.reader, call, function)

    async def write(self, call: Call, function: Callable[[Unit], T], *, background: bool = False) -> T:
        """Runs `function` in a transaction of its own: what it raises undoes all it did.

        It may run again after a race with another writer, so it must be a function of the store and its arguments. In the
        `background` it lets those go first who wait for an answer. What is answered again under an idempotency key is its JSON
        (`msgspec.Raw`), fit to be encoded as it is.
        """
        if self.embedded:
            answer: T = await self._write_lane.submit(call, self._each_alone, function, background=background)
            return answer
        # There the reader is the writer's pool without the driver's transactions: `_write` begins them by `trips.begin`.
        return await self._in_thread(_write, self.reader, self._reactions, call, function)

    async def look_up(self, function: Callable[[Connection], T]) -> T:
        """Runs `function` on a reading connection, outside any project: credentials, image addresses."""
        return await self._in_thread(_look_up, self.reader, function)

    async def decide(self, call: Call, decider: Decider[Q], request: Q, *, shard: str) -> Any:
        """Sends a request that changes counted things through the lane; `shard` is a text its rivals share (such as a code)."""
        answer = await self._write_lane.submit(call, decider, request, shard=shard)
        return bytes(answer) if isinstance(answer, msgspec.Raw) else answer

    async def consider(self, call: Call, decider: Decider[Q], request: Q) -> Any:
        """The same for a request that changes nothing: no locks, no writes."""
        return await self._read_lane.submit(call, decider, request)

    async def search(self, call: Call, decider: Decider[Q], request: Q) -> Any:
        """The same for a request that may look at much: in a lane of its own, so that no decision waits behind it."""
        return await self._search_lane.submit(call, decider, request)

    async def is_ready(self) -> bool:
        """True when the store answers."""
        try:
            await self._in_thread(_ping, self.reader)
        except (DBAPIError, errors.ApiError):
            return False
        return True

    async def _in_thread(self, function: Callable[..., T], *arguments: Any) -> T:
        if self._waiting >= self._capacity:
            raise errors.overloaded()
        self._waiting += 1
        try:
            context = contextvars.copy_context()
            return await asyncio.get_running_loop().run_in_executor(self._threads, context.run, function, *arguments)
        except DBAPIError as error:
            if is_unavailable(error):
                raise errors.store_unavailable() from error
            raise
        finally:
            self._waiting -= 1


def _ping(engine: Engine) -> None:
    _look_up(engine, lambda conn: conn.execute(text("SELECT 1")))


def _look_up(engine: Engine, function: Callable[[Connection], T]) -> T:
    for attempt in range(ATTEMPTS):
        try:
            with engine.connect() as conn:
                return function(conn)
        except DBAPIError as error:
            if not is_transient(error) or attempt == ATTEMPTS - 1:
                raise
            _pause(attempt)
    raise AssertionError("unreachable")


def _read(engine: Engine, call: Call, function: Callable[[Unit], T]) -> T:
    return _look_up(engine, lambda conn: function(Unit(conn, call)))


def _write(engine: Engine, reactions: Reactions, call: Call, function: Callable[[Unit], T]) -> T:
    """On PostgreSQL; `engine` begins no transactions."""
    for attempt in range(ATTEMPTS):
        committing: str | None = None  # the id of the transaction, from when its COMMIT may have been sent
        try:
            with engine.connect() as conn, conn.begin():
                trips.begin(conn)
                unit = Unit(conn, call)
                answer = _once(unit, reactions, function) if call.idempotency else _done(unit, reactions, function)
                write_events(conn, call.project.id, unit.events)
                committing = trips.transaction_id(conn)
            return answer
        except IntegrityError:
            if attempt == ATTEMPTS - 1:
                raise errors.multiple_requests() from None
        except DBAPIError as error:
            committed = fates.survived(error, engine, committing)
            if committed:
                return answer
            if committed is None:  # to run it again might be to do it twice
                raise errors.outcome_unknown() from error
            if not is_transient(error):
                raise
            if attempt == ATTEMPTS - 1:
                raise errors.overloaded() from None
        _pause(attempt)
    raise AssertionError("unreachable")


def _done(unit: Unit, reactions: Reactions, function: Callable[[Unit], T]) -> T:
    answer = function(unit)
    react(reactions, [unit])
    return answer


def _once(unit: Unit, reactions: Reactions, function: Callable[[Unit], T]) -> Any:
    """What was answered under the unit's idempotency key before; otherwise what is answered now, and is stored under it."""
    replays = Replays(unit.conn, [unit])
    if replays.knows(unit):
        stored = replays.answer(unit)
        if isinstance(stored, ApiError):
            raise stored
        return stored
    answer = _done(unit, reactions, function)
    replays.keep([(unit, answer)])
    return answer


def _pause(attempt: int) -> None:
    time.sleep(random.uniform(0, 0.005) * (attempt + 1))
