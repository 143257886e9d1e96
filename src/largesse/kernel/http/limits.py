"""Call limits: a quota per key, off by default, and the client-side limit per address."""

import time

from largesse.engine.refusal import Refusal
from largesse.kernel.call import Call
from largesse.kernel.errors import ApiError
from largesse.kernel.settings import Settings

_MINUTE = 60.0
_CLIENT_WINDOW = 5.0
_FORGET_ABOVE = 10_000


class _Bucket:
    """A token bucket: `size` calls at once, refilled over `seconds`."""

    __slots__ = ("left", "seen")

    def __init__(self, size: int, now: float) -> None:
        self.left = float(size)
        self.seen = now

    def take(self, size: int, seconds: float, now: float) -> float:
        """Takes one call; answers the seconds until the next is allowed, 0 when this one was."""
        self.left = min(float(size), self.left + (now - self.seen) * size / seconds)
        self.seen = now
        if self.left >= 1:
            self.left -= 1
            return 0.0
        return (1 - self.left) * seconds / size


class Limits:
    """Counted per process."""

    def __init__(self, settings: Settings) -> None:
        self._per_minute = settings.calls_per_minute
        self._per_address = settings.client_calls_per_5_seconds
        self._keys: dict[str, _Bucket] = {}
        self._addresses: dict[str, _Bucket] = {}

    def check(self, call: Call, address: str) -> dict[str, str]:
        """The rate headers of an allowed call, empty without a quota. Raises ApiError 429."""
        if call.is_client and self._per_address:
            wait, _ = self._take(self._addresses, address, self._per_address, _CLIENT_WINDOW)
            if wait:
                raise _too_many(wait, {})
        if not self._per_minute:
            return {}
        wait, left = self._take(self._keys, call.caller.key_id, self._per_minute, _MINUTE)
        headers = {
            "X-Rate-Limit-Limit": str(self._per_minute),
            "X-Rate-Limit-Remaining": str(left),
            "X-Rate-Limit-Retry": str(int(time.time() + wait)),
        }
        if wait:
            raise _too_many(wait, headers)
        return headers

    def _take(self, buckets: dict[str, _Bucket], name: str, size: int, seconds: float) -> tuple[float, int]:
        now = time.monotonic()
        bucket = buckets.get(name)
        if bucket is None:
            if len(buckets) >= _FORGET_ABOVE:
                buckets.clear()
            bucket = buckets[name] = _Bucket(size, now)
        wait = bucket.take(size, seconds, now)
        return wait, int(bucket.left)


def _too_many(wait: float, headers: dict[str, str]) -> ApiError:
    refusal = Refusal(code=429, key="too_many_requests", message="Too many requests hit the API too quickly.")
    seconds = str(int(wait) + 1)
    return ApiError(refusal, {"Retry-After": seconds, "X-Rate-Limit-Type": "api_calls", **headers})
