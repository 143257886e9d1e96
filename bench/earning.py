"""Orders that earn points under 50 earning rules, beside orders of a project that has none: processor time of the server."""

import os
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from bench.scenarios import Requests, Shop

HEADER = ("earning rules", "that reward the order", "CPU ms per order", "more than without rules", "p50 ms")
RULES = 50
FEW = 5
_ORDERS, _QUICK_ORDERS = 400, 100
_TICKS = os.sysconf("SC_CLK_TCK")
_LINES = [
    {"product_id": "mug", "quantity": 2, "price": 1_000},
    {"product_id": "tea", "quantity": 1, "price": 500},
    {"product_id": "cup", "quantity": 3, "price": 700},
]


def rows(shop: Shop, rounds: int, *, quick: bool) -> Iterator[list[str]]:
    """One after the other, so that nothing is shared within a batch."""
    orders = _QUICK_ORDERS if quick else _ORDERS
    shop.send([("/v1/customers", {"source_id": "earner"})])
    bare = _row(shop, rounds, orders)
    yield ["none", "0", f"{bare[0]:.2f}", "", f"{bare[1]:.1f}"]
    program = shop.send(
        [("/v1/loyalties", {"name": "Bench program", "type": "AUTO_UPDATE"})], collect='"id":"(camp_[0-9A-Za-z]+)"'
    )["collected"][0]
    shop.send([(f"/v1/loyalties/{program}/members", {"customer": "earner"})])
    path = f"/v1/loyalties/{program}/earning-rules"
    shop.send([(path, [_rule(number, rewards=number < FEW) for number in range(RULES)])])
    few = _row(shop, rounds, orders)
    yield [str(RULES), str(FEW), f"{few[0]:.2f}", f"{few[0] - bare[0]:.2f}", f"{few[1]:.1f}"]
    shop.send([(path, [_rule(number, rewards=True) for number in range(RULES - FEW)])])
    many = _row(shop, rounds, orders)
    yield [str(2 * RULES - FEW), str(RULES), f"{many[0]:.2f}", f"{many[0] - bare[0]:.2f}", f"{many[1]:.1f}"]


def _rule(number: int, *, rewards: bool) -> dict[str, Any]:
    """Points for amounts, for lines, by metadata; a rule that does not reward asks for more than there is."""
    every = 100 if rewards else 1_000_000
    entry = [{"object": "product", "id": "mug" if rewards else f"product-{number}"}]
    kinds: list[dict[str, Any]] = [
        _per("ORDER_TOTAL_AMOUNT", "order", "total_amount", every),
        _per("ORDER_AMOUNT", "order", "amount", every),
        _per("ORDER_ITEMS_AMOUNT", "order_items", "amount", every, applicable_to=entry),
        _per("ORDER_ITEMS_QUANTITY", "order_items", "quantity", 1, applicable_to=entry),
        _per("ORDER_METADATA", "order", "metadata", 1 if rewards else 1_000, property="visits"),
    ]
    return {"event": "order.paid", "loyalty": kinds[number % 5], "source": {"banner": f"Rule {number}"}}


def _per(kind: str, part: str, member: str, every: int, **more: Any) -> dict[str, Any]:
    rate = {"every": every, "points": 1, **more}
    return {"type": "PROPORTIONAL", "calculation_type": kind, part: {member: rate}}


def _row(shop: Shop, rounds: int, orders: int) -> tuple[float, float]:
    """Processor milliseconds per order and the median latency."""
    sent = {"status": "PAID", "items": _LINES, "metadata": {"visits": 7}, "customer": {"source_id": "earner"}}
    requests: Requests = [("/v1/orders", sent)] * orders
    shop.send(requests[:20], connections=1)
    found = []
    for _ in range(rounds):
        before = _processor_seconds(shop.server.process.pid)
        latency = shop.send(requests, connections=1)["p50_ms"]
        found.append(((_processor_seconds(shop.server.process.pid) - before) * 1_000 / orders, latency))
    return median(one[0] for one in found), median(one[1] for one in found)


def _processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
