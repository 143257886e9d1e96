"""What redemptions of a code, tier or campaign add up to for rules: how many there were, what they took off, which credits,
and what the orders amounted to. An order counts once, however often it was redeemed on (our decision).

A tally is read from history: successful redemptions that were not rolled back, each in the period in which it happened.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from largesse.engine.books import Ask
from largesse.engine.order import Order
from largesse.engine.rules import Count, Measure, Period

Kind = Literal["voucher", "promotion_tier", "campaign"]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Tally(msgspec.Struct, frozen=True):
    """One sum: of a scope, from `since` on (microseconds UTC, 0 for all time), of one customer or one key where named."""

    kind: Kind
    id: str
    measure: Measure
    since: int = 0
    customer_id: str | None = None
    api_key: str | None = None


class Use(msgspec.Struct, frozen=True):
    """A redemption that history does not have yet; amounts in minor units, credits as taken."""

    kind: Kind
    id: str
    campaign_id: str | None
    customer_id: str | None
    api_key: str | None
    discount: int
    credits: int
    order: Order | None = None

    def counts_for(self, tally: Tally) -> bool:
        scope = self.campaign_id if tally.kind == "campaign" else self.id
        if scope != tally.id or tally.customer_id not in (None, self.customer_id):
            return False
        return tally.api_key in (None, self.api_key)


class Tallies:
    """Sums as history has them, and the redemptions since. A sum not looked up is 0: whom history does not know."""

    __slots__ = ("_orders", "_recorded", "_requests")

    def __init__(self, recorded: Mapping[Tally, int], orders: Mapping[tuple[str, str], int] | None = None) -> None:
        """`orders` are the amounts, by campaign and order, that the recorded sums have of the orders at hand."""
        self._recorded = recorded
        self._orders = orders or {}
        self._requests: list[Sequence[Use]] = []

    def add(self, uses: Sequence[Use]) -> None:
        """Lets the next request of a batch see what this one redeemed."""
        self._requests.append(uses)

    def of(self, tally: Tally, uses: Sequence[Use]) -> int:
        """The sum with these uses of the request at hand."""
        recorded = self._recorded.get(tally, 0)
        since = [[one for one in some if one.counts_for(tally)] for some in (*self._requests, uses)]
        if tally.measure == "orders":
            return recorded + self._growth_of_orders(tally.id, since)
        if tally.measure == "uses":
            return recorded + sum(len(some) for some in since)
        return recorded + sum(
            one.discount if tally.measure == "discounts" else one.credits for some in since for one in some
        )

    def _growth_of_orders(self, campaign_id: str, requests: Iterable[Sequence[Use]]) -> int:
        """An order without a name is one of its own in each request."""
        amounts: dict[object, int] = {}
        for place, some in enumerate(requests):
            for order in (one.order for one in some if one.order is not None):
                known = self._orders.get((campaign_id, order.id), 0) if order.id else 0
                key = order.source_id or order.id or place
                amounts[key] = max(amounts.get(key, 0), (order.amount or 0) - known)
        return sum(amounts.values())


def tally_of(
    count: Count, ask: Ask, now: int, zone: ZoneInfo, customer_id: str | None, api_key: str | None
) -> Tally | None:
    """The sum a condition asks for. None for the campaign of a redeemable that has none: nothing limits it (documented)."""
    holder = ask.tier or ask.voucher
    campaign = ask.campaign
    kind: Kind
    if count.of == "itself" or (campaign is None and count.measure == "credits"):
        kind, id = "promotion_tier" if ask.tier else "voucher", holder.id if holder else ask.id
    elif campaign is None:
        return None
    else:
        kind, id = "campaign", campaign.id
    return Tally(
        kind,
        id,
        count.measure,
        period_start(count.period, now, zone) if count.period else 0,
        customer_id if count.per == "customer" else None,
        api_key if count.per == "api_key" else None,
    )


def wanted_tallies(
    asks: Iterable[Ask], now: int, zone: ZoneInfo, customer_id: str | None, api_key: str | None
) -> set[Tally]:
    """Every sum that the rules of these may ask for. `now` in microseconds UTC."""
    found = (
        tally_of(count, ask, now, zone, customer_id, api_key)
        for ask in asks
        for rules in ask.rules
        if rules.conditions is not None
        for count in rules.conditions.counts
        if customer_id is not None or count.per != "customer"
    )
    return {tally for tally in found if tally is not None}


def period_start(period: Period, now: int, zone: ZoneInfo) -> int:
    """The first moment of the calendar day, week (from Monday) or month in the project's zone; microseconds UTC."""
    today = (_EPOCH + timedelta(microseconds=now)).astimezone(zone).date()
    if period == "weekly":
        today -= timedelta(days=today.weekday())
    elif period == "monthly":
        today = today.replace(day=1)
    return (datetime(today.year, today.month, today.day, tzinfo=zone) - _EPOCH) // _MICROSECOND
