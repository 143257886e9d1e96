"""Segments over HTTP: who is in, who enters and leaves, and what moves them."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import voucherify

from tests.api.members import join
from tests.api.segments import (
    ENTERED,
    LEFT,
    PATH,
    add_points,
    change,
    customer,
    limited,
    members,
    passes,
    program_named,
    segment,
    segments_of,
    told,
    where,
)
from tests.api.shop import gift, name, ok, redeem, refused
from tests.api.shop import voucher as voucher_of
from tests.servers import Server
from tests.waiting import wait_until

# The resource


def test_a_segment_is_shown_as_it_was_made(client: httpx.Client) -> None:
    sent = where("AND", name={"$is": "Ann"}, metadata__age={"$more_than": [18]})
    made = ok(client.post(PATH, json={"name": "Adults", "type": "auto-update", "filter": sent}))
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
    wait_until(
        lambda: ok(client.get(f"{PATH}/{made['id']}")) == made | {"initial_sync_status": "DONE"},
    )


def test_a_static_segment_holds_those_it_lists(client: httpx.Client) -> None:
    ann, ben, other = (customer(client) for _ in range(3))
    sent = {"name": "Few", "type": "static", "customers": [ann["id"], ben["source_id"], "nobody", ann["id"]]}
    made = ok(client.post(PATH, json=sent))
    assert (made["filter"], made["initial_sync_status"]) == (None, "DONE")
    assert members(client, made["id"]) == {ann["id"], ben["id"]}
    assert segments_of(client, ann) == {made["id"]}
    assert segments_of(client, other) == set()
    assert told(client, ann, made["id"]) == []


def test_segments_are_listed(client: httpx.Client) -> None:
    made = [ok(client.post(PATH, json={"name": f"Listed {n}", "type": "static"}))["id"] for n in range(3)]
    query = "&".join(f"ids={id}" for id in made)

    def listed(more: str) -> list[str]:
        return [one["id"] for one in ok(client.get(f"{PATH}?{query}{more}"))["data"]]

    assert listed("") == made[::-1]
    assert listed("&order=created_at") == made
    assert listed("&order=created_at&limit=2") == made[:2]
    assert listed("&order=created_at&limit=2&page=2") == made[2:]
    assert listed("&filters[name][conditions][$is][0]=Listed 1") == [made[1]]
    assert listed("&filters[type][conditions][$is][0]=passive") == []
    assert listed(f"&filters[id][conditions][$in][0]={made[2]}") == [made[2]]
    assert listed("&filters[created_at][conditions][$before][0]=2020-01-01") == []
    answer = ok(client.get(f"{PATH}?{query}&limit=1"))
    assert (answer["object"], answer["data_ref"], answer["total"]) == ("list", "data", 3)
    refused(client.get(f"{PATH}?order=name"), 400, "invalid_query_params")


def test_a_deleted_segment_is_gone(client: httpx.Client) -> None:
    ann = customer(client)
    made = segment(client, where(id={"$is": ann["id"]}))
    assert segments_of(client, ann) == {made}
    assert client.delete(f"{PATH}/{made}").status_code == 204
    for response in (client.get(f"{PATH}/{made}"), client.delete(f"{PATH}/{made}")):
        assert refused(response, 404, "not_found")["resource_type"] == "segment"
    assert segments_of(client, ann) == set()
    assert members(client, made) == set()


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
def test_what_cannot_be_a_segment_is_refused_with_its_place(
    client: httpx.Client, sent: dict[str, Any], place: str
) -> None:
    assert place in refused(client.post(PATH, json=sent), 400, "invalid_payload")["details"]


def test_segments_live_through_the_sdk(server: Server) -> None:
    api, customers = voucherify.SegmentsApi(server.sdk()), voucherify.CustomersApi(server.sdk())
    ann = customer(server.client, name="Sdk Ann")
    sent = {"name": "Sdk", "type": "auto-update", "filter": where(name={"$is": "Sdk Ann"})}
    made = api.create_segment(voucherify.SegmentsCreateRequestBody.from_dict(sent))
    assert api.get_segment(made.id).name == "Sdk"
    wait_until(lambda: [one.id for one in customers.list_customer_segments(ann["id"]).data] == [made.id])
    static = {"name": "Sdk", "type": "static", "customers": [ann["id"]]}
    listed = api.create_segment(voucherify.SegmentsCreateRequestBody.from_dict(static))
    assert customers.list_customer_segments(ann["id"]).total == 2
    for one in (made, listed):
        api.delete_segment(one.id)
    assert customers.list_customer_segments(ann["id"]).total == 0


# Who is in


def test_fields_are_joined_by_the_junction(client: httpx.Client) -> None:
    fields = {"address__country": {"$is": "Poland"}, "metadata__club_level": {"$in": ["Gold", "Silver"]}}
    ann = customer(client, address={"country": "Poland"}, metadata={"club_level": "Bronze"})
    both, either = segment(client, where(**fields)), segment(client, where("or", **fields))
    assert segments_of(client, ann) == {either}
    assert ann["id"] in members(client, either)
    assert ann["id"] not in members(client, both)


def test_whoever_is_there_when_a_segment_is_made_has_not_entered_it(client: httpx.Client) -> None:
    ann = customer(client, metadata={"old": True})
    made = segment(client, where(metadata__old={"$is": True}))
    assert members(client, made) == {ann["id"]}
    assert told(client, ann, made) == []


def test_a_customer_enters_and_leaves_by_changing(client: httpx.Client) -> None:
    made = segment(client, where(metadata__level={"$is": "Gold"}))
    ann = customer(client)
    assert segments_of(client, ann) == set()
    change(client, ann, metadata={"level": "Gold"})
    assert segments_of(client, ann) == {made}
    assert members(client, made) == {ann["id"]}
    change(client, ann, metadata={"level": "Gold"}, name="Ann")
    change(client, ann, metadata={"level": "Silver"})
    assert segments_of(client, ann) == set()
    change(client, ann, metadata={"level": "Gold"})
    assert told(client, ann, made) == [ENTERED, LEFT, ENTERED]
    path = f"/v1/customers/{ann['id']}/activity?type={ENTERED}&limit=1"
    data = ok(client.get(path))["data"][0]["data"]
    assert data["customer"]["metadata"] == {"level": "Gold"}
    assert data["segment"] == {
        "id": made,
        "name": ok(client.get(f"{PATH}/{made}"))["name"],
        "object": "segment",
    }


def test_passive_segments_tell_nothing(client: httpx.Client) -> None:
    made = segment(client, where(metadata__quiet={"$is": True}), kind="passive")
    ann = customer(client, metadata={"quiet": True})
    assert segments_of(client, ann) == {made}
    assert members(client, made) == {ann["id"]}
    assert told(client, ann, made) == []


def test_orders_and_redemptions_move_segments(client: httpx.Client) -> None:
    buyers = segment(client, where(summary__orders__total_amount={"$more_than_equal": [5000]}))
    redeemers = segment(client, where(summary__redemptions__total_redeemed={"$more_than": ["0"]}))
    ann = customer(client)
    order = ok(client.post("/v1/orders", json={"amount": 5000, "customer": {"id": ann["id"]}}))
    assert segments_of(client, ann) == set()
    ok(client.put(f"/v1/orders/{order['id']}", json={"status": "PAID"}))
    assert segments_of(client, ann) == {buyers}
    ok(client.put(f"/v1/orders/{order['id']}", json={"status": "CANCELED"}))
    assert segments_of(client, ann) == set()
    code = name("V")
    discount = {"type": "DISCOUNT_VOUCHER", "discount": {"type": "PERCENT", "percent_off": 10}}
    ok(client.post(f"/v1/vouchers/{code}", json=discount))
    sent = {
        "redeemables": [{"object": "voucher", "id": code}],
        "customer": {"id": ann["id"]},
        "order": {"amount": 10_000},
    }
    redeemed = ok(client.post("/v1/redemptions", json=sent))["redemptions"][0]["id"]
    assert segments_of(client, ann) == {buyers, redeemers}
    ok(client.post(f"/v1/redemptions/{redeemed}/rollback", json={}))
    assert segments_of(client, ann) == set()
    assert told(client, ann, redeemers) == [ENTERED, LEFT]


def test_custom_events_move_segments(client: httpx.Client) -> None:
    definition = {"name": "sign.up", "schema": {"properties": {}}}
    ok(client.post("/largesse/v1/custom-event-schemas", json=definition))
    made = segment(client, where(**{"events__sign.up__count": {"$more_than": ["0"]}}))
    late = segment(client, where(**{"events__sign.up__last_date": {"$today": True}}), kind="passive")
    ann, ben = customer(client), customer(client)
    voucher = limited(client, {"$is": [made]})
    assert not passes(client, voucher, {"id": ann["id"]})
    ok(client.post("/v1/events", json={"event": "sign.up", "customer": {"id": ann["id"]}}))
    assert segments_of(client, ann) == {made, late}
    assert segments_of(client, ben) == set()
    assert told(client, ann, made) == [ENTERED]
    assert passes(client, voucher, {"id": ann["id"]})
    assert passes(client, voucher, {"id": ann["id"], "metadata": {"also": "judged as described"}})
    older = segment(client, where(**{"events__sign.up__count": {"$is": 1}}))
    assert segments_of(client, ann) == {made, late, older}


def test_cards_move_segments(client: httpx.Client) -> None:
    ok(client.post("/v1/loyalties", json=program_named("Tiers 2")))
    ann = customer(client)
    card = join(client, "Tiers 2", {"id": ann["id"]})["code"]
    points = {"loyalty_points.campaigns.Tiers 2.points": {"conditions": {"$more_than_equal": [41]}}}
    rich = segment(client, {"junction": "and"} | points)
    owner = segment(client, where(summary__redemptions__gift__amount_to_go={"$more_than": [0]}))
    assert segments_of(client, ann) == set()
    add_points(client, card, 40)
    assert segments_of(client, ann) == set()
    add_points(client, card, 1)
    assert segments_of(client, ann) == {rich}
    voucher = limited(client, {"$is": [rich]})
    assert passes(client, voucher, {"id": ann["id"]})
    tier = {"name": "Gold", "points": {"from": 41}}
    ok(client.post("/v1/loyalties/Tiers 2/tiers", json=[tier]))
    in_tier = segment(client, {"junction": "and", "loyalty_tier.campaigns.Tiers 2": {"conditions": {"$is": "Gold"}}})
    assert segments_of(client, ann) == {rich, in_tier}
    add_points(client, card, -1)
    assert not passes(client, voucher, {"id": ann["id"]})
    assert told(client, ann, rich) == [ENTERED, LEFT]
    spent = gift(client, 500)
    ok(client.post("/v1/publications", json={"customer": {"id": ann["id"]}, "voucher": spent}))
    assert segments_of(client, ann) == {owner}
    redeem(client, (spent, 500), order=1000)
    assert segments_of(client, ann) == set()
    assert told(client, ann, owner) == [ENTERED, LEFT]


def test_points_are_earned_by_entering(client: httpx.Client) -> None:
    ok(client.post("/v1/loyalties", json=program_named("Earning")))
    made = segment(client, where(metadata__level={"$is": "Gold"}), kind="passive")
    ann = customer(client)
    card = join(client, "Earning", {"id": ann["id"]})["code"]
    earning = {"event": ENTERED, "segment": {"id": made}, "loyalty": {"type": "FIXED", "points": 10}}
    earned_by = ok(client.post("/v1/loyalties/Earning/earning-rules", json=[earning]))[0]["id"]
    found = ok(client.get(f"{PATH}/{made}"))
    assert (found["type"], found["updated_at"] is not None) == ("auto-update", True)
    change(client, ann, metadata={"level": "Gold"})
    assert voucher_of(client, card)["loyalty_card"]["balance"] == 10
    assert told(client, ann, made) == [ENTERED]
    error = refused(client.delete(f"{PATH}/{made}"), 400, "resource_in_use")
    assert (error["related_object_type"], error["related_object_ids"]) == ("earning_rule", [earned_by])


def test_a_location_that_moves_takes_segments_along(client: httpx.Client) -> None:
    def around(center: str) -> dict[str, Any]:
        distance = {"center": f"geo:{center}", "radius": "1.54 km"}
        return {"type": "circle", "format": "distance", "distance": distance}

    place = ok(client.post("/largesse/v1/locations", json={"name": "Shop", "shape": around("40.7937,-74.1509")}))["id"]
    ann = customer(client, metadata={"at": "geo:40.8000,-74.1509"})
    ben = customer(client, metadata={"at": "geo:40.8100,-74.1509"})
    near = segment(client, where(metadata__at={"$in_location": [place]}))
    assert members(client, near) == {ann["id"]}
    ok(client.put(f"/largesse/v1/locations/{place}", json={"shape": around("40.8200,-74.1509")}))
    assert segments_of(client, ben) == {near}
    wait_until(lambda: members(client, near) == {ben["id"]})
    wait_until(lambda: (told(client, ann, near), told(client, ben, near)) == ([LEFT], [ENTERED]))
    assert client.delete(f"/largesse/v1/locations/{place}").status_code == 204
    wait_until(lambda: members(client, near) == set())


def test_work_in_the_background_is_no_async_action(client: httpx.Client) -> None:
    segment(client, where(name={"$is": "Ann"}))
    assert ok(client.get("/v1/async-actions"))["async_actions"] == []


def test_a_customer_nobody_has_seen_is_judged_as_a_blank_profile(client: httpx.Client) -> None:
    source_id = name("nobody")
    made = segment(client, where(source_id={"$is": source_id}, name={"$is_unknown": ""}))
    found = ok(client.get(f"/v1/customers/{source_id}/segments"))
    assert [one["id"] for one in found["data"] if one["id"] == made] == [made]
    assert (found["object"], found["data_ref"], found["total"]) == ("list", "data", len(found["data"]))


def test_a_deleted_customer_leaves_every_segment(client: httpx.Client) -> None:
    ann = customer(client, metadata={"gone": 1})
    made = segment(client, where(metadata__gone={"$is": 1}))
    ok(client.post(PATH, json={"name": "One", "type": "static", "customers": [ann["id"]]}))
    found = ok(client.post(f"/v1/customers/{ann['id']}/permanent-deletion"))
    assert found["data_json"]["segments"] == 2
    assert members(client, made) == set()
    again = customer(client, source_id=ann["source_id"])
    assert segments_of(client, again) == set()


# The clock


def test_the_clock_moves_customers_in_and_out(server: Server, keys: dict[str, str]) -> None:
    client = server.client_for(keys)
    day = 86_400
    today = datetime.now(UTC).date()
    old = segment(client, where(created_at={"$more_than_ago": [1]}))
    born = segment(client, where(birthdate={"$today": True}))
    ann = customer(client, birthdate=str((today + timedelta(2)).replace(year=1988)))
    assert segments_of(client, ann) == set()
    server.go_ahead(2 * day)
    client = server.client_for(keys)
    assert segments_of(client, ann) == {old, born}
    assert ann["id"] in members(client, old)
    assert members(client, born) == {ann["id"]}
    voucher = limited(client, {"$is": [born]})
    assert passes(client, voucher, {"id": ann["id"]})
    wait_until(lambda: told(client, ann, old) == told(client, ann, born) == [ENTERED])
    server.go_ahead(day)
    client = server.client_for(keys)
    assert segments_of(client, ann) == {old}
    assert members(client, born) == set()
    assert not passes(client, voucher, {"id": ann["id"]})
    wait_until(lambda: told(client, ann, born) == [ENTERED, LEFT])
