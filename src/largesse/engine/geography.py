"""Places and areas on the earth: whether a point lies in a circle or in a polygon. Degrees and kilometres."""

import itertools
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

EARTH_RADIUS = 6371.0088  # kilometres, the mean radius
_TOLERANCE = 1e-12  # of a point beside a line, in square degrees: what rounding of coordinates makes
_POINT = re.compile(r"(?:geo:)?\s*(-?\d{1,2}(?:\.\d{1,20})?)\s*,\s*(-?\d{1,3}(?:\.\d{1,20})?)\s*", re.ASCII)
_RADIUS = re.compile(r"(\d{1,8}(?:\.\d{1,12})?)\s*(km|m)", re.ASCII)
_KILOMETRES = {"km": 1.0, "m": 0.001}
_MOST_POINTS = 10_000  # of one area; our decision

Pair: TypeAlias = tuple[float, float]  # longitude, latitude: the order of GeoJSON
Ring: TypeAlias = tuple[Pair, ...]


class Point(msgspec.Struct, frozen=True):
    """In degrees: latitude -90..90, longitude -180..180."""

    latitude: float
    longitude: float


class Circle(msgspec.Struct, frozen=True):
    """`radius` in kilometres."""

    center: Point
    radius: float

    def holds(self, point: Point) -> bool:
        return distance(self.center, point) <= self.radius


class Polygon(msgspec.Struct, frozen=True):
    """One or more areas, each an outer ring and the rings of its holes. A border belongs to the area (documented)."""

    areas: tuple[tuple[Ring, ...], ...]

    def holds(self, point: Point) -> bool:
        at = (point.longitude, point.latitude)
        return any(_in_area(rings, at) for rings in self.areas)


Shape: TypeAlias = Circle | Polygon


def point(value: object) -> Point | None:
    """The point that a text is: `geo:40.79,-74.15`, latitude first; None for anything else."""
    found = _POINT.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return None
    latitude, longitude = float(found[1]), float(found[2])
    return Point(latitude, longitude) if abs(latitude) <= 90 and abs(longitude) <= 180 else None


def distance(one: Point, other: Point) -> float:
    """Along the great circle, in kilometres."""
    north = math.radians(other.latitude - one.latitude)
    east = math.radians(other.longitude - one.longitude)
    straight = (
        math.sin(north / 2) ** 2
        + math.cos(math.radians(one.latitude)) * math.cos(math.radians(other.latitude)) * math.sin(east / 2) ** 2
    )
    return 2 * EARTH_RADIUS * math.asin(min(1.0, math.sqrt(straight)))


def shape(document: object) -> Shape:
    """A shape as locations carry it. Raises ValueError that says what is wrong where."""
    if not isinstance(document, dict):
        raise ValueError("should be an object")
    if document.get("type") == "circle":
        return _circle(document.get("distance"))
    if document.get("type") == "polygon":
        return _polygon(document.get("geojson"))
    raise ValueError("should have a type, circle or polygon")


def _circle(sent: object) -> Circle:
    named = sent if isinstance(sent, dict) else {}
    center = point(named.get("center"))
    if center is None:
        raise ValueError("should have a distance.center such as geo:40.79,-74.15")
    radius = named.get("radius")
    found = _RADIUS.fullmatch(radius.strip()) if isinstance(radius, str) else None
    if found is None:
        raise ValueError("should have a distance.radius in km or m such as 1.5 km")
    return Circle(center, float(found[1]) * _KILOMETRES[found[2]])


def _polygon(sent: object) -> Polygon:
    named: Mapping[str, Any] = sent if isinstance(sent, dict) else {}
    kind, coordinates = named.get("type"), named.get("coordinates")
    if kind not in ("Polygon", "MultiPolygon"):
        raise ValueError("should have a geojson of type Polygon or MultiPolygon")
    areas = [coordinates] if kind == "Polygon" else _listed(coordinates)
    found = tuple(tuple(_ring(ring) for ring in _listed(area)) for area in areas)
    if sum(len(ring) for rings in found for ring in rings) > _MOST_POINTS:
        raise ValueError(f"should not have more than {_MOST_POINTS} points")
    return Polygon(found)


def _listed(value: object) -> Sequence[object]:
    if not isinstance(value, list) or not value:
        raise ValueError("should have geojson.coordinates as GeoJSON nests them")
    return value


def _ring(sent: object) -> Ring:
    """A ring closes itself where its last point is not its first."""
    pairs = tuple(_pair(one) for one in _listed(sent))
    if len(set(pairs)) < 3:
        raise ValueError("should have at least three points in each ring of geojson.coordinates")
    return pairs if pairs[0] == pairs[-1] else (*pairs, pairs[0])


def _pair(sent: object) -> Pair:
    numbers = [one for one in sent if isinstance(one, int | float)] if isinstance(sent, list) else []
    if len(numbers) < 2 or abs(numbers[0]) > 180 or abs(numbers[1]) > 90:
        raise ValueError("should have points of longitude and latitude in geojson.coordinates")
    return float(numbers[0]), float(numbers[1])


def _in_area(rings: Sequence[Ring], at: Pair) -> bool:
    outer, *holes = rings
    if not (_on_border(outer, at) or _inside(outer, at)):
        return False
    return not any(_inside(hole, at) and not _on_border(hole, at) for hole in holes)


def _inside(ring: Ring, at: Pair) -> bool:
    """By the even-odd rule: a ray to the east crosses the ring an odd number of times."""
    x, y = at
    crossings = 0
    for (x1, y1), (x2, y2) in itertools.pairwise(ring):
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            crossings += 1
    return crossings % 2 == 1


def _on_border(ring: Ring, at: Pair) -> bool:
    x, y = at
    for (x1, y1), (x2, y2) in itertools.pairwise(ring):
        beside = abs((x2 - x1) * (y - y1) - (y2 - y1) * (x - x1))
        if beside <= _TOLERANCE and min(x1, x2) <= x <= max(x1, x2) and min(y1, y2) <= y <= max(y1, y2):
            return True
    return False
