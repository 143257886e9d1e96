"""Why a redeemable is refused, and which reason comes first."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from largesse.engine.books import Ask, Campaign, Category, Lock, Tier
from largesse.engine.decision import Posting, commit
from largesse.engine.order import Line, Order
from largesse.engine.validity import (
    DailyHours,
    Hours,
    Timeframe,
    after,
    check_definition,
    in_timeframe,
    parse_duration,
)
from tests.engine.carts import NOW, UTC, amount_off, ask, ask_tier, card, code, decided, keys, tier

WARSAW = ZoneInfo("Europe/Warsaw")


def at(text: str, zone: ZoneInfo = UTC) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("state", "key"),
    [
        ({}, "APPLICABLE"),
        ({"active": False, "expiration_date": NOW - 1}, "voucher_disabled"),
        ({"parent": Campaign(id="camp_1", name="Spring", type="DISCOUNT_COUPONS", active=False)}, "voucher_disabled"),
        ({"start_date": NOW + 1}, "voucher_not_active"),
        ({"start_date": NOW, "expiration_date": NOW}, "APPLICABLE"),
        ({"expiration_date": NOW - 1, "quantity": 1, "redeemed_quantity": 1}, "voucher_expired"),
        ({"quantity": 1, "redeemed_quantity": 1}, "quantity_exceeded"),
        ({"quantity": 2, "redeemed_quantity": 1}, "APPLICABLE"),
        ({"quantity": 1, "locks": [Lock("other", 1, 0, NOW + 1)]}, "quantity_exceeded"),
        ({"quantity": 1, "locks": [Lock("mine", 1, 0, NOW + 1)]}, "APPLICABLE"),
        ({"quantity": 1, "locks": [Lock("other", 1, 0, NOW)]}, "APPLICABLE"),
    ],
)
def test_the_state_of_a_code_decides(state: dict[str, Any], key: str) -> None:
    decision = decided(Order(amount=100), ask(code(amount_off(1), **state)), session_key="mine")
    assert keys(decision) == [key]


@pytest.mark.parametrize(
    ("order", "credits", "key"),
    [
        (None, None, "missing_order"),
        (Order(), None, "missing_amount"),
        (Order(amount=500), 101, "gift_amount_exceeded"),
        (Order(amount=500), 100, "APPLICABLE"),
    ],
)
def test_a_gift_card_needs_an_order_and_credits(order: Order | None, credits: int | None, key: str) -> None:
    assert keys(decided(order, ask(card(100), credits))) == [key]


def test_a_gift_card_on_items_needs_a_priced_line() -> None:
    on_items = card(100, gift_effect="APPLY_TO_ITEMS")
    assert keys(decided(Order(amount=5, lines=(Line(),)), ask(on_items))) == ["missing_order_items_amount"]


def test_credits_that_others_hold_are_not_there() -> None:
    held = card(5000, locks=[Lock("a", 1, 3000, NOW + 1)])
    assert keys(decided(Order(amount=10000), ask(held, 2500))) == ["gift_amount_exceeded"]
    assert decided(Order(amount=10000), ask(held)).outcomes[0].credits == 2000


def test_unknown_things_are_named_by_their_kind() -> None:
    decision = decided(Order(amount=5), Ask("promotion_tier", "promo_1"))
    refusal = decision.outcomes[0].refusal
    assert refusal is not None
    assert (refusal.key, refusal.resource_type, refusal.redeemable_type) == (
        "not_found",
        "promotion_tier",
        "promotion_tier",
    )


def test_a_voucher_without_discount_only_counts_uses() -> None:
    assert keys(decided(None, ask(code(None)))) == ["APPLICABLE"]
    assert decided(Order(amount=5), ask(code(None))).order == Order(amount=5)


@pytest.mark.parametrize(
    ("moment", "key"),
    [
        ("2026-01-03T00:30:00", "APPLICABLE"),
        ("2026-01-02T00:30:00", "voucher_not_active_now"),
        ("2026-01-03T01:00:00", "voucher_not_active_now"),
        ("2026-06-02T00:59:59", "APPLICABLE"),  # the wall clock has moved to summer time
    ],
)
def test_a_timeframe_opens_every_other_day_for_an_hour(moment: str, key: str) -> None:
    frame = Timeframe(interval="P2D", duration="PT1H")
    voucher = code(amount_off(1), start_date=at("2026-01-01T00:00:00", WARSAW), validity_timeframe=frame)
    assert keys(decided(Order(amount=5), ask(voucher), now=at(moment, WARSAW), zone=WARSAW)) == [key]


def test_a_monthly_timeframe_steps_by_the_calendar() -> None:
    frame = Timeframe(interval="P1M", duration="P1D")
    start = at("2026-01-31T00:00:00")
    assert in_timeframe(frame, start, at("2026-02-28T12:00:00"), UTC)
    assert not in_timeframe(frame, start, at("2026-03-01T12:00:00"), UTC)
    assert in_timeframe(frame, start, at("2026-03-31T12:00:00"), UTC)
    assert not in_timeframe(frame, start, start - 1_000_000, UTC)


@pytest.mark.parametrize(
    ("interval", "duration", "moment", "is_open"),
    [
        ("P9999Y", "P1D", "2026-01-01T12:00:00", True),
        ("P9999Y", "P1D", "2026-01-02T12:00:00", False),  # there is no second opening
        ("P9999Y", "P9999Y", "2026-01-02T12:00:00", True),  # … and no closing
        ("PT1S", "PT99999999S", "2026-01-02T12:00:00", True),
        ("P9999M", "PT999999H", "9999-12-31T23:59:59", False),
        ("P1M", "P1D", "9999-12-31T23:59:59", False),
    ],
)
def test_a_timeframe_may_step_beyond_the_calendar(interval: str, duration: str, moment: str, is_open: bool) -> None:
    frame = Timeframe(interval=interval, duration=duration)
    assert in_timeframe(frame, at("2026-01-01T00:00:00"), at(moment), UTC) == is_open


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_a_timeframe_may_begin_on_any_day_of_the_calendar(zone: str) -> None:
    frame, now = Timeframe(interval="P1D", duration="P1D"), at("2026-01-01T12:00:00")
    assert in_timeframe(frame, at("0001-01-01T00:00:00"), now, ZoneInfo(zone))
    assert not in_timeframe(frame, at("9999-12-31T23:59:59"), now, ZoneInfo(zone))


@pytest.mark.parametrize(
    ("day", "key"),
    [("2026-11-23", "APPLICABLE"), ("2026-11-24", "voucher_not_active_now"), ("2026-11-28", "APPLICABLE")],
)
def test_days_of_the_week(day: str, key: str) -> None:
    voucher = code(amount_off(1), validity_day_of_week=[1, 3, 6])
    assert keys(decided(Order(amount=5), ask(voucher), now=at(f"{day}T12:00:00"))) == [key]


@pytest.mark.parametrize(
    ("moment", "key"),
    [
        ("2026-11-27T12:00:00", "APPLICABLE"),
        ("2026-11-27T13:59:00", "APPLICABLE"),
        ("2026-11-27T14:00:00", "voucher_not_active_now"),
        ("2026-11-26T12:30:00", "voucher_not_active_now"),
    ],
)
def test_happy_hours(moment: str, key: str) -> None:
    hours = Hours([DailyHours("12:00", "14:00", [5])])
    assert keys(decided(Order(amount=5), ask(code(amount_off(1), validity_hours=hours)), now=at(moment))) == [key]


@pytest.mark.parametrize(
    ("moment", "open_"),
    [
        ("2026-11-27T22:00:00", True),
        ("2026-11-28T01:59:00", True),
        ("2026-11-28T02:00:00", False),
        ("2026-11-28T22:30:00", False),
        ("2026-11-27T01:00:00", False),
    ],
)
def test_hours_past_midnight_belong_to_the_day_they_start_on(moment: str, open_: bool) -> None:
    hours = Hours([DailyHours("22:00", "02:00", [5])])
    found = keys(decided(Order(amount=5), ask(code(amount_off(1), validity_hours=hours)), now=at(moment)))
    assert (found == ["APPLICABLE"]) is open_


def test_hours_without_an_end_last_all_day() -> None:
    voucher = code(amount_off(1), validity_hours=Hours([DailyHours("12:00")]))
    assert keys(decided(Order(amount=5), ask(voucher), now=at("2026-11-27T23:59:00"))) == ["APPLICABLE"]
    assert keys(decided(Order(amount=5), ask(voucher), now=at("2026-11-27T11:59:00"))) == ["voucher_not_active_now"]


@pytest.mark.parametrize(
    ("start", "duration", "end"),
    [
        ("2026-01-09T12:00:00", "P24D", "2026-02-02T12:00:00"),
        ("2026-01-31T12:00:00", "P1M", "2026-02-28T12:00:00"),
        ("2026-03-28T12:00:00", "P1D", "2026-03-29T12:00:00"),  # an hour shorter: the clocks went forward
    ],
)
def test_a_lifetime_runs_by_the_wall_clock(start: str, duration: str, end: str) -> None:
    assert after(at(start, WARSAW), parse_duration(duration), WARSAW) == at(end, WARSAW)


@pytest.mark.parametrize("duration", ["P9999Y", "P99999D"])
def test_a_lifetime_beyond_all_calendars_never_ends(duration: str) -> None:
    assert after(at("9999-06-01T00:00:00"), parse_duration(duration), UTC) is None


def test_a_day_that_only_the_wall_clock_knows_is_beyond_the_calendar() -> None:
    evening = at("9999-12-31T20:00:00"), parse_duration("PT14H"), ZoneInfo("Pacific/Pago_Pago")
    assert after(*evening) is None


@pytest.mark.parametrize("text", ["", "P", "PT", "1D", "P1.5D", "P-1D", "P1DT"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_duration(text)


def test_definitions_that_contradict_themselves() -> None:
    hours = Hours([DailyHours("12:00", "14:00")])
    frame = Timeframe("P1D", "PT1H")
    found = [
        check_definition(2, 1, None, None, None),
        check_definition(None, None, frame, None, None),
        check_definition(1, None, Timeframe("P0D", "PT1H"), None, None),
        check_definition(1, None, Timeframe("P1D", "soon"), None, None),
        check_definition(1, None, frame, None, hours),
        check_definition(1, None, None, [1], hours),
        check_definition(1, 2, frame, [1], None),
    ]
    expected = ["invalid_voucher", *["invalid_payload"] * 5, None]
    assert [refusal and refusal.key for refusal in found] == expected


def test_a_discount_needs_no_order_to_be_used() -> None:
    decision = decided(None, ask(code(amount_off(10))))
    assert keys(decision) == ["APPLICABLE"]
    assert [posting.amount for outcome in decision.applicable for posting in outcome.postings] == [1]
    assert decision.applicable[0].order is None


def test_a_category_of_its_own_wins_over_the_campaigns() -> None:
    spring, own = Category("cat_1", "Spring", 3), Category("cat_2", "Own", 1)
    campaign = Campaign(id="camp_1", name="Spring", type="PROMOTION", category=spring)
    assert ask(code(None, parent=campaign)).category == spring
    assert ask(code(None, parent=campaign, category=own)).category == own
    assert Ask("promotion_tier", "promo_1", tier=Tier(id="promo_1", name="Tier", campaign=campaign)).category == spring
    assert ask(code(None)).category is None


# Campaigns and promotion tiers


def campaign(**more: Any) -> Campaign:
    return Campaign(id="camp_1", name="Spring", type="PROMOTION", **more)


HAPPY = Hours([DailyHours("12:00", "13:00")])
DAYS = {"day": at("2026-01-05T12:30"), "night": at("2026-01-05T22:30")}  # a Monday


@pytest.mark.parametrize(
    ("own", "of_campaign", "key"),
    [
        ({}, {"start_date": NOW + 1}, "voucher_not_active"),
        ({"start_date": NOW}, {"start_date": NOW + 1}, "APPLICABLE"),
        ({}, {"expiration_date": NOW - 1}, "voucher_expired"),
        ({"expiration_date": NOW}, {"expiration_date": NOW - 1}, "APPLICABLE"),
        ({}, {"expiration_date": NOW}, "APPLICABLE"),
    ],
)
def test_a_code_follows_its_campaigns_dates_where_it_has_none(
    own: dict[str, Any], of_campaign: dict[str, Any], key: str
) -> None:
    voucher = code(amount_off(1), parent=campaign(**of_campaign), **own)
    assert keys(decided(Order(amount=100), ask(voucher))) == [key]


@pytest.mark.parametrize(
    ("own", "of_campaign", "moment", "key"),
    [
        ({}, {"validity_hours": HAPPY}, "day", "APPLICABLE"),
        ({}, {"validity_hours": HAPPY}, "night", "voucher_not_active_now"),
        ({"validity_hours": Hours([DailyHours("22:00")])}, {"validity_hours": HAPPY}, "night", "APPLICABLE"),
        ({}, {"validity_day_of_week": [2]}, "day", "voucher_not_active_now"),
        ({"validity_day_of_week": [1]}, {"validity_day_of_week": [2]}, "day", "APPLICABLE"),
        (
            {"start_date": at("2026-01-04T12:00")},
            {"start_date": at("2026-01-04T00:00"), "validity_timeframe": Timeframe("P1D", "PT1H")},
            "day",
            "voucher_not_active_now",
        ),
        (
            {"start_date": at("2026-01-04T12:00"), "validity_timeframe": Timeframe("P1D", "PT1H")},
            {"start_date": at("2026-01-04T00:00"), "validity_timeframe": Timeframe("P1D", "PT1M")},
            "day",
            "APPLICABLE",
        ),
    ],
)
def test_a_code_follows_its_campaigns_windows_where_it_has_none(
    own: dict[str, Any], of_campaign: dict[str, Any], moment: str, key: str
) -> None:
    voucher = code(amount_off(1), parent=campaign(**of_campaign), **own)
    assert keys(decided(Order(amount=100), ask(voucher), now=DAYS[moment])) == [key]


@pytest.mark.parametrize(
    ("own", "of_campaign", "key", "details"),
    [
        ({}, {}, "APPLICABLE", None),
        ({"active": False}, {}, "promotion_inactive", "Promotion Tier with id: promo_1 is disabled."),
        ({}, {"active": False}, "promotion_inactive", "Promotion Tier with id: promo_1 is disabled."),
        ({"start_date": NOW + 1}, {}, "promotion_inactive", "Promotion Tier with id: promo_1 is not active yet."),
        (
            {"start_date": NOW},
            {"start_date": NOW + 1},
            "promotion_inactive",
            "Promotion Tier with id: promo_1 is not active yet.",
        ),
        ({"expiration_date": NOW - 1}, {}, "promotion_inactive", "Promotion Tier with id: promo_1 expired."),
        ({}, {"expiration_date": NOW - 1}, "promotion_inactive", "Promotion Tier with id: promo_1 expired."),
        ({"expiration_date": NOW}, {"expiration_date": NOW}, "APPLICABLE", None),
        ({"validity_hours": Hours([DailyHours("00:00", "00:01")])}, {}, "promotion_not_active_now", "promo_1"),
        ({}, {"validity_hours": Hours([DailyHours("00:00", "00:01")])}, "promotion_not_active_now", "promo_1"),
    ],
)
def test_a_tier_and_its_campaign_must_both_be_on(
    own: dict[str, Any], of_campaign: dict[str, Any], key: str, details: str | None
) -> None:
    decision = decided(Order(amount=100), ask_tier(tier(amount_off(1), campaign=campaign(**of_campaign), **own)))
    assert keys(decision) == [key]
    refusal = decision.outcomes[0].refusal
    assert (refusal.details if refusal else None) == details


def test_a_tier_is_used_as_a_tier() -> None:
    decision = decided(Order(amount=100), ask_tier(tier(amount_off(30))))
    assert decision.order is not None
    assert decision.order.total_amount == 70
    assert decision.outcomes[0].postings == (Posting("tier_uses", "promo_1", 1),)
    commit(decision, "session")
