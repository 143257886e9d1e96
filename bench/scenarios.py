"""What is measured: a shop with codes and cards, and the requests of each scenario."""

import json
import subprocess
import sys
from typing import Any

from tests.servers import Server

SPREAD = 1_000
_DISCOUNT = {"type": "DISCOUNT_VOUCHER", "discount": {"type": "PERCENT", "percent_off": 10}}
_GIFT = {"type": "GIFT_VOUCHER", "gift": {"amount": 10**12}}
_ORDER = {"amount": 20_000}
_SINGLE_FILE = 8  # connections while preparing
Requests = list[tuple[str, Any]]


class Shop:
    """A running server with vouchers, and a load generator pointed at it."""

    def __init__(self, store: str, *, workers: int = 1) -> None:
        self.server = Server(store, workers=workers)
        codes = ["HOT", "STACK0", "STACK1", "STACK2", *(f"S{n}" for n in range(SPREAD))]
        self.send([(f"/v1/vouchers/{code}", _DISCOUNT) for code in codes] + [("/v1/vouchers/GIFT", _GIFT)])

    def send(
        self,
        requests: Requests,
        *,
        connections: int = _SINGLE_FILE,
        seconds: float | None = None,
        collect: str | None = None,
    ) -> dict[str, Any]:
        """Each request once, or all of them round and round for some seconds. Every answer must be 200."""
        host, port = self.server.base_url.removeprefix("http://").split(":")
        keys = {"X-App-Id": self.server.keys["app_id"], "X-App-Token": self.server.keys["app_token"]}
        return send(host, int(port), keys, requests, connections=connections, seconds=seconds, collect=collect)

    def redeemed(self, count: int) -> list[str]:
        """Ids of that many new redemptions."""
        requests = [("/v1/redemptions", _redeem(f"S{n % SPREAD}")) for n in range(count)]
        ids: list[str] = self.send(requests, collect='"id":"(r_[0-9a-f]+)"')["collected"]
        return ids


def send(
    host: str,
    port: int,
    headers: dict[str, str],
    requests: Requests,
    *,
    connections: int,
    seconds: float | None = None,
    collect: str | None = None,
) -> dict[str, Any]:
    """What the load generator finds out in a process of its own; see `bench.client`."""
    job = {"host": host, "port": port, "headers": headers, "requests": requests}
    job |= {"connections": connections, "seconds": seconds, "collect": collect}
    command = [sys.executable, "-m", "bench.client"]
    done = subprocess.run(command, input=json.dumps(job), capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    if set(found["statuses"]) != {"200"}:
        raise RuntimeError(f"refused: {found['statuses']} {found['first_refusal']}")
    return found


def _redeem(*codes: str, **more: Any) -> dict[str, Any]:
    return {"redeemables": [{"object": "voucher", "id": code, **more} for code in codes], "order": _ORDER}


def _rollbacks(shop: Shop, connections: int, seconds: float) -> Requests:
    """A redemption is rolled back once, so there are about as many as fit into the time."""
    return [
        (f"/v1/redemptions/{id}/rollback", {}) for id in shop.redeemed(int(seconds * min(1_000, 250 * connections)))
    ]


_REPEATED: dict[str, Requests] = {
    "validate": [("/v1/validations", _redeem("HOT"))],
    "redeem-hot": [("/v1/redemptions", _redeem("HOT"))],
    "redeem-spread": [("/v1/redemptions", _redeem(f"S{n}")) for n in range(SPREAD)],
    "redeem-stack-of-3": [("/v1/redemptions", _redeem("STACK0", "STACK1", "STACK2"))],
    "redeem-gift-card": [("/v1/redemptions", _redeem("GIFT", gift={"credits": 5}))],
}
SCENARIOS = (*_REPEATED, "roll-back")


def measure(shop: Shop, scenario: str, connections: int, seconds: float) -> dict[str, Any]:
    """One scenario for about `seconds`: `per_second`, `p50_ms`, `p99_ms`."""
    if scenario == "roll-back":
        return shop.send(_rollbacks(shop, connections, seconds), connections=connections)
    return shop.send(_REPEATED[scenario], connections=connections, seconds=seconds)
