"""Loyalty tiers over points and time."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from largesse.engine.calendar import Period, Span, first_day, last_day, plus
from largesse.engine.tiers import (
    ByBalance,
    ByPeriod,
    Grant,
    Held,
    Ladder,
    Points,
    Rounding,
    Scheme,
    Standing,
    Tier,
)

SILVER, GOLD = Tier("silver", 100, 499), Tier("gold", 500, 1_000)
NOTHING = Standing()
DROP = ByBalance()
THREE_MONTHS = ByBalance(Span(months=3), Rounding("MONTH"))


class Member:
    """Somebody whose points change on days; time passes as the ladder says, day by day."""

    def __init__(self, scheme: Scheme, *tiers: Tier, balance: int = 0) -> None:
        self.ladder = Ladder(tiers or (SILVER, GOLD), scheme)
        self.standing = NOTHING
        self.balance = balance
        self.collected: list[tuple[date, int]] = []
        self.day = date(2000, 1, 1)

    def points(self, day: date) -> Points:
        scheme = self.ladder.scheme
        if isinstance(scheme, ByBalance):
            return Points(self.balance)
        within = [n for on, n in self.collected if first_day(day, scheme.period) <= on <= day]
        return Points(self.balance, sum(within))

    def until(self, today: date) -> list[str]:
        told = []
        while (day := self.ladder.due(self.standing, self.day)) is not None and day <= today:
            told += self._step(self.ladder.next_day(self.standing, self.points(day), day), day)
        self.day = max(self.day, today)
        return told

    def change(self, today: date, points: int) -> list[str]:
        told = self.until(today)
        self.balance += points
        if points > 0:
            self.collected.append((today, points))
        return told + self._step(self.ladder.after_change(self.standing, self.points(today), today), today)

    def _step(self, after: Standing, day: date) -> list[str]:
        told = self.ladder.told(self.standing, after, day)
        self.standing, self.day = after, day
        return [one.change for one in told]

    @property
    def held(self) -> tuple[str, date, date | None] | None:
        held = self.standing.held
        return (held.tier_id, held.start, held.end) if held else None


def test_a_tier_by_balance_follows_every_change() -> None:
    member, day = Member(DROP, balance=90), date(2026, 3, 10)
    assert member.change(day, 20) == ["joined"]
    member.change(day, 370)
    assert member.held == ("silver", day, None)
    assert member.change(day, 30) == ["upgraded"]
    assert member.change(day, -100) == ["downgraded"]
    member.change(day, 580)
    assert member.held == ("gold", day, None)
    assert member.change(day, 20) == ["left"]
    assert member.held is None
    assert member.change(day, 1) == []


def test_a_tier_with_a_term_is_kept_until_its_last_day() -> None:
    member = Member(THREE_MONTHS)
    assert member.change(date(2022, 11, 10), 150) == ["joined"]
    assert member.held == ("silver", date(2022, 11, 10), date(2023, 2, 28))
    assert member.change(date(2022, 12, 1), -150) == []
    assert member.until(date(2023, 2, 28)) == []
    assert member.until(date(2023, 3, 1)) == ["left"]


def test_a_tier_with_a_term_gives_way_to_a_higher_one_at_once_and_to_a_lower_one_at_its_end() -> None:
    member = Member(THREE_MONTHS)
    member.change(date(2022, 11, 10), 150)
    assert member.change(date(2022, 12, 5), 400) == ["upgraded"]
    assert member.held == ("gold", date(2022, 12, 5), date(2023, 3, 31))
    member.change(date(2022, 12, 6), -350)
    assert member.until(date(2023, 4, 2)) == ["downgraded"]
    assert member.held == ("silver", date(2023, 4, 1), date(2023, 7, 31))
    assert member.until(date(2023, 8, 1)) == ["prolonged", "expiration.changed"]
    assert member.held == ("silver", date(2023, 8, 1), date(2023, 11, 30))


@pytest.mark.parametrize(
    ("lasts", "rounding", "start", "end"),
    [
        (Span(months=4), Rounding("CUSTOM", month=2), date(2026, 3, 20), date(2027, 2, 28)),
        (Span(months=4), Rounding("CUSTOM", month=7), date(2026, 3, 20), date(2026, 7, 31)),
        (Span(months=4), Rounding("CUSTOM", end=False, month=7), date(2026, 3, 20), date(2027, 7, 1)),
        (Span(months=4), Rounding("CUSTOM", end=False, month=8), date(2026, 3, 20), date(2026, 8, 1)),
        (Span(days=10), Rounding("QUARTER"), date(2026, 3, 20), date(2026, 3, 31)),
        (Span(days=12), Rounding("HALF_YEAR"), date(2026, 6, 20), date(2026, 12, 31)),
        (Span(days=1), Rounding("YEAR"), date(2026, 6, 20), date(2026, 12, 31)),
        (Span(days=1), Rounding("YEAR", end=False), date(2026, 6, 20), date(2027, 1, 1)),
        (Span(days=1), Rounding("MONTH", end=False), date(2026, 6, 30), date(2026, 7, 1)),
        (Span(months=1), None, date(2026, 1, 31), date(2026, 2, 28)),
    ],
)
def test_last_days_are_rounded(lasts: Span, rounding: Rounding | None, start: date, end: date) -> None:
    member = Member(ByBalance(lasts, rounding))
    member.change(start, 150)
    assert member.held == ("silver", start, end)


REACHED = date(2026, 3, 10)


@pytest.mark.parametrize(
    ("scheme", "start", "end"),
    [
        (ByPeriod("MONTH"), REACHED, date(2026, 3, 31)),
        (ByPeriod("MONTH", through_next=True), REACHED, date(2026, 4, 30)),
        (ByPeriod("MONTH", extend=Span(days=7)), REACHED, date(2026, 4, 7)),
        (ByPeriod("MONTH", at_once=False), date(2026, 4, 1), date(2026, 4, 30)),
        (ByPeriod("QUARTER"), REACHED, date(2026, 3, 31)),
        (ByPeriod("HALF_YEAR", through_next=True), REACHED, date(2026, 12, 31)),
        (ByPeriod("YEAR", extend=Span(months=2)), REACHED, date(2027, 2, 28)),
    ],
)
def test_a_tier_reached_within_a_period(scheme: ByPeriod, start: date, end: date) -> None:
    member = Member(scheme, Tier("silver", 100))
    member.change(date(2026, 3, 1), 60)
    assert member.held is None
    told = member.change(REACHED, 40) + member.until(date(2026, 4, 1))
    if end >= date(2026, 4, 1):
        assert (told, member.held) == (["joined"], ("silver", start, end))
    else:
        assert (told, member.held) == (["joined", "left"], None)
    member.change(date(2026, 4, 1), -100)
    assert member.until(end + timedelta(days=1))[-1:] == (["left"] if end >= date(2026, 4, 1) else [])


def test_a_period_that_reached_less_lowers_the_tier_at_the_end() -> None:
    member = Member(ByPeriod("MONTH", through_next=True), Tier("silver", 100, 199), Tier("gold", 200, 300))
    assert member.change(date(2026, 3, 10), 900) == ["joined"]
    assert member.held == ("gold", date(2026, 3, 10), date(2026, 4, 30))
    assert member.change(date(2026, 4, 5), 120) == []
    assert member.until(date(2026, 5, 1)) == ["downgraded"]
    assert member.held == ("silver", date(2026, 5, 1), date(2026, 5, 31))
    assert member.until(date(2026, 6, 1)) == ["left"]


def test_a_period_that_reached_as_much_prolongs_the_tier() -> None:
    member = Member(ByPeriod("MONTH", through_next=True), Tier("gold", 200))
    member.change(date(2026, 3, 10), 200)
    assert member.change(date(2026, 4, 5), 200) == ["expiration.changed"]
    assert member.held == ("gold", date(2026, 3, 10), date(2026, 5, 31))
    assert member.until(date(2026, 4, 30)) == []
    assert member.until(date(2026, 5, 1)) == ["prolonged"]
    assert member.until(date(2026, 6, 1)) == ["left"]


def test_a_tier_from_the_next_period_on_is_prolonged_from_period_to_period() -> None:
    member = Member(ByPeriod("MONTH", at_once=False), Tier("gold", 200))
    member.change(date(2026, 3, 10), 200)
    assert member.held is None
    member.change(date(2026, 4, 5), 200)
    assert member.held == ("gold", date(2026, 4, 1), date(2026, 4, 30))
    assert member.until(date(2026, 5, 1)) == ["prolonged", "expiration.changed"]
    assert member.held == ("gold", date(2026, 4, 1), date(2026, 5, 31))


def test_a_tier_from_nothing_on_is_held_for_ever() -> None:
    member = Member(ByPeriod("MONTH"), Tier("bronze", 0))
    assert member.change(date(2026, 3, 10), 0) == ["joined"]
    assert member.until(date(2026, 5, 2)) == ["prolonged", "expiration.changed"] * 2
    assert member.held == ("bronze", date(2026, 3, 10), date(2026, 5, 31))


# Changes of definitions

TODAY = date(2026, 3, 15)
DATED = Standing(Held("silver", date(2026, 3, 1), date(2026, 6, 30)))
UNDATED = Standing(Held("silver", date(2026, 3, 1)))


@pytest.mark.parametrize(
    ("standing", "balance", "held"),
    [
        (UNDATED, 600, ("gold", TODAY, None)),
        (UNDATED, 50, None),
        (UNDATED, 150, ("silver", date(2026, 3, 1), None)),
        (DATED, 50, ("silver", date(2026, 3, 1), date(2026, 6, 30))),
        (DATED, 600, ("gold", TODAY, None)),
        (NOTHING, 600, ("gold", TODAY, None)),
    ],
)
def test_other_thresholds_move_members_without_a_last_day_freely_and_others_only_up(
    standing: Standing, balance: int, held: tuple[str, date, date | None] | None
) -> None:
    after = Ladder([SILVER, GOLD], DROP).restructured(standing, Points(balance), TODAY).held
    assert (after and (after.tier_id, after.start, after.end)) == held


def test_a_removed_tier_is_left_for_the_one_that_matches() -> None:
    bronze = Tier("bronze", 50, None)
    ladder = Ladder([bronze], DROP, removed=[SILVER])
    after = ladder.restructured(DATED, Points(200), TODAY)
    assert after.held == Held("bronze", TODAY)
    assert [one.change for one in ladder.told(DATED, after, TODAY)] == ["downgraded"]
    assert ladder.restructured(UNDATED, Points(10), TODAY) == NOTHING


def test_a_removed_tier_of_a_period_is_left_for_the_one_reached_with_it() -> None:
    tiers, scheme = [Tier("silver", 100), Tier("gold", 200)], ByPeriod("MONTH")
    before = Ladder(tiers, scheme).after_change(NOTHING, Points(0, 250), TODAY)
    assert before.held == Held("gold", TODAY, date(2026, 3, 31))
    after = Ladder(tiers[:1], scheme, removed=tiers[1:]).restructured(before, Points(0, 250), TODAY)
    assert after.held == Held("silver", TODAY, date(2026, 3, 31))


def test_a_tier_without_a_last_day_is_judged_by_the_period_once_tiers_change() -> None:
    ladder = Ladder([SILVER], ByPeriod("MONTH"))
    assert ladder.restructured(UNDATED, Points(200, 0), TODAY).held is None
    assert ladder.restructured(UNDATED, Points(0, 100), TODAY).held == Held("silver", TODAY, date(2026, 3, 31))


@pytest.mark.parametrize(
    ("scheme", "standing", "points", "held"),
    [
        (THREE_MONTHS, UNDATED, Points(50), Held("silver", date(2026, 3, 1), date(2026, 6, 30))),
        (THREE_MONTHS, UNDATED, Points(600), Held("gold", TODAY, date(2026, 6, 30))),
        (THREE_MONTHS, NOTHING, Points(50), None),
        (DROP, DATED, Points(50), Held("silver", date(2026, 3, 1))),
        (ByBalance(Span(days=1)), DATED, Points(50), Held("silver", date(2026, 3, 1), TODAY)),
        (ByPeriod("MONTH"), UNDATED, Points(0, 0), Held("silver", date(2026, 3, 1), date(2026, 3, 31))),
        (ByPeriod("MONTH"), DATED, Points(0, 0), Held("silver", date(2026, 3, 1), date(2026, 3, 31))),
        (ByPeriod("MONTH"), DATED, Points(0, 500), Held("gold", TODAY, date(2026, 3, 31))),
        (ByPeriod("MONTH"), NOTHING, Points(0, 0), None),
    ],
)
def test_recalculating_may_raise_a_tier_and_move_its_end_but_never_lowers_it(
    scheme: Scheme, standing: Standing, points: Points, held: Held | None
) -> None:
    assert Ladder([SILVER, GOLD], scheme).recalculated(standing, points, TODAY).held == held


def test_recalculating_grants_gives_them_the_ends_of_the_new_scheme() -> None:
    tiers = [Tier("silver", 100)]
    before = Ladder(tiers, ByPeriod("MONTH")).after_change(NOTHING, Points(0, 100), REACHED)
    longer = Ladder(tiers, ByPeriod("MONTH", through_next=True))
    after = longer.recalculated(before, Points(0, 100), TODAY)
    assert after.held == Held("silver", REACHED, date(2026, 4, 30))
    assert [one.change for one in longer.told(before, after, TODAY)] == ["expiration.changed"]


def test_a_scheme_that_changed_without_recalculation_leaves_tier_and_end_as_they_are() -> None:
    granted = Standing(DATED.held, (Grant("silver", date(2026, 3, 1), date(2026, 3, 1), date(2026, 6, 30)),))
    ladder = Ladder([SILVER, GOLD], DROP)
    assert ladder.next_day(granted, Points(0), TODAY) == DATED
    assert ladder.after_change(granted, Points(0), TODAY).held == DATED.held
    assert ladder.next_day(granted, Points(600), date(2026, 7, 1)).held == Held("gold", date(2026, 7, 1))
    by_period = Ladder([SILVER, GOLD], ByPeriod("MONTH"))
    assert by_period.after_change(UNDATED, Points(0), TODAY) == UNDATED
    assert by_period.due(UNDATED, TODAY) is None


# Laws

_DAYS = st.integers(0, 400).map(lambda days: date(2026, 1, 1) + timedelta(days=days))
_CHANGES = st.lists(st.tuples(_DAYS, st.integers(-300, 400)), max_size=12).map(sorted)
_PERIODS: list[Period] = ["MONTH", "QUARTER", "HALF_YEAR", "YEAR"]
_SCHEMES = st.one_of(
    st.just(DROP),
    st.builds(
        ByBalance,
        st.builds(Span, st.integers(0, 5), st.integers(1, 40)),
        st.one_of(
            st.none(),
            st.builds(Rounding, st.sampled_from([*_PERIODS, "CUSTOM"]), st.booleans(), st.integers(1, 12)),
        ),
    ),
    st.builds(
        ByPeriod, st.sampled_from(_PERIODS), st.booleans(), st.booleans(), st.builds(Span, days=st.integers(0, 20))
    ),
)
_TIERS = (Tier("bronze", 50, 99), Tier("silver", 100, 199), Tier("gold", 300, 500))


@given(_SCHEMES, _CHANGES)
def test_what_is_told_leads_from_each_tier_to_the_next(scheme: Scheme, changes: list[tuple[date, int]]) -> None:
    member, tier = Member(scheme, *_TIERS), None
    for day, points in changes:
        told = member.until(day) + member.change(day, max(points, -member.balance))
        for change in told:
            assert (tier is None) == (change == "joined") or change in ("expiration.changed",)
            if change in ("joined", "left"):
                tier = None if change == "left" else "some"
        held = member.standing.held
        assert (held is None) == (tier is None)
        assert held is None or (held.start <= day and (held.end is None or held.end >= day))


@given(_SCHEMES, _CHANGES, st.lists(_DAYS, max_size=10))
def test_looking_more_often_changes_nothing(scheme: Scheme, changes: list[tuple[date, int]], looks: list[date]) -> None:
    seldom, often = Member(scheme, *_TIERS), Member(scheme, *_TIERS)
    told_seldom, told_often = [], []
    for day, points in changes:
        change = max(points, -seldom.balance)
        for look in sorted(look for look in looks if often.day <= look <= day):
            told_often += often.until(look)
        told_often += often.change(day, change)
        told_seldom += seldom.change(day, change)
        assert seldom.standing == often.standing
    assert told_seldom == told_often


@given(_CHANGES)
def test_a_tier_that_follows_the_balance_is_the_one_of_the_balance(changes: list[tuple[date, int]]) -> None:
    member = Member(DROP, *_TIERS)
    for day, points in changes:
        member.change(day, points)
        found = member.ladder.of_balance(member.balance)
        assert (member.held and member.held[0]) == (found and found.id)


@given(_DAYS, st.sampled_from(_PERIODS), st.integers(0, 60))
def test_periods_contain_their_days(day: date, period: Period, months: int) -> None:
    assert first_day(day, period) <= day <= last_day(day, period)
    later = plus(day, Span(months=months))
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day <= day.day
