"""What segments do in the background: filling, following the clock, going away."""

from collections.abc import Sequence

import largesse.customers.service as customers
from largesse.engine.segments.calendar import today
from largesse.kernel import clock, definitions
from largesse.kernel.database.unit import Unit
from largesse.kernel.jobs.model import Done, Job, Kind, Progress
from largesse.kernel.jobs.queue import enqueue
from largesse.segments import store
from largesse.segments.membership import Judged, load, settle
from largesse.segments.model import StoredSegment
from largesse.segments.profiles import moment

FILL, FOLLOW, DELETE = "SEGMENTS.FILL", "SEGMENTS.FOLLOW_CLOCK", "SEGMENTS.DELETE"


def begin(unit: Unit, segment: StoredSegment, *, by_clock: bool) -> None:
    """To be called where a segment with a filter is made: fills it, and follows the clock where that matters."""
    enqueue(unit, FILL, {"segment_id": segment.id}, queue=f"{segment.id} fill")
    if by_clock:
        _follow(unit, segment.id)


def end(unit: Unit, segment_id: str) -> None:
    """To be called where a segment is deleted: takes away what is noted of it."""
    enqueue(unit, DELETE, {"segment_id": segment_id}, queue=f"{segment_id} fill")


def fill(unit: Unit, job: Job) -> Progress | Done:
    """Judges every customer, in order of their ids.

    Who is in when a segment is made has not entered it, so nothing is told (our decision).
    """
    judged = _judged(unit, job)
    if judged is None:
        return _done(job)
    ids = customers.some_ids(unit.conn, unit.project_id, job.state.get("after", ""), job.batch)
    if ids:
        _settle(unit, judged, ids, tell=False)
        return Progress(state={"after": ids[-1]}, done=job.done + len(ids))
    store.set_filled(unit.conn, unit.project_id, judged[0].id)
    definitions.changed(unit)
    return _done(job)


def follow(unit: Unit, job: Job) -> Progress | Done:
    """Judges those again whose day has come; then waits for the next one."""
    judged = _judged(unit, job)
    if judged is None:
        return _done(job)
    day = today(moment(unit.project, unit.now)).toordinal()
    found = store.due(unit.conn, unit.project_id, judged[0].id, day, job.batch)
    if found:
        ids = [one.customer_id for one in found]
        _settle(unit, judged, ids, tell=True)
        return Progress(state={}, done=job.done + len(ids))
    _follow(unit, judged[0].id)
    return _done(job)


def take_away(unit: Unit, job: Job) -> Progress | Done:
    gone = store.remove_some(unit.conn, unit.project_id, job.arguments["segment_id"], job.batch)
    return Progress(state={}, done=job.done + gone) if gone else _done(job)


def _follow(unit: Unit, segment_id: str) -> None:
    """At the next midnight in the project's zone."""
    tomorrow = unit.project.day(unit.now + clock.DAY)
    due_at = max(unit.project.midnight(tomorrow), unit.now + clock.SECOND)
    enqueue(unit, FOLLOW, {"segment_id": segment_id}, queue=f"{segment_id} clock", due_at=due_at)


def _judged(unit: Unit, job: Job) -> Judged | None:
    """The job's segment; None where it was deleted meanwhile."""
    id = job.arguments["segment_id"]
    found = load(unit.conn, definitions.current(unit), [id]).get(id)
    return (found, found.filter) if found is not None and found.filter is not None else None


def _settle(unit: Unit, judged: Judged, customer_ids: Sequence[str], *, tell: bool) -> None:
    settle(dict.fromkeys(customer_ids, unit), {id: [judged] for id in customer_ids}, tell=tell)


def _done(job: Job) -> Done:
    return Done(result={"message": f"{job.done} customers.", "done_count": job.done})


KINDS = {FILL: Kind(fill), FOLLOW: Kind(follow), DELETE: Kind(take_away)}
