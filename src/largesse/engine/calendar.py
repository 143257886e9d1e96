"""Calendar periods: months, quarters, half-years and years, and dates a span of months or days later."""

from datetime import date, timedelta
from typing import Literal

import msgspec

Period = Literal["MONTH", "QUARTER", "HALF_YEAR", "YEAR"]
_MONTHS: dict[Period, int] = {"MONTH": 1, "QUARTER": 3, "HALF_YEAR": 6, "YEAR": 12}


class Span(msgspec.Struct, frozen=True):
    """So many calendar months, then so many days."""

    months: int = 0
    days: int = 0


def plus(day: date, span: Span) -> date:
    """The day a span later; a day its month does not have becomes the month's last (documented)."""
    years, month = divmod(day.year * 12 + day.month - 1 + span.months, 12)
    last = last_of_month(years, month + 1)
    return date(years, month + 1, min(day.day, last.day)) + timedelta(days=span.days)


def last_of_month(year: int, month: int) -> date:
    following = date(year + month // 12, month % 12 + 1, 1)
    return following - timedelta(days=1)


def first_day(day: date, period: Period) -> date:
    """Of the calendar period that the day is in."""
    months = _MONTHS[period]
    return date(day.year, (day.month - 1) // months * months + 1, 1)


def last_day(day: date, period: Period) -> date:
    """Of the calendar period that the day is in."""
    return next_period(day, period) - timedelta(days=1)


def next_period(day: date, period: Period) -> date:
    """The first day of the calendar period after the one that the day is in."""
    return plus(first_day(day, period), Span(months=_MONTHS[period]))
