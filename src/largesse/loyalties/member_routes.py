"""HTTP of the members of loyalty programs."""

from litestar import Response, get, post

from largesse.kernel.errors import ApiError
from largesse.kernel.http.request import ApiRequest, answer, operation
from largesse.loyalties import choices, members
from largesse.loyalties.model import MemberCreate
from largesse.rewards.model import OfferedList
from largesse.vouchers.model import VoucherAnswer, VoucherList

_LIST = (
    "limit",
    "page",
    "customer",
    "created_at[before]",
    "created_at[after]",
    "updated_at[before]",
    "updated_at[after]",
    "order",
    "code",
    "ids",
    "filters",
)


@get(
    "/v1/loyalties/{campaign_id:str}/members",
    **operation("List the members of a loyalty program", answer=VoucherList, query=_LIST),
)
async def list_members(request: ApiRequest, campaign_id: str) -> Response[bytes]:
    base_url = request.settings.base_url
    return answer(await request.read(lambda unit: members.list_members(unit, campaign_id, request.query, base_url)))


@post(
    "/v1/loyalties/{campaign_id:str}/members",
    **operation("Let a customer join a loyalty program", body=MemberCreate, answer=VoucherAnswer),
)
async def add_member(request: ApiRequest, campaign_id: str) -> Response[bytes]:
    body, base_url = await request.payload(MemberCreate), request.settings.base_url
    outcome = await request.write(lambda unit: members.add(unit, campaign_id, body, base_url))
    if isinstance(outcome, ApiError):
        raise outcome
    return answer(outcome)


@get(
    "/v1/loyalties/{campaign_id:str}/members/{member_id:str}",
    **operation("Get a member of a loyalty program", answer=VoucherAnswer),
)
async def get_member_of_program(request: ApiRequest, campaign_id: str, member_id: str) -> Response[bytes]:
    base_url = request.settings.base_url
    return answer(await request.read(lambda unit: members.get(unit, member_id, base_url, campaign_id)))


@get("/v1/loyalties/members/{member_id:str}", **operation("Get a member", answer=VoucherAnswer))
async def get_member(request: ApiRequest, member_id: str) -> Response[bytes]:
    base_url = request.settings.base_url
    return answer(await request.read(lambda unit: members.get(unit, member_id, base_url)))


@get(
    "/v1/loyalties/members/{member_id:str}/rewards",
    **operation("List the rewards a member may choose", answer=OfferedList, query=("affordable_only",)),
)
async def list_rewards_of_member(request: ApiRequest, member_id: str) -> Response[bytes]:
    return answer(await request.read(lambda unit: choices.of_member(unit, member_id, request.query)))


@get(
    "/v1/loyalties/{campaign_id:str}/tiers/{tier_id:str}/rewards",
    **operation("List the rewards of a loyalty tier", answer=OfferedList, query=("limit", "page")),
)
async def list_rewards_of_tier(request: ApiRequest, campaign_id: str, tier_id: str) -> Response[bytes]:
    return answer(await request.read(lambda unit: choices.of_tier(unit, campaign_id, tier_id, request.query)))


routes = [list_rewards_of_member, list_rewards_of_tier, list_members, add_member, get_member_of_program, get_member]
