"""Custom events: their definitions, tracking them from either side, and what a customer's activity shows of them."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.shop import name, ok, refused
from tests.servers import Server, plain_client, run

Json = dict[str, Any]
SHOP = "https://shop.test"


@pytest.fixture(scope="module")
def client(server: Server) -> httpx.Client:
    define(server.client, "sign_up", {"n": {"type": "number"}, "plan": {"type": "string"}})
    return server.client


def define(client: httpx.Client, event: str, properties: Json) -> Json:
    sent = {"name": event, "schema": {"properties": properties}}
    made: Json = ok(client.post("/largesse/v1/custom-event-schemas", json=sent))
    return made


def track(client: httpx.Client, event: str, **more: Any) -> httpx.Response:
    return client.post("/v1/events", json={"event": event, "customer": {"source_id": name()}, **more})


# Tracking


def test_an_event_is_answered_with_its_customer(client: httpx.Client) -> None:
    sent = {"source_id": name(), "name": "Ann", "metadata": {"vip": True}}
    answer = ok(track(client, "sign_up", customer=sent))
    made = ok(client.get(f"/v1/customers/{sent['source_id']}"))
    assert answer == {
        "object": "event",
        "type": "sign_up",
        "customer": {
            "id": made["id"],
            "source_id": sent["source_id"],
            "name": "Ann",
            "email": None,
            "metadata": {"vip": True},
            "object": "customer",
        },
        "referral": None,
        "loyalty": None,
    }


def test_metadata_is_echoed_where_it_was_sent(client: httpx.Client) -> None:
    answer = ok(
        track(client, "sign_up", metadata={"n": 1, "other": [1]}, referral={"code": "R"}, loyalty={"code": "L"})
    )
    assert (answer["metadata"], answer["referral"], answer["loyalty"]) == ({"n": 1, "other": [1]}, None, None)


def test_activity_shows_the_event(client: httpx.Client) -> None:
    answer = ok(track(client, "sign_up", metadata={"n": 2}, referral={"code": "R"}, loyalty={"code": "CARD"}))
    address = f"/v1/customers/{answer['customer']['id']}/activity"
    shown = ok(client.get(f"{address}?type=customer.custom_event&category=ACTION"))
    assert shown["total"] == 1
    found = shown["data"][0]
    assert found["type"] == "customer.custom_event"
    assert set(found["data"]) == {"event", "event_schema", "customer", "referral", "loyalty"}
    event = found["data"]["event"]
    assert (event["object"], event["type"], event["metadata"]) == ("event", "sign_up", {"n": 2})
    assert (event["referral"], event["loyalty"]) == ({"code": "R"}, {"code": "CARD"})
    assert event["customer"] == answer["customer"]
    assert found["data"]["event_schema"]["name"] == "sign_up"
    types = [one["type"] for one in ok(client.get(address))["data"]]
    assert types == ["customer.custom_event", "customer.created"]


def test_metadata_is_held_to_the_schema_and_nothing_is_stored(client: httpx.Client) -> None:
    source_id = name()
    error = refused(
        track(client, "sign_up", customer={"source_id": source_id}, metadata={"n": "x"}),
        400,
        "metadata_validation_failed",
    )
    assert error["details"] == "n: must be a number (actual value is 'x')"
    refused(client.get(f"/v1/customers/{source_id}"), 404, "not_found")


def test_an_unknown_event_is_not_found(client: httpx.Client) -> None:
    source_id = name()
    error = refused(track(client, "never_defined", customer={"source_id": source_id}), 404, "not_found")
    assert error["details"] == "Cannot find custom event with id never_defined"
    refused(client.get(f"/v1/customers/{source_id}"), 404, "not_found")


def test_what_an_event_needs(client: httpx.Client) -> None:
    refused(client.post("/v1/events", json={"event": "sign_up"}), 400, "missing_customer")
    refused(track(client, "sign_up", customer={"id": "cust_nobody"}), 404, "not_found")
    for event in ("", "x" * 301, 5, None):
        error = refused(client.post("/v1/events", json={"event": event, "customer": {}}), 400, "invalid_payload")
        assert ".event" in error["details"]
    refused(client.post("/v1/events", json={"customer": {"source_id": "C"}}), 400, "invalid_payload")


def test_events_go_with_their_customer(client: httpx.Client) -> None:
    answer = ok(track(client, "sign_up"))
    gone = ok(client.post(f"/v1/customers/{answer['customer']['id']}/permanent-deletion"))
    assert gone["data_json"]["customer"] == 1
    assert gone["data_json"]["events"] == 2


def test_racing_events_of_a_new_customer_are_all_of_one(client: httpx.Client) -> None:
    source_id = name()
    with ThreadPoolExecutor(16) as threads:
        found = list(threads.map(lambda _: track(client, "sign_up", customer={"source_id": source_id}), range(32)))
    assert {ok(answer)["customer"]["id"] for answer in found} == {ok(client.get(f"/v1/customers/{source_id}"))["id"]}
    told = ok(client.get(f"/v1/customers/{source_id}/activity?limit=100&type=customer.custom_event"))
    assert told["total"] == 32


# The client side


def test_events_from_the_client_side(server: Server) -> None:
    keys = server.new_project()
    server.set(f'client_trusted_domains=["{SHOP}"]', keys=keys)
    with server.client_for(keys) as client, server.client_side(keys, SHOP) as browser:
        define(client, "view", {})
        sent = {"event": "view", "customer": {"source_id": "C", "name": "Ann"}}
        refused(browser.post("/client/v1/events", json=sent), 404, "not_found")
        assert ok(client.get("/v1/customers"))["total"] == 0
        ok(client.post("/v1/customers", json={"source_id": "C", "name": "Eve"}))
        answer = ok(browser.post("/client/v1/events", json=sent))
        assert answer["customer"]["name"] == "Eve"
        assert ok(client.get("/v1/customers/C"))["name"] == "Eve"
    with server.client_side(keys, "https://evil.test") as stranger:
        refused(stranger.post("/client/v1/events", json=sent), 403, "forbidden")


def test_the_client_side_creates_customers_where_it_may(server: Server) -> None:
    keys = server.new_project()
    server.set(f'client_trusted_domains=["{SHOP}"]', "client_create_customer_enabled=true", keys=keys)
    with server.client_for(keys) as client, server.client_side(keys, SHOP) as browser:
        define(client, "view", {})
        ok(browser.post("/client/v1/events", json={"event": "view", "customer": {"source_id": "C"}}))
        assert ok(client.get("/v1/customers"))["total"] == 1


# Definitions


@pytest.fixture
def management(server: Server) -> Iterator[httpx.Client]:
    keys = json.loads(run("keys", "create", "--management", "--json", store=server.store).stdout)
    headers = {"X-Management-Id": keys["management_id"], "X-Management-Token": keys["management_token"]}
    address = f"{server.base_url}/management/v1/projects/{server.keys['project_id']}/custom-event-schemas"
    with plain_client(address, headers) as client:
        yield client


def test_definitions_are_managed(server: Server, management: httpx.Client) -> None:
    event = name("event")
    sent = {"name": event, "schema": {"properties": {"n": {"type": "number", "optional": False}}}}
    made = ok(management.post("", json=sent))
    assert made["id"].startswith("ms_")
    assert made["object"] == "custom-event-schema"
    assert made["schema"] == {"properties": {"n": {"type": "number", "optional": False, "deleted": False}}}
    assert "updated_at" not in made
    assert refused(management.post("", json=sent), 409, "duplicate_found")["resource_type"] == "custom_event_schema"
    refused(track(server.client, event), 400, "metadata_validation_failed")
    another = {"schema": {"properties": {"n": {"type": "string"}, "m": {"type": "boolean"}}}}
    changed = ok(management.put(f"/{made['id']}", json=another))
    assert {key: one["type"] for key, one in changed["schema"]["properties"].items()} == {"n": "string", "m": "boolean"}
    ok(track(server.client, event, metadata={"n": "text"}))
    listed = ok(management.get(""))
    assert (listed["object"], listed["data_ref"]) == ("list", "data")
    assert changed in listed["data"]
    assert ok(management.get(f"/{made['id']}")) == changed
    ok(management.delete(f"/{made['id']}"))
    refused(management.get(f"/{made['id']}"), 404, "not_found")
    refused(track(server.client, event, metadata={"n": "text"}), 404, "not_found")


@pytest.mark.parametrize(
    "sent",
    [
        {"name": "customer.created", "schema": {}},
        {"name": "", "schema": {}},
        {"schema": {}},
        {"name": "a"},
        {"name": "a", "schema": {"properties": {"x": {"type": "object"}}}},
        {"name": "a", "schema": {"properties": {"x": {}}}},
        {"name": "a", "schema": {"properties": {f"k{n}": {"type": "string"} for n in range(101)}}},
    ],
)
def test_definitions_that_cannot_be(client: httpx.Client, sent: Json) -> None:
    refused(client.post("/largesse/v1/custom-event-schemas", json=sent), 400, "invalid_payload")


# Malformed documents

_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
_KEYS = st.sampled_from(["event", "customer", "referral", "loyalty", "metadata"])


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(sent=st.dictionaries(_KEYS, st.just("sign_up") | st.just({"source_id": "C"}) | _values) | _values)
def test_malformed_events_are_never_a_fault_of_the_server(client: httpx.Client, sent: Any) -> None:
    found = client.post("/v1/events", json=sent)
    assert found.status_code < 500, found.text
