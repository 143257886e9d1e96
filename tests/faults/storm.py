"""A storm: many client processes at work while servers and store are killed, and a reckoning afterwards.

python -m tests.faults.storm --operations 50000 --kills 20 --seed 1 [--store sqlite] [--workers 1]
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import create_engine

from largesse.kernel.database.stores import store_url
from tests.api.shop import amount, code, gift, name, ok
from tests.faults.proxy import Proxy
from tests.faults.reckoning import Reckoning, over_the_limit
from tests.servers import Postgres, Server, run

LIMITS = {"code": 400, "customer": 3, "campaign": 60, "budget": 4000, "session": 30}
CARD = 60_000


class Storm:
    """`operations` and `kills` in all; the seed makes clients and faults choose the same again, but not the timing."""

    def __init__(self, kind: str, directory: Path, *, operations: int, kills: int, seed: int, workers: int = 1) -> None:
        self._random = random.Random(seed)
        self._seed, self._operations, self._kills = seed, operations, kills
        self._directory = directory
        self._postgres = Postgres(f"storm-{time.time_ns()}") if kind == "postgresql" else None
        self._store = self._postgres.create_database() if self._postgres else f"sqlite:///{directory}/largesse.db"
        self._proxy = Proxy(self._postgres.socket()) if self._postgres else None
        self.server = Server(self._proxy.way_to(self._store) if self._proxy else self._store, workers=workers)
        self._port = int(self.server.base_url.rsplit(":", 1)[1])
        self._plan = self._stock()
        self.notes: list[dict[str, Any]] = []
        self.faults: Counter[str] = Counter()

    # Before

    def _stock(self) -> dict[str, Any]:
        """What there is to take, each under a limit of its own kind."""
        client = self.server.client
        self.limited = {"code": code(client, amount(100), quantity=LIMITS["code"])}
        self.limited["session"] = code(client, amount(50), quantity=LIMITS["session"])
        self.limited["customer"] = code(client, amount(70))
        self._under(self.limited["customer"], "redemption.count.per_customer", LIMITS["customer"])
        self.limited["campaign"] = self._campaign("redemption.count", LIMITS["campaign"])
        self.limited["budget"] = self._campaign("campaign.orders.amount_discounted", LIMITS["budget"])
        self.cards = [gift(client, CARD) for _ in range(3)]
        return {
            "base_url": self.server.base_url,
            "keys": self.server.keys,
            "codes": [*self.limited.values(), code(client, amount(10))],
            "cards": self.cards,
            "customers": [name("shopper") for _ in range(8)],
            "sessions": ["S1", "S2", "S3"],
        }

    def _rule(self, counted: str, most: int) -> str:
        rules = {"1": {"name": counted, "conditions": {"$less_than_or_equal": [most]}}}
        sent = {"name": name("Limit"), "rules": rules}
        return str(ok(self.server.client.post("/v1/validation-rules", json=sent))["id"])

    def _under(self, voucher: str, counted: str, most: int) -> None:
        sent = {"related_object_id": voucher, "related_object_type": "voucher"}
        ok(self.server.client.post(f"/v1/validation-rules/{self._rule(counted, most)}/assignments", json=sent))

    def _campaign(self, counted: str, most: int) -> str:
        coupon = {"type": "DISCOUNT_VOUCHER", "discount": amount(90)}
        sent = {"name": name("Campaign"), "voucher": coupon, "validation_rules": [self._rule(counted, most)]}
        made = ok(self.server.client.post("/v1/campaigns", json=sent))
        return str(ok(self.server.client.post(f"/v1/campaigns/{made['id']}/vouchers"))["code"])

    # During

    def rage(self, clients: int = 4) -> None:
        """Runs the clients to their end, with a fault again and again, until there were at least as many kills as wanted."""
        processes = [self._client(place, self._operations // clients) for place in range(clients)]
        kills = 0
        while any(process.poll() is None for process, _ in processes):
            time.sleep(self._random.uniform(0.3, 1.0))
            kills += self._hurt(kills < self._kills or self._random.random() < 0.1)
        for process, file in processes:
            assert process.returncode == 0, f"a client ended with {process.returncode}"
            self.notes += [json.loads(line) for line in file.read_text().splitlines()]
        while kills < self._kills:
            kills += self._hurt(True)

    def _client(self, place: int, operations: int) -> "tuple[subprocess.Popen[bytes], Path]":
        plan = self._plan | {"name": f"c{place}", "seed": self._seed * 1000 + place, "operations": operations}
        written, notes = self._directory / f"plan-{place}.json", self._directory / f"notes-{place}.jsonl"
        written.write_text(json.dumps(plan))
        return subprocess.Popen([sys.executable, "-m", "tests.faults.clients", str(written), str(notes)]), notes

    def _hurt(self, deadly: bool) -> int:
        """One fault; answers 1 where something was killed."""
        kinds = ["slow"] + (["kill"] * 3 if deadly else [])
        if self._postgres is not None:
            kinds += ["cut", "lose"] + (["crash"] if deadly else [])
        kind = self._random.choice(kinds)
        self.faults[kind] += 1
        if kind == "slow":
            held = self._random.choice(self._processes())
            os.kill(held, signal.SIGSTOP)
            time.sleep(0.2)
            os.kill(held, signal.SIGCONT)
        elif kind == "cut":
            with psycopg.connect(self._store, autocommit=True) as operator:
                others = "datname = current_database() AND pid <> pg_backend_pid()"
                operator.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}".encode())
        elif kind == "lose" and self._proxy is not None:
            self._proxy.lose(self._random.choice([None, 0, 0.02, 0.3]))
        elif kind == "crash" and self._postgres is not None:
            self._postgres.crash()
        elif kind == "kill":
            os.kill(self.server.process.pid, signal.SIGSTOP)  # else it might start a worker that nobody kills
            for process in self._processes()[1:]:
                os.kill(process, signal.SIGKILL)
            self.server.kill()
            self.server.start(self._port)
        return int(kind in ("kill", "crash"))

    def _processes(self) -> list[int]:
        """The server and its workers."""
        main = self.server.process.pid
        return [main, *map(int, Path(f"/proc/{main}/task/{main}/children").read_text().split())]

    # Afterwards

    def reckon(self) -> list[str]:
        """Everything that is not as it should be; raises AssertionError where a counter is not the sum of its postings."""
        run("verify", "--chain", store=self._store)
        engine = create_engine(store_url(self._store))
        with engine.connect() as conn:
            found = Reckoning(conn, self.notes).problems()
            found += over_the_limit(conn, {self.limited[kind]: (kind, most) for kind, most in LIMITS.items()})
        engine.dispose()
        return found

    def stop(self) -> None:
        self.server.stop()

    def said(self) -> str:
        answers = Counter(f"{note['act']} {note['status']}" for note in self.notes)
        return f"seed {self._seed}, faults {dict(self.faults)}, answers {dict(sorted(answers.items()))}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--operations", type=int, default=50_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--store", choices=["sqlite", "postgresql"], action="append")
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args()
    failed = False
    for kind in chosen.store or ["sqlite", "postgresql"]:
        with tempfile.TemporaryDirectory() as directory:
            workers = 1 if kind == "sqlite" else chosen.workers
            storm = Storm(
                kind,
                Path(directory),
                operations=chosen.operations,
                kills=chosen.kills,
                seed=chosen.seed,
                workers=workers,
            )
            print(f"{kind}, {workers} worker(s): {chosen.operations} operations, seed {chosen.seed}", flush=True)
            storm.rage()
            problems = storm.reckon()
            storm.stop()
            print(f"{storm.said()}\n{len(problems)} violations", *problems[:50], sep="\n", flush=True)
            failed = failed or bool(problems)
    sys.exit(failed)


if __name__ == "__main__":
    main()
