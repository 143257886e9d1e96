"""The worker: one job at a time, a short turn each, and time between the slices for those who wait for an answer."""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import msgspec
from sqlalchemy.engine import Connection

from largesse.kernel import clock, ids, metrics
from largesse.kernel.access.projects import load_project
from largesse.kernel.call import Call, Caller
from largesse.kernel.database.database import Database
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import ApiError
from largesse.kernel.jobs import claims, queue
from largesse.kernel.jobs.claims import ATTEMPTS, Claim, Due, Slice
from largesse.kernel.jobs.model import Chore, Done, Kind

POLL_SECONDS = 1.0  # between looks at an idle queue; jobs of this process are noticed at once
TURN_SECONDS = 0.25  # how long a job is worked on before others have their turn
# How long a slice should take: on the embedded store every redemption waits for it, elsewhere only other jobs do.
SLICE_SECONDS = {True: 0.018, False: 0.1}
REST = 0.15  # pause after a slice, in parts of the time it took
FIRST_BATCH, MOST_ITEMS = 50, 5000
FIRST_WAIT, LONGEST_WAIT = clock.SECOND, 5 * clock.MINUTE
_FIRST_LOOK_SECONDS = 0.005  # after a hint, which comes before the commit
_METRICS_SECONDS = 5.0
CHORE_SECONDS = 10.0  # between looks for work that time brings
# As above, of chores: nobody waits for them, midnight brings much at once, and redemptions share the interpreter with them.
CHORE_SLICE_SECONDS, CHORE_REST = 0.018, 1.0
_GIVEN_UP = f"Given up after {ATTEMPTS} attempts that failed unexpectedly; the server's log says why."
_CALLER = Caller(surface="server", key_id="worker", key_name="Background worker")

T = TypeVar("T")
_log = logging.getLogger("largesse.jobs")


class Worker:
    """Runs jobs of `kinds` and `chores` on a started database. Any number may run at once, in one process or in many."""

    def __init__(
        self,
        database: Database,
        kinds: Mapping[str, Kind],
        chores: Sequence[Chore] = (),
        *,
        now: Callable[[], int] = clock.now_micros,
    ) -> None:
        self._database = database
        self._kinds = kinds
        self._chores = chores
        self._next_chores = 0.0
        self._failed: dict[
            tuple[str, str], tuple[int, float]
        ] = {}  # chore and project → failures, and when to try again
        self._now = now
        self._batches: dict[str, int] = {}
        self._stopping = False
        self._hint = asyncio.Event()
        self._pause = POLL_SECONDS
        self._next_count = 0.0

    async def run(self) -> None:
        """Works until `stop`; survives whatever happens to jobs and store."""
        loop = asyncio.get_running_loop()

        def hint() -> None:
            # The loop may be closing while the last request is still being answered; then there is nobody to wake.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._on_hint)

        queue.listen(hint)
        try:
            while not self._stopping:
                if not await self._try_round():
                    await self._rest()
        finally:
            queue.unlisten(hint)

    def stop(self) -> None:
        """Ends `run` once the slice at hand is committed; its job goes on elsewhere, or at the next start."""
        self._stopping = True
        self._hint.set()

    async def work_round(self) -> bool:
        """Gives one job of each project that has some a turn; False when there was nothing to do."""
        found = await self._database.look_up(lambda conn: claims.due(conn, self._kinds.keys(), self._now()))
        served: set[str] = set()
        for due in found:
            if not self._stopping and due.project_id not in served and await self._turn(due):
                served.add(due.project_id)
        return bool(served)

    async def _try_round(self) -> bool:
        try:
            await self._count()
            worked = await self.do_chores()
            return await self.work_round() or worked
        except Exception:
            _log.exception("looking for jobs failed")
            return False

    async def _rest(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._hint.wait(), self._pause * random.uniform(0.8, 1.2))
        self._hint.clear()
        self._pause = min(POLL_SECONDS, self._pause * 2)

    def _on_hint(self) -> None:
        self._pause = _FIRST_LOOK_SECONDS
        self._hint.set()

    async def _count(self) -> None:
        if time.monotonic() < self._next_count:
            return
        counts = await self._database.look_up(claims.unfinished)
        for status in ("ENQUEUED", "IN_PROGRESS"):
            metrics.JOBS.labels(status).set(counts.get(status, 0))
        self._next_count = time.monotonic() + _METRICS_SECONDS

    # Chores

    async def do_chores(self) -> bool:
        """Gives the chores of each project that has some a turn; False when there was nothing to do, or it is too early to look."""
        if time.monotonic() < self._next_chores:
            return False
        worked = False
        for chore in self._chores:
            for project_id in await self._database.look_up(self._due(chore)):
                if not self._stopping and time.monotonic() >= self._failed.get((chore.name, project_id), (0, 0.0))[1]:
                    worked |= await self._try_chore(chore, project_id)
        self._next_chores = 0.0 if worked else time.monotonic() + CHORE_SECONDS
        return worked

    async def _try_chore(self, chore: Chore, project_id: str) -> bool:
        key = (chore.name, project_id)
        try:
            worked = await self._do_chore(chore, project_id)
        except Exception:
            failures = self._failed.get(key, (0, 0.0))[0] + 1
            self._failed[key] = (failures, time.monotonic() + _back_off(min(failures, ATTEMPTS)) / clock.SECOND)
            self._batches[chore.name] = 1  # what can be done is done, whatever stands beside it
            _log.exception("chore %s of project %s, failure %s", chore.name, project_id, failures)
            return False
        self._failed.pop(key, None)
        return worked

    async def _do_chore(self, chore: Chore, project_id: str) -> bool:
        """Does slices until the turn is over; False when there was nothing to do."""
        project = await self._database.look_up(lambda conn: load_project(conn, project_id))
        end, worked = time.perf_counter() + TURN_SECONDS, False
        while not self._stopping and time.perf_counter() < end:
            call = Call(project=project, caller=_CALLER, request_id=ids.request_id(), now=self._now())
            items, seconds = await self._database.write(call, self._timed(chore), background=True)
            if items == 0:
                return worked
            worked = True
            metrics.JOB_SLICE_SECONDS.labels(chore.name).observe(seconds)
            self._fit(chore.name, items, seconds, CHORE_SLICE_SECONDS)
            await asyncio.sleep(seconds * CHORE_REST)
        return worked

    def _due(self, chore: Chore) -> Callable[[Connection], list[str]]:
        return lambda conn: chore.due(conn, self._now())

    def _timed(self, chore: Chore) -> Callable[[Unit], tuple[int, float]]:
        def step(unit: Unit) -> tuple[int, float]:
            started = time.perf_counter()
            return chore.step(unit, self._batches.get(chore.name, FIRST_BATCH)), time.perf_counter() - started

        return step

    def _fit(self, name: str, items: int, seconds: float, wanted: float) -> None:
        """Chooses how many items the next slice of this kind should do, for it to take the seconds wanted."""
        batch = self._batches.get(name, FIRST_BATCH)
        fitting = items / max(seconds, 1e-6) * wanted
        self._batches[name] = int(max(1, batch / 2, min(fitting, batch * 2, MOST_ITEMS)))

    # One job

    async def _turn(self, due: Due) -> bool:
        """Claims the first job of a queue and does slices of it until its turn is over; False when it was not to be had."""
        project = await self._database.look_up(lambda conn: load_project(conn, due.project_id))
        call = Call(project=project, caller=_CALLER, request_id=ids.request_id(), now=self._now())
        holder = ids.random_text(16)
        claim = await self._database.write(call, lambda unit: claims.claim(unit, due.queue, holder, self._kinds.keys()))
        if claim is None:
            return False
        if claim.attempts > ATTEMPTS:  # none of them lived to say what went wrong
            await self._give_up(claim, "the worker ended in every attempt", _GIVEN_UP)
            return True
        end = time.perf_counter() + TURN_SECONDS
        while True:
            try:
                done = await self._slice(claim, lambda: not self._stopping and time.perf_counter() < end)
            except Exception as error:
                await self._recover(claim, error)
                return True
            if done is None or not done.keeps:
                return True
            claim = msgspec.structs.replace(claim, attempts=1)
            await asyncio.sleep(done.seconds * REST)

    async def _slice(self, claim: Claim, keeps: Callable[[], bool]) -> Slice | None:
        kind, batch = self._kinds[claim.kind], self._batches.get(claim.kind, FIRST_BATCH)
        done = await self._write(claim, lambda unit: claims.run_slice(unit, claim, kind, batch, keeps))
        if done is None:
            _log.warning("job %s (%s) was taken over by another worker", claim.id, claim.kind)
            return None
        metrics.JOB_SLICE_SECONDS.labels(claim.kind).observe(done.seconds)
        if done.items > 0:
            self._fit(claim.kind, done.items, done.seconds, SLICE_SECONDS[self._database.embedded])
        if isinstance(done.outcome, Done):
            metrics.JOBS_FINISHED.labels(claim.kind, "DONE").inc()
        return done

    async def _recover(self, claim: Claim, error: Exception) -> None:
        """After a slice that failed: ends the job where trying again cannot help, else leaves it for later."""
        text = f"{type(error).__name__}: {error}"[:1000]
        refusal = error.refusal if isinstance(error, ApiError) else None
        if refusal is not None and refusal.code < 500 and refusal.key != "multiple_requests":
            await self._give_up(claim, text, refusal.details or refusal.message)
            return
        _log.error("job %s (%s), attempt %s", claim.id, claim.kind, claim.attempts, exc_info=error)
        # A store that could not take the slice says nothing about the job: such an attempt is not counted.
        counted = claim.attempts - (refusal is not None and refusal.code >= 500)
        if counted >= ATTEMPTS:
            await self._give_up(claim, text, _GIVEN_UP)
            return
        metrics.JOBS_RETRIED.labels(claim.kind).inc()
        wait = _back_off(claim.attempts)
        await self._write(claim, lambda unit: claims.put_back(unit, claim, text, counted, wait))

    async def _give_up(self, claim: Claim, error: str, message: str) -> None:
        kind = self._kinds[claim.kind]
        try:
            await self._write(claim, lambda unit: claims.give_up(unit, claim, error, message, kind))
        except Exception:
            _log.exception("job %s (%s) ends without what should follow its end", claim.id, claim.kind)
            await self._write(claim, lambda unit: claims.give_up(unit, claim, error, message, None))
        _log.warning("job %s (%s) failed: %s", claim.id, claim.kind, message)
        metrics.JOBS_FINISHED.labels(claim.kind, "FAILED").inc()

    async def _write(self, claim: Claim, function: Callable[[Unit], T]) -> T:
        """Runs `function` on behalf of whoever started the job, now."""
        call = msgspec.structs.replace(claim.call, now=self._now())
        return await self._database.write(call, function, background=True)


def _back_off(attempts: int) -> int:
    """Microseconds until the next attempt: doubled by each, and scattered so that what failed together is not tried together."""
    return int(min(FIRST_WAIT << (attempts - 1), LONGEST_WAIT) * random.uniform(0.5, 1))
