"""A customer as a request describes one: the part orders, redemptions and the customer resource share."""

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from msgspec import Meta

Text = Annotated[str, Meta(max_length=10_000)]


class Address(msgspec.Struct, frozen=True, omit_defaults=True):
    city: str | None = None
    state: str | None = None
    line_1: str | None = None
    line_2: str | None = None
    country: str | None = None
    postal_code: str | None = None


class CustomerInput(msgspec.Struct, frozen=True, kw_only=True):
    """Who buys: named by `id`, `source_id` or a lone email; other members are laid over the stored profile."""

    id: str | None = None
    source_id: str | None = None
    name: Text | None = None
    description: Text | None = None
    email: Text | None = None
    phone: Text | None = None
    birthdate: str | None = None
    birthday: str | None = None
    address: Address | None = None
    metadata: dict[str, Any] | None = None


def in_no_segment(_segment_id: str) -> bool:
    return False


def holds_no_tier(_tier_id: str) -> bool:
    return False


class CustomerFacts(msgspec.Struct, frozen=True):
    """What decisions may know of who redeems. `birthdate` is a date or date-time text as customers carry it.

    `is_in` answers whether they are in a segment now, `holds` whether they hold a loyalty tier now; both are asked only where a
    condition looks at that.
    """

    id: str
    metadata: dict[str, Any] = {}
    birthdate: str | None = None
    is_in: Callable[[str], bool] = in_no_segment
    holds: Callable[[str], bool] = holds_no_tier
