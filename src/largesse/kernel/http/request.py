"""What a route works with: the request with its call context, and the two forms of an answer."""

from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeVar

from litestar import Request, Response
from litestar.datastructures import State

from largesse.kernel import wire
from largesse.kernel.call import Call
from largesse.kernel.database.database import Database
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import ClientDisconnected, forbidden
from largesse.kernel.http.idempotency import digest
from largesse.kernel.http.query import Query
from largesse.kernel.settings import Settings

T = TypeVar("T")
CALL = "largesse_call"  # where the edge leaves the Call in the ASGI scope


class ApiRequest(Request[Any, Any, State]):
    """A request that passed the edge: authenticated, within its limits, with `now` fixed."""

    @property
    def call(self) -> Call:
        call: Call = self.scope[CALL]  # type: ignore[literal-required]  # ASGI scopes may carry own keys
        return call

    @property
    def settings(self) -> Settings:
        settings: Settings = self.app.state.settings
        return settings

    @property
    def database(self) -> Database:
        database: Database = self.app.state.database
        return database

    @cached_property
    def query(self) -> Query:
        return Query(self.scope["query_string"])

    async def payload(self, kind: type[T]) -> T:
        """The body as `kind`; empty counts as `{}`. Raises ApiError 400 `invalid_payload`."""
        return wire.decode_body(await self.whole_body(), kind)

    async def whole_body(self) -> bytes:
        """The body as bytes; its size is bounded by the edge. Raises ClientDisconnected when the client goes away first."""
        parts: list[bytes] = []
        while True:
            message: Any = await self.receive()
            if message["type"] != "http.request":
                raise ClientDisconnected
            parts.append(message["body"])
            if not message.get("more_body"):
                break
        body = b"".join(parts)
        if self.call.idempotency is not None:
            self.call.idempotency.request = digest(self.scope["query_string"], body)
        return body

    async def read(self, function: Callable[[Unit], T]) -> T:
        return await self.database.read(self.call, function)

    async def write(self, function: Callable[[Unit], T]) -> T:
        return await self.database.write(self.call, function)

    def require_switch(self, switch: str) -> None:
        """Refuses a client-side call whose project has not switched `switch` on (403); server keys need none."""
        if self.call.is_client and not getattr(self.call.project.settings, switch):
            raise forbidden(f"This project does not allow it from the client side: {switch} is off.")


def answer(value: object, status: int = 200) -> Response[bytes]:
    return Response(wire.encode(value), status_code=status, media_type="application/json")


def no_content() -> Response[None]:
    return Response(None, status_code=204)


def operation(
    summary: str,
    *,
    body: Any = None,
    answer: Any = None,
    status: int = 200,
    query: tuple[str, ...] = (),
    deprecated: bool = False,
) -> dict[str, Any]:
    """Keyword arguments of a Litestar handler: its status, and what the API description says of it.

    `body` and `answer` are the msgspec types; `query` names the parameters the operation reads.
    """
    described = {"summary": summary, "body": body, "answer": answer, "query": query, "deprecated": deprecated}
    return {"status_code": status, "opt": described}
