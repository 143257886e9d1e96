"""HTTP of loyalty programs."""

from litestar import Response, delete, get, post, put
from litestar.handlers import HTTPRouteHandler

from largesse.campaigns.holdings import HoldingsByType
from largesse.campaigns.model import Accepted, CampaignAnswer, CampaignCreate, CampaignList, CampaignUpdate
from largesse.kernel.http.request import ApiRequest, answer, operation
from largesse.loyalties import programs


def make_routes(holdings: HoldingsByType) -> list[HTTPRouteHandler]:
    """`holdings` says what campaigns of each type hold."""

    @get(
        "/v1/loyalties",
        **operation(
            "List loyalty programs", answer=CampaignList, query=("limit", "page", "expand", "order", "filters")
        ),
    )
    async def list_programs(request: ApiRequest) -> Response[bytes]:
        return answer(await request.read(lambda unit: programs.list_programs(unit, request.query)))

    @post("/v1/loyalties", **operation("Create a loyalty program", body=CampaignCreate, answer=CampaignAnswer))
    async def create_program(request: ApiRequest) -> Response[bytes]:
        body = await request.payload(CampaignCreate)
        return answer(await request.write(lambda unit: programs.create(unit, body, holdings)))

    @get("/v1/loyalties/{campaign_id:str}", **operation("Get a loyalty program", answer=CampaignAnswer))
    async def get_program(request: ApiRequest, campaign_id: str) -> Response[bytes]:
        return answer(await request.read(lambda unit: programs.get(unit, campaign_id, holdings)))

    @put(
        "/v1/loyalties/{campaign_id:str}",
        **operation("Update a loyalty program", body=CampaignUpdate, answer=CampaignAnswer),
    )
    async def update_program(request: ApiRequest, campaign_id: str) -> Response[bytes]:
        body = await request.payload(CampaignUpdate)
        return answer(await request.write(lambda unit: programs.update(unit, campaign_id, body, holdings)))

    @delete(
        "/v1/loyalties/{campaign_id:str}",
        **operation("Delete a loyalty program", answer=Accepted, query=("force",)),
    )
    async def delete_program(request: ApiRequest, campaign_id: str) -> Response[bytes]:
        force = bool(request.query.flag("force"))
        return answer(await request.write(lambda unit: programs.delete(unit, campaign_id, force=force)))

    return [list_programs, create_program, get_program, update_program, delete_program]
