"""HTTP of publications."""

from litestar import Response, get, post

from largesse.kernel.errors import ApiError
from largesse.kernel.http.request import ApiRequest, answer, operation
from largesse.publications import service, wallet
from largesse.publications.model import PublicationAnswer, PublicationCreate, PublicationList
from largesse.publications.query import from_query
from largesse.publications.wallet import Wallet

_LIST = (
    "limit",
    "page",
    "order",
    "campaign",
    "customer",
    "voucher",
    "result",
    "voucher_type",
    "is_referral_code",
    "source_id",
    "filters",
)
_SENT_IN_QUERY = ("voucher", "campaign", "customer", "source_id", "metadata", "join_once")


@post(
    "/v1/publications",
    **operation("Publish codes", body=PublicationCreate, answer=PublicationAnswer, query=("join_once",)),
)
async def create_publication(request: ApiRequest) -> Response[bytes]:
    return await _published(request, await request.payload(PublicationCreate))


@get(
    "/v1/publications/create",
    **operation("Publish a code, asked for in the query", answer=PublicationAnswer, query=_SENT_IN_QUERY),
)
async def create_publication_by_query(request: ApiRequest) -> Response[bytes]:
    return await _published(request, from_query(request.query))


@post(
    "/client/v1/publish",
    **operation(
        "Publish codes from the client side", body=PublicationCreate, answer=PublicationAnswer, query=("join_once",)
    ),
)
async def publish_client_side(request: ApiRequest) -> Response[bytes]:
    request.require_switch("client_publish_enabled")
    return await _published(request, await request.payload(PublicationCreate))


@get(
    "/client/v1/publish",
    **operation(
        "Publish a code from the client side, asked for in the query",
        answer=PublicationAnswer,
        query=_SENT_IN_QUERY,
        deprecated=True,
    ),
)
async def publish_client_side_by_query(request: ApiRequest) -> Response[bytes]:
    request.require_switch("client_publish_enabled")
    return await _published(request, from_query(request.query))


@get("/v1/publications", **operation("List publications", answer=PublicationList, query=_LIST))
async def list_publications(request: ApiRequest) -> Response[bytes]:
    return answer(await request.read(lambda unit: service.list_publications(unit, request.query)))


@get(
    "/v1/vouchers/{code:str}/publications",
    **operation("List the publications of a voucher", answer=PublicationList, query=_LIST),
)
async def list_publications_of_voucher(request: ApiRequest, code: str) -> Response[bytes]:
    return answer(await request.read(lambda unit: service.list_of_voucher(unit, code, request.query)))


@get(
    "/v1/customers/{customer_id:str}/redeemables",
    **operation("List what a customer holds", answer=Wallet, query=("limit", "order", "starting_after_id", "filters")),
)
async def list_redeemables(request: ApiRequest, customer_id: str) -> Response[bytes]:
    base_url = request.settings.base_url
    return answer(await request.read(lambda unit: wallet.list_redeemables(unit, customer_id, request.query, base_url)))


async def _published(request: ApiRequest, sent: PublicationCreate) -> Response[bytes]:
    join_once, base_url = bool(request.query.flag("join_once")), request.settings.base_url
    outcome = await request.write(lambda unit: service.publish(unit, sent, join_once=join_once, base_url=base_url))
    if isinstance(outcome, ApiError):
        raise outcome
    return answer(outcome)


routes = [
    create_publication,
    create_publication_by_query,
    publish_client_side,
    publish_client_side_by_query,
    list_publications,
    list_publications_of_voucher,
    list_redeemables,
]
