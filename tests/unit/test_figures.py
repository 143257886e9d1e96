"""What history says of a campaign: counted by record, an order's amount once, undone amounts beside and not netted."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy.engine import Connection

import largesse.redemptions.service as redemptions
from largesse.kernel.database import migrations
from largesse.kernel.database.stores import open_writer
from largesse.kernel.settings import Settings
from largesse.redemptions import store as records
from largesse.redemptions.model import Record


@pytest.fixture
def conn(store: str) -> Iterator[Connection]:
    """Of a transaction that leaves nothing."""
    settings = Settings(database_url=store)
    migrations.upgrade(settings)
    engine = open_writer(settings)
    with engine.connect() as conn, conn.begin() as transaction:
        yield conn
        transaction.rollback()
    engine.dispose()


def record(id: str, date: int, order_id: str | None, **more: Any) -> Record:
    values: dict[str, Any] = {
        "object": "redemption",
        "result": "SUCCESS",
        "status": "SUCCEEDED",
        "campaign_id": "camp_1",
    }
    return Record(id=id, date=date, order_id=order_id, **values | more)


def undone(id: str, date: int, order_id: str, **more: Any) -> Record:
    return record(id, date, order_id, object="redemption_rollback", **more)


HISTORY = [
    record("r_1", 10, "ord_1", order_amount=1000, discount_amount=100),
    record("r_2", 10, "ord_1", order_amount=1000, discount_amount=50),
    record("r_3", 20, "ord_2", order_amount=700, discount_amount=70, amount=70),
    record("r_4", 20, None),
    record("r_5", 20, "ord_3", order_amount=9000, discount_amount=900, campaign_id="camp_2"),
    record("rf_1", 20, None, result="FAILURE", status="FAILED"),
    undone("rr_1", 30, "ord_2", order_amount=700, discount_amount=-70, amount=-70),
    undone("rrf_1", 40, "ord_2", result="FAILURE", status="FAILED"),
]


def test_the_figures_of_a_campaign(conn: Connection) -> None:
    records.insert(conn, "p", HISTORY)
    found = redemptions.figures_of_campaign(conn, "p", "camp_1", None, None)
    assert found == redemptions.CampaignFigures(
        redemptions_succeeded=4,
        redemptions_failed=1,
        rollbacks_succeeded=1,
        rollbacks_failed=1,
        orders_amount=1700,
        orders_rolledback_amount=700,
        discounted_amount=220,
        rolledback_discounted_amount=70,
        amount_redeemed=70,
        amount_rolledback=70,
    )
    early = redemptions.figures_of_campaign(conn, "p", "camp_1", 10, 20)
    assert (early.redemptions_succeeded, early.orders_amount, early.rollbacks_succeeded) == (2, 1000, 0)
    assert redemptions.figures_of_campaign(conn, "p", "camp_9", None, None).redemptions_succeeded == 0
