"""HTTP of segments."""

from litestar import Response, delete, get, post
from litestar.handlers import HTTPRouteHandler

from largesse.customers.service import HeldBy
from largesse.kernel.http.request import ApiRequest, answer, no_content, operation
from largesse.segments import service
from largesse.segments.model import CustomerSegments, SegmentAnswer, SegmentCreate, SegmentList
from largesse.segments.service import CheckUnused

_ONE = "/v1/segments/{segment_id:str}"
_LIST = ("limit", "page", "order", "filters", "ids", "start_date", "end_date")


@get("/v1/segments", **operation("List segments", answer=SegmentList, query=_LIST))
async def list_segments(request: ApiRequest) -> Response[bytes]:
    return answer(await request.read(lambda unit: service.list_segments(unit, request.query)))


@post("/v1/segments", **operation("Create a segment", body=SegmentCreate, answer=SegmentAnswer))
async def create_segment(request: ApiRequest) -> Response[bytes]:
    body = await request.payload(SegmentCreate)
    return answer(await request.write(lambda unit: service.create(unit, body)))


@get(_ONE, **operation("Get a segment", answer=SegmentAnswer))
async def get_segment(request: ApiRequest, segment_id: str) -> Response[bytes]:
    return answer(await request.read(lambda unit: service.get(unit, segment_id)))


def make_routes(check_unused: CheckUnused, held_by: HeldBy) -> list[HTTPRouteHandler]:
    """`check_unused` refuses to let go of a segment that another room's objects name.

    `held_by` answers what is on the cards of customers.
    """

    @get("/v1/customers/{customer_id:str}/segments", **operation("List a customer's segments", answer=CustomerSegments))
    async def list_of_customer(request: ApiRequest, customer_id: str) -> Response[bytes]:
        return answer(await request.read(lambda unit: service.of_customer(unit, customer_id, held_by)))

    @delete(_ONE, **operation("Delete a segment", status=204))
    async def delete_segment(request: ApiRequest, segment_id: str) -> Response[None]:
        await request.write(lambda unit: service.delete(unit, segment_id, check_unused))
        return no_content()

    return [list_segments, create_segment, get_segment, delete_segment, list_of_customer]
