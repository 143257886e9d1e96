"""Customers: who they are, what is remembered of them, how they are forgotten."""

import re
from typing import Any

import pytest

from tests.api.shop import amount, code, name, ok, redeem, refused
from tests.servers import Server


def save(server: Server, **fields: Any) -> Any:
    return ok(server.client.post("/v1/customers", json=fields))


def read(server: Server, id: str) -> Any:
    return ok(server.client.get(f"/v1/customers/{id}"))


def test_a_new_customer_has_no_past(server: Server) -> None:
    source = name("cust")
    made = save(server, source_id=source, name="Ann", address={"city": "Berlin"})
    assert re.fullmatch(r"cust_[0-9A-Za-z]{24}", made["id"])
    assert (made["source_id"], made["name"], made["address"]["city"]) == (source, "Ann", "Berlin")
    assert made["summary"] == {
        "redemptions": {
            "total_redeemed": 0,
            "total_failed": 0,
            "total_succeeded": 0,
            "total_rolled_back": 0,
            "total_rollback_failed": 0,
            "total_rollback_succeeded": 0,
            "gift": {"redeemed_amount": 0, "amount_to_go": 0},
            "loyalty_card": {"redeemed_points": 0, "points_to_go": 0},
        },
        "orders": {"total_amount": 0, "total_count": 0, "average_amount": 0, "last_order_amount": 0},
    }
    assert made["loyalty"] == {"points": 0, "referred_customers": 0, "campaigns": {}}
    assert made["referrals"] == {"total": 0, "campaigns": []}
    assert (made["system_metadata"], made["object"]) == ({}, "customer")
    assert "updated_at" not in made
    assert read(server, source) == made


def test_saving_twice_changes_one_customer(server: Server) -> None:
    source = name("cust")
    first = save(server, source_id=source, name="X", address={"city": "Berlin"})
    second = save(server, source_id=source, metadata={"k": 1}, address={"country": "DE"})
    assert second["id"] == first["id"]
    assert (second["name"], second["metadata"]) == ("X", {"k": 1})
    assert (second["address"]["city"], second["address"]["country"]) == ("Berlin", "DE")
    assert second["updated_at"] >= first["created_at"]
    assert save(server, id=first["id"], source_id="ignored")["source_id"] == source
    activity = ok(server.client.get(f"/v1/customers/{source}/activity?order=created_at"))
    assert [event["type"] for event in activity["data"]] == [
        "customer.created",
        "customer.updated",
        "customer.updated",
    ]
    assert all(re.fullmatch(r"evcus_[0-9a-f]{18}", event["id"]) for event in activity["data"])
    assert all(re.fullmatch(r"v-[0-9a-f]{18}", event["group_id"]) for event in activity["data"])


def test_metadata_is_merged_and_null_is_a_value(server: Server) -> None:
    source = name("cust")
    save(server, source_id=source, metadata={"a": 1})
    changed = ok(server.client.put(f"/v1/customers/{source}", json={"metadata": {"b": 2}}))
    assert changed["metadata"] == {"a": 1, "b": 2}
    changed = ok(server.client.put(f"/v1/customers/{source}", json={"metadata": {"a": None}}))
    assert changed["metadata"] == {"a": None, "b": 2}
    assert read(server, source)["metadata"] == {"a": None, "b": 2}


def test_an_update_keeps_the_identity(server: Server) -> None:
    source = name("cust")
    made = save(server, source_id=source, name="A", email="a@b.co", phone="1")
    changed = ok(server.client.put(f"/v1/customers/{made['id']}", json={"source_id": "B", "id": "C", "name": None}))
    assert (changed["id"], changed["source_id"], changed["email"]) == (made["id"], source, "a@b.co")
    assert changed.get("name") is None
    assert read(server, source) == read(server, made["id"])
    refused(server.client.put("/v1/customers/nobody", json={"name": "x"}), 404, "not_found")
    refused(server.client.get("/v1/customers/nobody"), 404, "not_found")


def test_an_email_finds_the_customer_it_belongs_to(server: Server) -> None:
    mail = f"{name('m')}@shop.test"
    made = save(server, email=mail)
    assert made["source_id"] is None
    assert save(server, email=mail, name="Later")["id"] == made["id"]
    source = name("cust")
    other = save(server, source_id=source, email=mail)
    assert other["id"] != made["id"]
    listed = ok(server.client.get("/v1/customers", params={"email": mail.upper()}))
    assert {found["id"] for found in listed["customers"]} == {made["id"], other["id"]}
    assert (listed["data_ref"], listed["has_more"], listed["total"]) == ("customers", False, 2)


@pytest.mark.parametrize(
    "sent",
    [{"email": "nonsense"}, {"email": 5}, {"birthdate": "31.12.2000"}, {"metadata": []}, {"address": "x"}, {"name": 1}],
)
def test_what_no_customer_can_be(server: Server, sent: dict[str, Any]) -> None:
    source = name("cust")
    refused(server.client.post("/v1/customers", json={"source_id": source, **sent}), 400, "invalid_payload")
    refused(server.client.get(f"/v1/customers/{source}"), 404, "not_found")


@pytest.mark.parametrize("day", ["birthdate", "birthday"])
def test_a_day_of_birth_can_be_changed_and_cleared(server: Server, day: str) -> None:
    path = f"/v1/customers/{save(server, **{'source_id': name('cust'), day: '1990-01-01'})['id']}"
    assert ok(server.client.put(path, json={day: "1991-12-31"}))[day] == "1991-12-31"
    assert ok(server.client.get(path))[day] == "1991-12-31"
    refused(server.client.put(path, json={day: "1991-02-30"}), 400, "invalid_payload")
    assert day not in ok(server.client.put(path, json={day: None}))


def test_source_ids_may_be_mails_and_hold_spaces(server: Server) -> None:
    source = f"Ann Smith+1@shop.test {name()}"
    made = save(server, source_id=source)
    path = "/v1/customers/" + source.replace("+", "%2B").replace(" ", "%20")
    assert ok(server.client.get(path))["id"] == made["id"]


def test_customers_are_listed_newest_first(server: Server) -> None:
    with server.client_for(server.new_project()) as client:
        made = [
            ok(
                client.post(
                    "/v1/customers", json={"source_id": f"c{n}", "name": f"N{n % 2}", "address": {"city": f"T{n}"}}
                )
            )
            for n in range(1, 5)
        ]

        def found(query: str) -> list[str]:
            return [row["source_id"] for row in ok(client.get(f"/v1/customers?{query}"))["customers"]]

        page = ok(client.get("/v1/customers?limit=2"))
        assert ([row["source_id"] for row in page["customers"]], page["has_more"], page["total"]) == (
            ["c4", "c3"],
            True,
            4,
        )
        assert found("limit=2&page=2") == ["c2", "c1"]
        assert found("order=source_id") == ["c1", "c2", "c3", "c4"]
        assert found("name=N1&order=source_id") == ["c1", "c3"]
        assert found("city=T2") == ["c2"]
        assert "c1" in found(f"starting_after={made[1]['created_at']}")
        assert "c4" not in found(f"starting_after={made[1]['created_at']}")
        assert found(f"created_at[after]={made[3]['created_at']}") == []


def test_deleting_a_customer_keeps_the_ledger(server: Server) -> None:
    source, made = name("cust"), code(server.client, amount(5))
    done = redeem(server.client, made, order={"amount": 50, "source_id": name("o")}, customer={"source_id": source})
    id = read(server, source)["id"]
    assert server.client.delete(f"/v1/customers/{source}").status_code == 204
    for key in (source, id):
        refused(server.client.get(f"/v1/customers/{key}"), 404, "not_found")
    refused(server.client.delete(f"/v1/customers/{source}"), 404, "not_found")
    refused(server.client.get(f"/v1/orders/{done['order']['id']}"), 404, "not_found")
    record = ok(server.client.get(f"/v1/redemptions/{done['redemptions'][0]['id']}"))
    assert record["customer_id"] == id
    server.verify()
    assert save(server, source_id=source)["id"] != id


def test_permanent_deletion_says_what_is_gone(server: Server) -> None:
    source = name("cust")
    made = save(server, source_id=source, email="gone@shop.test")
    ok(server.client.post("/v1/orders", json={"amount": 5, "customer": {"source_id": source}}))
    answer = ok(server.client.post(f"/v1/customers/{source}/permanent-deletion"))
    assert re.fullmatch(r"del_[0-9A-Za-z]{24}", answer["id"])
    assert (answer["object"], answer["status"], answer["related_object"]) == ("pernament_deletion", "DONE", "customer")
    assert answer["related_object_id"] == made["id"]
    assert (answer["data_json"]["orders"], answer["data_json"]["customer"]) == (1, 1)
    refused(server.client.get(f"/v1/customers/{source}"), 404, "not_found")
    refused(server.client.post(f"/v1/customers/{source}/permanent-deletion"), 404, "not_found")


def test_the_activity_of_a_customer(server: Server) -> None:
    source, made = name("cust"), code(server.client, amount(5))
    done = redeem(server.client, made, order=50, customer={"source_id": source})["redemptions"][0]["id"]
    ok(server.client.post(f"/v1/redemptions/{done}/rollback"))
    path = f"/v1/customers/{source}/activity"
    types = [event["type"] for event in ok(server.client.get(f"{path}?limit=100&order=created_at"))["data"]]
    for expected in (
        "customer.created",
        "customer.redemption.succeeded",
        "customer.order.created",
        "customer.order.paid",
        "customer.redemption.rollback.succeeded",
        "customer.order.canceled",
    ):
        assert expected in types
    only = ok(server.client.get(f"{path}?type=customer.redemption.succeeded"))["data"]
    assert [event["type"] for event in only] == ["customer.redemption.succeeded"]
    page = ok(server.client.get(f"{path}?limit=1"))
    assert page["has_more"] is True
    following = ok(server.client.get(f"{path}?limit=1&starting_after_id={page['more_starting_after']}"))
    assert following["data"][0]["id"] < page["data"][0]["id"]
    refused(server.client.get(f"{path}?starting_after_id=nope"), 400, "invalid_query_params")
