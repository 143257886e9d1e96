"""`make bench`: Largesse over HTTP on both stores, beside pgbench on the same PostgreSQL, in one run.

Absolute numbers are this machine's in this hour; the ratios are what travels.
"""

import argparse
import os
import platform
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import litestar
import msgspec
import psycopg
import sqlalchemy

from bench import earning, expiry, qualify, segments
from bench.codes import COUNT, generation
from bench.oscar import CROWD, REQUESTS, ROUNDS, Peer, oversold
from bench.pgbench import CODES, Yardstick
from bench.scenarios import SCENARIOS, Shop, measure
from largesse import __version__
from tests.servers import Postgres

GENERATION = "make-codes"  # not a rate of requests: a table of its own
PEER = "oscar"  # the same work done by django-oscar on the same PostgreSQL: a table of its own, too
QUALIFY = "qualify"  # and another one
EXPIRATION = "expire-points"  # and one more
SEGMENTS = "segments"  # and another one again
EARNING = "earn-50"  # processor time in place of rates
NAMES = (*SCENARIOS, GENERATION, PEER, QUALIFY, EXPIRATION, SEGMENTS, EARNING)
WORKERS = {"sqlite": 1, "postgresql": 1, "postgresql-2": 2}
HEADER = ("scenario", "connections", "per second", "p50 ms", "p99 ms", "pgbench per second", "Largesse / pgbench")
PEER_HEADER = (
    "scenario",
    "connections",
    "per second",
    "p50 ms",
    "django-oscar per second",
    "its p50 ms",
    "Largesse / oscar",
)
GENERATION_HEADER = (f"{COUNT:,} codes, clients redeeming meanwhile", "seconds", "their p50 ms", "their p99 ms")
EXPIRATION_HEADER = ("cards whose points expire", "clients redeeming", "seconds", "their p50 ms", "their p99 ms")


def main() -> None:
    wanted = _arguments()
    with tempfile.TemporaryDirectory(prefix="largesse-bench-") as folder:
        postgres = Postgres(f"bench-{os.getpid()}")
        print(_versions(postgres), end="\n\n", flush=True)
        for store in wanted.store:
            address = f"sqlite:///{folder}/bench.db" if store == "sqlite" else postgres.create_database()
            yardstick = None if store == "sqlite" else Yardstick(postgres)
            print(f"### {_title(store)}\n", flush=True)
            shop = Shop(address, workers=WORKERS[store])
            try:
                if scenarios := [name for name in wanted.scenario if name in SCENARIOS]:
                    _print_table(HEADER, _rows(shop, yardstick, scenarios, wanted))
                if GENERATION in wanted.scenario:
                    _print_table(GENERATION_HEADER, _generation_rows(shop, wanted))
                if PEER in wanted.scenario and yardstick is not None:
                    _compare_with_oscar(postgres, shop, wanted)
                if QUALIFY in wanted.scenario:
                    _print_table(qualify.HEADER, qualify.rows(shop, wanted.rounds, wanted.seconds))
                if EARNING in wanted.scenario:
                    _print_table(earning.HEADER, earning.rows(shop, wanted.rounds, quick=wanted.quick))
                if EXPIRATION in wanted.scenario:
                    _print_table(EXPIRATION_HEADER, _expiration_rows(shop, wanted))
                if SEGMENTS in wanted.scenario:
                    _print_table(segments.HEADER, segments.rows(shop, quick=wanted.quick))
                shop.server.verify()
                print(f"Resident memory of the process started: {_resident_megabytes(shop.server.process.pid)} MB.\n")
            finally:
                shop.server.stop()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measures Largesse over HTTP beside pgbench.")
    parser.add_argument("scenario", nargs="*", help=f"what to measure, all if none is named: {', '.join(NAMES)}")
    parser.add_argument("--store", nargs="+", choices=WORKERS, default=list(WORKERS), help="on which stores")
    parser.add_argument("--connections", nargs="+", type=int, default=[1, 8, 32], help="with how many clients at once")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured; the median is shown")
    parser.add_argument("--seconds", type=float, default=4, help="how long each round takes")
    parser.add_argument("--quick", action="store_true", help="one round of a second, and fewer cards")
    wanted = parser.parse_args()
    if unknown := set(wanted.scenario) - set(NAMES):
        parser.error(f"unknown scenario {', '.join(sorted(unknown))}; known are {', '.join(NAMES)}")
    wanted.scenario = wanted.scenario or list(NAMES)
    if wanted.quick:
        wanted.rounds, wanted.seconds = 1, 1.0
    return wanted


def _print_table(header: Sequence[str], rows: Iterator[list[str]]) -> None:
    print(f"{_line(header)}\n{_line(['---'] * len(header))}", flush=True)
    for row in rows:
        print(_line(row), flush=True)
    print(flush=True)


def _generation_rows(shop: Shop, wanted: argparse.Namespace) -> Iterator[list[str]]:
    """Alone, then beside each number of clients."""
    for connections in [0, *wanted.connections]:
        found = [generation(shop, connections) for _ in range(wanted.rounds)]
        latencies = [[round[name] for round in found if round[name] is not None] for name in ("p50_ms", "p99_ms")]
        shown = [f"{median(values):.1f}" if values else "" for values in latencies]
        yield [str(connections), f"{median(round['seconds'] for round in found):.1f}", *shown]


def _expiration_rows(shop: Shop, wanted: argparse.Namespace) -> Iterator[list[str]]:
    """Once for each number of clients: so many cards take their time."""
    count = expiry.QUICK_COUNT if wanted.quick else expiry.COUNT
    for connections in wanted.connections:
        found = expiry.expiration(shop, connections, count)
        yield [
            f"{count:,}",
            str(connections),
            f"{found['seconds']:.1f}",
            f"{found['p50_ms']:.1f}",
            f"{found['p99_ms']:.1f}",
        ]


def _rows(
    shop: Shop, yardstick: Yardstick | None, scenarios: Sequence[str], wanted: argparse.Namespace
) -> Iterator[list[str]]:
    """A row for each scenario and number of connections; pgbench runs right behind each round it is compared with."""
    for scenario in scenarios:
        for connections in wanted.connections:
            found: list[dict[str, Any]] = []
            beside: list[float] = []
            for _ in range(wanted.rounds):
                found.append(measure(shop, scenario, connections, wanted.seconds))
                if yardstick and scenario in CODES:
                    beside.append(yardstick.transactions_per_second(scenario, connections, wanted.seconds))
            rate, p50, p99 = (median(round[name] for round in found) for name in ("per_second", "p50_ms", "p99_ms"))
            compared = [f"{median(beside):,.0f}", f"{rate / median(beside):.2f}"] if beside else ["", ""]
            yield [scenario, str(connections), f"{rate:,.0f}", f"{p50:.1f}", f"{p99:.1f}", *compared]


def _compare_with_oscar(postgres: Postgres, shop: Shop, wanted: argparse.Namespace) -> None:
    """Round by round beside each other; then vouchers for one use, each wanted by several at once."""
    peer = Peer(postgres)
    try:
        _print_table(PEER_HEADER, _peer_rows(shop, peer, wanted))
        print(
            f"Of {ROUNDS} codes for one use, each wanted by {CROWD} clients at once, uses too many: "
            f"Largesse {oversold(shop)}, django-oscar {peer.oversold()}.\n"
        )
    finally:
        peer.stop()


def _peer_rows(shop: Shop, peer: Peer, wanted: argparse.Namespace) -> Iterator[list[str]]:
    for scenario in REQUESTS:
        for connections in wanted.connections:
            pairs = [
                (
                    measure(shop, scenario, connections, wanted.seconds),
                    peer.measure(scenario, connections, wanted.seconds),
                )
                for _ in range(wanted.rounds)
            ]
            shown = [
                [median(pair[side][name] for pair in pairs) for name in ("per_second", "p50_ms")] for side in (0, 1)
            ]
            ours, theirs = shown
            numbers = [f"{ours[0]:,.0f}", f"{ours[1]:.1f}", f"{theirs[0]:,.0f}", f"{theirs[1]:.1f}"]
            yield [scenario, str(connections), *numbers, f"{ours[0] / theirs[0]:.1f}"]


def _title(store: str) -> str:
    name = "SQLite" if store == "sqlite" else "PostgreSQL"
    return f"{name}, {WORKERS[store]} worker processes" if WORKERS[store] > 1 else f"{name}, one process"


def _versions(postgres: Postgres) -> str:
    versions = {
        "Largesse": __version__,
        "Python": platform.python_version(),
        "SQLite": sqlalchemy.create_engine("sqlite://").connect().exec_driver_sql("SELECT sqlite_version()").scalar(),
        "PostgreSQL": postgres.version(),
        "SQLAlchemy": sqlalchemy.__version__,
        "psycopg": psycopg.__version__,
        "msgspec": msgspec.__version__,
        "Litestar": litestar.__version__.formatted(short=True),
    }
    names = ", ".join(f"{name} {version}" for name, version in versions.items())
    return (
        f"{names}; {os.cpu_count()} cores, shared by server, store and load generator.\n"
        "Durability: SQLite in WAL mode with synchronous=FULL; PostgreSQL with fsync and synchronous_commit on."
    )


def _resident_megabytes(pid: int) -> int:
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0]) // 1024


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


main()
