"""Lanes: a queue, and hands that work it off, each a thread with one transaction at a time.

A hand takes what is waiting - at once when the lane is idle, so that an unloaded server adds no delay; up to 32 requests of one
project when busy -, lets each kind of request decide set-wise, commits once, and only then answers. One hand decides at a time: the
next takes its batch when the one before begins to commit, so that batches are large while processor and store are both at work.
Rivals for one thing never are in two hands, where one would only wait for the other's locks.
"""

import asyncio
import contextlib
import logging
import math
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError, IntegrityError

from largesse.kernel import errors, metrics
from largesse.kernel.call import Call
from largesse.kernel.database import fates, trips
from largesse.kernel.database.idempotency import Replays
from largesse.kernel.database.reactions import Reactions, react
from largesse.kernel.database.stores import is_transient, is_unavailable
from largesse.kernel.database.trips import GuardViolation
from largesse.kernel.database.unit import Unit
from largesse.kernel.events import write_events

BATCH = 32
ATTEMPTS = 6
MOST_WAIT_SECONDS = (
    10.0  # in the queue; what has waited longer is refused with 503 before any work, so that the rest is in time
)
PATIENCE_SECONDS = 0.025  # a hand that decides for longer, or waits for somebody's locks, does not hold up the others
MOST_PASSED = 4  # batches that go before background work that waits, so that it never waits for ever
_log = logging.getLogger("largesse.lanes")

Q = TypeVar("Q", contravariant=True)
A = TypeVar("A")


class Decider(Protocol[Q]):
    """Answers several requests in one transaction: for each its answer, or the exception it ends with.

    Decides everything before it writes anything; a request's exception must have left nothing but its failure record.
    """

    def __call__(self, conn: Connection, work: Sequence[tuple[Unit, Q]]) -> list[Any]: ...


@dataclass(slots=True)
class Job:
    call: Call
    decider: Decider[Any]
    request: Any
    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop
    shard: tuple[str, str] | None  # project, and what its rivals share
    deadline: float  # in seconds of the monotonic clock: when nobody waits for it any more


class EachAlone:
    """The decider of ordinary writes: each, with what reacts to it, a savepoint of the batch; one that fails leaves nothing."""

    def __init__(self, reactions: Reactions) -> None:
        self._reactions = reactions

    def __call__(self, conn: Connection, work: Sequence[tuple[Unit, Callable[[Unit], Any]]]) -> list[Any]:
        return [self._answer(conn, unit, function) for unit, function in work]

    def _answer(self, conn: Connection, unit: Unit, function: Callable[[Unit], Any]) -> Any:
        savepoint = conn.begin_nested()
        try:
            answer = function(unit)
            react(self._reactions, [unit])
        except Exception as error:  # whatever it is, it ends this request only
            savepoint.rollback()
            unit.forget()
            return error
        savepoint.commit()
        return answer


class Lane:
    """`capacity` bounds what may wait; beyond it a request is refused with 503, having cost nothing."""

    def __init__(
        self, name: str, engine: Engine, *, capacity: int, writes: bool, hands: int = 1, reactions: Reactions = ()
    ) -> None:
        self.name = name
        self._engine = engine
        self._capacity = capacity
        self._writes = writes
        self._reactions = reactions
        self._queue: deque[Job] = deque()
        self._background: deque[Job] = deque()
        self._passed = 0
        self._deciding: list[Job] | None = None
        self._since = 0.0  # when it began to, in seconds of the monotonic clock
        self._is_watched = False  # whether a hand waits for no longer than the patience with the one that decides
        self._busy: set[tuple[str, str]] = set()
        self._wake = threading.Condition()
        self._stopping = False
        self._depth = metrics.LANE_DEPTH.labels(name)
        self._sizes = metrics.BATCH_SIZE.labels(name)
        self._depth.set_function(lambda: len(self._queue))
        self._hands = [threading.Thread(target=self._run, name=f"lane-{name}-{n}", daemon=True) for n in range(hands)]

    def start(self) -> None:
        for hand in self._hands:
            hand.start()

    def stop(self, timeout: float) -> None:
        """Finishes what was accepted, for at most `timeout` seconds."""
        until = time.monotonic() + timeout
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        for hand in self._hands:
            hand.join(max(0.0, until - time.monotonic()))

    def submit(
        self, call: Call, decider: Decider[Q], request: Q, *, shard: str | None = None, background: bool = False
    ) -> asyncio.Future[Any]:
        """Queues a request; the future resolves after the commit. Raises ApiError 503 when the lane is full or stopping.

        Requests of one `shard` are never decided at the same time by two hands. What is done in the `background` has a transaction
        to itself, when nobody else waits or several batches went before it.
        """
        loop = asyncio.get_running_loop()
        deadline = math.inf if background else time.monotonic() + MOST_WAIT_SECONDS
        key = None if shard is None else (call.project.id, shard)
        job = Job(call, decider, request, loop.create_future(), loop, key, deadline)
        with self._wake:
            if self._stopping or len(self._queue) >= self._capacity:
                raise errors.overloaded()
            (self._background if background else self._queue).append(job)
            if self._deciding is None or not self._is_watched:  # else a hand is awake that will see to it
                self._wake.notify()
        return job.future

    def _run(self) -> None:
        while batch := self._take():
            try:
                self._work(batch)
            except Exception as error:  # whatever it is, neither these requests nor their rivals may wait for ever
                _log.exception("lane %s", self.name)
                _resolve(batch, [error] * len(batch))
            finally:
                self._finish(batch)

    def _work(self, batch: list[Job]) -> None:
        now = time.monotonic()
        late = [job for job in batch if job.deadline < now]
        if late:
            _resolve(late, [errors.overloaded()] * len(late))
        jobs = [job for job in batch if job.deadline >= now] if late else batch
        if jobs:
            self._sizes.observe(len(jobs))
            _resolve(jobs, self._answer(jobs, partial(self._pass_on, batch)))

    def _take(self) -> list[Job]:
        """The next batch, when it is this hand's turn; nothing at the end."""
        with self._wake:
            while True:
                if self._deciding is None or time.monotonic() - self._since > PATIENCE_SECONDS:
                    batch = self._next()
                    if batch:
                        self._deciding, self._since = batch, time.monotonic()
                        self._busy.update(job.shard for job in batch if job.shard)
                        return batch
                if self._stopping and not self._queue and not self._background:
                    self._wake.notify_all()  # the others are done as well
                    return []
                self._is_watched = self._deciding is not None
                self._wake.wait(PATIENCE_SECONDS if self._is_watched else None)
                self._is_watched = False

    def _next(self) -> list[Job]:
        """The oldest request whose rivals are in no other hand, and those behind it that belong to the same project."""
        if self._background:
            if not self._queue or self._passed == MOST_PASSED:
                self._passed = 0
                return [self._background.popleft()]
            self._passed += 1
        taken: list[Job] = []
        left: list[Job] = []
        while self._queue and len(taken) < BATCH:
            job = self._queue.popleft()
            is_next = job.shard not in self._busy and (not taken or job.call.project.id == taken[0].call.project.id)
            (taken if is_next else left).append(job)
        self._queue.extendleft(reversed(left))
        return taken

    def _pass_on(self, batch: list[Job]) -> None:
        """Lets another hand decide, if this batch was the one that did."""
        with self._wake:
            if self._deciding is batch:
                self._deciding = None
                self._wake.notify()

    def _finish(self, batch: list[Job]) -> None:
        with self._wake:
            self._busy.difference_update(job.shard for job in batch if job.shard)
            if self._deciding is batch:
                self._deciding = None
            self._wake.notify()

    def _answer(self, jobs: list[Job], pass_on: Callable[[], None]) -> list[Any]:
        """Runs a batch; on a transient error again, on any other each request alone."""
        alone = len(jobs) == 1
        for attempt in range(ATTEMPTS):
            attempted = _Attempt(self._engine, jobs, self._writes, self._reactions)
            try:
                return attempted.run(pass_on)
            except DBAPIError as error:
                committed = fates.survived(error, self._engine, attempted.committing)
                if committed:
                    return attempted.answers
                if committed is None:  # to run it again might be to do it twice
                    return [errors.outcome_unknown()] * len(jobs)
                _log.warning("lane %s: %s", self.name, error)
                if not is_transient(error) and not (alone and isinstance(error, IntegrityError)):
                    failure: Exception = error
                    break
                failure = errors.multiple_requests() if isinstance(error, IntegrityError) else errors.overloaded()
            except GuardViolation as error:
                _log.warning("lane %s: %s", self.name, error)
                failure = errors.multiple_requests()
                if not alone:
                    break
            except Exception as error:
                _log.exception("lane %s", self.name)
                failure = error
                break
            time.sleep(random.uniform(0, 0.004) * (attempt + 1))
        if alone:
            return [failure]
        return [answer for job in jobs for answer in self._answer([job], pass_on)]


class _Attempt:
    """One try at one batch in one transaction."""

    def __init__(self, engine: Engine, jobs: list[Job], writes: bool, reactions: Reactions) -> None:
        self._engine = engine
        self._jobs = jobs
        self._writes = writes
        self._reactions = reactions
        self.committing: str | None = None  # the id of the transaction, from when its COMMIT may have been sent
        self.answers: list[Any] = []

    def run(self, before_commit: Callable[[], None]) -> list[Any]:
        with self._engine.connect() as conn, conn.begin() as transaction:
            if self._writes and conn.dialect.name == "postgresql":
                trips.begin(conn)
            self.answers = self._decide(conn)
            if not self._writes:
                transaction.rollback()
                return self.answers
            before_commit()
            started = time.perf_counter()
            if conn.dialect.name == "postgresql":
                self.committing = trips.transaction_id(conn)
            trips.commit(conn)
            transaction.commit()
            metrics.COMMIT_SECONDS.observe(time.perf_counter() - started)
        return self.answers

    def _decide(self, conn: Connection) -> list[Any]:
        units = [Unit(conn, job.call) for job in self._jobs]
        answers: list[Any] = [None] * len(units)
        if self._writes and any(job.call.idempotency for job in self._jobs):
            self._answer_once(conn, units, answers)
        else:
            self._answer_all(conn, units, range(len(units)), answers)
        if self._writes:
            with trips.sent_together(conn, with_commit=True):
                mine = [event for unit in units for event in unit.take_events()]
                write_events(conn, self._jobs[0].call.project.id, mine)
        return answers

    def _answer_all(self, conn: Connection, units: list[Unit], places: Iterable[int], answers: list[Any]) -> None:
        """Lets each kind of request decide set-wise, then what reacts to it."""
        groups: dict[Any, list[int]] = {}
        for place in places:
            groups.setdefault(self._jobs[place].decider, []).append(place)
        for decider, mine in groups.items():
            found = decider(conn, [(units[place], self._jobs[place].request) for place in mine])
            for place, answer in zip(mine, found, strict=True):
                answers[place] = answer
        if self._writes:
            react(self._reactions, units)

    def _answer_once(self, conn: Connection, units: list[Unit], answers: list[Any]) -> None:
        """The same where requests carry idempotency keys: the twins of a batch wait for the first of them."""
        replays = Replays(conn, units)
        waiting = list(range(len(units)))
        while waiting:
            fresh: dict[str | int, int] = {}
            for place in waiting:
                if replays.knows(units[place]):
                    answers[place] = replays.answer(units[place])
                else:
                    key = units[place].call.idempotency
                    fresh.setdefault(key.id if key else place, place)
            self._answer_all(conn, units, fresh.values(), answers)
            replays.keep([(units[place], answers[place]) for place in fresh.values()])
            done = {*fresh.values()}
            waiting = [place for place in waiting if place not in done and answers[place] is None]


def _resolve(jobs: list[Job], answers: list[Any]) -> None:
    """Hands the answers back, one wake-up for each event loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any]]] = {}
    for job, answer in zip(jobs, answers, strict=True):
        by_loop.setdefault(job.loop, []).append((job.future, answer))
    for loop, answered in by_loop.items():
        with contextlib.suppress(RuntimeError):  # it is closed, and nobody waits
            loop.call_soon_threadsafe(_set_results, answered)


def _set_results(answered: list[tuple[asyncio.Future[Any], Any]]) -> None:
    for future, answer in answered:
        if future.done():  # the client went away; the work was done all the same
            continue
        if isinstance(answer, Exception):
            future.set_exception(_as_answer(answer))
        else:
            future.set_result(answer)


def _as_answer(error: Exception) -> Exception:
    """A store that cannot take the work now is 503, not a fault of the request."""
    if isinstance(error, DBAPIError) and is_unavailable(error):
        return errors.store_unavailable()
    return error
