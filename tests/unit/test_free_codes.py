"""Finding a code to hand out looks at that code, not at all the others of its campaign."""

from typing import Any

import pytest
from sqlalchemy import event, text

import largesse.app  # noqa: F401 - every table is known once the application is
from largesse.kernel.database import migrations
from largesse.kernel.database.stores import open_writer
from largesse.kernel.settings import Settings
from largesse.vouchers import free

GIVEN, LEFT = 20_000, 200
FILL = """
INSERT INTO vouchers (project_id, id, code, code_key, type, gift_amount, subtracted_amount, redeemed_amount, redeemed_quantity,
  active, campaign_id, is_referral_code, metadata, created_at, publish_count, qr_id, barcode_id, locked_until)
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :last)
SELECT 'p', 'v_' || (1000000 + i), 'C' || i, 'C' || i, 'DISCOUNT_VOUCHER', 0, 0, 0, 0,
  i > 0, 'c', i < 0, '{}', i, CASE WHEN i > :given THEN 0 ELSE 1 END, 'q' || i, 'b' || i, 0 FROM n
"""


@pytest.mark.parametrize("wait", [False, True])
def test_a_free_code_is_found_by_the_index_of_free_codes(store: str, wait: bool) -> None:
    settings = Settings(database_url=store)
    migrations.upgrade(settings)
    engine = open_writer(settings)
    seen: list[tuple[str, Any]] = []
    event.listen(engine, "before_cursor_execute", lambda *arguments: seen.append(arguments[2:4]))
    with engine.connect() as conn, conn.begin() as transaction:
        conn.execute(text(FILL), {"given": GIVEN, "last": GIVEN + LEFT})
        if engine.dialect.name == "postgresql":
            conn.execute(text("ANALYZE vouchers"))
        found = free.oldest(conn, "p", "c", 3, 1, wait=wait)
        assert [stored.entry.code for stored in found] == [f"C{GIVEN + place}" for place in (1, 2, 3)]
        statement, values = seen[-1]
        explain = "EXPLAIN" if engine.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
        plan = " ".join(map(str, conn.exec_driver_sql(f"{explain} {statement}", values)))
        assert "vouchers_free" in plan
        assert "Sort" not in plan
        assert "TEMP B-TREE" not in plan
        transaction.rollback()
    engine.dispose()
