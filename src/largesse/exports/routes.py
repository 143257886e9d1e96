"""HTTP of exports, and of the resources that export what is theirs."""

from collections.abc import AsyncIterator, Callable, Mapping

from litestar import Response, delete, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.response import Stream

from largesse.exports import service
from largesse.exports.asking import Scope
from largesse.exports.model import ExportAnswer, ExportCreate, ExportList, ScopedExportCreate, StoredExport
from largesse.exports.service import Desk
from largesse.kernel import clock
from largesse.kernel.database.database import Database
from largesse.kernel.database.unit import Unit
from largesse.kernel.exporting import Source
from largesse.kernel.http.request import ApiRequest, answer, no_content, operation

_EXPORT = "/v1/exports/{export_id:str}"
_PROGRAM = "/v1/loyalties/{campaign_id:str}"


@get("/v1/exports", **operation("List exports", answer=ExportList, query=("limit", "page", "order")))
async def list_exports(request: ApiRequest) -> Response[bytes]:
    base_url = request.settings.base_url
    return answer(await request.read(lambda unit: service.list_exports(unit, request.query, base_url)))


@get(_EXPORT, **operation("Get an export, or its file", answer=ExportAnswer, query=("token",)))
async def get_export(request: ApiRequest, export_id: str) -> Response[bytes] | Stream:
    """With a token the file, which then needs no other credential (documented)."""
    token = request.query.text("token")
    if token is not None:
        return await _download(request.database, export_id, token)
    base_url = request.settings.base_url
    return answer(await request.read(lambda unit: service.get(unit, export_id, base_url)))


@delete(_EXPORT, **operation("Delete an export", status=204))
async def delete_export(request: ApiRequest, export_id: str) -> Response[None]:
    await request.write(lambda unit: service.delete(unit, export_id))
    return no_content()


async def _download(database: Database, export_id: str, token: str) -> Stream:
    now = clock.now_micros()
    project_id, export = await database.look_up(lambda conn: service.open_file(conn, export_id, token, now))
    headers = {
        "Content-Length": str(export.size),  # so that a file whose end is missing is no whole file to anybody
        "Content-Disposition": f'attachment; filename="{export.id}.csv"',
        "X-Content-Type-Options": "nosniff",
    }
    return Stream(_parts(database, project_id, export), media_type="text/plain", headers=headers)


async def _parts(database: Database, project_id: str, export: StoredExport) -> AsyncIterator[bytes]:
    number = 0
    while (part := await database.look_up(_part(project_id, export.id, number))) is not None:
        yield part
        number += 1


def _part(project_id: str, id: str, number: int) -> Callable[..., bytes | None]:
    return lambda conn: service.part_of_file(conn, project_id, id, number)


def make_routes(sources: Mapping[str, Source]) -> list[HTTPRouteHandler]:
    """`sources` are what can be exported, under the API's names."""
    desk = Desk(sources)

    async def scoped(request: ApiRequest, exported: str, scope: Callable[[Unit], Scope]) -> Response[bytes]:
        body, settings = await request.payload(ScopedExportCreate), request.settings
        days = settings.export_retention_days
        return answer(
            await request.write(
                lambda unit: desk.scoped(unit, exported, body.wanted, scope(unit), settings.base_url, days)
            )
        )

    @post("/v1/exports", **operation("Export objects", body=ExportCreate, answer=ExportAnswer))
    async def create_export(request: ApiRequest) -> Response[bytes]:
        body, settings = await request.payload(ExportCreate), request.settings
        days = settings.export_retention_days
        return answer(await request.write(lambda unit: desk.create(unit, body, settings.base_url, days)))

    @post(
        "/v1/campaigns/{campaign_id:str}/transactions/export",
        **operation("Export the transactions of a campaign", body=ScopedExportCreate, answer=ExportAnswer),
    )
    async def export_campaign_transactions(request: ApiRequest, campaign_id: str) -> Response[bytes]:
        return await scoped(request, service.TRANSACTIONS, lambda unit: service.scope_of_campaign(unit, campaign_id))

    @post(
        f"{_PROGRAM}/transactions/export",
        **operation("Export the transactions of a loyalty program", body=ScopedExportCreate, answer=ExportAnswer),
    )
    async def export_program_transactions(request: ApiRequest, campaign_id: str) -> Response[bytes]:
        return await scoped(request, service.TRANSACTIONS, lambda unit: service.scope_of_campaign(unit, campaign_id))

    @post(
        f"{_PROGRAM}/points-expiration/export",
        **operation("Export when points of a program expire", body=ScopedExportCreate, answer=ExportAnswer),
    )
    async def export_points_expiration(request: ApiRequest, campaign_id: str) -> Response[bytes]:
        return await scoped(request, service.EXPIRATIONS, lambda unit: service.scope_of_program(unit, campaign_id))

    @post(
        "/v1/loyalties/members/{member_id:str}/transactions/export",
        **operation("Export the transactions of a card", body=ScopedExportCreate, answer=ExportAnswer),
    )
    async def export_card_transactions(request: ApiRequest, member_id: str) -> Response[bytes]:
        return await scoped(request, service.TRANSACTIONS, lambda unit: service.scope_of_card(unit, member_id, None))

    @post(
        f"{_PROGRAM}/members/{{member_id:str}}/transactions/export",
        **operation("Export the transactions of a member's card", body=ScopedExportCreate, answer=ExportAnswer),
    )
    async def export_member_transactions(request: ApiRequest, campaign_id: str, member_id: str) -> Response[bytes]:
        return await scoped(
            request, service.TRANSACTIONS, lambda unit: service.scope_of_card(unit, member_id, campaign_id)
        )

    @post(
        "/v1/vouchers/{code:str}/transactions/export",
        **operation("Export the transactions of a voucher", body=ScopedExportCreate, answer=ExportAnswer),
    )
    async def export_voucher_transactions(request: ApiRequest, code: str) -> Response[bytes]:
        return await scoped(request, service.TRANSACTIONS, lambda unit: service.scope_of_voucher(unit, code))

    @post("/v1/orders/export", **operation("Export orders", body=ScopedExportCreate, answer=ExportAnswer))
    async def export_orders(request: ApiRequest) -> Response[bytes]:
        return await scoped(request, service.ORDERS, lambda _unit: {})

    return [
        list_exports,
        create_export,
        get_export,
        delete_export,
        export_campaign_transactions,
        export_program_transactions,
        export_points_expiration,
        export_card_transactions,
        export_member_transactions,
        export_voucher_transactions,
        export_orders,
    ]
