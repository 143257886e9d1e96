"""What every redeemable of one request is judged by."""

from collections.abc import Mapping
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import msgspec

from largesse.engine.customer import CustomerFacts
from largesse.engine.order import Catalog, Line
from largesse.engine.stacking import StackingRules
from largesse.engine.tallies import Calendar, Tallies, Weekday


class ProductCollection(Protocol):
    """A named set of products and SKUs."""

    def holds(self, line: Line, /) -> bool:
        """Whether the line's product or SKU belongs to it."""


class Circumstances(msgspec.Struct, frozen=True, kw_only=True):
    """`now` in microseconds UTC. `metadata` is that of the redemption asked for, `api_key` the id of the key that asks.

    `catalog` knows at least what `units.unit_items` names, `collections` (by id) what the rules name, and `budgets` the units
    counted so far under what `budgets.wanted` names; a key that is missing stands at 0. `tallies` are what the rules count.
    `stocks` is what is left of the rewards at hand, by their ids; one that is missing has no limit. Budgets, tallies and stocks
    change by `decision.commit` only. `lists_cards` is whether loyalty cards are shown that no reward is asked of.
    """

    rules: StackingRules
    now: int
    zone: ZoneInfo
    first_weekday: Weekday = "MONDAY"
    session_key: str | None = None
    customer: CustomerFacts | None = None
    metadata: dict[str, Any] | None = None
    api_key: str | None = None
    catalog: Catalog = Catalog()
    collections: Mapping[str, ProductCollection] = {}
    budgets: dict[str, int] = {}
    tallies: Tallies | None = None
    explains: bool = False
    stocks: dict[str, int] = {}
    lists_cards: bool = False

    @property
    def calendar(self) -> Calendar:
        return Calendar(self.zone, self.first_weekday)
