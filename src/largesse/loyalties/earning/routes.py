"""HTTP of earning rules."""

from litestar import Response, delete, get, post, put
from litestar.handlers import HTTPRouteHandler

from largesse.kernel.http.request import ApiRequest, answer, no_content, operation
from largesse.loyalties.earning import estimate, service
from largesse.loyalties.earning.estimate import OrderOf
from largesse.loyalties.earning.model import (
    EarningRuleAnswer,
    EarningRuleList,
    EstimateAnswer,
    EstimateInput,
    RuleCreate,
    RuleInput,
)

_RULES = "/v1/loyalties/{campaign_id:str}/earning-rules"
_RULE = _RULES + "/{rule_id:str}"


@get(_RULES, **operation("List earning rules", answer=EarningRuleList, query=("limit", "page", "order")))
async def list_rules(request: ApiRequest, campaign_id: str) -> Response[bytes]:
    return answer(await request.read(lambda unit: service.list_rules(unit, campaign_id, request.query)))


@post(_RULES, **operation("Create earning rules", body=list[RuleCreate], answer=list[EarningRuleAnswer]))
async def create_rules(request: ApiRequest, campaign_id: str) -> Response[bytes]:
    body = await request.payload(list[RuleCreate])
    most = request.settings.earning_rules_per_project
    return answer(await request.write(lambda unit: service.create(unit, campaign_id, body, most=most)))


@get(_RULE, **operation("Get an earning rule", answer=EarningRuleAnswer))
async def get_rule(request: ApiRequest, campaign_id: str, rule_id: str) -> Response[bytes]:
    return answer(await request.read(lambda unit: service.get(unit, campaign_id, rule_id)))


@put(_RULE, **operation("Update an earning rule", body=RuleInput, answer=EarningRuleAnswer))
async def update_rule(request: ApiRequest, campaign_id: str, rule_id: str) -> Response[bytes]:
    body = await request.payload(RuleInput)
    return answer(await request.write(lambda unit: service.update(unit, campaign_id, rule_id, body)))


@delete(_RULE, **operation("Delete an earning rule", status=204))
async def delete_rule(request: ApiRequest, campaign_id: str, rule_id: str) -> Response[None]:
    await request.write(lambda unit: service.delete(unit, campaign_id, rule_id))
    return no_content()


@post(_RULE + "/enable", **operation("Enable an earning rule", answer=EarningRuleAnswer))
async def enable_rule(request: ApiRequest, campaign_id: str, rule_id: str) -> Response[bytes]:
    return answer(await request.write(lambda unit: service.switch(unit, campaign_id, rule_id, active=True)))


@post(_RULE + "/disable", **operation("Disable an earning rule", answer=EarningRuleAnswer))
async def disable_rule(request: ApiRequest, campaign_id: str, rule_id: str) -> Response[bytes]:
    return answer(await request.write(lambda unit: service.switch(unit, campaign_id, rule_id, active=False)))


@get(
    "/v1/loyalties/{campaign_id:str}/tiers/{tier_id:str}/earning-rules",
    **operation("List the earning rules of a tier", answer=EarningRuleList, query=("limit", "page")),
)
async def list_rules_of_tier(request: ApiRequest, campaign_id: str, tier_id: str) -> Response[bytes]:
    return answer(await request.read(lambda unit: service.list_of_tier(unit, campaign_id, tier_id, request.query)))


def make_routes(order_of: OrderOf) -> list[HTTPRouteHandler]:
    """`order_of` reads the order that an estimate is asked for."""

    @post(
        "/v1/loyalties/{campaign_id:str}/qualifications",
        **operation("Estimate the points of an order", body=EstimateInput, answer=EstimateAnswer),
    )
    async def estimate_points(request: ApiRequest, campaign_id: str) -> Response[bytes]:
        body = await request.payload(EstimateInput)
        return answer(await request.read(lambda unit: estimate.of_order(unit, campaign_id, body, order_of)))

    return [*_ROUTES, estimate_points]


_ROUTES: list[HTTPRouteHandler] = [
    list_rules,
    create_rules,
    get_rule,
    update_rule,
    delete_rule,
    enable_rule,
    disable_rule,
    list_rules_of_tier,
]
