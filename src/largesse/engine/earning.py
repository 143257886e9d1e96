"""What an earning rule awards: points for an order, an event, or a customer who reached a segment or tier.

All arithmetic is exact; a result is rounded once, at the very end, halves up (our decision).
"""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any, Literal, TypeAlias
from zoneinfo import ZoneInfo

import msgspec

from largesse.engine.cart import Cart
from largesse.engine.customer import CustomerFacts
from largesse.engine.formulas import Formula, FormulaContext
from largesse.engine.formulas.errors import NotComputable
from largesse.engine.formulas.operands import member
from largesse.engine.formulas.results import whole
from largesse.engine.formulas.values import from_json, number
from largesse.engine.order import Line, Order
from largesse.engine.validity import Hours, Timeframe, in_hours, in_timeframe, on_weekday

MAX_POINTS = 10**12  # that one rule awards at once; our decision, far above any program
Measure = Literal[
    "ORDER_AMOUNT",
    "ORDER_TOTAL_AMOUNT",
    "ORDER_METADATA",
    "ORDER_ITEMS_QUANTITY",
    "ORDER_ITEMS_AMOUNT",
    "ORDER_ITEMS_SUBTOTAL_AMOUNT",
    "CUSTOMER_METADATA",
    "CUSTOM_EVENT_METADATA",
]


class Covered(msgspec.Struct, frozen=True):
    """A product with all its SKUs, a SKU or a collection whose lines count."""

    object: Literal["product", "sku", "products_collection"]
    id: str


class Proportion(msgspec.Struct, frozen=True, kw_only=True):
    """For every whole `every` of what is measured: minor units for amounts, plain numbers else (documented)."""

    measure: Measure
    every: int
    property: str = ""
    covered: tuple[Covered, ...] = ()


class Earning(msgspec.Struct, frozen=True, kw_only=True):
    """`points` once, or once for each whole unit of `per`. What a formula gives stands for `points` where it can be computed."""

    points: int
    formula: Formula | None = None
    per: Proportion | None = None


class Multiplied(msgspec.Struct, frozen=True):
    """A tier multiplies what the rule gives; 0 gives nothing."""

    by: Fraction


class Replaced(msgspec.Struct, frozen=True):
    """A tier has points of its own in place of the rule's."""

    points: int


Mapped: TypeAlias = Multiplied | Replaced


class Occasion(msgspec.Struct, frozen=True, kw_only=True):
    """What happened: `now` in microseconds UTC; `event` is the metadata of a custom event. `cart` knows the covered collections."""

    now: int
    zone: ZoneInfo
    customer: CustomerFacts
    order: Order | None = None
    cart: Cart | None = None
    event: Mapping[str, Any] | None = None


Number: TypeAlias = int | Fraction
Measured: TypeAlias = Callable[[Proportion, Occasion], Number]


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """When a rule or its campaign is open. Instants in microseconds UTC, both bounds included; hours in the project's zone."""

    start_date: int | None = None
    expiration_date: int | None = None
    timeframe: Timeframe | None = None
    days: tuple[int, ...] = ()
    hours: Hours | None = None

    @property
    def recurs(self) -> bool:
        """Whether it says more than when it begins and ends."""
        return self.timeframe is not None or bool(self.days) or self.hours is not None


def is_open(own: Window, campaign: Window, now: int, zone: ZoneInfo) -> bool:
    """Within the dates of both, and within the recurring windows of the rule, or of the campaign where the rule has none."""
    if not (_within(own, now) and _within(campaign, now)):
        return False
    window = own if own.recurs else campaign
    frame, start = window.timeframe, window.start_date
    if frame is not None and start is not None and not in_timeframe(frame, start, now, zone):
        return False
    return on_weekday(list(window.days), now, zone) and (window.hours is None or in_hours(window.hours, now, zone))


def _within(window: Window, now: int) -> bool:
    after = window.start_date is None or window.start_date <= now
    return after and (window.expiration_date is None or now <= window.expiration_date)


def awarded(earning: Earning, occasion: Occasion, mapped: Mapped | None = None) -> int:
    """The points of one rule, 0 or more; `mapped` is what the tier that the customer holds makes of them.

    A multiplier works on the result. Points of the tier's own stand for the rule's: once, or for each whole unit (documented).
    """
    times = 1 if earning.per is None else _whole_units(earning.per, occasion)
    if times == 0:
        return 0
    if isinstance(mapped, Replaced):
        found: Number = mapped.points * times
    else:
        found = _points(earning, occasion) * times
        if mapped is not None:
            found *= mapped.by
    return min(found if isinstance(found, int) else whole(found), MAX_POINTS)


def _points(earning: Earning, occasion: Occasion) -> Number:
    if earning.formula is None:
        return earning.points
    customer = occasion.customer
    context = FormulaContext(
        now=occasion.now,
        zone=occasion.zone,
        order=occasion.order,
        customer_metadata=customer.metadata,
        customer_birthdate=customer.birthdate,
    )
    found = earning.formula.evaluate(context)
    return earning.points if found is None else max(found, Fraction(0))


def _whole_units(per: Proportion, occasion: Occasion) -> int:
    """How often `every` fits into what is measured; nothing is carried over to the next time (our decision)."""
    return max(0, int(_MEASURES[per.measure](per, occasion) // per.every))


def _metadata(found: Mapping[str, Any] | None, name: str) -> Number:
    """A number in metadata; what is missing or no number counts as 0 (documented)."""
    try:
        return number(from_json(member(found, name)))
    except NotComputable:
        return 0


def _covered_lines(per: Proportion, cart: Cart | None) -> list[Line]:
    """Each line once, however many entries name it (documented)."""
    if cart is None:
        return []
    places = {place for entry in per.covered for place in cart.places(entry.object, entry.id)}
    return [cart.lines[place] for place in places]


def _sum(read: Callable[[Line], int | None]) -> Measured:
    return lambda per, occasion: sum([read(line) or 0 for line in _covered_lines(per, occasion.cart)])


def _bought(line: Line) -> int:
    """Units less those given for free."""
    return max(0, line.quantity - (line.discount_quantity or 0))


def _of_order(read: Callable[[Order], int | None]) -> Measured:
    return lambda _, occasion: (read(occasion.order) if occasion.order else 0) or 0


_MEASURES: dict[Measure, Measured] = {
    "ORDER_AMOUNT": _of_order(lambda order: order.amount),
    "ORDER_TOTAL_AMOUNT": _of_order(lambda order: order.total_amount),
    "ORDER_METADATA": lambda per, occasion: _metadata(
        occasion.order.metadata if occasion.order else None, per.property
    ),
    "ORDER_ITEMS_QUANTITY": _sum(_bought),
    "ORDER_ITEMS_AMOUNT": _sum(lambda line: line.amount),
    "ORDER_ITEMS_SUBTOTAL_AMOUNT": _sum(lambda line: line.subtotal),
    "CUSTOMER_METADATA": lambda per, occasion: _metadata(occasion.customer.metadata, per.property),
    "CUSTOM_EVENT_METADATA": lambda per, occasion: _metadata(occasion.event, per.property),
}


def collections_of(earnings: Sequence[Earning]) -> frozenset[str]:
    """The collections that a cart has to know for these."""
    return frozenset(
        entry.id
        for earning in earnings
        if earning.per is not None
        for entry in earning.per.covered
        if entry.object == "products_collection"
    )
