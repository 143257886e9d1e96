"""Why the rules of a redeemable are violated, as explanations tell it."""

from typing import Any

import msgspec


class Counter(msgspec.Struct, frozen=True):
    """What a condition counts: `used` before this redemption, which would add `asked`; `limit` None without an upper bound."""

    limit: int | None
    used: int
    asked: int


class Failed(msgspec.Struct, frozen=True, kw_only=True):
    """One condition that does not hold. `condition` is its first operator that fails, `expected` the values under it, `actual`
    what it was compared with; for conditions on items those are lines, without what sub-rules ask of them.
    """

    key: str
    name: str
    property: str | None
    condition: str | None
    expected: list[Any]
    actual: Any
    counter: Counter | None


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Why one rule set is violated; `failed` is empty where only its bundle is incomplete."""

    rule_id: str
    rule_name: str
    failed: list[Failed]
