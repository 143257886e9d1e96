"""The yardstick: pgbench running the write statements of one redemption, a transaction each, on the same PostgreSQL."""

import re
import subprocess
import tempfile
import uuid
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy.engine import Connection

from largesse.redemptions.tables import redemptions
from tests.servers import Postgres

_SECONDS = 8
# The tables one redemption writes, and which of their rows are its.
_WRITTEN = {
    "redemptions": "status = 'SUCCEEDED' AND parent_id IS NULL AND object = 'redemption'",
    "postings": "cause = 'redemption' AND account = 'voucher_uses'",
    "orders": "status = 'PAID'",
    "events": "type = 'redemption.succeeded'",
}


def transactions_per_second(postgres: Postgres, store: str, *, code: str, clients: int) -> float:
    """What pgbench reaches. `code` is SQL for the voucher's code; a redemption must have been made on this store before."""
    address = store.replace("postgresql://", "postgresql+psycopg://")
    engine = sqlalchemy.create_engine(address)
    with engine.connect() as conn:
        script = _script(conn, code)
    engine.dispose()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "redemption.sql"
        file.write_text(script)
        command = [postgres.binaries / "pgbench", "-n", "-M", "prepared", "-f", file, "-c", str(clients)]
        command += ["-j", "2", "-T", str(_SECONDS), "-D", "n=0", store]
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
    inserts = [_insert(conn, table, condition, unique) for table, condition in _WRITTEN.items()]
    return f"""
\\set n :n + 1
\\set k random(0, 999)
BEGIN;
SELECT * FROM vouchers WHERE project_id = '{project}' AND code_key = {code} FOR UPDATE;
{inserts[0]}
{inserts[1]}
UPDATE vouchers SET redeemed_quantity = redeemed_quantity + 1, updated_at = 1
 WHERE project_id = '{project}' AND code_key = {code} AND (quantity IS NULL OR redeemed_quantity + 1 <= quantity);
{inserts[2]}
{inserts[3]}
COMMIT;
"""


def _insert(conn: Connection, table: str, condition: str, unique: str) -> str:
    row = conn.exec_driver_sql(f"SELECT * FROM {table} WHERE {condition} LIMIT 1").mappings().one()
    values = ", ".join(unique if name == "id" else _literal(value) for name, value in row.items())
    return f"INSERT INTO {table} ({', '.join(row)}) VALUES ({values});"


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, int):
        return str(value)
    return "'" + str(value).replace("'", "''").replace(":", "' || chr(58) || '") + "'"
