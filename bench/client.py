"""A closed-loop HTTP client: keep-alive connections that send pre-built requests and wait for each answer.

Run in a process of its own, so that its cost is not the server's: `python -m bench.client` reads one JSON job from standard input
and writes the result as JSON. A job names `host`, `port`, `headers`, `requests` (pairs of path and body), `connections`, and
`seconds`, for which the requests are sent round and round; without it each is sent once. `collect` is a pattern whose group is kept
of every answer.
"""

import asyncio
import json
import re
import sys
import time
from collections.abc import Iterator
from itertools import cycle
from typing import Any

import uvloop


class _Connection(asyncio.Protocol):
    """One keep-alive connection; every answer triggers the next request."""

    def __init__(self, load: "_Load") -> None:
        self._load = load
        self._buffer = b""
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._next()

    def _next(self) -> None:
        request = self._load.take()
        if request is None:
            self._transport.close()
            return
        self._sent = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, separator, body = self._buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        lower = head.lower()
        start = lower.index(b"content-length:") + 15
        length = int(lower[start:].split(b"\r\n", 1)[0])
        if len(body) < length:
            return
        self._buffer = body[length:]
        self._load.record(int(head[9:12]), time.perf_counter() - self._sent, body[:length])
        self._next()

    def connection_lost(self, _reason: Exception | None) -> None:
        self._load.closed()


class _Load:
    def __init__(self, job: dict[str, Any]) -> None:
        encoded = [_encode(job, path, body) for path, body in job["requests"]]
        seconds = job.get("seconds")
        self._requests: Iterator[bytes] = cycle(encoded) if seconds else iter(encoded)
        self._until = time.perf_counter() + seconds if seconds else float("inf")
        self._pattern = re.compile(job["collect"].encode()) if job.get("collect") else None
        self._open: int = job["connections"]
        self.collected: list[str] = []
        self.seconds: list[float] = []
        self.statuses: dict[int, int] = {}
        self.first_refusal = ""
        self.done = asyncio.get_running_loop().create_future()

    def take(self) -> bytes | None:
        return None if time.perf_counter() >= self._until else next(self._requests, None)

    def record(self, status: int, seconds: float, body: bytes) -> None:
        self.seconds.append(seconds)
        self.statuses[status] = self.statuses.get(status, 0) + 1
        if status >= 400 and not self.first_refusal:
            self.first_refusal = body.decode(errors="replace")[:300]
        if self._pattern and (match := self._pattern.search(body)):
            self.collected.append(match[1].decode())

    def closed(self) -> None:
        self._open -= 1
        if self._open == 0:
            self.done.set_result(None)


def _encode(job: dict[str, Any], path: str, body: Any) -> bytes:
    content = json.dumps(body).encode()
    headers = "".join(f"{name}: {value}\r\n" for name, value in job["headers"].items())
    return (
        f"POST {path} HTTP/1.1\r\nHost: {job['host']}:{job['port']}\r\nContent-Type: application/json\r\n{headers}"
        f"Content-Length: {len(content)}\r\n\r\n"
    ).encode() + content


async def _run(job: dict[str, Any]) -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    load = _Load(job)
    started = time.perf_counter()
    for _ in range(job["connections"]):
        await loop.create_connection(lambda: _Connection(load), job["host"], job["port"])
    await load.done
    elapsed = time.perf_counter() - started
    ordered = sorted(load.seconds)
    return {
        "per_second": len(ordered) / elapsed,
        "p50_ms": ordered[len(ordered) // 2] * 1000,
        "p99_ms": ordered[int(len(ordered) * 0.99)] * 1000,
        "statuses": load.statuses,
        "first_refusal": load.first_refusal,
        "collected": load.collected,
    }


if __name__ == "__main__":
    print(json.dumps(uvloop.run(_run(json.load(sys.stdin)))))
