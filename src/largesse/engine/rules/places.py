"""Operators on geopoints: whether a point lies in any of some locations.

A condition names locations by id; whoever reads it for decisions puts their shapes in place of the ids. An id that stands for no
location matches nothing. A property that is no geopoint lies nowhere (our decision).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from largesse.engine.geography import Shape, point, shape
from largesse.engine.rules.facts import When
from largesse.engine.rules.moments import Check

IN, NOT_IN = "$in_location", "$not_in_location"


def _in_location(values: Sequence[object]) -> Check:
    if not values:
        raise ValueError("should name at least one location")
    if not all(isinstance(value, str | dict) for value in values):
        raise ValueError("should name locations by id")
    shapes = [shape(value) for value in values if isinstance(value, dict)]

    def check(value: object, _when: When) -> bool:
        return any(_lies(one, shapes) for one in (value if isinstance(value, list) else (value,)))

    return check


def _lies(value: object, shapes: Sequence[Shape]) -> bool:
    found = point(value)
    return found is not None and any(one.holds(found) for one in shapes)


def _not_in_location(values: Sequence[object]) -> Check:
    inside = _in_location(values)
    return lambda value, when: not inside(value, when)


OF_GEOPOINT: Mapping[str, Callable[[Sequence[object]], Check]] = {IN: _in_location, NOT_IN: _not_in_location}


def named(document: Any) -> set[str]:
    """The ids of the locations that a filter names, however deep."""
    if isinstance(document, list):
        return {id for one in document for id in named(one)}
    if not isinstance(document, dict):
        return set()
    found = {id for name, one in document.items() if name not in OF_GEOPOINT for id in named(one)}
    return found | {one for name in OF_GEOPOINT if name in document for one in _values(document[name])}


def located(document: Any, shapes: Mapping[str, Any]) -> Any:
    """The filter with the shapes of locations in place of their ids."""
    if isinstance(document, list):
        return [located(one, shapes) for one in document]
    if not isinstance(document, dict):
        return document
    return {
        name: [shapes.get(one, one) for one in _values(value)] if name in OF_GEOPOINT else located(value, shapes)
        for name, value in document.items()
    }


def _values(sent: Any) -> list[str]:
    values = sent if isinstance(sent, list) else [sent]
    return [value for value in values if isinstance(value, str)]
