"""Following the clock: a chore judges again those whose day has come."""

from datetime import UTC, datetime, timedelta

from sqlalchemy.engine import Connection

from largesse.customers.service import HeldBy
from largesse.engine.segments.calendar import today
from largesse.kernel import clock, definitions
from largesse.kernel.database.unit import Unit
from largesse.kernel.jobs.model import Chore
from largesse.segments import store
from largesse.segments.membership import Judged, settle, watched
from largesse.segments.profiles import moment

_MOST_AHEAD = timedelta(hours=14)  # of all zones


def projects_due(conn: Connection, now: int) -> list[str]:
    """The projects that may have customers whose day has come, in whatever zone they live."""
    latest = datetime.fromtimestamp(now // clock.SECOND, UTC) + _MOST_AHEAD
    return store.projects_due(conn, latest.date().toordinal())


def make_chore(held_by: HeldBy) -> Chore:
    """`held_by` answers what is on the cards of customers."""
    return Chore(name="SEGMENTS.CLOCK", due=projects_due, step=lambda unit, most: follow(unit, most, held_by))


def follow(unit: Unit, most: int, held_by: HeldBy) -> int:
    """Judges at most so many memberships of a project whose day has come; answers how many."""
    day = today(moment(unit.project, unit.now)).toordinal()
    found = store.due(unit.conn, unit.project_id, day, most)
    if not found:
        return 0
    by_id = {judged[0].id: judged for judged in watched(unit.conn, definitions.current(unit))}
    concerned: dict[str, list[Judged]] = {}
    for one in found:
        if one.segment_id in by_id:
            concerned.setdefault(one.customer_id, []).append(by_id[one.segment_id])
    if concerned:
        settle(dict.fromkeys(concerned, unit), concerned, held_by)
    left = [one for one in found if one.segment_id not in by_id]
    store.write(unit.conn, unit.project_id, (), (), left)  # of a segment that is being deleted
    return len(found)
