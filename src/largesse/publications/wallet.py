"""A customer's wallet: the codes and cards that were published to them, and what can be done with each now."""

from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy import literal
from sqlalchemy.sql.elements import ColumnElement

import largesse.campaigns.service as campaigns
import largesse.categories.service as categories
import largesse.customers.service as customers
import largesse.vouchers.service as vouchers
from largesse.campaigns.model import CAMPAIGN_TYPES, StoredCampaign
from largesse.engine.books import Voucher
from largesse.kernel import clock
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import not_found
from largesse.kernel.http.filters import FilterColumn
from largesse.kernel.http.query import Query
from largesse.publications import store
from largesse.publications.model import Holder
from largesse.vouchers.model import DISCOUNT_VOUCHER, GIFT_VOUCHER, LOYALTY_CARD, VoucherAnswer

Status = Literal["DISABLED", "EXPIRED", "NOT_ACTIVE_YET", "USED", "NO_BALANCE", "ACTIVE"]
_C = store.holders.c
_FILTERS = {
    "id": FilterColumn(_C.id, "text"),
    "created_at": FilterColumn(_C.created_at, "instant"),
    "redeemable_id": FilterColumn(_C.voucher_id, "text"),
    "redeemable_object": FilterColumn(literal("voucher"), "text", allowed=("voucher",)),
    "holder_role": FilterColumn(_C.role, "text", allowed=("OWNER", "REFERRER", "REFEREE")),
    "campaign_id": FilterColumn(_C.campaign_id, "text"),
    "campaign_type": FilterColumn(_C.campaign_type, "text", allowed=CAMPAIGN_TYPES),
    "voucher_type": FilterColumn(_C.voucher_type, "text", allowed=(DISCOUNT_VOUCHER, GIFT_VOUCHER, LOYALTY_CARD)),
}


class HeldRedeemable(msgspec.Struct, kw_only=True):
    type: str = "voucher"
    voucher: VoucherAnswer
    status: Status


class WalletEntry(msgspec.Struct, kw_only=True):
    id: str
    created_at: str
    redeemable_id: str
    redeemable_object: str = "voucher"
    customer_id: str
    holder_role: str
    campaign_id: str | None
    campaign_type: str | None
    voucher_type: str
    redeemable: HeldRedeemable


class Wallet(msgspec.Struct, kw_only=True):
    object: str = "list"
    data_ref: str = "data"
    data: list[WalletEntry]
    total: int
    has_more: bool
    more_starting_after: str | UnsetType = UNSET


def list_redeemables(unit: Unit, key: str, query: Query, base_url: str) -> Wallet:
    """What a customer, named by id or source id, holds: the latest first, pages by id. Raises ApiError 404."""
    customer = customers.by_key(unit, key)
    if customer is None:
        raise not_found("customer", key)
    conditions: list[ColumnElement[bool]] = [
        _C.customer_id == customer.id,
        vouchers.among_live(_C.voucher_id, unit.project_id),
    ]
    conditions += query.filtered(_FILTERS, unit)
    descending = (query.one_of("order", ("id", "-id")) or "-id") == "-id"
    limit = query.limit()
    after = query.starting_after_id()
    found, total = store.wallet(
        unit.conn, unit.project_id, conditions, after=after, descending=descending, limit=limit + 1
    )
    more = len(found) > limit
    return Wallet(
        data=_shown(unit, found[:limit], base_url),
        total=total,
        has_more=more,
        more_starting_after=found[limit - 1].id if more else UNSET,
    )


def _shown(unit: Unit, found: Sequence[Holder], base_url: str) -> list[WalletEntry]:
    """With what they hold, each kind of thing loaded once."""
    by_id = vouchers.load(unit.conn, unit.project, [one.voucher_id for one in found], lock=False) if found else {}
    vouchers.open_wallets(unit.conn, unit.project, by_id.values(), unit.now)
    entries = [stored.entry for stored in by_id.values()]
    parents = campaigns.by_ids(unit.conn, unit.project_id, {e.campaign_id for e in entries if e.campaign_id})
    held = categories.answers(unit.conn, unit.project, {e.category_id for e in entries if e.category_id})
    shown = []
    for one in found:
        stored = by_id[one.voucher_id]
        entry = stored.entry
        answer = vouchers.answer(stored, base_url, held.get(entry.category_id or ""))
        shown.append(
            WalletEntry(
                id=one.id,
                created_at=clock.iso(one.created_at),
                redeemable_id=one.voucher_id,
                customer_id=one.customer_id,
                holder_role=one.role,
                campaign_id=one.campaign_id,
                campaign_type=one.campaign_type,
                voucher_type=one.voucher_type,
                redeemable=HeldRedeemable(
                    voucher=answer, status=_status(entry, parents.get(entry.campaign_id or ""), unit.now)
                ),
            )
        )
    return shown


def _status(entry: Voucher, parent: StoredCampaign | None, now: int) -> Status:
    """The first that holds, in this order (our decision); dates are the campaign's where the voucher has none."""
    if not entry.active or (parent is not None and not parent.active):
        return "DISABLED"
    start, end = entry.start_date, entry.expiration_date
    if parent is not None:
        start = parent.start_date if start is None else start
        end = parent.expiration_date if end is None else end
    if end is not None and now > end:
        return "EXPIRED"
    if start is not None and now < start:
        return "NOT_ACTIVE_YET"
    if entry.quantity is not None and entry.redeemed_quantity >= entry.quantity:
        return "USED"
    if entry.type != DISCOUNT_VOUCHER and entry.balance == 0:
        return "NO_BALANCE"
    return "ACTIVE"
