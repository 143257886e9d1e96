"""HTTP of summaries."""

from litestar import Response, get

from largesse.kernel.http.request import ApiRequest, answer, operation
from largesse.summaries import service
from largesse.summaries.model import CampaignSummary


@get(
    "/v1/campaigns/{campaign_id:str}/summary",
    **operation("Sum up a campaign", answer=CampaignSummary, query=("start_date", "end_date")),
)
async def get_campaign_summary(request: ApiRequest, campaign_id: str) -> Response[bytes]:
    return answer(await request.read(lambda unit: service.summary_of_campaign(unit, campaign_id, request.query)))


routes = [get_campaign_summary]
