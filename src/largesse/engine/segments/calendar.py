"""Operators that ask where a date lies as seen from today, and the days on which their answers turn.

All of them are said by *spans*: the days on which the condition holds, counted as `date.toordinal` does. So whether it holds today
and on which day that changes come from one and the same place. Weeks begin on Monday. The year-blind operators, whose names end in
`md`, look at the anniversaries of a date; that of 29 February is 1 March in other years (our decision).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TypeAlias

from largesse.engine.rules.facts import When
from largesse.engine.rules.moments import Check, whole
from largesse.engine.rules.values import calendar_day, moment

Span: TypeAlias = tuple[int, int]  # from the first day to before the second
Spans: TypeAlias = Callable[[date, date], Iterable[Span]]  # (the date asked about, today) → the spans around today
Build: TypeAlias = Callable[[Sequence[object]], Check]

LAST_DAY = date.max.toordinal()
MOST_YEAR_BLIND = 366  # days of a distance between anniversaries
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def today(when: When) -> date:
    """The date in the project's zone."""
    return (_EPOCH + timedelta(microseconds=when.now)).astimezone(when.zone).date()


def days_in(value: object, when: When) -> Iterable[date]:
    """The dates that a property is or, being an array, has."""
    for one in value if isinstance(value, list) else (value,):
        found = moment(one)
        day = calendar_day(found, when.zone) if found is not None else None
        if day is not None:
            yield day


def turning(spans: Spans, value: object, when: When) -> Iterable[int]:
    """The days after today on which a condition of these spans may begin or cease to hold."""
    now = today(when)
    for day in days_in(value, when):
        for span in spans(day, now):
            yield from (end for end in span if end > now.toordinal())


def spans_of(operator: str, values: Sequence[object]) -> Spans | None:
    """The spans of an operator whose values were checked already; None for one that the clock does not move."""
    make = _SPANS.get(operator)
    return make(values) if make is not None else None


# The spans


def _age(first: int, end: int) -> Spans:
    """From `first` days after the date to before `end`."""

    def spans(day: date, _today: date) -> Iterable[Span]:
        return ((day.toordinal() + first, day.toordinal() + end),)

    return spans


def _week(weeks: int) -> Spans:
    """The week that is `weeks` after the date's."""

    def spans(day: date, _today: date) -> Iterable[Span]:
        monday = day.toordinal() - day.weekday() + 7 * weeks
        return ((monday, monday + 7),)

    return spans


def _months(after: int, count: int = 1) -> Spans:
    """The `count` months, a month or a year, that are `after` months behind the ones the date is in."""

    def spans(day: date, _today: date) -> Iterable[Span]:
        month = (day.year * 12 + day.month - 1) // count * count + after
        return ((_first_of(month), _first_of(month + count)),)

    return spans


def _first_of(month: int) -> int:
    """The first day of a month counted from year 0; the ends of the calendar where it has none."""
    year, rest = divmod(month, 12)
    if year < date.min.year:
        return 0
    return date(year, rest + 1, 1).toordinal() if year <= date.max.year else LAST_DAY + 1


def _year_blind(spans: Spans) -> Spans:
    def of_anniversaries(day: date, today: date) -> Iterable[Span]:
        return [span for one in _anniversaries(day, today) for span in spans(one, today)]

    return of_anniversaries


def _anniversaries(day: date, today: date) -> Iterable[date]:
    years = range(max(date.min.year, today.year - 2), min(date.max.year, today.year + 2) + 1)
    return [_in_year(day, year) for year in years]


def _in_year(day: date, year: int) -> date:
    try:
        return day.replace(year=year)
    except ValueError:
        return date(year, 3, 1)


def _rest_of_year(days: int) -> Spans:
    """From `days` after the date to the end of its year."""

    def spans(day: date, _today: date) -> Iterable[Span]:
        first, end = day.toordinal() + days, _first_of((day.year + 1) * 12)
        return ((min(first, end), end),)

    return spans


def _year_until(days: int) -> Spans:
    """From the beginning of the date's year to before `days` ahead of it."""

    def spans(day: date, _today: date) -> Iterable[Span]:
        first, end = _first_of(day.year * 12), day.toordinal() - days
        return ((first, max(first, end)),)

    return spans


# The operators


def _number(make: Callable[[int], Spans], most: int | None = None) -> Callable[[Sequence[object]], Spans]:
    """With one number, the first."""

    def spans(values: Sequence[object]) -> Spans:
        return make(whole(values[0]) if most is None else whole(values[0], most))

    return spans


def _numbers(make: Callable[[int], Spans], most: int | None = None) -> Callable[[Sequence[object]], Spans]:
    """With several numbers, one of which has to fit."""

    def spans(values: Sequence[object]) -> Spans:
        each = [make(whole(value) if most is None else whole(value, most)) for value in values]
        return lambda day, today: [span for one in each for span in one(day, today)]

    return spans


_BLIND_WORDS: dict[str, Spans] = {
    "$today": _age(0, 1),
    "$tomorrow": _age(-1, 0),
    "$yesterday": _age(1, 2),
    "$this_week": _week(0),
    "$last_week": _week(1),
    "$next_week": _week(-1),
    "$this_month": _months(0),
    "$last_month": _months(1),
    "$next_month": _months(-1),
}
_WORDS = _BLIND_WORDS | {
    "$this_year": _months(0, 12),
    "$last_year": _months(12, 12),
    "$next_year": _months(-12, 12),
    **{f"{name}_md": _year_blind(spans) for name, spans in _BLIND_WORDS.items()},
}
_FOR_EVER = LAST_DAY + 1
_AGES: dict[str, Callable[[Sequence[object]], Spans]] = {
    "$more_than_ago": _number(lambda days: _age(days + 1, _FOR_EVER)),
    "$less_than_ago": _number(lambda days: _age(1, days)),
    "$is_days_ago": _numbers(lambda days: _age(days, days + 1)),
    "$more_than_future": _number(lambda days: _age(-_FOR_EVER, -days)),
    "$less_than_future": _number(lambda days: _age(1 - days, 0)),
    "$is_days_in_future": _numbers(lambda days: _age(-days, 1 - days)),
}
_DISTANCES: dict[str, Callable[[Sequence[object]], Spans]] = {
    "$is_years_ago": _numbers(lambda years: _months(12 * years, 12), 10_000),
    "$is_days_ago_md": _numbers(lambda days: _year_blind(_age(days, days + 1)), MOST_YEAR_BLIND),
    "$is_more_days_ago_md": _number(lambda days: _year_blind(_rest_of_year(days + 1)), MOST_YEAR_BLIND),
    "$is_less_days_ago_md": _number(lambda days: _year_blind(_age(1, days)), MOST_YEAR_BLIND),
    "$is_days_in_future_md": _numbers(lambda days: _year_blind(_age(-days, 1 - days)), MOST_YEAR_BLIND),
    "$is_more_days_in_future_md": _number(lambda days: _year_blind(_year_until(days)), MOST_YEAR_BLIND),
    "$is_less_days_in_future_md": _number(lambda days: _year_blind(_age(1 - days, 0)), MOST_YEAR_BLIND),
}


def _word(spans: Spans) -> Callable[[Sequence[object]], Spans]:
    return lambda _values: spans  # the value is ignored (documented)


_SPANS: Mapping[str, Callable[[Sequence[object]], Spans]] = (
    {name: _word(spans) for name, spans in _WORDS.items()} | _AGES | _DISTANCES
)


def _check(make: Callable[[Sequence[object]], Spans]) -> Build:
    def build(values: Sequence[object]) -> Check:
        spans = make(values)

        def check(value: object, when: When) -> bool:
            now = today(when)
            at = now.toordinal()
            return any(first <= at < end for day in days_in(value, when) for first, end in spans(day, now))

        return check

    return build


def _part(read: Callable[[date], int], least: int, most: int) -> Build:
    """Of the calendar's parts of a date; one of the numbers has to fit."""

    def build(values: Sequence[object]) -> Check:
        wanted = {whole(value, most) for value in values}
        if not wanted or min(wanted) < least:
            raise ValueError(f"should be an integer from {least} to {most}")
        return lambda value, when: any(read(day) in wanted for day in days_in(value, when))

    return build


def _some(build: Build) -> Build:
    def built(values: Sequence[object]) -> Check:
        if not values:
            raise ValueError("should have at least one value")
        return build(values)

    return built


# What a calendar knows beyond the operators of rules. `$is_day` is the day of the week, 0 being Sunday (our decision).
CALENDAR: Mapping[str, Build] = {
    **{name: _check(_word(spans)) for name, spans in _WORDS.items()},
    **{name: _some(_check(make)) for name, make in _DISTANCES.items()},
    "$is_day_of_month": _part(lambda day: day.day, 1, 31),
    "$is_day": _part(lambda day: day.isoweekday() % 7, 0, 6),
    "$is_month": _part(lambda day: day.month, 1, 12),
    "$is_year": _part(lambda day: day.year, 1, 9999),
}
# Asked of a birthday these mean its anniversaries (documented for `$next_month`).
OF_BIRTHDAYS: Mapping[str, str] = {name: f"{name}_md" for name in _BLIND_WORDS}
