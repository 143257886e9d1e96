"""Many who spend and undo at once: no card is overdrawn, no stock oversold, nothing undone twice."""

import httpx

from tests.api.crowd import CROWD, at_once, outcomes
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
from tests.api.shop import name, ok
from tests.servers import Server


def test_a_card_is_never_overdrawn(shop: Server) -> None:
    client = shop.client
    card, thing = member(client, 1000), material(client)
    offer(client, card, thing, 90)
    found = outcomes(at_once(shop, CROWD, lambda client, _: try_buy(client, card, thing)))
    assert found == {"ok": 11, "loyalty_card_points_exceeded": CROWD - 11}
    assert points_of(client, card) == 10
    shown = card_of(client, card)["redemption"]
    assert (shown["redeemed_quantity"], shown["redeemed_points"]) == (11, 990)
    assert counts_of(client, thing) == (None, 11)
    assert sorted(one[3] for one in transactions(client, card))[:3] == [10, 100, 190]


def test_payments_with_points_add_up(shop: Server) -> None:
    client = shop.client
    card, pay = member(client, 1050), coin(client)
    offer(client, card, pay)
    responses = at_once(
        shop, CROWD, lambda client, n: try_buy(client, card, pay, 100 * (1 + n % 3), order={"amount": 100_000})
    )
    assert set(outcomes(responses)) <= {"ok", "loyalty_card_points_exceeded"}
    spent = [r.json()["amount"] for r in responses if r.status_code == 200]
    assert points_of(client, card) == 1050 - sum(spent) < 150
    assert sum(spent) == 1000


def test_three_pieces_are_had_by_three_members(shop: Server) -> None:
    """Each has a card of their own, so that they meet nowhere but at the stock."""
    client = shop.client
    made = program(client, 100)
    cards = [join(client, made["id"]) for _ in range(CROWD)]
    thing = material(client, stock=3)
    offer(client, cards[0], thing, 10)
    found = outcomes(at_once(shop, CROWD, lambda client, n: try_buy(client, cards[n], thing)))
    assert found == {"ok": 3, "quantity_exceeded": CROWD - 3}
    assert counts_of(client, thing) == (0, 3)
    assert sorted(points_of(client, card) for card in cards) == [90] * 3 + [100] * (CROWD - 3)


def test_a_reward_is_undone_once(shop: Server) -> None:
    client = shop.client
    card, thing = member(client, 100), material(client, stock=5)
    offer(client, card, thing, 10)
    done = buy(client, card, thing)
    found = outcomes(at_once(shop, 16, lambda client, _: try_undo(client, done)))
    assert found["ok"] == 1
    assert set(found) <= {"ok", "already_rolled_back", "multiple_requests"}
    assert (points_of(client, card), counts_of(client, thing)) == (100, (5, 0))


def test_cards_of_one_customer_that_add_to_each_other_do_not_block_each_other(shop: Server) -> None:
    client = shop.client
    holder = name("cust")
    one, other = (join(client, program(client, 1000)["id"], holder) for _ in range(2))
    for card, target in ((one, other), (other, one)):
        given = issuing(client, {"id": target["campaign_id"]}, 1)
        offer(client, card, given, 1)
        card["given"] = given
    found = outcomes(
        at_once(shop, CROWD, lambda client, n: try_buy(client, *((c := (one, other)[n % 2]), c["given"])[:2]))
    )
    assert found == {"ok": CROWD}
    assert (points_of(client, one), points_of(client, other)) == (1000, 1000)


def test_the_first_gift_card_of_a_customer_is_made_once(shop: Server) -> None:
    client = shop.client
    card = member(client, 1000)
    campaign = gift_cards(client)
    given = issuing(client, campaign, 100)
    offer(client, card, given, 1)
    responses = at_once(shop, CROWD, lambda client, _: try_buy(client, card, given))
    assert outcomes(responses) == {"ok": CROWD}
    codes = {response.json()["reward"]["voucher"]["code"] for response in responses}
    assert len(codes) == 1
    assert card_of(client, {"code": codes.pop()})["gift"]["balance"] == 100 * CROWD


def test_five_codes_are_handed_to_five_members(shop: Server) -> None:
    client = shop.client
    made = program(client, 100)
    cards = [join(client, made["id"]) for _ in range(16)]
    coupon = issuing(client, coupons(client, type="STATIC"))
    for _ in range(5):
        ok(client.post(f"/v1/campaigns/{coupon['parameters']['campaign']['id']}/vouchers", json={}))
    offer(client, cards[0], coupon, 10)
    responses = at_once(shop, 16, lambda client, n: try_buy(client, cards[n], coupon))
    assert outcomes(responses) == {"ok": 5, "no_voucher_suitable_for_publication": 11}
    codes = {r.json()["reward"]["voucher"]["code"] for r in responses if r.status_code == 200}
    assert len(codes) == 5


def test_buying_and_undoing_at_once_leaves_everything_as_it_was(shop: Server) -> None:
    client = shop.client
    card, thing, pay = member(client, 5000), material(client, stock=20), coin(client, 1, 1)
    offer(client, card, thing, 3)
    offer(client, card, pay)

    def act(client: httpx.Client, place: int) -> httpx.Response:
        stack = {"redeemables": [asked_of(card, thing)], "order": {"amount": 1000}}
        for _ in range(3):
            if place % 2:
                undo(client, buy(client, card, pay, 7, order={"amount": 2000}))
            else:
                done = ok(client.post("/v1/redemptions", json=stack))["redemptions"][0]
                undo(client, done)
        return client.get(f"/v1/vouchers/{card['code']}")

    assert outcomes(at_once(shop, 12, act)) == {"ok": 12}
    assert (points_of(client, card), counts_of(client, thing)) == (5000, (20, 0))


def test_a_stock_that_is_set_anew_meanwhile_is_not_oversold(shop: Server) -> None:
    client = shop.client
    made = program(client, 1000)
    cards = [join(client, made["id"]) for _ in range(16)]
    thing = material(client, stock=100)
    offer(client, cards[0], thing, 1)

    def act(client: httpx.Client, place: int) -> httpx.Response:
        if place == 7:
            return client.put(f"/v1/rewards/{thing['id']}", json={"stock": 5})
        last = try_buy(client, cards[place], thing)
        for _ in range(3):
            last = try_buy(client, cards[place], thing)
        return last

    assert set(outcomes(at_once(shop, 16, act))) <= {"ok", "quantity_exceeded"}
    stock, redeemed = counts_of(client, thing)
    assert stock is not None
    assert 0 <= stock <= 5
    assert redeemed == sum(1000 - points_of(client, card) for card in cards)
