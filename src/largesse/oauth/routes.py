"""HTTP of tokens: form bodies in, JSON out."""

from typing import Any
from urllib.parse import parse_qsl

from litestar import Response, post

from largesse.kernel.errors import invalid_payload
from largesse.kernel.http.request import ApiRequest, answer, no_content, operation
from largesse.oauth import service


@post("/v1/oauth/token", **operation("Issue a token", answer=dict[str, Any]))
async def issue_token(request: ApiRequest) -> Response[bytes]:
    form = await _form(request)
    return answer(await request.write(lambda unit: service.issue(unit, form)))


@post("/v1/oauth/introspect", **operation("Look at a token", answer=dict[str, Any]))
async def introspect_token(request: ApiRequest) -> Response[bytes]:
    form = await _form(request)
    return answer(await request.read(lambda unit: service.introspect(unit, form)))


@post("/v1/oauth/token/revoke", **operation("Revoke a token", status=204))
async def revoke_token(request: ApiRequest) -> Response[None]:
    form = await _form(request)
    if not await request.write(lambda unit: service.revoke(unit, form)):
        return Response(None, status_code=404)
    request.app.state.authenticator.forget()
    return no_content()


async def _form(request: ApiRequest) -> dict[str, str]:
    try:
        return dict(parse_qsl((await request.whole_body()).decode(), errors="strict", max_num_fields=100))
    except ValueError:
        raise invalid_payload("Payload should be a form (application/x-www-form-urlencoded)") from None


routes = [issue_token, introspect_token, revoke_token]
