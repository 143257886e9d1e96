"""Categories: how redeemables are grouped and ordered."""

import json
import re
from typing import Any

import pytest

from tests.api.shop import name, ok, refused
from tests.servers import Server


def category(server: Server, hierarchy: int = 1) -> Any:
    return ok(server.client.post("/v1/categories", json={"name": name("N"), "hierarchy": hierarchy}))


def test_a_category_has_a_name_and_a_place(server: Server) -> None:
    made = category(server, 0)
    assert re.fullmatch(r"cat_[0-9a-f]{18}", made["id"])
    assert made == {
        "id": made["id"],
        "name": made["name"],
        "hierarchy": 0,
        "created_at": made["created_at"],
        "object": "category",
    }
    path = f"/v1/categories/{made['id']}"
    assert ok(server.client.get(path)) == made
    changed = ok(server.client.put(path, json={"name": made["name"], "hierarchy": 7}))
    assert changed == {**made, "hierarchy": 7, "updated_at": changed["updated_at"]}
    assert ok(server.client.get(path)) == changed
    assert server.client.delete(path).status_code == 204
    for method in ("GET", "DELETE"):
        refused(server.client.request(method, path), 404, "not_found")
    refusal = refused(server.client.put(path, json={"name": "x", "hierarchy": 1}), 404, "not_found")
    assert (refusal["details"], refusal["resource_type"]) == (f"Cannot find category with id {made['id']}", "category")


@pytest.mark.parametrize(
    ("sent", "details"),
    [
        ({"name": "N"}, "Payload should have required property 'hierarchy'"),
        ({"hierarchy": 1}, "Payload should have required property 'name'"),
        ({"name": "N", "hierarchy": -1}, "Property .hierarchy must be >= 0"),
        ({"name": "N", "hierarchy": "1"}, "Property .hierarchy should be integer"),
        ({"name": "", "hierarchy": 1}, "Property .name must have a length >= 1"),
    ],
)
def test_what_no_category_can_be(server: Server, sent: dict[str, Any], details: str) -> None:
    existing = category(server)
    for method, path in (("POST", "/v1/categories"), ("PUT", f"/v1/categories/{existing['id']}")):
        assert refused(server.client.request(method, path, json=sent), 400, "invalid_payload")["details"] == details


def test_no_two_categories_share_a_name(server: Server) -> None:
    first, second = category(server), category(server)
    again = {"name": first["name"], "hierarchy": 3}
    for method, path in (("POST", "/v1/categories"), ("PUT", f"/v1/categories/{second['id']}")):
        refusal = refused(server.client.request(method, path, json=again), 409, "duplicate_found")
        assert refusal["details"] == f"Duplicated category exists with name {first['name']}"
    assert ok(server.client.put(f"/v1/categories/{first['id']}", json=again))["hierarchy"] == 3


def test_categories_are_listed_whole_newest_first(server: Server) -> None:
    with server.client_for(server.new_project()) as client:
        made = [ok(client.post("/v1/categories", json={"name": f"N{n}", "hierarchy": n})) for n in range(12)]
        listed = ok(client.get("/v1/categories?limit=5"))
        assert listed == {"object": "list", "data_ref": "data", "data": made[::-1], "total": 12}


def test_a_category_in_the_stacking_rules_is_deleted_only_with_its_place_there(server: Server) -> None:
    keys = server.new_project()
    with server.client_for(keys) as client:
        kept, gone = (
            ok(client.post("/v1/categories", json={"name": n, "hierarchy": 1}))["id"] for n in ("Kept", "Gone")
        )
        rules = {"joint_categories": [kept, gone], "applicable_redeemables_category_limits": {gone: 1, kept: 2}}
        server.set(f"stacking_rules={json.dumps(rules)}", keys=keys)
        refusal = refused(client.delete(f"/v1/categories/{gone}"), 400, "resource_in_use")
        assert refusal["related_object_type"] == "stacking_rules"
        assert "joint_categories, applicable_redeemables_category_limits" in refusal["details"]
        assert ok(client.get("/v1/categories"))["total"] == 2
        assert client.delete(f"/v1/categories/{gone}?remove_from_stacking_rules=true").status_code == 204
        refused(client.delete(f"/v1/categories/{kept}"), 400, "resource_in_use")
        server.set(
            f"stacking_rules={json.dumps({'joint_categories': [], 'applicable_redeemables_category_limits': {}})}",
            keys=keys,
        )
        assert client.delete(f"/v1/categories/{kept}").status_code == 204
