"""How a program says its tiers are reached and kept: `loyalty_tiers_expiration` under its wire names, and the scheme it means."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from largesse.engine.calendar import Period, Span
from largesse.engine.tiers import ByBalance, ByPeriod, Rounding, Scheme
from largesse.engine.validity import parse_duration

MAX_MONTHS, MAX_DAYS = 1_200, 36_500  # that a tier can be extended by; our decision


class StartDate(msgspec.Struct, frozen=True):
    type: Literal["IMMEDIATE", "NEXT_PERIOD"] = "IMMEDIATE"


class RoundingInput(msgspec.Struct, frozen=True, omit_defaults=True):
    """`value` counts months from 0 = January, with CUSTOM only (documented)."""

    type: Period | Literal["CUSTOM"] | None = None
    strategy: Literal["START", "END"] | None = None
    unit: Literal["MONTH"] | None = None
    value: Annotated[int, Meta(ge=0, le=11)] | None = None


class ExpirationDate(msgspec.Struct, frozen=True, omit_defaults=True):
    """`extend` is an ISO 8601 duration of months or days: how long a tier lasts with CUSTOM, else what is added to its period."""

    type: Literal["END_OF_PERIOD", "END_OF_NEXT_PERIOD", "BALANCE_DROP", "CUSTOM"] | None = None
    extend: str | None = None
    rounding: RoundingInput | None = None


class TiersExpiration(msgspec.Struct, frozen=True, omit_defaults=True):
    """Every member has a default: by the balance, for as long as it stands."""

    qualification_type: Literal["BALANCE", "POINTS_IN_PERIOD"] | None = None
    qualification_period: Period | None = None
    start_date: StartDate | None = None
    expiration_date: ExpirationDate | None = None


def scheme_of(defined: TiersExpiration | None) -> Scheme:
    """The scheme a definition means. Raises ValueError that names the place of what says nothing possible."""
    defined = defined or TiersExpiration()
    expiration = defined.expiration_date or ExpirationDate()
    start = defined.start_date.type if defined.start_date else "IMMEDIATE"
    extend = _span(expiration.extend) if expiration.extend is not None else None
    if defined.qualification_type == "POINTS_IN_PERIOD":
        if defined.qualification_period is None:
            raise ValueError(".qualification_period is needed with POINTS_IN_PERIOD")
        if expiration.type not in (None, "END_OF_PERIOD", "END_OF_NEXT_PERIOD"):
            raise ValueError(
                ".expiration_date.type should be END_OF_PERIOD or END_OF_NEXT_PERIOD with POINTS_IN_PERIOD"
            )
        return ByPeriod(
            period=defined.qualification_period,
            at_once=start == "IMMEDIATE",
            through_next=expiration.type == "END_OF_NEXT_PERIOD",
            extend=extend or Span(),
        )
    if start != "IMMEDIATE":
        raise ValueError(".start_date.type can be NEXT_PERIOD only with POINTS_IN_PERIOD")
    if expiration.type in (None, "BALANCE_DROP"):
        return ByBalance()
    if expiration.type != "CUSTOM":
        raise ValueError(".expiration_date.type should be BALANCE_DROP or CUSTOM with BALANCE")
    if extend is None:
        raise ValueError(".expiration_date.extend is needed with CUSTOM")
    return ByBalance(extend, _rounding(expiration.rounding))


def _span(text: str) -> Span:
    try:
        found = parse_duration(text)
        if found.seconds or found.months + found.days == 0 or found.months > MAX_MONTHS or found.days > MAX_DAYS:
            raise ValueError(text)
    except ValueError:
        raise ValueError(".expiration_date.extend should be a duration of months or days such as P3M or P7D") from None
    return Span(found.months, found.days)


def _rounding(defined: RoundingInput | None) -> Rounding | None:
    if defined is None or defined.type is None:
        return None
    if defined.type == "CUSTOM" and defined.value is None:
        raise ValueError(".expiration_date.rounding.value is needed with CUSTOM: a month from 0 = January to 11")
    return Rounding(defined.type, end=defined.strategy != "START", month=(defined.value or 0) + 1)
