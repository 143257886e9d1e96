"""Loyalty tiers: which one a member holds, from when until when, and what becomes of it with points and with time.

Days are dates in the project's zone. A tier is held from its first to its last day, both included. Points change on a day
(`after_change`); what time does by itself happens on the days that `due` names (`next_day`), one after the other.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Literal, TypeAlias

import msgspec

from largesse.engine.calendar import Period, Span, first_day, last_day, last_of_month, next_period, plus

Change = Literal["joined", "left", "upgraded", "downgraded", "prolonged", "expiration.changed"]


class Tier(msgspec.Struct, frozen=True):
    """Points from `low` to `high`, both included; None = without ceiling."""

    id: str
    low: int
    high: int | None = None


class Rounding(msgspec.Struct, frozen=True):
    """To the first or last day of a calendar period, or of the calendar month `month` (1 to 12)."""

    to: Period | Literal["CUSTOM"]
    end: bool = True
    month: int = 1


class ByBalance(msgspec.Struct, frozen=True):
    """What the balance says. With `lasts` a tier once reached is kept that long, whatever the balance does (documented)."""

    lasts: Span | None = None
    rounding: Rounding | None = None


class ByPeriod(msgspec.Struct, frozen=True):
    """What was collected within a calendar period says, from that day or from the next period on (documented)."""

    period: Period
    at_once: bool = True
    through_next: bool = False  # to the end of the period after the one it begins in
    extend: Span = Span()


Scheme: TypeAlias = ByBalance | ByPeriod


class Held(msgspec.Struct, frozen=True):
    """The tier a member is shown to hold; `end` is its last day, None while it has none."""

    tier_id: str
    start: date
    end: date | None = None


class Grant(msgspec.Struct, frozen=True):
    """A tier reached within the period that begins on `period`; one for each tier and period."""

    tier_id: str
    period: date
    start: date
    end: date


class Standing(msgspec.Struct, frozen=True):
    """All that is kept of a member: `grants` only where a period decides, those that are over left out."""

    held: Held | None = None
    grants: tuple[Grant, ...] = ()


class Transition(msgspec.Struct, frozen=True):
    """`before` and `after` are ids of tiers, None for none."""

    change: Change
    before: str | None
    after: str | None
    end: date | None = None


class Points(msgspec.Struct, frozen=True):
    """What a member has on a day: to spend, and collected so far in the period of that day."""

    balance: int
    collected: int = 0


class Ladder:
    """The tiers of one program by height, and how they are reached."""

    def __init__(self, tiers: Sequence[Tier], scheme: Scheme, removed: Sequence[Tier] = ()) -> None:
        """`removed` are no longer held by anybody, but known as what some held until now."""
        self.tiers = sorted(tiers, key=lambda tier: (tier.low, tier.id))
        self.scheme = scheme
        self._low = {tier.id: tier.low for tier in (*tiers, *removed)}
        self._ids = frozenset(tier.id for tier in tiers)

    def of_balance(self, balance: int) -> Tier | None:
        """The tier of so many points; none below the lowest, above a closed highest, or in a gap."""
        return next((t for t in self.tiers if t.low <= balance and (t.high is None or balance <= t.high)), None)

    def height(self, tier_id: str | None) -> int:
        """-1 for no tier."""
        return -1 if tier_id is None else self._low.get(tier_id, -1)

    # Points changed

    def after_change(self, standing: Standing, points: Points, today: date) -> Standing:
        """The standing when points have changed on a day; `standing` must be that of the day (`settled`)."""
        if isinstance(self.scheme, ByPeriod):
            return self._by_grants(self._granted(standing, points.collected, today, self.scheme), today)
        found = self.of_balance(points.balance)
        held = standing.held
        if held is not None and held.end is not None and self._is_valid(held, today):
            rises = found is not None and self.height(found.id) > self.height(held.tier_id)
            return self._entered(found, today) if rises else Standing(held)
        if held is not None and found is not None and held.tier_id == found.id and held.end is None:
            return Standing(held)
        return self._entered(found, today)

    def _entered(self, tier: Tier | None, today: date) -> Standing:
        return Standing(Held(tier.id, today, self._last_day(today)) if tier else None)

    def _last_day(self, start: date) -> date | None:
        """Of a tier reached on a day by its balance."""
        scheme = self.scheme
        if not isinstance(scheme, ByBalance) or scheme.lasts is None:
            return None
        end = plus(start, scheme.lasts)
        return _rounded(end, scheme.rounding) if scheme.rounding else end

    def _is_valid(self, held: Held, today: date) -> bool:
        return held.tier_id in self._ids and (held.end is None or today <= held.end)

    # Time passed

    def due(self, standing: Standing, today: date) -> date | None:
        """The first day after today on which time alone may change the standing; None = never."""
        days = [day for grant in standing.grants for day in (grant.start, grant.end + timedelta(days=1))]
        if standing.held is not None and standing.held.end is not None:
            days.append(standing.held.end + timedelta(days=1))
        return min((day for day in days if day > today), default=None)

    def next_day(self, standing: Standing, points: Points, today: date) -> Standing:
        """The standing on a day that `due` named; `points` as they are at its first moment, before any expire (documented)."""
        if isinstance(self.scheme, ByPeriod):
            return self._by_grants(self._granted(standing, points.collected, today, self.scheme), today)
        held = standing.held
        if held is None or held.end is None or today <= held.end:
            return Standing(held)
        return self._entered(self.of_balance(points.balance), today)

    def _granted(self, standing: Standing, collected: int, today: date, scheme: ByPeriod) -> Standing:
        """With a grant for each tier that is reached in the period and was not yet; ceilings play no part (documented)."""
        period = first_day(today, scheme.period)
        known = {(grant.tier_id, grant.period) for grant in standing.grants}
        new = tuple(
            self._grant(tier.id, period, today, scheme)
            for tier in self.tiers
            if tier.low <= collected and (tier.id, period) not in known
        )
        return Standing(standing.held, standing.grants + new)

    def _grant(self, tier_id: str, period: date, today: date, scheme: ByPeriod) -> Grant:
        start = today if scheme.at_once else next_period(period, scheme.period)
        return Grant(tier_id, period, start, _granted_until(start, scheme))

    def _by_grants(self, standing: Standing, today: date) -> Standing:
        """The highest tier that a grant gives on a day, until the last day of any grant of it."""
        held = standing.held
        grants = tuple(grant for grant in standing.grants if grant.end >= today and grant.tier_id in self._ids)
        valid = [(grant.tier_id, grant.end) for grant in grants if grant.start <= today]
        if held is not None and self._is_valid(held, today):
            valid.append((held.tier_id, held.end or date.max))  # also one of an earlier scheme
        if not valid:
            return Standing(None, grants)
        tier_id = max((tier_id for tier_id, _ in valid), key=self.height)
        end = max(end for id, end in valid if id == tier_id)
        start = held.start if held is not None and held.tier_id == tier_id else today
        return Standing(Held(tier_id, start, None if end == date.max else end), grants)

    # Definitions changed

    def restructured(self, standing: Standing, points: Points, today: date) -> Standing:
        """After tiers were added, changed or removed: a tier with an end only rises, all else goes by the points (documented)."""
        held = standing.held
        if held is not None and held.tier_id not in self._ids:
            kept = Standing(None, standing.grants)
            return self.after_change(kept, points, today)
        if isinstance(self.scheme, ByPeriod) and held is not None and held.end is None:
            standing = Standing(None, standing.grants)
        return self.after_change(standing, points, today)

    def recalculated(self, standing: Standing, points: Points, today: date) -> Standing:
        """After another way to qualify: maybe a higher tier, maybe another last day, never a lower tier (documented)."""
        held = standing.held
        if isinstance(self.scheme, ByPeriod):
            scheme = self.scheme
            grants = tuple(
                msgspec.structs.replace(grant, end=max(_granted_until(grant.start, scheme), today))
                for grant in standing.grants
            )
            if held is not None and not any(g.tier_id == held.tier_id and g.start <= today for g in grants):
                end = max(_granted_until(held.start, scheme), today)
                grants += (Grant(held.tier_id, first_day(held.start, scheme.period), held.start, end),)
            kept = msgspec.structs.replace(held, end=today) if held else None  # as long as its grants say from now on
            return self._by_grants(self._granted(Standing(kept, grants), points.collected, today, scheme), today)
        found = self.of_balance(points.balance)
        if held is None or (found is not None and self.height(found.id) > self.height(held.tier_id)):
            return self._entered(found, today)
        last = self._last_day(held.start)
        return Standing(msgspec.structs.replace(held, end=max(last, today) if last else None))

    # What to tell

    def told(self, before: Standing, after: Standing, day: date) -> list[Transition]:
        """What a member is told of a step from one standing to the next, made on a day."""
        old, new = before.held, after.held
        if old is None or new is None or old.tier_id != new.tier_id:
            return self._moved(old, new)
        told = []
        if self._is_prolonged(before, new, day):
            told.append(Transition("prolonged", old.tier_id, new.tier_id, new.end))
        if old.end != new.end:
            told.append(Transition("expiration.changed", old.tier_id, new.tier_id, new.end))
        return told

    def _moved(self, old: Held | None, new: Held | None) -> list[Transition]:
        before, after = old.tier_id if old else None, new.tier_id if new else None
        if before == after:
            return []
        change: Change
        if before is None:
            change = "joined"
        elif after is None:
            change = "left"
        else:
            change = "upgraded" if self.height(after) > self.height(before) else "downgraded"
        return [Transition(change, before, after, new.end if new else None)]

    def _is_prolonged(self, before: Standing, new: Held, day: date) -> bool:
        """Whether the same tier goes on although an end of it has just passed."""
        yesterday = day - timedelta(days=1)
        ends = {grant.end for grant in before.grants if grant.tier_id == new.tier_id and grant.start <= yesterday}
        if before.held is not None and before.held.end is not None:
            ends.add(before.held.end)
        return yesterday in ends


def _granted_until(start: date, scheme: ByPeriod) -> date:
    base = next_period(start, scheme.period) if scheme.through_next else start
    return plus(last_day(base, scheme.period), scheme.extend)


def _rounded(day: date, rounding: Rounding) -> date:
    """The end: the last day of the period or of the first such month not before; the start: the first such day not before."""
    if rounding.to == "CUSTOM":
        year = day.year + (rounding.month < day.month)
        if rounding.end:
            return last_of_month(year, rounding.month)
        found = date(year, rounding.month, 1)
        return found if found >= day else date(year + 1, rounding.month, 1)
    if rounding.end:
        return last_day(day, rounding.to)
    found = first_day(day, rounding.to)
    return found if found >= day else next_period(day, rounding.to)
