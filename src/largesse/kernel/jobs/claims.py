"""Every step of a job's life, each in one transaction.

A worker *claims* the first job of a queue, and then does *slices* of it. The claim is committed before any work, so that a job
whose work ends the whole process is counted too, and not tried for ever. It holds for a few seconds and every slice renews it; a
worker that fell silent loses it. Exactly-once does not rest on that: a slice locks its job, checks that the claim is still its
own, and commits its effects together with the new state.
"""

import time
from collections.abc import Callable, Collection
from typing import Any

import msgspec
from sqlalchemy import Select, and_, bindparam, case, exists, func, literal_column, or_, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.elements import ColumnElement

from largesse.kernel import clock, wire
from largesse.kernel.call import Call, Caller
from largesse.kernel.database.unit import Unit
from largesse.kernel.jobs.model import Done, Job, Kind, Progress
from largesse.kernel.jobs.tables import jobs

LEASE = 5 * clock.SECOND  # how long a claim holds without a slice
ATTEMPTS = 8  # in a row without one slice that went well; then a job is given up


class Due(msgspec.Struct, frozen=True):
    """A queue whose first job can be taken."""

    project_id: str
    queue: str


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A job in hand. `attempts` counts this one too; `call` is the request that started the job, at the instant of the claim."""

    id: str
    kind: str
    holder: str
    attempts: int
    call: Call


class Slice(msgspec.Struct, frozen=True, kw_only=True):
    """A slice that was committed: what it was, how many items it did, and how long its work took."""

    outcome: Progress | Done
    items: int
    seconds: float
    keeps: bool  # the claim holds on


# Finding

_CHOICE = 4  # of queues, for a worker that does not get the first
# Written out: bound, it would not be known to be what the index of started jobs holds.
_IN_PROGRESS: ColumnElement[str] = literal_column("'IN_PROGRESS'")


def _due() -> Select[Any]:
    other = jobs.alias("other")
    same = (other.c.project_id == jobs.c.project_id, other.c.queue == jobs.c.queue)
    # Two questions, each with an index of its own: asked as one, SQLite would read all jobs of the project.
    started = exists().where(*same, other.c.status == _IN_PROGRESS)
    earlier = exists().where(*same, other.c.due_at.is_not(None), other.c.id < jobs.c.id)
    turn = func.row_number().over(partition_by=jobs.c.project_id, order_by=(jobs.c.due_at, jobs.c.id))
    first = (
        select(jobs.c.project_id, jobs.c.queue, jobs.c.due_at, turn.label("turn"))
        .where(jobs.c.due_at <= bindparam("now"), jobs.c.kind.in_(bindparam("kinds", expanding=True)))
        .where(or_(jobs.c.status == _IN_PROGRESS, and_(~started, ~earlier)))
        .subquery("first")
    )
    found = select(first.c.project_id, first.c.queue).where(first.c.turn <= _CHOICE)
    return found.order_by(first.c.turn, first.c.due_at).limit(32)


_DUE = _due()
_UNFINISHED = select(jobs.c.status, func.count()).where(jobs.c.due_at.is_not(None)).group_by(jobs.c.status)


def due(conn: Connection, kinds: Collection[str], now: int) -> list[Due]:
    """The queues of each project that have waited longest, first one of each; at most 32. Locks nothing, promises nothing."""
    return [Due(*row) for row in conn.execute(_DUE, {"now": now, "kinds": list(kinds)})]


def unfinished(conn: Connection) -> dict[str, int]:
    """How many jobs there are in each status that is not an end."""
    return {row[0]: row[1] for row in conn.execute(_UNFINISHED)}


# Claiming

# The first of a queue, and it only: one that is locked must not be passed over for the next, and one not to be had is not locked.
_ID_OF_FIRST = (
    select(jobs.c.id)
    .where(jobs.c.project_id == bindparam("project"), jobs.c.queue == bindparam("queue"), jobs.c.due_at.is_not(None))
    .order_by(case((jobs.c.status == _IN_PROGRESS, 0), else_=1), jobs.c.id)
    .limit(1)
)
_FIRST = (
    select(jobs)
    .where(jobs.c.project_id == bindparam("project"), jobs.c.id == _ID_OF_FIRST.scalar_subquery())
    .where(or_(jobs.c.due_at <= bindparam("now"), jobs.c.holder == bindparam("holder")))
    .where(jobs.c.due_at.is_not(None), jobs.c.kind.in_(bindparam("kinds", expanding=True)))
    .with_for_update(skip_locked=True)
)
_MINE = and_(jobs.c.project_id == bindparam("project"), jobs.c.id == bindparam("job"))
_LOCKED = select(jobs).where(_MINE).with_for_update()
_SAVE = update(jobs).where(_MINE)


def claim(unit: Unit, queue: str, holder: str, kinds: Collection[str]) -> Claim | None:
    """Takes the first job of a queue for `holder`, a text that no other claim has; None when it is not to be had now."""
    wanted = {"project": unit.project_id, "queue": queue, "now": unit.now, "holder": holder, "kinds": list(kinds)}
    row = unit.conn.execute(_FIRST, wanted).first()
    if row is None:
        return None
    attempts = row.attempts if row.holder == holder else row.attempts + 1
    savepoint = unit.conn.begin_nested()
    try:
        _save(unit, row.id, status="IN_PROGRESS", holder=holder, due_at=unit.now + LEASE, attempts=attempts)
    except IntegrityError:  # the index of started jobs: another one of this queue was started just now
        savepoint.rollback()
        return None
    savepoint.commit()
    call = Call(
        project=unit.project,
        caller=wire.convert(row.source["caller"], Caller),
        request_id=row.request_id,
        now=unit.now,
        channel=row.source["channel"],
    )
    return Claim(id=row.id, kind=row.kind, holder=holder, attempts=attempts, call=call)


# Working


def run_slice(unit: Unit, claim: Claim, kind: Kind, batch: int, keeps: Callable[[], bool]) -> Slice | None:
    """Does the next slice and saves what it left; None when the claim was lost. What the step raises undoes all.

    `keeps` is asked after the work: whether the claim shall hold on for another slice.
    """
    job = _held(unit, claim, batch)
    if job is None:
        return None
    started = time.perf_counter()
    outcome = kind.step(unit, job)
    if isinstance(outcome, Done):
        status = "SUCCESS" if outcome.success else "FAILED"
        _finish(unit, claim, status="DONE", operation_status=status, result=outcome.result, last_error=None)
        return Slice(outcome=outcome, items=0, seconds=time.perf_counter() - started, keeps=False)
    kept = keeps()
    _save(
        unit,
        claim.id,
        state=outcome.state,
        done=outcome.done,
        total=job.total if outcome.total is None else outcome.total,
        attempts=1 if kept else 0,
        holder=claim.holder if kept else None,
        due_at=unit.now + LEASE if kept else unit.now,
        last_error=None,
    )
    seconds = time.perf_counter() - started
    return Slice(outcome=outcome, items=outcome.done - job.done, seconds=seconds, keeps=kept)


def put_back(unit: Unit, claim: Claim, error: str, attempts: int, wait: int) -> None:
    """Leaves the job, with `attempts` counted, to whoever comes after `wait` microseconds; nothing where the claim was lost."""
    if _held(unit, claim) is not None:
        _save(unit, claim.id, holder=None, due_at=unit.now + wait, attempts=attempts, last_error=error)


def give_up(unit: Unit, claim: Claim, error: str, message: str, kind: Kind | None) -> None:
    """Ends the job as FAILED; callers see `message`. With `kind`, what its `given_up` changes is part of it."""
    job = _held(unit, claim)
    if job is None:
        return
    if kind is not None and kind.given_up is not None:
        kind.given_up(unit, job, message)
    _finish(unit, claim, status="FAILED", operation_status="FAILED", result={"message": message}, last_error=error)


def _held(unit: Unit, claim: Claim, batch: int = 1) -> Job | None:
    """The job, locked until the transaction ends, if the claim still holds it."""
    row = unit.conn.execute(_LOCKED, {"project": unit.project_id, "job": claim.id}).first()
    if row is None or row.due_at is None or row.holder != claim.holder:
        return None
    return Job(
        id=row.id,
        kind=row.kind,
        arguments=row.arguments,
        state=row.state,
        done=row.done,
        total=row.total,
        batch=batch,
    )


def _finish(unit: Unit, claim: Claim, **values: Any) -> None:
    _save(unit, claim.id, holder=None, due_at=None, **values)


def _save(unit: Unit, id: str, **values: Any) -> None:
    statement = _SAVE.values(updated_at=unit.now, **values)
    unit.conn.execute(statement, {"project": unit.project_id, "job": id})
