"""What the list of vouchers can be filtered by."""

from typing import Any

from sqlalchemy import and_, or_
from sqlalchemy.sql.elements import ColumnElement

import largesse.categories.service as categories
from largesse.kernel.http.filters import FilterColumn, unknown_operator
from largesse.vouchers.model import DISCOUNT_VOUCHER, GIFT_VOUCHER, LOYALTY_CARD
from largesse.vouchers.tables import vouchers

_c = vouchers.c
_TYPES = (DISCOUNT_VOUCHER, GIFT_VOUCHER, LOYALTY_CARD)


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


FILTERS: dict[str, FilterColumn] = {
    "code": FilterColumn(_c.code, "text"),
    "id": FilterColumn(_c.id, "text"),
    "campaign_ids": FilterColumn(_c.campaign_id, "text"),
    "campaigns": FilterColumn(_c.campaign, "text"),
    "categories": FilterColumn(categories.name_of(_c.project_id, _c.category_id), "text"),
    "category_ids": FilterColumn(_c.category_id, "text"),
    "voucher_type": FilterColumn(_c.type, "text", allowed=_TYPES),
    "type": FilterColumn(_c.type, "text", allowed=_TYPES),
    "active": FilterColumn(_c.active, "custom", _active),
    "is_referral_code": FilterColumn(_c.is_referral_code, "boolean"),
    "redemption.quantity": FilterColumn(_c.quantity, "number"),
    "redemption.redeemed_quantity": FilterColumn(_c.redeemed_quantity, "number"),
    "start_date": FilterColumn(_c.start_date, "instant"),
    "expiration_date": FilterColumn(_c.expiration_date, "instant"),
    "created_at": FilterColumn(_c.created_at, "instant"),
    "updated_at": FilterColumn(_c.updated_at, "instant"),
    "customer_id": FilterColumn(_c.holder_id, "text"),
    "metadata": FilterColumn(_c.metadata, "metadata"),
}
