"""HTTP of custom events; their definitions are written by management keys, or by application keys under `/largesse/v1`."""

from litestar import Response, delete, get, post, put
from litestar.handlers import HTTPRouteHandler

from largesse.custom_events import service
from largesse.custom_events.model import (
    DefinitionAnswer,
    DefinitionCreate,
    DefinitionList,
    DefinitionUpdate,
    EventAnswer,
    EventInput,
)
from largesse.kernel.http.request import ApiRequest, answer, no_content, operation

_ALL = ["/management/v1/projects/{project_id:str}/custom-event-schemas", "/largesse/v1/custom-event-schemas"]
_ONE = [f"{path}/{{schema_id:str}}" for path in _ALL]


@post(["/v1/events", "/client/v1/events"], **operation("Track a custom event", body=EventInput, answer=EventAnswer))
async def track(request: ApiRequest) -> Response[bytes]:
    body = await request.payload(EventInput)
    return answer(await request.write(lambda unit: service.track(unit, body)))


@get(_ALL, **operation("List custom event schemas", answer=DefinitionList))
async def list_definitions(request: ApiRequest) -> Response[bytes]:
    return answer(await request.read(service.list_definitions))


@post(_ALL, **operation("Create a custom event schema", body=DefinitionCreate, answer=DefinitionAnswer))
async def create_definition(request: ApiRequest) -> Response[bytes]:
    body = await request.payload(DefinitionCreate)
    return answer(await request.write(lambda unit: service.create(unit, body)))


@get(_ONE, **operation("Get a custom event schema", answer=DefinitionAnswer))
async def get_definition(request: ApiRequest, schema_id: str) -> Response[bytes]:
    return answer(await request.read(lambda unit: service.get(unit, schema_id)))


@put(_ONE, **operation("Update a custom event schema", body=DefinitionUpdate, answer=DefinitionAnswer))
async def update_definition(request: ApiRequest, schema_id: str) -> Response[bytes]:
    body = await request.payload(DefinitionUpdate)
    return answer(await request.write(lambda unit: service.update(unit, schema_id, body)))


@delete(_ONE, **operation("Delete a custom event schema", status=204))
async def delete_definition(request: ApiRequest, schema_id: str) -> Response[None]:
    await request.write(lambda unit: service.delete(unit, schema_id))
    return no_content()


routes: list[HTTPRouteHandler] = [
    track,
    list_definitions,
    create_definition,
    get_definition,
    update_definition,
    delete_definition,
]
