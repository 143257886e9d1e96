"""What segments do in the background: filling, and going away.

A transaction that began before a segment was made, or gone, does not know it; such a one is over after `GRACE`.
"""

from collections.abc import Sequence

import largesse.customers.service as customers
import largesse.kernel.events as log
from largesse.customers.service import HeldBy
from largesse.kernel import clock, definitions, ids
from largesse.kernel.database.unit import Unit
from largesse.kernel.jobs.model import Done, Job, Kind, Progress
from largesse.kernel.jobs.queue import INTERNAL, enqueue
from largesse.segments import store
from largesse.segments.membership import Judged, load, settle

FILL, CATCH_UP, DELETE = (f"{INTERNAL}SEGMENTS_{name}" for name in ("FILL", "CATCH_UP", "DELETE"))
GRACE = 10 * clock.SECOND
_FAMILIES = ("evcus_", "evred_")  # the events that name a customer whom a filter may look at


def begin(unit: Unit, segment_id: str, *, tell: bool) -> None:
    """To be called where a segment with a filter is made or, with `tell`, where what the filter means changed."""
    enqueue(unit, FILL, {"segment_id": segment_id, "since": _since(), "tell": tell}, queue=f"{segment_id} fill")


def end(unit: Unit, segment_id: str) -> None:
    """To be called where a segment is deleted: takes away what is noted of it, once nobody notes anything any more."""
    enqueue(unit, DELETE, {"segment_id": segment_id}, due_at=unit.now + GRACE)


def kinds(held_by: HeldBy) -> dict[str, Kind]:
    """The jobs of this room; `held_by` answers what is on the cards of customers."""

    def fill(unit: Unit, job: Job) -> Progress | Done:
        """Judges every customer, in order of their ids.

        Who is in when a segment is made has not entered it, so nothing is told (our decision).
        """
        judged = _judged(unit, job)
        if judged is None:
            return _done(job)
        found = customers.some_ids(unit.conn, unit.project_id, job.state.get("after", ""), job.batch)
        if found:
            judge(unit, judged, found, tell=job.arguments["tell"])
            return Progress(state={"after": found[-1]}, done=job.done + len(found))
        store.set_status(unit.conn, unit.project_id, [judged[0].id], "DONE")
        definitions.changed(unit, ("segment", definitions.ANY))
        enqueue(unit, CATCH_UP, job.arguments, due_at=unit.now + GRACE)
        return _done(job)

    def catch_up(unit: Unit, job: Job) -> Progress | Done:
        """Judges those again whom something happened to in a transaction that may not have known the segment."""
        judged = _judged(unit, job)
        if judged is None:
            return _done(job)
        after: list[str] = job.state.get("after", job.arguments["since"])
        for place, after_id in enumerate(after):
            found = log.customers_since(unit.conn, unit.project_id, after_id, job.batch)
            if found:
                ids = dict.fromkeys(customer_id for _, customer_id in found if customer_id is not None)
                judge(unit, judged, list(ids), tell=True)
                left = [*after[:place], found[-1][0], *after[place + 1 :]]
                return Progress(state={"after": left}, done=job.done + len(found))
        return _done(job)

    def take_away(unit: Unit, job: Job) -> Progress | Done:
        gone = store.remove_some(unit.conn, unit.project_id, job.arguments["segment_id"], job.batch)
        return Progress(state={}, done=job.done + gone) if gone else _done(job)

    def judge(unit: Unit, judged: Judged, customer_ids: Sequence[str], *, tell: bool) -> None:
        if customer_ids:
            concerned = {id: [judged] for id in customer_ids}
            settle(dict.fromkeys(customer_ids, unit), concerned, held_by, tell=tell)

    return {FILL: Kind(fill), CATCH_UP: Kind(catch_up), DELETE: Kind(take_away)}


def _since() -> list[str]:
    return [ids.hex_floor(family, GRACE // clock.SECOND) for family in _FAMILIES]


def _judged(unit: Unit, job: Job) -> Judged | None:
    """The job's segment; None where it was deleted meanwhile."""
    id = job.arguments["segment_id"]
    found = load(unit.conn, definitions.current(unit), [id]).get(id)
    return (found, found.filter) if found is not None and found.filter is not None else None


def _done(job: Job) -> Done:
    return Done(result={"done_count": job.done})
