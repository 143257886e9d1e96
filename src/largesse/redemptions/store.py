"""Every query on redemptions and session locks."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Column, Row, Select, bindparam, case, delete, func, or_, select
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import ColumnElement, UnaryExpression

from largesse.engine.books import Lock
from largesse.engine.order import Order
from largesse.engine.tallies import Tally
from largesse.kernel import wire
from largesse.kernel.database.columns import found_by, one_of
from largesse.kernel.database.rows import insert_rows, update_rows
from largesse.redemptions.model import GrantedReward, Record
from largesse.redemptions.tables import locks, redemptions

COLUMNS = tuple(column.name for column in redemptions.c if column.name != "project_id")
_FIELDS = tuple({"order_snapshot": "order"}.get(name, name) for name in COLUMNS)
_JSON: dict[str, Any] = {"metadata": dict[str, Any], "order": Order, "reward": GrantedReward}
_ALL = select(*(redemptions.c[name] for name in COLUMNS))

_WITH_CHILDREN = _ALL.where(
    redemptions.c.project_id == bindparam("project"),
    found_by(redemptions.c.id, {"ids": redemptions.c.id, "parents": redemptions.c.parent_id}),
).order_by(redemptions.c.id)
_WITH_CHILDREN_LOCKED = _WITH_CHILDREN.with_for_update()
_LIVE_LOCKS = select(
    locks.c.voucher_id, locks.c.session_key, locks.c.quantity, locks.c.credits, locks.c.expires_at
).where(
    locks.c.project_id == bindparam("project"),
    one_of(locks.c.voucher_id, "vouchers"),
    locks.c.expires_at > bindparam("now"),
)
_MEASURES = ("uses", "discounts", "credits")
_SCOPES = {
    "voucher": redemptions.c.voucher_id,
    "promotion_tier": redemptions.c.promotion_tier_id,
    "campaign": redemptions.c.campaign_id,
}


def _tally(scope: Column[Any], per_customer: bool, per_key: bool) -> Select[Any]:
    """Of a customer their own redemptions are read, not those of the scope, which may be any number more."""
    scoped = func.coalesce(scope, "") if per_customer else scope
    subject: list[ColumnElement[Any]] = [scoped]
    where = [one_of(scoped, "ids")]
    for column, name, is_asked in (
        (redemptions.c.customer_id, "customers", per_customer),
        (redemptions.c.channel_id, "channels", per_key),
    ):
        if is_asked:
            subject.append(column)
            where.append(one_of(column, name))
    return (
        select(
            *subject,
            func.count(),
            func.coalesce(func.sum(redemptions.c.discount_amount), 0),
            func.coalesce(func.sum(redemptions.c.amount), 0),
        )
        .where(
            redemptions.c.project_id == bindparam("project"),
            redemptions.c.object == "redemption",
            redemptions.c.status == "SUCCEEDED",
            redemptions.c.date >= bindparam("since"),
            redemptions.c.date < bindparam("until"),
            *where,
        )
        .group_by(*subject)
    )


_TALLIES = {
    (kind, per_customer, per_key): _tally(scope, per_customer, per_key)
    for kind, scope in _SCOPES.items()
    for per_customer, per_key in ((False, False), (True, False), (False, True))
}
_ORDERS = (
    select(
        redemptions.c.campaign_id,
        redemptions.c.order_id,
        func.max(func.coalesce(redemptions.c.order_amount, 0)).label("amount"),
    )
    .where(
        redemptions.c.project_id == bindparam("project"),
        redemptions.c.object == "redemption",
        redemptions.c.status == "SUCCEEDED",
        redemptions.c.order_id.is_not(None),
        one_of(redemptions.c.campaign_id, "ids"),
    )
    .group_by(redemptions.c.campaign_id, redemptions.c.order_id)
)
_OF_ORDERS = select(
    redemptions.c.campaign_id, redemptions.c.order_id, redemptions.c.id, func.coalesce(redemptions.c.order_amount, 0)
).where(
    redemptions.c.project_id == bindparam("project"),
    redemptions.c.object == "redemption",
    redemptions.c.status == "SUCCEEDED",
    one_of(redemptions.c.order_id, "orders"),
)
_EACH_ORDER = _ORDERS.subquery()
_ORDER_SUMS = select(_EACH_ORDER.c.campaign_id, func.sum(_EACH_ORDER.c.amount)).group_by(_EACH_ORDER.c.campaign_id)
_COUNT_NAMES = {
    ("redemption", "SUCCESS"): "total_succeeded",
    ("redemption", "FAILURE"): "total_failed",
    ("redemption_rollback", "SUCCESS"): "total_rolled_back",
    ("redemption_rollback", "FAILURE"): "total_rollback_failed",
}
_LOCK_COLUMNS = ("session_key", "voucher_id", "quantity", "credits", "expires_at", "created_at")


def insert(conn: Connection, project_id: str, records: Sequence[Record]) -> None:
    insert_rows(conn, redemptions, COLUMNS, project_id, [_row(record) for record in records])


def mark_rolled_back(conn: Connection, project_id: str, records: Sequence[Record]) -> None:
    """Stores that these redemptions were undone; one that already was raises GuardViolation."""
    update_rows(
        conn,
        redemptions,
        ("id",),
        ("status", "rollback_id", "rollback_date", "rollback_order_mode", "metadata"),
        project_id,
        [(r.status, r.rollback_id, r.rollback_date, r.rollback_order_mode, _json(r.metadata), r.id) for r in records],
        guard="t.rollback_id IS NULL",
    )


def with_children(conn: Connection, project_id: str, ids: Collection[str], *, lock: bool) -> dict[str, Record]:
    """The records of these ids and all children of those that are parents, in id order."""
    statement = _WITH_CHILDREN_LOCKED if lock else _WITH_CHILDREN
    rows = conn.execute(statement, {"project": project_id, "ids": list(ids), "parents": list(ids)})
    return {record.id: record for record in map(stored_record, rows)}


def page(
    conn: Connection,
    project_id: str,
    conditions: Sequence[ColumnElement[bool]],
    order: Sequence[UnaryExpression[Any]],
    *,
    limit: int,
    offset: int,
) -> tuple[list[Record], int]:
    """One page of history and the number of records under the conditions."""
    where = (redemptions.c.project_id == project_id, *conditions)
    total = conn.execute(select(func.count()).select_from(redemptions).where(*where)).scalar_one()
    rows = conn.execute(_ALL.where(*where).order_by(*order).limit(limit).offset(offset))
    return [stored_record(row) for row in rows], total


def live_locks(conn: Connection, project_id: str, voucher_ids: Collection[str], now: int) -> dict[str, list[Lock]]:
    """The unexpired locks on these vouchers, of all sessions."""
    found: dict[str, list[Lock]] = {}
    arguments = {"project": project_id, "vouchers": list(voucher_ids), "now": now}
    for voucher_id, key, quantity, credits, expires_at in conn.execute(_LIVE_LOCKS, arguments):
        found.setdefault(voucher_id, []).append(Lock(key, quantity, credits, expires_at))
    return found


def delete_session(conn: Connection, project_id: str, session_key: str) -> None:
    conn.execute(delete(locks).where(locks.c.project_id == project_id, locks.c.session_key == session_key))


def delete_locks(conn: Connection, project_id: str, session_key: str, voucher_ids: Collection[str]) -> int:
    """Removes a session's locks on these vouchers; answers how many there were."""
    statement = delete(locks).where(
        locks.c.project_id == project_id, locks.c.session_key == session_key, locks.c.voucher_id.in_(voucher_ids)
    )
    return conn.execute(statement).rowcount


def insert_locks(conn: Connection, project_id: str, rows: Sequence[tuple[str, str, int, int, int, int]]) -> None:
    """Rows of (session key, voucher id, quantity, credits, expires at, created at)."""
    insert_rows(conn, locks, _LOCK_COLUMNS, project_id, rows)


def delete_expired_locks(conn: Connection, project_id: str, voucher_ids: Collection[str], now: int) -> None:
    """Housekeeping of the vouchers at hand; expired locks count for nothing before that too."""
    conn.execute(
        delete(locks).where(
            locks.c.project_id == project_id, locks.c.voucher_id.in_(voucher_ids), locks.c.expires_at <= now
        )
    )


def tallies(conn: Connection, project_id: str, wanted: Collection[Tally]) -> dict[Tally, int]:
    """Sums over the redemptions not undone, one query for each kind of sum that is wanted; a sum of nothing is absent."""
    groups: dict[tuple[str, int, int, bool, bool], list[Tally]] = {}
    for tally in wanted:
        key = (tally.kind, tally.since, tally.until, tally.customer_id is not None, tally.api_key is not None)
        groups.setdefault(key, []).append(tally)
    found: dict[Tally, int] = {}
    for (kind, since, until, per_customer, per_key), some in groups.items():
        arguments: dict[str, Any] = {"project": project_id, "since": since, "until": until}
        arguments["ids"] = list({tally.id for tally in some})
        if per_customer:
            arguments["customers"] = list({tally.customer_id for tally in some})
        if per_key:
            arguments["channels"] = list({tally.api_key for tally in some})
        rows = conn.execute(_TALLIES[kind, per_customer, per_key], arguments)
        sums = {tuple(row[:-3]): dict(zip(_MEASURES, row[-3:], strict=True)) for row in rows}
        for tally in some:
            subject = tuple(one for one in (tally.id, tally.customer_id, tally.api_key) if one is not None)
            if subject in sums:
                found[tally] = int(sums[subject][tally.measure])
    return found


def order_sums(conn: Connection, project_id: str, wanted: Collection[Tally]) -> dict[Tally, int]:
    """Amounts of the orders that campaigns were redeemed on, each once."""
    if not wanted:
        return {}
    rows = conn.execute(_ORDER_SUMS, {"project": project_id, "ids": list({tally.id for tally in wanted})})
    sums = {campaign_id: int(amount) for campaign_id, amount in rows}
    return {tally: sums[tally.id] for tally in wanted if tally.id in sums}


def order_amounts(
    conn: Connection, project_id: str, wanted: Collection[Tally], order_ids: Collection[str]
) -> dict[tuple[str, str], dict[str, int]]:
    """By campaign and order what each redemption says the order amounts to; nothing where nobody wants to know."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    if wanted and order_ids:
        rows = conn.execute(_OF_ORDERS, {"project": project_id, "orders": list(order_ids)})
        for campaign_id, order_id, redemption_id, amount in rows:
            found.setdefault((campaign_id, order_id), {})[redemption_id] = amount
    return found


def orders_known(
    conn: Connection, project_id: str, wanted: Collection[Tally], order_ids: Collection[str]
) -> dict[tuple[str, str], int]:
    """The amounts that these orders have in the sums, by campaign and order."""
    amounts = order_amounts(conn, project_id, wanted, order_ids)
    return {key: max(of_order.values()) for key, of_order in amounts.items()}


def records_of_voucher(project_id: str, voucher_id: str) -> Select[Any]:
    """Selects the ids of all that was recorded of a voucher."""
    mine = (redemptions.c.project_id == project_id, redemptions.c.voucher_id == voucher_id)
    return select(redemptions.c.id).where(*mine)


def records_of_campaigns(project_id: str, campaign_ids: list[str] | Select[Any]) -> Select[Any]:
    """Selects the ids of all that was recorded of the codes and tiers of campaigns."""
    mine = (redemptions.c.project_id == project_id, redemptions.c.campaign_id.in_(campaign_ids))
    return select(redemptions.c.id).where(*mine)


def uses_by_voucher(conn: Connection, project_id: str) -> Mapping[str, int]:
    """Redemptions not undone, for every voucher: what its counter must be."""
    return _uses_by(conn, project_id, redemptions.c.voucher_id)


def uses_by_tier(conn: Connection, project_id: str) -> Mapping[str, int]:
    """The same for every promotion tier."""
    return _uses_by(conn, project_id, redemptions.c.promotion_tier_id)


def _uses_by(conn: Connection, project_id: str, subject: Column[Any]) -> Mapping[str, int]:
    counted = (
        select(subject, func.count())
        .where(
            redemptions.c.project_id == project_id,
            redemptions.c.object == "redemption",
            redemptions.c.status == "SUCCEEDED",
            subject.is_not(None),
        )
        .group_by(subject)
    )
    return {row[0]: row[1] for row in conn.execute(counted)}


def figures_of_campaign(
    conn: Connection, project_id: str, campaign_id: str, since: int | None, until: int | None
) -> dict[tuple[str, str], tuple[int, int, int, int]]:
    """By (object, result) of a campaign's records dated from `since` to before `until`: how many, and the sums of orders,
    discounts and credits. An order counts once, however many of the campaign's codes it carried.
    """
    where = [redemptions.c.project_id == project_id, redemptions.c.campaign_id == campaign_id]
    if since is not None:
        where.append(redemptions.c.date >= since)
    if until is not None:
        where.append(redemptions.c.date < until)
    by_order = (
        select(
            redemptions.c.object,
            redemptions.c.result,
            func.count().label("records"),
            func.max(redemptions.c.order_amount).label("orders"),
            func.sum(redemptions.c.discount_amount).label("discounts"),
            func.sum(redemptions.c.amount).label("credits"),
        )
        .where(*where)
        .group_by(redemptions.c.object, redemptions.c.result, redemptions.c.order_id)
        .subquery()
    )
    sums = [func.coalesce(func.sum(by_order.c[name]), 0) for name in ("records", "orders", "discounts", "credits")]
    grouped = select(by_order.c.object, by_order.c.result, *sums).group_by(by_order.c.object, by_order.c.result)
    return {(row[0], row[1]): (int(row[2]), int(row[3]), int(row[4]), int(row[5])) for row in conn.execute(grouped)}


def counts_by_customer(conn: Connection, project_id: str) -> dict[str, dict[str, int]]:
    """Successes, failures and rollbacks on record for every customer; parents of stacks count nowhere."""
    grouped = (
        select(
            redemptions.c.customer_id,
            redemptions.c.object,
            redemptions.c.result,
            func.count(),
            func.coalesce(func.sum(case((redemptions.c.reward.is_(None), redemptions.c.amount), else_=0)), 0),
        )
        .where(
            redemptions.c.project_id == project_id,
            redemptions.c.customer_id.is_not(None),
            or_(redemptions.c.related_object_type != "redemption", redemptions.c.result == "FAILURE"),
        )
        .group_by(redemptions.c.customer_id, redemptions.c.object, redemptions.c.result)
    )
    found: dict[str, dict[str, int]] = {}
    for customer_id, object, result, count, credits in conn.execute(grouped):
        counts = found.setdefault(customer_id, {"gift_redeemed_amount": 0})
        counts[_COUNT_NAMES[object, result]] = count
        counts["gift_redeemed_amount"] += int(credits)
    return found


def _row(record: Record) -> tuple[Any, ...]:
    values = [getattr(record, field) for field in _FIELDS]
    for place, field in enumerate(_FIELDS):
        if field in _JSON:
            values[place] = _json(values[place])
    return tuple(values)


def _json(value: object) -> str | None:
    return None if value is None else wire.encode_text(value)


def stored_record(row: Row[Any]) -> Record:
    """A row that begins with `COLUMNS`."""
    values = dict(zip(_FIELDS, row, strict=False))
    for field, kind in _JSON.items():
        if values[field] is not None:
            values[field] = wire.decode_stored(values[field], kind)
    return Record(**values)
