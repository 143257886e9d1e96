"""HTTP of validations, redemptions, rollbacks and sessions, server-side and client-side."""

from litestar import Response, delete, get, post

from largesse.kernel.http.request import ApiRequest, answer, no_content, operation
from largesse.redemptions import history, qualification_routes, sessions, single_routes, tier_routes
from largesse.redemptions.answers.shapes import (
    Historic,
    RedeemAnswer,
    Redeemed,
    RedemptionList,
    RollbacksAnswer,
    ValidationAnswer,
    VoucherHistory,
)
from largesse.redemptions.desk import as_json, redeemed, validated
from largesse.redemptions.evaluation import Question
from largesse.redemptions.model import RollbackInput, StackableRequest
from largesse.redemptions.rollback import Endpoint, Undo, rollback

_LIST_QUERY = (
    "limit",
    "page",
    "result",
    "campaign",
    "customer",
    "created_at[before]",
    "created_at[after]",
    "order",
    "filters",
)
_ROLLBACK_QUERY = ("reason", "tracking_id")


@post(
    ["/v1/validations", "/client/v1/validations"],
    **operation("Validate redeemables", body=StackableRequest, answer=ValidationAnswer),
)
async def validate_redeemables(request: ApiRequest) -> Response[bytes]:
    return await validated(request, Question(await request.payload(StackableRequest), request.settings))


@post("/v1/redemptions", **operation("Redeem redeemables", body=StackableRequest, answer=RedeemAnswer))
async def redeem_redeemables(request: ApiRequest) -> Response[bytes]:
    return await redeemed(request, Question(await request.payload(StackableRequest), request.settings))


@post("/client/v1/redemptions", **operation("Redeem from the client side", body=StackableRequest, answer=RedeemAnswer))
async def redeem_client_side(request: ApiRequest) -> Response[bytes]:
    request.require_switch("client_redeem_enabled")
    return await redeemed(request, Question(await request.payload(StackableRequest), request.settings))


@post(
    "/v1/redemptions/{redemption_id:str}/rollback",
    **operation("Roll back a redemption", body=RollbackInput, answer=Redeemed, query=_ROLLBACK_QUERY),
)
async def rollback_redemption(request: ApiRequest, redemption_id: str) -> Response[bytes]:
    return await _rolled_back(request, redemption_id, "single")


@post(
    "/v1/redemptions/{parent_id:str}/rollbacks",
    **operation("Roll back a stack of redemptions", body=RollbackInput, answer=RollbacksAnswer, query=_ROLLBACK_QUERY),
)
async def rollback_stack(request: ApiRequest, parent_id: str) -> Response[bytes]:
    return await _rolled_back(request, parent_id, "stacked")


@get("/v1/redemptions", **operation("List redemptions and rollbacks", answer=RedemptionList, query=_LIST_QUERY))
async def list_redemptions(request: ApiRequest) -> Response[bytes]:
    return answer(await request.read(lambda unit: history.list_records(unit, request.query)))


@get("/v1/redemptions/{redemption_id:str}", **operation("Get a redemption or rollback", answer=Historic))
async def get_redemption(request: ApiRequest, redemption_id: str) -> Response[bytes]:
    return answer(await request.read(lambda unit: history.get_record(unit, redemption_id)))


@get("/v1/vouchers/{code:str}/redemption", **operation("A voucher's history", answer=VoucherHistory))
async def get_voucher_history(request: ApiRequest, code: str) -> Response[bytes]:
    return answer(await request.read(lambda unit: history.voucher_history(unit, code)))


@get(
    "/v1/vouchers/{code:str}/redemptions",
    **operation("List a voucher's redemptions", answer=RedemptionList, query=("limit", "page", "order")),
)
async def list_voucher_redemptions(request: ApiRequest, code: str) -> Response[bytes]:
    return answer(await request.read(lambda unit: history.list_of_voucher(unit, code, request.query)))


@delete("/v1/vouchers/{code:str}/sessions/{session_key:str}", **operation("Release a validation session", status=204))
async def release_session(request: ApiRequest, code: str, session_key: str) -> Response[None]:
    await request.write(lambda unit: sessions.release(unit, code, session_key))
    return no_content()


async def _rolled_back(request: ApiRequest, redemption_id: str, endpoint: Endpoint) -> Response[bytes]:
    sent = await request.payload(RollbackInput)
    body = RollbackInput(
        reason=sent.reason if sent.reason is not None else request.query.text("reason"),
        tracking_id=sent.tracking_id if sent.tracking_id is not None else request.query.text("tracking_id"),
        customer=sent.customer,
        order=sent.order,
        metadata=sent.metadata,
    )
    settings = request.settings
    undo = Undo(redemption_id, body, endpoint, settings.base_url, settings.rollback_period_months)
    return as_json(await request.database.decide(request.call, rollback, undo, shard=redemption_id))


routes = [
    validate_redeemables,
    redeem_redeemables,
    redeem_client_side,
    rollback_redemption,
    rollback_stack,
    list_redemptions,
    get_redemption,
    get_voucher_history,
    list_voucher_redemptions,
    release_session,
    *single_routes.routes,
    *tier_routes.routes,
    *qualification_routes.routes,
]
