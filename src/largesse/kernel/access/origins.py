"""Browser origins: which may use the client-side surface, and what is said to them."""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from largesse.kernel.errors import forbidden
from largesse.kernel.project import Project

if TYPE_CHECKING:
    from largesse.kernel.access.authentication import Authenticator

_PORTS = {"http": 80, "https": 443}
_EXPOSED = (
    "X-Request-Id, X-Rate-Limit-Limit, X-Rate-Limit-Remaining, X-Rate-Limit-Retry, X-Rate-Limit-Type, Retry-After, "
    "Idempotency-Replayed"
)
_ALLOWED = (
    "X-Client-Application-Id, X-Client-Token, Content-Type, Authorization, X-Voucherify-Channel, X-Voucherify-API-Version, "
    "Idempotency-Key"
)


def cors_headers(project: Project, origin: str | None) -> dict[str, str]:
    """Headers for a client-side answer. Raises ApiError 403 for an origin the project does not trust, or none where not all are."""
    trusted = project.settings.client_trusted_domains
    if origin is None:
        if "*" in trusted:
            return {}
        raise forbidden("A client-side call needs an Origin header that the project trusts")
    if not is_trusted(origin, trusted):
        raise forbidden(f"Origin {origin[:200]} is not among the project's trusted domains")
    return _headers(origin)


async def preflight_headers(authenticator: "Authenticator", origin: str | None) -> dict[str, str]:
    """Answer to a preflight: allowed where any project trusts the origin; the call itself is then judged by its own project."""
    if origin is None or not is_trusted(origin, await authenticator.trusted_origins()):
        return {"Vary": "Origin"}
    return _headers(origin) | {
        "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
        "Access-Control-Allow-Headers": _ALLOWED,
        "Access-Control-Max-Age": "86400",
    }


def is_trusted(origin: str, trusted: "list[str] | frozenset[str]") -> bool:
    """Exact match of scheme, host and port, ignoring case; an entry without scheme means http and https; `*` means all."""
    if "*" in trusted:
        return True
    asked = _parts(origin)
    return asked is not None and any(_matches(asked, entry) for entry in trusted)


def _matches(asked: tuple[str, str, int], entry: str) -> bool:
    if "://" in entry:
        return asked == _parts(entry)
    return any(asked == _parts(f"{scheme}://{entry}") for scheme in _PORTS)


def _parts(origin: str) -> tuple[str, str, int] | None:
    try:
        found = urlsplit(origin)
        port = found.port
    except ValueError:
        return None
    scheme = found.scheme.lower()
    if scheme not in _PORTS or not found.hostname:
        return None
    return scheme, found.hostname.lower(), port or _PORTS[scheme]


def _headers(origin: str) -> dict[str, str]:
    return {"Access-Control-Allow-Origin": origin, "Vary": "Origin", "Access-Control-Expose-Headers": _EXPOSED}
