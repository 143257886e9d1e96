"""Points of a loyalty card: buckets that share a day of expiry, points still pending, and what the calendar does to them.

Days are local days of the project. A bucket may be used up to the end of its day `expires_on` and expires at the midnight after it;
points pending until a day become usable at the midnight with which that day begins. What falls due on one midnight happens in
the documented order: first points become usable, then points expire.
"""

import calendar
import copy
from collections.abc import Callable
from datetime import date, timedelta
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from largesse.engine.books import Voucher

Rounding = Literal["END_OF_MONTH", "END_OF_QUARTER", "END_OF_HALF_YEAR", "END_OF_YEAR", "PARTICULAR_MONTH"]
_MONTHS = {"END_OF_MONTH": 1, "END_OF_QUARTER": 3, "END_OF_HALF_YEAR": 6, "END_OF_YEAR": 12}


# When points expire


class ExpirationRules(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How long points last, counted from the day they were earned. Wire names.

    `period_value` counts months. `rounding_value` names the month of PARTICULAR_MONTH, 1 = January.
    """

    period_type: Literal["MONTH", "FIXED_DAY_OF_YEAR"]
    period_value: Annotated[int, Meta(ge=0, le=12_000)] | None = None
    rounding_type: Rounding | None = None
    rounding_value: Annotated[int, Meta(ge=1, le=12)] | None = None
    fixed_month: Annotated[int, Meta(ge=1, le=12)] | None = None
    fixed_day: Annotated[int, Meta(ge=1, le=31)] | None = None


def missing_member(rules: ExpirationRules) -> str | None:
    """The member that rules of this kind need and do not have; None where they are complete."""
    needed = {"MONTH": ("period_value",), "FIXED_DAY_OF_YEAR": ("fixed_month", "fixed_day")}[rules.period_type]
    if rules.period_type == "MONTH" and rules.rounding_type == "PARTICULAR_MONTH":
        needed += ("rounding_value",)
    return next((name for name in needed if getattr(rules, name) is None), None)


def expiry(rules: ExpirationRules | None, earned_on: date) -> date | None:
    """The last day on which points earned on a day can be used; None = they never expire."""
    if rules is None:
        return None
    if rules.period_type == "FIXED_DAY_OF_YEAR":
        month, day = rules.fixed_month or 1, rules.fixed_day or 1
        this_year = clamped(earned_on.year, month, day)
        return this_year if this_year >= earned_on else clamped(earned_on.year + 1, month, day)
    end = months_later(earned_on, rules.period_value or 0)
    if rules.rounding_type is None:
        return end
    if rules.rounding_type == "PARTICULAR_MONTH":
        month = rules.rounding_value or 1
        return clamped(end.year if month >= end.month else end.year + 1, month, 31)
    length = _MONTHS[rules.rounding_type]
    return clamped(end.year, -(-end.month // length) * length, 31)


def months_later(day: date, months: int) -> date:
    """The same day of a later month, or that month's last."""
    years, month = divmod(day.month - 1 + months, 12)
    return clamped(day.year + years, month + 1, day.day)


def clamped(year: int, month: int, day: int) -> date:
    """A day of a month, its last where it has fewer; the end of the calendar beyond it."""
    if year > date.max.year:
        return date.max
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))


# What a card holds


class Bucket(msgspec.Struct, kw_only=True):
    """Points of one card that expire together; `expires_on` None = never. Times in UTC micros."""

    id: str
    points: int
    expires_on: date | None
    created_at: int


class Pending(msgspec.Struct, kw_only=True):
    """Points that become usable on a day; `rules` are those of the earning rule, None = the program's."""

    id: str
    points: int
    activates_on: date
    rules: ExpirationRules | None = None


class Move(msgspec.Struct, frozen=True):
    """A bucket gained (> 0) or lost (< 0) points; `is_new` where it was made for them."""

    bucket: Bucket
    points: int
    is_new: bool = False


class Activation(msgspec.Struct, frozen=True):
    """Pending points became usable on a day."""

    day: date
    pending: Pending
    move: Move


class Expiration(msgspec.Struct, frozen=True):
    """What a midnight took, `day` being the day that began with it: buckets with what they lost, which may be nothing."""

    day: date
    moves: list[Move]

    @property
    def points(self) -> int:
        return -sum(move.points for move in self.moves)


NewId = Callable[[], str]


class Wallet(msgspec.Struct, kw_only=True):
    """A card with its ACTIVE buckets, in the order in which they are used up, and its PENDING points. Mutable, like the card.

    `rules` are the program's. Every method keeps the sum of the buckets equal to the balance of the card.
    """

    card: Voucher
    buckets: list[Bucket] = []
    pending: list[Pending] = []
    rules: ExpirationRules | None = None

    def due_on(self) -> date | None:
        """The first day on which the calendar changes something; None = never."""
        days = [pending.activates_on for pending in self.pending]
        days += [expires_at_midnight(b.expires_on) for b in self.buckets if b.expires_on and b.expires_on < date.max]
        return min(days, default=None)

    def agrees(self) -> bool:
        """Whether the totals of the card are those of its buckets and its pending points."""
        held = sum(bucket.points for bucket in self.buckets), sum(pending.points for pending in self.pending)
        return held == (self.card.balance, self.card.pending_amount)

    def next_expiration(self) -> tuple[date, int] | None:
        """The first day after which points are lost, and how many; None where none will be."""
        days = [bucket.expires_on for bucket in self.buckets if bucket.expires_on and bucket.points]
        if not days:
            return None
        first = min(days)
        return first, sum(bucket.points for bucket in self.buckets if bucket.expires_on == first)

    def credit(self, points: int, expires_on: date | None, new_id: NewId, now: int) -> Move:
        """Adds points (> 0) to the lifetime total and to the bucket of their day, a new one where there is none."""
        self.card.gift_amount += points
        return self._put(points, expires_on, new_id, now)

    def begin(self, new_id: NewId, now: int) -> Move | None:
        """Puts the initial points of a card that gets its holder into a bucket that never expires (observed).

        None where it has none, or had a holder before.
        """
        missing = self.card.balance - sum(bucket.points for bucket in self.buckets)
        return self._put(missing, None, new_id, now) if missing else None

    def subtract(self, points: int) -> list[Move]:
        """Takes points away by hand or by a transfer. The caller has checked that the balance covers them."""
        self.card.subtracted_amount += points
        return self._take(points)

    def redeem(self, points: int) -> list[Move]:
        """Spends points. The caller has checked that the balance covers them."""
        self.card.redeemed_amount += points
        return self._take(points)

    def refund(self, bucket: Bucket, points: int, spent_on: date, today: date, new_id: NewId, now: int) -> Move:
        """Returns points spent on a day to the bucket they came from, as it was then.

        Where that bucket has expired since they get the lifetime they still had, counted from today: nobody gains or loses by
        redeeming and undoing (our decision).
        """
        self.card.redeemed_amount -= points
        own = next((held for held in self.buckets if held.id == bucket.id), None)
        if own is not None:
            own.points += points
            return Move(own, points)
        left = (bucket.expires_on - spent_on) if bucket.expires_on else None
        expires_on = None if left is None else days_later(today, max(left.days, 0))
        return self._put(points, expires_on, new_id, now)

    def await_points(self, pending: Pending) -> None:
        """Adds points that become usable later."""
        self.pending.append(pending)
        self.card.pending_amount += pending.points

    def adjust(self, pending: Pending, points: int) -> None:
        """Changes pending points by a signed number; at least 1 must be left."""
        pending.points += points
        self.card.pending_amount += points

    def cancel(self, pending: Pending) -> None:
        """Drops pending points."""
        self.pending.remove(pending)
        self.card.pending_amount -= pending.points

    def activate(self, pending: Pending, day: date, new_id: NewId, now: int) -> Activation:
        """Makes pending points usable as of a day, from which their lifetime counts."""
        self.cancel(pending)
        expires_on = expiry(pending.rules or self.rules, day)
        return Activation(day, pending, self.credit(pending.points, expires_on, new_id, now))

    def is_activated_next(self, today: date) -> bool:
        """Whether the next thing that the calendar has brought makes points usable."""
        day = self.due_on()
        return day is not None and day <= today and any(pending.activates_on <= day for pending in self.pending)

    def next_due(self, today: date, new_id: NewId, now: int) -> Activation | Expiration | None:
        """Does the next thing that the calendar has brought until today; None when all is done.

        Days come one after the other, whatever was missed: points that became usable and expired since do both.
        """
        day = self.due_on()
        if day is None or day > today:
            return None
        ready = [pending for pending in self.pending if pending.activates_on <= day]
        if ready:
            return self.activate(min(ready, key=lambda p: (p.activates_on, p.id)), day, new_id, now)
        over = [bucket for bucket in self.buckets if bucket.expires_on and bucket.expires_on < day]
        moves = [Move(bucket, -bucket.points) for bucket in over]
        for bucket in over:
            self.card.expired_amount += bucket.points
            bucket.points = 0
            self.buckets.remove(bucket)
        return Expiration(day, moves)

    def as_of(self, today: date) -> "Wallet":
        """A copy that shows what the calendar has made of it until today, whether or not it was written yet."""
        due = self.due_on()
        if due is None or due > today:
            return self
        shown = Wallet(
            card=copy.copy(self.card),
            buckets=[copy.copy(bucket) for bucket in self.buckets],
            pending=list(self.pending),
            rules=self.rules,
        )
        while shown.next_due(today, str, 0) is not None:
            pass
        return shown

    def _put(self, points: int, expires_on: date | None, new_id: NewId, now: int) -> Move:
        own = next((held for held in self.buckets if held.expires_on == expires_on), None)
        bucket = own or Bucket(id=new_id(), points=0, expires_on=expires_on, created_at=now)
        if own is None:
            self.buckets.append(bucket)
            self.buckets.sort(key=in_turn)
        bucket.points += points
        return Move(bucket, points, is_new=own is None)

    def _take(self, points: int) -> list[Move]:
        moves = []
        for bucket in self.buckets:
            taken = min(points, bucket.points)
            if taken:
                bucket.points -= taken
                points -= taken
                moves.append(Move(bucket, -taken))
        return moves


def in_turn(bucket: Bucket) -> tuple[bool, date, int]:
    """Orders buckets as they are used up: by day of expiry, then by age, those that never expire last (documented)."""
    return bucket.expires_on is None, bucket.expires_on or date.max, bucket.created_at


def expires_at_midnight(expires_on: date) -> date:
    """The day that begins when points usable until `expires_on` are lost."""
    return expires_on + timedelta(days=1)


def days_later(day: date, days: int) -> date:
    """`days` after a day; the end of the calendar beyond it."""
    return day + timedelta(days=days) if days <= (date.max - day).days else date.max
