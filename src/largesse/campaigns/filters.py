"""What the list of campaigns can be filtered by."""

from typing import Any

from sqlalchemy import and_, or_
from sqlalchemy.sql.elements import ColumnElement

import largesse.categories.service as categories
from largesse.campaigns.model import CAMPAIGN_TYPES
from largesse.campaigns.store import campaigns
from largesse.kernel.errors import invalid_query
from largesse.kernel.http.filter_parsing import Filters
from largesse.kernel.http.filters import FilterColumn, unknown_operator, where

_c = campaigns.c
_STATUSES = ("DONE", "IN_PROGRESS", "FAILED", "DRAFT", "MODIFYING")
_VOUCHER_TYPES = ("GIFT_VOUCHER", "DISCOUNT_VOUCHER", "LOYALTY_CARD")
_TYPES = ("AUTO_UPDATE", "STATIC", "STANDALONE")
_KINDS = {"BULK": ("AUTO_UPDATE", "STATIC")}  # a word for both (documented)


def with_status(status: str) -> ColumnElement[bool]:
    """Raises ApiError 400 for a word that is no status."""
    if status.upper() not in _STATUSES:
        raise invalid_query(
            f"Property .campaign_status should be equal to one of the allowed values [ {', '.join(_STATUSES)} ]"
        )
    return _c.creation_status == status.upper()


def _status(operator: str, values: list[str], now: int) -> ColumnElement[bool]:
    """`$active` is generated, whatever its dates; `$expired` and `$before_start` are generated and outside them (documented)."""
    done = _c.creation_status == "DONE"
    conditions: dict[str, ColumnElement[Any]] = {
        "$active": done,
        "$failed": _c.creation_status == "FAILED",
        "$in_progress": _c.creation_status.in_(("IN_PROGRESS", "MODIFYING")),
        "$expired": and_(done, _c.expiration_date < now),
        "$before_start": and_(done, _c.start_date > now),
    }
    conditions["before_start"] = conditions["$before_start"]  # as the contract writes it
    if operator in conditions:
        return conditions[operator]
    if operator in ("$is", "$in"):
        return or_(*(with_status(value) for value in values))
    raise unknown_operator("status", operator, conditions)


def _active(operator: str, values: list[str], now: int) -> ColumnElement[bool]:
    """`$active` is enabled and inside its dates, `$expired` past them, `$enabled` and `$disabled` the switch alone."""
    begun = or_(_c.start_date.is_(None), _c.start_date <= now)
    not_ended = or_(_c.expiration_date.is_(None), _c.expiration_date >= now)
    conditions: dict[str, ColumnElement[Any]] = {
        "$active": and_(_c.active.is_(True), begun, not_ended),
        "$expired": _c.expiration_date < now,
        "$enabled": _c.active.is_(True),
        "$disabled": _c.active.is_(False),
    }
    if operator in conditions:
        return conditions[operator]
    if operator == "$is" and values[0].lower() in ("true", "false"):
        return _c.active.is_(values[0].lower() == "true")
    raise unknown_operator("active", operator, conditions)


def _timeframe(operator: str, values: list[str], now: int) -> ColumnElement[bool]:
    """A timeframe begins with its campaign, so that what asks for a date asks for that (our decision)."""
    has_one = _c.validity_timeframe.is_not(None)
    if operator in ("$has_value", "$is_unknown"):
        return has_one if operator == "$has_value" else ~has_one
    asked = Filters(fields={"start_date": {operator: values}})
    found = where(asked, {"start_date": FilterColumn(_c.start_date, "instant")}, now)
    assert found is not None  # one field was asked for
    return and_(has_one, found)


def _weekday(operator: str, values: list[str], _now: int) -> ColumnElement[bool]:
    """Valid on any of the days, 0 to 6; a campaign without such days is valid on all of them, and not found by one."""
    if operator in ("$has_value", "$is_unknown"):
        return _c.validity_day_of_week.is_not(None) if operator == "$has_value" else _c.validity_day_of_week.is_(None)
    if operator not in ("$is", "$in"):
        raise unknown_operator("validity_day_of_week", operator, ("$is", "$in", "$has_value", "$is_unknown"))
    if not set(values) <= set("0123456"):
        raise invalid_query(
            f"Property .filters.validity_day_of_week.conditions.{operator} should hold days from 0 to 6"
        )
    return or_(*(_c.validity_day_of_week.contains(value) for value in values))  # a list of digits as text


def _referral(operator: str, values: list[str], _now: int) -> ColumnElement[bool]:
    if operator not in ("$is", "$is_not") or values[0].lower() not in ("true", "false"):
        raise invalid_query("Filter is_referral_code should be $is TRUE or FALSE")
    wanted = (values[0].lower() == "true") == (operator == "$is")
    return _c.campaign_type == "REFERRAL_PROGRAM" if wanted else _c.campaign_type != "REFERRAL_PROGRAM"


def _type(operator: str, values: list[str], _now: int) -> ColumnElement[bool]:
    if not set(values) <= {*_TYPES, *_KINDS}:
        allowed = ", ".join((*_TYPES, *_KINDS))
        raise invalid_query(
            f"Property .filters.type.conditions.{operator} should be equal to one of the allowed values [ {allowed} ]"
        )
    wanted = [kind for value in values for kind in _KINDS.get(value, (value,))]
    if operator in ("$is", "$in"):
        return _c.type.in_(wanted)
    if operator in ("$is_not", "$not_in"):
        return _c.type.not_in(wanted)
    raise unknown_operator("type", operator, ("$is", "$is_not", "$in", "$not_in"))


FILTERS: dict[str, FilterColumn] = {
    "campaigns": FilterColumn(_c.name, "text"),
    "campaigns_id": FilterColumn(_c.id, "text"),
    "campaign_status": FilterColumn(_c.creation_status, "text", allowed=_STATUSES),
    "status": FilterColumn(_c.creation_status, "custom", _status),
    "active": FilterColumn(_c.active, "custom", _active),
    "is_referral_code": FilterColumn(_c.campaign_type, "custom", _referral),
    "validity_timeframe": FilterColumn(_c.validity_timeframe, "custom", _timeframe),
    "validity_day_of_week": FilterColumn(_c.validity_day_of_week, "custom", _weekday),
    "voucher_type": FilterColumn(_c.voucher_type, "text", allowed=_VOUCHER_TYPES),
    "campaign_type": FilterColumn(_c.campaign_type, "text", allowed=CAMPAIGN_TYPES),
    "categories": FilterColumn(categories.name_of(_c.project_id, _c.category_id), "text"),
    "category_ids": FilterColumn(_c.category_id, "text"),
    "type": FilterColumn(_c.type, "custom", _type),
    "created_date": FilterColumn(_c.created_at, "instant"),
    "created_at": FilterColumn(_c.created_at, "instant"),
    "updated_at": FilterColumn(_c.updated_at, "instant"),
    "start_date": FilterColumn(_c.start_date, "instant"),
    "expiration_date": FilterColumn(_c.expiration_date, "instant"),
    "metadata": FilterColumn(_c.metadata, "metadata"),
}
