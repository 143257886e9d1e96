"""The yardstick: pgbench running the write statements of one redemption, a transaction each, on the same PostgreSQL."""

import re
import subprocess
import tempfile
import uuid
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy.engine import Connection

from bench.scenarios import SPREAD, Shop
from largesse.redemptions.tables import redemptions
from tests.servers import Postgres

# The scenarios it has a counterpart for, with SQL for the code that each transaction redeems.
CODES = {"redeem-hot": "'HOT'", "redeem-spread": "'S' || (:k)::text"}
# The tables one redemption writes, and which of their rows are its.
_WRITTEN = {
    "redemptions": "status = 'SUCCEEDED' AND parent_id IS NULL AND object = 'redemption'",
    "postings": "cause = 'redemption' AND account = 'voucher_uses'",
    "decisions": "TRUE",
    "seals": "id = (SELECT seal_id FROM postings WHERE cause = 'redemption' LIMIT 1)",
    "orders": "status = 'PAID'",
    "events": "type = 'redemption.succeeded'",
}


class Yardstick:
    """A database of its own beside the one that is measured, with the same schema, the same vouchers and a redemption to copy."""

    def __init__(self, postgres: Postgres) -> None:
        self._pgbench = postgres.binaries / "pgbench"
        self._store = postgres.create_database()
        shop = Shop(self._store)
        shop.redeemed(1)
        shop.server.stop()

    def transactions_per_second(self, scenario: str, clients: int, seconds: float) -> float:
        """What pgbench reaches with as many clients, each waiting for its commit."""
        engine = sqlalchemy.create_engine(self._store.replace("postgresql://", "postgresql+psycopg://"))
        with engine.connect() as conn:
            script = _script(conn, CODES[scenario])
        engine.dispose()
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "redemption.sql"
            file.write_text(script)
            command = [
                self._pgbench,
                "-n",
                "-M",
                "prepared",
                "-f",
                file,
                "-c",
                str(clients),
                "-j",
                str(min(clients, 2)),
            ]
            command += ["-T", str(max(1, round(seconds))), "-D", "n=0", self._store]
            found = subprocess.run(command, capture_output=True, text=True, check=False)
        if found.returncode:
            raise RuntimeError(f"pgbench failed: {found.stderr[-2000:]}")
        match = re.search(r"tps = ([\d.]+)", found.stdout)
        assert match is not None, found.stdout
        return float(match[1])


def _script(conn: Connection, code: str) -> str:
    """Copies of rows the server itself wrote, with ids of their own."""
    run = uuid.uuid4().hex[:8]
    project = conn.execute(sqlalchemy.select(redemptions.c.project_id).limit(1)).scalar_one()
    unique = f"'{run}' || lpad((:client_id)::text, 3, '0') || lpad((:n)::text, 10, '0')"
    inserts = "\n".join(_insert(conn, table, condition, unique) for table, condition in _WRITTEN.items())
    return f"""
\\set n :n + 1
\\set k random(0, {SPREAD - 1})
BEGIN;
SELECT * FROM vouchers WHERE project_id = '{project}' AND code_key = {code} FOR UPDATE;
{inserts}
UPDATE vouchers SET redeemed_quantity = redeemed_quantity + 1, updated_at = 1
 WHERE project_id = '{project}' AND code_key = {code} AND (quantity IS NULL OR redeemed_quantity + 1 <= quantity);
COMMIT;
"""


def _insert(conn: Connection, table: str, condition: str, unique: str) -> str:
    row = conn.exec_driver_sql(f"SELECT * FROM {table} WHERE {condition} LIMIT 1").mappings().one()
    values = ", ".join(unique if name == "id" else _literal(value) for name, value in row.items())
    return f"INSERT INTO {table} ({', '.join(map(str, row))}) VALUES ({values});"


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, int):
        return str(value)
    return "'" + str(value).replace("'", "''").replace(":", "' || chr(58) || '") + "'"
