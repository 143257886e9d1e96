"""Making codes: pattern, charset, prefix and postfix, from the system's random source."""

import secrets
import unicodedata
from typing import Any

from largesse.kernel.errors import ApiError, invalid, invalid_payload
from largesse.vouchers.model import CodeConfig

ALPHANUMERIC = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
DEFAULT_LENGTH = 8
MAX_LENGTH = 50
MAX_CODE = 255


def clean(code: str) -> str:
    """A code as given, trimmed and in NFC. Raises ApiError 400 for an empty one, control characters, over 255 characters."""
    found = unicodedata.normalize("NFC", code.strip())
    if not found or len(found) > MAX_CODE or any(unicodedata.category(char) in ("Cc", "Cs") for char in found):
        raise invalid_payload("Property .code should have 1 to 255 characters, none of them a control character")
    return found


def generate(config: CodeConfig) -> str:
    """One random code. Raises ApiError 400 `invalid_code_config`."""
    charset = ALPHANUMERIC if config.charset is None else config.charset
    if not isinstance(charset, str) or not charset:
        raise _invalid("charset should be a text of at least one character")
    pattern = config.pattern or "#" * _length(config.length)
    expanded = "".join(secrets.choice(charset) if char == "#" else char for char in pattern)
    code = (config.prefix or "") + expanded + (config.postfix or config.suffix or "")
    if len(code) > MAX_CODE:
        raise _invalid(f"A code cannot be longer than {MAX_CODE} characters")
    return clean(code)


def is_single(config: CodeConfig) -> bool:
    """True where the configuration can make one code only."""
    return "#" not in (config.pattern or "#") or len(set(config.charset or ALPHANUMERIC)) == 1


def _length(value: Any) -> int:
    if value is None:
        return DEFAULT_LENGTH
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise _invalid("length should be a whole number")
    if not 1 <= value <= MAX_LENGTH:
        raise _invalid(f"length should be between 1 and {MAX_LENGTH}")
    return int(value)


def _invalid(details: str) -> ApiError:
    return invalid("invalid_code_config", "Invalid code config", details)
