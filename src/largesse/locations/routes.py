"""HTTP of locations: read under `/v1`, where the API offers no more; drawn under `/largesse/v1`."""

from litestar import Response, delete, get, post, put
from litestar.handlers import HTTPRouteHandler

from largesse.kernel.http.request import ApiRequest, answer, no_content, operation
from largesse.locations import service
from largesse.locations.model import LocationAnswer, LocationCreate, LocationList, LocationUpdate
from largesse.locations.service import Moved

_LIST = ("limit", "page", "order", "filters", "end_date")
_DRAWN = "/largesse/v1/locations"


@get("/v1/locations", **operation("List locations", answer=LocationList, query=_LIST))
async def list_locations(request: ApiRequest) -> Response[bytes]:
    return answer(await request.read(lambda unit: service.list_locations(unit, request.query)))


@get("/v1/locations/{location_id:str}", **operation("Get a location", answer=LocationAnswer))
async def get_location(request: ApiRequest, location_id: str) -> Response[bytes]:
    return answer(await request.read(lambda unit: service.get(unit, location_id)))


@post(_DRAWN, **operation("Create a location", body=LocationCreate, answer=LocationAnswer))
async def create_location(request: ApiRequest) -> Response[bytes]:
    body = await request.payload(LocationCreate)
    return answer(await request.write(lambda unit: service.create(unit, body)))


def make_routes(moved: Moved) -> list[HTTPRouteHandler]:
    """`moved` is told of a location whose shape changed or went: filters of other rooms may name it."""

    @put(_DRAWN + "/{location_id:str}", **operation("Update a location", body=LocationUpdate, answer=LocationAnswer))
    async def update_location(request: ApiRequest, location_id: str) -> Response[bytes]:
        body = await request.payload(LocationUpdate)
        return answer(await request.write(lambda unit: service.update(unit, location_id, body, moved)))

    @delete(_DRAWN + "/{location_id:str}", **operation("Delete a location", status=204))
    async def delete_location(request: ApiRequest, location_id: str) -> Response[None]:
        await request.write(lambda unit: service.delete(unit, location_id, moved))
        return no_content()

    return [list_locations, get_location, create_location, update_location, delete_location]
