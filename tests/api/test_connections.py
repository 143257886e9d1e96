"""What travels on one connection: answers in one piece and in order, also without a body, and permission to send one."""

import json
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.servers import Server


@pytest.fixture
def sock(server: Server) -> Iterator[socket.socket]:
    host, port = server.base_url.removeprefix("http://").split(":")
    with closing(socket.create_connection((host, int(port)), timeout=30)) as connected:
        yield connected


def request(server: Server, line: str, body: bytes = b"", *more: str) -> bytes:
    keys = (f"X-App-Id: {server.keys['app_id']}", f"X-App-Token: {server.keys['app_token']}")
    typed = ("Content-Type: application/json", f"Content-Length: {len(body)}") if body else ()
    return "\r\n".join([f"{line} HTTP/1.1", "Host: shop", *keys, *typed, *more, "\r\n"]).encode()


def whole(answer: bytes) -> tuple[bytes, bytes]:
    """Its status line and its body, which must be there to the last byte."""
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.split(b"\r\n")
    length = next(int(line[15:]) for line in lines if line.lower().startswith(b"content-length:"))
    assert len(body) == length, answer
    return status, body


def test_an_answer_comes_in_one_piece(server: Server, sock: socket.socket) -> None:
    for _ in range(20):
        sock.sendall(request(server, "GET /v1/vouchers/none"))
        status, body = whole(sock.recv(65536))
        assert status.startswith(b"HTTP/1.1 404")
        assert json.loads(body)["key"] == "not_found"


def test_an_answer_without_a_body_does_not_wait_for_the_next(server: Server, sock: socket.socket) -> None:
    for _ in range(2):
        sock.sendall(request(server, "HEAD /healthz"))
        assert sock.recv(65536).endswith(b"\r\n\r\n")
    sock.sendall(request(server, "GET /healthz", b"", "Connection: close"))
    assert whole(sock.recv(65536))[0] == b"HTTP/1.1 200 OK"
    assert sock.recv(1) == b""


def test_answers_to_requests_sent_at_once_come_in_order(server: Server, sock: socket.socket) -> None:
    sock.sendall(b"".join(request(server, f"GET /v1/vouchers/none-{n}") for n in range(5)))
    received = b""
    while received.count(b'"request_id"') < 5:
        received += sock.recv(65536)
    places = [received.index(f"none-{n}".encode()) for n in range(5)]
    assert places == sorted(places)


def test_who_asks_whether_to_send_a_body_is_told_to(server: Server, sock: socket.socket) -> None:
    body = json.dumps({"redeemables": [{"object": "voucher", "id": "none"}], "order": {"amount": 100}}).encode()
    sock.sendall(request(server, "POST /v1/validations", body, "Expect: 100-continue"))
    assert sock.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
    sock.sendall(body)
    status, said = whole(sock.recv(65536))
    assert status == b"HTTP/1.1 200 OK"
    assert json.loads(said)["valid"] is False


def test_a_head_that_begins_behind_a_large_request_is_not_taken_for_large(server: Server, sock: socket.socket) -> None:
    body = json.dumps({"redeemables": [{"object": "voucher", "id": "none"}], "ignored": "y" * 90_000}).encode()
    following = request(server, "GET /v1/vouchers/none")
    os.kill(server.process.pid, signal.SIGSTOP)  # so that it finds all at once
    try:
        sock.sendall(request(server, "POST /v1/validations", body) + body + following[:40])
    finally:
        os.kill(server.process.pid, signal.SIGCONT)
    assert whole(sock.recv(65536))[0] == b"HTTP/1.1 200 OK"
    sock.sendall(following[40:])
    assert whole(sock.recv(65536))[0].startswith(b"HTTP/1.1 404")
