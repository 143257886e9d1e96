"""Product collections over HTTP: what they are, what they hold, and what they mean in rules."""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
import voucherify

from tests.api.promotions import (
    entry,
    new_tier,
    of_code,
    of_tier,
    product,
    redeem_all,
    rule,
    try_redeem_all,
    validate_all,
)
from tests.api.shop import amount, code, name, ok, percent, refused
from tests.servers import Server

PATH = "/v1/product-collections"
ITEMS = {"effect": "APPLY_TO_ITEMS"}


def collection(client: httpx.Client, *products: dict[str, Any], **more: Any) -> Any:
    body = {"type": "STATIC", "name": name("Collection"), "products": list(products), **more}
    return ok(client.post(PATH, json=body))


def auto(client: httpx.Client, junction: str = "and", **fields: Any) -> Any:
    """A collection of what passes a filter; `__` stands for the dot in a field."""
    conditions = {field.replace("__", "."): {"conditions": found} for field, found in fields.items()}
    return collection(client, type="AUTO_UPDATE", filter={"junction": junction, **conditions})


def made(client: httpx.Client, **more: Any) -> Any:
    return ok(client.post("/v1/products", json={"name": name("P"), "source_id": name("ps"), **more}))


def sku(client: httpx.Client, product_id: str, **more: Any) -> Any:
    return ok(client.post(f"/v1/products/{product_id}/skus", json={"sku": name("S"), "source_id": name("ss"), **more}))


def of_collection(found: Any) -> dict[str, Any]:
    return {"object": "products_collection", "id": found["id"]}


def members(client: httpx.Client, found: Any, query: str = "") -> list[str]:
    return [one["id"] for one in ok(client.get(f"{PATH}/{found['id']}/products{query}"))["data"]]


def discounts(answer: dict[str, Any]) -> list[int]:
    return [item.get("discount_amount", 0) for item in answer["order"]["items"]]


def items(*lines: dict[str, Any]) -> dict[str, Any]:
    return {"items": list(lines)}


# The resource


def test_a_static_collection_lists_its_products(server: Server) -> None:
    shirt = made(server.client)
    small = sku(server.client, shirt["id"])
    sent = [
        {"id": shirt["source_id"], "object": "product"},
        {"id": small["id"], "object": "sku"},
        {"id": shirt["id"], "object": "product"},
        {"id": "never_seen", "object": "product"},
    ]
    found = collection(server.client, *sent, filter={"junction": "nor"})
    assert re.fullmatch(r"pc_[0-9A-Za-z]{24}", found["id"])
    assert found == {
        "id": found["id"],
        "name": found["name"],
        "type": "STATIC",
        "products": [
            {"id": shirt["id"], "object": "product"},
            {"id": small["id"], "object": "sku", "product_id": shirt["id"]},
            {"id": "never_seen", "object": "product"},
        ],
        "created_at": found["created_at"],
        "object": "products_collection",
    }
    path = f"{PATH}/{found['id']}"
    assert ok(server.client.get(path)) == found
    changed = ok(server.client.put(path, json={"name": name("Renamed"), "filter": {"junction": "and"}}))
    assert changed == {**found, "name": changed["name"], "updated_at": changed["updated_at"]}
    assert server.client.delete(path).status_code == 204
    for method in ("GET", "DELETE"):
        refused(server.client.request(method, path), 404, "not_found")
    refused(server.client.get(f"{path}/products"), 404, "not_found")
    refusal = refused(server.client.put(path, json={"name": "x"}), 404, "not_found")
    assert refusal["details"] == f"Cannot find products_collection with id {found['id']}"
    assert refusal["resource_type"] == "products_collection"


def test_an_auto_update_collection_has_a_filter(server: Server) -> None:
    sent = {"junction": "AND", "price": {"conditions": {"$less_than": 1000, "$has_value": None}}}
    sent["metadata.brand"] = {"conditions": {"$in": ["X", "Y"]}}
    found = collection(server.client, {"id": "x", "object": "product"}, type="AUTO_UPDATE", filter=sent)
    shown = {
        "junction": "and",
        "price": {"conditions": {"$less_than": [1000]}},
        "metadata.brand": {"conditions": {"$in": ["X", "Y"]}},
    }
    assert (found["filter"], "products" in found) == (shown, False)
    path = f"{PATH}/{found['id']}"
    changed = ok(server.client.put(path, json={"filter": {"junction": "or"}}))
    assert changed == {**found, "filter": {"junction": "or"}, "updated_at": changed["updated_at"]}
    assert ok(server.client.put(path, json={"name": name("N")}))["filter"] == {"junction": "or"}
    assert ok(server.client.get(path))["filter"] == {"junction": "or"}


NO_JUNCTION = "'AUTO_UPDATE' collection must contain valid filter with 'junction' property"
WRONG_JUNCTION = "Property .filter has wrong `junction` property. It must be one of: and, or"


@pytest.mark.parametrize(
    ("sent", "details"),
    [
        ({"filter": None}, NO_JUNCTION),
        ({"filter": []}, NO_JUNCTION),
        ({"filter": "price < 5"}, NO_JUNCTION),
        ({"filter": {"price": {"conditions": {"$is": [1]}}}}, NO_JUNCTION),
        ({"filter": {"junction": "nor"}}, WRONG_JUNCTION),
        ({"filter": {"junction": 5}}, WRONG_JUNCTION),
        ({"filter": {"junction": "and", "price": 5}}, "Property .filter.price should have an object 'conditions'"),
        ({"filter": {"junction": "and", "price": {}}}, "Property .filter.price should have an object 'conditions'"),
        (
            {"filter": {"junction": "and", "price": {"conditions": {}}}},
            "Property .filter.price.conditions should have an operator",
        ),
        (
            {"filter": {"junction": "and", "price": {"conditions": {"$more_than": ["much"]}}}},
            "Property .filter.price.conditions.$more_than should be a number, or a date in ISO 8601",
        ),
        ({"name": 5}, "Property .name must be string"),
        ({"name": None}, "Property .name must be string"),
        ({"name": ""}, "Property .name must have a length >= 1"),
    ],
)
def test_what_no_collection_can_be(server: Server, sent: dict[str, Any], details: str) -> None:
    existing = auto(server.client)
    whole = {"type": "AUTO_UPDATE", "name": name(), "filter": {"junction": "and"}} | sent
    for method, path, body in (("POST", PATH, whole), ("PUT", f"{PATH}/{existing['id']}", sent)):
        assert refused(server.client.request(method, path, json=body), 400, "invalid_payload")["details"] == details
    assert ok(server.client.get(f"{PATH}/{existing['id']}")) == existing


@pytest.mark.parametrize(
    ("sent", "details"),
    [
        ({"name": "N"}, "Payload should have required property 'type'"),
        ({"type": "STATIC"}, "Payload should have required property 'name'"),
        ({"type": "static", "name": "N"}, "Property .type should be equal to one of the allowed values (got 'static')"),
        ({"type": "STATIC", "name": "N", "products": {}}, "Property .products should be array,null"),
        (
            {"type": "STATIC", "name": "N", "products": [{"id": "x"}]},
            "Property .products[0] should have required property 'object'",
        ),
        ({"type": "AUTO_UPDATE", "name": "N"}, NO_JUNCTION),
    ],
)
def test_what_no_new_collection_can_be(server: Server, sent: dict[str, Any], details: str) -> None:
    assert refused(server.client.post(PATH, json=sent), 400, "invalid_payload")["details"] == details


def test_a_static_collection_takes_a_new_name_only(server: Server) -> None:
    path = f"{PATH}/{collection(server.client)['id']}"
    refusal = refused(server.client.put(path, json={"filter": {"junction": "and"}}), 400, "invalid_payload")
    assert refusal["details"] == "Property .name must be string"


def test_no_two_collections_share_a_name(server: Server) -> None:
    first, second = collection(server.client), auto(server.client)
    body = {"type": "STATIC", "name": first["name"]}
    for method, path in (("POST", PATH), ("PUT", f"{PATH}/{second['id']}")):
        refusal = refused(server.client.request(method, path, json=body), 409, "duplicate_found")
        assert refusal["details"] == f"Duplicated products_collection exists with name {first['name']}"
    assert ok(server.client.put(f"{PATH}/{first['id']}", json=body))["name"] == first["name"]


def test_collections_are_listed_oldest_first_up_to_a_hundred(server: Server) -> None:
    with server.client_for(server.new_project()) as client:
        found = [collection(client)["id"] for _ in range(100)]
        refusal = refused(client.post(PATH, json={"type": "STATIC", "name": "One more"}), 400, "invalid_payload")
        assert refusal["details"] == "A project cannot have more than 100 product collections"
        listed = ok(client.get(f"{PATH}?limit=3&page=2"))
        assert [one["id"] for one in listed["data"]] == found[3:6]
        assert (listed["object"], listed["data_ref"], listed["total"]) == ("list", "data", 100)
        assert [one["id"] for one in ok(client.get(f"{PATH}?limit=2&order=-created_at"))["data"]] == found[:97:-1]
        refused(client.get(f"{PATH}?order=name"), 400, "invalid_query_params")


# What is in them


@pytest.fixture(scope="module")
def wardrobe(server: Server) -> Any:
    """A project with a shirt in two sizes, a hat and a mug."""
    with server.client_for(server.new_project()) as client:
        shirt = made(client, price=900, metadata={"brand": "Y"}, attributes=["size"])
        small = sku(client, shirt["id"], price=1200, attributes={"size": "S"})
        large = sku(client, shirt["id"], metadata={"brand": "X"})
        hat = made(client, price=2500, metadata={"brand": "X", "tags": ["wool", "red"]})
        mug = made(client, price=1000)
        ids = {"shirt": shirt["id"], "small": small["id"], "large": large["id"], "hat": hat["id"], "mug": mug["id"]}
        yield client, ids


@pytest.mark.parametrize(
    ("junction", "fields", "expected"),
    [
        ("and", {}, ["shirt", "small", "large", "hat", "mug"]),
        ("and", {"price": {"$less_than": [1000]}}, ["shirt", "large"]),
        ("and", {"metadata__brand": {"$is": ["X"]}}, ["large", "hat"]),
        ("and", {"metadata__brand": {"$is": ["Y"]}}, ["shirt", "small"]),
        ("and", {"metadata__brand": {"$is": ["X"]}, "price": {"$less_than": 1000}}, ["large"]),
        ("or", {"metadata__brand": {"$is": ["X"]}, "price": {"$is": 1000}}, ["large", "hat", "mug"]),
        ("and", {"metadata__tags": {"$contains": ["red"]}}, ["hat"]),
        ("and", {"metadata__brand": {"$is_unknown": [""]}}, ["mug"]),
        ("and", {"object": {"$is": ["sku"]}, "attributes": {"$in": ["size"]}}, ["small"]),
        ("and", {"skus": {"$count": [2]}}, ["shirt"]),
        ("and", {"created_at": {"$is_days_ago": [0]}, "object": {"$is": ["product"]}}, ["shirt", "hat", "mug"]),
    ],
)
def test_an_auto_update_collection_holds_what_passes_its_filter(
    wardrobe: Any, junction: str, fields: Any, expected: list[str]
) -> None:
    client, ids = wardrobe
    found = auto(client, junction, **fields)
    assert members(client, found) == [ids[kind] for kind in expected]
    assert client.delete(f"{PATH}/{found['id']}").status_code == 204


def test_products_of_a_collection_come_in_pages_without_skus(wardrobe: Any) -> None:
    client, ids = wardrobe
    everything = auto(client)
    path = f"{PATH}/{everything['id']}/products"
    listed = ok(client.get(f"{path}?limit=2&page=2"))
    assert (listed["object"], listed["data_ref"], listed["total"]) == ("list", "data", 5)
    assert [one["id"] for one in listed["data"]] == [ids["large"], ids["hat"]]
    large, hat = listed["data"]
    shirt = ok(client.get(f"/v1/products/{ids['shirt']}?hide=sku"))
    assert "skus" not in shirt
    plain = {key: value for key, value in ok(client.get(f"/v1/skus/{ids['large']}")).items() if key != "attributes"}
    assert large == {**plain, "product": shirt}
    small = next(one for one in ok(client.get(path))["data"] if one["id"] == ids["small"])
    assert small == {**ok(client.get(f"/v1/skus/{ids['small']}")), "product": shirt}
    assert hat == ok(client.get(f"/v1/products/{ids['hat']}?hide=sku"))
    assert members(client, everything, "?order=-created_at&limit=2") == [ids["mug"], ids["hat"]]
    assert members(client, everything, "?page=4&limit=2") == []
    assert members(client, everything, f"?starting_after={large['created_at']}") == [ids["hat"], ids["mug"]]
    before = f"?order=-created_at&starting_after={large['created_at']}"
    assert members(client, everything, before) == [ids["small"], ids["shirt"]]
    ok(client.put(f"/v1/products/{ids['mug']}", json={"image_url": "https://shop.example/mug.png"}))
    assert members(client, everything, "?order=-updated_at&limit=1") == [ids["mug"]]
    refused(client.get(f"{path}?order=price"), 400, "invalid_query_params")
    refused(client.get(f"{path}?starting_after=soon"), 400, "invalid_query_params")


def test_a_static_collection_shows_what_the_catalogue_still_has(server: Server) -> None:
    shirt, hat = made(server.client), made(server.client)
    small, cap = sku(server.client, shirt["id"]), sku(server.client, hat["id"])
    found = collection(
        server.client,
        *({"id": one["id"], "object": one["object"]} for one in (cap, small, hat)),
        {"id": "never_seen", "object": "product"},
    )
    listed = ok(server.client.get(f"{PATH}/{found['id']}/products"))
    assert [one["id"] for one in listed["data"]] == [hat["id"], small["id"], cap["id"]]
    assert listed["data"][1]["product"]["id"] == shirt["id"]
    assert server.client.delete(f"/v1/products/{hat['id']}").status_code == 204
    assert members(server.client, found) == [small["id"]]


# What they mean in rules


def test_a_rule_includes_and_excludes_collections(server: Server) -> None:
    shirt, hat, mug = (product(server.client, price) for price in (2000, 1000, 500))
    small = sku(server.client, shirt, price=3000)["id"]
    wear = collection(server.client, *({"id": id, "object": "product"} for id in (shirt, hat)))
    rule_id = rule(server.client, applicable_to={"included": [of_collection(wear)], "excluded": [entry(hat)]})
    made = code(server.client, percent(10, **ITEMS), validation_rules=[rule_id])
    cart = items({"product_id": hat}, {"sku_id": small}, {"product_id": mug}, {"product_id": shirt, "quantity": 2})
    answer = redeem_all(server.client, of_code(made), order=cart)
    assert discounts(answer) == [0, 300, 0, 400]
    shown = validate_all(server.client, of_code(made), order=cart)["redeemables"][0]["applicable_to"]["data"]
    assert [(one["object"], one["id"], one["strict"]) for one in shown] == [
        ("products_collection", wear["id"], False),
        ("product", shirt, True),
    ]
    outside = rule(
        server.client, applicable_to={"included": [], "excluded": [of_collection(wear)], "included_all": True}
    )
    other = code(server.client, percent(10, **ITEMS), validation_rules=[outside])
    assert discounts(redeem_all(server.client, of_code(other), order=cart)) == [0, 0, 50, 0]


def test_a_filter_is_judged_by_the_line_before_the_catalogue(server: Server) -> None:
    cheap = auto(server.client, price={"$less_than": [1000]})
    branded = auto(server.client, metadata__brand={"$is": ["X"]})
    shirt = made(server.client, price=900, metadata={"brand": "Y"})["id"]
    small = sku(server.client, shirt, price=1200)["id"]
    cart = items(
        {"product_id": shirt},
        {"sku_id": small},
        {"product_id": shirt, "product": {"metadata": {"brand": "X"}}, "price": 3000},
        {"source_id": name("new"), "product": {"name": "New", "price": 500, "metadata": {"brand": "X"}}},
    )
    for found, off in ((cheap, [90, 0, 0, 50]), (branded, [0, 0, 300, 50])):
        made_code = code(
            server.client, percent(10, **ITEMS), validation_rules=[rule(server.client, of_collection(found))]
        )
        assert discounts(validate_all(server.client, of_code(made_code), order=cart)) == off
        assert discounts(redeem_all(server.client, of_code(made_code), order=cart)) == off


def test_a_changed_collection_holds_at_once(server: Server) -> None:
    shirt = product(server.client, 1500)
    found = auto(server.client, price={"$less_than": [1000]})
    made_code = code(server.client, percent(10, **ITEMS), validation_rules=[rule(server.client, of_collection(found))])
    cart = items({"product_id": shirt})
    assert discounts(validate_all(server.client, of_code(made_code), order=cart)) == [0]
    wider = {"junction": "and", "price": {"conditions": {"$less_than": [2000]}}}
    ok(server.client.put(f"{PATH}/{found['id']}", json={"filter": wider}))
    assert discounts(validate_all(server.client, of_code(made_code), order=cart)) == [150]
    ok(server.client.put(f"/v1/products/{shirt}", json={"price": 2500}))
    assert discounts(validate_all(server.client, of_code(made_code), order=cart)) == [0]


def test_a_filter_judges_the_lines_of_a_stored_order(server: Server) -> None:
    shirt = made(server.client, price=900, attributes=["size"])
    found = auto(server.client, attributes={"$contains": ["size"]}, skus={"$count": [0]})
    made_code = code(server.client, percent(10, **ITEMS), validation_rules=[rule(server.client, of_collection(found))])
    order = ok(
        server.client.post(
            "/v1/orders", json=items({"product_id": shirt["id"]}, {"product_id": "prod_none", "price": 1})
        )
    )
    assert discounts(redeem_all(server.client, of_code(made_code), order={"id": order["id"]})) == [90, 0]


def bundle(client: httpx.Client, *parts: tuple[dict[str, Any], int]) -> str:
    components = {
        str(number): {
            "name": "order.items.any",
            "conditions": {"$is": [member]},
            "rules": {"1": {"name": "order.items.aggregated_quantity", "conditions": {"$is": [units]}, "rules": {}}},
        }
        for number, (member, units) in enumerate(parts, 1)
    }
    body = {"name": name("Bundle"), "bundle_rules": components}
    return str(ok(client.post("/v1/validation-rules", json=body))["id"])


def test_a_bundle_takes_units_of_a_collection(server: Server) -> None:
    shirt, hat, mug = (product(server.client, 1000) for _ in range(3))
    wear = collection(server.client, *({"id": id, "object": "product"} for id in (shirt, hat)))
    rule_id = bundle(server.client, (entry(shirt), 1), (of_collection(wear), 3))
    made_code = code(server.client, percent(10), validation_rules=[rule_id])
    whole = items({"product_id": shirt, "quantity": 2}, {"product_id": hat, "quantity": 2})
    answer = redeem_all(server.client, of_code(made_code), order=whole)
    assert answer["order"]["total_discount_amount"] == 400
    short = items({"product_id": shirt, "quantity": 1}, {"product_id": mug, "quantity": 5})
    refused(try_redeem_all(server.client, of_code(made_code), order=short), 400, "order_rules_violated")


def test_a_condition_asks_for_lines_of_a_collection(server: Server) -> None:
    shirt, mug = (product(server.client, 1000) for _ in range(2))
    wear = auto(server.client, id={"$in": [shirt]})
    condition = {"name": "order.items.any", "conditions": {"$is": [of_collection(wear)]}}
    rule_id = ok(server.client.post("/v1/validation-rules", json={"name": name("R"), "rules": {"1": condition}}))["id"]
    guarded = code(server.client, percent(10), validation_rules=[rule_id])
    of_mugs = try_redeem_all(server.client, of_code(guarded), order=items({"product_id": mug}))
    refused(of_mugs, 400, "order_rules_violated")
    both = redeem_all(server.client, of_code(guarded), order=items({"product_id": mug}, {"product_id": shirt}))
    assert both["order"]["total_discount_amount"] == 200
    refused(server.client.delete(f"{PATH}/{wear['id']}"), 400, "resource_in_use")


def test_a_limit_over_time_counts_each_product_of_a_collection(server: Server) -> None:
    shirt, hat = (product(server.client, 1000) for _ in range(2))
    wear = auto(server.client, id={"$in": [shirt, hat]})
    limited = {**of_collection(wear), "product_in_collection_promotion_tier_quantity_limit": 3}
    each_unit = amount(100, effect="APPLY_TO_ITEMS_BY_QUANTITY")
    tier_id = new_tier(server.client, each_unit, validation_rules=[rule(server.client, limited)])
    cart = items({"product_id": shirt, "quantity": 2}, {"product_id": hat, "quantity": 1})
    assert discounts(redeem_all(server.client, of_tier(tier_id), order=cart)) == [200, 100]
    assert discounts(redeem_all(server.client, of_tier(tier_id), order=cart)) == [100, 100]
    assert discounts(redeem_all(server.client, of_tier(tier_id), order=cart)) == [0, 100]


def test_rules_name_only_collections_that_exist(server: Server) -> None:
    unknown = {"object": "products_collection", "id": "pc_unknown"}
    leaf = {"1": {"name": "order.items.any", "conditions": {"$is": [unknown]}}}
    for part in ({"applicable_to": {"excluded": [unknown]}}, {"bundle_rules": leaf}, {"rules": leaf}):
        refusal = refused(server.client.post("/v1/validation-rules", json={"name": name(), **part}), 404, "not_found")
        assert refusal["details"] == "Cannot find products_collection with id pc_unknown"


def test_a_collection_in_a_rule_is_not_deleted(server: Server) -> None:
    found = collection(server.client)
    rule_id = rule(server.client, of_collection(found))
    path = f"{PATH}/{found['id']}"
    refusal = refused(server.client.delete(path), 400, "resource_in_use")
    assert (refusal["related_object_ids"], refusal["related_object_type"]) == ([rule_id], "validation_rules")
    assert (refusal["resource_id"], refusal["resource_type"]) == (found["id"], "products_collection")
    assert server.client.delete(f"/v1/validation-rules/{rule_id}").status_code == 204
    assert server.client.delete(path).status_code == 204


def test_a_rule_never_names_a_collection_deleted_meanwhile(server: Server) -> None:
    """A new rule and the deletion of what it names race: one of them is refused."""
    with ThreadPoolExecutor(2) as threads:
        for _ in range(8):
            found = collection(server.client)
            body = {"name": name("R"), "applicable_to": {"excluded": [of_collection(found)]}}
            making = threads.submit(server.client.post, "/v1/validation-rules", json=body)
            deleting = threads.submit(server.client.delete, f"{PATH}/{found['id']}")
            outcome = making.result().status_code, deleting.result().status_code
            assert outcome in ((200, 400), (404, 204))


def test_changes_of_name_and_filter_at_once_are_both_kept(server: Server) -> None:
    with ThreadPoolExecutor(2) as threads:
        for _ in range(8):
            path = f"{PATH}/{auto(server.client)['id']}"
            sent: list[dict[str, Any]] = [{"name": name("New")}, {"filter": {"junction": "or"}}]
            changed = [one.result() for one in [threads.submit(server.client.put, path, json=body) for body in sent]]
            assert [one.status_code for one in changed] == [200, 200]
            found = ok(server.client.get(path))
            assert (found["name"], found["filter"]) == (sent[0]["name"], {"junction": "or"})


def test_product_collections_through_the_sdk(server: Server) -> None:
    api = voucherify.ProductCollectionsApi(server.sdk())
    shirt = made(server.client, price=900)
    small = sku(server.client, shirt["id"])
    listed = {"type": "STATIC", "name": name(), "products": [{"id": small["id"], "object": "sku"}]}
    static = api.create_product_collection(voucherify.ProductCollectionsCreateRequestBody.from_dict(listed))
    assert api.get_product_collection(static.id).products[0].product_id == shirt["id"]
    conditions = {"id": {"conditions": {"$in": [shirt["id"], small["id"]]}}}
    filtered = {"type": "AUTO_UPDATE", "name": name(), "filter": {"junction": "and", **conditions}}
    updating = api.create_product_collection(voucherify.ProductCollectionsCreateRequestBody.from_dict(filtered))
    shown = api.list_products_in_collection(updating.id, limit=5, order="-created_at")
    assert [(one.id, one.object) for one in shown.data] == [(small["id"], "sku"), (shirt["id"], "product")]
    assert shown.data[0].product.id == shirt["id"]
    assert static.id in [one.id for one in api.list_product_collections(limit=100).data]
    api.delete_product_collection(static.id)
    with pytest.raises(voucherify.exceptions.NotFoundException):
        api.get_product_collection(static.id)
