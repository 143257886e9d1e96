"""HTTP of audits: extensions of ours, under `/largesse/v1`."""

from litestar import Response, get, post

from largesse.audit import service
from largesse.audit.model import AccountsAnswer, ExplanationAnswer, RollbackPreview
from largesse.kernel.http.request import ApiRequest, answer, operation
from largesse.redemptions.model import RollbackInput
from largesse.redemptions.rollback import Undo


@get(
    "/largesse/v1/accounts/{account_id:str}",
    **operation("See what stood in an account at an instant", answer=AccountsAnswer, query=("at",)),
)
async def get_accounts(request: ApiRequest, account_id: str) -> Response[bytes]:
    return answer(await request.read(lambda unit: service.accounts(unit, account_id, request.query)))


@get(
    "/largesse/v1/redemptions/{redemption_id:str}/explanation",
    **operation("See why a redemption was decided so", answer=ExplanationAnswer),
)
async def get_explanation(request: ApiRequest, redemption_id: str) -> Response[bytes]:
    return answer(await request.read(lambda unit: service.explanation(unit, redemption_id)))


@post(
    "/largesse/v1/redemptions/{redemption_id:str}/rollback/preview",
    **operation("See what a rollback would return, without doing it", body=RollbackInput, answer=RollbackPreview),
)
async def preview_rollback(request: ApiRequest, redemption_id: str) -> Response[bytes]:
    body, settings = await request.payload(RollbackInput), request.settings
    undo = Undo(redemption_id, body, "stacked", settings.base_url, settings.rollback_period_months)
    try:
        await request.write(lambda unit: service.try_rollback(unit, undo))
    except service.Tried as tried:
        return answer(tried.preview)
    raise AssertionError("trying always ends so")


routes = [get_accounts, get_explanation, preview_rollback]
