"""HTTP of the management API. The project in the path is known by the time a route is reached: the key is checked against it."""

from typing import Any

from litestar import Response, delete, get, post, put
from litestar.handlers import HTTPRouteHandler

from largesse.engine.stacking import StackingRules
from largesse.kernel.http.request import ApiRequest, answer, no_content, operation
from largesse.management import service
from largesse.management.model import StackingRulesAnswer, StackingRulesList

_ALL = "/management/v1/projects/{project_id:str}/stacking-rules"
_ONE = _ALL + "/{rules_id:str}"


@get(_ALL, **operation("List the stacking rules of a project", answer=StackingRulesList))
async def list_stacking_rules(request: ApiRequest) -> Response[bytes]:
    return answer(await request.read(service.list_stacking_rules))


@post(_ALL, **operation("Create stacking rules", body=StackingRules, answer=StackingRulesAnswer))
async def create_stacking_rules(request: ApiRequest) -> Response[bytes]:
    body = await request.payload(dict[str, Any])
    return answer(await request.write(lambda unit: service.create_stacking_rules(unit, body)))


@get(_ONE, **operation("Get stacking rules", answer=StackingRulesAnswer))
async def get_stacking_rules(request: ApiRequest, rules_id: str) -> Response[bytes]:
    return answer(await request.read(lambda unit: service.get_stacking_rules(unit, rules_id)))


@put(_ONE, **operation("Update stacking rules", body=StackingRules, answer=StackingRulesAnswer))
async def update_stacking_rules(request: ApiRequest, rules_id: str) -> Response[bytes]:
    body = await request.payload(dict[str, Any])
    return answer(await request.write(lambda unit: service.update_stacking_rules(unit, rules_id, body)))


@delete(_ONE, **operation("Restore the default stacking rules", status=204))
async def delete_stacking_rules(request: ApiRequest, rules_id: str) -> Response[None]:
    await request.write(lambda unit: service.delete_stacking_rules(unit, rules_id))
    return no_content()


routes: list[HTTPRouteHandler] = [
    list_stacking_rules,
    create_stacking_rules,
    get_stacking_rules,
    update_stacking_rules,
    delete_stacking_rules,
]
