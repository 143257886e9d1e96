"""Redeeming rewards of loyalty cards: what they cost, what they give, and what the answer says."""

import json
from typing import Any

import pytest

from tests.api.rewards import (
    asked_of,
    buy,
    card_of,
    coin,
    counts_of,
    coupons,
    gift_cards,
    issuing,
    join,
    material,
    member,
    offer,
    points_of,
    program,
    reward,
    transactions,
    try_buy,
)
from tests.api.shop import amount, asks, balance, code, gift, name, ok, percent, refused, voucher
from tests.servers import Server


@pytest.fixture
def card(server: Server) -> Any:
    return member(server.client, 5000)


def test_a_material_reward_costs_its_price_and_a_piece_of_the_stock(server: Server, card: Any) -> None:
    client = server.client
    mug = material(client, stock=1, metadata={"colour": "blue"})
    assignment = offer(client, card, mug, 10)
    done = buy(client, card, mug, metadata={"shop": 1})
    shown = done["reward"]
    assert list(shown) == [
        "customer",
        "assignment_id",
        "product",
        "id",
        "object",
        "name",
        "created_at",
        "updated_at",
        "parameters",
        "metadata",
        "type",
    ]
    assert (shown["id"], shown["object"], shown["type"]) == (mug["id"], "reward", "MATERIAL")
    assert shown["assignment_id"] == assignment["id"]
    assert shown["parameters"] == mug["parameters"]
    assert shown["product"]["id"] == mug["parameters"]["product"]["id"]
    assert shown["customer"]["id"] == card["holder_id"] == done["customer_id"]
    assert (done["amount"], done["loyalty_card"], done["order"]) == (10, {"points": 10}, None)
    assert (done["related_object_type"], done["related_object_id"]) == ("voucher", card["id"])
    assert done["channel"]["channel_type"] == "API"
    assert (done["object"], done["result"], done["status"], done["metadata"]) == (
        "redemption",
        "SUCCESS",
        "SUCCEEDED",
        {"shop": 1},
    )
    assert "gift" not in done
    assert done["voucher"]["loyalty_card"]["balance"] == 4990
    assert done["voucher"]["loyalty_card"]["points"] == 5000
    assert (done["voucher"]["redemption"]["redeemed_quantity"], done["voucher"]["redemption"]["redeemed_points"]) == (
        1,
        10,
    )
    assert counts_of(client, mug) == (0, 1)
    refusal = refused(try_buy(client, card, mug), 400, "quantity_exceeded")
    assert (refusal["details"], refusal["resource_type"]) == (mug["id"], "redemption")
    assert points_of(client, card) == 4990
    assert transactions(client, card) == [("POINTS_REDEMPTION", -10, 5000, 4990)]
    why = ok(client.get(f"/largesse/v1/redemptions/{done['id']}/explanation"))
    assert "4990" in json.dumps(why), "what was left after the redemption"
    server.verify()


def test_a_chain_of_rewards_takes_its_points(server: Server) -> None:
    client = server.client
    card = member(client, 8000)
    other = join(client, program(client, 0)["id"], ok(client.get(f"/v1/customers/{card['holder_id']}"))["source_id"])
    given = reward(client, {"campaign": {"id": other["campaign_id"], "balance": 20}})
    thing = material(client)
    offer(client, card, thing, 1112)
    buy(client, card, thing)
    assignment = offer(client, card, given, 1)
    left = []
    for price in (1, 1, 2, 6, 4):
        path = f"/v1/rewards/{given['id']}/assignments/{assignment['id']}"
        ok(client.put(path, json={"parameters": {"loyalty": {"points": price}}}))
        done = buy(client, card, given)
        assert done["amount"] == done["loyalty_card"]["points"] == price
        left.append((card_of(client, card)["redemption"]["redeemed_points"], points_of(client, card)))
    assert left == [(1113, 6887), (1114, 6886), (1116, 6884), (1122, 6878), (1126, 6874)]
    assert points_of(client, other) == 100
    server.verify()


def test_a_coupon_reward_publishes_a_code_to_the_holder(server: Server, card: Any) -> None:
    client = server.client
    campaign = coupons(client)
    coupon = issuing(client, campaign)
    offer(client, card, coupon, 2)
    done = buy(client, card, coupon, order={"items": [{"quantity": 3, "price": 700}]})
    issued = done["reward"]["voucher"]
    assert (issued["campaign_id"], issued["holder_id"]) == (campaign["id"], card["holder_id"])
    assert (issued["publish"]["count"], issued["active"], issued["type"]) == (1, True, "DISCOUNT_VOUCHER")
    assert done["reward"]["parameters"] == {"campaign": {"id": campaign["id"], "type": "DISCOUNT_COUPONS"}}
    assert "metadata" not in done["reward"]
    assert (done["order"]["amount"], done["order"]["total_amount"], done["order"]["status"]) == (2100, 2100, "PAID")
    assert voucher(client, issued["code"])["holder_id"] == card["holder_id"]
    again = buy(client, card, coupon)
    assert again["reward"]["voucher"]["code"] != issued["code"]
    server.verify()


def test_an_empty_campaign_hands_out_nothing_and_takes_nothing(server: Server, card: Any) -> None:
    client = server.client
    static = coupons(client, type="STATIC", vouchers_count=1)
    coupon = issuing(client, static)
    offer(client, card, coupon, 2)
    first = buy(client, card, coupon)
    refusal = refused(try_buy(client, card, coupon), 400, "no_voucher_suitable_for_publication")
    assert refusal["resource_type"] == "redemption"
    failed = ok(client.get(f"/v1/redemptions/{refusal['resource_id']}"))
    assert (failed["failure_code"], failed["related_object_id"]) == ("no_voucher_suitable_for_publication", card["id"])
    assert points_of(client, card) == 4998
    assert counts_of(client, coupon) == (None, 1)
    assert voucher(client, first["reward"]["voucher"]["code"])["publish"]["count"] == 1
    # Neither does a stack of which one reward cannot be had hand out the other.
    other = member(client, 100)
    fine = issuing(client, coupons(client))
    offer(client, other, fine, 1)
    ok(client.put(f"/v1/customers/{card['holder_id']}", json={"name": "Eve"}))
    mine = join(client, program(client, 100)["id"], ok(client.get(f"/v1/customers/{card['holder_id']}"))["source_id"])
    offer(client, mine, fine, 1)
    both = {"redeemables": [asked_of(mine, fine), asked_of(card, coupon)]}
    refused(client.post("/v1/redemptions", json=both), 400, "no_voucher_suitable_for_publication")
    assert points_of(client, mine) == 100
    assert ok(client.get(f"/v1/campaigns/{fine['parameters']['campaign']['id']}"))["vouchers_count"] == 0
    server.verify()


def test_a_gift_reward_adds_to_the_customers_gift_card(server: Server, card: Any) -> None:
    """The answer shows the card as it was before (observed); a later one shows what was added."""
    client = server.client
    campaign = gift_cards(client, 55080)
    given = issuing(client, campaign, 4000)
    offer(client, card, given, 3)
    first = buy(client, card, given)["reward"]["voucher"]
    assert (first["gift"]["amount"], first["gift"]["balance"]) == (55080, 55080)
    assert (first["holder_id"], first["publish"]["count"]) == (card["holder_id"], 1)
    assert balance(client, first["code"]) == 59080
    again = buy(client, card, given)["reward"]["voucher"]
    assert (again["code"], again["gift"]["balance"]) == (first["code"], 59080)
    assert (voucher(client, first["code"])["gift"]["amount"], balance(client, first["code"])) == (63080, 63080)
    moved = ok(client.get(f"/v1/vouchers/{first['code']}/transactions"))["data"]
    assert [(one["type"], one["details"]["balance"]["amount"]) for one in moved] == [("CREDITS_ADDITION", 4000)] * 2
    server.verify()


def test_a_points_reward_adds_to_the_customers_card_of_another_program(server: Server, card: Any) -> None:
    client = server.client
    other = program(client, 1000)
    given = issuing(client, other, 20)
    offer(client, card, given, 3)
    first = buy(client, card, given)["reward"]["voucher"]
    assert (first["loyalty_card"]["points"], first["loyalty_card"]["balance"]) == (1000, 1000)
    again = buy(client, card, given)["reward"]["voucher"]
    assert (again["code"], again["loyalty_card"]["points"]) == (first["code"], 1020)
    assert transactions(client, first) == [("POINTS_ADDITION", 20, 1040, 1040), ("POINTS_ADDITION", 20, 1020, 1020)]
    server.verify()


def test_a_program_cannot_give_its_own_points(server: Server, card: Any) -> None:
    client = server.client
    circle = issuing(client, {"id": card["campaign_id"]}, 5)
    sent = {"campaign": card["campaign_id"], "parameters": {"loyalty": {"points": 1}}}
    refused(client.post(f"/v1/rewards/{circle['id']}/assignments", json=sent), 400, "invalid_payload")
    fine = issuing(client, program(client), 5)
    offer(client, card, fine, 1)
    changed = {"parameters": {"campaign": {"id": card["campaign_id"], "balance": 5}}}
    refused(client.put(f"/v1/rewards/{fine['id']}", json=changed), 400, "invalid_payload")


@pytest.mark.parametrize(
    ("points", "order", "asked", "spent", "off"),
    [
        (6874, 45000, None, 2300, 45000),
        (6874, 45000, 100, 100, 2000),
        (6874, 45000, 150, 100, 2000),
        (250, 45000, None, 200, 4000),
        (5000, 4500, 200, 200, 4000),
        (5000, 3000, 900, 200, 3000),
        (5000, 3000, 150, 100, 2000),
        (5000, 6000, None, 300, 6000),
    ],
)
def test_points_pay_for_an_order_in_whole_blocks(
    server: Server, points: int, order: int, asked: int | None, spent: int, off: int
) -> None:
    client = server.client
    card, pay = member(client, points), coin(client)
    assert "parameters" not in offer(client, card, pay)
    body = {"redeemables": [asked_of(card, pay, asked)], "order": {"amount": order}}
    found = ok(client.post("/v1/validations", json=body))
    assert found["redeemables"][0]["result"] == {"loyalty_card": {"points": spent}}
    assert found["order"]["total_amount"] == order - off
    done = buy(client, card, pay, asked, order={"amount": order})
    assert (done["amount"], done["loyalty_card"]) == (spent, {"points": spent})
    paid = done["order"]
    assert (paid["discount_amount"], paid["total_amount"], paid["status"]) == (off, order - off, "PAID")
    assert points_of(client, card) == points - spent


def test_one_point_a_unit_on_an_order_already_discounted(server: Server, card: Any) -> None:
    client = server.client
    pay = coin(client, 1, 1)
    offer(client, card, pay)
    first = ok(
        client.post(
            "/v1/redemptions", json={"redeemables": asks(code(client, amount(4600))), "order": {"amount": 20000}}
        )
    )
    done = buy(client, card, pay, 5, order={"id": first["order"]["id"]})
    assert (done["order"]["applied_discount_amount"], done["order"]["discount_amount"]) == (500, 5100)
    assert done["order"]["total_amount"] == 14900


def test_why_a_reward_cannot_be_had(server: Server) -> None:
    client = server.client
    card = member(client, 50)
    thing, pay, foreign = material(client), coin(client), material(client)
    offer(client, card, thing, 51)
    offer(client, card, pay)
    path = f"/v1/loyalties/members/{card['code']}/redemption"
    order = {"order": {"amount": 1000}}
    cases: list[tuple[dict[str, Any], int, str]] = [
        ({}, 400, "missing_reward"),
        ({"reward": {}}, 400, "missing_reward"),
        ({"reward": {"id": "rew_0"}}, 404, "not_found"),
        ({"reward": {"id": foreign["id"]}}, 404, "not_found"),
        ({"reward": {"id": thing["id"]}}, 400, "loyalty_card_points_exceeded"),
        ({"reward": {"id": pay["id"]}}, 400, "missing_order"),
        ({"reward": {"id": pay["id"]}, "order": {}}, 400, "missing_amount"),
        ({"reward": {"id": pay["id"], "points": 51}} | order, 400, "loyalty_card_points_exceeded"),
        ({"reward": {"id": pay["id"], "points": 50}} | order, 400, "invalid_payload"),
        ({"reward": {"id": pay["id"]}} | order, 400, "loyalty_card_points_exceeded"),
        ({"reward": {"id": thing["id"]}, "customer": {"source_id": name("cust")}}, 400, "invalid_customer"),
    ]
    for sent, status, key in cases:
        refusal = refused(client.post(path, json=sent), status, key)
        assert refusal["resource_type"] == "redemption", "what reaches the card is recorded"
        failed = ok(client.get(f"/v1/redemptions/{refusal['resource_id']}"))
        assert (failed["failure_code"], failed["voucher"]["code"]) == (key, card["code"])
    assert refused(client.post(path, json=cases[0][0]), 400, "missing_reward")["details"] == (
        "A reward is required when redeeming a LOYALTY_CARD"
    )
    for sent in ({"reward": {"id": pay["id"], "points": -1}}, {"reward": {"id": 5}}, {"reward": []}):
        refused(client.post(path, json=sent), 400, "invalid_payload")
    assert points_of(client, card) == 50
    exceeded = {"redeemables": [asked_of(card, thing)]}
    found = ok(client.post("/v1/validations", json=exceeded))
    assert (found["valid"], found["redeemables"][0]["result"]["error"]["key"]) == (
        False,
        "loyalty_card_points_exceeded",
    )
    old = ok(client.post(f"/v1/vouchers/{card['code']}/validate", json={"reward": {"id": thing["id"]}}))
    assert (old["valid"], old["reason"]) == (False, "loyalty card points exceeded")
    server.verify()


def test_a_member_is_named_by_code_or_id_and_belongs_to_the_program(server: Server, card: Any) -> None:
    client = server.client
    thing = material(client)
    offer(client, card, thing, 1)
    sent = {"reward": {"id": thing["id"]}}
    campaign_id, campaign_name = card["campaign_id"], card["campaign"]
    for path in (
        f"members/{card['id']}",
        f"{campaign_id}/members/{card['code']}",
        f"{campaign_name}/members/{card['id']}",
    ):
        assert ok(client.post(f"/v1/loyalties/{path}/redemption", json=sent))["voucher"]["id"] == card["id"]
    other = program(client)["id"]
    for path, kind in (
        ("members/nobody", "voucher"),
        (f"members/{code(client, amount(1))}", "voucher"),
        (f"{other}/members/{card['code']}", "voucher"),
        (f"camp_0/members/{card['code']}", "campaign"),
    ):
        assert (
            refused(client.post(f"/v1/loyalties/{path}/redemption", json=sent), 404, "not_found")["resource_type"]
            == kind
        )
    assert points_of(client, card) == 4997


def test_the_holder_redeems_and_nobody_else(server: Server, card: Any) -> None:
    client = server.client
    thing = material(client)
    offer(client, card, thing, 1)
    holder = ok(client.get(f"/v1/customers/{card['holder_id']}"))
    redeemable = {"redeemables": [asked_of(card, thing)]}
    for customer in ({"id": holder["id"]}, {"source_id": holder["source_id"], "name": "Eve"}):
        done = ok(client.post("/v1/redemptions", json=redeemable | {"customer": customer}))["redemptions"][0]
        assert done["customer"]["id"] == holder["id"]
    assert done["reward"]["customer"]["name"] == "Eve"
    named = ok(client.post("/v1/redemptions", json=redeemable | {"tracking_id": holder["source_id"]}))
    assert named["redemptions"][0]["customer_id"] == holder["id"]
    stranger = ok(client.post("/v1/customers", json={"source_id": name("cust")}))
    refusal = refused(
        client.post("/v1/redemptions", json=redeemable | {"customer": {"id": stranger["id"]}}), 400, "invalid_customer"
    )
    assert refusal["message"] == "Customer must be a holder of a loyalty card."
    summary = ok(client.get(f"/v1/customers/{holder['id']}"))["summary"]["redemptions"]
    assert summary["loyalty_card"]["redeemed_points"] == summary["total_succeeded"] == 3
    assert summary["gift"]["redeemed_amount"] == 0


def test_a_card_with_a_limit_is_used_so_often(server: Server) -> None:
    client = server.client
    card = member(client, 100, redemption={"quantity": 1})
    thing = material(client)
    offer(client, card, thing, 1)
    buy(client, card, thing)
    assert refused(try_buy(client, card, thing), 400, "quantity_exceeded")["details"] == card["code"]
    assert points_of(client, card) == 99


def test_a_reward_goes_together_with_coupons_and_gift_cards(server: Server, card: Any) -> None:
    client = server.client
    thing, gifted = material(client), gift(client, 100)
    offer(client, card, thing, 4)
    stack = {
        "redeemables": [
            *asks(code(client, amount(1000, effect="APPLY_TO_ITEMS"))),
            asked_of(card, thing),
            *asks(
                (gifted, 100),
                code(client, percent(40, effect="APPLY_TO_ORDER")),
                code(client, amount(30, effect="APPLY_TO_ORDER")),
            ),
        ],
        "order": {"items": [{"quantity": 1, "price": 2000}, {"quantity": 1, "price": 700}]},
    }
    seen = ok(client.post("/v1/validations", json=stack))
    done = ok(client.post("/v1/redemptions", json=stack))
    for found in (seen["redeemables"], done["redemptions"]):
        states = [(one["order"].get("discount_amount", 0), one["order"]["total_amount"]) for one in found]
        assert states == [(0, 1000), (0, 1000), (100, 900), (460, 540), (490, 510)]
    assert seen["redeemables"][1]["result"] == {"loyalty_card": {"points": 4}}
    root = done["order"]
    assert (root["discount_amount"], root["items_discount_amount"], root["total_discount_amount"]) == (490, 1700, 2190)
    assert (root["items_applied_discount_amount"], root["total_applied_discount_amount"]) == (1700, 2190)
    child = done["redemptions"][1]
    assert (child["amount"], child["loyalty_card"], child["reward"]["id"]) == (4, {"points": 4}, thing["id"])
    assert child["redemption"] == done["parent_redemption"]["id"]
    assert points_of(client, card) == 4996
    server.verify()


def test_redemptions_of_rewards_are_read_back(server: Server, card: Any) -> None:
    client = server.client
    thing = material(client)
    offer(client, card, thing, 4)
    done = buy(client, card, thing)
    refused(
        try_buy(client, card, thing, order={"amount": 5}, customer={"source_id": name("c")}), 400, "invalid_customer"
    )
    found = ok(client.get(f"/v1/redemptions/{done['id']}"))
    assert (found["reward"], found["loyalty_card"], found["amount"]) == (done["reward"], {"points": 4}, 4)
    assert (found["related_object_type"], found["related_object_id"]) == ("voucher", card["id"])
    history = ok(client.get(f"/v1/vouchers/{card['code']}/redemption"))
    assert (history["redeemed_points"], history["total"], history["redeemed_quantity"]) == (4, 2, 1)
    assert [one["result"] for one in history["redemption_entries"]] == ["FAILURE", "SUCCESS"]
    listed = ok(client.get(f"/v1/redemptions?customer={card['holder_id']}"))["redemptions"]
    assert [one.get("loyalty_card") for one in listed] == [{"points": 4}]


def test_a_sku_is_shown_with_its_product(server: Server, card: Any) -> None:
    client = server.client
    product = ok(client.post("/v1/products", json={"name": name("P")}))
    sku = ok(client.post(f"/v1/products/{product['id']}/skus", json={"sku": "Blue"}))
    blue, whole = reward(client, {"product": {"id": product["id"], "sku_id": sku["id"]}}), material(client)
    offer(client, card, blue, 1)
    offer(client, card, whole, 1)
    shown = buy(client, card, blue)["reward"]
    assert (shown["product"]["id"], shown["sku"]["id"]) == (product["id"], sku["id"])
    assert "sku" not in buy(client, card, whole)["reward"]
    assert client.delete(f"/v1/products/{product['id']}/skus/{sku['id']}").status_code == 400
