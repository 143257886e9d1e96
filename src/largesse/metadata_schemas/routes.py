"""HTTP of metadata schemas: read and written by application keys under `/v1`, by management keys in the management API."""

from litestar import Response, delete, get, post, put
from litestar.handlers import HTTPRouteHandler

from largesse.kernel.http.request import ApiRequest, answer, no_content, operation
from largesse.metadata_schemas import service
from largesse.metadata_schemas.model import NamedSchemaList, SchemaAnswer, SchemaCreate, SchemaList, SchemaUpdate

_MANAGED = "/management/v1/projects/{project_id:str}/metadata-schemas"
_MANAGED_ONE = _MANAGED + "/{schema_id:str}"
_ALL = ["/v1/metadata-schemas", "/largesse/v1/metadata-schemas"]
_ONE = [f"{path}/{{resource:str}}" for path in _ALL]


@get(_ALL, **operation("List metadata schemas", answer=NamedSchemaList))
async def list_named(request: ApiRequest) -> Response[bytes]:
    return answer(await request.read(service.list_named))


@get(_ONE, **operation("Get the metadata schema of a resource", answer=SchemaAnswer))
async def get_named(request: ApiRequest, resource: str) -> Response[bytes]:
    return answer(await request.read(lambda unit: service.get(unit, resource, camel_case=True)))


@post(_ALL, **operation("Create a metadata schema", body=SchemaCreate, answer=SchemaAnswer))
async def create_named(request: ApiRequest) -> Response[bytes]:
    body = await request.payload(SchemaCreate)
    return answer(await request.write(lambda unit: service.create(unit, body, camel_case=True)))


@put(_ONE, **operation("Update a metadata schema", body=SchemaUpdate, answer=SchemaAnswer))
async def update_named(request: ApiRequest, resource: str) -> Response[bytes]:
    body = await request.payload(SchemaUpdate)
    return answer(await request.write(lambda unit: service.update(unit, resource, body, camel_case=True)))


@delete(_ONE, **operation("Delete a metadata schema", status=204))
async def delete_named(request: ApiRequest, resource: str) -> Response[None]:
    await request.write(lambda unit: service.delete(unit, resource))
    return no_content()


@get(_MANAGED, **operation("List the metadata schemas of a project", answer=SchemaList))
async def list_schemas(request: ApiRequest) -> Response[bytes]:
    return answer(await request.read(service.list_schemas))


@post(_MANAGED, **operation("Create a metadata schema of a project", body=SchemaCreate, answer=SchemaAnswer))
async def create_schema(request: ApiRequest) -> Response[bytes]:
    body = await request.payload(SchemaCreate)
    return answer(await request.write(lambda unit: service.create(unit, body, camel_case=False)))


@get(_MANAGED_ONE, **operation("Get a metadata schema of a project", answer=SchemaAnswer))
async def get_schema(request: ApiRequest, schema_id: str) -> Response[bytes]:
    return answer(await request.read(lambda unit: service.get(unit, schema_id, camel_case=False)))


@put(_MANAGED_ONE, **operation("Update a metadata schema of a project", body=SchemaUpdate, answer=SchemaAnswer))
async def update_schema(request: ApiRequest, schema_id: str) -> Response[bytes]:
    body = await request.payload(SchemaUpdate)
    return answer(await request.write(lambda unit: service.update(unit, schema_id, body, camel_case=False)))


@delete(_MANAGED_ONE, **operation("Delete a metadata schema of a project", status=204))
async def delete_schema(request: ApiRequest, schema_id: str) -> Response[None]:
    await request.write(lambda unit: service.delete(unit, schema_id))
    return no_content()


routes: list[HTTPRouteHandler] = [
    list_named,
    get_named,
    create_named,
    update_named,
    delete_named,
    list_schemas,
    create_schema,
    get_schema,
    update_schema,
    delete_schema,
]
