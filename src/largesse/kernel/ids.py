"""Identifiers: a prefix that names the kind, and a body that sorts by creation time.

Two families, as the API shows them: 18 lowercase hex digits, and mixed alphanumerics. Both begin with the time, because rows
inserted in key order cost a store markedly less, and because `order=id` pages by creation.
"""

import random
import secrets
import threading
import time

_HEX_EPOCH_MS = 1_462_320_000_000  # 2016-05-04T00:00:00Z, observed in the API's own ids
_ALPHABET = (
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"  # ASCII order, so that text order is time order
)
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_TIME_DIGITS = 8


class _Ticker:
    """Strictly increasing (tick, sequence) pairs within one process; a tick is 4 ms."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tick = 0
        self._sequence = 0

    def next(self) -> tuple[int, int]:
        tick = (time.time_ns() // 1_000_000 - _HEX_EPOCH_MS) >> 2
        with self._lock:
            if tick > self._tick:
                self._tick, self._sequence = tick, 0
            else:
                self._sequence += 1
                if self._sequence > 0xFFFF:
                    self._tick, self._sequence = self._tick + 1, 0
            return self._tick, self._sequence


_ticker = _Ticker()


def hex_id(prefix: str) -> str:
    """`<prefix>` + 18 hex digits: 10 of time (4 ms steps), 4 of sequence, 4 random that tell processes apart."""
    tick, sequence = _ticker.next()
    return f"{prefix}{tick:010x}{sequence:04x}{random.getrandbits(16):04x}"


def hex_floor(prefix: str, seconds: int) -> str:
    """What every `hex_id` of the last `seconds` is greater than."""
    tick = (time.time_ns() // 1_000_000 - _HEX_EPOCH_MS - seconds * 1000) >> 2
    return f"{prefix}{tick:010x}"


def hex_id_at(prefix: str, micros: int) -> str:
    """The least id that `hex_id` could have given at an instant: where ids from then on begin."""
    return f"{prefix}{max(0, micros // 1000 - _HEX_EPOCH_MS) >> 2:010x}"


def text_id(prefix: str, length: int = 24) -> str:
    """`<prefix>` + `length` alphanumerics: 8 of time (microseconds), the rest random."""
    return prefix + _base62(time.time_ns() // 1000, _TIME_DIGITS) + random_text(length - _TIME_DIGITS)


def random_text(length: int) -> str:
    """`length` alphanumerics from the system's random source."""
    return _base62(secrets.randbits(length * 6), length)


def time_uuid() -> str:
    """A UUID of version 7: 48 bits of time (milliseconds), 74 from the system's random source."""
    milliseconds, chance = time.time_ns() // 1_000_000, secrets.randbits(74)
    text = f"{milliseconds:012x}7{chance >> 62:03x}{(0b10 << 62) | (chance & (1 << 62) - 1):016x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def request_id() -> str:
    """`v-` + 18 hex digits: names one HTTP request in errors, events and logs."""
    return hex_id("v-")


def _base62(number: int, digits: int) -> str:
    """The last `digits` digits of a number, two at a time."""
    out = []
    for _ in range((digits + 1) // 2):
        number, rest = divmod(number, 3844)
        out.append(_PAIRS[rest])
    out.reverse()
    return "".join(out)[-digits:]
