"""Limits over time: how many units of something may be discounted by a campaign or tier, for all customers or for one.

A budget is named by its scope, the customer it is for, and the item it counts. What was discounted is posted under that name and
returned by a rollback.
"""

from collections.abc import Iterable
from functools import lru_cache

import msgspec

from largesse.engine.benefits import ItemEntry
from largesse.engine.books import Ask
from largesse.engine.circumstances import Circumstances
from largesse.engine.dynamic import Numbers
from largesse.engine.order import Line, Order

ANYONE = "*"


class _Limit(msgspec.Struct, frozen=True):
    """One member of an entry and its formula twin."""

    member: str
    formula: str
    of_tier: bool
    of_customer: bool
    of_each_product: bool


_LIMITS = tuple(
    _Limit(member, f"{member}_formula", scope == "promotion_tier", bool(customer), bool(each))
    for each in ("", "in_collection_")
    for customer in ("", "customer_")
    for scope in ("campaign", "promotion_tier")
    for member in (f"product_{each}{customer}{scope}_quantity_limit",)
)


class Budget(msgspec.Struct, frozen=True):
    """One limit as it meets a line. One that nobody can be counted for is not kept: it holds within the request only."""

    key: str
    most: int
    formula: str | None
    is_kept: bool


def wanted(asks: Iterable[Ask], order: Order | None, customer_id: str | None) -> list[str]:
    """The keys of every budget a decision on these may read, sorted; `customer_id` is who redeems."""
    lines = (order.lines if order is not None else None) or ()
    return sorted(
        {
            budget.key
            for ask in asks
            for rules in ask.rules
            for entry in rules.applicable_to.included
            if is_limited(entry)
            for line in lines
            for budget in budgets_of(ask, entry, line, customer_id)
            if budget.is_kept
        }
    )


@lru_cache(maxsize=10_000)
def is_limited(entry: ItemEntry) -> bool:
    """Whether any of its limits is over time."""
    return any(getattr(entry, limit.member) is not None for limit in _LIMITS)


def budgets_of(ask: Ask, entry: ItemEntry, line: Line, customer_id: str | None) -> list[Budget]:
    """The limits over time that hold for one line; one whose scope the redeemable does not have holds nothing (our decision)."""
    found = []
    for limit in _LIMITS:
        most = getattr(entry, limit.member)
        scope = (ask.tier if limit.of_tier else ask.campaign) if most is not None else None
        if scope is None:
            continue
        item = entry.id or entry.source_id or ""
        if limit.of_each_product:
            item = f"{item}/{line.product_id or line.sku_id or line.source_id or ''}"
        who = (customer_id or "") if limit.of_customer else ANYONE
        key = f"{scope.id}:{who}:{entry.object}:{item}"
        found.append(Budget(key, most, getattr(entry, limit.formula), bool(who)))
    return found


class Meter:
    """Measures what one redeemable may still discount. `spent` is what the ones before it in the request did, kept or not."""

    def __init__(self, ask: Ask, numbers: Numbers, about: Circumstances, spent: dict[str, int]) -> None:
        self._ask = ask
        self._numbers = numbers
        self._customer_id = about.customer.id if about.customer else None
        self._used = about.budgets
        self._spent = spent
        self._taken: dict[str, int] = {}

    def budgets_of(self, entry: ItemEntry, line: Line) -> list[Budget]:
        return budgets_of(self._ask, entry, line, self._customer_id)

    def most(self, budget: Budget, line: Line | None = None) -> int:
        """Units that may ever be discounted: as its formula says, else the static limit."""
        return self._numbers.units(budget.formula, budget.most, line)

    def room(self, budgets: Iterable[Budget], line: Line) -> int:
        """Units of the line that all of its budgets still allow; a great number without any."""
        rooms = [
            self.most(one, line) - sum(held.get(one.key, 0) for held in (self._used, self._spent, self._taken))
            for one in budgets
        ]
        return max(0, min(rooms, default=line.quantity))

    def take(self, budgets: Iterable[Budget], units: int) -> None:
        for one in budgets:
            self._taken[one.key] = self._taken.get(one.key, 0) + units
