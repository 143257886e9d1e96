"""The connection below HTTP: a client that is slow with the head of a request, or sends one without end, is let go.

Bodies are bounded in size and time at the edge, where an answer can say so. And an answer leaves in one piece: head and body apart
would be two calls of the system and, for the client, two arrivals.
"""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES = 65_536  # request line and headers


class _Joined:
    """A transport that keeps the head of an answer for what is written next."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._head = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if data.startswith(b"HTTP/1.1 ") and not data.startswith(b"HTTP/1.1 100 "):
            self.flush()
            self._head = data
        else:
            self._transport.write(self._head + data)
            self._head = b""

    def flush(self) -> None:
        if self._head and not self._transport.is_closing():
            self.write(b"")

    def close(self) -> None:
        self.flush()
        self._transport.close()


class Protocol(HttpToolsProtocol):
    """uvicorn's, with a limit to the time (`head_seconds`) and the size of the head of each request."""

    head_seconds = 30.0

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._timer: asyncio.TimerHandle | None = None
        self._reading_head = True
        self._head = 0
        self._is_shared = False  # whether the data at hand holds the end of another request

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(_Joined(transport))  # type: ignore[arg-type]  # it is one in all that matters
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_is_here()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._is_shared = False
        super().data_received(data)
        if not self._reading_head:  # most heads come whole, and cost no timer
            return
        if not self._is_shared:  # else nobody knows how much of it is this head
            self._head += len(data)
        if self._timer is None:
            self._wait_for_head()
        if self._head > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response(f"The head of a request may have {MAX_HEAD_BYTES} bytes.")

    def on_message_begin(self) -> None:
        self._reading_head, self._head = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._head_is_here()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._is_shared = True
        super().on_message_complete()

    def on_response_complete(self) -> None:
        cast(_Joined, self.transport).flush()  # the answer to HEAD has no body that would take it along
        super().on_response_complete()

    def _wait_for_head(self) -> None:
        self._timer = self.loop.call_later(self.head_seconds, self._give_up)

    def _head_is_here(self) -> None:
        self._reading_head = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        self._timer = None
        if not self.transport.is_closing():
            self.transport.close()
