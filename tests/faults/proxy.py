"""A way to PostgreSQL on which a COMMIT can go wrong: its answer is lost, or it arrives when the one who sent it is gone."""

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit


class Proxy:
    """Listens on `port` and passes on to the server whose socket is at `path`.

    After `lose`, the server hears of the next COMMIT so many seconds after its client was cut off; or, with None, at once, and the
    answer is what does not arrive. `lost` counts them.
    """

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._armed: list[float | None] = []
        self.lost = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def way_to(self, store: str) -> str:
        """The address of a database of the server, through here."""
        database = urlsplit(store).path.lstrip("/")
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}?sslmode=disable&gssencmode=disable"

    def lose(self, late_seconds: float | None) -> None:
        self._armed.append(late_seconds)

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                server = socket.socket(socket.AF_UNIX)
                try:
                    server.connect(self._path)
                except OSError:  # it is away
                    _cut(client, server)
                    continue
                is_mute = threading.Event()
                threading.Thread(target=self._forth, args=(client, server, is_mute), daemon=True).start()
                threading.Thread(target=_back, args=(client, server, is_mute), daemon=True).start()

    def _forth(self, client: socket.socket, server: socket.socket, is_mute: threading.Event) -> None:
        commits: set[bytes] = set()  # the names under which COMMIT is prepared
        with suppress(OSError):
            for messages in _messages(client):
                is_commit = False
                for kind, body in messages:
                    if kind == b"P" and body.split(b"\0")[1] == b"COMMIT":
                        commits.add(body.split(b"\0")[0])
                    is_commit |= kind == b"B" and body.split(b"\0")[1] in commits
                    is_commit |= kind == b"Q" and body == b"COMMIT\0"
                if is_commit and self._armed:
                    self._lose(client, server, _encoded(messages), is_mute)
                    return
                server.sendall(_encoded(messages))
        _cut(client, server)

    def _lose(self, client: socket.socket, server: socket.socket, commit: bytes, is_mute: threading.Event) -> None:
        late_seconds = self._armed.pop()
        self.lost += 1
        is_mute.set()
        if late_seconds is not None:
            _cut(client)
            time.sleep(late_seconds)
        with suppress(OSError):
            server.sendall(commit)
            time.sleep(0.2)
        _cut(client, server)


def _back(client: socket.socket, server: socket.socket, is_mute: threading.Event) -> None:
    with suppress(OSError):
        while said := server.recv(65536):
            if not is_mute.is_set():
                client.sendall(said)
    _cut(client)


def _cut(*ends: socket.socket) -> None:
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()


def _encoded(messages: list[tuple[bytes, bytes]]) -> bytes:
    return b"".join(kind + struct.pack("!I", len(body) + 4) + body for kind, body in messages)


def _messages(client: socket.socket) -> Iterator[list[tuple[bytes, bytes]]]:
    """What a client says, (kind, body), as many at once as have arrived; its first words have no kind."""
    buffer, has_begun = b"", False
    while part := client.recv(65536):
        buffer += part
        found = []
        while len(buffer) >= 4 + has_begun:
            end = has_begun + struct.unpack_from("!I", buffer, has_begun)[0]
            if len(buffer) < end:
                break
            found.append((buffer[:has_begun], buffer[4 + has_begun : end]))
            buffer, has_begun = buffer[end:], True
        if found:
            yield found
