"""Exceptions to answers: every error leaves in the one shape, with the request's id."""

import logging
import re
from typing import Any

from litestar import Request, Response
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException

from largesse.kernel import errors, wire
from largesse.kernel.errors import ApiError, ClientDisconnected

_log = logging.getLogger("largesse.http")
_OPTIONAL = (
    "details",
    "resource_id",
    "resource_type",
    "redeemable_type",
    "redeemable_id",
    "related_object_ids",
    "related_object_type",
    "error",
    "explanation",
)
REQUEST_ID = "largesse_request_id"  # where the edge leaves the request's id in the ASGI scope


def error_body(error: ApiError, request_id: str) -> bytes:
    """The error object; a body that is too large keeps the members its recorded shape has."""
    refusal = error.refusal
    body: dict[str, Any] = {"code": refusal.code, "key": refusal.key, "message": refusal.message}
    for name in _OPTIONAL:
        if (value := getattr(refusal, name)) is not None:
            body[name] = value
    if refusal.code == 413:
        body |= {"statusCode": 413, "error": "Request Entity Too Large"}
    return wire.encode(body | {"request_id": request_id})


def internal_error(request_id: str) -> bytes:
    return wire.encode(
        {
            "code": 500,
            "key": "internal_error",
            "message": "Internal error. Nothing was changed unless a later read shows it; quote the request id to your operator.",
            "request_id": request_id,
        }
    )


def on_api_error(request: Request[Any, Any, Any], error: ApiError) -> Response[bytes]:
    body = error_body(error, _request_id(request))
    return Response(body, status_code=error.refusal.code, headers=error.headers, media_type="application/json")


def on_http_exception(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """What the framework refuses by itself: unknown routes and methods, unreadable requests."""
    if isinstance(error, NotFoundException):
        return on_api_error(request, errors.route_not_found(request.method, request.url.path))
    if isinstance(error, MethodNotAllowedException):
        path = re.sub("/+", "/", request.scope["path"])  # as the router takes it
        allowed = [name for pattern, names in request.app.state.methods if pattern.fullmatch(path) for name in names]
        return on_api_error(request, errors.method_not_allowed(allowed))
    if error.status_code < 500:
        return on_api_error(request, errors.invalid_payload(error.detail))
    return on_exception(request, error)


def on_exception(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    if isinstance(error, ClientDisconnected):
        return Response(b"", status_code=400)
    request_id = _request_id(request)
    _log.error("request %s failed", request_id, exc_info=error)
    return Response(internal_error(request_id), status_code=500, media_type="application/json")


def _request_id(request: Request[Any, Any, Any]) -> str:
    return str(request.scope.get(REQUEST_ID, "v-"))
