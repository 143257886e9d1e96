"""Discounts, gift credit and validity as requests define them, for every room whose objects have them."""

from typing import Any, Literal

import msgspec

from largesse.engine.discounts import Discount, check_discount
from largesse.engine.refusal import Refusal
from largesse.engine.validity import Hours, Timeframe, Weekday, check_definition
from largesse.kernel import wire
from largesse.kernel.errors import ApiError, invalid
from largesse.kernel.wire import Instant

GiftEffect = Literal["APPLY_TO_ORDER", "APPLY_TO_ITEMS"]
MAX_CREDITS = 10**15


class Validity(msgspec.Struct, kw_only=True):
    """When something may be used; instants in microseconds UTC, windows in the project's zone. None: not limited that way."""

    start_date: Instant | None = None
    expiration_date: Instant | None = None
    validity_timeframe: Timeframe | None = None
    validity_day_of_week: list[Weekday] | None = None
    validity_hours: Hours | None = None


VALIDITY = Validity.__struct_fields__


class GiftInput(msgspec.Struct, frozen=True):
    """`balance` in a request is ignored; the amount decides."""

    amount: Any = None
    effect: GiftEffect | None = None


def checked_discount(sent: dict[str, Any], place: str = ".discount") -> Discount:
    """A discount as defined. Raises ApiError 400 `invalid_voucher` for one that is incomplete, else `invalid_payload`."""
    if "type" not in sent:
        raise invalid_voucher(f"Property {place} should have required property 'type'")
    discount: Discount = wire.convert(wire.without_nulls(sent), Discount, place)
    refusal = check_discount(discount)
    if refusal is not None:
        raise ApiError(
            msgspec.structs.replace(refusal, details=(refusal.details or "").replace(" .discount", f" {place}"))
        )
    return discount


def changed_discount(held: Discount, sent: dict[str, Any], place: str = ".discount") -> Discount:
    """A new definition of the same type. Raises ApiError 400 `invalid_voucher` for another type (documented)."""
    discount = checked_discount({"type": msgspec.to_builtins(held)["type"]} | sent, place)
    if type(held) is not type(discount):
        raise invalid_voucher("It is not possible to change Voucher discount type")
    return discount


def checked_credits(gift: GiftInput) -> int:
    """The credit of a gift card, in minor units. Raises ApiError 400 `invalid_gift`."""
    amount = gift.amount
    if isinstance(amount, bool) or not isinstance(amount, int) or not 0 <= amount <= MAX_CREDITS:
        raise invalid("invalid_gift", "Invalid gift", "Property .gift.amount should be a whole number of at least 0")
    return amount


def check_validity(held: Any) -> None:
    """Raises ApiError 400 where the validity of a voucher, campaign or tier contradicts itself."""
    raise_refusal(check_definition(*(getattr(held, name) for name in VALIDITY)))


def raise_refusal(refusal: Refusal | None) -> None:
    if refusal is not None:
        raise ApiError(refusal)


def invalid_voucher(details: str) -> ApiError:
    return invalid("invalid_voucher", "Invalid Voucher", details)
