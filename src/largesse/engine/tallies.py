"""What redemptions of a code, tier or campaign add up to for rules: how many there were, what they took off, which credits,
and what the orders amounted to. An order counts once, however often it was redeemed on (our decision).

A tally is what history says: successful redemptions that were not rolled back, each in the period in which it happened. Most are
kept beside history as counters, under a name of their own.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from largesse.engine.benefits import RuleSet
from largesse.engine.books import Ask
from largesse.engine.order import Order
from largesse.engine.rules import Count, Measure, Period

Kind = Literal["voucher", "promotion_tier", "campaign"]
Weekday = Literal["MONDAY", "SATURDAY", "SUNDAY"]
EVER = 2**62  # later than any instant, in microseconds UTC
_BEFORE_MONDAY = {"MONDAY": 0, "SUNDAY": 1, "SATURDAY": 2}  # days by which a week begins earlier
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Calendar(msgspec.Struct, frozen=True):
    """What says where periods begin: the project's zone, and the first day of its week."""

    zone: ZoneInfo
    first_weekday: Weekday = "MONDAY"

    def period(self, period: Period | None, at: int) -> tuple[int, int]:
        """The first moment of the period that `at` falls into, and that of the next; microseconds UTC."""
        if period is None:
            return 0, EVER
        first = _first_day(
            period, (_EPOCH + timedelta(microseconds=at)).astimezone(self.zone).date(), self.first_weekday
        )
        return self._midnight(first), self._midnight(_first_of_next(period, first))

    def _midnight(self, day: date) -> int:
        return (datetime(day.year, day.month, day.day, tzinfo=self.zone) - _EPOCH) // _MICROSECOND


class Tally(msgspec.Struct, frozen=True):
    """One sum: of a scope, from `since` to before `until` (microseconds UTC), of one customer or one key where named.

    It is kept as a counter where the rule that asks has a `series`, else read from history each time.
    """

    kind: Kind
    id: str
    measure: Measure
    since: int = 0
    until: int = EVER
    customer_id: str | None = None
    api_key: str | None = None
    series: str = ""

    @property
    def name(self) -> str:
        """The name of its counter among those of the scope."""
        return f"{self.series}/{self.measure}/{self.since}-{self.until}/{self.customer_id or self.api_key or ''}"


class Redeemed(msgspec.Struct, frozen=True):
    """What was redeemed, when, by whom: where a redemption counts. `at` in microseconds UTC."""

    kind: Kind
    id: str
    campaign_id: str | None
    customer_id: str | None
    api_key: str | None
    at: int = 0

    def tally(self, count: Count, rules: RuleSet, calendar: Calendar) -> Tally | None:
        """The sum a condition asks for. None where there is nothing to count: the campaign of a code that has none
        (documented), a user where a key calls, and a customer nobody named.
        """
        who = {"customer": self.customer_id, "api_key": self.api_key, "user": None, None: ""}[count.per]
        if who is None:
            return None
        kind, id = self.kind, self.id
        if count.of == "campaign" and (self.campaign_id is not None or count.measure != "credits"):
            if self.campaign_id is None:
                return None
            kind, id = "campaign", self.campaign_id
        since, until = calendar.period(count.period, self.at)
        return Tally(
            kind,
            id,
            count.measure,
            since,
            until,
            self.customer_id if count.per == "customer" else None,
            self.api_key if count.per == "api_key" else None,
            # A rule of one code is not known to the others of its campaign, so nobody could keep its sums of the campaign.
            "" if kind == "campaign" and not rules.of_campaign else rules.series,
        )

    def tallies(self, rules: Iterable[RuleSet], calendar: Calendar) -> dict[Tally, int | None]:
        """Every sum that these rules may ask for, with what it may be at most where the rule says so outright."""
        found: dict[Tally, int | None] = {}
        for one in rules:
            if one.conditions is not None:
                for count in one.conditions.counts:
                    tally = self.tally(count, one, calendar)
                    if tally is not None:
                        found[tally] = one.conditions.most.get(count)
        return found


class Use(Redeemed, frozen=True):
    """A redemption that history does not have yet; amounts in minor units, credits as taken. It moves the counters of `kept`."""

    discount: int = 0
    credits: int = 0
    order: Order | None = None
    kept: Mapping[Tally, int | None] = {}

    def counts_for(self, tally: Tally) -> bool:
        scope = self.campaign_id if tally.kind == "campaign" else self.id
        if scope != tally.id or tally.customer_id not in (None, self.customer_id):
            return False
        return tally.api_key in (None, self.api_key) and tally.since <= self.at < tally.until


class Tallies:
    """Sums as they were recorded, and the redemptions since. A sum not looked up is 0: whom history does not know."""

    __slots__ = ("_orders", "_requests", "recorded")

    def __init__(self, recorded: Mapping[Tally, int], orders: Mapping[tuple[str, str], int] | None = None) -> None:
        """`orders` are the amounts, by campaign and order, that the recorded sums have of the orders at hand."""
        self.recorded = recorded
        self._orders = orders or {}
        self._requests: list[Sequence[Use]] = []

    def add(self, uses: Sequence[Use]) -> None:
        """Lets the next request of a batch see what this one redeemed."""
        self._requests.append(uses)

    def of(self, tally: Tally, uses: Sequence[Use]) -> int:
        """The sum with these uses of the request at hand."""
        return self.recorded.get(tally, 0) + self._growth(tally, (*self._requests, uses))

    def growth(self) -> dict[Tally, tuple[int, int | None]]:
        """How far the requests so far move each counter, and what it may be at most after that."""
        kept = {
            tally: most for some in self._requests for use in some for tally, most in use.kept.items() if tally.series
        }
        return {tally: (self._growth(tally, self._requests), most) for tally, most in kept.items()}

    def _growth(self, tally: Tally, requests: Sequence[Sequence[Use]]) -> int:
        since = [[one for one in some if one.counts_for(tally)] for some in requests]
        if tally.measure == "orders":
            return self._growth_of_orders(tally.id, since)
        if tally.measure == "uses":
            return sum(len(some) for some in since)
        return sum(one.discount if tally.measure == "discounts" else one.credits for some in since for one in some)

    def _growth_of_orders(self, campaign_id: str, requests: Iterable[Sequence[Use]]) -> int:
        """An order without a name is one of its own in each request."""
        amounts: dict[object, int] = {}
        for place, some in enumerate(requests):
            for order in (one.order for one in some if one.order is not None):
                known = self._orders.get((campaign_id, order.id), 0) if order.id else 0
                key = order.source_id or order.id or place
                amounts[key] = max(amounts.get(key, 0), (order.amount or 0) - known)
        return sum(amounts.values())


def redeemed(ask: Ask, at: int, customer_id: str | None, api_key: str | None) -> Redeemed:
    """What the redemption of a redeemable would be."""
    holder = ask.tier or ask.voucher
    return Redeemed(
        "promotion_tier" if ask.tier else "voucher",
        holder.id if holder else ask.id,
        ask.campaign.id if ask.campaign else None,
        customer_id,
        api_key,
        at,
    )


def wanted_tallies(
    asks: Iterable[Ask], now: int, calendar: Calendar, customer_id: str | None, api_key: str | None
) -> set[Tally]:
    """Every sum that the rules of these may ask for. `now` in microseconds UTC."""
    return {
        tally
        for ask in asks
        if any(one.conditions is not None and one.conditions.counts for one in ask.rules)
        for tally in redeemed(ask, now, customer_id, api_key).tallies(ask.rules, calendar)
    }


def _first_day(period: Period, today: date, first_weekday: Weekday) -> date:
    if period == "weekly":
        return today - timedelta(days=(today.weekday() + _BEFORE_MONDAY[first_weekday]) % 7)
    if period == "monthly":
        return today.replace(day=1)
    if period == "quarterly":
        return today.replace(month=today.month - (today.month - 1) % 3, day=1)
    return today.replace(month=1, day=1) if period == "yearly" else today


def _first_of_next(period: Period, first: date) -> date:
    if period in ("daily", "weekly"):
        return first + timedelta(days=1 if period == "daily" else 7)
    months = {"monthly": 1, "quarterly": 3}.get(period, 12)
    month = first.month - 1 + months
    return date(first.year + month // 12, month % 12 + 1, 1)
