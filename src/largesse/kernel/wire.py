"""JSON in and out: one encoder, decoders per type, and error texts in the API's words.

Requests are msgspec structs: unknown members are ignored, a wrong type or an impossible value is 400 `invalid_payload` that names
the place (`.redeemables[1]`). Answers are structs too; a member that is `UNSET` is left out.
"""

import math
import re
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

import msgspec

from largesse.kernel import clock
from largesse.kernel.errors import ApiError, invalid_payload

T = TypeVar("T")

MAX_BODY_BYTES = 10_485_760
MAX_DEPTH = 64
MAX_METADATA_BYTES = 65_536
_MAX_EXACT = 2**53  # beyond it a float says no whole number exactly


class Instant(int):
    """Microseconds UTC, decoded from an ISO 8601 date or timestamp."""


class Day(str):
    """A date-only text, `YYYY-MM-DD`, checked to be a real day."""


def _decode_special(kind: type[Any], value: Any) -> Any:
    if kind is Instant:
        try:
            return Instant(clock.parse_iso(value))
        except (TypeError, ValueError):
            raise ValueError("cannot be recognized as a ISO-8601 compliant date") from None
    if kind is Day:
        try:
            clock.parse_day(value)
        except (TypeError, ValueError):
            raise ValueError("should be a date of the form YYYY-MM-DD") from None
        return Day(value)
    raise NotImplementedError(kind)


_encoder = msgspec.json.Encoder(decimal_format="number")


def encode(value: object) -> bytes:
    """Compact UTF-8 JSON; decimals are written as numbers."""
    return _encoder.encode(value)


def encode_text(value: object) -> str:
    """The same as text, for JSON columns."""
    return _encoder.encode(value).decode()


def decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    """The decoder of a type, made once."""
    return _decoder(kind)


@cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind, dec_hook=_decode_special, float_hook=_number)


def _number(text: str) -> int | float:
    """Of a member that no type describes yet: 500.0 is the whole number 500, as some clients write it."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"Number {text[:20]} is out of range")
    return int(value) if value.is_integer() and abs(value) < _MAX_EXACT else value


def decode_stored(text: str | bytes, kind: type[T]) -> T:
    """A value this system wrote itself."""
    value: T = decoder(kind).decode(text)
    return value


def convert(value: Any, kind: Any, place: str = "") -> Any:
    """A part of an already decoded document, found at `place`, as `kind`; raises ApiError like `decode_body`."""
    try:
        return msgspec.convert(value, kind, dec_hook=_decode_special)
    except msgspec.ValidationError as error:
        raise _payload_error(error, place) from None


def without_nulls(value: Any) -> Any:
    """`value` less every null member, at any depth: in what is created, null counts as absent."""
    if isinstance(value, dict):
        return {key: without_nulls(member) for key, member in value.items() if member is not None}
    if isinstance(value, list):
        return [without_nulls(member) for member in value]
    return value


def _with_whole_numbers(body: bytes, kind: type[T], first: msgspec.ValidationError) -> T:
    """Reads 500.0 as 500 where a whole number is due, too; raises what was wrong at `first` where that does not help."""
    try:
        value: T = msgspec.convert(decoder(Any).decode(body or b"{}"), kind, dec_hook=_decode_special)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise _payload_error(first) from None
    return value


def decode_body(body: bytes, kind: type[T]) -> T:
    """The request body as `kind`; an empty body counts as `{}`. Raises ApiError 400 `invalid_payload`."""
    check_depth(body)
    if b"u0000" in body and _NUL.search(body):
        raise invalid_payload("Payload contains a NUL character, which no text can hold")
    try:
        value: T = decoder(kind).decode(body or b"{}")
    except msgspec.ValidationError as error:
        return _with_whole_numbers(body, kind, error)
    except msgspec.DecodeError as error:
        raise invalid_payload(f"Invalid request payload JSON format: {error}") from None
    except (RecursionError, UnicodeDecodeError):
        raise invalid_payload("Invalid request payload JSON format") from None
    return value


_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)


def check_depth(body: bytes) -> None:
    """Refuses documents nested deeper than 64 levels (our decision), before anything recursive looks at them."""
    if body.count(b"{") + body.count(b"[") <= MAX_DEPTH:
        return
    depth = 0
    for bracket in re.findall(rb"[\[\]{}]", _STRING.sub(b"", body)):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_DEPTH:
            raise invalid_payload(f"Payload is nested deeper than {MAX_DEPTH} levels")


def check_metadata(metadata: dict[str, Any] | None) -> None:
    """Refuses metadata over 64 KiB (our decision)."""
    if metadata and len(encode(metadata)) > MAX_METADATA_BYTES:
        raise invalid_payload(f"Property .metadata should not be larger than {MAX_METADATA_BYTES} bytes")


def merge_metadata(stored: dict[str, Any], sent: dict[str, Any] | None) -> dict[str, Any]:
    """`stored` with the sent keys laid over it: plain objects merge, all else replaces, null is stored (our decision)."""
    if not sent:
        return stored
    merged = dict(stored)
    for key, value in sent.items():
        old = merged.get(key)
        merged[key] = merge_metadata(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def without_fields(metadata: dict[str, Any], paths: list[str]) -> dict[str, Any]:
    """`metadata` less the named keys; a dot leads into a nested object. Unknown ones are ignored."""
    left = dict(metadata)
    for path in paths:
        key, _, rest = path.partition(".")
        if path in left:
            del left[path]
        elif rest and isinstance(left.get(key), dict):
            left[key] = without_fields(left[key], [rest])
    return left


_TYPES = {
    "int": "integer",
    "float": "number",
    "str": "string",
    "bool": "boolean",
    "object": "object",
    "array": "array",
    "null": "null",
    "decimal": "number",
}
_PATH = re.compile(r"^(?P<text>.*?)(?: - at (?P<inside>`key` in )?`(?P<path>[^`]*)`)?$", re.DOTALL)
_RULES: list[tuple[re.Pattern[str], Callable[[re.Match[str]], str]]] = [
    (re.compile(r"Object contains unknown field `([^`]+)`"), lambda m: f"should not have a property '{m[1]}'"),
    (re.compile(r"Object missing required field `(\w+)`"), lambda m: f"should have required property '{m[1]}'"),
    (re.compile(r"Expected `([^`]+)`, got `[^`]+`"), lambda m: f"should be {_kinds(m[1])}"),
    (re.compile(r"Invalid enum value (.+)"), lambda m: f"should be equal to one of the allowed values (got {m[1]})"),
    (re.compile(r"Invalid value (.+)"), lambda m: f"should be equal to one of the allowed values (got {m[1]})"),
    (re.compile(r"Expected `\w+` (>=|<=|>|<) (\S+)"), lambda m: f"must be {m[1]} {m[2]}"),
    (re.compile(r"Expected `\w+` of length (>=|<=|==) (\d+)"), lambda m: f"must have a length {m[1]} {m[2]}"),
]


def _kinds(text: str) -> str:
    return ",".join(_TYPES.get(kind.strip(), kind.strip()) for kind in text.split("|"))


def _payload_error(error: msgspec.ValidationError, prefix: str = "") -> ApiError:
    found = _PATH.match(str(error))
    text, path = (found["text"], found["path"] or "$") if found else (str(error), "$")
    for pattern, phrase in _RULES:
        if match := pattern.match(text):
            text = phrase(match)
            break
    place = prefix + path.removeprefix("$").replace("[...]", "")
    return invalid_payload(f"Property {place} {text}" if place else f"Payload {text}")
