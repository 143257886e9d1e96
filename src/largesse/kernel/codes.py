"""Making codes: pattern, charset, prefix and postfix, from the system's random source."""

import secrets
import unicodedata
from typing import Any

import msgspec

from largesse.kernel import wire
from largesse.kernel.errors import ApiError, invalid, invalid_payload

ALPHANUMERIC = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
DEFAULT_LENGTH = 8
MAX_LENGTH = 50
MAX_CODE = 255
_RANDOM = "#"


class CodeConfigInput(msgspec.Struct, frozen=True):
    """A configuration as sent; `suffix` is another word for `postfix`. `initial_count` is kept and has no effect (documented)."""

    length: Any = None
    charset: Any = None
    prefix: str | None = None
    postfix: str | None = None
    suffix: str | None = None
    pattern: str | None = None
    initial_count: int | None = None


class CodeConfig(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How codes are made: every `#` of the pattern becomes one random character of the charset. `length` counts the `#`."""

    length: int
    charset: str
    pattern: str
    prefix: str | None = None
    postfix: str | None = None
    initial_count: int | None = None

    @property
    def capacity(self) -> int:
        """How many different codes there are."""
        return int(len(set(self.charset)) ** self.length)

    def generate(self) -> str:
        """One random code."""
        return self.batch(1)[0]

    def batch(self, count: int) -> list[str]:
        """Random codes; two of them may be the same."""
        parts = self.pattern.split(_RANDOM)
        head, tail = (self.prefix or "") + parts[0], self.postfix or ""
        gaps = [*parts[1:-1], parts[-1] + tail] if self.length else []
        charset, choose, base = self.charset, secrets.randbelow, len(self.charset)
        found = []
        for _ in range(count):
            number = choose(base**self.length)
            text = head if gaps else head + tail
            for gap in gaps:
                number, place = divmod(number, base)
                text += charset[place] + gap
            found.append(text)
        return found


def clean(code: str) -> str:
    """A code as given, trimmed and in NFC. Raises ApiError 400 for an empty one, control characters, over 255 characters."""
    found = unicodedata.normalize("NFC", code.strip())
    if not found or len(found) > MAX_CODE or any(unicodedata.category(char) in ("Cc", "Cs") for char in found):
        raise invalid_payload("Property .code should have 1 to 255 characters, none of them a control character")
    return found


def code_config(sent: dict[str, Any] | None, place: str = ".code_config") -> CodeConfig:
    """A configuration with its defaults. Raises ApiError 400 `invalid_code_config` for one that can make no code."""
    config: CodeConfigInput = wire.convert(wire.without_nulls(sent or {}), CodeConfigInput, place)
    charset = ALPHANUMERIC if config.charset is None else config.charset
    if not isinstance(charset, str) or not charset:
        raise invalid_code_config("charset should be a text of at least one character")
    pattern = config.pattern or _RANDOM * _length(config.length)
    made = CodeConfig(
        length=pattern.count(_RANDOM),
        charset=charset,
        pattern=pattern,
        prefix=config.prefix or None,
        postfix=config.postfix or config.suffix or None,
        initial_count=config.initial_count,
    )
    example = made.generate()
    if made.length > MAX_LENGTH or len(example) > MAX_CODE:
        raise invalid_code_config(
            f"A code cannot have more than {MAX_LENGTH} random characters, nor be longer than {MAX_CODE} in all"
        )
    if clean(example) != example:
        raise invalid_code_config("A code cannot begin or end with a space, and is written in Unicode's composed form")
    return made


def invalid_code_config(details: str) -> ApiError:
    return invalid("invalid_code_config", "Invalid code config", details)


def _length(value: Any) -> int:
    if value is None:
        return DEFAULT_LENGTH
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise invalid_code_config("length should be a whole number")
    if not 1 <= value <= MAX_LENGTH:
        raise invalid_code_config(f"length should be between 1 and {MAX_LENGTH}")
    return int(value)
