"""Queries on codes that nobody has got yet, and on their handing over."""

from collections.abc import Collection, Sequence

from sqlalchemy import bindparam, exists, or_, select, update
from sqlalchemy.engine import Connection

from largesse.kernel.database.columns import each_key, one_of
from largesse.kernel.database.rows import update_rows
from largesse.vouchers.model import StoredVoucher
from largesse.vouchers.store import COLUMNS, stored_voucher
from largesse.vouchers.tables import FREE, OF_CREDIT, vouchers

_c = vouchers.c
# The condition FREE is that of the index `vouchers_free`, word for word, so that a free code is found without reading past others.
_IN_CAMPAIGN = (
    select(*(_c[name] for name in COLUMNS))
    .where(
        _c.project_id == bindparam("project"),
        _c.campaign_id == bindparam("campaign"),
        FREE,
        or_(_c.expiration_date.is_(None), _c.expiration_date >= bindparam("now")),
    )
    .order_by(_c.id)
    .limit(bindparam("count"))
)
_CAMPAIGNS = each_key("campaigns").table_valued("key")
_WITH_FREE = select(_CAMPAIGNS.c.key).where(
    exists()
    .where(
        _c.project_id == bindparam("project"),
        _c.campaign_id == _CAMPAIGNS.c.key,
        FREE,
        or_(_c.expiration_date.is_(None), _c.expiration_date >= bindparam("now")),
    )
    .correlate(_CAMPAIGNS)
)
_PASSING_BY = _IN_CAMPAIGN.with_for_update(skip_locked=True)
_WAITING = _IN_CAMPAIGN.with_for_update()


def campaigns_with_free(conn: Connection, project_id: str, campaign_ids: Collection[str], now: int) -> set[str]:
    """Those of the campaigns that have a code nobody has got yet."""
    if not campaign_ids:
        return set()
    arguments = {"project": project_id, "campaigns": list(campaign_ids), "now": now}
    return set(conn.execute(_WITH_FREE, arguments).scalars())


def oldest(
    conn: Connection, project_id: str, campaign_id: str, count: int, now: int, *, wait: bool
) -> list[StoredVoucher]:
    """At most `count` codes of a campaign to hand out, the oldest first, locked.

    Those that another transaction is just taking are passed by; with `wait` they are waited for, in case it lets go of them.
    """
    arguments = {"project": project_id, "campaign": campaign_id, "count": count, "now": now}
    return [stored_voucher(row) for row in conn.execute(_WAITING if wait else _PASSING_BY, arguments)]


def hand_over(conn: Connection, project_id: str, given: Sequence[StoredVoucher], *, once: bool) -> None:
    """Writes holders and counts of publications; with `once` a voucher that anybody had before raises GuardViolation."""
    update_rows(
        conn,
        vouchers,
        ("id",),
        ("holder_id", "start_date", "expiration_date", "updated_at"),
        project_id,
        [
            (v.entry.holder_id, v.entry.start_date, v.entry.expiration_date, v.updated_at, 1, v.entry.id)
            for v in sorted(given, key=lambda one: one.entry.id)
        ],
        add=("publish_count",),
        guard="t.publish_count = 0" if once else "",
    )


_HELD = select(*(_c[name] for name in COLUMNS)).where(
    _c.project_id == bindparam("project"), one_of(_c.holder_id, "holders"), OF_CREDIT, _c.deleted_at.is_(None)
)


def cards_held(conn: Connection, project_id: str, customer_ids: Collection[str]) -> list[StoredVoucher]:
    """The gift cards and loyalty cards of these customers, by an index that has no others."""
    return [stored_voucher(row) for row in conn.execute(_HELD, {"project": project_id, "holders": list(customer_ids)})]


_FORGET = (
    update(vouchers)
    .where(_c.project_id == bindparam("project"), _c.holder_id == bindparam("holder"))
    .values(holder_id=None)
)


def forget_holder(conn: Connection, project_id: str, customer_id: str) -> None:
    conn.execute(_FORGET, {"project": project_id, "holder": customer_id})
