"""What the list of campaigns can be filtered by."""

from typing import Any

from sqlalchemy import and_, or_
from sqlalchemy.sql.elements import ColumnElement

from largesse.campaigns.store import campaigns
from largesse.kernel.errors import invalid_query
from largesse.kernel.http.filters import FilterColumn

_c = campaigns.c
_STATUSES = ("DONE", "IN_PROGRESS", "FAILED", "DRAFT", "MODIFYING")
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
    if operator in conditions:
        return conditions[operator]
    if operator in ("$is", "$in"):
        return or_(*(with_status(value) for value in values))
    raise invalid_query(f"Operator {operator} is unknown for status; use {', '.join(conditions)}")


def _active(operator: str, values: list[str], _now: int) -> ColumnElement[bool]:
    if operator in ("$enabled", "$disabled"):
        return _c.active.is_(operator == "$enabled")
    if operator == "$is" and values[0].lower() in ("true", "false"):
        return _c.active.is_(values[0].lower() == "true")
    raise invalid_query(f"Operator {operator} is unknown for active; use $enabled or $disabled")


def _referral(operator: str, values: list[str], _now: int) -> ColumnElement[bool]:
    if operator not in ("$is", "$is_not") or values[0].lower() not in ("true", "false"):
        raise invalid_query("Filter is_referral_code should be $is TRUE or FALSE")
    wanted = (values[0].lower() == "true") == (operator == "$is")
    return _c.campaign_type == "REFERRAL_PROGRAM" if wanted else _c.campaign_type != "REFERRAL_PROGRAM"


def _type(operator: str, values: list[str], _now: int) -> ColumnElement[bool]:
    wanted = [kind for value in values for kind in _KINDS.get(value, (value,))]
    if operator in ("$is", "$in"):
        return _c.type.in_(wanted)
    if operator in ("$is_not", "$not_in"):
        return _c.type.not_in(wanted)
    raise invalid_query(f"Operator {operator} is unknown for type; use $is, $is_not, $in or $not_in")


FILTERS: dict[str, FilterColumn] = {
    "campaigns": FilterColumn(_c.name, "text"),
    "campaigns_id": FilterColumn(_c.id, "text"),
    "campaign_status": FilterColumn(_c.creation_status, "custom", _status),
    "status": FilterColumn(_c.creation_status, "custom", _status),
    "active": FilterColumn(_c.active, "custom", _active),
    "is_referral_code": FilterColumn(_c.campaign_type, "custom", _referral),
    "validity_timeframe": FilterColumn(_c.validity_timeframe, "text"),
    "validity_day_of_week": FilterColumn(_c.validity_day_of_week, "text"),
    "voucher_type": FilterColumn(_c.voucher_type, "text"),
    "campaign_type": FilterColumn(_c.campaign_type, "text"),
    "category_ids": FilterColumn(_c.category_id, "text"),
    "type": FilterColumn(_c.type, "custom", _type),
    "created_date": FilterColumn(_c.created_at, "instant"),
    "created_at": FilterColumn(_c.created_at, "instant"),
    "updated_at": FilterColumn(_c.updated_at, "instant"),
    "start_date": FilterColumn(_c.start_date, "instant"),
    "expiration_date": FilterColumn(_c.expiration_date, "instant"),
    "metadata": FilterColumn(_c.metadata, "metadata"),
}
