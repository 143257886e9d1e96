"""Time inside Largesse: whole microseconds since 1970-01-01T00:00:00Z, in UTC.

`now` enters at the edge, once per request; nothing below it reads a clock.
"""

import time
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

MILLISECOND = 1_000
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# What the calendar knows in UTC: 0001-01-01T00:00:00Z to before 10000-01-01T00:00:00Z.
_FIRST = (datetime(1, 1, 1, tzinfo=UTC) - _EPOCH) // _MICROSECOND
_LAST = (datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC) - _EPOCH) // _MICROSECOND
_offset = 0


def now_micros() -> int:
    """The present instant, in microseconds UTC."""
    return time.time_ns() // 1000 + _offset


def run_ahead(seconds: int) -> None:
    """Makes this process live `seconds` in the future (or, negative, the past), from now on."""
    global _offset
    _offset = seconds * SECOND


@lru_cache(maxsize=4096)  # the same few instants are shown again and again
def iso(micros: int) -> str:
    """`YYYY-MM-DDTHH:mm:ss.SSSZ`: the only form in which dates leave the API (our decision: always milliseconds)."""
    return (_EPOCH + timedelta(microseconds=micros)).isoformat(timespec="milliseconds")[:-6] + "Z"


def iso_micros(micros: int) -> str:
    """The same with microseconds where it has any: for a date that says where a list goes on."""
    return (
        iso(micros) if micros % MILLISECOND == 0 else (_EPOCH + timedelta(microseconds=micros)).isoformat()[:-6] + "Z"
    )


def iso_or_none(micros: int | None) -> str | None:
    return None if micros is None else iso(micros)


def parse_iso(text: object) -> int:
    """Microseconds UTC of an ISO 8601 date or timestamp; a missing zone means UTC, a bare date midnight.

    Raises ValueError for anything else, week dates and bare years included, and for what UTC puts before year 1 or after 9999.
    """
    if not isinstance(text, str) or len(text) < 10 or text[4] != "-" or text[7] != "-":
        raise ValueError(text)
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    micros = (moment - _EPOCH) // _MICROSECOND
    if not _FIRST <= micros <= _LAST:
        raise ValueError(text)
    return micros


def parse_day(text: str) -> date:
    """A date-only value such as a birth date; raises ValueError for anything but `YYYY-MM-DD`."""
    if len(text) != 10 or text[7] != "-":  # a week date is as long
        raise ValueError(text)
    return date.fromisoformat(text)
