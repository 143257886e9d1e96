"""Orders: what they cost, whose they are, and which count."""

import re
from typing import Any

import pytest

from tests.api.shop import name, ok, refused
from tests.servers import Server


def place(server: Server, **fields: Any) -> Any:
    return ok(server.client.post("/v1/orders", json=fields))


def orders_of(server: Server, customer: str) -> Any:
    return ok(server.client.get(f"/v1/customers/{customer}"))["summary"]["orders"]


def test_an_order_by_its_amount(server: Server) -> None:
    made = place(server, amount=1000, customer={"email": f"{name()}@shop.test"})
    assert re.fullmatch(r"ord_[0-9a-f]{18}", made["id"])
    assert (made["status"], made["amount"], made["total_amount"], made["updated_at"]) == ("CREATED", 1000, 1000, None)
    assert set(made["customer"]) == {"id", "object"}
    assert made["customer_id"] == made["customer"]["id"]
    assert (made["source_id"], made["metadata"], made["object"]) == (None, {}, "order")
    assert "items" not in made
    assert "discount_amount" not in made


def test_only_paid_and_fulfilled_orders_count(server: Server) -> None:
    source = name("cust")
    order = place(server, amount=1000, customer={"source_id": source})["id"]
    assert orders_of(server, source)["total_count"] == 0
    paid = ok(server.client.put(f"/v1/orders/{order}", json={"status": "PAID"}))
    assert (paid["status"], paid["updated_at"] is not None) == ("PAID", True)
    counted = orders_of(server, source)
    assert counted.pop("last_order_date")
    assert counted == {"total_amount": 1000, "total_count": 1, "average_amount": 1000, "last_order_amount": 1000}
    canceled = ok(server.client.put(f"/v1/orders/{order}", json={"status": "CANCELED"}))
    assert canceled["total_amount"] == 1000
    assert orders_of(server, source)["total_amount"] == orders_of(server, source)["total_count"] == 0


def test_the_average_of_two_orders(server: Server) -> None:
    source = name("cust")
    for amount in (200000, 3900):
        place(server, amount=amount, status="PAID", customer={"source_id": source})
    counted = orders_of(server, source)
    assert (counted["total_amount"], counted["average_amount"], counted["last_order_amount"]) == (203900, 101950, 3900)
    place(server, amount=100, status="FULFILLED", customer={"source_id": source})
    assert orders_of(server, source)["total_count"] == 3


def test_the_price_of_a_line(server: Server) -> None:
    made = place(
        server,
        items=[
            {"source_id": name("p"), "related_object": "product", "product": {"price": 60000}, "quantity": 2},
            {
                "source_id": name("s"),
                "related_object": "sku",
                "product": {"price": 1600},
                "sku": {"price": 1700},
                "quantity": 1,
            },
        ],
    )
    assert [line["amount"] for line in made["items"]] == [120000, 1700]
    assert [line["subtotal_amount"] for line in made["items"]] == [120000, 1700]
    assert made["amount"] == made["total_amount"] == 121700
    assert all(re.fullmatch(r"ordli_[0-9a-f]{18}", line["id"]) for line in made["items"])


def test_override_puts_unknown_items_into_the_catalogue(server: Server) -> None:
    source = name("s")
    items = [
        {
            "source_id": source,
            "related_object": "sku",
            "quantity": 1,
            "product": {"override": True, "name": "Comics", "price": 1600},
            "sku": {"override": True, "sku": "No. 1", "price": 1700},
        }
    ]
    made = place(server, items=items)
    line = made["items"][0]
    sku = ok(server.client.get(f"/v1/skus/{source}"))
    assert (sku["price"], sku["sku"]) == (1700, "No. 1")
    assert (line["sku_id"], line["product_id"]) == (sku["id"], sku["product_id"])
    assert ok(server.client.get(f"/v1/products/{line['product_id']}"))["name"] == "Comics"


def test_items_without_prices(server: Server) -> None:
    product = ok(server.client.post("/v1/products", json={"name": "Free", "source_id": name("p")}))["id"]
    made = place(server, amount=10000, items=[{"product_id": product, "quantity": 2}])
    assert made["amount"] == 10000
    line = made["items"][0]
    assert (line["product_id"], line["quantity"], line["object"]) == (product, 2, "order_item")
    assert not {"price", "amount", "subtotal_amount"} & set(line)


def test_an_order_is_saved_by_its_source_id(server: Server) -> None:
    source = name("o")
    made = place(server, source_id=source, amount=10, metadata={"a": 1})
    again = place(server, source_id=source, amount=20, metadata={"b": 2})
    assert (again["id"], again["amount"], again["metadata"]) == (made["id"], 20, {"a": 1, "b": 2})
    assert ok(server.client.get(f"/v1/orders/{source}")) == ok(server.client.get(f"/v1/orders/{made['id']}"))
    refused(server.client.get("/v1/orders/nope"), 404, "not_found")
    refused(server.client.put("/v1/orders/nope", json={"status": "PAID"}), 404, "not_found")


@pytest.mark.parametrize(
    "sent",
    [
        {"amount": -1},
        {"amount": 1.5},
        {"amount": "x"},
        {"status": "LOST"},
        {"items": {}},
        {"items": [{"quantity": -1, "product_id": "p"}]},
        {"metadata": 5},
        {"customer": 5},
    ],
)
def test_what_no_order_can_be(server: Server, sent: dict[str, Any]) -> None:
    source = name("o")
    answer = server.client.post("/v1/orders", json={"source_id": source, **sent})
    assert answer.status_code == 400, answer.text
    refused(server.client.get(f"/v1/orders/{source}"), 404, "not_found")


def test_orders_are_listed_oldest_first(server: Server) -> None:
    with server.client_for(server.new_project()) as client:
        for n in range(3):
            ok(client.post("/v1/orders", json={"source_id": f"o{n}", "amount": n}))
        listed = ok(client.get("/v1/orders"))
        assert (listed["data_ref"], listed["total"]) == ("orders", 3)
        assert [order["source_id"] for order in listed["orders"]] == ["o0", "o1", "o2"]
        newest = ok(client.get("/v1/orders?order=-created_at&limit=1"))
        assert [order["source_id"] for order in newest["orders"]] == ["o2"]
        refused(client.get("/v1/orders?order=amount"), 400, "invalid_query_params")
