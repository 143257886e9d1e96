"""The Idempotency-Key header: which requests may carry it, and what it stands for."""

import hashlib
from collections.abc import Mapping

from largesse.kernel.call import Idempotency
from largesse.kernel.errors import invalid

HEADER = b"idempotency-key"
REPLAYED = (b"idempotency-replayed", b"true")
MAX_LENGTH = 255
METHODS = ("POST", "PUT", "DELETE")
NOT_UNDER = "/v1/oauth/"  # tokens are never stored, so they cannot be given again


def sent(method: str, path: str, query: bytes, headers: Mapping[bytes, bytes]) -> Idempotency | None:
    """The key of a request that may change something; None without one. Raises ApiError 400 `invalid_idempotency_key`."""
    key = headers.get(HEADER)
    if key is None or method not in METHODS or path.startswith(NOT_UNDER):
        return None
    if not 1 <= len(key) <= MAX_LENGTH:
        details = (
            f"Idempotency-Key should have 1 to {MAX_LENGTH} characters, such as those of a UUID; it has {len(key)}."
        )
        raise invalid("invalid_idempotency_key", "Invalid idempotency key", details)
    return Idempotency(id=digest(method.encode(), path.encode(), key), request=digest(query))


def digest(*parts: bytes) -> str:
    """Of texts whose borders count."""
    found = hashlib.sha256()
    for part in parts:
        found.update(len(part).to_bytes(8, "big"))
        found.update(part)
    return found.hexdigest()
