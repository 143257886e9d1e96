"""HTTP of loyalty tiers. The API itself neither changes nor deletes one; our own operations under `/largesse` do."""

from litestar import Response, delete, get, post, put

from largesse.kernel.http.request import ApiRequest, answer, no_content, operation
from largesse.loyalties.tiers import changing, members, service
from largesse.loyalties.tiers.model import TierAnswer, TierInput, TierList

_TIERS = "/v1/loyalties/{campaign_id:str}/tiers"
_OWN_TIER = "/largesse/v1/loyalties/{campaign_id:str}/tiers/{tier_id:str}"


@get(_TIERS, **operation("List loyalty tiers", answer=TierList, query=("limit", "order")))
async def list_tiers(request: ApiRequest, campaign_id: str) -> Response[bytes]:
    return answer(await request.read(lambda unit: service.list_tiers(unit, campaign_id, request.query)))


@post(_TIERS, **operation("Create loyalty tiers", body=list[TierInput], answer=list[TierAnswer]))
async def create_tiers(request: ApiRequest, campaign_id: str) -> Response[bytes]:
    body = await request.payload(list[TierInput])
    return answer(await request.write(lambda unit: changing.create(unit, campaign_id, body)))


@get(_TIERS + "/{tier_id:str}", **operation("Get a loyalty tier", answer=TierAnswer))
async def get_tier(request: ApiRequest, campaign_id: str, tier_id: str) -> Response[bytes]:
    return answer(await request.read(lambda unit: service.get(unit, campaign_id, tier_id)))


@put(_OWN_TIER, **operation("Update a loyalty tier", body=TierInput, answer=TierAnswer))
async def update_tier(request: ApiRequest, campaign_id: str, tier_id: str) -> Response[bytes]:
    body = await request.payload(TierInput)
    return answer(await request.write(lambda unit: changing.update(unit, campaign_id, tier_id, body)))


@delete(_OWN_TIER, **operation("Delete a loyalty tier", status=204))
async def delete_tier(request: ApiRequest, campaign_id: str, tier_id: str) -> Response[None]:
    await request.write(lambda unit: changing.delete(unit, campaign_id, tier_id))
    return no_content()


@get("/v1/loyalties/members/{member_id:str}/tiers", **operation("Get the tier of a member", answer=TierList))
async def list_tiers_of_member(request: ApiRequest, member_id: str) -> Response[bytes]:
    if await request.read(lambda unit: members.is_due(unit, member_id)):
        await request.write(lambda unit: members.settle(unit, [member_id]))
    return answer(await request.read(lambda unit: members.tiers_of(unit, member_id)))


routes = [list_tiers, create_tiers, get_tier, update_tier, delete_tier, list_tiers_of_member]
