"""Filters of dates that ask where a day lies as seen from today: as the days that they hold for, in the project's zone.

Weeks begin on Monday. Today is neither ago nor in the future (documented of conditions).
"""

from collections.abc import Callable, Mapping
from datetime import date

_Days = tuple[
    int | None, int | None
]  # from the first to before the second, as `date.toordinal` counts; None = without end
_MOST_DAYS = 1_000_000


def days_of(operator: str, value: str, today: date) -> _Days | None:
    """The days for which an operator holds; None for an operator that is none of these. Raises ValueError for a wrong number."""
    word = _WORDS.get(operator)
    if word is not None:
        return word(today)  # the value is ignored (documented)
    number = _NUMBERS.get(operator)
    return None if number is None else number(today, _whole(value))


def _whole(value: str) -> int:
    if not value.isdecimal() or not value.isascii() or int(value) > _MOST_DAYS:
        raise ValueError("should be a whole number")
    return int(value)


def _day(offset: int) -> Callable[[date], _Days]:
    return lambda today: (today.toordinal() + offset, today.toordinal() + offset + 1)


def _week(offset: int) -> Callable[[date], _Days]:
    def days(today: date) -> _Days:
        monday = today.toordinal() - today.weekday() + 7 * offset
        return monday, monday + 7

    return days


def _month(offset: int) -> Callable[[date], _Days]:
    def days(today: date) -> _Days:
        month = today.year * 12 + today.month - 1 + offset
        return _first(month), _first(month + 1)

    return days


def _first(month: int) -> int:
    return date(month // 12, month % 12 + 1, 1).toordinal()


def _year(year: int) -> _Days:
    if not date.min.year <= year < date.max.year:
        raise ValueError("should be a year")
    return _first(year * 12), _first(year * 12 + 12)


_WORDS: Mapping[str, Callable[[date], _Days]] = {
    "$today": _day(0),
    "$tomorrow": _day(1),
    "$yesterday": _day(-1),
    "$this_week": _week(0),
    "$last_week": _week(-1),
    "$next_week": _week(1),
    "$this_month": _month(0),
    "$last_month": _month(-1),
    "$next_month": _month(1),
    "$this_year": lambda today: _year(today.year),
    "$last_year": lambda today: _year(today.year - 1),
    "$next_year": lambda today: _year(today.year + 1),
}
_NUMBERS: Mapping[str, Callable[[date, int], _Days]] = {
    "$more_than_ago": lambda today, days: (None, today.toordinal() - days),
    "$less_than_ago": lambda today, days: (today.toordinal() - days + 1, today.toordinal()),
    "$is_days_ago": lambda today, days: (today.toordinal() - days, today.toordinal() - days + 1),
    "$more_than_future": lambda today, days: (today.toordinal() + days + 1, None),
    "$less_than_future": lambda today, days: (today.toordinal() + 1, today.toordinal() + days),
    "$is_days_in_future": lambda today, days: (today.toordinal() + days, today.toordinal() + days + 1),
    "$is_year": lambda _today, year: _year(year),
    "$is_years_ago": lambda today, years: _year(today.year - years),
}
OPERATORS = (*_WORDS, *_NUMBERS)
