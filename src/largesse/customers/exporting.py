"""Customers as exports carry them. Amounts in minor units."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, func
from sqlalchemy.sql.elements import ColumnElement

from largesse.customers.model import Held, StoredCustomer
from largesse.customers.service import HeldBy, answer
from largesse.customers.store import COLUMNS, customers, stored_customer
from largesse.kernel import clock
from largesse.kernel.database.unit import Unit
from largesse.kernel.exporting import Source
from largesse.kernel.http.filter_parsing import Filters
from largesse.kernel.http.filters import FilterColumn, where

_c = customers.c
_PROFILE = ("name", "id", "description", "email", "source_id", "phone", "birthday", "birthdate", "metadata")
_ADDRESS = ("city", "state", "line_1", "line_2", "country", "postal_code")
_REDEMPTIONS = (
    *("total_redeemed", "total_failed", "total_succeeded", "total_rolled_back"),
    *("total_rollback_failed", "total_rollback_succeeded"),
)
_ORDERS = ("total_amount", "total_count", "average_amount", "last_order_amount", "last_order_date")
_SUMMARY: Mapping[str, ColumnElement[Any]] = {
    "redemptions.total_redeemed": _c.total_succeeded - _c.total_rolled_back,
    "redemptions.total_failed": _c.total_failed,
    "redemptions.total_succeeded": _c.total_succeeded,
    "redemptions.total_rolled_back": _c.total_rolled_back,
    "redemptions.total_rollback_failed": _c.total_rollback_failed,
    "redemptions.total_rollback_succeeded": _c.total_rolled_back,
    "orders.total_amount": _c.orders_amount,
    "orders.total_count": _c.orders_count,
    "orders.last_order_amount": _c.last_order_amount,
}


def _of(customer: StoredCustomer, held: Held) -> dict[str, Any]:
    summary = answer(customer, held).summary
    address = customer.address or {}
    return (
        {name: getattr(customer, name) for name in _PROFILE}
        | {f"address_{name}": address.get(name) for name in _ADDRESS}
        | {f"redemptions_{name}": getattr(summary.redemptions, name) for name in _REDEMPTIONS}
        | {f"orders_{name}": getattr(summary.orders, name) for name in _ORDERS[:-1]}
        | {
            "orders_last_order_date": clock.iso_or_none(customer.last_order_date),
            "created_at": clock.iso(customer.created_at),
            "updated_at": clock.iso_or_none(customer.updated_at),
            "loyalty_points": held.points,
            "loyalty_referred_customers": 0,  # there are no referral programs yet
        }
    )


def _city(operator: str, values: list[str], now: int) -> ColumnElement[bool]:
    asked = Filters(fields={"address.city": {operator: values}})
    found = where(asked, {"address": FilterColumn(_c.address, "metadata")}, now)
    assert found is not None
    return found


def make_source(held_by: HeldBy) -> Source:
    """`held_by` answers what is on the cards of customers."""

    def values(unit: Unit, rows: Sequence[Row[Any]], fields: frozenset[str], _base_url: str) -> list[dict[str, Any]]:
        found = [stored_customer(row) for row in rows]
        held = held_by(unit, [one.id for one in found]) if "loyalty_points" in fields and found else {}
        return [_of(one, held.get(one.id) or Held()) for one in found]

    return Source(
        fields=(
            *("name", "id", "description", "email", "source_id", "created_at", "updated_at", "phone", "birthday"),
            *("birthdate", "metadata"),
            *(f"address_{name}" for name in _ADDRESS),
            *(f"redemptions_{name}" for name in _REDEMPTIONS),
            *(f"orders_{name}" for name in _ORDERS),
            *("loyalty_points", "loyalty_referred_customers"),
        ),
        default_fields=("name", "source_id"),
        id=_c.id,
        created_at=_c.created_at,
        columns=tuple(_c[name] for name in COLUMNS),
        values=values,
        orders={
            "name": func.coalesce(_c.name, ""),
            "id": _c.id,
            "email": func.coalesce(_c.email, ""),
            "source_id": func.coalesce(_c.source_id, ""),
            "created_at": _c.created_at,
            "updated_at": func.coalesce(_c.updated_at, -1),
        },
        default_order="-created_at",
        filters={
            name: FilterColumn(_c[name], "text")
            for name in ("id", "name", "email", "phone", "birthday", "birthdate", "source_id", "description")
        }
        | {
            "created_at": FilterColumn(_c.created_at, "instant"),
            "updated_at": FilterColumn(_c.updated_at, "instant"),
            "city": FilterColumn(_c.address, "custom", _city),
            "address": FilterColumn(_c.address, "metadata"),
            "metadata": FilterColumn(_c.metadata, "metadata"),
        }
        | {f"summary.{name}": FilterColumn(column, "number") for name, column in _SUMMARY.items()},
        schema="customer",
    )
