"""Vouchers as exports carry them."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, func

import largesse.customers.service as customers
import largesse.validation_rules.service as validation_rules
from largesse.engine.discounts import AmountDiscount, Discount, FixedDiscount, PercentDiscount, UnitDiscount
from largesse.kernel.database.unit import Unit
from largesse.kernel.exporting import Source
from largesse.kernel.http.filters import FilterColumn
from largesse.vouchers import service
from largesse.vouchers.filters import FILTERS
from largesse.vouchers.model import VoucherAnswer
from largesse.vouchers.store import COLUMNS, stored_voucher
from largesse.vouchers.tables import vouchers

_c = vouchers.c


def _values(unit: Unit, rows: Sequence[Row[Any]], fields: frozenset[str], base_url: str) -> list[dict[str, Any]]:
    found = [stored_voucher(row) for row in rows]
    shown = service.listed(unit, found, base_url)
    holders = {stored.entry.holder_id for stored in found if stored.entry.holder_id}
    sources = customers.source_ids(unit, holders) if "customer_source_id" in fields else {}
    rules = _rules(unit, shown) if "validation_rules_id" in fields else {}
    values = [_of(voucher) for voucher in shown]
    for stored, row in zip(found, values, strict=True):
        row["validation_rules_id"] = rules.get(stored.entry.id)
        row["customer_id"] = stored.entry.holder_id
        row["customer_source_id"] = sources.get(stored.entry.holder_id or "")
    return values


def _rules(unit: Unit, shown: Sequence[VoucherAnswer]) -> dict[str, list[str]]:
    """The rules that decide on each voucher: those of its campaign, then its own."""
    named = {one.campaign_id for one in shown if one.campaign_id}
    of_campaigns = validation_rules.assignments(unit.conn, unit.project, "campaign", named)
    own = validation_rules.assignments(unit.conn, unit.project, "voucher", [one.id for one in shown])
    return {
        one.id: [assigned.rule_id for assigned in [*of_campaigns.get(one.campaign_id or "", ()), *own[one.id]]]
        for one in shown
    }


def _of(voucher: VoucherAnswer) -> dict[str, Any]:
    discount, frame = voucher.discount, voucher.validity_timeframe
    gift = _major(voucher.gift.balance) if voucher.gift else None
    points = voucher.loyalty_card.balance if voucher.loyalty_card else None
    held = points if gift is None else gift
    return {
        "code": voucher.code,
        "voucher_type": voucher.type,
        "value": held if discount is None else _value(discount),
        "formula": _formula(discount) if discount else None,
        "discount_type": discount.__struct_config__.tag if discount else None,
        "campaign": voucher.campaign,
        "category": voucher.category,
        "start_date": voucher.start_date,
        "expiration_date": voucher.expiration_date,
        "gift_balance": gift,
        "loyalty_balance": points,
        "redemption_quantity": voucher.redemption.quantity,
        "redemption_count": voucher.redemption.redeemed_quantity,
        "active": voucher.active,
        "qr_code": voucher.assets.qr.url,
        "bar_code": voucher.assets.barcode.url,
        "metadata": voucher.metadata,
        "id": voucher.id,
        "is_referral_code": voucher.is_referral_code,
        "created_at": voucher.created_at,
        "updated_at": voucher.updated_at,
        "validity_timeframe_interval": frame.interval if frame else None,
        "validity_timeframe_duration": frame.duration if frame else None,
        "validity_day_of_week": voucher.validity_day_of_week,
        "discount_amount_limit": _major(discount.amount_limit) if isinstance(discount, PercentDiscount) else None,
        "campaign_id": voucher.campaign_id,
        "additional_info": voucher.additional_info,
        "discount_effect": discount.effect if discount else None,
        "discount_unit_type": discount.unit_type if isinstance(discount, UnitDiscount) else None,
        "discount_unit_effect": discount.effect if isinstance(discount, UnitDiscount) else None,
    }


def _major(minor: int | Decimal | None) -> str | None:
    """As files carry amounts: in major units with two decimals (documented for values; our decision for the others)."""
    return None if minor is None else f"{Decimal(minor) / 100:.2f}"


def _value(discount: Discount) -> Any:
    """Amounts in major units; percents and units as they are (documented)."""
    if isinstance(discount, AmountDiscount):
        return _major(discount.amount_off)
    if isinstance(discount, FixedDiscount):
        return _major(discount.fixed_amount)
    return discount.percent_off if isinstance(discount, PercentDiscount) else discount.unit_off


def _formula(discount: Discount) -> str | None:
    if isinstance(discount, AmountDiscount):
        return discount.amount_off_formula
    if isinstance(discount, FixedDiscount):
        return discount.fixed_amount_formula
    return discount.percent_off_formula if isinstance(discount, PercentDiscount) else discount.unit_off_formula


VOUCHERS = Source(
    fields=(
        *("code", "voucher_type", "value", "formula", "discount_type", "campaign", "category", "start_date"),
        *("expiration_date", "gift_balance", "loyalty_balance", "redemption_quantity", "redemption_count", "active"),
        *("qr_code", "bar_code", "metadata", "id", "is_referral_code", "created_at", "updated_at"),
        *("validity_timeframe_interval", "validity_timeframe_duration", "validity_day_of_week"),
        *("discount_amount_limit", "campaign_id", "additional_info", "customer_id", "discount_effect"),
        *("discount_unit_type", "discount_unit_effect", "validation_rules_id", "customer_source_id"),
    ),
    default_fields=("code", "voucher_type", "value", "discount_type"),
    id=_c.id,
    created_at=_c.created_at,
    columns=tuple(_c[name] for name in COLUMNS),
    values=_values,
    orders={"created_at": _c.created_at, "updated_at": func.coalesce(_c.updated_at, -1), "code": _c.code},
    default_order="-created_at",
    filters=FILTERS
    | {
        "campaign_id": FilterColumn(_c.campaign_id, "text"),
        "created_date": FilterColumn(_c.created_at, "instant"),
        "holder_id": FilterColumn(_c.holder_id, "text"),
        "published_for_customer_id": FilterColumn(_c.holder_id, "text"),
    },
    conditions=(_c.deleted_at.is_(None),),
    schema="voucher",
)
