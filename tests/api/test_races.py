"""Many at once: limits hold, nothing is lost, nobody waits for ever."""

from collections import Counter

import httpx

from tests.api.crowd import CROWD, at_once, outcomes
from tests.api.promotions import (
    entry,
    new_tier,
    of_code,
    of_tier,
    product,
    promotion,
    rule,
    statistics,
    tier,
    tier_ids,
    try_redeem_all,
)
from tests.api.shop import amount, balance, code, gift, name, ok, percent, redeem, try_redeem, uses
from tests.servers import Server


def test_a_code_with_five_uses_left_is_redeemed_five_times(shop: Server) -> None:
    made = code(shop.client, amount(100), quantity=5)
    found = outcomes(at_once(shop, CROWD, lambda client, _: try_redeem(client, made, order=1000)))
    assert found == {"ok": 5, "quantity_exceeded": CROWD - 5}
    assert uses(shop.client, made) == 5
    assert ok(shop.client.get(f"/v1/vouchers/{made}/redemption"))["total"] == CROWD


def test_a_gift_card_is_never_overdrawn(shop: Server) -> None:
    card = gift(shop.client, 1000)
    responses = at_once(shop, CROWD, lambda client, n: try_redeem(client, (card, 90 + n), order=5000))
    spent = sum(r.json()["redemptions"][0]["amount"] for r in responses if r.status_code == 200)
    assert set(outcomes(responses)) <= {"ok", "gift_amount_exceeded"}
    assert balance(shop.client, card) == 1000 - spent >= 0
    assert 1000 - spent < 90 + CROWD


def test_of_sixteen_rollbacks_one_succeeds(shop: Server) -> None:
    card = gift(shop.client, 1000)
    done = redeem(shop.client, (card, 400), order=5000)["redemptions"][0]["id"]
    found = outcomes(at_once(shop, 16, lambda client, _: client.post(f"/v1/redemptions/{done}/rollback")))
    assert found["ok"] == 1
    assert set(found) <= {"ok", "already_rolled_back", "multiple_requests"}
    assert balance(shop.client, card) == 1000


def test_stacks_in_opposite_order_do_not_block_each_other(shop: Server) -> None:
    codes = [code(shop.client, amount(1), quantity=1000) for _ in range(4)]

    def act(client: httpx.Client, place: int) -> httpx.Response:
        mine = codes if place % 2 else list(reversed(codes))
        return try_redeem(client, *mine, order=1000)

    assert outcomes(at_once(shop, CROWD, act)) == {"ok": CROWD}
    assert [uses(shop.client, made) for made in codes] == [CROWD] * 4


def test_one_new_customer_and_one_new_order_are_made_once(shop: Server) -> None:
    made, source, order = code(shop.client, amount(1)), name("cust"), name("order")
    responses = at_once(
        shop,
        CROWD,
        lambda client, _: try_redeem(
            client, made, order={"amount": 100_000, "source_id": order}, customer={"source_id": source, "name": "Ann"}
        ),
    )
    found = outcomes(responses)
    assert set(found) <= {"ok", "multiple_requests"}
    won = [r.json() for r in responses if r.status_code == 200]
    assert len({answer["order"]["id"] for answer in won}) == 1
    assert len({answer["redemptions"][0]["customer_id"] for answer in won}) == 1
    stored = ok(shop.client.get(f"/v1/orders/{order}"))
    assert len(stored["redemptions"]) == len(won)
    assert stored["total_amount"] == 100_000 - len(won)
    assert ok(shop.client.get(f"/v1/customers/{source}"))["summary"]["redemptions"]["total_succeeded"] == len(won)


def test_locks_never_hold_more_than_there_is(shop: Server) -> None:
    made = code(shop.client, amount(1), quantity=5)

    def hold(client: httpx.Client, place: int) -> httpx.Response:
        sent = {"redeemables": [{"object": "voucher", "id": made}], "order": {"amount": 5}}
        return client.post("/v1/validations", json=sent | {"session": {"type": "LOCK", "key": f"race-{place}"}})

    responses = at_once(shop, CROWD, hold)
    assert sum(ok(response)["valid"] for response in responses) == 5


def test_redeeming_disabling_and_rolling_back_at_once_leaves_everything_consistent(shop: Server) -> None:
    card, made = gift(shop.client, 100_000), code(shop.client, amount(10))

    def act(client: httpx.Client, place: int) -> httpx.Response:
        last = client.post(f"/v1/vouchers/{made}/{'disable' if place == 7 else 'enable'}")
        for _ in range(5):
            last = try_redeem(client, (card, 10), made, order=1000)
            if last.status_code == 200:
                last = client.post(f"/v1/redemptions/{last.json()['parent_redemption']['id']}/rollbacks")
        return last

    found = outcomes(at_once(shop, 16, act))
    assert set(found) <= {"ok", "voucher_disabled"}
    assert balance(shop.client, card) == 100_000
    assert uses(shop.client, made) == 0


def test_the_same_code_is_created_once(shop: Server) -> None:
    made = name()
    sent = {"type": "GIFT_VOUCHER", "gift": {"amount": 5}}
    found = outcomes(at_once(shop, 16, lambda client, _: client.post(f"/v1/vouchers/{made}", json=sent)))
    assert found == {"ok": 1, "duplicate_found": 15}


def test_a_limit_over_time_gives_five_units_to_a_crowd(shop: Server) -> None:
    """Half of it redeems a code first, so that the requests meet in the store, not in one lane."""
    item = product(shop.client, 1000)
    rule_id = rule(shop.client, entry(item, product_promotion_tier_quantity_limit=5))
    tier_id = new_tier(shop.client, percent(50, effect="APPLY_TO_ITEMS"), validation_rules=[rule_id])
    codes = [code(shop.client, amount(1)) for _ in range(CROWD // 2)]
    order = {"items": [{"product_id": item, "quantity": 1}]}

    def act(client: httpx.Client, place: int) -> httpx.Response:
        mine = [of_code(codes[place // 2])] if place % 2 else []
        return try_redeem_all(client, *mine, of_tier(tier_id), order=order)

    responses = at_once(shop, CROWD, act)
    assert set(outcomes(responses)) == {"ok"}
    given = [
        response.json()["redemptions"][-1]["order"].get("items_applied_discount_amount", 0) for response in responses
    ]
    assert Counter(given) == {500: 5, 0: CROWD - 5}
    assert statistics(shop.client, tier_id)[0] == CROWD


def test_tiers_and_codes_in_opposite_order_do_not_block_each_other(shop: Server) -> None:
    campaign = promotion(shop.client, tier(amount(1)), tier(amount(1)))
    first, second = tier_ids(campaign)
    codes = [code(shop.client, amount(1), quantity=1000) for _ in range(2)]
    asked = [of_tier(first), of_code(codes[0]), of_tier(second), of_code(codes[1])]

    def act(client: httpx.Client, place: int) -> httpx.Response:
        done = try_redeem_all(client, *(asked if place % 2 else reversed(asked)), order=1000)
        if place % 4 == 0 and done.status_code == 200:
            return client.post(f"/v1/redemptions/{done.json()['parent_redemption']['id']}/rollbacks")
        return done

    assert outcomes(at_once(shop, CROWD, act)) == {"ok": CROWD}
    left = CROWD - CROWD // 4
    assert [uses(shop.client, made) for made in codes] == [left] * 2
    assert [statistics(shop.client, one) for one in (first, second)] == [(left, left * 1000, left)] * 2
