"""Segments over HTTP: who is in, who enters and leaves, and what that means elsewhere."""

import re
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.api.shop import name, ok, refused
from tests.servers import Server

PATH = "/v1/segments"
ENTERED, LEFT = "customer.segment.entered", "customer.segment.left"


def customer(client: httpx.Client, **more: Any) -> Any:
    return ok(client.post("/v1/customers", json={"source_id": name("cu"), **more}))


def where(junction: str = "and", /, **fields: Any) -> dict[str, Any]:
    """A filter; `__` stands for the dot in a field."""
    return {"junction": junction} | {
        field.replace("__", "."): {"conditions": conditions} for field, conditions in fields.items()
    }


def segment(client: httpx.Client, filter: dict[str, Any], kind: str = "auto-update") -> str:
    """The id of a new segment, filled."""
    made = ok(client.post(PATH, json={"name": name("Segment"), "type": kind, "filter": filter}))
    eventually(lambda: ok(client.get(f"{PATH}/{made['id']}"))["initial_sync_status"] == "DONE")
    return str(made["id"])


def eventually(holds: Callable[[], bool]) -> None:
    """Waits for what goes on in the background."""
    until = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < until, "it never came true"
        time.sleep(0.02)


def segments_of(client: httpx.Client, who: Any) -> set[str]:
    return {one["id"] for one in ok(client.get(f"/v1/customers/{who['id']}/segments"))["data"]}


def members(client: httpx.Client, segment_id: str) -> set[str]:
    found = ok(client.get(f"/v1/customers?segment_id={segment_id}&limit=100"))
    assert found["total"] == len(found["customers"])
    return {one["id"] for one in found["customers"]}


def told(client: httpx.Client, who: Any, segment_id: str) -> list[str]:
    """What was told of a customer and a segment, oldest first."""
    path = f"/v1/customers/{who['id']}/activity?limit=100&order=created_at"
    return [
        one["type"]
        for one in ok(client.get(path))["data"]
        if one["type"] in (ENTERED, LEFT) and one["data"]["segment"]["id"] == segment_id
    ]


def change(client: httpx.Client, who: Any, **values: Any) -> None:
    ok(client.put(f"/v1/customers/{who['id']}", json=values))


# The resource


def test_a_segment_is_shown_as_it_was_made(server: Server) -> None:
    sent = where("AND", name={"$is": "Ann"}, metadata__age={"$more_than": [18]})
    made = ok(server.client.post(PATH, json={"name": "Adults", "type": "auto-update", "filter": sent}))
    assert re.fullmatch(r"seg_[0-9A-Za-z]{24}", made["id"])
    assert made == {
        "id": made["id"],
        "name": "Adults",
        "created_at": made["created_at"],
        "updated_at": None,
        "type": "auto-update",
        "filter": sent | {"junction": "and"},
        "initial_sync_status": "IN_PROGRESS",
        "object": "segment",
    }
    eventually(
        lambda: ok(server.client.get(f"{PATH}/{made['id']}")) == made | {"initial_sync_status": "DONE"},
    )


def test_a_static_segment_holds_those_it_lists(server: Server) -> None:
    ann, ben, other = (customer(server.client) for _ in range(3))
    sent = {"name": "Few", "type": "static", "customers": [ann["id"], ben["source_id"], "nobody", ann["id"]]}
    made = ok(server.client.post(PATH, json=sent))
    assert (made["filter"], made["initial_sync_status"]) == (None, "DONE")
    assert members(server.client, made["id"]) == {ann["id"], ben["id"]}
    assert segments_of(server.client, ann) == {made["id"]}
    assert segments_of(server.client, other) == set()
    assert told(server.client, ann, made["id"]) == []


def test_segments_are_listed(server: Server) -> None:
    made = [ok(server.client.post(PATH, json={"name": f"Listed {n}", "type": "static"}))["id"] for n in range(3)]
    query = "&".join(f"ids={id}" for id in made)

    def listed(more: str) -> list[str]:
        return [one["id"] for one in ok(server.client.get(f"{PATH}?{query}{more}"))["data"]]

    assert listed("") == made[::-1]
    assert listed("&order=created_at") == made
    assert listed("&order=created_at&limit=2") == made[:2]
    assert listed("&order=created_at&limit=2&page=2") == made[2:]
    assert listed("&filters[name][conditions][$is][0]=Listed 1") == [made[1]]
    assert listed("&filters[type][conditions][$is][0]=passive") == []
    assert listed(f"&filters[id][conditions][$in][0]={made[2]}") == [made[2]]
    assert listed("&filters[created_at][conditions][$before][0]=2020-01-01") == []
    answer = ok(server.client.get(f"{PATH}?{query}&limit=1"))
    assert (answer["object"], answer["data_ref"], answer["total"]) == ("list", "data", 3)
    refused(server.client.get(f"{PATH}?order=name"), 400, "invalid_query_params")


def test_a_deleted_segment_is_gone(server: Server) -> None:
    ann = customer(server.client)
    made = segment(server.client, where(id={"$is": ann["id"]}))
    assert segments_of(server.client, ann) == {made}
    assert server.client.delete(f"{PATH}/{made}").status_code == 204
    for response in (server.client.get(f"{PATH}/{made}"), server.client.delete(f"{PATH}/{made}")):
        assert refused(response, 404, "not_found")["resource_type"] == "segment"
    assert segments_of(server.client, ann) == set()
    assert members(server.client, made) == set()


@pytest.mark.parametrize(
    ("sent", "place"),
    [
        ({"type": "auto-update", "filter": {"junction": "and"}}, "name"),
        ({"name": "X", "filter": {"junction": "and"}}, "type"),
        ({"name": "X", "type": "auto-update"}, ".filter"),
        ({"name": "X", "type": "passive", "filter": []}, ".filter"),
        ({"name": "X", "type": "auto-update", "filter": {}, "customers": []}, ".customers"),
        ({"name": "X", "type": "static", "filter": {}}, ".filter"),
        ({"name": "X", "type": "static", "customers": [1]}, ".customers[0]"),
        ({"name": "X", "type": "static", "customers": ["c"] * 2 + [f"c{n}" for n in range(20_000)]}, ".customers"),
        ({"name": "X", "type": "dynamic"}, ".type"),
        ({"name": "", "type": "static"}, ".name"),
        ({"name": "X", "type": "passive", "filter": where("xor")}, ".filter has wrong `junction`"),
        ({"name": "X", "type": "passive", "filter": where(shoe__size={"$is": 1})}, "'shoe.size'"),
        ({"name": "X", "type": "passive", "filter": where(name={"$more_than": 1})}, ".filter.name.conditions"),
        ({"name": "X", "type": "passive", "filter": where(loyalty__points={"$is": "a"})}, ".filter.loyalty.points"),
        ({"name": "X", "type": "passive", "filter": {"junction": "and", "name": {"is": 1}}}, ".filter.name"),
    ],
)
def test_what_cannot_be_a_segment_is_refused_with_its_place(server: Server, sent: dict[str, Any], place: str) -> None:
    assert place in refused(server.client.post(PATH, json=sent), 400, "invalid_payload")["details"]


# Who is in


def test_fields_are_joined_by_the_junction(server: Server) -> None:
    fields = {"address__country": {"$is": "Poland"}, "metadata__club_level": {"$in": ["Gold", "Silver"]}}
    ann = customer(server.client, address={"country": "Poland"}, metadata={"club_level": "Bronze"})
    both, either = segment(server.client, where(**fields)), segment(server.client, where("or", **fields))
    assert segments_of(server.client, ann) == {either}
    assert ann["id"] in members(server.client, either)
    assert ann["id"] not in members(server.client, both)


def test_whoever_is_there_when_a_segment_is_made_has_not_entered_it(server: Server) -> None:
    ann = customer(server.client, metadata={"old": True})
    made = segment(server.client, where(metadata__old={"$is": True}))
    assert members(server.client, made) == {ann["id"]}
    assert told(server.client, ann, made) == []


def test_a_customer_enters_and_leaves_by_changing(server: Server) -> None:
    made = segment(server.client, where(metadata__level={"$is": "Gold"}))
    ann = customer(server.client)
    assert segments_of(server.client, ann) == set()
    change(server.client, ann, metadata={"level": "Gold"})
    assert segments_of(server.client, ann) == {made}
    assert members(server.client, made) == {ann["id"]}
    change(server.client, ann, metadata={"level": "Gold"}, name="Ann")
    change(server.client, ann, metadata={"level": "Silver"})
    assert segments_of(server.client, ann) == set()
    change(server.client, ann, metadata={"level": "Gold"})
    assert told(server.client, ann, made) == [ENTERED, LEFT, ENTERED]
    path = f"/v1/customers/{ann['id']}/activity?type={ENTERED}&limit=1"
    data = ok(server.client.get(path))["data"][0]["data"]
    assert data["customer"]["metadata"] == {"level": "Gold"}
    assert data["segment"] == {
        "id": made,
        "name": ok(server.client.get(f"{PATH}/{made}"))["name"],
        "object": "segment",
    }


def test_passive_segments_tell_nothing(server: Server) -> None:
    made = segment(server.client, where(metadata__quiet={"$is": True}), kind="passive")
    ann = customer(server.client, metadata={"quiet": True})
    assert segments_of(server.client, ann) == {made}
    assert members(server.client, made) == {ann["id"]}
    assert told(server.client, ann, made) == []


def test_orders_and_redemptions_move_segments(server: Server) -> None:
    buyers = segment(server.client, where(summary__orders__total_amount={"$more_than_equal": [5000]}))
    redeemers = segment(server.client, where(summary__redemptions__total_redeemed={"$more_than": ["0"]}))
    ann = customer(server.client)
    order = ok(server.client.post("/v1/orders", json={"amount": 5000, "customer": {"id": ann["id"]}}))
    assert segments_of(server.client, ann) == set()
    ok(server.client.put(f"/v1/orders/{order['id']}", json={"status": "PAID"}))
    assert segments_of(server.client, ann) == {buyers}
    ok(server.client.put(f"/v1/orders/{order['id']}", json={"status": "CANCELED"}))
    assert segments_of(server.client, ann) == set()
    code = name("V")
    discount = {"type": "DISCOUNT_VOUCHER", "discount": {"type": "PERCENT", "percent_off": 10}}
    ok(server.client.post(f"/v1/vouchers/{code}", json=discount))
    sent = {
        "redeemables": [{"object": "voucher", "id": code}],
        "customer": {"id": ann["id"]},
        "order": {"amount": 10_000},
    }
    redeemed = ok(server.client.post("/v1/redemptions", json=sent))["redemptions"][0]["id"]
    assert segments_of(server.client, ann) == {buyers, redeemers}
    ok(server.client.post(f"/v1/redemptions/{redeemed}/rollback", json={}))
    assert segments_of(server.client, ann) == set()
    assert told(server.client, ann, redeemers) == [ENTERED, LEFT]


def test_a_customer_nobody_has_seen_is_judged_as_a_blank_profile(server: Server) -> None:
    source_id = name("nobody")
    made = segment(server.client, where(source_id={"$is": source_id}, name={"$is_unknown": ""}))
    found = ok(server.client.get(f"/v1/customers/{source_id}/segments"))
    assert [one["id"] for one in found["data"] if one["id"] == made] == [made]
    assert (found["object"], found["data_ref"], found["total"]) == ("list", "data", len(found["data"]))


def test_a_deleted_customer_leaves_every_segment(server: Server) -> None:
    ann = customer(server.client, metadata={"gone": 1})
    made = segment(server.client, where(metadata__gone={"$is": 1}))
    ok(server.client.post(PATH, json={"name": "One", "type": "static", "customers": [ann["id"]]}))
    found = ok(server.client.post(f"/v1/customers/{ann['id']}/permanent-deletion"))
    assert found["data_json"]["segments"] == 2
    assert members(server.client, made) == set()
    again = customer(server.client, source_id=ann["source_id"])
    assert segments_of(server.client, again) == set()
