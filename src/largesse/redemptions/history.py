"""Reading back: lists, single records, a voucher's history."""

from typing import Any

from sqlalchemy import Column

import largesse.customers.service as customers
import largesse.orders.service as orders
import largesse.promotions.service as promotions
import largesse.vouchers.service as vouchers
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import not_found
from largesse.kernel.http.filters import FilterColumn
from largesse.kernel.http.query import Page, Query, within
from largesse.redemptions import store
from largesse.redemptions.answers.records import read_back, relate
from largesse.redemptions.answers.records import voucher_history as history_answer
from largesse.redemptions.answers.shapes import Historic, RedemptionList, VoucherHistory
from largesse.redemptions.model import Record
from largesse.redemptions.tables import redemptions

_ORDERS: dict[str, Column[Any]] = {
    "created_at": redemptions.c.date,
    "id": redemptions.c.id,
    "voucher_code": redemptions.c.voucher_code,
    "tracking_id": redemptions.c.tracking_id,
    "customer_id": redemptions.c.customer_id,
}
FILTERS = {
    "voucher_code": FilterColumn(redemptions.c.voucher_code, "text"),
    "related_object_id": FilterColumn(redemptions.c.related_object_id, "text"),
    "related_object_parent_id": FilterColumn(redemptions.c.related_object_parent_id, "text"),
    "parent_redemption_id": FilterColumn(redemptions.c.parent_id, "text"),
    "failure_code": FilterColumn(redemptions.c.failure_code, "text"),
    "result": FilterColumn(redemptions.c.result, "text"),
    "object": FilterColumn(redemptions.c.object, "text"),
    "customer_id": FilterColumn(redemptions.c.customer_id, "text"),
    "campaign_name": FilterColumn(redemptions.c.campaign, "text"),
    "user_login": FilterColumn(redemptions.c.channel_id, "text"),
}


def list_records(unit: Unit, query: Query) -> RedemptionList:
    """`GET /v1/redemptions`: successes, failures, parents, children and rollbacks, newest first."""
    conditions = within(redemptions.c.date, query.between("created_at"))
    results = query.all("result")
    for result in results:
        if result not in ("SUCCESS", "FAILURE"):
            query.one_of("result", ("SUCCESS", "FAILURE"))
    if results:
        conditions.append(redemptions.c.result.in_(results))
    if campaign := query.text("campaign"):
        conditions.append(redemptions.c.campaign == campaign)
    if customer := query.text("customer"):
        found = customers.by_key(unit, customer)
        conditions.append(redemptions.c.customer_id == (found.id if found else customer))
    conditions += query.filtered(FILTERS, unit)
    order = query.order(_ORDERS, "-created_at", redemptions.c.id)
    page = query.page()
    listed, total = store.page(unit.conn, unit.project_id, conditions, order, limit=page.limit, offset=page.offset)
    return RedemptionList(redemptions=_shown(unit, listed), total=total)


def get_record(unit: Unit, record_id: str) -> Historic:
    """One record of any kind. Raises ApiError 404."""
    history = store.with_children(unit.conn, unit.project_id, [record_id], lock=False)
    record = history.get(record_id)
    if record is None:
        raise not_found("redemption", record_id)
    children = [child for child in history.values() if child.parent_id == record_id]
    shown = _shown(unit, [record], whole=True)[0]
    relate(shown, children)
    if shown.order is not None and record.parent_id is None and record.order_id is not None:
        stored = orders.load(unit.conn, unit.project_id, [record.order_id], [], lock=False)[0].get(record.order_id)
        if stored is not None:
            shown.order.redemptions = stored.order.redemptions or {}
    return shown


def voucher_history(unit: Unit, code: str) -> VoucherHistory:
    """`GET /v1/vouchers/{code}/redemption`: every record of one voucher, newest first. Raises ApiError 404."""
    stored = vouchers.load(unit.conn, unit.project, [code], lock=False).get(code)
    if stored is None:
        raise not_found("voucher", code)
    entry = stored.entry
    newest = (redemptions.c.date.desc(), redemptions.c.id.desc())
    mine = [redemptions.c.voucher_id == entry.id]
    found, total = store.page(unit.conn, unit.project_id, mine, newest, limit=1_000, offset=0)
    return history_answer(entry, _shown(unit, found), total)


def list_of_voucher(unit: Unit, code: str, query: Query) -> RedemptionList:
    """`GET /v1/vouchers/{code}/redemptions`: the same records, paged."""
    stored = vouchers.load(unit.conn, unit.project, [code], lock=False).get(code)
    if stored is None:
        raise not_found("voucher", code)
    page: Page = query.page()
    order = query.order(_ORDERS, "-created_at", redemptions.c.id)
    mine = [redemptions.c.voucher_id == stored.entry.id]
    found, total = store.page(unit.conn, unit.project_id, mine, order, limit=page.limit, offset=page.offset)
    return RedemptionList(redemptions=_shown(unit, found), total=total)


def _shown(unit: Unit, found: list[Record], *, whole: bool = False) -> list[Historic]:
    """Records in wire form, with the customers and tiers as they are now, in one query for all of each."""
    known = customers.by_ids(unit.conn, unit.project, {r.customer_id for r in found if r.customer_id})
    tiers = promotions.answers(unit.conn, unit.project, {r.promotion_tier_id for r in found if r.promotion_tier_id})
    return [
        read_back(record, known.get(record.customer_id or ""), tiers.get(record.promotion_tier_id or ""), whole=whole)
        for record in found
    ]
