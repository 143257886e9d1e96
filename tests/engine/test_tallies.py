"""Rules that count: how often a code, tier or campaign was redeemed, and what that took off."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from largesse.engine.books import Ask, Campaign
from largesse.engine.customer import CustomerFacts
from largesse.engine.decision import commit
from largesse.engine.order import Order
from largesse.engine.tallies import Tallies, Tally, Use, period_start, wanted_tallies
from tests.engine.carts import NOW, UTC, amount_off, ask, ask_tier, card, code, decided, keys, tier
from tests.engine.ruled import leaf, rule_set

SPRING = Campaign(id="camp_1", name="Spring", type="DISCOUNT_COUPONS")
ANN = CustomerFacts("cust_ann")
OF_CAMPAIGN = Tally("campaign", "camp_1", "uses")


def limited(name: str, most: int, off: int = 100, id: str = "v_1", **more: Any) -> Ask:
    sets = rule_set(leaf(name, {"$less_than_or_equal": [most]}))
    return ask(code(amount_off(off), id, parent=SPRING, **more), None, None, sets)


@pytest.mark.parametrize(("earlier", "key"), [(99, "APPLICABLE"), (100, "redemption_rules_violated")])
def test_a_limit_lets_exactly_so_many_through(earlier: int, key: str) -> None:
    asked = limited("campaign.redemptions.count", 100)
    assert keys(decided(None, asked, tallies=Tallies({OF_CAMPAIGN: earlier}))) == [key]


@pytest.mark.parametrize(("discount", "key"), [(600, "redemption_rules_violated"), (500, "APPLICABLE")])
def test_a_budget_counts_the_discount_at_hand(discount: int, key: str) -> None:
    asked = limited("campaign.orders.amount_discounted", 5000, discount)
    given = Tallies({Tally("campaign", "camp_1", "discounts"): 4500})
    assert keys(decided(Order(amount=10_000), asked, tallies=given)) == [key]
    assert keys(decided(None, asked, tallies=given)) == ["APPLICABLE"]  # nothing to take anything off


@pytest.mark.parametrize(("earlier", "key"), [(900, "APPLICABLE"), (901, "redemption_rules_violated")])
def test_gift_credits_have_a_budget(earlier: int, key: str) -> None:
    sets = rule_set(leaf("redemption.gift.amount", {"$less_than_or_equal": [1000]}))
    of_campaign = ask(card(500, parent=SPRING), 100, None, sets)
    alone = ask(card(500), 100, None, sets)
    for asked, kind, id in ((of_campaign, "campaign", "camp_1"), (alone, "voucher", "g_1")):
        tallies = Tallies({Tally(kind, id, "credits"): earlier})  # type: ignore[arg-type]
        assert keys(decided(Order(amount=300), asked, tallies=tallies)) == [key]


def test_the_second_code_of_a_request_sees_the_first() -> None:
    first, second = (limited("campaign.redemptions.count", 1, id=id) for id in ("v_1", "v_2"))
    decision = decided(Order(amount=1000), first, second, tallies=Tallies({}))
    assert keys(decision) == ["APPLICABLE", "redemption_rules_violated"]
    own = [limited("redemption.count", 1, id=id) for id in ("v_1", "v_2")]
    assert decided(Order(amount=1000), *own, tallies=Tallies({})).valid


def test_the_next_request_of_a_batch_sees_the_one_before() -> None:
    asked, tallies = limited("redemption.count.per_customer", 1), Tallies({})
    ben = CustomerFacts("cust_ben")
    decision = decided(None, asked, customer=ANN, tallies=tallies)
    commit(decision, tallies=tallies)
    assert keys(decided(None, asked, customer=ANN, tallies=tallies)) == ["redemption_rules_violated"]
    assert decided(None, asked, customer=ben, tallies=tallies).valid
    assert keys(decided(None, asked, tallies=tallies)) == ["missing_customer"]


def test_each_key_is_counted_apart() -> None:
    asked, tallies = limited("redemption.count.per_api_key", 1), Tallies({})
    commit(decided(None, asked, api_key="app_1", tallies=tallies), tallies=tallies)
    assert keys(decided(None, asked, api_key="app_1", tallies=tallies)) == ["redemption_rules_violated"]
    assert decided(None, asked, api_key="app_2", tallies=tallies).valid


def test_a_tier_counts_its_own_uses() -> None:
    sets = rule_set(leaf("redemption.count.daily", {"$less_than": [2]}))
    asked = ask_tier(tier(amount_off(1)), sets)
    [tally] = wanted_tallies([asked], NOW, UTC, None, None)
    assert (tally.kind, tally.id) == ("promotion_tier", "promo_1")
    assert keys(decided(None, asked, tallies=Tallies({tally: 1}))) == ["redemption_rules_violated"]
    assert decided(None, asked, tallies=Tallies({})).valid


def test_a_code_without_campaign_has_nothing_to_count_there() -> None:
    sets = rule_set(leaf("campaign.redemptions.count", {"$less_than": [0]}))
    asked = ask(code(amount_off(1)), None, None, sets)
    assert wanted_tallies([asked, ask(code(None))], NOW, UTC, None, None) == set()
    assert decided(None, asked).valid


def test_what_is_to_be_summed_up_is_known_beforehand() -> None:
    names = ("campaign.redemptions.customers_count.monthly", "redemption.count.per_api_key")
    sets = rule_set(*(leaf(name, {"$less_than": [5]}) for name in names))
    asked = ask(code(amount_off(1), parent=SPRING), None, None, sets)
    month = period_start("monthly", NOW, UTC)
    of_key = Tally("voucher", "v_1", "uses", api_key="app_1")
    of_ann = Tally("campaign", "camp_1", "uses", month, "cust_ann")
    assert wanted_tallies([asked], NOW, UTC, "cust_ann", "app_1") == {of_key, of_ann}
    assert wanted_tallies([asked], NOW, UTC, None, "app_1") == {of_key}
    unknown = ask(None, None, "NOPE", sets)
    assert wanted_tallies([unknown], NOW, UTC, None, "app_1") == {Tally("voucher", "NOPE", "uses", api_key="app_1")}


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ({}, True),
        ({"id": "v_2"}, True),
        ({"campaign_id": None}, False),
        ({"customer_id": "cust_ben"}, False),
        ({"api_key": "app_2"}, False),
    ],
)
def test_a_use_counts_for_the_sums_it_belongs_to(other: dict[str, Any], expected: bool) -> None:
    use: dict[str, Any] = {"id": "v_1", "campaign_id": "camp_1", "customer_id": "cust_ann", "api_key": "app_1"}
    made = Use(**{"kind": "voucher", "discount": 5, "credits": 0} | use | other)
    assert made.counts_for(Tally("campaign", "camp_1", "uses", 0, "cust_ann", "app_1")) is expected


OF_ORDERS = Tally("campaign", "camp_1", "orders")


@pytest.mark.parametrize(
    ("order", "key"),
    [
        (Order(amount=600), "APPLICABLE"),
        (Order(amount=601), "redemption_rules_violated"),
        (Order(id="ord_1", amount=1000), "APPLICABLE"),  # 400 of it are counted already
        (Order(id="ord_1", amount=1001), "redemption_rules_violated"),
        (Order(id="ord_1", amount=100), "APPLICABLE"),
        (Order(), "APPLICABLE"),
        (None, "APPLICABLE"),
    ],
)
def test_an_order_counts_once_in_a_budget(order: Order | None, key: str) -> None:
    asked = limited("campaign.orders.amount", 5000)
    tallies = Tallies({OF_ORDERS: 4400}, {("camp_1", "ord_1"): 400})
    assert keys(decided(order, asked, tallies=tallies)) == [key]


def test_two_codes_on_one_order_take_its_amount_once() -> None:
    two = [limited("campaign.orders.amount", 1000, id=id) for id in ("v_1", "v_2")]
    assert decided(Order(amount=1000), *two, tallies=Tallies({})).valid


@pytest.mark.parametrize(
    ("order", "key"),
    [
        (Order(amount=1000), "redemption_rules_violated"),
        (Order(source_id="shop-1", amount=1000), "APPLICABLE"),
        (Order(id="ord_new", source_id="shop-1", amount=1500), "APPLICABLE"),
        (Order(source_id="shop-2", amount=1000), "redemption_rules_violated"),
    ],
)
def test_orders_of_one_batch_are_told_apart(order: Order, key: str) -> None:
    asked, tallies = limited("campaign.orders.amount", 1500), Tallies({})
    commit(decided(Order(source_id="shop-1", amount=1000), asked, tallies=tallies), tallies=tallies)
    assert keys(decided(order, asked, tallies=tallies)) == [key]


@pytest.mark.parametrize(
    ("period", "zone", "start"),
    [
        ("daily", "UTC", "2026-03-18T00:00+00:00"),
        ("weekly", "UTC", "2026-03-16T00:00+00:00"),
        ("monthly", "UTC", "2026-03-01T00:00+00:00"),
        ("daily", "Pacific/Auckland", "2026-03-19T00:00+13:00"),
        ("monthly", "America/New_York", "2026-03-01T00:00-05:00"),  # before the clocks changed
    ],
)
def test_periods_are_those_of_the_calendar_in_the_projects_zone(period: Any, zone: str, start: str) -> None:
    now = int(datetime.fromisoformat("2026-03-18T12:00+00:00").timestamp()) * 1_000_000
    expected = int(datetime.fromisoformat(start).timestamp()) * 1_000_000
    assert period_start(period, now, ZoneInfo(zone)) == expected
