"""Products and SKUs."""

import re
from typing import Any

import pytest

from tests.api.shop import name, ok, refused
from tests.servers import Server


def product(server: Server, **fields: Any) -> Any:
    return ok(server.client.post("/v1/products", json={"name": "T-shirt", **fields}))


def test_a_product_is_saved_by_its_source_id(server: Server) -> None:
    source = name("p")
    made = product(server, source_id=source, price=2000, attributes=["color"], metadata={"a": 1})
    assert re.fullmatch(r"prod_[0-9a-f]{18}", made["id"])
    assert made == {
        "id": made["id"],
        "source_id": source,
        "name": "T-shirt",
        "price": 2000,
        "attributes": ["color"],
        "metadata": {"a": 1},
        "image_url": None,
        "created_at": made["created_at"],
        "updated_at": None,
        "object": "product",
    }
    again = product(server, source_id=source, metadata={"b": 2})
    assert (again["id"], again["price"], again["metadata"]) == (made["id"], 2000, {"a": 1, "b": 2})
    read = ok(server.client.get(f"/v1/products/{source}"))
    assert read["skus"] == {"object": "list", "data_ref": "data", "data": [], "total": 0}
    assert "skus" not in ok(server.client.get(f"/v1/products/{source}?hide=sku"))
    changed = ok(server.client.put(f"/v1/products/{made['id']}", json={"source_id": "x", "price": None}))
    assert (changed["source_id"], changed["price"]) == (source, None)


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"name": None},
        {"name": 5},
        {"name": "x", "price": "a"},
        {"name": "x", "price": 1.5},
        {"name": "x", "attributes": 1},
    ],
)
def test_what_no_product_can_be(server: Server, sent: dict[str, Any]) -> None:
    refused(server.client.post("/v1/products", json=sent), 400, "invalid_payload")


def test_skus_belong_to_a_product(server: Server) -> None:
    parent, source = product(server, source_id=name("p"), attributes=["color"]), name("s")
    path = f"/v1/products/{parent['source_id']}/skus"
    made = ok(
        server.client.post(path, json={"source_id": source, "sku": "Red", "price": 10, "attributes": {"color": "red"}})
    )
    assert re.fullmatch(r"sku_[0-9a-f]{18}", made["id"])
    assert (made["product_id"], made["sku"], made["price"], made["object"]) == (parent["id"], "Red", 10, "sku")
    assert ok(server.client.get(f"/v1/skus/{source}")) == ok(server.client.get(f"/v1/skus/{made['id']}"))
    again = ok(server.client.post(path, json={"source_id": source, "price": 20}))
    assert (again["id"], again["price"], again["sku"]) == (made["id"], 20, "Red")
    changed = ok(server.client.put(f"{path}/{source}", json={"sku": "Blue", "currency": "EUR", "source_id": "no"}))
    assert (changed["sku"], changed["currency"], changed["source_id"]) == ("Blue", "EUR", source)
    listed = ok(server.client.get(path))
    assert (listed["data_ref"], listed["total"], [sku["id"] for sku in listed["skus"]]) == ("skus", 1, [made["id"]])
    assert ok(server.client.get(f"/v1/products/{parent['id']}"))["skus"]["total"] == 1
    refused(server.client.post(path, json={"attributes": {"size": "L"}}), 400, "invalid_sku")
    refused(server.client.post("/v1/products/nope/skus", json={"sku": "x"}), 404, "not_found")
    assert server.client.delete(f"{path}/{source}").status_code == 204
    refused(server.client.get(f"/v1/skus/{source}"), 404, "not_found")
    refused(server.client.post(path, json={"source_id": source}), 409, "duplicate_found")


def test_a_deleted_product_keeps_its_name_until_it_is_forced_out(server: Server) -> None:
    soft, hard = name("p"), name("p")
    for source in (soft, hard):
        product(server, source_id=source)
    assert server.client.delete(f"/v1/products/{soft}").status_code == 204
    assert server.client.delete(f"/v1/products/{hard}?force=true").status_code == 204
    for source in (soft, hard):
        refused(server.client.get(f"/v1/products/{source}"), 404, "not_found")
    refused(server.client.post("/v1/products", json={"name": "x", "source_id": soft}), 409, "duplicate_found")
    product(server, source_id=hard)
    params = {"filters[resource_type][conditions][$is]": "product"}
    entry = ok(server.client.get("/v1/trash-bin", params=params))["data"][0]
    assert server.client.delete(f"/v1/trash-bin/{entry['id']}").status_code == 204
    product(server, source_id=soft)


def test_products_are_listed_oldest_first(server: Server) -> None:
    with server.client_for(server.new_project()) as client:
        for n in range(3):
            ok(client.post("/v1/products", json={"name": f"P{n}", "source_id": f"p{n}"}))

        def found(query: str) -> list[str]:
            return [row["source_id"] for row in ok(client.get(f"/v1/products?{query}"))["products"]]

        assert found("") == ["p0", "p1", "p2"]
        assert found("order=-created_at&limit=2") == ["p2", "p1"]
        assert found("order=code") == ["p0", "p1", "p2"]
        assert found("end_date=2020-01-01") == []
        assert ok(client.get("/v1/products"))["total"] == 3
