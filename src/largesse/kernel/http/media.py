"""Which media types requests may bring and ask for."""

from largesse.engine.refusal import Refusal
from largesse.kernel.errors import ApiError

_FORMS = (b"application/x-www-form-urlencoded", b"multipart/form-data")
_ANSWERS = (b"application/json", b"application/*", b"*/*")


def check(method: str, path: str, headers: dict[bytes, bytes]) -> None:
    """Raises ApiError 406 when JSON is not acceptable to the caller, 415 for a body of a type that no operation reads.

    Missing headers promise and demand nothing. Downloads of exports are text and judge `Accept` themselves.
    """
    accept = headers.get(b"accept")
    if accept and not path.startswith("/v1/exports/") and not _accepts_json(accept):
        raise _refusal(406, "not_acceptable", "Not acceptable", "Answers are application/json; accept that or */*.")
    content_type = headers.get(b"content-type")
    if content_type and method != "GET" and headers.get(b"content-length") != b"0" and not _is_readable(content_type):
        raise _refusal(415, "unsupported_media_type", "Unsupported media type", "Send the body as application/json.")


def _accepts_json(accept: bytes) -> bool:
    return any(_media(part) in _ANSWERS for part in accept.split(b","))


def _is_readable(content_type: bytes) -> bool:
    media = _media(content_type)
    return media == b"application/json" or media in _FORMS or media.endswith(b"+json")


def _media(value: bytes) -> bytes:
    return value.partition(b";")[0].strip().lower()


def _refusal(status: int, key: str, message: str, details: str) -> ApiError:
    return ApiError(Refusal(code=status, key=key, message=message, details=details))
