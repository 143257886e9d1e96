"""HTTP of async actions."""

from litestar import Response, get

from largesse.async_actions import service
from largesse.async_actions.model import AsyncActionAnswer, AsyncActionList
from largesse.kernel.http.request import ApiRequest, answer, operation


@get("/v1/async-actions", **operation("List async actions", answer=AsyncActionList, query=("limit", "end_date")))
async def list_async_actions(request: ApiRequest) -> Response[bytes]:
    return answer(await request.read(lambda unit: service.list_actions(unit, request.query)))


@get("/v1/async-actions/{action_id:str}", **operation("Get an async action", answer=AsyncActionAnswer))
async def get_async_action(request: ApiRequest, action_id: str) -> Response[bytes]:
    return answer(await request.read(lambda unit: service.get_action(unit, action_id)))


routes = [list_async_actions, get_async_action]
