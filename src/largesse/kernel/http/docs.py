"""The description of the API, made from the routes that are served: OpenAPI 3.1 at `/docs/openapi.json`, a page at `/docs`."""

import re
from collections.abc import Iterable
from html import escape
from types import UnionType
from typing import Any, get_args

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from largesse import __version__
from largesse.kernel.http import idempotency
from largesse.kernel.wire import Day, Instant

_PARAMETER = re.compile(r"\{(\w+):\w+\}")
_IDEMPOTENCY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "A request repeated under its key within 24 hours gets the first one's answer and changes nothing again.",
    "schema": {"type": "string", "minLength": 1, "maxLength": idempotency.MAX_LENGTH},
}
_ERROR = {"$ref": "#/components/schemas/Error"}
_SECURITY: dict[str, list[dict[str, list[str]]]] = {
    "/client/": [{"X-Client-Application-Id": [], "X-Client-Token": []}],
    "/management/": [{"X-Management-Id": [], "X-Management-Token": []}],
    "/v1/": [{"X-App-Id": [], "X-App-Token": []}, {"Bearer": []}],
}
_HEADERS = (
    "X-App-Id",
    "X-App-Token",
    "X-Client-Application-Id",
    "X-Client-Token",
    "X-Management-Id",
    "X-Management-Token",
)


def describe(handlers: Iterable[HTTPRouteHandler], base_url: str) -> dict[str, Any]:
    """The OpenAPI document of every handler made with `operation(...)`."""
    described = [handler for handler in handlers if "summary" in handler.opt]
    types = {kind for handler in described for name in ("body", "answer") for kind in _alternatives(handler.opt[name])}
    ordered = sorted(types, key=str)
    schemas, components = msgspec.json.schema_components(
        ordered, schema_hook=_special_schema, ref_template="#/components/schemas/{name}"
    )
    by_type = dict(zip(ordered, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for handler in described:
        for path in handler.paths:
            for method in handler.http_methods:
                paths.setdefault(_PARAMETER.sub(r"{\1}", path), {})[method.lower()] = _operation(handler, path, by_type)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Largesse",
            "version": __version__,
            "description": "Promotions: redeem exactly once, undo exactly.",
        },
        "servers": [{"url": base_url}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": components | {"Error": _error_schema()},
            "securitySchemes": {name: {"type": "apiKey", "in": "header", "name": name} for name in _HEADERS}
            | {"Bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _alternatives(kind: Any) -> tuple[Any, ...]:
    """The types one of which a body is."""
    if kind is None:
        return ()
    return get_args(kind) if isinstance(kind, UnionType) else (kind,)


def _schema(kind: Any, schemas: dict[Any, Any]) -> dict[str, Any]:
    found = [schemas[one] for one in _alternatives(kind)]
    return found[0] if len(found) == 1 else {"anyOf": found}


def _operation(handler: HTTPRouteHandler, path: str, schemas: dict[Any, Any]) -> dict[str, Any]:
    opt = handler.opt
    found: dict[str, Any] = {"summary": opt["summary"], "operationId": handler.fn.__name__}
    parts = path.strip("/").split("/")
    found["tags"] = [parts[2] if parts[0] in ("client", "management", "largesse") else parts[min(1, len(parts) - 1)]]
    if opt["deprecated"]:
        found["deprecated"] = True
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PARAMETER.findall(path)
    ] + [{"name": name, "in": "query", "schema": {"type": "string"}} for name in opt["query"]]
    if not handler.http_methods.isdisjoint(idempotency.METHODS) and not path.startswith(idempotency.NOT_UNDER):
        parameters.append(_IDEMPOTENCY)
    if parameters:
        found["parameters"] = parameters
    if opt["body"] is not None:
        found["requestBody"] = {"content": {"application/json": {"schema": _schema(opt["body"], schemas)}}}
    success: dict[str, Any] = {"description": "Success"}
    if opt["answer"] is not None:
        success["content"] = {"application/json": {"schema": _schema(opt["answer"], schemas)}}
    refused = {"description": "Refused", "content": {"application/json": {"schema": _ERROR}}}
    found["responses"] = {str(handler.status_code): success, "4XX": refused}
    found["security"] = next((value for prefix, value in _SECURITY.items() if path.startswith(prefix)), [])
    return found


def _special_schema(kind: type) -> dict[str, Any]:
    if kind is Instant:
        return {"type": "string", "format": "date-time"}
    if kind is Day:
        return {"type": "string", "format": "date"}
    raise NotImplementedError(kind)


def _error_schema() -> dict[str, Any]:
    text = {"type": "string"}
    names = (
        "key",
        "message",
        "details",
        "request_id",
        "resource_id",
        "resource_type",
        "redeemable_type",
        "redeemable_id",
    )
    return {
        "type": "object",
        "required": ["code", "key", "message", "request_id"],
        "properties": {"code": {"type": "integer"}} | dict.fromkeys(names, text),
    }


def docs_routes(handlers: list[HTTPRouteHandler], base_url: str) -> list[HTTPRouteHandler]:
    """`/docs` needs nothing from outside: a plain page that lists every operation with its schemas."""
    made: dict[str, bytes] = {}

    def document() -> dict[str, Any]:
        return describe(handlers, base_url)

    @get("/docs/openapi.json", sync_to_thread=False)
    def openapi_document() -> Response[bytes]:
        body = made.setdefault("json", msgspec.json.encode(document()))
        return Response(body, media_type="application/json")

    @get("/docs", sync_to_thread=False)
    def docs_page() -> Response[bytes]:
        return Response(made.setdefault("page", _page(document()).encode()), media_type="text/html")

    return [openapi_document, docs_page]


_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#1d2733;background:#fff}
h2{margin-top:2.2rem;text-transform:capitalize}summary{cursor:pointer;padding:.35rem 0}code,pre{font-family:ui-monospace,monospace}
.m{display:inline-block;min-width:4.2rem;font-weight:700}pre{background:#f3f5f7;padding:.8rem;overflow:auto;font-size:.85rem}
.d{text-decoration:line-through}@media(prefers-color-scheme:dark){body{color:#dde5ee;background:#12181f}pre{background:#1c242d}}
"""


def _page(document: dict[str, Any]) -> str:
    sections: dict[str, list[str]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            sections.setdefault(operation["tags"][0], []).append(_entry(path, method, operation))
    body = "".join(f"<h2>{escape(tag)}</h2>{''.join(entries)}" for tag, entries in sorted(sections.items()))
    schemas = "".join(
        f"<details id='{escape(name)}'><summary><code>{escape(name)}</code></summary>{_json(schema)}</details>"
        for name, schema in sorted(document["components"]["schemas"].items())
    )
    return (
        f"<!doctype html><html lang='en'><meta charset='utf-8'><meta name='viewport' content='width=device-width'>"
        f"<title>Largesse API</title><style>{_STYLE}</style><h1>Largesse {escape(__version__)}</h1>"
        f"<p>Machine-readable: <a href='/docs/openapi.json'>OpenAPI 3.1</a>.</p>{body}<h2>Schemas</h2>{schemas}</html>"
    )


def _entry(path: str, method: str, operation: dict[str, Any]) -> str:
    struck = " class='d'" if operation.get("deprecated") else ""
    shown = {name: operation[name] for name in ("parameters", "requestBody", "responses") if name in operation}
    return (
        f"<details><summary><span class='m'>{method.upper()}</span> <code{struck}>{escape(path)}</code> "
        f"{escape(operation['summary'])}</summary>{_json(shown)}</details>"
    )


def _json(value: Any) -> str:
    return f"<pre>{escape(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())}</pre>"
