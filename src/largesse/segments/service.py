"""Use cases of segments, and what other rooms ask of them."""

from collections.abc import Callable

import msgspec
from sqlalchemy.sql.elements import ColumnElement

import largesse.customers.service as customers
from largesse.customers.service import HeldBy
from largesse.engine.rules.places import named
from largesse.engine.segments.calendar import today
from largesse.kernel import clock, definitions, ids
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import invalid_payload, not_found
from largesse.kernel.http.filters import FilterColumn
from largesse.kernel.http.query import Query, since_and_until
from largesse.segments import jobs, store
from largesse.segments.definition import checked_customers, checked_filter
from largesse.segments.membership import inside_now, load, watched
from largesse.segments.model import (
    CustomerSegments,
    Membership,
    Segment,
    SegmentAnswer,
    SegmentCreate,
    SegmentList,
    SegmentReference,
    StoredSegment,
)
from largesse.segments.profiles import moment, profiles

CheckUnused = Callable[[Unit, str, str], None]  # (unit, kind, id); raises ApiError 400
MOST_WITH_FILTER = 100  # of one project (documented)
MOST_JUDGED = 10_000  # customers that a list judges for the background; our decision
_ORDERS = {"created_at": store.segments.c.created_at}
_FILTERS = {
    "id": FilterColumn(store.segments.c.id, "text"),
    "name": FilterColumn(store.segments.c.name, "text"),
    "type": FilterColumn(store.segments.c.type, "text", allowed=("auto-update", "passive", "static")),
    "created_at": FilterColumn(store.segments.c.created_at, "instant"),
}


# The resource


def list_segments(unit: Unit, query: Query) -> SegmentList:
    columns = store.segments.c
    conditions = query.filtered(_FILTERS, unit)
    if wanted := query.all("ids"):
        conditions.append(columns.id.in_(wanted))
    conditions += since_and_until(columns.created_at, query)
    page = query.page()
    order = query.order(_ORDERS, "-created_at", columns.id)
    found, total = store.page(unit.conn, unit.project_id, conditions, order, limit=page.limit, offset=page.offset)
    return SegmentList(data=[_answer(one) for one in found], total=total)


def get(unit: Unit, segment_id: str) -> SegmentAnswer:
    """Raises ApiError 404."""
    return _answer(_existing(unit, segment_id))


def create(unit: Unit, sent: SegmentCreate) -> SegmentAnswer:
    """A static segment is ready at once, one with a filter is filled in the background.

    Raises ApiError 400 for a filter that says nothing possible, for one customer or one segment too many.
    """
    if sent.name is None:
        raise invalid_payload("Payload should have required property 'name'")
    kind = sent.type or ("static" if sent.filter is None else None)
    if kind is None:
        raise invalid_payload("Payload should have required property 'type'")
    made = StoredSegment(
        id=ids.text_id("seg_"), name=sent.name, type=kind, initial_sync_status="DONE", created_at=unit.now
    )
    if kind == "static":
        _add_static(unit, made, checked_customers(sent))
        return _answer(made)
    shown = checked_filter(sent)
    made = msgspec.structs.replace(made, filter=shown, initial_sync_status="IN_PROGRESS")
    # Before counting: it holds the project, so that nobody else counts meanwhile.
    definitions.changed(unit, ("segment", definitions.ANY))
    if store.count_with_filter(unit.conn, unit.project_id) >= MOST_WITH_FILTER:
        raise invalid_payload(f"A project cannot have more than {MOST_WITH_FILTER} segments with a filter")
    store.add(unit.conn, unit.project_id, made)
    jobs.begin(unit, made.id, tell=False)
    return _answer(made)


def _add_static(unit: Unit, segment: StoredSegment, keys: list[str]) -> None:
    """Customers by id or source id; keys that nobody has are passed over (our decision)."""
    found = customers.ids_of(unit.conn, unit.project_id, keys)
    store.add(unit.conn, unit.project_id, segment)
    store.write(unit.conn, unit.project_id, [Membership(id, segment.id, True, None) for id in found], (), ())


def delete(unit: Unit, segment_id: str, check_unused: CheckUnused) -> None:
    """Raises ApiError 404, and 400 `resource_in_use` while something names the segment."""
    # First: whoever begins to react to the segment holds the project before the segment.
    definitions.changed(unit, ("segment", definitions.ANY))
    store.lock(unit.conn, unit.project_id, segment_id)
    found = _existing(unit, segment_id)
    check_unused(unit, "segment", found.id)
    store.remove(unit.conn, unit.project_id, found.id)
    jobs.end(unit, found.id)


def of_customer(unit: Unit, key: str, held_by: HeldBy) -> CustomerSegments:
    """The segments a customer is in now, oldest first; an unknown one is judged as a blank profile (documented)."""
    project = definitions.current(unit)
    found = [segment for segment, _ in watched(unit.conn, project)]
    customer = customers.by_key(unit, key)
    if customer is None:
        inside = _of_nobody(unit, key, held_by)
    else:
        listed = store.of_customers(unit.conn, unit.project_id, [customer.id])
        known = {one.id for one in found}
        static = load(unit.conn, project, {one.segment_id for one in listed if one.segment_id not in known})
        inside = inside_now(unit, customer, [*static.values(), *found], held_by)
    shown = [SegmentReference(id=one.id, name=one.name) for one in sorted(inside, key=lambda one: one.id)]
    return CustomerSegments(data=shown, total=len(shown))


def _of_nobody(unit: Unit, source_id: str, held_by: HeldBy) -> list[Segment]:
    blank = customers.blank(unit, source_id)
    found = watched(unit.conn, definitions.current(unit))
    profile = profiles(unit, [one for _, one in found], [blank], held_by)[blank.id]
    when = moment(unit.project, unit.now)
    return [segment for segment, one in found if one.holds(profile, when)]


# What other rooms ask


def tell_of(unit: Unit, segment_id: str) -> None:
    """To be called where something reacts to a segment: it stays until the transaction ends, and a passive one becomes active for
    good (documented). Raises ApiError 404.
    """
    if not store.lock(unit.conn, unit.project_id, segment_id):
        raise not_found("segment", segment_id)
    if store.activate(unit.conn, unit.project_id, segment_id, unit.now):
        definitions.changed(unit, ("segment", definitions.ANY))


def is_member(unit: Unit, segment_id: str, customer_id: ColumnElement[str], held_by: HeldBy) -> ColumnElement[bool]:
    """The condition that a customer is in a segment; nobody is in an unknown one.

    Where the clock has moved on and the background has not followed yet, those it concerns are judged here.
    """
    segment = load(unit.conn, definitions.current(unit), [segment_id]).get(segment_id)
    joined: set[str] = set()
    left: set[str] = set()
    if segment is None:
        return customer_id == ""
    if segment.filter is not None and segment.filter.by_clock:
        when = moment(unit.project, unit.now)
        day = today(when).toordinal()
        due = store.due_in_segment(unit.conn, unit.project_id, segment_id, day, MOST_JUDGED)
        found = customers.by_ids(unit.conn, unit.project, [one.customer_id for one in due])
        seen = profiles(unit, [segment.filter], list(found.values()), held_by)
        for id, profile in seen.items():
            (joined if segment.filter.holds(profile, when) else left).add(id)
    return store.is_member(unit.project_id, segment_id, customer_id, joined, left)


def location_moved(unit: Unit, location_id: str) -> None:
    """To be called where the shape of a location changed, or went: segments that name it are filled anew."""
    ids = [one.id for one in store.with_filter(unit.conn, unit.project_id) if location_id in named(one.filter)]
    if ids:
        store.set_status(unit.conn, unit.project_id, ids, "IN_PROGRESS")
        definitions.changed(unit, ("segment", definitions.ANY))
    for id in ids:
        jobs.begin(unit, id, tell=True)


def forget_customer(unit: Unit, customer_id: str) -> int:
    """To be called where a customer was deleted; answers in how many segments they were."""
    found = store.remove_of_customer(unit.conn, unit.project_id, customer_id)
    return sum(one.inside for one in found)


def _existing(unit: Unit, segment_id: str) -> StoredSegment:
    found = store.by_ids(unit.conn, unit.project_id, [segment_id]).get(segment_id)
    if found is None:
        raise not_found("segment", segment_id)
    return found


def _answer(segment: StoredSegment) -> SegmentAnswer:
    return SegmentAnswer(
        id=segment.id,
        name=segment.name,
        created_at=clock.iso(segment.created_at),
        updated_at=clock.iso_or_none(segment.updated_at),
        type=segment.type,
        filter=segment.filter,
        initial_sync_status=segment.initial_sync_status,
    )
