"""Calendar questions, asked in the project's time zone."""

import re
from datetime import date, datetime, time, tzinfo

from largesse.engine.formulas.errors import NotComputable
from largesse.engine.formulas.values import Value

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)?", re.ASCII)


def parse_date(written: str) -> date | None:
    """A date as YYYY-MM-DD, or None."""
    if not _DATE.fullmatch(written):
        return None
    try:
        return date.fromisoformat(written)
    except ValueError:
        return None


def parse_date_time(written: str) -> datetime | None:
    """A date-time in ISO 8601, or None. Without an offset it is naive and means the project's zone."""
    if not _DATE_TIME.fullmatch(written):
        return None
    try:
        return datetime.fromisoformat(written)
    except ValueError:
        return None


def moment(value: Value) -> date | datetime:
    """A date or date-time; dates in metadata are texts."""
    found = parse_date(value) or parse_date_time(value) if isinstance(value, str) else value
    if not isinstance(found, date):
        raise NotComputable
    return found


def instant(value: Value, zone: tzinfo) -> datetime:
    """The moment as an instant; a date is its first moment in the project's zone."""
    found = moment(value)
    if not isinstance(found, datetime):
        return datetime.combine(found, time(), zone)
    return found if found.tzinfo else found.replace(tzinfo=zone)


def day(value: Value, zone: tzinfo) -> date:
    """The calendar date in the project's zone."""
    found = moment(value)
    if not isinstance(found, datetime):
        return found
    try:
        return instant(found, zone).astimezone(zone).date()
    except OverflowError:  # the first or last day of the calendar, seen from another zone
        raise NotComputable from None


def days_between(start: date, end: date) -> int:
    return (end - start).days


def months_between(start: date, end: date) -> int:
    """Whole months; the same number back from a later start. A month is whole on the same day of the month (our decision)."""
    if end < start:
        return -months_between(end, start)
    return (end.year - start.year) * 12 + end.month - start.month - (end.day < start.day)


def years_between(start: date, end: date) -> int:
    """Whole years; negative from a later start. Who is born on 29 February grows older on 1 March (our decision)."""
    months = months_between(start, end)
    return months // 12 if months >= 0 else -(-months // 12)
