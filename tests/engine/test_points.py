"""When points expire, in which order they are spent, and what the calendar does to a card."""

from datetime import date

import pytest

from largesse.engine.books import Voucher
from largesse.engine.points import (
    Activation,
    Bucket,
    Expiration,
    ExpirationRules,
    Pending,
    Wallet,
    days_later,
    expiry,
    missing_member,
)

MONTH = ExpirationRules(period_type="MONTH", period_value=1)


def day(text: str) -> date:
    return date.fromisoformat(text)


def months(value: int, rounding: str | None = None, month: int | None = None) -> ExpirationRules:
    return ExpirationRules(
        period_type="MONTH",
        period_value=value,
        rounding_type=rounding,  # type: ignore[arg-type]
        rounding_value=month,
    )


def yearly(month: int, of_month: int) -> ExpirationRules:
    return ExpirationRules(period_type="FIXED_DAY_OF_YEAR", fixed_month=month, fixed_day=of_month)


def wallet(buckets: list[tuple[int, str | None]], rules: ExpirationRules | None = None, **totals: int) -> Wallet:
    """A card with these buckets, points and day of expiry, that was credited with just what they hold."""
    held = [
        Bucket(id=f"b{place}", points=points, expires_on=day(expires) if expires else None, created_at=place)
        for place, (points, expires) in enumerate(buckets)
    ]
    card = Voucher(id="v", code="card", type="LOYALTY_CARD", gift_amount=sum(b.points for b in held))
    for name, value in totals.items():
        setattr(card, name, value)
    return Wallet(card=card, buckets=held, rules=rules)


def contents(held: Wallet) -> list[tuple[int, str | None]]:
    return [(b.points, b.expires_on.isoformat() if b.expires_on else None) for b in held.buckets]


def settle(held: Wallet, today: str) -> list[Activation | Expiration]:
    steps = []
    while (step := held.next_due(day(today), lambda: "new", 0)) is not None:
        steps.append(step)
    return steps


@pytest.mark.parametrize(
    ("rules", "earned", "expected"),
    [
        (months(1), "2026-01-25", "2026-02-25"),
        (months(0), "2026-01-01", "2026-01-01"),
        (months(1), "2026-01-31", "2026-02-28"),
        (months(1), "2024-01-30", "2024-02-29"),
        (months(1, "END_OF_MONTH"), "2026-01-10", "2026-02-28"),
        (months(3, "END_OF_QUARTER"), "2026-05-15", "2026-09-30"),
        (months(6, "END_OF_HALF_YEAR"), "2026-08-31", "2027-06-30"),
        (months(3, "END_OF_YEAR"), "2026-10-15", "2027-12-31"),
        (months(2, "PARTICULAR_MONTH", 1), "2025-01-28", "2026-01-31"),
        (months(2, "PARTICULAR_MONTH", 2), "2026-12-05", "2027-02-28"),
        (months(2, "PARTICULAR_MONTH", 3), "2026-01-28", "2026-03-31"),
        (yearly(1, 1), "2026-01-02", "2027-01-01"),
        (yearly(1, 1), "2026-01-01", "2026-01-01"),
        (yearly(2, 29), "2026-03-01", "2027-02-28"),
        (months(12_000, "END_OF_YEAR"), "2026-03-01", "3026-12-31"),
        (months(12_000), "9000-03-01", "9999-12-31"),
    ],
)
def test_points_expire_on_the_day_that_the_rules_name(rules: ExpirationRules, earned: str, expected: str) -> None:
    assert expiry(rules, day(earned)) == day(expected)


def test_points_without_rules_never_expire() -> None:
    assert expiry(None, day("2026-01-01")) is None


@pytest.mark.parametrize(
    ("rules", "missing"),
    [
        (ExpirationRules(period_type="MONTH"), "period_value"),
        (months(1, "PARTICULAR_MONTH"), "rounding_value"),
        (months(1, "END_OF_MONTH"), None),
        (ExpirationRules(period_type="FIXED_DAY_OF_YEAR", fixed_month=1), "fixed_day"),
        (yearly(1, 1), None),
    ],
)
def test_rules_say_which_member_they_need(rules: ExpirationRules, missing: str | None) -> None:
    assert missing_member(rules) == missing


def test_points_that_expire_first_are_spent_first() -> None:
    held = wallet([(2, "2025-11-25"), (12, "2025-11-30"), (13_124, None)])
    held.subtract(10)
    assert contents(held) == [(0, "2025-11-25"), (4, "2025-11-30"), (13_124, None)]
    assert held.next_expiration() == (day("2025-11-30"), 4)
    assert (held.card.balance, held.card.subtracted_amount) == (13_128, 10)


def test_a_card_that_holds_nothing_that_expires_has_no_next_expiration() -> None:
    assert wallet([(0, "2026-01-31"), (5, None)]).next_expiration() is None


def test_points_of_one_day_share_a_bucket() -> None:
    held = wallet([(5, "2026-01-31")])
    assert not held.credit(3, day("2026-01-31"), lambda: "new", 1).is_new
    assert held.credit(1, day("2026-01-15"), lambda: "new", 1).is_new
    assert contents(held) == [(1, "2026-01-15"), (8, "2026-01-31")]
    assert held.next_expiration() == (day("2026-01-15"), 1)


def test_initial_points_never_expire() -> None:
    card = Voucher(id="v", code="card", type="LOYALTY_CARD", gift_amount=1000)
    held = Wallet(card=card, rules=MONTH)
    assert not held.agrees()
    held.begin(lambda: "first", 0)
    assert held.agrees()
    assert (contents(held), card.balance) == ([(1000, None)], 1000)


def test_initial_points_are_given_once() -> None:
    held = wallet([(5, "2026-01-31")])
    assert held.begin(lambda: "first", 0) is None


def test_points_are_usable_on_their_last_day_and_gone_at_midnight() -> None:
    held = wallet([(70, "2026-03-14"), (262, None)], gift_amount=1062, redeemed_amount=730)
    assert settle(held, "2026-03-14") == []
    [step] = settle(held, "2026-03-15")
    assert isinstance(step, Expiration)
    assert (step.day, step.points) == (day("2026-03-15"), 70)
    assert (held.card.expired_amount, held.card.balance) == (70, 262)
    assert held.due_on() is None


def test_an_emptied_bucket_ends_in_silence() -> None:
    held = wallet([(0, "2026-03-14")])
    [step] = settle(held, "2026-03-15")
    assert isinstance(step, Expiration)
    assert (step.points, contents(held)) == (0, [])


def test_pending_points_become_usable_and_expire_day_by_day_whatever_was_missed() -> None:
    held = wallet([(10, "2026-02-10")], months(1))
    for name, days in (("p1", "2026-02-08"), ("p2", "2026-02-08"), ("p3", "2026-04-01")):
        held.await_points(Pending(id=name, points=5, activates_on=day(days)))
    held.await_points(Pending(id="p4", points=7, activates_on=day("2026-02-11"), rules=months(0)))
    assert (held.card.pending_amount, held.due_on()) == (22, day("2026-02-08"))
    assert held.is_activated_next(day("2026-02-08"))
    assert not held.is_activated_next(day("2026-02-07"))
    steps = settle(held, "2026-03-09")
    assert [(step.day.isoformat(), type(step)) for step in steps] == [
        ("2026-02-08", Activation),
        ("2026-02-08", Activation),
        ("2026-02-11", Activation),
        ("2026-02-11", Expiration),
        ("2026-02-12", Expiration),
        ("2026-03-09", Expiration),
    ]
    assert (held.card.pending_amount, held.card.expired_amount, held.card.balance) == (5, 27, 0)


def test_pending_points_live_from_the_day_they_become_usable() -> None:
    held = wallet([], months(1))
    held.await_points(Pending(id="p", points=5, activates_on=day("2026-02-08")))
    settle(held, "2026-02-08")
    assert contents(held) == [(5, "2026-03-08")]


def test_pending_points_can_be_changed_and_canceled() -> None:
    held = wallet([])
    entry = Pending(id="p", points=10, activates_on=day("2026-02-08"))
    held.await_points(entry)
    held.adjust(entry, 5)
    assert (entry.points, held.card.pending_amount) == (15, 15)
    held.cancel(entry)
    assert (held.card.pending_amount, held.due_on()) == (0, None)


def test_a_card_is_shown_as_the_calendar_made_it_before_that_is_written() -> None:
    held = wallet([(10, "2026-02-10"), (1, None)])
    held.await_points(Pending(id="p", points=5, activates_on=day("2026-02-11")))
    shown = held.as_of(day("2026-02-11"))
    assert (shown.card.balance, shown.card.expired_amount, shown.card.pending_amount) == (6, 10, 0)
    assert (held.card.balance, held.card.expired_amount, held.card.pending_amount) == (11, 0, 5)
    assert contents(held) == [(10, "2026-02-10"), (1, None)]
    assert held.as_of(day("2026-02-10")) is held


def spent() -> tuple[Wallet, list[tuple[Bucket, int]]]:
    """A card whose 40 points until 31 January and 60 of 100 that never expire were spent on 20 January."""
    held = wallet([(40, "2026-01-31"), (100, None)])
    moves = held.redeem(100)
    assert contents(held) == [(0, "2026-01-31"), (40, None)]
    return held, [(move.bucket, -move.points) for move in moves]


def test_points_return_to_the_buckets_they_came_from() -> None:
    held, taken = spent()
    for bucket, points in taken:
        held.refund(bucket, points, day("2026-01-20"), day("2026-01-25"), lambda: "new", 0)
    assert contents(held) == [(40, "2026-01-31"), (100, None)]
    assert (held.card.redeemed_amount, held.card.balance) == (0, 140)


def test_points_whose_bucket_is_over_get_the_lifetime_they_had_when_they_were_spent() -> None:
    held, taken = spent()
    settle(held, "2026-02-03")
    for bucket, points in taken:
        held.refund(bucket, points, day("2026-01-20"), day("2026-02-03"), lambda: "new", 0)
    assert contents(held) == [(40, "2026-02-14"), (100, None)]  # 11 days were left
    settle(held, "2026-02-15")
    assert (held.card.balance, held.card.expired_amount) == (100, 40)


def test_points_of_a_lost_bucket_that_never_expired_still_never_do() -> None:
    held = wallet([])
    gone = Bucket(id="gone", points=0, expires_on=None, created_at=0)
    held.card.redeemed_amount, held.card.gift_amount = 5, 5
    held.refund(gone, 5, day("2026-01-20"), day("2026-02-03"), lambda: "new", 0)
    assert contents(held) == [(5, None)]


def test_the_calendar_has_an_end() -> None:
    assert days_later(day("9999-12-30"), 5) == date.max
    assert wallet([(1, "9999-12-31")]).due_on() is None
