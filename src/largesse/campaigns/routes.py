"""HTTP of campaigns."""

from litestar import Response, delete, get, post, put
from litestar.handlers import HTTPRouteHandler

from largesse.campaigns import service
from largesse.campaigns.holdings import HoldingsByType
from largesse.campaigns.model import Accepted, CampaignAnswer, CampaignCreate, CampaignList, CampaignUpdate
from largesse.kernel.http.request import ApiRequest, answer, operation

_LIST = ("limit", "page", "campaign_type", "campaign_status", "is_referral_code", "expand", "order", "filters")


def make_routes(holdings: HoldingsByType) -> list[HTTPRouteHandler]:
    """`holdings` says what campaigns of each type hold."""

    @get("/v1/campaigns", **operation("List campaigns", answer=CampaignList, query=_LIST))
    async def list_campaigns(request: ApiRequest) -> Response[bytes]:
        return answer(await request.read(lambda unit: service.list_campaigns(unit, request.query)))

    @post("/v1/campaigns", **operation("Create a campaign", body=CampaignCreate, answer=CampaignAnswer))
    async def create_campaign(request: ApiRequest) -> Response[bytes]:
        body = await request.payload(CampaignCreate)
        return answer(await request.write(lambda unit: service.create(unit, body, holdings)))

    @get("/v1/campaigns/{campaign_id:str}", **operation("Get a campaign", answer=CampaignAnswer))
    async def get_campaign(request: ApiRequest, campaign_id: str) -> Response[bytes]:
        return answer(await request.read(lambda unit: service.get(unit, campaign_id, holdings)))

    @put(
        "/v1/campaigns/{campaign_id:str}",
        **operation("Update a campaign", body=CampaignUpdate, answer=CampaignAnswer),
    )
    async def update_campaign(request: ApiRequest, campaign_id: str) -> Response[bytes]:
        body = await request.payload(CampaignUpdate)
        return answer(await request.write(lambda unit: service.update(unit, campaign_id, body, holdings)))

    @delete(
        "/v1/campaigns/{campaign_id:str}",
        **operation("Delete a campaign", answer=Accepted, status=202, query=("force",)),
    )
    async def delete_campaign(request: ApiRequest, campaign_id: str) -> Response[bytes]:
        force = bool(request.query.flag("force"))
        return answer(await request.write(lambda unit: service.delete(unit, campaign_id, force=force)), 202)

    @post("/v1/campaigns/{campaign_id:str}/enable", **operation("Enable a campaign"))
    async def enable_campaign(request: ApiRequest, campaign_id: str) -> Response[bytes]:
        await request.write(lambda unit: service.switch(unit, campaign_id, active=True))
        return answer({})

    @post("/v1/campaigns/{campaign_id:str}/disable", **operation("Disable a campaign"))
    async def disable_campaign(request: ApiRequest, campaign_id: str) -> Response[bytes]:
        await request.write(lambda unit: service.switch(unit, campaign_id, active=False))
        return answer({})

    return [
        list_campaigns,
        create_campaign,
        get_campaign,
        update_campaign,
        delete_campaign,
        enable_campaign,
        disable_campaign,
    ]
