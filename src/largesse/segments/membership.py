"""Who is in a segment: judged by its filter when something changes, noted, and told of.

Whoever judges a customer holds the lock of the customer's row from before the profile is read until the commit. So of two changes
of one customer the later one judges what both have made of the profile, and what is noted is what the filter says.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy.engine import Connection

import largesse.customers.service as customers
from largesse.customers.model import StoredCustomer
from largesse.customers.service import HeldBy
from largesse.engine.rules.facts import When
from largesse.engine.segments import Filter
from largesse.engine.segments.calendar import today
from largesse.kernel import definitions
from largesse.kernel.database.unit import Unit
from largesse.kernel.project import Project
from largesse.locations.service import located
from largesse.segments import store
from largesse.segments.definition import read
from largesse.segments.model import Membership, Segment, StoredSegment
from largesse.segments.profiles import moment, profiles, shown

_ALL = "all"
_AT_ONCE = 1000  # customers
Judged = tuple[Segment, Filter]


# Definitions


def watched(conn: Connection, project: Project) -> Sequence[Judged]:
    """Every segment with a filter, kept while none of the project's definitions changes; `project` as `definitions.current`."""
    return definitions.load(conn, project, "watched segments", [_ALL], _watched)[_ALL]


def _watched(conn: Connection, project_id: str, _ids: list[str]) -> dict[str, Sequence[Judged]]:
    found = _read(conn, project_id, store.with_filter(conn, project_id))
    return {_ALL: [(one, one.filter) for one in found if one.filter is not None]}


def load(conn: Connection, project: Project, ids: Collection[str]) -> dict[str, Segment]:
    """Segments by id; `project` as `definitions.current` answered. Unknown ids are absent."""
    return definitions.load(conn, project, "segment", ids, _loaded)


def _loaded(conn: Connection, project_id: str, ids: list[str]) -> dict[str, Segment]:
    return {one.id: one for one in _read(conn, project_id, store.by_ids(conn, project_id, ids).values())}


def _read(conn: Connection, project_id: str, stored: Iterable[StoredSegment]) -> list[Segment]:
    """Segments with the shapes of the locations that their filters name; one query for all, none where none is named."""
    found = list(stored)
    filters = located(conn, project_id, [one.filter for one in found])
    return [
        read(msgspec.structs.replace(one, filter=one_filter)) for one, one_filter in zip(found, filters, strict=True)
    ]


# Judging


def settle(
    unit_of: Mapping[str, Unit], concerned: Mapping[str, Sequence[Judged]], held_by: HeldBy, *, tell: bool = True
) -> None:
    """Judges customers by the segments named for each, notes what is new and tells of who entered and left.

    `unit_of` and `concerned` are by customer id; all units share a connection and a project. Customers are locked; one deleted
    since is left out. Without `tell` nothing is told of those of whom nothing was noted.
    """
    unit = next(iter(unit_of.values()))
    found = customers.by_ids(unit.conn, unit.project, sorted(concerned), lock=True)
    segment_ids = {segment.id for judged in concerned.values() for segment, _ in judged}
    filters = {id(one): one for judged in concerned.values() for _, one in judged}.values()
    seen = profiles(unit, filters, list(found.values()), held_by)
    noted = known_of(unit.conn, unit.project, found, segment_ids)
    new: list[Membership] = []
    changed: list[Membership] = []
    gone: list[Membership] = []
    for customer_id, profile in seen.items():
        teller = unit_of[customer_id]
        when = moment(teller.project, teller.now)
        for segment, condition in concerned[customer_id]:
            before = noted.get((customer_id, segment.id))
            after = judge(customer_id, segment, condition, profile, when)
            if before != after:
                _sort(before, after, new, changed, gone)
            was = before is not None and before.inside
            if segment.records and was != after.inside and (tell or before is not None):
                record(teller, segment, customer_id, profile, entered=after.inside)
    store.write(unit.conn, unit.project_id, new, changed, gone)


def judge(customer_id: str, segment: Segment, condition: Filter, profile: Mapping[str, Any], when: When) -> Membership:
    """What is true of a customer at a moment."""
    turns_on = condition.turns_on(profile, when) if condition.by_clock else None
    return Membership(customer_id, segment.id, condition.holds(profile, when), turns_on)


def _sort(
    before: Membership | None,
    after: Membership,
    new: list[Membership],
    changed: list[Membership],
    gone: list[Membership],
) -> None:
    """Who is outside, with no day on which the clock could bring them in, has no row."""
    worth_noting = after.inside or after.turns_on is not None
    if before is None and worth_noting:
        new.append(after)
    elif before is not None:
        (changed if worth_noting else gone).append(after)


def record(unit: Unit, segment: Segment, customer_id: str, profile: Mapping[str, Any], *, entered: bool) -> None:
    """Tells that a customer entered or left, with the profile as it now is; `about` is the segment's id."""
    data = {"customer": shown(profile), "segment": segment.reference}
    name = "customer.segment.entered" if entered else "customer.segment.left"
    unit.record(name, customer_id, data, customer_id=customer_id, about=segment.id)


def misjudged(unit: Unit, held_by: HeldBy) -> Iterator[tuple[str, int]]:
    """For verification: segments whose filter says otherwise of so many customers than what is noted.

    Those that time or a card may have moved without anybody noticing yet are left out, and those that are being filled.
    """
    asked = [
        judged
        for judged in watched(unit.conn, definitions.current(unit))
        if judged[0].is_filled and not (judged[1].by_clock or judged[1].of_cards)
    ]
    wrong: dict[str, int] = {}
    after = ""
    while asked and (ids := customers.some_ids(unit.conn, unit.project_id, after, _AT_ONCE)):
        after = ids[-1]
        found = customers.by_ids(unit.conn, unit.project, ids)
        seen = profiles(unit, [one for _, one in asked], list(found.values()), held_by)
        noted = known_of(unit.conn, unit.project, ids, [segment.id for segment, _ in asked])
        when = moment(unit.project, unit.now)
        for customer_id, profile in seen.items():
            for segment, condition in asked:
                one = noted.get((customer_id, segment.id))
                if condition.holds(profile, when) is not (one is not None and one.inside):
                    wrong[segment.id] = wrong.get(segment.id, 0) + 1
    yield from wrong.items()


# Reading


def known_of(
    conn: Connection, project: Project, customer_ids: Collection[str], segment_ids: Collection[str]
) -> dict[tuple[str, str], Membership]:
    """What is noted of these customers in these segments, by customer and segment."""
    if not customer_ids or not segment_ids:
        return {}
    rows = store.in_segments(conn, project.id, customer_ids, segment_ids)
    return {(one.customer_id, one.segment_id): one for one in rows}


def is_inside(segment: Segment, noted: Membership | None, profile: Mapping[str, Any] | None, when: When) -> bool:
    """Whether a customer is in a segment now. What is noted tells, unless the clock has moved on or a `profile` is given, which is
    judged instead; the profile is wanted by `needs_profile`.
    """
    if segment.filter is not None and profile is not None:
        return segment.filter.holds(profile, when)
    return noted is not None and noted.inside


def needs_profile(segment: Segment, noted: Membership | None, when: When) -> bool:
    """Whether what is noted may be out of date.

    The segment is being filled, it looks at what a midnight may have changed, or a day has come on which the clock matters.
    """
    if segment.filter is None:
        return False
    if segment.filter.of_cards or not segment.is_filled:
        return True
    return noted is not None and noted.turns_on is not None and noted.turns_on <= today(when).toordinal()


def inside_now(unit: Unit, customer: StoredCustomer, found: Iterable[Segment], held_by: HeldBy) -> list[Segment]:
    """Those of the segments that a stored customer is in."""
    wanted = list(found)
    noted = known_of(unit.conn, unit.project, [customer.id], {one.id for one in wanted})
    when = moment(unit.project, unit.now)
    out_of_date = {one.id for one in wanted if needs_profile(one, noted.get((customer.id, one.id)), when)}
    profile = None
    if out_of_date:
        filters = [one.filter for one in wanted if one.id in out_of_date and one.filter is not None]
        profile = profiles(unit, filters, [customer], held_by)[customer.id]
    return [
        one
        for one in wanted
        if is_inside(one, noted.get((customer.id, one.id)), profile if one.id in out_of_date else None, when)
    ]
