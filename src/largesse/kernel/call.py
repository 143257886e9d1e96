"""Who asks, when, for which project: the context of one request, made once at the edge."""

from typing import Literal

import msgspec

from largesse.kernel.project import Project

Surface = Literal["server", "client", "management"]


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """The credential behind a request. `scopes` is None where the credential opens its whole surface."""

    surface: Surface
    key_id: str
    key_name: str = ""
    role: str = "ADMIN"
    scopes: frozenset[str] | None = None


class Idempotency(msgspec.Struct, eq=False):
    """What the caller's Idempotency-Key stands for: digests of method, path and key, and of what was sent under it.

    `replayed` turns True where the answer is that of an earlier request.
    """

    id: str
    request: str
    replayed: bool = False


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """`now` in microseconds UTC; `channel` is the free text of X-Voucherify-Channel, `API` by default."""

    project: Project
    caller: Caller
    request_id: str
    now: int
    channel: str = "API"
    idempotency: Idempotency | None = None

    @property
    def is_client(self) -> bool:
        return self.caller.surface == "client"
