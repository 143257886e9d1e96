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
    """Units that may ever be discounted under one name. One nobody can be counted for is not kept: it holds within the request."""

    key: str
    most: int
    is_kept: bool


def wanted(asks: Iterable[Ask], order: Order | None, customer_id: str | None) -> list[str]:
    """The keys of every budget a decision on these may read, sorted; `customer_id` is who redeems."""
    items = {_item(line) for line in (order.lines if order is not None else None) or ()}
    return sorted(
        {
            _key(scope, limit, entry, item, customer_id)
            for ask in asks
            for rules in ask.rules
            for entry in rules.applicable_to.limited_over_time
            for limit in _limits_of(entry)
            if (scope := _scope(ask, limit)) is not None and (customer_id or not limit.of_customer)
            for item in (items if limit.of_each_product else items and ("",))
        }
    )


@lru_cache(maxsize=10_000)
def _limits_of(entry: ItemEntry) -> tuple[_Limit, ...]:
    return tuple(limit for limit in _LIMITS if getattr(entry, limit.member) is not None)


def _scope(ask: Ask, limit: _Limit) -> str | None:
    """The campaign or tier that is counted. A limit of one the redeemable does not have holds nothing (our decision)."""
    holder = ask.tier if limit.of_tier else ask.campaign
    return holder.id if holder is not None else None


def _item(line: Line) -> str:
    return line.product_id or line.sku_id or line.source_id or ""


def _key(scope: str, limit: _Limit, entry: ItemEntry, item: str, customer_id: str | None) -> str:
    who = (customer_id or "") if limit.of_customer else ANYONE
    name = f"{scope}:{who}:{entry.object}:{entry.id or entry.source_id}"
    return f"{name}/{item}" if limit.of_each_product else name


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
        """The limits over time that hold for one line, each as its formula says, else as it is."""
        found = []
        for limit in _limits_of(entry):
            scope = _scope(self._ask, limit)
            if scope is not None:
                most = self._numbers.units(getattr(entry, limit.formula), getattr(entry, limit.member), line)
                key = _key(scope, limit, entry, _item(line), self._customer_id)
                found.append(Budget(key, most, bool(self._customer_id) or not limit.of_customer))
        return found

    def room(self, budgets: Iterable[Budget], units: int) -> int:
        """How many of these units all of the budgets still allow."""
        held = (self._used, self._spent, self._taken)
        rooms = [one.most - sum([counts.get(one.key, 0) for counts in held]) for one in budgets]
        return max(0, min([units, *rooms]))

    def take(self, budgets: Iterable[Budget], units: int) -> None:
        for one in budgets:
            self._taken[one.key] = self._taken.get(one.key, 0) + units
