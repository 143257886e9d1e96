"""Rewards of loyalty cards beside the rest: sessions, rules, tiers, the client side, the log and lists."""

import json
from typing import Any

import pytest

from tests.api.rewards import (
    asked_of,
    buy,
    coin,
    coupons,
    issuing,
    material,
    member,
    offer,
    points_of,
    try_buy,
)
from tests.api.shop import amount, asks, code, name, ok, refused, uses
from tests.servers import Server


@pytest.fixture
def card(server: Server) -> Any:
    return member(server.client, 5000)


def test_points_can_be_kept_by_a_session(server: Server) -> None:
    client = server.client
    card, thing = member(client, 10), material(client)
    offer(client, card, thing, 6)
    redeemables = {"redeemables": [asked_of(card, thing)]}
    locked = ok(client.post("/v1/validations", json=redeemables | {"session": {"type": "LOCK", "key": "mine"}}))
    assert locked["valid"]
    refused(try_buy(client, card, thing), 400, "loyalty_card_points_exceeded")
    ok(client.post("/v1/redemptions", json=redeemables | {"session": {"key": "mine"}}))
    assert points_of(client, card) == 4


def test_a_card_is_redeemed_from_the_client_side(server: Server, card: Any) -> None:
    client = server.client
    thing = material(client)
    offer(client, card, thing, 4)
    keys = server.keys
    server.set("client_redeem_enabled=true", 'client_trusted_domains=["*"]')
    with server.client_side(keys, "https://shop.example") as side:
        redeemables = {"redeemables": [asked_of(card, thing)]}
        assert ok(side.post("/client/v1/validations", json=redeemables))["valid"]
        done = ok(side.post("/client/v1/redemptions", json=redeemables))["redemptions"][0]
        assert (done["amount"], done["loyalty_card"]) == (4, {"points": 4})
        assert "holder_id" not in done["voucher"]
        assert (done["customer"], done["customer_id"], done["tracking_id"]) == (None, None, None)
        coupon = issuing(client, coupons(client))
        offer(client, card, coupon, 1)
        holder = ok(client.get(f"/v1/customers/{card['holder_id']}"))
        named = {"redeemables": [asked_of(card, coupon)], "customer": {"source_id": holder["source_id"]}}
        known = ok(side.post("/client/v1/redemptions", json=named))["redemptions"][0]
        assert known["customer_id"] == known["reward"]["customer"]["id"] == card["holder_id"]
        assert "holder_id" not in known["reward"]["voucher"]
        nameless = {"redeemables": [asked_of(card, coupon), asks(code(client, amount(1)))[0]], "order": {"amount": 5}}
        unknown = ok(side.post("/client/v1/redemptions", json=nameless))
        assert card["holder_id"] not in json.dumps(unknown)


def test_a_rule_limits_the_points_that_pay_for_an_order(server: Server, card: Any) -> None:
    client = server.client
    leaf = {"name": "redemption.reward.pay_with_points.points_used", "conditions": {"$less_than_or_equal": [200]}}
    sent = {"name": name("V"), "context_type": "reward_assignment.pay_with_points", "rules": {"1": leaf, "logic": "1"}}
    rule = ok(client.post("/v1/validation-rules", json=sent))
    pay = coin(client)
    offer(client, card, pay, validation_rules=[rule["id"]])
    assert buy(client, card, pay, 200, order={"amount": 10_000})["amount"] == 200
    refusal = refused(try_buy(client, card, pay, 300, order={"amount": 10_000}), 400, "redemption_rules_violated")
    assert rule["id"] in refusal["details"]
    refused(client.delete(f"/v1/validation-rules/{rule['id']}"), 400, "resource_in_use")


def test_the_log_tells_of_a_reward(server: Server, card: Any) -> None:
    client = server.client
    thing, coupon = material(client), issuing(client, coupons(client))
    offer(client, card, thing, 4)
    offer(client, card, coupon, 1)
    done = buy(client, card, thing)
    buy(client, card, coupon)
    found = ok(client.get(f"/v1/customers/{card['holder_id']}/activity?limit=100"))["data"]
    told = [one for one in reversed(found) if one["type"].startswith(("customer.reward", "customer.redemption"))]
    assert [one["type"] for one in told] == [
        "customer.redemption.succeeded",
        "customer.rewarded",
        "customer.reward_redemptions.created",
        "customer.reward_redemptions.pending",
        "customer.redemption.succeeded",
        "customer.rewarded",
        "customer.reward_redemptions.created",
        "customer.reward_redemptions.completed",
    ]
    pending = told[3]["data"]
    assert pending["reward_redemption"]["state"] == "PENDING"
    assert pending["reward_redemption"]["source_id"] == done["id"]
    assert pending["reward_redemption"]["id"].startswith("rewr_")
    assert told[1]["data"]["reward"]["id"] == thing["id"]


def test_uses_of_a_card_count_like_those_of_a_code(server: Server, card: Any) -> None:
    client = server.client
    thing = material(client)
    offer(client, card, thing, 1)
    buy(client, card, thing)
    assert uses(client, card["code"]) == 1


def test_the_price_is_that_of_the_holders_tier(server: Server) -> None:
    client = server.client
    card = member(client, 5000)
    cheap, halved, gone, plain = (material(client) for _ in range(4))
    pay = coin(client)
    custom, half, none = (
        offer(client, card, one, price)["id"] for one, price in ((cheap, 30), (halved, 39), (gone, 1))
    )
    offer(client, card, plain, 7)
    block = offer(client, card, pay)["id"]
    rewards = {
        custom: {"type": "CUSTOM", "points": 300},
        half: {"type": "MULTIPLY", "multiplier": 0.5},
        none: {"type": "NOT_AVAILABLE"},
        block: {"type": "MULTIPLY", "multiplier": 2},
    }
    tier = {"name": "Gold", "points": {"from": 1, "to": 100_000}, "rewards": rewards}
    [made] = ok(client.post(f"/v1/loyalties/{card['campaign_id']}/tiers", json=[tier]))
    prices = [buy(client, card, one)["amount"] for one in (cheap, halved, plain)]
    assert prices == [300, 20, 7]
    done = buy(client, card, pay, order={"amount": 4000})
    assert (done["amount"], done["order"]["total_amount"]) == (400, 0)
    assert done["reward"]["loyalty_tier_id"] == made["id"]
    assert "loyalty_tier_id" not in buy(client, card, plain)["reward"]
    assert refused(try_buy(client, card, gone), 404, "not_found")["resource_type"] == "redemption"
    seen = ok(client.post("/v1/validations", json={"redeemables": [asked_of(card, gone)]}))
    assert seen["redeemables"][0]["result"]["error"]["resource_type"] == "reward"
    found = ok(client.get(f"/v1/loyalties/members/{card['code']}/rewards"))
    shown = {one["reward"]["id"]: one["assignment"].get("parameters") for one in found["data"]}
    assert gone["id"] not in shown
    assert shown[cheap["id"]] == {"loyalty": {"points": 30}}, "the base price"
    assert pay["id"] in shown
    listed = ok(client.get(f"/v1/loyalties/{card['campaign_id']}/tiers/{made['id']}/rewards?limit=2"))
    assert (listed["total"], len(listed["data"]), listed["data"][0]["object"]) == (4, 2, "loyalty_tier_reward")


def test_what_a_card_can_have_is_listed(server: Server) -> None:
    client = server.client
    card = member(client, 100)
    mug, dear, empty, pay, block = (
        material(client),
        material(client),
        material(client, stock=0),
        coin(client),
        coin(client, 1, 101),
    )
    for one, price in ((mug, 100), (dear, 101), (empty, 1)):
        offer(client, card, one, price)
    offer(client, card, pay)
    offer(client, card, block)
    path = f"/v1/loyalties/members/{card['code']}/rewards"
    found = ok(client.get(path))
    assert (found["object"], found["data_ref"], found["total"]) == ("list", "data", 4)
    assert {one["reward"]["id"] for one in found["data"]} == {one["id"] for one in (mug, dear, pay, block)}
    first = next(one for one in found["data"] if one["reward"]["id"] == mug["id"])
    assert (first["object"], first["reward"]) == ("loyalty_reward", mug)
    assert first["assignment"]["reward_id"] == mug["id"]
    affordable = ok(client.get(f"{path}?affordable_only=true"))
    assert {one["reward"]["id"] for one in affordable["data"]} == {mug["id"], pay["id"]}
    assert ok(client.get(f"/v1/loyalties/members/{card['id']}/rewards")) == found
    refused(client.get("/v1/loyalties/members/nobody/rewards"), 404, "not_found")
    refused(client.get(f"{path}?affordable_only=maybe"), 400, "invalid_query_params")
