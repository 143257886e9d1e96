"""HTTP of qualifications, server-side and client-side."""

from litestar import Response, post

from largesse.kernel.http.request import ApiRequest, operation
from largesse.redemptions import examination
from largesse.redemptions.answers.qualifications import QualificationAnswer
from largesse.redemptions.desk import as_json, wants_explanations
from largesse.redemptions.qualification import answer_qualifications
from largesse.redemptions.qualification_model import QualificationRequest


@post(
    ["/v1/qualifications", "/client/v1/qualifications"],
    **operation("List what qualifies", body=QualificationRequest, answer=QualificationAnswer),
)
async def check_eligibility(request: ApiRequest) -> Response[bytes]:
    body = await request.payload(QualificationRequest)
    if wants_explanations(request):
        body = body.explained()
    return as_json(await request.database.search(request.call, answer_qualifications, body))


routes = [check_eligibility, *examination.routes]
