"""Letting the points of many cards expire in the background, while the shop goes on redeeming."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy
from sqlalchemy.engine import Connection, Engine

import largesse.customers.store as customers
import largesse.vouchers.store as vouchers
import largesse.wallets.store as wallets
from bench.codes import redeeming
from bench.scenarios import Shop, measure
from largesse.customers.model import StoredCustomer
from largesse.engine.books import Voucher
from largesse.engine.points import Bucket
from largesse.kernel import clock, ids, ledger
from largesse.kernel.database.stores import open_writer
from largesse.kernel.settings import Settings
from largesse.vouchers import tables
from largesse.vouchers.model import StoredVoucher
from largesse.wallets.model import BucketChange

COUNT, QUICK_COUNT = 1_000_000, 20_000
_CARDS_OF_A_HOLDER = 10
_AT_ONCE = 10_000
_LOOK_SECONDS = 0.5
_WARM_UP_SECONDS = 2.0
_LEFT = sqlalchemy.select(tables.vouchers.c.id).where(tables.vouchers.c.due_on.is_not(None)).limit(1)


def expiration(shop: Shop, connections: int, count: int) -> dict[str, Any]:
    """`count` cards whose points all expired last midnight, settled while `connections` clients redeem.

    `seconds` until the last is settled, and `p50_ms`, `p99_ms` of the redemptions sent meanwhile.
    """
    port = int(shop.server.base_url.rpartition(":")[2])
    shop.server.stop()
    engine = open_writer(Settings(database_url=shop.server.store))
    try:
        for start in range(0, count, _AT_ONCE):
            with engine.begin() as conn:
                _add_cards(conn, shop.server.keys["project_id"], min(_AT_ONCE, count - start))
        _analyze(engine)
        shop.server.start(port)
        started = time.perf_counter()
        measure(
            shop, "redeem-spread", connections, _WARM_UP_SECONDS
        )  # a process that was just started is slow by itself
        with redeeming(shop, connections) as latencies:
            while _is_left(engine):
                time.sleep(_LOOK_SECONDS)
            seconds = time.perf_counter() - started
    finally:
        engine.dispose()
    return {"seconds": seconds, **latencies}


def _add_cards(conn: Connection, project_id: str, count: int) -> None:
    """Cards with one bucket each, whose last day was yesterday, put into the store as the API would have."""
    now = clock.now_micros()
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    holders = [
        StoredCustomer(id=ids.text_id("cust_"), tracking_key=f"track_{ids.random_text(16)}", created_at=now)
        for _ in range(max(1, count // _CARDS_OF_A_HOLDER))
    ]
    cards, held, posted = [], [], []
    for place in range(count):
        entry = Voucher(
            id=ids.text_id("v_", 32),
            code=f"CARD-{ids.random_text(12)}",
            type="LOYALTY_CARD",
            gift_amount=100,
            holder_id=holders[place % len(holders)].id,
            due_on=datetime.now(UTC).date().isoformat(),
        )
        cards.append((_stored(entry, now), entry.code))
        bucket = Bucket(id=ids.text_id("lopb_"), points=100, expires_on=yesterday, created_at=now)
        held.append(BucketChange(bucket=bucket, voucher_id=entry.id, campaign_id=None, is_new=True))
        posted.append(ledger.Entry(ledger.POINTS, bucket.id, 100, "adjustment", entry.id, now))
    customers.insert(conn, project_id, holders)
    vouchers.insert_all(conn, project_id, cards)
    wallets.save_buckets(conn, project_id, held, now)
    ledger.post(conn, project_id, posted)


def _stored(entry: Voucher, now: int) -> StoredVoucher:
    return StoredVoucher(
        entry=entry,
        additional_info=None,
        created_at=now,
        updated_at=None,
        publish_count=1,
        referrer_id=None,
        qr_id=ids.time_uuid(),
        barcode_id=ids.time_uuid(),
    )


def _analyze(engine: Engine) -> None:
    """As PostgreSQL would by itself some minutes after so many rows."""
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
            conn.exec_driver_sql("ANALYZE")


def _is_left(engine: Engine) -> bool:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        return conn.execute(_LEFT).first() is not None
