"""Metadata schemas: defining them, and what they refuse wherever objects carry metadata."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.members import program
from tests.api.shop import amount, body, code, name, ok, redeem, refused
from tests.servers import Server, run

Json = dict[str, Any]
TEXT = {"type": "string"}


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    """A project without schemas."""
    with server.client_for(server.new_project()) as client:
        yield client


def define(client: httpx.Client, kind: str, properties: Json, **more: Any) -> Json:
    sent = {"related_object": kind, "properties": properties, **more}
    made: Json = ok(client.post("/v1/metadata-schemas", json=sent))
    return made


def failed(response: httpx.Response) -> str:
    error = refused(response, 400, "metadata_validation_failed")
    assert error["message"] == "Metadata validation failed"
    return str(error["details"])


def customer(client: httpx.Client, metadata: Json | None = None, **more: Any) -> httpx.Response:
    return client.post("/v1/customers", json={"source_id": name(), "metadata": metadata, **more})


# Defining


def test_a_schema_is_listed_and_found_by_its_resource(client: httpx.Client) -> None:
    made = define(
        client, "customer", {"age": {"type": "number", "gte": 18}, "nick": {"type": "string", "maxLength": 5}}
    )
    assert made["object"] == "metadata_schema"
    assert made["id"].startswith("ms_")
    assert (made["allow_defined_only"], made["updated_at"]) == (False, None)
    assert made["properties"]["nick"] == {
        "type": "string",
        "array": False,
        "optional": True,
        "deleted": False,
        "objectType": None,
        "maxLength": 5,
    }
    assert ok(client.get("/v1/metadata-schemas/customer")) == made
    listed = ok(client.get("/v1/metadata-schemas"))
    assert listed == {"object": "list", "data_ref": "schemas", "schemas": [made], "total": 1}
    missing = refused(client.get("/v1/metadata-schemas/order"), 404, "not_found")
    assert missing["details"] == "Cannot find metadata schema with id order"


def test_the_management_api_spells_bounds_in_snake_case(server: Server) -> None:
    keys = json.loads(run("keys", "create", "--management", "--json", store=server.store).stdout)
    headers = {"X-Management-Id": keys["management_id"], "X-Management-Token": keys["management_token"]}
    project = server.new_project()
    address = f"{server.base_url}/management/v1/projects/{project['project_id']}/metadata-schemas"
    with httpx.Client(headers=headers, timeout=60) as client:
        sent = {"related_object": "order", "properties": {"place": {"type": "string", "min_length": 2}}}
        made = ok(client.post(address, json=sent))
        assert made["properties"]["place"]["min_length"] == 2
        assert ok(client.get(address)) == {"object": "list", "data_ref": "data", "data": [made], "total": 1}
        duplicate = refused(client.post(address, json=sent), 409, "duplicate_found")
        assert duplicate["resource_type"] == "metadata schema"
        changed = ok(client.put(f"{address}/{made['id']}", json={"allow_defined_only": True}))
        assert (changed["allow_defined_only"], set(changed["properties"])) == (True, {"place"})
        assert ok(client.get(f"{address}/{made['id']}")) == changed
        with server.client_for(project) as shop:
            assert "place: must be a string, must have a length of at least 2 (actual value is 'x')" in failed(
                shop.post("/v1/orders", json={"amount": 1, "metadata": {"place": "x"}})
            )
        ok(client.delete(f"{address}/{made['id']}"))
        refused(client.delete(f"{address}/{made['id']}"), 404, "not_found")


def test_an_update_replaces_definitions_whole_and_keeps_the_others(client: httpx.Client) -> None:
    made = define(client, "customer", {"a": {"type": "string", "maxLength": 5, "optional": False}, "b": TEXT})
    changed = ok(client.put(f"/v1/metadata-schemas/{made['id']}", json={"properties": {"a": TEXT, "c": TEXT}}))
    assert list(changed["properties"]) == ["a", "b", "c"]
    assert "maxLength" not in changed["properties"]["a"]
    assert changed["properties"]["a"]["optional"] is True
    assert changed["updated_at"] is not None
    error = refused(
        client.put(f"/v1/metadata-schemas/{made['id']}", json={"properties": {"a": {"type": "number"}}}),
        400,
        "invalid_payload",
    )
    assert ".properties.a.type" in error["details"]


def test_removed_definitions_count_but_no_longer_check(client: httpx.Client) -> None:
    made = define(client, "customer", {"age": {"type": "number"}}, allow_defined_only=True)
    failed(customer(client, {"age": "x"}))
    address = f"/v1/metadata-schemas/{made['id']}"
    ok(client.put(address, json={"properties": {"age": {"type": "number", "deleted": True}}}))
    assert failed(customer(client, {"age": 3})) == "age: is not defined in the schema"
    ok(client.put(address, json={"properties": {f"k{n}": TEXT for n in range(99)}}))
    refused(client.put(address, json={"properties": {"more": TEXT}}), 400, "invalid_payload")


@pytest.mark.parametrize(
    ("properties", "place"),
    [
        ({"a": {"type": "text"}}, ".properties.a.type"),
        ({"a": {}}, ".properties.a"),
        ({"a": {"type": "string", "gt": 3}}, ".properties.a.gt"),
        ({"a": {"type": "number", "maxLength": 3}}, ".properties.a"),
        ({"a": {"type": "number", "eq": ["x"]}}, ".properties.a.eq"),
        ({"a": {"type": "string", "eq": [1]}}, ".properties.a.eq"),
        ({"a": {"type": "number", "ne": ["x"]}}, ".properties.a.ne"),
        ({"a": {"type": "object", "objectType": "nowhere"}}, ".properties.a.object_type"),
        ({"a": 5}, ".properties"),
        ([], ".properties"),
        (None, ".properties"),
        ({f"k{n}": TEXT for n in range(101)}, ".properties"),
    ],
)
def test_definitions_that_cannot_be(client: httpx.Client, properties: Any, place: str) -> None:
    sent = {"related_object": "customer", "properties": properties}
    assert place in refused(client.post("/v1/metadata-schemas", json=sent), 400, "invalid_payload")["details"]
    assert ok(client.get("/v1/metadata-schemas"))["total"] == 0


def test_of_many_who_define_one_schema_one_does(client: httpx.Client) -> None:
    sent = {"related_object": "customer", "properties": {"age": {"type": "number"}}}
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: client.post("/v1/metadata-schemas", json=sent).status_code, range(8)))
    assert sorted(found) == [200] + [409] * 7
    kinds = ("order", "product", "voucher", "reward", "campaign")
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda kind: define(client, kind, {"n": {"type": "number"}}), kinds))
    failed(client.post("/v1/orders", json={"amount": 1, "metadata": {"n": "x"}}))
    failed(client.post("/v1/products", json={"name": "Mug", "metadata": {"n": "x"}}))


def test_the_house_path_defines_too(client: httpx.Client) -> None:
    sent = {"related_object": "customer", "properties": {"age": {"type": "number"}}}
    made = ok(client.post("/largesse/v1/metadata-schemas", json=sent))
    failed(customer(client, {"age": "x"}))
    ok(client.delete(f"/largesse/v1/metadata-schemas/{made['id']}"))
    ok(customer(client, {"age": "x"}))


# Types


@pytest.mark.parametrize(
    ("definition", "right", "wrong"),
    [
        (TEXT, ["x", ""], [1, True, {}, ["x"]]),
        ({"type": "string", "eq": ["A", "B"]}, ["A"], ["C", "a"]),
        ({"type": "string", "minLength": 2, "maxLength": 3}, ["ab", "abc"], ["a", "abcd"]),
        ({"type": "string", "exactLength": 2}, ["ab"], ["a", "abc"]),
        ({"type": "string", "ne": ["C"]}, ["A"], ["C"]),
        ({"type": "number"}, [0, 1.5, -3], ["1", True]),
        ({"type": "number", "gt": 1, "lte": 3}, [1.5, 3], [1, 3.5]),
        ({"type": "number", "gte": 1, "lt": 3, "ne": [2]}, [1, 2.5], [0, 3, 2]),
        ({"type": "number", "eq": [1, 2]}, [1, 2.0], [3]),
        ({"type": "boolean"}, [True, False], ["true", 1]),
        ({"type": "date"}, ["2026-02-28"], ["2026-02-30", "2026-02-28T10:00:00Z", 20260228, "20260228", "2026-W01-1"]),
        (
            {"type": "datetime"},
            ["2026-02-28T10:00:00Z", "2026-02-28T10:00:00.5+02:00"],
            ["2026-02-28", "2026-02-28T10:00:00", "noon", 5],
        ),
        (
            {"type": "image_url"},
            ["https://x.test/a.png", "http://x.test/a.JPG?size=3"],
            ["https://x.test/a.gif", "ftp://x.test/a.png", "a.png", 1],
        ),
        ({"type": "geopoint"}, ["geo:40.79,-74.15", "40.79,-74.15"], ["geo:91,0", "geo:0,181", "Paris", 4]),
        ({"type": "object"}, [{"any": ["thing"]}], ["x", [{}]]),
        ({"type": "number", "array": True}, [[], [1, 2]], [1, ["x"], [1, None]]),
    ],
)
def test_values_of_each_type(client: httpx.Client, definition: Json, right: list[Any], wrong: list[Any]) -> None:
    define(client, "customer", {"key": definition})
    for value in right:
        assert ok(customer(client, {"key": value}))["metadata"] == {"key": value}
    for value in wrong:
        assert failed(customer(client, {"key": value})).startswith("key: must be ")
    assert ok(client.get("/v1/customers"))["total"] == len(right)


def test_a_refusal_says_all_that_is_expected_of_each_key(client: httpx.Client) -> None:
    define(
        client,
        "customer",
        {"size": {"type": "string", "eq": ["A", "B"]}, "logo": {"type": "image_url"}, "n": {"type": "number"}},
    )
    assert failed(customer(client, {"size": "x", "n": 1, "logo": "y"})) == (
        "size: must be a string, must be equal to one of A,B (actual value is 'x'); "
        "logo: must be a URL pointing to JPG/JPEG or PNG resource (actual value is 'y')"
    )


def test_every_element_of_an_array_is_checked(client: httpx.Client) -> None:
    """Golden case 81."""
    define(client, "customer", {"location_id": {"type": "string", "array": True, "eq": ["L1", "L2", "L3"]}})
    assert failed(customer(client, {"location_id": "L1"})).startswith(
        "location_id: must be an array, and every element: must be a string, must be equal to one of L1,L2,L3"
    )
    ok(customer(client, {"location_id": ["L1"]}))
    failed(customer(client, {"location_id": ["L9"]}))


def test_only_defined_keys_where_the_schema_says_so(client: httpx.Client) -> None:
    """Golden case 82."""
    made = define(client, "customer", {"age": {"type": "number"}}, allow_defined_only=True)
    assert failed(customer(client, {"colour": "red"})) == "colour: is not defined in the schema"
    ok(client.put(f"/v1/metadata-schemas/{made['id']}", json={"allow_defined_only": False}))
    assert ok(customer(client, {"colour": "red"}))["metadata"] == {"colour": "red"}


def test_nested_objects_have_a_schema_of_their_own(client: httpx.Client) -> None:
    define(client, "place", {"city": {"type": "string", "optional": False}, "floor": {"type": "number"}})
    define(client, "customer", {"home": {"type": "object", "objectType": "place"}})
    ok(customer(client, {"home": {"city": "Rome", "floor": 2}}))
    assert failed(customer(client, {"home": {"floor": "x"}})) == (
        "home.city: is required, must be a string; home.floor: must be a number (actual value is 'x')"
    )
    sent = {"related_object": "inner", "properties": {"x": {"type": "object", "objectType": "place"}}}
    refused(client.post("/v1/metadata-schemas", json=sent), 400, "invalid_payload")


# When it is checked


def test_required_keys_are_asked_for_at_creation(client: httpx.Client) -> None:
    define(client, "customer", {"age": {"type": "number", "optional": False}})
    assert failed(customer(client, {"other": 1})) == "age: is required, must be a number"
    failed(customer(client))
    failed(customer(client, {"age": None}))
    made = ok(customer(client, {"age": 3}))
    address = f"/v1/customers/{made['id']}"
    ok(client.put(address, json={"name": "Ann", "metadata": {"other": 1}}))
    failed(client.put(address, json={"metadata": {"age": None}}))
    failed(client.put(address, json={"unset_metadata_fields": ["age"]}))
    assert ok(client.get(address))["metadata"] == {"age": 3, "other": 1}


def test_old_values_do_not_stand_in_the_way_of_a_change(client: httpx.Client) -> None:
    made = ok(customer(client, {"age": "old"}))
    define(client, "customer", {"age": {"type": "number"}})
    ok(client.put(f"/v1/customers/{made['id']}", json={"metadata": {"colour": "red"}}))
    failed(client.put(f"/v1/customers/{made['id']}", json={"metadata": {"age": "older"}}))


def _campaign(**more: Any) -> Json:
    voucher = {"type": "DISCOUNT_VOUCHER", "discount": amount(100)}
    return {"name": name(), "campaign_type": "DISCOUNT_COUPONS", "voucher": voucher, **more}


def _material(client: httpx.Client) -> Json:
    """The parameters of a reward that is a product; the product is made before it is to have a schema."""
    product = ok(client.post("/v1/products", json={"name": name()}))
    return {"product": {"id": product["id"]}}


def _order(**more: Any) -> Json:
    return {"items": [{"quantity": 1, "price": 100, **more}]}


CREATIONS: dict[str, tuple[str, Callable[[httpx.Client, Json], httpx.Response]]] = {
    "customer": ("customer", lambda client, sent: client.post("/v1/customers", json={"source_id": name(), **sent})),
    "order": ("order", lambda client, sent: client.post("/v1/orders", json={"amount": 100, **sent})),
    "order_item": ("order_item", lambda client, sent: client.post("/v1/orders", json=_order(**sent))),
    "customer of an order": (
        "customer",
        lambda client, sent: client.post("/v1/orders", json={"amount": 100, "customer": {"source_id": name(), **sent}}),
    ),
    "product": ("product", lambda client, sent: client.post("/v1/products", json={"name": name(), **sent})),
    "voucher": (
        "voucher",
        lambda client, sent: client.post(
            "/v1/vouchers", json={"type": "GIFT_VOUCHER", "gift": {"amount": 100}, **sent}
        ),
    ),
    "campaign": (
        "campaign",
        lambda client, sent: client.post("/v1/campaigns", json=_campaign(use_voucher_metadata_schema=False, **sent)),
    ),
    "campaign that hands down": (
        "voucher",
        lambda client, sent: client.post("/v1/campaigns", json=_campaign(use_voucher_metadata_schema=True, **sent)),
    ),
    "reward": (
        "reward",
        lambda client, sent: client.post(
            "/v1/rewards", json={"name": name(), "type": "MATERIAL", "parameters": _material(client), **sent}
        ),
    ),
    "publication": (
        "publication",
        lambda client, sent: client.post(
            "/v1/publications", json={"voucher": code(client, amount(1)), "customer": {"source_id": name()}, **sent}
        ),
    ),
    "earning rule": (
        "earning_rule",
        lambda client, sent: client.post(
            f"/v1/loyalties/{program(client)['id']}/earning-rules",
            json=[{"event": "order.paid", "loyalty": {"type": "FIXED", "points": 1}, **sent}],
        ),
    ),
    "loyalty tier": (
        "loyalty_tier",
        lambda client, sent: client.post(
            f"/v1/loyalties/{program(client)['id']}/tiers", json=[{"name": "Gold", "points": {"from": 1}, **sent}]
        ),
    ),
    "joining a program": (
        "publication",
        lambda client, sent: client.post(
            f"/v1/loyalties/{program(client)['id']}/members", json={"customer": {"source_id": name()}, **sent}
        ),
    ),
    "redemption": (
        "redemption",
        lambda client, sent: client.post("/v1/redemptions", json=body(code(client, amount(1)), order=100, **sent)),
    ),
    "order of a redemption": (
        "order",
        lambda client, sent: client.post(
            "/v1/redemptions", json=body(code(client, amount(1)), order={"amount": 100, **sent})
        ),
    ),
    "item of a redemption": (
        "order_item",
        lambda client, sent: client.post("/v1/redemptions", json=body(code(client, amount(1)), order=_order(**sent))),
    ),
    "customer of a redemption": (
        "customer",
        lambda client, sent: client.post(
            "/v1/redemptions",
            json=body(code(client, amount(1)), order=100, customer={"source_id": name(), **sent}),
        ),
    ),
}


@pytest.mark.parametrize("creation", CREATIONS)
def test_every_object_with_metadata_is_held_to_its_schema(client: httpx.Client, creation: str) -> None:
    kind, create = CREATIONS[creation]
    define(client, kind, {"n": {"type": "number", "optional": False}})
    assert failed(create(client, {"metadata": {"n": "x"}})) == "n: must be a number (actual value is 'x')"
    failed(create(client, {}))
    ok(create(client, {"metadata": {"n": 1}}))


def test_a_tier_and_its_campaign_are_held_to_their_schemas(client: httpx.Client) -> None:
    define(client, "promotion_tier", {"n": {"type": "number"}})
    tier = {"name": "T", "action": {"discount": amount(100)}, "metadata": {"n": "x"}}
    sent: Json = {"name": name(), "campaign_type": "PROMOTION", "promotion": {"tiers": [tier]}}
    failed(client.post("/v1/campaigns", json=sent))
    tier["metadata"] = {"n": 1}
    made = ok(client.post("/v1/campaigns", json=sent))
    tier_id = made["promotion"]["tiers"][0]["id"]
    failed(client.put(f"/v1/promotions/tiers/{tier_id}", json={"metadata": {"n": "x"}}))


def test_skus_have_the_schema_of_products(client: httpx.Client) -> None:
    product = ok(client.post("/v1/products", json={"name": "Mug"}))
    define(client, "product", {"n": {"type": "number"}})
    failed(client.post(f"/v1/products/{product['id']}/skus", json={"sku": "red", "metadata": {"n": "x"}}))
    made = ok(client.post(f"/v1/products/{product['id']}/skus", json={"sku": "red", "metadata": {"n": 1}}))
    address = f"/v1/products/{product['id']}/skus/{made['id']}"
    failed(client.put(address, json={"metadata": {"n": "x"}}))
    failed(client.put(f"/v1/products/{product['id']}", json={"metadata": {"n": "x"}}))


def test_codes_added_to_a_campaign_are_held_to_the_schema_of_vouchers(client: httpx.Client) -> None:
    campaign = ok(client.post("/v1/campaigns", json=_campaign()))
    define(client, "voucher", {"n": {"type": "number"}})
    address = f"/v1/campaigns/{campaign['id']}/vouchers"
    failed(client.post(address, json={"metadata": {"n": "x"}}))
    failed(client.post(f"{address}?vouchers_count=5", json={"metadata": {"n": "x"}}))
    made = ok(client.post(address, json={"metadata": {"n": 1}}))
    failed(client.put(f"/v1/vouchers/{made['code']}", json={"metadata": {"n": "x"}}))
    failed(client.put(f"/v1/campaigns/{campaign['id']}", json={"metadata": {"n": "x"}}))


def test_a_refused_redemption_leaves_nothing_behind(client: httpx.Client) -> None:
    define(client, "order", {"n": {"type": "number"}})
    made = code(client, amount(1), quantity=1)
    order = {
        "amount": 100,
        "metadata": {"n": "x"},
        "items": [{"source_id": "new", "related_object": "product", "quantity": 1, "product": {"override": True}}],
    }
    failed(client.post("/v1/redemptions", json=body(made, order=order, customer={"source_id": "C"})))
    failed(client.post("/v1/validations", json=body(made, order=order)))
    for path in ("redemptions", "orders", "customers", "products"):
        assert ok(client.get(f"/v1/{path}"))["total"] == 0
    redeem(client, made, order={"amount": 100, "metadata": {"n": 1}})


def test_a_validation_is_held_to_what_it_says(client: httpx.Client) -> None:
    define(client, "redemption", {"n": {"type": "number", "optional": False}})
    made = code(client, amount(1))
    assert ok(client.post("/v1/validations", json=body(made, order=100)))["valid"]
    failed(client.post("/v1/validations", json=body(made, order=100, metadata={"n": "x"})))


def test_a_rollback_is_held_to_the_schema_of_redemptions(client: httpx.Client) -> None:
    redemption = redeem(client, code(client, amount(1)), order=100)["redemptions"][0]
    define(client, "redemption", {"n": {"type": "number"}})
    address = f"/v1/redemptions/{redemption['id']}/rollback"
    failed(client.post(address, json={"metadata": {"n": "x"}}))
    ok(client.post(address, json={"metadata": {"n": 2}}))


# What conditions make of it


def test_conditions_compare_by_the_type_that_the_schema_gives(client: httpx.Client) -> None:
    """Without a schema a number is no text; with one it means the text, from the next decision on."""
    leaf = {"name": "customer.metadata", "property": "code", "conditions": {"$is": [7]}}
    rule = ok(client.post("/v1/validation-rules", json={"name": name(), "rules": {"1": leaf, "logic": "1"}}))
    made = code(client, amount(1), validation_rules=[rule["id"]])
    asked = body(made, order=100, customer={"source_id": "C", "metadata": {"code": "7"}})
    assert not ok(client.post("/v1/validations", json=asked))["valid"]
    schema = define(client, "customer", {"code": TEXT})
    assert ok(client.post("/v1/validations", json=asked))["valid"]
    ok(client.delete(f"/v1/metadata-schemas/{schema['id']}"))
    assert not ok(client.post("/v1/validations", json=asked))["valid"]


# Malformed documents

_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.text(max_size=4)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
_members = ["type", "array", "optional", "deleted", "objectType", "eq", "ne", "lt", "minLength", "exact_length"]
_definitions = st.dictionaries(
    st.sampled_from(_members),
    st.sampled_from(["string", "number", "object", "date", "customer", "unknown"]) | _values,
    max_size=5,
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(properties=st.dictionaries(st.text(max_size=4), _definitions | _values, max_size=3) | _values, metadata=_values)
def test_malformed_definitions_and_metadata_are_never_a_fault_of_the_server(
    server: Server, properties: Any, metadata: Any
) -> None:
    sent = {"related_object": "customer", "properties": properties}
    made = server.client.post("/v1/metadata-schemas", json=sent)
    assert made.status_code < 500, made.text
    found = server.client.post("/v1/customers", json={"source_id": "C", "metadata": metadata})
    assert found.status_code < 500, found.text
    if made.status_code == 200:
        ok(server.client.delete(f"/v1/metadata-schemas/{made.json()['id']}"))
