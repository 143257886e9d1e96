"""Operators that ask about dates, in the project's zone. Days are calendar days; today is neither ago nor ahead (our decision)."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from largesse.engine.rules.facts import When
from largesse.engine.rules.values import Moment, calendar_day, micros, moment, written_number
from largesse.engine.validity import DailyHours, Hours, Timeframe, in_hours, in_timeframe, parse_duration

Check = Callable[[object, When], bool]  # (property, when) → whether the condition holds
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HOURS = re.compile(r"(([01]\d|2[0-3]):[0-5]\d);(([01]\d|2[0-3]):[0-5]\d)(?:;([0-6](?:,[0-6])*))?", re.ASCII)
_MOST_DAYS = 1_000_000  # our decision


def whole(value: object, most: int = _MOST_DAYS) -> int:
    """A count as rules write it. Raises ValueError."""
    found = written_number(value)
    if not isinstance(found, int) or not 0 <= found <= most:
        raise ValueError(f"should be an integer from 0 to {most}")
    return found


def written_moment(value: object) -> Moment:
    """A date as rules write it. Raises ValueError."""
    found = moment(value)
    if found is None:
        raise ValueError("should be a date or date-time in ISO 8601")
    return found


def after(values: Sequence[object]) -> Check:
    bounds = [written_moment(value) for value in values]
    return _of_instant(lambda at, when: all(at > micros(one, when.zone) for one in bounds))


def before(values: Sequence[object]) -> Check:
    bounds = [written_moment(value) for value in values]
    return _of_instant(lambda at, when: all(at < micros(one, when.zone) for one in bounds))


def more_than_ago(values: Sequence[object]) -> Check:
    days = whole(values[0])
    return _of_age(lambda age: age > days)


def less_than_ago(values: Sequence[object]) -> Check:
    days = whole(values[0])
    return _of_age(lambda age: 0 < age < days)


def is_days_ago(values: Sequence[object]) -> Check:
    days = {whole(value) for value in values}
    return _of_age(lambda age: age in days)


def more_than_future(values: Sequence[object]) -> Check:
    days = whole(values[0])
    return _of_age(lambda age: -age > days)


def less_than_future(values: Sequence[object]) -> Check:
    days = whole(values[0])
    return _of_age(lambda age: 0 < -age < days)


def is_days_in_future(values: Sequence[object]) -> Check:
    days = {whole(value) for value in values}
    return _of_age(lambda age: -age in days)


def weekday(values: Sequence[object]) -> Check:
    """0 is Sunday."""
    days = {whole(value, 6) for value in values}

    def check(value: object, when: When) -> bool:
        found = moment(value)
        day = calendar_day(found, when.zone) if found is not None else None
        return day is not None and day.isoweekday() % 7 in days

    return check


def timeframe(values: Sequence[object]) -> Check:
    """`start;interval;duration`: within a duration that begins at the start and again after every interval."""
    frames = [_timeframe(value) for value in values]
    return _of_instant(
        lambda at, when: any(in_timeframe(frame, micros(start, when.zone), at, when.zone) for start, frame in frames)
    )


def timeframe_absolute(values: Sequence[object]) -> Check:
    """`from;to`, both included."""
    spans = [_span(value) for value in values]
    return _of_instant(
        lambda at, when: any(micros(start, when.zone) <= at <= micros(end, when.zone) for start, end in spans)
    )


def timeframe_daily_hours(values: Sequence[object]) -> Check:
    """`HH:MM;HH:MM;d,d`: from the first time to before the second on these weekdays, 0 being Sunday; on all where none is named."""
    hours = Hours([_daily(value) for value in values])
    return _of_instant(lambda at, when: in_hours(hours, at, when.zone))


def _of_instant(holds: Callable[[int, When], bool]) -> Check:
    def check(value: object, when: When) -> bool:
        found = moment(value)
        if found is None:
            return False
        try:
            return holds(micros(found, when.zone), when)
        except (OverflowError, ValueError):  # beyond the calendar
            return False

    return check


def _of_age(holds: Callable[[int], bool]) -> Check:
    """Of the number of days from a date to today, negative for one in the future."""

    def check(value: object, when: When) -> bool:
        found = moment(value)
        day = calendar_day(found, when.zone) if found is not None else None
        if day is None:
            return False
        today = (_EPOCH + timedelta(microseconds=when.now)).astimezone(when.zone).date()
        return holds((today - day).days)

    return check


def _timeframe(value: object) -> tuple[Moment, Timeframe]:
    try:
        start, interval, duration = str(value).split(";")
        if min(parse_duration(interval).rough_seconds, parse_duration(duration).rough_seconds) <= 0:
            raise ValueError(value)
        return written_moment(start), Timeframe(interval=interval, duration=duration)
    except ValueError:
        raise ValueError("should be 'start;interval;duration' such as 2026-01-01T12:00:00Z;P1D;PT1H") from None


def _span(value: object) -> tuple[Moment, Moment]:
    try:
        start, end = str(value).split(";")
        return written_moment(start), written_moment(end)
    except ValueError:
        raise ValueError("should be 'from;to', two dates in ISO 8601") from None


def _daily(value: object) -> DailyHours:
    found = _HOURS.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("should be 'HH:MM;HH:MM;days' such as 09:00;17:00;1,2,3,4,5")
    days = [int(one) for one in found[5].split(",")] if found[5] else None
    return DailyHours(start_time=found[1], expiration_time=found[3], days_of_week=days)
