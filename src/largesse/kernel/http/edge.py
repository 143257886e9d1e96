"""The edge: what happens to every request before it is routed, and to every answer before it leaves.

Request id, size limit, raw paths, health, authentication, limits, CORS, metrics and the access log. Authentication comes before
routing: an unknown path with bad keys is 401, with good ones 404.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from functools import cache
from typing import Any

from litestar import Litestar, Response
from litestar.enums import ScopeType
from litestar.handlers import HTTPRouteHandler
from litestar.types import HTTPScope, Message, Receive, Scope, Send
from prometheus_client import Counter

from largesse.engine.refusal import Refusal
from largesse.kernel import clock, ids, metrics, wire
from largesse.kernel.access.authentication import Authenticator
from largesse.kernel.access.origins import cors_headers, preflight_headers
from largesse.kernel.call import Call, Idempotency, Surface
from largesse.kernel.errors import ApiError, ClientDisconnected, invalid, overloaded
from largesse.kernel.http import idempotency, media
from largesse.kernel.http.failures import REQUEST_ID, error_body, internal_error
from largesse.kernel.http.limits import Limits
from largesse.kernel.http.query import Query
from largesse.kernel.http.request import CALL, ApiRequest

_log = logging.getLogger("largesse.access")
_SURFACES: tuple[tuple[str, Surface], ...] = (
    ("/v1/", "server"),
    ("/client/v1/", "client"),
    ("/management/v1/", "management"),
    ("/v2/", "server"),
    ("/largesse/v1/", "server"),
)
API_VERSIONS = (b"v2018-08-01",)
ENCODED = "largesse_encoded_path"
MAX_HELD_BYTES = 256 * 1024 * 1024  # of bodies in one process; what comes beyond is told to come again


class Edge:
    """Wraps the routed application `app`; `trust_proxy` takes the caller's address from X-Forwarded-For.

    A body has `request_seconds` to arrive.
    """

    def __init__(
        self,
        app: Litestar,
        handlers: Iterable[HTTPRouteHandler],
        authenticator: Authenticator,
        limits: Limits,
        *,
        trust_proxy: bool,
        request_seconds: float,
    ) -> None:
        self._app = app
        # Operations without path parameters need no routing: called straight, they cost half as much outside their own work.
        self._straight: dict[tuple[str, str], Callable[..., Awaitable[Response[Any]]]] = {
            (method, path): handler.fn
            for handler in handlers
            for path in handler.paths
            for method in handler.http_methods
            if "{" not in path
        }
        self._authenticator = authenticator
        self._limits = limits
        self._trust_proxy = trust_proxy
        self._room = _Room()
        self._seconds = request_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP:
            await self._answer(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _answer(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        exchange = _Exchange(scope, receive, send, self._room, self._seconds)
        try:
            await self._admit(scope, exchange)
        except ApiError as error:
            await exchange.refuse(error)
        except ClientDisconnected:
            exchange.status = 499
        except Exception:  # nothing may leave without the error shape
            _log.exception("request %s failed", exchange.request_id)
            await exchange.fail()
        finally:
            self._room.held -= exchange.received
        seconds = time.perf_counter() - started
        _answered(scope["method"], exchange.status).inc()
        metrics.REQUEST_SECONDS.observe(seconds)
        if _log.isEnabledFor(logging.INFO):
            extra = {
                "request_id": exchange.request_id,
                "method": scope["method"],
                "path": scope["path"],
                "status": exchange.status,
                "ms": round(seconds * 1000, 1),
            }
            _log.info("request", extra=extra)

    async def _admit(self, scope: HTTPScope, exchange: "_Exchange") -> None:
        path = _routed_path(scope)
        surface = next((kind for prefix, kind in _SURFACES if path.startswith(prefix)), None)
        if surface is not None and not _is_download(scope["method"], path, scope["query_string"]):
            headers = dict(scope["headers"])
            origin = headers.get(b"origin", b"").decode("latin-1") or None
            if surface == "client" and scope["method"] == "OPTIONS":
                exchange.headers += _encoded(await preflight_headers(self._authenticator, origin))
                await exchange.empty(204)
                return
            await self._identify(scope, exchange, headers, surface, path, origin)
            media.check(scope["method"], path, headers)
        exchange.check_length(scope)
        handler = self._straight.get((scope["method"], path))
        if handler is None or surface is None:
            await self._app(scope, exchange.receive, exchange.send)
            return
        scope["litestar_app"] = self._app
        response = await handler(request=ApiRequest(scope, exchange.receive, exchange.send))
        await exchange.respond(response.status_code or 200, response.content or b"")

    async def _identify(
        self,
        scope: HTTPScope,
        exchange: "_Exchange",
        headers: dict[bytes, bytes],
        surface: Surface,
        path: str,
        origin: str | None,
    ) -> None:
        address = self._client_address(scope, headers)
        project, caller = await self._authenticator.authenticate(headers, surface, path, address)
        if surface == "client":
            exchange.headers += _encoded(cors_headers(project, origin))
        version = headers.get(b"x-voucherify-api-version")
        if version and version not in API_VERSIONS:
            details = f"The only version served is {API_VERSIONS[0].decode()}; leave the header out or send that."
            raise invalid("invalid_api_version", "Invalid API version", details)
        channel = headers.get(b"x-voucherify-channel", b"API").decode("latin-1")[:255]
        call = Call(
            project=project,
            caller=caller,
            request_id=exchange.request_id,
            now=clock.now_micros(),
            channel=channel,
            idempotency=idempotency.sent(scope["method"], path, scope["query_string"], headers),
        )
        exchange.idempotency = call.idempotency
        exchange.headers += _encoded(self._limits.check(call, address))
        scope[CALL] = call  # type: ignore[literal-required]  # ASGI scopes may carry own keys

    def _client_address(self, scope: HTTPScope, headers: dict[bytes, bytes]) -> str:
        forwarded = headers.get(b"x-forwarded-for") if self._trust_proxy else None
        if forwarded:
            return forwarded.split(b",")[-1].strip().decode("latin-1")
        client = scope.get("client")
        return client[0] if client else ""


class _Room:
    """How many bytes of bodies the requests at hand hold."""

    held = 0


class _Exchange:
    """One request and its answer: the id, the headers every answer carries, the status that left."""

    def __init__(self, scope: HTTPScope, receive: Receive, send: Send, room: _Room, seconds: float) -> None:
        self.request_id = ids.request_id()
        self.headers: list[tuple[bytes, bytes]] = [(b"x-request-id", self.request_id.encode())]
        self.status = 0
        self.idempotency: Idempotency | None = None
        self._receive = receive
        self._send = send
        self._room = room
        self.received = 0
        self._seconds = seconds
        self._is_whole = False  # the body: what comes after it is that the client left, whenever that may be
        self._deadline = asyncio.get_running_loop().time() + seconds
        scope[REQUEST_ID] = self.request_id  # type: ignore[literal-required]  # ASGI scopes may carry own keys

    def check_length(self, scope: HTTPScope) -> None:
        """Refuses a body by its announced length, before a byte of it is read."""
        for name, value in scope["headers"]:
            if name == b"content-length" and (not value.isdigit() or int(value) > wire.MAX_BODY_BYTES):
                raise _too_large()

    async def receive(self) -> Any:
        """The next part of the body; refuses one that is too large, that takes too long, or that there is no room for."""
        if self._is_whole:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            raise _too_slow(self._seconds) from None
        if message["type"] == "http.request":
            self._is_whole = not message.get("more_body", False)
            size = len(message.get("body", b""))
            self.received += size
            self._room.held += size
            if self.received > wire.MAX_BODY_BYTES:
                raise _too_large()
            if self._room.held > MAX_HELD_BYTES:
                raise overloaded()
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            replayed = [idempotency.REPLAYED] if self.idempotency is not None and self.idempotency.replayed else []
            message["headers"] = [*message["headers"], *self.headers, *replayed]
        await self._send(message)

    async def empty(self, status: int) -> None:
        await self.respond(status, b"", [])

    async def refuse(self, error: ApiError) -> None:
        if not self.status:
            await self.respond(error.refusal.code, error_body(error, self.request_id), _encoded(error.headers))

    async def fail(self) -> None:
        if not self.status:
            await self.respond(500, internal_error(self.request_id), [])

    async def respond(self, status: int, body: bytes, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
        """Sends a whole answer at once, in JSON unless it is empty."""
        kind = [(b"content-type", b"application/json")] if body else []
        length = [(b"content-length", str(len(body)).encode())]
        await self.send({"type": "http.response.start", "status": status, "headers": [*kind, *length, *headers]})
        await self.send({"type": "http.response.body", "body": body, "more_body": False})


@cache
def _answered(method: str, status: int) -> Counter:
    """The counter of such answers; finding it by its labels costs five times as much as counting."""
    return metrics.REQUESTS.labels(method, status)


def _routed_path(scope: HTTPScope) -> str:
    """The path to route by, set into the scope.

    Escapes stay as sent until the route is known (`%2F` inside a code must not split it); doubled slashes in front and one at the
    end are forgiven, without a redirect.
    """
    raw = scope.get("raw_path") or b""
    path = scope["path"]
    if b"%" in raw:
        path = raw.partition(b"?")[0].decode("ascii", "replace")
        scope[ENCODED] = True  # type: ignore[literal-required]  # ASGI scopes may carry own keys
    if path.startswith("//"):
        path = "/" + path.lstrip("/")
    if len(path) > 1 and path.endswith("/"):
        path = path.rstrip("/") or "/"
    scope["path"] = path
    return path


def _is_download(method: str, path: str, query: bytes) -> bool:
    """Whether the file of an export is asked for: the token in its address stands for keys (documented), and is checked there."""
    if method != "GET" or not path.startswith("/v1/exports/") or path.count("/") != 3:
        return False
    return Query(query).text("token") is not None


def _too_slow(seconds: float) -> ApiError:
    details = f"The body did not arrive within {seconds:g} seconds. Nothing was done; send it again."
    refusal = Refusal(code=408, key="request_timeout", message="Request timeout", details=details)
    return ApiError(refusal, {"Connection": "close"})


def _too_large() -> ApiError:
    message = f"Payload content length greater than maximum allowed: {wire.MAX_BODY_BYTES}"
    return ApiError(Refusal(code=413, key="query_too_large", message=message), {"Connection": "close"})


def _encoded(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
