"""`make bench`: Largesse over HTTP on both stores beside pgbench, in one run, as one table.

Absolute numbers are this machine's in this hour; the ratios are what travels.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import litestar
import msgspec
import psycopg
import sqlalchemy

from bench.pgbench import transactions_per_second
from largesse import __version__
from tests.servers import Postgres, Server

SPREAD = 1_000
CONNECTIONS = (1, 8, 32)
DISCOUNT = {"type": "DISCOUNT_VOUCHER", "discount": {"type": "PERCENT", "percent_off": 10}}
ORDER = {"amount": 20_000}
Requests = list[tuple[str, Any]]


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="largesse-bench-") as folder:
        root = Path(folder)
        root.chmod(0o755)
        postgres = Postgres(root / "postgres")
        rows: list[list[str]] = []
        for label, store, workers in (
            ("SQLite", f"sqlite:///{root}/bench.db", 1),
            ("PostgreSQL", postgres.create_database(), 1),
            ("PostgreSQL, 2 workers", postgres.create_database(), 2),
        ):
            rows += _measure(label, store, workers, postgres)
        _print(rows)


def _measure(label: str, store: str, workers: int, postgres: Postgres) -> list[list[str]]:
    server = Server(store, workers=workers)
    _prepare(server.client)
    rows, reached = [], {}
    try:
        for scenario, make in _SCENARIOS.items():
            for connections in CONNECTIONS:
                count = 600 if connections == 1 else 4_000
                found = _load(server, make(server.client, count), connections, count)
                reached[scenario, connections] = found["per_second"]
                rows.append(_row(label, scenario, connections, found))
        memory = _resident_megabytes(server.process.pid)
        rows.append([label, "resident memory after it all", "", f"{memory:.0f} MB", "", "", ""])
        server.verify()
    finally:
        server.stop()
    if store.startswith("postgresql") and workers == 1:
        for scenario, code in (("redeem hot", "'HOT'"), ("redeem spread", "'S' || (:k)::text")):
            for connections in CONNECTIONS:
                tps = transactions_per_second(postgres, store, code=code, clients=connections)
                ratio = reached[scenario, connections] / tps
                rows.append([label, f"pgbench: {scenario}", str(connections), f"{tps:,.0f}", "", "", f"{ratio:.2f}x"])
    return rows


def _prepare(client: httpx.Client) -> None:
    for code in ("HOT", *(f"S{n}" for n in range(SPREAD))):
        client.post(f"/v1/vouchers/{code}", json=DISCOUNT).raise_for_status()
    for n in range(3):
        client.post(f"/v1/vouchers/STACK{n}", json=DISCOUNT).raise_for_status()
    client.post("/v1/vouchers/GIFT", json={"type": "GIFT_VOUCHER", "gift": {"amount": 10**12}}).raise_for_status()


def _redeem(*codes: str) -> dict[str, Any]:
    return {"redeemables": [{"object": "voucher", "id": code} for code in codes], "order": ORDER}


def _rollbacks(client: httpx.Client, count: int) -> Requests:
    ids = [
        client.post("/v1/redemptions", json=_redeem(f"S{n % SPREAD}")).json()["redemptions"][0]["id"]
        for n in range(min(count, 1_500))
    ]
    return [(f"/v1/redemptions/{id}/rollback", {}) for id in ids]


_SCENARIOS: dict[str, Callable[[httpx.Client, int], Requests]] = {
    "validate": lambda _client, _count: [("/v1/validations", _redeem("HOT"))],
    "redeem hot": lambda _client, _count: [("/v1/redemptions", _redeem("HOT"))],
    "redeem spread": lambda _client, _count: [("/v1/redemptions", _redeem(f"S{n}")) for n in range(SPREAD)],
    "redeem stack of 3": lambda _client, _count: [("/v1/redemptions", _redeem("STACK0", "STACK1", "STACK2"))],
    "redeem gift card": lambda _client, _count: [
        (
            "/v1/redemptions",
            {"redeemables": [{"object": "voucher", "id": "GIFT", "gift": {"credits": 5}}], "order": ORDER},
        )
    ],
    "roll back": _rollbacks,
}


def _load(server: Server, requests: Requests, connections: int, count: int) -> dict[str, Any]:
    host, port = server.base_url.removeprefix("http://").split(":")
    if requests[0][0].endswith("/rollback"):
        count = len(requests)
    job = {
        "host": host,
        "port": int(port),
        "headers": {"X-App-Id": server.keys["app_id"], "X-App-Token": server.keys["app_token"]},
        "requests": requests,
        "connections": connections,
        "count": count,
    }
    command = [sys.executable, "-m", "bench.client"]
    done = subprocess.run(command, input=json.dumps(job), capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    assert set(found["statuses"]) == {"200"}, found
    return found


def _row(label: str, scenario: str, connections: int, found: dict[str, Any]) -> list[str]:
    rate, p50, p99 = found["per_second"], found["p50_ms"], found["p99_ms"]
    return [label, scenario, str(connections), f"{rate:,.0f}", f"{p50:.1f}", f"{p99:.1f}", ""]


def _resident_megabytes(pid: int) -> float:
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0]) / 1024


def _print(rows: list[list[str]]) -> None:
    versions = {
        "Largesse": __version__,
        "Python": platform.python_version(),
        "SQLAlchemy": sqlalchemy.__version__,
        "psycopg": psycopg.__version__,
        "msgspec": msgspec.__version__,
        "Litestar": str(litestar.__version__),
        "cores": str(os.cpu_count()),
    }
    print(", ".join(f"{name} {version}" for name, version in versions.items()))
    print("Durability: SQLite synchronous=FULL in WAL mode; PostgreSQL fsync and synchronous_commit on.\n")
    header = ["store", "scenario", "connections", "per second", "p50 ms", "p99 ms", "Largesse / pgbench"]
    print("| " + " | ".join(header) + " |")
    print("|" + "|".join(["---"] * len(header)) + "|")
    for row in rows:
        print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
