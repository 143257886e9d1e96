"""Rewards that a program redeems by itself as soon as a card has the points."""

from typing import Any

from tests.api.rewards import (
    card_of,
    counts_of,
    coupons,
    gift_cards,
    issuing,
    material,
    member,
    offer,
    points_of,
    transactions,
    undo,
)
from tests.api.shop import balance, ok, refused, uses
from tests.servers import Server
from tests.waiting import wait_until

DAY = 86_400


def add(server: Server, card: Any, points: int) -> None:
    ok(server.client.post(f"/v1/loyalties/members/{card['code']}/balance", json={"points": points}))


def automatic(server: Server, card: Any, reward: Any, points: int) -> Any:
    sent = {"campaign": card["campaign_id"], "parameters": {"loyalty": {"points": points, "auto_redeem": True}}}
    return ok(server.client.post(f"/v1/rewards/{reward['id']}/assignments", json=sent))


def redemptions(server: Server, card: Any) -> list[Any]:
    """Of a card, the oldest first."""
    found = ok(server.client.get(f"/v1/vouchers/{card['code']}/redemptions?limit=100"))["redemptions"]
    return [ok(server.client.get(f"/v1/redemptions/{one['id']}")) for one in reversed(found)]


def test_points_are_spent_as_they_come(server: Server) -> None:
    card, mug = member(server.client, 0), material(server.client)
    assignment = automatic(server, card, mug, 100)
    assert assignment["parameters"] == {"loyalty": {"points": 100, "auto_redeem": True}}
    add(server, card, 95)
    assert points_of(server.client, card) == 95
    add(server, card, 10)
    assert points_of(server.client, card) == 5
    [done] = redemptions(server, card)
    assert done["channel"] == {"channel_id": assignment["id"], "channel_type": "AUTO_REDEEM"}
    assert (done["amount"], done["loyalty_card"], done["reward"]["id"]) == (100, {"points": 100}, mug["id"])
    assert transactions(server.client, card) == [
        ("POINTS_REDEMPTION", -100, 105, 5),
        ("POINTS_ADDITION", 10, 105, 105),
        ("POINTS_ADDITION", 95, 95, 95),
    ]
    moved = ok(server.client.get(f"/v1/loyalties/members/{card['code']}/transactions"))["data"][0]
    assert moved["details"]["balance"]["operation_type"] == "AUTOMATIC"
    assert (uses(server.client, card["code"]), counts_of(server.client, mug)) == (1, (None, 1))
    server.verify()


def test_twenty_five_rewards_go_at_once(server: Server) -> None:
    card, mug = member(server.client, 0), material(server.client, stock=40)
    automatic(server, card, mug, 10)
    add(server, card, 300)
    assert [done["amount"] for done in redemptions(server, card)] == [250, 50]
    assert (points_of(server.client, card), counts_of(server.client, mug)) == (0, (10, 30))
    add(server, card, 150)
    assert (points_of(server.client, card), counts_of(server.client, mug)) == (50, (0, 40))
    assert card_of(server.client, card)["redemption"]["redeemed_points"] == 400
    first = redemptions(server, card)[0]
    undo(server.client, first)
    assert counts_of(server.client, mug) == (25, 15)
    assert points_of(server.client, card) == 300, "what an undo returns is not spent by itself"
    server.verify()


def test_codes_and_credit_are_handed_out_so_often(server: Server) -> None:
    client = server.client
    card, other = member(client, 0), member(client, 0)
    campaign = coupons(client)
    automatic(server, card, issuing(client, campaign), 10)
    add(server, card, 35)
    assert ok(client.get(f"/v1/campaigns/{campaign['id']}"))["vouchers_count"] == 3
    automatic(server, other, issuing(client, gift_cards(client), 400), 10)
    add(server, other, 50)
    [done] = redemptions(server, other)
    assert balance(client, done["reward"]["voucher"]["code"]) == 2000
    assert done["reward"]["voucher"]["gift"]["balance"] == 0
    server.verify()


def test_what_is_not_there_is_not_redeemed(server: Server) -> None:
    client = server.client
    card, idle = member(client, 0), member(client, 0)
    static = coupons(client, type="STATIC")
    for _ in range(2):
        ok(client.post(f"/v1/campaigns/{static['id']}/vouchers", json={}))
    automatic(server, card, issuing(client, static), 10)
    add(server, card, 35)
    assert points_of(client, card) == 15
    assert [done["amount"] for done in redemptions(server, card)] == [10, 10]
    automatic(server, idle, material(client, stock=5), 10)
    ok(client.post(f"/v1/vouchers/{idle['code']}/disable"))
    add(server, idle, 35)
    assert points_of(client, idle) == 35
    server.verify()


def test_cards_that_hold_the_points_already_are_served_by_the_next_daily_run(server: Server) -> None:
    card, mug = member(server.client, 0), material(server.client, stock=50)
    other = offer(server.client, card, mug, 1000)
    add(server, card, 250)
    assert points_of(server.client, card) == 250
    switched = {"parameters": {"loyalty": {"points": 100, "auto_redeem": True}}}
    ok(server.client.put(f"/v1/rewards/{mug['id']}/assignments/{other['id']}", json=switched))
    assert (points_of(server.client, card), redemptions(server, card)) == (250, [])
    server.go_ahead(DAY)
    wait_until(lambda: points_of(server.client, card) == 50)
    [done] = redemptions(server, card)
    assert done["channel"] == {"channel_id": other["id"], "channel_type": "AUTO_REDEEM"}
    assert (done["amount"], counts_of(server.client, mug)) == (200, (48, 2))
    cheaper = {"parameters": {"loyalty": {"points": 40}}}
    ok(server.client.put(f"/v1/rewards/{mug['id']}/assignments/{other['id']}", json=cheaper))
    server.go_ahead(DAY)
    wait_until(lambda: points_of(server.client, card) == 10)
    server.verify()


def test_a_reward_that_is_switched_off_again_before_the_daily_run_is_not_redeemed(server: Server) -> None:
    card, mug, idle = member(server.client, 0), material(server.client), member(server.client, 0)
    add(server, card, 250)
    add(server, idle, 250)
    made = automatic(server, card, mug, 100)
    served = automatic(server, idle, mug, 100)
    assert served["id"] != made["id"]
    ok(server.client.delete(f"/v1/rewards/{mug['id']}/assignments/{made['id']}"))
    server.go_ahead(DAY)
    wait_until(lambda: points_of(server.client, idle) == 50)
    assert (points_of(server.client, card), redemptions(server, card)) == (250, [])
    server.verify()


def test_a_customer_has_ten_a_day(server: Server) -> None:
    card, mug = member(server.client, 0), material(server.client)
    automatic(server, card, mug, 10)
    for _ in range(11):
        add(server, card, 10)
    assert (points_of(server.client, card), len(redemptions(server, card))) == (10, 10)
    server.go_ahead(DAY + 3600)
    add(server, card, 10)
    assert points_of(server.client, card) == 0
    server.verify()


def test_what_a_day_left_is_redeemed_when_the_next_begins(server: Server) -> None:
    card, mug = member(server.client, 0), material(server.client)
    automatic(server, card, mug, 10)
    for _ in range(12):
        add(server, card, 10)
    assert points_of(server.client, card) == 20
    server.go_ahead(DAY + 3600)
    wait_until(lambda: points_of(server.client, card) == 0)
    assert len(redemptions(server, card)) == 11
    assert transactions(server.client, card)[0] == ("POINTS_REDEMPTION", -20, 120, 0)
    server.verify()


def test_only_one_reward_of_a_program_is_redeemed_by_itself(server: Server) -> None:
    client = server.client
    card = member(client, 0)
    first, second = material(client), material(client)
    automatic(server, card, first, 10)
    sent = {"campaign": card["campaign_id"], "parameters": {"loyalty": {"points": 5, "auto_redeem": True}}}
    refused(client.post(f"/v1/rewards/{second['id']}/assignments", json=sent), 400, "invalid_payload")
    assignment = offer(client, card, second, 5)
    path = f"/v1/loyalties/{card['campaign_id']}/rewards/{assignment['id']}"
    change = {"parameters": {"loyalty": {"points": 7, "auto_redeem": True}}}
    refused(client.put(path, json=change), 400, "invalid_payload")
    assert ok(client.put(path, json={"parameters": {"loyalty": {"points": 7}}}))["parameters"] == {
        "loyalty": {"points": 7}
    }
