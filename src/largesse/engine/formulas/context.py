"""What formulas may ask about: the facts of one request, and one evaluation over them."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any, TypeVar, cast

import msgspec

from largesse.engine.formulas.dates import day
from largesse.engine.formulas.errors import NotComputable
from largesse.engine.order import Line, Order

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Found = TypeVar("Found")


class FormulaContext(msgspec.Struct, frozen=True, kw_only=True):
    """The facts a formula can name; nothing is looked at before a formula asks. None means: not there, so not computable.

    Instants are microseconds since the epoch, UTC; money is in minor units inside `order` and `line`.
    `line` is the line an item-level discount is being computed for, with the discounts of earlier redeemables in it.
    `customer_birthdate` is a date or date-time text as customers carry it.
    `redeemable_metadata` is that of the voucher or promotion tier; `voucher_redemption_quantity` None means unlimited.
    `bundle_quantity` is how many bundles the cart makes, 0 without any.
    """

    now: int
    zone: tzinfo = UTC
    order: Order | None = None
    line: Line | None = None
    customer_metadata: dict[str, Any] | None = None
    customer_birthdate: str | None = None
    redeemable_metadata: dict[str, Any] | None = None
    redemption_metadata: dict[str, Any] | None = None
    publication_metadata: dict[str, Any] | None = None
    voucher_redemption_quantity: int | None = None
    voucher_redeemed_quantity: int | None = None
    voucher_publish_count: int | None = None
    voucher_start_date: int | None = None
    voucher_expiration_date: int | None = None
    promotion_tier_start_date: int | None = None
    promotion_tier_expiration_date: int | None = None
    bundle_quantity: int = 0


class Evaluation:
    """One computation: the facts, and what was already looked up in them."""

    __slots__ = ("_found", "context", "zone")

    def __init__(self, context: FormulaContext) -> None:
        self.context = context
        self.zone = context.zone
        self._found: dict[object, object] = {}

    def once(self, key: object, find: Callable[[], Found]) -> Found:
        """What `find` gives, looked up once."""
        if key not in self._found:
            self._found[key] = find()
        return cast("Found", self._found[key])

    @property
    def now(self) -> datetime:
        return date_time(self.context.now)

    @property
    def today(self) -> date:
        return self.once("today", lambda: day(self.now, self.zone))

    @property
    def line(self) -> Line | None:
        return self.context.line

    @property
    def cheapest_line(self) -> Line | None:
        """By unit price, then by lower subtotal, then the earlier (documented). Lines without a price do not count."""
        return self.once("cheapest", lambda: min(self._priced_lines(), key=_price_then_subtotal, default=None))

    @property
    def most_expensive_line(self) -> Line | None:
        """By unit price, then by lower subtotal, then the earlier (documented)."""
        return self.once("dearest", lambda: min(self._priced_lines(), key=_dearness_then_subtotal, default=None))

    def _priced_lines(self) -> list[Line]:
        order = self.context.order
        return [line for line in (order and order.lines) or () if line.price is not None]


def date_time(micros: int) -> datetime:
    try:
        return EPOCH + timedelta(microseconds=micros)
    except OverflowError:  # outside the calendar
        raise NotComputable from None


def _price_then_subtotal(line: Line) -> tuple[int, int]:
    return line.price or 0, line.subtotal or 0


def _dearness_then_subtotal(line: Line) -> tuple[int, int]:
    return -(line.price or 0), line.subtotal or 0
