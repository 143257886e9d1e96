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


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """`now` in microseconds UTC; `channel` is the free text of X-Voucherify-Channel, `API` by default."""

    project: Project
    caller: Caller
    request_id: str
    now: int
    channel: str = "API"

    @property
    def is_client(self) -> bool:
        return self.caller.surface == "client"
