"""When a code may be used: dates in UTC, windows in the project's zone. Lower bounds inclusive, times of day exclusive above."""

import calendar
import re
from datetime import MAXYEAR, UTC, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from largesse.engine.refusal import Refusal, invalid_payload, invalid_voucher

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DURATION = re.compile(
    r"P(?!$)(?:(\d{1,4})Y)?(?:(\d{1,4})M)?(?:(\d{1,4})W)?(?:(\d{1,5})D)?"
    r"(?:T(?!$)(?:(\d{1,6})H)?(?:(\d{1,7})M)?(?:(\d{1,8})S)?)?"
)
Clock = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
Weekday = Annotated[int, Meta(ge=0, le=6)]  # 0 = Sunday


class Timeframe(msgspec.Struct, frozen=True):
    """Open for `duration` at every `interval` from the start date on; both ISO 8601 durations."""

    interval: str
    duration: str


class DailyHours(msgspec.Struct, frozen=True, omit_defaults=True):
    """Open from `start_time` to `expiration_time` on these days; an end at or before the start is on the next day."""

    start_time: Clock
    expiration_time: Clock | None = None
    days_of_week: list[Weekday] | None = None


class Hours(msgspec.Struct, frozen=True):
    daily: list[DailyHours]


class Duration(msgspec.Struct, frozen=True):
    """Calendar months, calendar days and exact seconds."""

    months: int
    days: int
    seconds: int

    def times(self, count: int) -> "Duration":
        return Duration(self.months * count, self.days * count, self.seconds * count)

    @property
    def rough_seconds(self) -> int:
        return self.months * 2_629_746 + self.days * 86_400 + self.seconds


def parse_duration(text: str) -> Duration:
    """An ISO 8601 duration of whole numbers; raises ValueError for anything else and for an empty one."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError(text)
    years, months, weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return Duration(years * 12 + months, weeks * 7 + days, hours * 3600 + minutes * 60 + seconds)


def _local(micros: int, zone: ZoneInfo) -> datetime:
    """The calendar begins and ends with the same wall clock in every zone."""
    instant = _EPOCH + timedelta(microseconds=micros)
    try:
        return instant.astimezone(zone)
    except OverflowError:
        return instant.replace(tzinfo=zone)


def plus(start: datetime, step: Duration) -> datetime:
    """`start` (local wall clock) plus months (day clamped to the month's end), days and seconds, by the wall clock.

    Raises OverflowError beyond the calendar.
    """
    moved = start
    if step.months:
        months = start.year * 12 + start.month - 1 + step.months
        year, month = divmod(months, 12)
        if year > MAXYEAR:
            raise OverflowError(year)
        moved = start.replace(year=year, month=month + 1, day=min(start.day, calendar.monthrange(year, month + 1)[1]))
    return moved + timedelta(days=step.days, seconds=step.seconds)


def after(start: int, step: Duration, zone: ZoneInfo) -> int | None:
    """The instant `step` after `start`, both in microseconds UTC, by the zone's wall clock; None beyond what calendars know."""
    moved = _moved(_local(start, zone).replace(tzinfo=None), step)
    if moved is None:
        return None
    try:
        return (moved.replace(tzinfo=zone).astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)
    except OverflowError:
        return None


def _moved(start: datetime, step: Duration) -> datetime | None:
    """`plus`, None beyond the calendar."""
    try:
        return plus(start, step)
    except OverflowError:
        return None


def in_timeframe(frame: Timeframe, start_date: int, now: int, zone: ZoneInfo) -> bool:
    """True within `[start + k·interval, start + k·interval + duration)` for some k >= 0; steps follow the wall clock."""
    interval, duration = parse_duration(frame.interval), parse_duration(frame.duration)
    start, moment = _local(start_date, zone).replace(tzinfo=None), _local(now, zone).replace(tzinfo=None)
    if moment < start:
        return False
    guess = int((moment - start).total_seconds()) // max(1, interval.rough_seconds)
    # Calendar steps make the guess miss by one or two; a duration longer than the interval reaches further back.
    reach = 2 + duration.rough_seconds // max(1, interval.rough_seconds)
    counts = range(max(0, guess - min(reach, 1000)), guess + 3)
    return any(_is_open(_moved(start, interval.times(count)), duration, moment) for count in counts)


def _is_open(opened: datetime | None, duration: Duration, moment: datetime) -> bool:
    """From an opening until a duration later, each None beyond the calendar: there nothing opens, and nothing closes before."""
    if opened is None or opened > moment:
        return False
    closed = _moved(opened, duration)
    return closed is None or moment < closed


def on_weekday(days: list[int], now: int, zone: ZoneInfo) -> bool:
    return not days or _local(now, zone).isoweekday() % 7 in days


def in_hours(hours: Hours, now: int, zone: ZoneInfo) -> bool:
    """True within any of the daily windows; one that spans midnight belongs to the day it starts on (our decision)."""
    moment = _local(now, zone)
    clock, today = f"{moment:%H:%M}", moment.isoweekday() % 7
    yesterday = (today - 1) % 7
    for window in hours.daily:
        days = window.days_of_week or range(7)
        end = window.expiration_time
        if end is None or end == "00:00":
            if today in days and clock >= window.start_time:
                return True
        elif end > window.start_time:
            if today in days and window.start_time <= clock < end:
                return True
        elif (today in days and clock >= window.start_time) or (yesterday in days and clock < end):
            return True
    return False


def check_definition(
    start_date: int | None,
    expiration_date: int | None,
    timeframe: Timeframe | None,
    days: list[int] | None,
    hours: Hours | None,
) -> Refusal | None:
    """What a voucher's validity may not be; None when it is sound."""
    if start_date is not None and expiration_date is not None and start_date > expiration_date:
        return invalid_voucher("start_date cannot be later than expiration_date")
    if timeframe is not None:
        if start_date is None:
            return invalid_payload("Property .validity_timeframe needs a start_date to count from")
        for name, text in (("interval", timeframe.interval), ("duration", timeframe.duration)):
            try:
                if parse_duration(text).rough_seconds <= 0:
                    raise ValueError(text)
            except ValueError:
                return invalid_payload(
                    f"Property .validity_timeframe.{name} should be an ISO 8601 duration such as P1D"
                )
    if hours is not None and (timeframe is not None or days):
        return invalid_payload(
            "Property .validity_hours cannot be combined with validity_timeframe or validity_day_of_week"
        )
    return None
