"""Locations: listed, drawn, and what segments and collections make of them."""

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.api.shop import name, ok, refused
from tests.servers import Server

Json = dict[str, Any]
CIRCLE = {"type": "circle", "format": "distance", "distance": {"center": "geo:40.7937,-74.1509", "radius": "1.54 km"}}
SQUARE = {
    "type": "polygon",
    "format": "geojson",
    "geojson": {"type": "Polygon", "coordinates": [[[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]]},
}
INSIDE, OUTSIDE = "geo:40.8000,-74.1509", "geo:40.8100,-74.1509"


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with server.client_for(server.new_project()) as client:
        yield client


def draw(client: httpx.Client, shape: Json = CIRCLE, called: str | None = None) -> Json:
    made: Json = ok(client.post("/largesse/v1/locations", json={"name": called or name(), "shape": shape}))
    return made


def listed(client: httpx.Client, query: str = "") -> list[str]:
    return [one["name"] for one in ok(client.get(f"/v1/locations?{query}"))["data"]]


def test_a_location_is_shown_as_drawn(client: httpx.Client) -> None:
    made = draw(client, called="Port")
    assert made["id"].startswith("loc_")
    assert (made["object"], made["name"], made["shape"], made["updated_at"]) == ("location", "Port", CIRCLE, None)
    assert ok(client.get(f"/v1/locations/{made['id']}")) == made
    found = ok(client.get("/v1/locations"))
    assert found == {"object": "list", "data_ref": "data", "data": [made], "total": 1, "has_more": False}
    changed = ok(client.put(f"/largesse/v1/locations/{made['id']}", json={"shape": SQUARE}))
    assert (changed["name"], changed["shape"]) == ("Port", SQUARE)
    assert changed["updated_at"] is not None
    ok(client.delete(f"/largesse/v1/locations/{made['id']}"))
    error = refused(client.get(f"/v1/locations/{made['id']}"), 404, "not_found")
    assert error["resource_type"] == "location"


def test_locations_are_paged_back_in_time(client: httpx.Client) -> None:
    made = []
    for number in range(4):
        made.append(draw(client, called=f"L{number}"))
        time.sleep(0.002)
    assert listed(client) == ["L3", "L2", "L1", "L0"]
    assert listed(client, "order=created_at&limit=2") == ["L0", "L1"]
    assert ok(client.get("/v1/locations?limit=2"))["has_more"] is True
    assert listed(client, f"end_date={made[2]['created_at']}") in (
        ["L1", "L0"],
        ["L2", "L1", "L0"],
    )  # to the millisecond
    assert listed(client, "filters[name][conditions][$in][0]=L1&filters[name][conditions][$in][1]=L3") == ["L3", "L1"]
    assert listed(client, "filters[updated_at][conditions][$has_value]=") == []
    refused(client.get("/v1/locations?order=name"), 400, "invalid_query_params")
    refused(client.get("/v1/locations?filters[shape][conditions][$is]=x"), 400, "invalid_query_params")


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"name": "A"},
        {"name": "A", "shape": {}},
        {"name": "A", "shape": {"type": "circle", "distance": {"center": "x", "radius": "1 km"}}},
        {"name": "", "shape": CIRCLE},
        {"name": "A", "shape": {"type": "polygon", "geojson": {"type": "Polygon", "coordinates": [[[0, "x"]]]}}},
    ],
)
def test_what_is_no_location(client: httpx.Client, sent: Json) -> None:
    refused(client.post("/largesse/v1/locations", json=sent), 400, "invalid_payload")


def in_location(location: Json, operator: str = "$in_location") -> Json:
    return {"junction": "and", "metadata.at": {"conditions": {operator: [location["id"]]}}}


def members(client: httpx.Client, segment: Json) -> set[str]:
    found = ok(client.get(f"/v1/customers?segment_id={segment['id']}"))["customers"]
    return {customer["source_id"] for customer in found}


def test_a_segment_of_customers_in_a_place(client: httpx.Client) -> None:
    """Golden case 80; a customer without a point is in no location."""
    place = draw(client)
    sent = {"name": name(), "type": "auto-update", "filter": in_location(place)}
    inside = ok(client.post("/v1/segments", json=sent))
    outside = ok(client.post("/v1/segments", json=sent | {"filter": in_location(place, "$not_in_location")}))
    for source_id, metadata in (("in", {"at": INSIDE}), ("out", {"at": OUTSIDE}), ("nowhere", {})):
        ok(client.post("/v1/customers", json={"source_id": source_id, "metadata": metadata}))
    assert members(client, inside) == {"in"}
    assert members(client, outside) == {"out", "nowhere"}
    ok(client.put("/v1/customers/out", json={"metadata": {"at": INSIDE}}))
    assert members(client, inside) == {"in", "out"}


def test_a_collection_of_products_in_a_place(client: httpx.Client) -> None:
    place = draw(client)
    for source_id, metadata in (("in", {"at": INSIDE}), ("out", {"at": OUTSIDE}), ("nowhere", {})):
        ok(client.post("/v1/products", json={"name": source_id, "source_id": source_id, "metadata": metadata}))
    sent = {"name": name(), "type": "AUTO_UPDATE", "filter": in_location(place)}
    made = ok(client.post("/v1/product-collections", json=sent))
    address = f"/v1/product-collections/{made['id']}/products"
    assert [one["name"] for one in ok(client.get(address))["data"]] == ["in"]
    ok(client.delete(f"/largesse/v1/locations/{place['id']}"))
    assert ok(client.get(address))["data"] == []
