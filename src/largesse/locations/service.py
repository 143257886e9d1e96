"""Use cases of locations, and what rooms ask whose filters name some."""

from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy.engine import Connection

from largesse.engine import geography
from largesse.engine.rules import places
from largesse.kernel import clock, definitions, ids
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import forbidden, invalid_payload, not_found
from largesse.kernel.http.filters import FilterColumn
from largesse.kernel.http.query import Query
from largesse.locations import store
from largesse.locations.model import LocationAnswer, LocationCreate, LocationList, LocationUpdate, StoredLocation

Moved = Callable[[Unit, str], None]  # (unit, location id)
_ORDERS = {name: store.locations.c[name] for name in ("created_at", "updated_at")}
_FILTERS = {
    "name": FilterColumn(store.locations.c.name, "text"),
    "created_at": FilterColumn(store.locations.c.created_at, "instant"),
    "updated_at": FilterColumn(store.locations.c.updated_at, "instant"),
}


# What other rooms ask


def located(conn: Connection, project_id: str, document: Any) -> Any:
    """A filter as decisions read it: with the shapes of the locations it names. No query for one that names none.

    What is kept of it is right until a definition of the project changes, which those of locations are.
    """
    named = places.named(document)
    if not named:
        return document
    shapes = {id: found.shape for id, found in store.by_ids(conn, project_id, named).items()}
    return places.located(document, shapes)


# The resource


def list_locations(unit: Unit, query: Query) -> LocationList:
    conditions = query.filtered(_FILTERS, unit)
    if (end := query.instant("end_date")) is not None:
        conditions.append(store.locations.c.created_at <= end)
    page = query.page()
    order = query.order(_ORDERS, "-created_at", store.locations.c.id)
    found, total = store.page(unit.conn, unit.project_id, conditions, order, limit=page.limit, offset=page.offset)
    shown = [_answer(location) for location in found]
    return LocationList(data=shown, total=total, has_more=page.offset + len(found) < total)


def get(unit: Unit, location_id: str) -> LocationAnswer:
    """Raises ApiError 404."""
    return _answer(_existing(unit, location_id))


def create(unit: Unit, sent: LocationCreate) -> LocationAnswer:
    """Raises ApiError 400 for a shape that is none, 403 without the role."""
    _check(unit, sent.shape)
    made = StoredLocation(id=ids.text_id("loc_"), name=sent.name, shape=sent.shape, created_at=unit.now)
    store.add(unit.conn, unit.project_id, made)
    definitions.changed(unit, ("location", definitions.ANY))
    return _answer(made)


def update(unit: Unit, location_id: str, sent: LocationUpdate, moved: Moved) -> LocationAnswer:
    """Raises ApiError 404, 400 for a shape that is none, 403 without the role."""
    _check(unit, sent.shape)
    # First, because it holds the project: locations are changed one at a time.
    definitions.changed(unit, ("location", definitions.ANY))
    stored = _existing(unit, location_id)
    changed = msgspec.structs.replace(
        stored, name=sent.name or stored.name, shape=sent.shape or stored.shape, updated_at=unit.now
    )
    store.save(unit.conn, unit.project_id, changed)
    if changed.shape != stored.shape:
        moved(unit, location_id)
    return _answer(changed)


def delete(unit: Unit, location_id: str, moved: Moved) -> None:
    """Filters that name it match nothing there any more (our decision). Raises ApiError 404, 403 without the role."""
    _check(unit, None)
    store.remove(unit.conn, unit.project_id, _existing(unit, location_id).id)
    definitions.changed(unit, ("location", definitions.ANY))
    moved(unit, location_id)


def _check(unit: Unit, shape: dict[str, Any] | None) -> None:
    if unit.call.caller.role != "ADMIN":
        raise forbidden("Locations are defined with a key of the role ADMIN")
    if shape is not None:
        try:
            geography.shape(shape)
        except ValueError as error:
            raise invalid_payload(f"Property .shape {error}") from None


def _existing(unit: Unit, location_id: str) -> StoredLocation:
    found = store.by_ids(unit.conn, unit.project_id, [location_id]).get(location_id)
    if found is None:
        raise not_found("location", location_id)
    return found


def _answer(location: StoredLocation) -> LocationAnswer:
    return LocationAnswer(
        id=location.id,
        name=location.name,
        shape=location.shape,
        created_at=clock.iso(location.created_at),
        updated_at=clock.iso_or_none(location.updated_at),
    )
