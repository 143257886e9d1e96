"""HTTP of promotion tiers and stacks."""

from litestar import Response, delete, get, post, put

from largesse.kernel.http.request import ApiRequest, answer, no_content, operation
from largesse.promotions import service, stacks
from largesse.promotions.model import (
    StackAnswer,
    StackCreate,
    StackList,
    StackUpdate,
    TierAnswer,
    TierCreate,
    TierList,
    TierUpdate,
)

_TIERS = ("is_available", "limit", "page", "order")
_STACKS = (
    "limit",
    "page",
    "order",
    "created_at[before]",
    "created_at[after]",
    "updated_at[before]",
    "updated_at[after]",
)


@get(
    ["/v1/promotions/tiers", "/client/v1/promotions/tiers"],
    **operation("List promotion tiers", answer=TierList, query=_TIERS),
)
async def list_tiers(request: ApiRequest) -> Response[bytes]:
    return answer(await request.read(lambda unit: service.list_tiers(unit, request.query)))


@get("/v1/promotions/{campaign_id:str}/tiers", **operation("List the tiers of a campaign", answer=TierList))
async def list_tiers_of_campaign(request: ApiRequest, campaign_id: str) -> Response[bytes]:
    return answer(await request.read(lambda unit: service.list_of_campaign(unit, campaign_id)))


@post(
    "/v1/promotions/{campaign_id:str}/tiers",
    **operation("Add a tier to a campaign", body=TierCreate, answer=TierAnswer),
)
async def create_tier(request: ApiRequest, campaign_id: str) -> Response[bytes]:
    body = await request.payload(TierCreate)
    return answer(await request.write(lambda unit: service.create(unit, campaign_id, body)))


@get("/v1/promotions/tiers/{tier_id:str}", **operation("Get a promotion tier", answer=TierAnswer))
async def get_tier(request: ApiRequest, tier_id: str) -> Response[bytes]:
    return answer(await request.read(lambda unit: service.get(unit, tier_id)))


@put(
    "/v1/promotions/tiers/{tier_id:str}",
    **operation("Update a promotion tier", body=TierUpdate, answer=TierAnswer),
)
async def update_tier(request: ApiRequest, tier_id: str) -> Response[bytes]:
    body = await request.payload(TierUpdate)
    return answer(await request.write(lambda unit: service.update(unit, tier_id, body)))


@delete("/v1/promotions/tiers/{tier_id:str}", **operation("Delete a promotion tier", status=204))
async def delete_tier(request: ApiRequest, tier_id: str) -> Response[None]:
    await request.write(lambda unit: service.delete(unit, tier_id))
    return no_content()


@post("/v1/promotions/tiers/{tier_id:str}/enable", **operation("Enable a promotion tier", answer=TierAnswer))
async def enable_tier(request: ApiRequest, tier_id: str) -> Response[bytes]:
    return answer(await request.write(lambda unit: service.switch(unit, tier_id, active=True)))


@post("/v1/promotions/tiers/{tier_id:str}/disable", **operation("Disable a promotion tier", answer=TierAnswer))
async def disable_tier(request: ApiRequest, tier_id: str) -> Response[bytes]:
    return answer(await request.write(lambda unit: service.switch(unit, tier_id, active=False)))


@get("/v1/promotions/stacks", **operation("List promotion stacks", answer=StackList, query=_STACKS))
async def list_stacks(request: ApiRequest) -> Response[bytes]:
    return answer(await request.read(lambda unit: stacks.list_stacks(unit, request.query)))


@get(
    "/v1/promotions/{campaign_id:str}/stacks",
    **operation("List the stacks of a campaign", answer=StackList, query=_STACKS),
)
async def list_stacks_of_campaign(request: ApiRequest, campaign_id: str) -> Response[bytes]:
    return answer(await request.read(lambda unit: stacks.list_stacks(unit, request.query, campaign_id)))


@post(
    "/v1/promotions/{campaign_id:str}/stacks",
    **operation("Add a stack to a campaign", body=StackCreate, answer=StackAnswer),
)
async def create_stack(request: ApiRequest, campaign_id: str) -> Response[bytes]:
    body = await request.payload(StackCreate)
    return answer(await request.write(lambda unit: stacks.create(unit, campaign_id, body)))


@get(
    "/v1/promotions/{campaign_id:str}/stacks/{stack_id:str}",
    **operation("Get a promotion stack", answer=StackAnswer),
)
async def get_stack(request: ApiRequest, campaign_id: str, stack_id: str) -> Response[bytes]:
    return answer(await request.read(lambda unit: stacks.get(unit, campaign_id, stack_id)))


@put(
    "/v1/promotions/{campaign_id:str}/stacks/{stack_id:str}",
    **operation("Update a promotion stack", body=StackUpdate, answer=StackAnswer),
)
async def update_stack(request: ApiRequest, campaign_id: str, stack_id: str) -> Response[bytes]:
    body = await request.payload(StackUpdate)
    return answer(await request.write(lambda unit: stacks.update(unit, campaign_id, stack_id, body)))


@delete("/v1/promotions/{campaign_id:str}/stacks/{stack_id:str}", **operation("Delete a promotion stack", status=204))
async def delete_stack(request: ApiRequest, campaign_id: str, stack_id: str) -> Response[None]:
    await request.write(lambda unit: stacks.delete(unit, campaign_id, stack_id))
    return no_content()


routes = [
    list_tiers,
    list_tiers_of_campaign,
    create_tier,
    get_tier,
    update_tier,
    delete_tier,
    enable_tier,
    disable_tier,
    list_stacks,
    list_stacks_of_campaign,
    create_stack,
    get_stack,
    update_stack,
    delete_stack,
]
