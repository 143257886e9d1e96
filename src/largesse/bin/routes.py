"""HTTP of the bin."""

from litestar import Response, delete, get
from litestar.handlers import HTTPRouteHandler

from largesse.bin import service
from largesse.bin.model import BinList
from largesse.bin.service import Purge
from largesse.kernel.http.request import ApiRequest, answer, no_content, operation


def make_routes(purge: Purge) -> list[HTTPRouteHandler]:
    """`purge` removes a binned object for good; the rooms that bin objects know how."""

    @get(
        "/v1/trash-bin",
        **operation("List the bin", answer=BinList, query=("limit", "order", "starting_after_id", "filters")),
    )
    async def list_bin(request: ApiRequest) -> Response[bytes]:
        return answer(await request.read(lambda unit: service.list_entries(unit, request.query)))

    @delete("/v1/trash-bin/{entry_id:str}", **operation("Remove an object for good", status=204))
    async def delete_bin_entry(request: ApiRequest, entry_id: str) -> Response[None]:
        await request.write(lambda unit: service.purge(unit, entry_id, purge))
        return no_content()

    return [list_bin, delete_bin_entry]
