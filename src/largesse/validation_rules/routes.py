"""HTTP of validation rules and their assignments."""

from litestar import Response, delete, get, post, put
from litestar.handlers import HTTPRouteHandler

from largesse.kernel.http.request import ApiRequest, answer, no_content, operation
from largesse.validation_rules import service
from largesse.validation_rules.model import (
    AssignmentAnswer,
    AssignmentInput,
    AssignmentList,
    RuleAnswer,
    RuleInput,
    RuleList,
)
from largesse.validation_rules.service import NoteRules, ResolveObject

_LIST = ("limit", "page", "order", "start_date", "end_date")
_ALL_ASSIGNMENTS = ("related_object_id", "rule", "page", "limit", "order")


def make_routes(resolve_object: ResolveObject, note_rules: NoteRules) -> list[HTTPRouteHandler]:
    """`resolve_object` finds what a rule is assigned to, `note_rules` lets a voucher know its rules: other rooms know how."""

    @get("/v1/validation-rules", **operation("List validation rules", answer=RuleList, query=_LIST))
    async def list_rules(request: ApiRequest) -> Response[bytes]:
        return answer(await request.read(lambda unit: service.list_rules(unit, request.query)))

    @post("/v1/validation-rules", **operation("Create a validation rule", body=RuleInput, answer=RuleAnswer))
    async def create_rule(request: ApiRequest) -> Response[bytes]:
        body = await request.payload(RuleInput)
        return answer(await request.write(lambda unit: service.create(unit, body)))

    @get("/v1/validation-rules/{rule_id:str}", **operation("Get a validation rule", answer=RuleAnswer))
    async def get_rule(request: ApiRequest, rule_id: str) -> Response[bytes]:
        return answer(await request.read(lambda unit: service.get(unit, rule_id)))

    @put(
        "/v1/validation-rules/{rule_id:str}",
        **operation("Update a validation rule", body=RuleInput, answer=RuleAnswer),
    )
    async def update_rule(request: ApiRequest, rule_id: str) -> Response[bytes]:
        body = await request.payload(RuleInput)
        return answer(await request.write(lambda unit: service.update(unit, rule_id, body)))

    @delete("/v1/validation-rules/{rule_id:str}", **operation("Delete a validation rule", status=204))
    async def delete_rule(request: ApiRequest, rule_id: str) -> Response[None]:
        await request.write(lambda unit: service.delete(unit, rule_id))
        return no_content()

    @get(
        "/v1/validation-rules/{rule_id:str}/assignments",
        **operation("List the assignments of a rule", answer=AssignmentList, query=_LIST[:3]),
    )
    async def list_rule_assignments(request: ApiRequest, rule_id: str) -> Response[bytes]:
        return answer(await request.read(lambda unit: service.list_assignments(unit, request.query, rule_id)))

    @post(
        "/v1/validation-rules/{rule_id:str}/assignments",
        **operation("Assign a rule", body=AssignmentInput, answer=AssignmentAnswer, query=("force",)),
    )
    async def create_assignment(request: ApiRequest, rule_id: str) -> Response[bytes]:
        body = await request.payload(AssignmentInput)
        force = bool(request.query.flag("force"))
        return answer(
            await request.write(
                lambda unit: service.create_assignment(unit, rule_id, body, resolve_object, note_rules, force=force)
            )
        )

    @delete(
        "/v1/validation-rules/{rule_id:str}/assignments/{assignment_id:str}",
        **operation("Remove an assignment", status=204),
    )
    async def delete_assignment(request: ApiRequest, rule_id: str, assignment_id: str) -> Response[None]:
        await request.write(lambda unit: service.delete_assignment(unit, rule_id, assignment_id, note_rules))
        return no_content()

    @get(
        "/v1/validation-rules-assignments",
        **operation("List all assignments", answer=AssignmentList, query=_ALL_ASSIGNMENTS),
    )
    async def list_assignments(request: ApiRequest) -> Response[bytes]:
        return answer(await request.read(lambda unit: service.list_assignments(unit, request.query)))

    return [
        list_rules,
        create_rule,
        get_rule,
        update_rule,
        delete_rule,
        list_rule_assignments,
        create_assignment,
        delete_assignment,
        list_assignments,
    ]
