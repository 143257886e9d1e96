"""Undoing rewards: points, pieces and, where the project says so, what was handed out go back to where they came from."""

import json
from collections.abc import Iterator
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
    transactions,
    try_buy,
    try_undo,
    undo,
)
from tests.api.shop import amount, asks, balance, code, gift, ok, redeem, refused, uses, voucher
from tests.servers import Server

DAY = 86_400


@pytest.fixture
def card(server: Server) -> Any:
    return member(server.client, 5000)


@pytest.fixture
def revoking(server: Server) -> Iterator[None]:
    server.set("reward_rollback_mode=REVOKE")
    yield
    server.set("reward_rollback_mode=KEEP")


def test_a_rolled_back_reward_answers_as_recorded(server: Server, card: Any) -> None:
    """Names, nesting, presence, signs and types of a recorded answer of the API."""
    client = server.client
    coupon = issuing(client, coupons(client))
    assignment = offer(client, card, coupon, 2)
    order = {"items": [{"quantity": 3, "price": 700}]}
    done = buy(client, card, coupon, order=order)
    customer = {"source_id": done["customer"]["source_id"], "name": "Bob", "metadata": {"age": 26}}
    back = undo(client, done, customer=customer, reason="Wrong shop")
    assert list(back) == [
        "id",
        "object",
        "date",
        "customer_id",
        "tracking_id",
        "metadata",
        "amount",
        "redemption",
        "reason",
        "result",
        "status",
        "order",
        "channel",
        "customer",
        "related_object_type",
        "related_object_id",
        "related_object_parent_id",
        "voucher",
        "reward",
        "loyalty_card",
    ]
    assert (back["object"], back["result"], back["reason"]) == ("redemption_rollback", "SUCCESS", "Wrong shop")
    assert (back["amount"], back["loyalty_card"], back["metadata"]) == (-2, {"points": -2}, None)
    assert (back["redemption"], back["customer_id"]) == (done["id"], card["holder_id"])
    assert (back["related_object_type"], back["related_object_id"]) == ("voucher", card["id"])
    assert back["customer"]["name"] == "Bob"
    cancelled = back["order"]
    assert (cancelled["status"], cancelled["amount"], cancelled["total_amount"]) == ("CANCELED", 2100, 2100)
    assert cancelled["metadata"] == {}
    entry = cancelled["redemptions"][done["id"]]
    assert (entry["rollback_id"], entry["rollback_date"]) == (back["id"], back["date"])
    assert entry["related_object_parent_id"] == card["campaign_id"]
    shown = back["reward"]
    assert list(shown) == [
        "customer",
        "assignment_id",
        "voucher",
        "id",
        "object",
        "name",
        "created_at",
        "updated_at",
        "parameters",
        "type",
    ]
    assert shown["customer"] == back["customer"]
    assert (shown["assignment_id"], shown["id"], shown["type"]) == (assignment["id"], coupon["id"], "CAMPAIGN")
    assert shown["voucher"] == done["reward"]["voucher"], "as it was when it was handed out"
    assert shown["parameters"] == {
        "campaign": {"id": coupon["parameters"]["campaign"]["id"], "type": "DISCOUNT_COUPONS"}
    }
    assert voucher(client, shown["voucher"]["code"])["active"], "what was handed out stays"
    assert points_of(client, card) == 5000
    assert (uses(client, card["code"]), card_of(client, card)["redemption"]["redeemed_points"]) == (0, 0)
    assert transactions(client, card) == [
        ("POINTS_REFUND", 2, 5000, 5000),
        ("POINTS_REDEMPTION", -2, 5000, 4998),
    ]
    assert counts_of(client, coupon) == (None, 0)
    source = ok(client.get(f"/v1/redemptions/{done['id']}"))
    assert (source["status"], source["result"]) == ("ROLLED_BACK", "SUCCESS")
    assert source["related_redemptions"]["rollbacks"] == [{"id": back["id"], "date": back["date"]}]
    server.verify()


def test_a_payment_with_points_comes_back_whole(server: Server, card: Any) -> None:
    client = server.client
    pay = coin(client)
    offer(client, card, pay)
    done = buy(client, card, pay, order={"amount": 45000})
    assert (done["amount"], done["order"]["total_amount"]) == (2300, 0)
    back = undo(client, done)
    assert (back["amount"], back["loyalty_card"]) == (-2300, {"points": -2300})
    assert (back["order"]["total_amount"], back["order"]["status"]) == (45000, "CANCELED")
    assert "discount_amount" not in back["order"]
    assert points_of(client, card) == 5000
    server.verify()


def test_a_second_rollback_is_refused_and_recorded(server: Server, card: Any) -> None:
    client = server.client
    mug = material(client, stock=1)
    offer(client, card, mug, 10)
    done = buy(client, card, mug)
    assert counts_of(client, mug) == (0, 1)
    undo(client, done)
    assert counts_of(client, mug) == (1, 0)
    refusal = refused(try_undo(client, done), 400, "already_rolled_back")
    assert refusal["resource_type"] == "redemption_rollback"
    failed = ok(client.get(f"/v1/redemptions/{refusal['resource_id']}"))
    assert (failed["failure_code"], failed["redemption"]) == ("already_rolled_back", done["id"])
    assert (counts_of(client, mug), points_of(client, card)) == ((1, 0), 5000)
    buy(client, card, mug)
    assert counts_of(client, mug) == (0, 1)
    server.verify()


def test_a_stock_that_was_changed_meanwhile_gets_its_piece_back(server: Server, card: Any) -> None:
    client = server.client
    mug = material(client, stock=1)
    offer(client, card, mug, 10)
    first = buy(client, card, mug)
    path = f"/v1/rewards/{mug['id']}"
    ok(client.put(path, json={"stock": None}))
    second = buy(client, card, mug)
    undo(client, first)
    assert counts_of(client, mug) == (None, 1)
    ok(client.put(path, json={"stock": 7}))
    undo(client, second)
    assert counts_of(client, mug) == (8, 0)
    server.verify()


def test_a_stack_comes_back_whole(server: Server, card: Any) -> None:
    client = server.client
    mug, gifted, coupon = material(client, stock=5), gift(client, 100), code(client, amount(300))
    offer(client, card, mug, 4)
    stack = {
        "redeemables": [*asks(coupon), asked_of(card, mug), *asks((gifted, 100))],
        "order": {"amount": 1000},
    }
    done = ok(client.post("/v1/redemptions", json=stack))
    parent = done["parent_redemption"]["id"]
    child = done["redemptions"][1]
    refused(try_undo(client, child), 400, "invalid_redemption_parent")
    back = ok(client.post(f"/v1/redemptions/{parent}/rollbacks", json={}))
    assert [one.get("amount") for one in back["rollbacks"]] == [None, -4, -100]
    assert back["rollbacks"][1]["loyalty_card"] == {"points": -4}
    assert back["rollbacks"][1]["reward"]["id"] == mug["id"]
    assert "reward" not in back["parent_rollback"]
    assert (back["order"]["status"], back["order"]["total_amount"]) == ("CANCELED", 1000)
    assert (points_of(client, card), balance(client, gifted), uses(client, coupon)) == (5000, 100, 0)
    assert counts_of(client, mug) == (5, 0)
    server.verify()


def test_what_was_handed_out_stays(server: Server, card: Any) -> None:
    client = server.client
    given, points = issuing(client, gift_cards(client), 4000), issuing(client, program(client), 20)
    offer(client, card, given, 3)
    offer(client, card, points, 2)
    first, second = buy(client, card, given), buy(client, card, points)
    gift_code, other = first["reward"]["voucher"]["code"], second["reward"]["voucher"]
    redeem(client, (gift_code, 2500), order=2500)
    undo(client, first)
    undo(client, second)
    assert (balance(client, gift_code), points_of(client, other), points_of(client, card)) == (1500, 20, 5000)
    server.verify()


@pytest.mark.usefixtures("revoking")
def test_under_revoke_an_unused_code_is_switched_off(server: Server, card: Any) -> None:
    client = server.client
    coupon = issuing(client, coupons(client))
    offer(client, card, coupon, 2)
    done, used = buy(client, card, coupon), buy(client, card, coupon)
    undo(client, done)
    assert not voucher(client, done["reward"]["voucher"]["code"])["active"]
    spent = redeem(client, used["reward"]["voucher"]["code"], order=1000)["redemptions"][0]
    refusal = refused(try_undo(client, used), 400, "reward_already_used")
    assert ok(client.get(f"/v1/redemptions/{refusal['resource_id']}"))["failure_code"] == "reward_already_used"
    assert points_of(client, card) == 4998
    undo(client, spent)
    undo(client, used)
    assert points_of(client, card) == 5000
    server.verify()


@pytest.mark.usefixtures("revoking")
def test_under_revoke_credit_and_points_are_taken_back_unless_they_are_used(server: Server, card: Any) -> None:
    client = server.client
    given, points = issuing(client, gift_cards(client, 100), 4000), issuing(client, program(client, 5), 20)
    offer(client, card, given, 3)
    offer(client, card, points, 2)
    first, second = buy(client, card, given), buy(client, card, points)
    gift_code, other = first["reward"]["voucher"]["code"], second["reward"]["voucher"]
    spent = redeem(client, (gift_code, 2600), order=2600)["redemptions"][0]
    refused(try_undo(client, first), 400, "reward_already_used")
    assert (balance(client, gift_code), points_of(client, card)) == (1500, 4995)
    undo(client, spent)
    undo(client, first)
    shown = voucher(client, gift_code)["gift"]
    assert (shown["amount"], shown["subtracted_amount"], shown["balance"]) == (4100, 4000, 100)
    thing = material(client)
    offer(client, other, thing, 10)
    eaten = buy(client, other, thing)
    refused(try_undo(client, second), 400, "reward_already_used")
    undo(client, eaten)
    undo(client, second)
    assert (points_of(client, other), points_of(client, card)) == (5, 5000)
    assert transactions(client, other)[0] == ("POINTS_REMOVAL", -20, 5, 5)
    server.verify()


@pytest.mark.usefixtures("revoking")
def test_under_revoke_one_used_reward_keeps_the_whole_stack(server: Server, card: Any) -> None:
    client = server.client
    coupon, mug = issuing(client, coupons(client)), material(client, stock=3)
    holder = ok(client.get(f"/v1/customers/{card['holder_id']}"))
    other = join(client, program(client, 10)["id"], holder["source_id"])
    offer(client, card, coupon, 2)
    offer(client, other, mug, 2)
    done = ok(client.post("/v1/redemptions", json={"redeemables": [asked_of(other, mug), asked_of(card, coupon)]}))
    redeem(client, done["redemptions"][1]["reward"]["voucher"]["code"], order=1000)
    parent = done["parent_redemption"]["id"]
    refused(client.post(f"/v1/redemptions/{parent}/rollbacks"), 400, "reward_already_used")
    assert (points_of(client, card), points_of(client, other), counts_of(client, mug)) == (4998, 8, (2, 1))
    server.verify()


def test_points_return_to_their_buckets_also_when_those_expired(server: Server) -> None:
    """40 points of a bucket with 10 days to live are spent, and come back after it expired: they live 10 days from then on."""
    client = server.client
    card = member(client, 100)
    mug = material(client)
    offer(client, card, mug, 100)
    today = ok(client.get(f"/v1/vouchers/{card['code']}"))["created_at"][:10]
    path = f"/v1/loyalties/members/{card['code']}"
    expires = _days_after(today, 11)
    given = {"points": 40, "expiration_type": "CUSTOM_DATE", "expiration_date": expires}
    ok(client.post(f"{path}/balance", json=given))
    first, second = buy(client, card, mug), None
    assert points_of(client, card) == 40
    undo(client, first)
    assert card_of(client, card)["loyalty_card"]["next_expiration_date"] == expires
    assert card_of(client, card)["loyalty_card"]["next_expiration_points"] == 40
    second = buy(client, card, mug)
    server.go_ahead(14 * DAY)
    client = server.client
    undo(client, second)
    shown = card_of(client, card)["loyalty_card"]
    assert (shown["balance"], shown["next_expiration_points"]) == (140, 40)
    assert shown["next_expiration_date"] == _days_after(today, 14 + 11)
    server.verify()


def _days_after(day: str, days: int) -> str:
    from datetime import date, timedelta

    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


def test_nobody_but_the_redeemer_and_the_order_are_named(server: Server, card: Any) -> None:
    client = server.client
    mug = material(client)
    offer(client, card, mug, 10)
    done = buy(client, card, mug, order={"amount": 100})
    stranger = member(client, 0)["holder_id"]
    refused(try_undo(client, done, customer={"id": stranger}), 400, "invalid_customer")
    refused(try_undo(client, done, order={"id": "ord_0"}), 400, "invalid_order")
    assert points_of(client, card) == 4990
    refused(try_buy(client, {"code": "nobody"}, mug), 404, "not_found")


def test_points_of_a_card_that_nobody_holds_have_nowhere_to_return_to(server: Server, card: Any) -> None:
    client = server.client
    mug = material(client)
    offer(client, card, mug, 10)
    done, other = buy(client, card, mug), buy(client, card, mug)
    ok(client.post(f"/v1/vouchers/{card['code']}/disable"))
    undo(client, done)
    ok(client.delete(f"/v1/customers/{card['holder_id']}"))
    refused(try_undo(client, other), 404, "not_found")
    server.verify()


def test_points_of_a_deleted_card_do_not_return(server: Server, card: Any) -> None:
    client = server.client
    mug = material(client)
    offer(client, card, mug, 10)
    single, stacked = buy(client, card, mug), code(client, amount(100))
    together = ok(
        client.post(
            "/v1/redemptions",
            json={
                "redeemables": [asked_of(card, mug), {"object": "voucher", "id": stacked}],
                "order": {"amount": 1000},
                "customer": {"id": card["holder_id"]},
            },
        )
    )
    ok(client.delete(f"/v1/vouchers/{card['code']}"))
    assert refused(try_undo(client, single), 404, "not_found")["resource_type"] == "voucher"
    parent = together["parent_redemption"]["id"]
    refused(client.post(f"/v1/redemptions/{parent}/rollbacks"), 404, "not_found")
    assert uses(client, stacked) == 1
    server.verify()


def test_the_log_tells_of_an_undone_reward(server: Server, card: Any) -> None:
    client = server.client
    mug = material(client)
    offer(client, card, mug, 10)
    done = buy(client, card, mug)
    back = undo(client, done)
    found = ok(client.get(f"/v1/customers/{card['holder_id']}/activity?limit=100"))["data"]
    told = {one["type"]: one["data"] for one in found}
    undone = told["customer.reward_redemptions.rolledback"]["reward_redemption"]
    assert (undone["state"], undone["source_id"]) == ("ROLLEDBACK", done["id"])
    assert undone["id"] == told["customer.reward_redemptions.created"]["reward_redemption"]["id"]
    assert back["id"] in json.dumps(told["customer.redemption.rollback.succeeded"])


def test_points_that_an_order_earned_stay_when_its_payment_is_undone(server: Server) -> None:
    client = server.client
    card, pay = member(client, 1000), coin(client)
    offer(client, card, pay)
    rule = {
        "event": "order.paid",
        "loyalty": {
            "type": "PROPORTIONAL",
            "calculation_type": "ORDER_TOTAL_AMOUNT",
            "order": {"total_amount": {"every": 500, "points": 10}},
        },
    }
    ok(client.post(f"/v1/loyalties/{card['campaign_id']}/earning-rules", json=[rule]))
    done = buy(client, card, pay, 100, order={"amount": 47000})
    assert points_of(client, card) == 1000 - 100 + 900
    undo(client, done)
    assert points_of(client, card) == 1000 + 900
    assert [one[:2] for one in transactions(client, card)] == [
        ("POINTS_REFUND", 100),
        ("POINTS_ACCRUAL", 900),
        ("POINTS_REDEMPTION", -100),
    ]
    server.verify()


def test_a_tier_that_was_lost_by_a_reward_is_regained_by_its_undoing(server: Server) -> None:
    client = server.client
    card, thing = member(client, 520), material(client)
    offer(client, card, thing, 100)
    tiers = [{"name": "Silver", "points": {"from": 1, "to": 499}}, {"name": "Gold", "points": {"from": 500}}]
    made = ok(client.post(f"/v1/loyalties/{card['campaign_id']}/tiers", json=tiers))

    def held() -> Any:
        return ok(client.get(f"/v1/loyalties/members/{card['code']}/tiers"))["data"][0]["id"]

    assert held() == made[1]["id"]
    done = buy(client, card, thing)
    assert held() == made[0]["id"]
    undo(client, done)
    assert held() == made[1]["id"]
    server.verify()
