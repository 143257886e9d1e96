"""HTTP of the codes of a campaign."""

from litestar import Response, get, post

from largesse.campaigns.model import MAX_CODES, Accepted
from largesse.kernel.http.request import ApiRequest, answer, operation
from largesse.vouchers import pool, service
from largesse.vouchers.model import CampaignVoucher, TransactionList, VoucherAnswer


@post(
    "/v1/campaigns/{campaign_id:str}/vouchers",
    **operation(
        "Add generated codes to a campaign",
        body=CampaignVoucher,
        answer=VoucherAnswer | Accepted,
        query=("vouchers_count",),
    ),
)
async def add_codes(request: ApiRequest, campaign_id: str) -> Response[bytes]:
    body, base_url = await request.payload(CampaignVoucher), request.settings.base_url
    count = request.query.integer("vouchers_count", 1, MAX_CODES, 1)
    if count > 1:
        return answer(await request.write(lambda unit: pool.add_codes(unit, campaign_id, body, count)), 202)
    return answer(await request.write(lambda unit: pool.add_code(unit, campaign_id, body, base_url)))


@post(
    "/v1/campaigns/{campaign_id:str}/vouchers/{code:str}",
    **operation("Add a code to a campaign", body=CampaignVoucher, answer=VoucherAnswer),
)
async def add_code(request: ApiRequest, campaign_id: str, code: str) -> Response[bytes]:
    body, base_url = await request.payload(CampaignVoucher), request.settings.base_url
    return answer(await request.write(lambda unit: pool.add_code(unit, campaign_id, body, base_url, code=code)))


@get(
    "/v1/campaigns/{campaign_id:str}/transactions",
    **operation(
        "List the credit transactions of a campaign",
        answer=TransactionList,
        query=("limit", "order", "starting_after_id", "filters"),
    ),
)
async def list_transactions(request: ApiRequest, campaign_id: str) -> Response[bytes]:
    return answer(
        await request.read(lambda unit: service.list_transactions_of_campaign(unit, campaign_id, request.query))
    )


routes = [add_codes, add_code, list_transactions]
