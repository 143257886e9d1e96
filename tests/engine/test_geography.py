"""Places and areas: which points lie in which shapes, and what conditions make of them."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from largesse.engine.geography import EARTH_RADIUS, Circle, Point, distance, point, shape
from largesse.engine.rules.facts import When
from largesse.engine.rules.places import IN, NOT_IN, OF_GEOPOINT, located, named

WHEN = When(now=0, zone=ZoneInfo("UTC"))
SQUARE = [[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]
HOLE = [[4, 4], [6, 4], [6, 6], [4, 6], [4, 4]]
CIRCLE = {
    "type": "circle",
    "format": "distance",
    "distance": {"center": "geo:40.7937,-74.1509", "radius": "1.54 km"},
}


def polygon(*rings: Any, kind: str = "Polygon") -> dict[str, Any]:
    return {"type": "polygon", "format": "geojson", "geojson": {"type": kind, "coordinates": list(rings)}}


def is_in(document: dict[str, Any], at: str) -> bool:
    found = point(at)
    assert found is not None
    return shape(document).holds(found)


@pytest.mark.parametrize(("at", "inside"), [("geo:40.8000,-74.1509", True), ("geo:40.8100,-74.1509", False)])
def test_a_circle_reaches_as_far_as_its_radius(at: str, inside: bool) -> None:
    """Golden case 80: 0.70 km and 1.81 km away."""
    assert is_in(CIRCLE, at) is inside


def test_a_radius_may_be_in_metres() -> None:
    near = CIRCLE | {"distance": {"center": "40.7937,-74.1509", "radius": " 700m"}}
    assert not is_in(near, "40.8000,-74.1509")
    assert is_in(near | {"distance": {"center": "40.7937,-74.1509", "radius": "701 m"}}, "40.8000,-74.1509")


@pytest.mark.parametrize(
    ("at", "inside"),
    [
        ("5,2", True),
        ("5,5", False),  # in the hole
        ("5,4", True),  # on the border of the hole
        ("5,11", False),
        ("-1,5", False),
        ("0,0", True),  # a corner
        ("10,5", True),  # on the border
        ("5,10", True),
        ("5,0", True),
    ],
)
def test_a_polygon_with_a_hole(at: str, inside: bool) -> None:
    assert is_in(polygon(SQUARE, HOLE), at) is inside


def test_coordinates_of_a_polygon_have_the_longitude_first() -> None:
    wide = polygon([[0, 0], [20, 0], [20, 5], [0, 5], [0, 0]])
    assert is_in(wide, "geo:2,15")
    assert not is_in(wide, "geo:15,2")


def test_a_ring_left_open_is_closed() -> None:
    assert is_in(polygon(SQUARE[:-1]), "5,5")


def test_several_polygons_are_one_shape() -> None:
    both = polygon([SQUARE], [[[20, 20], [30, 20], [30, 30]]], kind="MultiPolygon")
    assert is_in(both, "5,5")
    assert is_in(both, "22,28")
    assert not is_in(both, "15,15")


@pytest.mark.parametrize("value", ["geo:91,0", "0,181", "geo:", "Paris", "1;2", 5, None, ["1,2"], "geo:1,2,3"])
def test_what_is_no_point(value: object) -> None:
    assert point(value) is None


@pytest.mark.parametrize(
    ("document", "wrong"),
    [
        ("x", "object"),
        ({"type": "square"}, "type"),
        ({"type": "circle"}, "distance.center"),
        ({"type": "circle", "distance": {"center": "x", "radius": "1 km"}}, "distance.center"),
        ({"type": "circle", "distance": {"center": "1,1", "radius": "1 mile"}}, "distance.radius"),
        ({"type": "circle", "distance": {"center": "1,1", "radius": 5}}, "distance.radius"),
        ({"type": "polygon"}, "geojson"),
        (polygon(SQUARE, kind="Point"), "geojson"),
        (polygon(), "coordinates"),
        (polygon("x"), "coordinates"),
        (polygon([[0, 0], [1, 1], [0, 0]]), "three points"),
        (polygon([[0, 0], [1], [2, 2]]), "longitude"),
        (polygon([[0, 0], "x", [2, 2]]), "longitude"),
        (polygon([[0, 0], [181, 0], [2, 2]]), "longitude"),
        (polygon([[0, 0], [0, 91], [2, 2]]), "longitude"),
        (polygon([[n / 1000, n / 1000 % 7] for n in range(10_001)]), "10000 points"),
    ],
)
def test_what_is_no_shape(document: object, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        shape(document)


_latitudes, _longitudes = st.floats(-90, 90), st.floats(-180, 180)
_points = st.builds(Point, _latitudes, _longitudes)


@given(_points, _points)
def test_distance_is_the_same_both_ways_and_never_beyond_half_the_earth(one: Point, other: Point) -> None:
    assert distance(one, other) == pytest.approx(distance(other, one))
    assert 0 <= distance(one, other) <= EARTH_RADIUS * 3.1416


@given(_points)
def test_a_circle_holds_its_center(center: Point) -> None:
    assert Circle(center, 0).holds(center)


# Conditions


def holds(operator: str, value: object, *shapes: object) -> bool:
    return OF_GEOPOINT[operator](list(shapes))(value, WHEN)


@pytest.mark.parametrize(
    ("value", "inside"),
    [
        ("geo:40.8,-74.1509", True),
        ("geo:41,-74.1509", False),
        (["geo:41,-74", "geo:40.8,-74.1509"], True),
        (None, False),
        ("nowhere", False),
        (5, False),
    ],
)
def test_a_property_without_a_point_lies_nowhere(value: object, inside: bool) -> None:
    assert holds(IN, value, CIRCLE) is inside
    assert holds(NOT_IN, value, CIRCLE) is not inside


def test_any_of_several_locations_will_do_and_unknown_ones_match_nothing() -> None:
    assert holds(IN, "5,2", "loc_gone", CIRCLE, polygon(SQUARE))
    assert not holds(IN, "5,2", "loc_gone")
    assert holds(NOT_IN, "5,2", "loc_gone")


@pytest.mark.parametrize("values", [(), (5,), (["loc_1"],)])
def test_conditions_name_locations(values: tuple[object, ...]) -> None:
    with pytest.raises(ValueError, match="location"):
        OF_GEOPOINT[IN](list(values))


def test_shapes_take_the_place_of_ids_however_deep() -> None:
    one = {"metadata.at": {"conditions": {"$in_location": ["loc_1", "loc_2"], "$has_value": ""}}}
    document = [None, one, {"junction": "or", "inner": {"metadata.at": {"conditions": {"$not_in_location": "loc_3"}}}}]
    assert named(document) == {"loc_1", "loc_2", "loc_3"}
    found = located(document, {"loc_1": CIRCLE, "loc_3": CIRCLE})
    assert found[0] is None
    assert found[1]["metadata.at"]["conditions"] == {"$in_location": [CIRCLE, "loc_2"], "$has_value": ""}
    assert found[2]["inner"]["metadata.at"]["conditions"] == {"$not_in_location": [CIRCLE]}
    assert found[2]["junction"] == "or"
