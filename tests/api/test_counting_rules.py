"""Rules that count: limits of codes, tiers and campaigns hold exactly, also in a crowd, and come back with a rollback."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.promotions import new_tier, of_tier, try_redeem_all
from tests.api.shop import amount, code, gift, name, ok, redeem, refused, try_redeem, validate
from tests.api.test_races import CROWD, at_once, outcomes
from tests.conftest import new_store
from tests.servers import Server


@pytest.fixture(
    scope="module", params=[("sqlite", 1), ("postgresql", 1), ("postgresql", 2)], ids=lambda p: f"{p[0]}-{p[1]}"
)
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on each store, and with two worker processes."""
    kind, workers = request.param
    running = Server(new_store(kind, request, tmp_path_factory.mktemp("count")), workers=workers)
    yield running
    running.verify()
    running.stop()


def limit(shop: Server, counted: str, most: int) -> str:
    """The id of a rule that lets so many through."""
    conditions = {"$less_than_or_equal": [most]}
    sent = {"name": name("Limit"), "rules": {"1": {"name": counted, "conditions": conditions}}}
    return str(ok(shop.client.post("/v1/validation-rules", json=sent))["id"])


def limited(shop: Server, counted: str, most: int) -> str:
    """A code under a rule of its own."""
    made = code(shop.client, amount(100))
    assign(shop, limit(shop, counted, most), made, "voucher")
    return made


def assign(shop: Server, rule_id: str, object_id: str, object_type: str) -> None:
    sent = {"related_object_id": object_id, "related_object_type": object_type}
    ok(shop.client.post(f"/v1/validation-rules/{rule_id}/assignments", json=sent))


def campaign(shop: Server, codes: int, counted: str, most: int, voucher: Any = None) -> list[str]:
    """Codes of a new campaign under one rule."""
    coupon = voucher or {"type": "DISCOUNT_VOUCHER", "discount": amount(100)}
    sent = {"name": name("Campaign"), "voucher": coupon, "validation_rules": [limit(shop, counted, most)]}
    if voucher:
        sent["campaign_type"] = "GIFT_VOUCHERS"
    made = ok(shop.client.post("/v1/campaigns", json=sent))
    return [ok(shop.client.post(f"/v1/campaigns/{made['id']}/vouchers"))["code"] for _ in range(codes)]


def undo(shop: Server, redemption: Any) -> None:
    ok(shop.client.post(f"/v1/redemptions/{redemption['redemptions'][0]['id']}/rollback"))


KEY = "redemption_rules_violated"


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
