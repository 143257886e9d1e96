"""What a customer's profile says of the cards that the customer holds."""

from typing import Any

import httpx

from tests.api.members import join, program
from tests.api.shop import gift, name, ok, redeem
from tests.servers import Server

DAY = 86_400
NOTHING = {"points": 0, "referred_customers": 0, "campaigns": {}}


def new_customer(client: httpx.Client) -> Any:
    return ok(client.post("/v1/customers", json={"source_id": name("holder")}))


def profile(client: httpx.Client, key: str) -> Any:
    return ok(client.get(f"/v1/customers/{key}"))


def to_go(shown: Any) -> tuple[Any, Any]:
    totals = shown["summary"]["redemptions"]
    return totals["gift"], totals["loyalty_card"]


def test_who_holds_no_card_has_nothing(server: Server) -> None:
    shown = new_customer(server.client)
    assert shown["loyalty"] == NOTHING
    assert to_go(shown) == ({"redeemed_amount": 0, "amount_to_go": 0}, {"redeemed_points": 0, "points_to_go": 0})


def test_points_are_shown_in_all_and_by_program(server: Server) -> None:
    client = server.client
    who = new_customer(client)
    first, second = program(client, 100), program(client, 30)
    card = join(client, first["id"], who["id"])
    join(client, second["id"], who["id"])
    ok(client.post(f"/v1/loyalties/members/{card['code']}/balance", json={"points": 50}))
    ok(client.post(f"/v1/loyalties/members/{card['code']}/balance", json={"points": -20}))
    expected = {
        "points": 180,
        "referred_customers": 0,
        "campaigns": {
            first["name"]: {"points": 130, "referred_customers": 0},
            second["name"]: {"points": 30, "referred_customers": 0},
        },
    }
    shown = profile(client, who["id"])
    assert shown["loyalty"] == expected
    assert to_go(shown)[1] == {"redeemed_points": 0, "points_to_go": 160}
    changed = ok(client.put(f"/v1/customers/{who['id']}", json={"name": "Ann"}))
    upserted = ok(client.post("/v1/customers", json={"source_id": who["source_id"]}))
    assert changed["loyalty"] == upserted["loyalty"] == expected
    listed = ok(client.get("/v1/customers", params={"limit": 100}))["customers"]
    assert next(one for one in listed if one["id"] == who["id"])["loyalty"] == expected


def test_points_that_a_midnight_took_are_gone_at_once(server: Server) -> None:
    client = server.client
    who = new_customer(client)
    made = program(client, 5, expiration_rules={"period_type": "MONTH", "period_value": 1})
    card = join(client, made["id"], who["id"])
    ok(client.post(f"/v1/loyalties/members/{card['code']}/balance", json={"points": 70}))
    assert profile(client, who["id"])["loyalty"]["points"] == 75
    server.go_ahead(40 * DAY)
    shown = profile(server.client, who["id"])
    assert shown["loyalty"]["points"] == 5
    assert shown["loyalty"]["campaigns"][made["name"]]["points"] == 5


def test_gift_credit_to_go_is_that_of_the_cards_held(server: Server) -> None:
    client = server.client
    who = new_customer(client)
    for credits in (500, 300):
        ok(client.post("/v1/publications", json={"customer": {"id": who["id"]}, "voucher": gift(client, credits)}))
    card = ok(client.get("/v1/vouchers", params={"customer": who["id"]}))["vouchers"][0]["code"]
    redeem(client, (card, 100), order=1000, customer={"id": who["id"]})
    assert to_go(profile(client, who["id"]))[0] == {"redeemed_amount": 100, "amount_to_go": 700}
    ok(client.delete(f"/v1/vouchers/{card}"))
    assert to_go(profile(client, who["id"]))[0]["amount_to_go"] in (300, 500)


def test_a_card_that_is_deleted_holds_nothing(server: Server) -> None:
    client = server.client
    who, made = new_customer(client), program(client, 100)
    card = join(client, made["id"], who["id"])
    ok(client.delete(f"/v1/vouchers/{card['code']}"))
    assert profile(client, who["id"])["loyalty"] == NOTHING
    assert join(client, made["id"], who["id"])["code"] != card["code"]


def test_the_cards_of_a_deleted_customer_belong_to_nobody(server: Server) -> None:
    client = server.client
    who, made = new_customer(client), program(client, 100)
    card = join(client, made["id"], who["id"])
    ok(client.post(f"/v1/customers/{who['id']}/permanent-deletion"))
    left = ok(client.get(f"/v1/loyalties/members/{card['code']}"))
    assert left["holder_id"] is None
    assert left["publish"]["count"] == 1
    assert left["loyalty_card"]["points"] == 100
    again = join(client, made["id"], who["source_id"])
    assert again["code"] != card["code"]
    server.verify()


def test_the_tier_is_shown_beside_the_points(server: Server) -> None:
    client = server.client
    who, made = new_customer(client), program(client, 100)
    tiers = [{"name": "Silver", "points": {"from": 50, "to": 199}}, {"name": "Gold", "points": {"from": 200}}]
    silver, gold = ok(client.post(f"/v1/loyalties/{made['id']}/tiers", json=tiers))
    card = join(client, made["id"], who["id"])
    shown = profile(client, who["id"])["loyalty"]["campaigns"][made["name"]]
    assert shown == {"points": 100, "loyalty_tier": silver["id"], "referred_customers": 0}
    ok(client.post(f"/v1/loyalties/members/{card['code']}/balance", json={"points": 150}))
    shown = profile(client, who["id"])["loyalty"]["campaigns"][made["name"]]
    assert shown == {"points": 250, "loyalty_tier": gold["id"], "referred_customers": 0}
