"""What became of a rule's conditions, and what they need to be judged at all."""

from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec

from largesse.engine.logic import Logic
from largesse.engine.rules.facts import Count, Facts

Group = Literal["customer", "segment", "order", "redemption"]
Need = Literal["customer", "order", "amount", "items"]


class Violation(msgspec.Struct, frozen=True):
    """A condition that does not hold: the group its error key and message follow, and the merchant's own words."""

    group: Group
    message: str | None = None


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """One numbered condition of a rule, as written in `document` and compiled: `blame` answers None where it holds.

    One that is not `judged` always does.
    """

    name: str
    document: Mapping[str, Any]
    blame: Callable[[Facts], Violation | None]
    needs: frozenset[Need] = frozenset()
    of_result: bool = False
    count: Count | None = None
    segments: frozenset[str] = frozenset()
    judged: bool = True


class Conditions(msgspec.Struct, frozen=True, kw_only=True):
    """The conditions of one rule. `blame` answers the leftmost one that makes the rule fail, None where it holds.

    `needs` is what a request must have for them, `of_result` whether any looks at the order after the redeemable's own effect,
    `counts` what past redemptions are counted for, `most` what a count may be at most where the rule could not hold otherwise,
    `segments` the ids of those that any looks at. `logic` joins the `parts`.
    """

    blame: Callable[[Facts], Violation | None]
    needs: frozenset[Need]
    of_result: bool
    counts: frozenset[Count] = frozenset()
    segments: frozenset[str] = frozenset()
    most: Mapping[Count, int] = {}
    logic: Logic
    parts: Mapping[str, Condition]
