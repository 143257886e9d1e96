"""Rules that count: limits of codes, tiers and campaigns hold exactly, also in a crowd, and come back with a rollback."""

import pytest

from tests.api.crowd import CROWD, at_once, outcomes
from tests.api.limits import KEY, assign, campaign, limit, limited, undo
from tests.api.promotions import new_tier, of_tier, try_redeem_all
from tests.api.shop import amount, code, gift, name, ok, redeem, refused, try_redeem, validate
from tests.servers import Server


@pytest.mark.parametrize("period", ["", ".daily", ".weekly", ".monthly"])
def test_a_crowd_takes_what_a_campaign_has_left(shop: Server, period: str) -> None:
    codes = campaign(shop, CROWD, f"campaign.redemptions.count{period}", 5)
    found = outcomes(at_once(shop, CROWD, lambda client, place: try_redeem(client, codes[place], order=1000)))
    assert found == {"ok": 5, KEY: CROWD - 5}


def test_a_crowd_takes_what_a_tier_has_left(shop: Server) -> None:
    tier_id = new_tier(shop.client, amount(100))
    assign(shop, limit(shop, "redemption.count.daily", 5), tier_id, "promotion_tier")
    found = outcomes(at_once(shop, CROWD, lambda client, _: try_redeem_all(client, of_tier(tier_id), order=1000)))
    assert found == {"ok": 5, KEY: CROWD - 5}


def test_a_crowd_takes_what_a_budget_has_left_to_the_cent(shop: Server) -> None:
    codes = campaign(shop, 16, "campaign.orders.amount_discounted", 555)
    responses = at_once(shop, 16, lambda client, place: try_redeem(client, codes[place], order=90 + place))
    given = sum(r.json()["order"]["total_applied_discount_amount"] for r in responses if r.status_code == 200)
    assert set(outcomes(responses)) == {"ok", KEY}
    assert 555 - 100 < given <= 555


def test_a_customer_takes_what_is_theirs_however_many_ask(shop: Server) -> None:
    made, source = limited(shop, "redemption.count.per_customer", 2), name("cust")
    ok(shop.client.post("/v1/customers", json={"source_id": source}))
    sent = {"order": 1000, "customer": {"source_id": source}}
    assert outcomes(at_once(shop, 16, lambda client, _: try_redeem(client, made, **sent))) == {"ok": 2, KEY: 14}
    redeem(shop.client, made, order=1000, customer={"source_id": name("other")})
    refused(try_redeem(shop.client, made, order=1000), 400, "missing_customer")


def test_a_rollback_gives_the_slot_back(shop: Server) -> None:
    codes = campaign(shop, 2, "campaign.redemptions.count.monthly", 1)
    done = redeem(shop.client, codes[0], order=1000)
    assert not validate(shop.client, codes[1], order=1000)["valid"]
    refused(try_redeem(shop.client, codes[1], order=1000), 400, KEY)
    undo(shop, done)
    assert validate(shop.client, codes[1], order=1000)["valid"]
    redeem(shop.client, codes[1], order=1000)


def test_two_codes_of_a_campaign_with_one_slot_left(shop: Server) -> None:
    codes = campaign(shop, 2, "campaign.redemptions.count", 1)
    refused(try_redeem(shop.client, *codes, order=1000), 400, KEY)
    redeem(shop.client, codes[1], order=1000)


def test_what_was_redeemed_before_the_rule_counts_too(shop: Server) -> None:
    made = code(shop.client, amount(100))
    for _ in range(2):
        redeem(shop.client, made, order=1000)
    assign(shop, limit(shop, "redemption.count.weekly", 3), made, "voucher")
    redeem(shop.client, made, order=1000)
    refused(try_redeem(shop.client, made, order=1000), 400, KEY)


def test_a_customer_has_a_share_of_a_campaign(shop: Server) -> None:
    codes = campaign(shop, 2, "campaign.redemptions.customers_count", 1)
    ann, ben = ({"source_id": name("cust")} for _ in range(2))
    redeem(shop.client, codes[0], order=1000, customer=ann)
    refused(try_redeem(shop.client, codes[1], order=1000, customer=ann), 400, KEY)
    redeem(shop.client, codes[1], order=1000, customer=ben)


def test_the_calling_key_has_a_share(shop: Server) -> None:
    made = limited(shop, "redemption.count.per_api_key", 1)
    redeem(shop.client, made, order=1000)
    refused(try_redeem(shop.client, made, order=1000), 400, KEY)


def test_the_cards_of_a_campaign_share_a_budget_of_credits(shop: Server) -> None:
    cards = campaign(shop, 2, "redemption.gift.amount", 700, {"type": "GIFT_VOUCHER", "gift": {"amount": 500}})
    redeem(shop.client, cards[0], order=1000)
    refused(try_redeem(shop.client, (cards[1], 201), order=1000), 400, KEY)
    redeem(shop.client, (cards[1], 200), order=1000)
    alone = gift(shop.client, 500)
    assign(shop, limit(shop, "redemption.gift.amount", 300), alone, "voucher")
    redeem(shop.client, (alone, 300), order=1000)
    refused(try_redeem(shop.client, (alone, 1), order=1000), 400, KEY)


def test_a_tier_is_not_offered_beyond_its_limit(shop: Server) -> None:
    tier_id = new_tier(shop.client, amount(100))
    assign(shop, limit(shop, "redemption.count", 1), tier_id, "promotion_tier")
    path = f"/v1/promotions/tiers/{tier_id}/validation"
    assert ok(shop.client.post(path, json={"order": {"amount": 1000}}))["valid"]
    assert try_redeem_all(shop.client, of_tier(tier_id), order=1000).status_code == 200
    assert not ok(shop.client.post(path, json={"order": {"amount": 1000}}))["valid"]


def test_the_amount_of_an_order_counts_once_in_a_campaign(shop: Server) -> None:
    codes = campaign(shop, 4, "campaign.orders.amount", 2500)
    both = redeem(shop.client, codes[0], codes[1], order=1000)
    redeem(shop.client, codes[2], order={"id": both["order"]["id"]})
    refused(try_redeem(shop.client, codes[3], order=1501), 400, KEY)
    done = redeem(shop.client, codes[3], order=1500)
    refused(try_redeem(shop.client, codes[3], order=1), 400, KEY)
    undo(shop, done)
    redeem(shop.client, codes[3], order=1500)
