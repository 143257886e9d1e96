"""Rewards: what points buy, what there is of it, and in which programs."""

from typing import Any

import pytest

from tests.api.shop import name, ok, percent, refused
from tests.servers import Server


def product(server: Server, **more: Any) -> Any:
    return ok(server.client.post("/v1/products", json={"name": name("P"), **more}))


def campaign(server: Server, **voucher: Any) -> Any:
    template = voucher or {"type": "DISCOUNT_VOUCHER", "discount": percent(10)}
    return ok(server.client.post("/v1/campaigns", json={"name": name(), "voucher": template}))


def material(server: Server, **more: Any) -> Any:
    sent = {"name": "Mug", "parameters": {"product": {"id": product(server)["id"]}}, **more}
    return ok(server.client.post("/v1/rewards", json=sent))


def test_a_material_reward_is_a_product_with_a_stock(server: Server) -> None:
    mug = product(server)
    attributes = {"image_url": "https://example.com/mug.png", "description": "Blue"}
    sent = {
        "name": "Mug",
        "type": "MATERIAL",
        "parameters": {"product": {"id": mug["id"]}},
        "stock": 3,
        "attributes": attributes,
        "metadata": {"a": 1},
    }
    made = ok(server.client.post("/v1/rewards", json=sent))
    assert made == {
        "id": made["id"],
        "name": "Mug",
        "stock": 3,
        "redeemed": None,
        "attributes": attributes,
        "metadata": {"a": 1},
        "type": "MATERIAL",
        "parameters": {"product": {"id": mug["id"], "sku_id": None}},
        "created_at": made["created_at"],
        "updated_at": None,
        "object": "reward",
    }
    assert made["id"].startswith("rew_")
    path = f"/v1/rewards/{made['id']}"
    assert ok(server.client.get(path)) == made
    change = {"name": "Cup", "stock": 5, "metadata": {"b": 2}, "attributes": {"description": "Red"}, "type": "COIN"}
    changed = ok(server.client.put(path, json=change))
    wanted = {
        "name": "Cup",
        "stock": 5,
        "metadata": {"a": 1, "b": 2},
        "attributes": attributes | {"description": "Red"},
        "updated_at": changed["updated_at"],
    }
    assert changed == made | wanted
    assert ok(server.client.get(path)) == changed
    assert ok(server.client.put(path, json={"stock": None}))["stock"] is None
    assert ok(server.client.put(path, json={"name": "Cup"}))["stock"] is None
    assert ok(server.client.put(path, json={"stock": 0}))["stock"] == 0
    server.verify()
    assert server.client.delete(path).status_code == 204
    for method in ("GET", "DELETE"):
        error = refused(server.client.request(method, path), 404, "not_found")
        assert (error["resource_type"], error["resource_id"]) == ("reward", made["id"])
    refused(server.client.put(path, json={"name": "x"}), 404, "not_found")
    server.verify()


def test_the_parameters_say_what_a_reward_is(server: Server) -> None:
    coupons, gifts = campaign(server), campaign(server, type="GIFT_VOUCHER", gift={"amount": 100})
    mug = product(server)
    sku = ok(server.client.post(f"/v1/products/{mug['id']}/skus", json={"sku": "Blue", "source_id": name("S")}))
    cases: list[tuple[dict[str, Any], str, dict[str, Any]]] = [
        (
            {"campaign": {"id": coupons["id"], "balance": 5}},
            "CAMPAIGN",
            {"campaign": {"id": coupons["id"], "type": "DISCOUNT_COUPONS"}},
        ),
        (
            {"campaign": {"id": gifts["id"], "balance": 4000}},
            "CAMPAIGN",
            {"campaign": {"id": gifts["id"], "type": "GIFT_VOUCHERS", "balance": 4000}},
        ),
        (
            {"coin": {"exchange_ratio": 20, "points_ratio": 100}},
            "COIN",
            {"coin": {"exchange_ratio": 20, "points_ratio": 100}},
        ),
        (
            {"coin": {"exchange_ratio": "0.50", "points_ratio": "5"}},
            "COIN",
            {"coin": {"exchange_ratio": 0.5, "points_ratio": 5}},
        ),
        (
            {"product": {"id": mug["id"], "sku_id": sku["source_id"]}},
            "MATERIAL",
            {"product": {"id": mug["id"], "sku_id": sku["id"]}},
        ),
        ({"product": {"sku_id": sku["id"]}}, "MATERIAL", {"product": {"id": mug["id"], "sku_id": sku["id"]}}),
    ]
    for sent, kind, shown in cases:
        made = ok(server.client.post("/v1/rewards", json={"name": "R", "parameters": sent}))
        assert (made["type"], made["parameters"], made["stock"]) == (kind, shown, None)


def test_what_no_reward_can_be(server: Server) -> None:
    gifts, promotion = (
        campaign(server, type="GIFT_VOUCHER", gift={"amount": 100}),
        ok(server.client.post("/v1/campaigns", json={"name": name(), "promotion": {}})),
    )
    mug, cup = product(server), product(server)
    sku = ok(server.client.post(f"/v1/products/{cup['id']}/skus", json={"sku": "Blue"}))
    unknown = "camp_000000000000000000000000"
    cases: list[tuple[dict[str, Any] | None, int, str]] = [
        (None, 400, "missing_param"),
        ({}, 400, "missing_param"),
        ({"campaign": {}}, 400, "missing_param"),
        ({"campaign": {"id": unknown}}, 404, "not_found"),
        ({"campaign": {"id": promotion["id"]}}, 400, "invalid_payload"),
        ({"campaign": {"id": gifts["id"]}}, 400, "invalid_balance"),
        ({"campaign": {"id": gifts["id"], "balance": 0}}, 400, "invalid_balance"),
        ({"campaign": {"id": gifts["id"], "balance": -1}}, 400, "invalid_balance"),
        ({"campaign": {"id": gifts["id"], "balance": 1.5}}, 400, "invalid_balance"),
        ({"campaign": {"id": gifts["id"], "balance": "5"}}, 400, "invalid_balance"),
        ({"coin": {"exchange_ratio": 1}}, 400, "missing_param"),
        ({"coin": {"exchange_ratio": 0, "points_ratio": 1}}, 400, "invalid_payload"),
        ({"coin": {"exchange_ratio": -1, "points_ratio": 1}}, 400, "invalid_payload"),
        ({"coin": {"exchange_ratio": "NaN", "points_ratio": 1}}, 400, "invalid_payload"),
        ({"coin": {"exchange_ratio": 0.001, "points_ratio": 1}}, 400, "invalid_payload"),
        ({"coin": {"exchange_ratio": 1, "points_ratio": 1.5}}, 400, "invalid_payload"),
        ({"coin": {"exchange_ratio": 1e300, "points_ratio": 1}}, 400, "invalid_payload"),
        ({"coin": {"exchange_ratio": 1, "points_ratio": 1}, "product": {"id": mug["id"]}}, 400, "invalid_payload"),
        ({"product": {}}, 400, "missing_param"),
        ({"product": {"id": "prod_0"}}, 404, "not_found"),
        ({"product": {"id": mug["id"], "sku_id": "sku_0"}}, 404, "not_found"),
        ({"product": {"id": mug["id"], "sku_id": sku["id"]}}, 404, "not_found"),
    ]
    for parameters, status, key in cases:
        sent = {"name": "R"} if parameters is None else {"name": "R", "parameters": parameters}
        refused(server.client.post("/v1/rewards", json=sent), status, key)
    fine = {"product": {"id": mug["id"]}}
    refused(server.client.post("/v1/rewards", json={"parameters": fine}), 400, "missing_param")
    wrong = {"name": "R", "type": "COIN", "parameters": fine}
    assert "parameters.coin" in refused(server.client.post("/v1/rewards", json=wrong), 400, "missing_param")["details"]
    for more in ({"stock": -1}, {"stock": "3"}, {"name": 5}, {"metadata": []}, {"type": "OTHER"}):
        sent = {"name": "R", "parameters": fine} | more
        refused(server.client.post("/v1/rewards", json=sent), 400, "invalid_payload")
    made = material(server)
    changed = {"parameters": {"coin": {"exchange_ratio": 1, "points_ratio": 1}}}
    refused(server.client.put(f"/v1/rewards/{made['id']}", json=changed), 400, "invalid_payload")
    assert ok(server.client.get(f"/v1/rewards/{made['id']}")) == made


def test_rewards_are_listed_newest_first(server: Server) -> None:
    with server.client_for(server.new_project()) as client:
        made = [
            ok(
                client.post(
                    "/v1/rewards",
                    json={"name": f"R{n}", "parameters": {"coin": {"exchange_ratio": 1, "points_ratio": n + 1}}},
                )
            )
            for n in range(12)
        ]
        first = ok(client.get("/v1/rewards"))
        assert first == {"object": "list", "data_ref": "data", "data": made[:1:-1], "total": 12}
        assert ok(client.get("/v1/rewards?limit=10&page=2"))["data"] == made[1::-1]
        assert ok(client.get("/v1/rewards?assignment_id=rewa_0"))["data"] == []
        for query in ("limit=0", "limit=101", "page=0", "limit=x"):
            refused(client.get(f"/v1/rewards?{query}"), 400, "invalid_query_params")


@pytest.mark.parametrize("path", ["/v1/rewards/rew_0/assignments", "/v1/loyalties/camp_0/rewards"])
def test_what_does_not_exist_has_no_assignments(server: Server, path: str) -> None:
    refused(server.client.get(path), 404, "not_found")
    refused(server.client.get(f"{path}/rewa_0"), 404, "not_found")
    refused(server.client.delete(f"{path}/rewa_0"), 404, "not_found")
