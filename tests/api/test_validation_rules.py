"""Validation rules: what a benefit applies to, bundles, and what a rule is assigned to."""

from typing import Any

import pytest

from tests.api.shop import amount, code, name, ok, refused, voucher
from tests.servers import Server

MUG = {"object": "product", "id": "prod_mug"}


def rule(server: Server, **more: Any) -> Any:
    """A new rule."""
    return ok(server.client.post("/v1/validation-rules", json={"name": name("Rule"), **more}))


def assign(server: Server, rule_id: str, object_id: str, **more: Any) -> Any:
    body = {"related_object_id": object_id, "related_object_type": "voucher"}
    return ok(server.client.post(f"/v1/validation-rules/{rule_id}/assignments", json=body, params=more))


def bundle(quantity: Any = 2, **more: Any) -> dict[str, Any]:
    """Bundle rules of one component."""
    count = {"name": "order.items.aggregated_quantity", "conditions": {"$is": quantity}, "rules": {}}
    member = {"id": "prod_mug", "type": "product_or_sku", "object": "product"}
    part = {"name": "order.items.any", "conditions": {"$is": [member]}, "rules": {"1": count, "logic": "1"}}
    return {"1": part, "logic": "1", **more}


def test_a_rule_is_shown_with_its_defaults_filled_in(server: Server) -> None:
    made = rule(server, applicable_to={"included": [MUG]})
    assert made["rules"] == {}
    assert made["bundle_rules"] == {}
    assert (made["type"], made["context_type"], made["object"]) == ("expression", "global", "validation_rules")
    assert "assignments_count" not in made
    entry = {
        "object": "product",
        "id": "prod_mug",
        "source_id": None,
        "strict": False,
        "effect": "APPLY_TO_EVERY",
        "target": "ITEM",
        "skip_initially": 0,
        "repeat": 1,
    }
    assert made["applicable_to"] == {"included": [entry], "excluded": [], "included_all": False}
    assert ok(server.client.get(f"/v1/validation-rules/{made['id']}")) == made


def test_items_are_named_by_both_their_ids_where_the_catalogue_knows_them(server: Server) -> None:
    source = name("mug")
    product = ok(server.client.post("/v1/products", json={"name": "Mug", "source_id": source}))
    entry = {"object": "product", "source_id": source, "quantity_limit": 2}
    found = rule(server, applicable_to={"included": [entry]})["applicable_to"]["included"][0]
    assert (found["id"], found["source_id"], found["quantity_limit"]) == (product["id"], source, 2)


def test_an_update_replaces_what_is_sent_and_null_clears(server: Server) -> None:
    made = rule(server, applicable_to={"included": [MUG]}, error={"message": "Not you"}, bundle_rules=bundle())
    path = f"/v1/validation-rules/{made['id']}"
    changed = ok(server.client.put(path, json={"bundle_rules": None, "applicable_to": {"included_all": True}}))
    assert changed["bundle_rules"] == {}
    assert changed["applicable_to"] == {"included": [], "excluded": [], "included_all": True}
    assert changed["error"] == {"message": "Not you"}
    assert changed["updated_at"] >= changed["created_at"]
    assert "error" not in ok(server.client.put(path, json={"error": None}))


def test_names_are_unique(server: Server) -> None:
    first, second = rule(server), rule(server)
    refused(server.client.post("/v1/validation-rules", json={"name": first["name"]}), 409, "duplicate_found")
    taken = server.client.put(f"/v1/validation-rules/{second['id']}", json={"name": first["name"]})
    refused(taken, 409, "duplicate_found")
    ok(server.client.put(f"/v1/validation-rules/{first['id']}", json={"name": first["name"]}))


def test_a_bundle_is_shown_in_full(server: Server) -> None:
    shown = rule(server, bundle_rules=bundle())["bundle_rules"]
    assert (shown["logic"], shown["limit"]) == ("1", 1)
    assert shown["1"]["conditions"]["$is"] == [{"id": "prod_mug", "type": "product_or_sku", "object": "product"}]
    assert shown["1"]["rules"]["1"]["conditions"] == {"$is": [2]}


@pytest.mark.parametrize(
    ("sent", "key"),
    [
        ({"rules": {"1": {"name": "order.amount", "conditions": {"$more_than": ["x"]}}}}, "invalid_validation_rules"),
        ({"rules": {"1": {"name": "customer.metadata", "conditions": {}}}}, "invalid_validation_rules"),
        ({"rules": {"1": 5}}, "invalid_validation_rules"),
        ({"rules": {"logic": "1 and"}}, "invalid_validation_rules"),
        ({"rules": {"logic": 7}}, "invalid_validation_rules"),
        ({"rules": {"and": {"name": "order.amount"}}}, "invalid_validation_rules"),
        ({"rules": []}, "invalid_payload"),
        ({"bundle_rules": bundle(0)}, "invalid_validation_rules"),
        ({"bundle_rules": bundle([1, 2])}, "invalid_validation_rules"),
        ({"bundle_rules": bundle("2")}, "invalid_validation_rules"),
        ({"bundle_rules": bundle(limit=101)}, "invalid_validation_rules"),
        ({"bundle_rules": {"limit": 3}}, "invalid_validation_rules"),
        ({"bundle_rules": {**bundle(), "2": bundle()["1"], "logic": "1 or 2"}}, "invalid_validation_rules"),
        ({"bundle_rules": {"1": {"name": "order.items.every"}}}, "invalid_validation_rules"),
        ({"applicable_to": {"included": [{"object": "product"}]}}, "invalid_payload"),
        ({"applicable_to": {"included": [{"object": "shop", "id": "x"}]}}, "invalid_payload"),
        ({"applicable_to": {"included": {}}}, "invalid_payload"),
        ({"applicable_to": {"included": [{**MUG, "quantity_limit": -1}]}}, "invalid_payload"),
        ({"applicable_to": {"included": [{**MUG, "repeat": 0}]}}, "invalid_payload"),
        ({"applicable_to": {"included": [{**MUG, "price": -0.5}]}}, "invalid_payload"),
        ({"applicable_to": {"included": [{**MUG, "price_formula": "1 +"}]}}, "invalid_payload"),
        (
            {"applicable_to": {"included": [{**MUG, "product_campaign_quantity_limit_formula": "1"}]}},
            "invalid_payload",
        ),
        ({"applicable_to": {"included_all": "yes"}}, "invalid_payload"),
        ({"context_type": "somewhere"}, "invalid_payload"),
        ({"error": {"message": 5}}, "invalid_payload"),
        ({"name": ""}, "invalid_payload"),
    ],
)
def test_what_cannot_be_a_rule_is_refused(server: Server, sent: dict[str, Any], key: str) -> None:
    refused(server.client.post("/v1/validation-rules", json={"name": name("Rule"), **sent}), 400, key)
    made = rule(server)
    refused(server.client.put(f"/v1/validation-rules/{made['id']}", json=sent), 400, key)


def test_a_condition_that_is_not_understood_is_named(server: Server) -> None:
    sent = {"name": name("Rule"), "rules": {"1": {"name": "order.moon_phase", "conditions": {"$is": ["full"]}}}}
    error = refused(server.client.post("/v1/validation-rules", json=sent), 400, "invalid_validation_rules")
    assert "order.moon_phase" in error["details"]


def test_a_rule_is_assigned_by_code_or_id_and_shown_on_the_voucher(server: Server) -> None:
    made, used = rule(server), code(server.client, amount(100))
    assigned = assign(server, made["id"], used)
    assert assigned["related_object_id"] == voucher(server.client, used)["id"]
    shown = voucher(server.client, used)["validation_rules_assignments"]
    assert (shown["total"], shown["data"]) == (1, [assigned])
    assert ok(server.client.get(f"/v1/validation-rules/{made['id']}"))["assignments_count"] == 1
    again = {"related_object_id": assigned["related_object_id"]}
    path = f"/v1/validation-rules/{made['id']}/assignments"
    assert refused(server.client.post(path, json=again), 409, "duplicate_found")["resource_id"] == assigned["id"]
    forced = ok(server.client.post(path, json=again, params={"force": "true"}))
    assert forced["id"] != assigned["id"]
    assert ok(server.client.get(path)) == {"object": "list", "data_ref": "data", "data": [forced], "total": 1}
    of_voucher = server.client.get(
        "/v1/validation-rules-assignments", params={"related_object_id": assigned["related_object_id"]}
    )
    assert ok(of_voucher)["data"] == [forced]


def test_a_voucher_is_made_with_rules(server: Server) -> None:
    first, second = rule(server), rule(server)
    used = code(server.client, amount(100), validation_rules=[first["id"], second["id"], first["id"]])
    held = voucher(server.client, used)["validation_rules_assignments"]["data"]
    assert [one["rule_id"] for one in held] == [first["id"], second["id"]]
    body = {"type": "DISCOUNT_VOUCHER", "discount": amount(1), "validation_rules": ["val_nothing"]}
    missing = refused(server.client.post(f"/v1/vouchers/{name()}", json=body), 404, "not_found")
    assert missing["resource_type"] == "validation_rules"


def test_an_assigned_rule_stays_until_it_is_let_go(server: Server) -> None:
    made, used = rule(server), code(server.client, amount(100))
    assigned = assign(server, made["id"], used)
    path = f"/v1/validation-rules/{made['id']}"
    error = refused(server.client.delete(path), 400, "resource_in_use")
    assert error["related_object_ids"] == [assigned["id"]]
    assert error["related_object_type"] == "validation_rules_assignment"
    naming = f"is in use by validation_rules_assignments with ids [{assigned['id']}]"
    assert error["details"] == f"Resource validation_rules with id {made['id']} {naming}"
    ok(server.client.delete(f"{path}/assignments/{assigned['id']}"))
    assert voucher(server.client, used)["validation_rules_assignments"]["total"] == 0
    ok(server.client.delete(path))
    refused(server.client.get(path), 404, "not_found")


def test_the_assignments_of_a_voucher_go_with_it(server: Server) -> None:
    made, used = rule(server), code(server.client, amount(100))
    assign(server, made["id"], used)
    ok(server.client.delete(f"/v1/vouchers/{used}", params={"force": "true"}))
    ok(server.client.delete(f"/v1/validation-rules/{made['id']}"))


@pytest.mark.parametrize(
    ("object_type", "status", "key"),
    [
        ("voucher", 404, "not_found"),
        ("earning_rule", 404, "not_found"),
        ("planet", 400, "invalid_payload"),
    ],
)
def test_a_rule_is_assigned_to_what_exists(server: Server, object_type: str, status: int, key: str) -> None:
    body = {"related_object_id": "nothing", "related_object_type": object_type}
    path = f"/v1/validation-rules/{rule(server)['id']}/assignments"
    refused(server.client.post(path, json=body), status, key)
    refused(
        server.client.post("/v1/validation-rules/val_nothing/assignments", json=body),
        404 if status == 404 else 400,
        key,
    )


def test_a_product_that_a_rule_names_stays(server: Server) -> None:
    product = ok(server.client.post("/v1/products", json={"name": "Mug"}))
    sku = ok(server.client.post(f"/v1/products/{product['id']}/skus", json={"sku": "Blue"}))
    entries = [{"object": "product", "id": product["id"]}, {"object": "sku", "id": sku["id"]}]
    made = rule(server, applicable_to={"included": entries})
    for path in (f"/v1/products/{product['id']}/skus/{sku['id']}", f"/v1/products/{product['id']}"):
        error = refused(server.client.delete(path), 400, "resource_in_use")
        assert error["related_object_ids"] == [made["id"]]
    ok(server.client.delete(f"/v1/validation-rules/{made['id']}"))
    ok(server.client.delete(f"/v1/products/{product['id']}"))


def test_rules_are_listed_newest_first(server: Server) -> None:
    first, second = rule(server), rule(server)
    newest = ok(server.client.get("/v1/validation-rules", params={"limit": 2}))
    assert [one["id"] for one in newest["data"]] == [second["id"], first["id"]]
    by_name = ok(server.client.get("/v1/validation-rules", params={"order": "-name", "limit": 1}))
    assert by_name["total"] == newest["total"]
    refused(server.client.get("/v1/validation-rules", params={"order": "colour"}), 400, "invalid_query_params")


def test_a_category_is_shown_on_its_vouchers_until_it_is_deleted(server: Server) -> None:
    category = ok(server.client.post("/v1/categories", json={"name": name("Cat"), "hierarchy": 2}))
    by_id = code(server.client, amount(1), category_id=category["id"])
    by_name = code(server.client, amount(1), category=category["name"])
    for used in (by_id, by_name):
        shown = voucher(server.client, used)
        assert (shown["category"], shown["category_id"]) == (category["name"], category["id"])
        assert [one["id"] for one in shown["categories"]] == [category["id"]]
    listed = ok(server.client.get("/v1/vouchers", params={"category": category["id"]}))
    assert {one["code"] for one in listed["vouchers"]} == {by_id, by_name}
    ok(server.client.put(f"/v1/vouchers/{by_name}", json={"category_id": None}))
    assert voucher(server.client, by_name)["categories"] == []
    ok(server.client.delete(f"/v1/categories/{category['id']}"))
    assert voucher(server.client, by_id)["category_id"] is None


def test_a_rule_is_assigned_in_the_words_of_older_clients(server: Server) -> None:
    made = code(server.client, amount(500))
    path = f"/v1/validation-rules/{rule(server)['id']}/assignments"
    assigned = ok(server.client.post(path, json={"voucher": made, "related_object_type": None}))
    assert assigned["related_object_type"] == "voucher"
    assert assigned["related_object_id"] == voucher(server.client, made)["id"]
    refused(server.client.post(path, json={"campaign": "camp_unknown"}), 404, "not_found")
    refused(server.client.post(path, json={"promotion_tier": "promo_unknown"}), 404, "not_found")
    error = refused(server.client.post(path, json={"related_object_type": "campaign"}), 400, "invalid_payload")
    assert error["details"] == "Payload should have required property 'related_object_id'"
