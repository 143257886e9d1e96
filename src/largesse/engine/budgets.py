"""Limits over time: how many units of something may be discounted by a campaign or tier, for all customers or for one.

A budget is named by its scope, the customer it is for, and the item it counts. What was discounted is posted under that name and
returned by a rollback.
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from largesse.engine.benefits import ItemEntry
from largesse.engine.books import Ask
from largesse.engine.order import Line, Order

ANYONE = "*"


class _Limit(msgspec.Struct, frozen=True):
    """One pair of members of an entry, `member` and its formula twin."""

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
    """One limit of an entry as it meets a line. `key` is None where nobody can be counted: a limit per customer without one."""

    key: str | None
    most: int | None
    formula: str | None


def wanted(asks: Iterable[Ask], order: Order | None, customer_id: str | None) -> list[str]:
    """The keys of every budget a decision on these may read, sorted; `customer_id` is who redeems."""
    lines = (order.lines if order is not None else None) or ()
    found: set[str] = set()
    for ask in asks:
        for rules in ask.rules:
            for entry in rules.applicable_to.included:
                if not is_limited(entry):
                    continue
                for line in lines:
                    found.update(one.key for one in budgets_of(ask, entry, line, customer_id) if one.key is not None)
    return sorted(found)


def is_limited(entry: ItemEntry) -> bool:
    """Whether any of its limits is over time."""
    return any(getattr(entry, limit.member) is not None for limit in _LIMITS)


def budgets_of(ask: Ask, entry: ItemEntry, line: Line, customer_id: str | None) -> Sequence[Budget]:
    """The limits over time that hold for one line; one whose scope the redeemable does not have holds nothing (our decision)."""
    return list(_budgets_of(ask, entry, line, customer_id))


def _budgets_of(ask: Ask, entry: ItemEntry, line: Line, customer_id: str | None) -> Iterator[Budget]:
    for limit in _LIMITS:
        most = getattr(entry, limit.member)
        scope = (ask.tier if limit.of_tier else ask.campaign) if most is not None else None
        if scope is None:
            continue
        item = entry.id or entry.source_id or ""
        if limit.of_each_product:
            item = f"{item}/{line.product_id or line.sku_id or line.source_id or ''}"
        who = customer_id if limit.of_customer else ANYONE
        key = f"{scope.id}:{who}:{entry.object}:{item}" if who is not None else None
        yield Budget(key, most, getattr(entry, limit.formula))
