"""Rules that count: how often a code, tier or campaign was redeemed, and what that took off."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from largesse.engine.benefits import RuleSet
from largesse.engine.books import Ask, Campaign
from largesse.engine.customer import CustomerFacts
from largesse.engine.decision import commit
from largesse.engine.order import Order
from largesse.engine.tallies import EVER, Calendar, Tallies, Tally, Use, wanted_tallies
from tests.engine.carts import NOW, UTC, amount_off, ask, ask_tier, card, code, decided, keys, tier
from tests.engine.ruled import leaf, rule_set

SPRING = Campaign(id="camp_1", name="Spring", type="DISCOUNT_COUPONS")
ANN = CustomerFacts("cust_ann")
OF_CAMPAIGN = Tally("campaign", "camp_1", "uses")
CALENDAR = Calendar(UTC)


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
    [tally] = wanted_tallies([asked], NOW, CALENDAR, None, None)
    assert (tally.kind, tally.id) == ("promotion_tier", "promo_1")
    assert keys(decided(None, asked, tallies=Tallies({tally: 1}))) == ["redemption_rules_violated"]
    assert decided(None, asked, tallies=Tallies({})).valid


def test_a_code_without_campaign_has_nothing_to_count_there() -> None:
    sets = rule_set(leaf("campaign.redemptions.count", {"$less_than": [0]}))
    asked = ask(code(amount_off(1)), None, None, sets)
    assert wanted_tallies([asked, ask(code(None))], NOW, CALENDAR, None, None) == set()
    assert decided(None, asked).valid


def test_what_is_to_be_summed_up_is_known_beforehand() -> None:
    names = ("campaign.redemptions.customers_count.monthly", "redemption.count.per_api_key")
    sets = rule_set(*(leaf(name, {"$less_than": [5]}) for name in names))
    asked = ask(code(amount_off(1), parent=SPRING), None, None, sets)
    month = CALENDAR.period("monthly", NOW)
    of_key = Tally("voucher", "v_1", "uses", api_key="app_1")
    of_ann = Tally("campaign", "camp_1", "uses", *month, "cust_ann")
    assert wanted_tallies([asked], NOW, CALENDAR, "cust_ann", "app_1") == {of_key, of_ann}
    assert wanted_tallies([asked], NOW, CALENDAR, None, "app_1") == {of_key}
    unknown = ask(None, None, "NOPE", sets)
    assert wanted_tallies([unknown], NOW, CALENDAR, None, "app_1") == {
        Tally("voucher", "NOPE", "uses", api_key="app_1")
    }


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ({}, True),
        ({"id": "v_2"}, True),
        ({"campaign_id": None}, False),
        ({"customer_id": "cust_ben"}, False),
        ({"api_key": "app_2"}, False),
        ({"at": 8}, True),
        ({"at": 9}, False),
        ({"at": 4}, False),
    ],
)
def test_a_use_counts_for_the_sums_it_belongs_to(other: dict[str, Any], expected: bool) -> None:
    use: dict[str, Any] = {"id": "v_1", "campaign_id": "camp_1", "customer_id": "cust_ann", "api_key": "app_1", "at": 5}
    made = Use(**{"kind": "voucher", "discount": 5, "credits": 0} | use | other)
    assert made.counts_for(Tally("campaign", "camp_1", "uses", 5, 9, "cust_ann", "app_1")) is expected


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
    ("period", "zone", "start", "end"),
    [
        ("daily", "UTC", "2026-03-18T00:00+00:00", "2026-03-19T00:00+00:00"),
        ("weekly", "UTC", "2026-03-16T00:00+00:00", "2026-03-23T00:00+00:00"),
        ("monthly", "UTC", "2026-03-01T00:00+00:00", "2026-04-01T00:00+00:00"),
        ("quarterly", "UTC", "2026-01-01T00:00+00:00", "2026-04-01T00:00+00:00"),
        ("yearly", "UTC", "2026-01-01T00:00+00:00", "2027-01-01T00:00+00:00"),
        ("daily", "Pacific/Auckland", "2026-03-19T00:00+13:00", "2026-03-20T00:00+13:00"),
        # Before and after the clocks changed.
        ("monthly", "America/New_York", "2026-03-01T00:00-05:00", "2026-04-01T00:00-04:00"),
    ],
)
def test_periods_are_those_of_the_calendar_in_the_projects_zone(period: Any, zone: str, start: str, end: str) -> None:
    found = Calendar(ZoneInfo(zone)).period(period, micros("2026-03-18T12:00+00:00"))
    assert found == (micros(start), micros(end))


@pytest.mark.parametrize(
    ("first", "start"), [("MONDAY", "2026-03-16"), ("SUNDAY", "2026-03-15"), ("SATURDAY", "2026-03-14")]
)
def test_weeks_begin_on_the_projects_first_weekday(first: Any, start: str) -> None:
    weeks = Calendar(UTC, first)
    since, until = weeks.period("weekly", micros("2026-03-18T12:00+00:00"))
    assert since == micros(f"{start}T00:00+00:00")
    assert weeks.period("weekly", since) == (since, until)
    assert weeks.period("weekly", until)[0] == until


def test_all_time_has_no_end() -> None:
    assert CALENDAR.period(None, NOW) == (0, EVER)


def micros(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 1_000_000


# Sums that are kept


def kept(name: str, conditions: Any, *, of_campaign: bool = True) -> Ask:
    sets = rule_set(leaf(name, conditions), series="asgm_1@5", of_campaign=of_campaign)
    return ask(code(amount_off(100), parent=SPRING), None, None, sets)


def test_granted_redemptions_move_the_sums_that_are_kept() -> None:
    asked, tallies = kept("campaign.redemptions.count.daily", {"$less_than": [3]}), Tallies({})
    since, until = CALENDAR.period("daily", NOW)
    day = Tally("campaign", "camp_1", "uses", since, until, series="asgm_1@5")
    assert day.name == f"asgm_1@5/uses/{since}-{until}/"
    for taken in (1, 2):
        decision = decided(None, asked, customer=ANN, tallies=tallies)
        assert decision.valid
        commit(decision, tallies=tallies)
        assert tallies.growth() == {day: (taken, 2)}
    assert keys(decided(None, asked, customer=ANN, tallies=tallies)) == ["redemption_rules_violated"]


@pytest.mark.parametrize(
    ("conditions", "most"),
    [
        ({"$less_than_or_equal": [5]}, 5),
        ({"$less_than_equal": ["5"], "$more_than": [0]}, 5),
        ({"$less_than": [5, 7]}, 4),
        ({"$less_than": [4.5]}, 4),
        ({"$less_than_or_equal": 4.5}, 4),
        ({"$is_not": [5]}, None),
        ({"$less_than_or_equal": [2**62]}, None),  # beyond all that can be counted
        ({"$less_than": [1e308, "9" * 30, 5]}, 4),
    ],
)
def test_what_a_sum_may_be_at_most_is_known_where_the_rule_says_so(conditions: Any, most: int | None) -> None:
    [found] = kept("campaign.redemptions.count", conditions).rules
    assert found.conditions is not None
    assert set(found.conditions.most.values()) == ({most} - {None})


def test_a_limit_that_another_condition_can_make_up_for_is_none() -> None:
    count, amount = leaf("redemption.count", {"$less_than": [5]}), leaf("order.amount", {"$more_than": [1]})
    least = leaf("redemption.count", {"$less_than": [4]})
    either = rule_set(count, amount, logic="1 or 2").conditions
    both = rule_set(count, amount, least, logic="1 and 2 and 3").conditions
    assert either is not None
    assert both is not None
    assert (either.most, list(both.most.values())) == ({}, [3])


def test_the_sums_of_a_campaign_are_not_kept_for_a_rule_of_one_code() -> None:
    of_one = kept("campaign.redemptions.count", {"$less_than": [3]}, of_campaign=False)
    assert [one.series for one in wanted_tallies([of_one], NOW, CALENDAR, None, None)] == [""]


def test_rules_without_conditions_count_nothing() -> None:
    asked = kept("redemption.count", {"$less_than": [3]})
    bare = ask(asked.voucher, None, None, RuleSet(id="val_2"), *asked.rules)
    assert [one.series for one in wanted_tallies([bare], NOW, CALENDAR, None, None)] == ["asgm_1@5"]


def test_nobody_is_counted_where_a_key_calls_for_a_user() -> None:
    asked = kept("redemption.count.per_user", {"$less_than": [0]})
    assert wanted_tallies([asked], NOW, CALENDAR, None, "app_1") == set()
    assert decided(None, asked, api_key="app_1").valid
