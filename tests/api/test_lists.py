"""Lists: paging, order and filters, in every spelling that clients use."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.api.shop import amount, ok, refused
from tests.servers import Server

NEWEST = [f"V{number}" for number in range(25, 0, -1)]


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[httpx.Client]:
    """A project with 25 vouchers, V1 to V25 in order."""
    with server.client_for(server.new_project()) as client:
        for number in range(1, 26):
            sent: dict[str, Any] = {"discount": amount(number), "metadata": {"n": number, "tags": ["x", f"t{number}"]}}
            if number == 7:
                sent |= {"active": False, "expiration_date": "2030-01-01"}
            if number == 8:
                sent |= {"expiration_date": "2020-01-01", "redemption": {"quantity": 3}}
            ok(client.post(f"/v1/vouchers/V{number}", json=sent))
        yield client


def codes(client: httpx.Client, query: str = "") -> list[str]:
    return [found["code"] for found in ok(client.get(f"/v1/vouchers?{query}"))["vouchers"]]


def test_pages(client: httpx.Client) -> None:
    first = ok(client.get("/v1/vouchers"))
    assert (first["object"], first["data_ref"], first["total"]) == ("list", "vouchers", 25)
    assert [found["code"] for found in first["vouchers"]] == NEWEST[:10]
    assert all("validation_rules_assignments" not in found for found in first["vouchers"])
    assert codes(client, "limit=10&page=3") == NEWEST[20:]
    past = ok(client.get("/v1/vouchers?limit=10&page=4"))
    assert (past["vouchers"], past["total"]) == ([], 25)


@pytest.mark.parametrize("query", ["limit=101", "limit=0", "limit=x", "limit=1.5", "page=0", "page=-1", "order=nope"])
def test_impossible_pages(client: httpx.Client, query: str) -> None:
    refused(client.get(f"/v1/vouchers?{query}"), 400, "invalid_query_params")


def test_pages_end_somewhere(client: httpx.Client) -> None:
    error = refused(client.get("/v1/customers?page=100"), 400, "invalid_query_params")
    assert error["details"] == "Property .page cannot be higher than 99"
    refused(client.get("/v1/redemptions?page=1001"), 400, "page_over_limit")


def test_unknown_parameters_are_ignored(client: httpx.Client) -> None:
    assert codes(client, "colour=blue&limit=1&cache=1600000") == ["V25"]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("created_at", ["V1", "V2"]),
        ("-created_at", ["V25", "V24"]),
        ("code", ["V1", "V10"]),
        ("-code", ["V9", "V8"]),
    ],
)
def test_orders(client: httpx.Client, order: str, expected: list[str]) -> None:
    assert codes(client, f"order={order}&limit=2") == expected


@pytest.mark.parametrize(
    "query",
    [
        "filters[code][conditions][$is]=V7",
        "filters%5Bcode%5D%5Bconditions%5D%5B%24is%5D=V7",
        "[filters][code][conditions][$is][0]=V7",
        "filters[code][conditions][$is][0]=V7",
        "filters=" + json.dumps({"code": {"conditions": {"$is": "V7"}}}),
        "filters=" + json.dumps({"code": {"conditions": {"$in": ["V7"]}}}),
        "code=V7",
        "filters[active][conditions][$disabled]=true",
        "filters[metadata.n][conditions][$is]=7",
        "filters[metadata.tags][conditions][$is]=t7",
        "filters[expiration_date][conditions][$after]=2029-01-01",
        "filters[code][conditions][$starts_with]=V&filters[code][conditions][$ends_with]=7&filters[code][conditions][$not_contain]=1",
    ],
)
def test_filters_that_find_one(client: httpx.Client, query: str) -> None:
    found = codes(client, query)
    assert [code for code in found if code != "V17"] == ["V7"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("ids=V1", []),
        ("filters[code][conditions][$in][0]=V1&filters[code][conditions][$in][1]=V2", ["V2", "V1"]),
        ("filters[code][conditions][$in]=V1&filters[code][conditions][$in]=V2", ["V2", "V1"]),
        ("filters[active][conditions][$expired]=true", ["V8"]),
        ("filters[redemption.quantity][conditions][$more_than]=2", ["V8"]),
        ("filters[redemption.quantity][conditions][$has_value]=", ["V8"]),
        ("filters[metadata.n][conditions][$is]=24", ["V24"]),
        (
            "filters[junction]=OR&filters[campaign_ids][conditions][$in][0]=nope&filters[code][conditions][$is][0]=V4",
            ["V4"],
        ),
        (
            "filters[junction]=and&filters[code][conditions][$in][]=V4&filters[code][conditions][$in][]=V5&filters[code][conditions][$is_not]=V4",
            ["V5"],
        ),
        ("filters[metadata.tags][conditions][$in]=t1&filters[metadata.tags][conditions][$in]=t2", ["V2", "V1"]),
        ("filters[metadata.tags][conditions][$count]=3", []),
        ("filters[metadata.n][conditions][$more_than]=23", ["V25", "V24"]),
        ("filters[metadata.tags][conditions][$more_than]=1", []),
        ("filters[metadata.n][conditions][$less_than]=2", ["V1"]),
        ("filters[metadata.none][conditions][$has_value]=", []),
        ("filters[metadata.tags][conditions][$not_in]=x", []),
        ("filters[categories][conditions][$has_value]=", []),
        ("campaign=nope", []),
        ("filters[is_referral_code][conditions][$is]=true", []),
    ],
)
def test_filters(client: httpx.Client, query: str, expected: list[str]) -> None:
    assert codes(client, query) == expected


@pytest.mark.parametrize(
    "query",
    [
        "filters[colour][conditions][$is]=x",
        "filters[code][conditions][$near]=x",
        "filters[code]=x",
        "filters[junction]=XOR",
        "filters[redemption.quantity][conditions][$more_than]=many",
        "filters[created_at][conditions][$after]=soon",
        "filters={",
        "filters=[]",
        "created_at[after]=soon",
    ],
)
def test_impossible_filters(client: httpx.Client, query: str) -> None:
    refused(client.get(f"/v1/vouchers?{query}"), 400, "invalid_query_params")


def test_bounds_in_time_are_exclusive(client: httpx.Client) -> None:
    moment = ok(client.get("/v1/vouchers/V20"))["created_at"]
    later = codes(client, f"created_at[after]={moment}")
    assert later == NEWEST[: len(later)]
    assert not {"V20", "V19"} & set(later)
    assert codes(client, f"[created_at][after]={moment}") == later
    earlier = codes(client, f"created_at[before]={moment}&limit=100")
    assert set(earlier) & set(later) == set()
    assert "V20" not in earlier
    assert "V10" in earlier


def test_ids_may_repeat_or_be_joined(client: httpx.Client) -> None:
    one, two = (ok(client.get(f"/v1/vouchers/{code}"))["id"] for code in ("V1", "V2"))
    assert codes(client, f"ids={one}&ids={two}") == codes(client, f"ids={one},{two}") == ["V2", "V1"]


def test_redemptions_are_listed_by_what_they_were(client: httpx.Client) -> None:
    ok(client.post("/v1/vouchers/LR", json={"gift": {"amount": 500}}))
    sent = {"redeemables": [{"object": "voucher", "id": "LR", "gift": {"credits": 5}}], "order": {"amount": 50}}
    done = ok(client.post("/v1/redemptions", json=sent | {"customer": {"source_id": "lister"}}))["redemptions"][0]["id"]
    failed = client.post(
        "/v1/redemptions",
        json={"redeemables": [{"object": "voucher", "id": "LR", "gift": {"credits": 501}}], "order": {"amount": 50}},
    ).json()["resource_id"]
    undone = ok(client.post(f"/v1/redemptions/{done}/rollback"))["id"]

    def found(query: str) -> list[str]:
        return [row["id"] for row in ok(client.get(f"/v1/redemptions?{query}"))["redemptions"]]

    assert found("limit=100") == [undone, failed, done]
    assert found("order=created_at") == [done, failed, undone]
    assert found("result=SUCCESS") == [undone, done] or found("result=SUCCESS") == [done]
    assert found("result=FAILURE") == [failed]
    assert found("customer=lister") == [undone, done]
    assert found("filters[voucher_code][conditions][$is]=LR&filters[result][conditions][$is]=FAILURE") == [failed]
    for id in (done, failed, undone):
        assert ok(client.get(f"/v1/redemptions/{id}"))["id"] == id
