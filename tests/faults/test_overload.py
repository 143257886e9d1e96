"""More than the server can do, and clients that do it no good: the rest is answered, nothing is done by halves."""

import resource
import socket
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.api.exported import finished
from tests.api.shop import amount, balance, code, gift, ok, redeem, try_redeem
from tests.servers import Server

IDLE = 1000


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with little patience."""
    yield from running(tmp_path_factory, LARGESSE_REQUEST_SECONDS="1")


@pytest.fixture
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with little room to wait in."""
    yield from running(tmp_path_factory, LARGESSE_LANE_CAPACITY="8")


def running(tmp_path_factory: pytest.TempPathFactory, **settings: str) -> Iterator[Server]:
    server = Server(f"sqlite:///{tmp_path_factory.mktemp('overload')}/largesse.db", settings=settings)
    yield server
    server.verify()
    server.stop()


def connection(shop: Server) -> socket.socket:
    host, port = shop.base_url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=30)


def head(shop: Server, length: int) -> bytes:
    lines = [
        "POST /v1/redemptions HTTP/1.1",
        "Host: shop",
        f"X-App-Id: {shop.keys['app_id']}",
        f"X-App-Token: {shop.keys['app_token']}",
        "Content-Type: application/json",
        f"Content-Length: {length}",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def answer(sock: socket.socket) -> bytes:
    """Everything until the server closes the connection."""
    parts = []
    while part := sock.recv(65536):
        parts.append(part)
    return b"".join(parts)


def test_beyond_capacity_requests_are_refused_before_any_work(narrow: Server) -> None:
    card = gift(narrow.client, 100_000)

    def burst(_: int) -> list[tuple[int, str]]:
        with narrow.client_for(narrow.keys) as client:
            found = [try_redeem(client, (card, 10), order=1000) for _ in range(10)]
        assert all(one.headers["retry-after"] for one in found if one.status_code == 503)
        return [(one.status_code, one.json().get("key", "ok")) for one in found]

    with ThreadPoolExecutor(64) as threads:
        outcomes = Counter(one for burst_of in threads.map(burst, range(64)) for one in burst_of)
    assert outcomes.keys() <= {(200, "ok"), (503, "overloaded")}
    assert outcomes[503, "overloaded"] > 0
    assert balance(narrow.client, card) == 100_000 - 10 * outcomes[200, "ok"]


def test_a_body_that_does_not_come_is_408(shop: Server) -> None:
    with closing(connection(shop)) as sock:
        sock.sendall(head(shop, 1000) + b"{")
        said = answer(sock)
    assert said.startswith(b"HTTP/1.1 408")
    assert b"request_timeout" in said


def test_a_head_that_does_not_end_is_let_go(shop: Server) -> None:
    with closing(connection(shop)) as slow, closing(connection(shop)) as silent, closing(connection(shop)) as endless:
        slow.sendall(b"GET /healthz HTTP/1.1\r\nHost")
        endless.sendall(b"GET /healthz HTTP/1.1\r\nX: " + b"y" * 70_000)
        assert answer(endless).startswith(b"HTTP/1.1 400")
        assert answer(slow) == answer(silent) == b""


def test_a_body_announced_too_large_is_refused_before_it_is_sent(shop: Server) -> None:
    with closing(connection(shop)) as sock:
        sock.sendall(head(shop, 10_485_761))
        assert answer(sock).startswith(b"HTTP/1.1 413")


def test_a_slow_reader_gets_the_whole_file_of_an_export(shop: Server) -> None:
    for number in range(400):
        sent = {"source_id": f"reader-{number}", "metadata": {"padding": "x" * 30_000}}
        ok(shop.client.post("/v1/customers", json=sent))
    wanted = {"exported_object": "customer", "parameters": {"fields": ["source_id", "metadata"]}}
    made = finished(shop.client, ok(shop.client.post("/v1/exports", json=wanted)))
    path = made["result"]["url"].removeprefix(shop.base_url)
    with closing(connection(shop)) as sock:
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n".encode())
        begun = sock.recv(1)
        time.sleep(2)  # longer than a request may take to arrive
        head, _, body = (begun + answer(sock)).partition(b"\r\n\r\n")
    assert int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]) == len(body) > 400 * 30_000


def test_many_idle_connections_and_many_halves_of_requests_do_no_harm(shop: Server) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4 * IDLE)), hard))
    made = code(shop.client, amount(100))
    before = memory(shop)
    with ExitStack() as stack:
        for place in range(IDLE):
            sock = stack.enter_context(closing(connection(shop)))
            sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: shop\r\n\r\n" if place % 2 else head(shop, 5000) + b"{")
        for _ in range(5):
            redeem(shop.client, made, order=1000)
        grown = memory(shop) - before
    assert grown < 100_000, f"{grown} KiB more for {IDLE} connections"
    ok(shop.client.get(f"/v1/vouchers/{made}"))


def memory(shop: Server) -> int:
    """Resident, in KiB."""
    lines = Path(f"/proc/{shop.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))
