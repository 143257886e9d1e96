"""Making many codes at once, while the shop goes on redeeming."""

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bench.scenarios import Shop, measure

COUNT = 100_000
_VOUCHER = {"type": "DISCOUNT_VOUCHER", "discount": {"type": "PERCENT", "percent_off": 10}}
_LOOK_SECONDS = 0.1
_REDEEMING_SECONDS = 4.0


def generation(shop: Shop, connections: int) -> dict[str, Any]:
    """A campaign of 100,000 codes, made while `connections` clients redeem; with 0 the server does nothing else.

    `seconds` until the campaign is DONE, and `p50_ms`, `p99_ms` of the redemptions sent meanwhile, None without clients.
    """
    started = time.perf_counter()
    sent = {"name": f"Codes {started}", "voucher": _VOUCHER, "vouchers_count": COUNT}
    campaign = shop.server.client.post("/v1/campaigns", json=sent).json()["id"]
    with redeeming(shop, connections) as latencies:
        while (found := shop.server.client.get(f"/v1/campaigns/{campaign}").json())["creation_status"] == "IN_PROGRESS":
            time.sleep(_LOOK_SECONDS)
        seconds = time.perf_counter() - started
    if found["vouchers_count"] != COUNT:
        raise RuntimeError(f"{found['vouchers_count']} of {COUNT} codes")
    return {"seconds": seconds, **latencies}


@contextmanager
def redeeming(shop: Shop, connections: int) -> Iterator[dict[str, Any]]:
    """Redeems in rounds while the block runs; `p50_ms` and `p99_ms` of the worst round are there afterwards."""
    found: dict[str, Any] = {"p50_ms": None, "p99_ms": None}
    if not connections:
        yield found
        return
    over, rounds, failed = threading.Event(), list[dict[str, Any]](), list[Exception]()

    def redeem() -> None:
        try:
            while not over.is_set():
                rounds.append(measure(shop, "redeem-spread", connections, _REDEEMING_SECONDS))
        except (subprocess.CalledProcessError, RuntimeError) as error:
            failed.append(error)

    thread = threading.Thread(target=redeem)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()
    if failed:
        raise failed[0]
    found.update({name: max(round[name] for round in rounds) for name in found})
