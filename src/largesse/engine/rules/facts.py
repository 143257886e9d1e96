"""What the conditions of one redeemable are judged by."""

from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any, Literal, Protocol
from zoneinfo import ZoneInfo

import msgspec

from largesse.engine.customer import CustomerFacts
from largesse.engine.order import Line, Order

Measure = Literal["uses", "discounts", "credits", "orders"]
Period = Literal["daily", "weekly", "monthly", "quarterly", "yearly"]


class CartView(Protocol):
    """The lines of an order, found by what they are of."""

    @property
    def lines(self) -> Sequence[Line]:
        """In request order."""

    def names(self, kind: str) -> Set[str]:
        """The ids and source ids of the products or SKUs in it."""

    def places(self, kind: str, *names: str | None) -> list[int]:
        """The lines of a product, a SKU or a collection that goes by any of these names."""


class Count(msgspec.Struct, frozen=True):
    """What a condition counts: of the code or tier itself or of its campaign, over all time or in the current period.

    Of a campaign's credits those of a card outside campaigns are its own (our decision).
    """

    of: Literal["itself", "campaign"]
    measure: Measure = "uses"
    period: Period | None = None
    per: Literal["customer", "api_key", "user"] | None = None


class When(msgspec.Struct, frozen=True, kw_only=True):
    """What operators may know besides the property: the moment, in microseconds UTC, and the zone that says which day that is."""

    now: int
    zone: ZoneInfo


class Facts(When, frozen=True, kw_only=True):
    """`order` is the running order, `result` what the redeemable makes of it; `result` is there only for conditions that ask, and
    so are the points used to pay for the order.

    `metadata` is that of the redemption asked for, `api_key` the application id of the calling key, `user` the login of a user who
    calls instead, `holder_id` the customer the code was published to, `points_used` the points that pay for the order. `counted`
    answers what redemptions add up to, this one included; None where there is nothing to count. `event` is the metadata of a custom
    event, where one is judged.
    """

    order: Order
    result: Order | None = None
    cart_of: Callable[[Order], CartView]
    customer: CustomerFacts | None = None
    metadata: dict[str, Any] | None = None
    api_key: str | None = None
    user: str | None = None
    event: Mapping[str, Any] | None = None
    holder_id: str | None = None
    points_used: int = 0
    counted: Callable[[Count], int | None]

    @property
    def cart(self) -> CartView:
        return self.cart_of(self.order)
