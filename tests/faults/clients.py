"""A client process of the storm: random work against a server that may die at any moment, and a note of every answer.

python -m tests.faults.clients PLAN.json NOTES.jsonl
"""

import json
import random
import sys
import time
import uuid
from pathlib import Path
from typing import Any, TextIO

import httpx

PATIENCE = 60.0  # seconds to repeat a request under its key before giving up on the server
_UNKNOWN = (500, 502, 503, 504)


class Client:
    """`plan` says where the server is, what there is to redeem, how much to do, and the seed."""

    def __init__(self, plan: dict[str, Any], notes: TextIO) -> None:
        self._plan = plan
        self._notes = notes
        self._random = random.Random(plan["seed"])
        headers = {"X-App-Id": plan["keys"]["app_id"], "X-App-Token": plan["keys"]["app_token"]}
        self._http = httpx.Client(base_url=plan["base_url"], headers=headers, timeout=20)
        self._redeemed: list[str] = []  # single redemptions and stacks, as (id, is stack) below
        self._stacks: set[str] = set()
        self._count = 0

    def run(self) -> None:
        acts = [(self._redeem, 60), (self._undo, 20), (self._adjust, 8), (self._hold, 7), (self._switch, 5)]
        ways, weights = zip(*acts, strict=True)
        for _ in range(self._plan["operations"]):
            self._random.choices(ways, weights)[0]()

    def _redeem(self) -> None:
        marker = f"{self._plan['name']}-{self._count}"
        self._count += 1
        body: dict[str, Any] = {
            "redeemables": self._redeemables(),
            "order": {"amount": self._random.randint(1, 5000)},
            "metadata": {"marker": marker},
        }
        if self._random.random() < 0.7:
            body["customer"] = {"source_id": self._random.choice(self._plan["customers"])}
        if self._random.random() < 0.1:
            body["session"] = {"type": "LOCK", "key": self._random.choice(self._plan["sessions"])}
        status, answer = self._send("redeem", "/v1/redemptions", body, marker)
        if status == 200:
            parent = answer.get("parent_redemption")
            id = parent["id"] if parent else answer["redemptions"][0]["id"]
            if parent:
                self._stacks.add(id)
            self._redeemed.append(id)

    def _redeemables(self) -> list[dict[str, Any]]:
        count = self._random.choice([1, 1, 1, 2, 3])
        found: list[dict[str, Any]] = []
        for code in self._random.sample(self._plan["codes"] + self._plan["cards"], count):
            gift = {"gift": {"credits": self._random.randint(1, 900)}} if code in self._plan["cards"] else {}
            found.append({"object": "voucher", "id": code, **gift})
        return found

    def _undo(self) -> None:
        if not self._redeemed:
            return
        id = self._random.choice(self._redeemed[-20:])
        path = f"/v1/redemptions/{id}/{'rollbacks' if id in self._stacks else 'rollback'}"
        self._send("undo", path, {}, id)

    def _adjust(self) -> None:
        card = self._random.choice(self._plan["cards"])
        marker = f"{self._plan['name']}-{self._count}"
        self._count += 1
        body = {"amount": self._random.choice([-300, -50, 100, 250]), "source_id": marker}
        self._send("adjust", f"/v1/vouchers/{card}/balance", body, marker)

    def _hold(self) -> None:
        session = {"type": "LOCK", "key": self._random.choice(self._plan["sessions"]), "ttl": 2, "ttl_unit": "SECONDS"}
        body = {"redeemables": self._redeemables()[:1], "order": {"amount": 3000}, "session": session}
        self._send("hold", "/v1/validations", body, "")

    def _switch(self) -> None:
        code = self._random.choice(self._plan["codes"])
        for way in ("disable", "enable"):
            self._send(way, f"/v1/vouchers/{code}/{way}", {}, code)

    def _send(self, act: str, path: str, body: dict[str, Any], marker: str) -> tuple[int, Any]:
        """One request; with a key, which half of them have, it is repeated until somebody answers."""
        key = str(uuid.UUID(int=self._random.getrandbits(128))) if self._random.random() < 0.5 else None
        headers = {"Idempotency-Key": key} if key else {}
        end = time.monotonic() + PATIENCE
        failures = []
        while True:
            status, answer = 0, None
            try:
                found = self._http.post(path, json=body, headers=headers)
                status, answer = found.status_code, found.json()
            except httpx.HTTPError:
                time.sleep(0.05)
            if status == 500:
                failures.append(answer)
            if status and status not in _UNKNOWN:
                break
            if key is None or time.monotonic() > end:
                break
        note = {"act": act, "marker": marker, "status": status, "answer": answer, "keyed": key is not None}
        self._notes.write(json.dumps(note | {"body": body, "failures": failures}) + "\n")
        return status, answer


if __name__ == "__main__":
    with Path(sys.argv[2]).open("w") as file:
        Client(json.loads(Path(sys.argv[1]).read_text()), file).run()
