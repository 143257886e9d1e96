"""HTTP of vouchers."""

from collections.abc import Callable

from litestar import Response, delete, get, post, put
from litestar.handlers import HTTPRouteHandler

from largesse.kernel.database.unit import Unit
from largesse.kernel.http.request import ApiRequest, answer, no_content, operation
from largesse.vouchers import service
from largesse.vouchers.model import (
    BalanceAnswer,
    BalanceChange,
    Forget,
    TransactionList,
    VoucherAnswer,
    VoucherCreate,
    VoucherList,
    VoucherUpdate,
)

_LIST = (
    "limit",
    "page",
    "category",
    "category_id",
    "campaign",
    "campaign_id",
    "customer",
    "code",
    "ids",
    "created_at[before]",
    "created_at[after]",
    "updated_at[before]",
    "updated_at[after]",
    "order",
    "filters",
)


ChangePoints = Callable[[Unit, str, BalanceChange], BalanceAnswer]


def make_routes(forget: Forget, change_points: ChangePoints) -> list[HTTPRouteHandler]:
    """`forget` lets go of what rooms above keep of vouchers that are deleted, `change_points` changes balances of loyalty cards."""

    @get("/v1/vouchers", **operation("List vouchers", answer=VoucherList, query=_LIST))
    async def list_vouchers(request: ApiRequest) -> Response[bytes]:
        base_url = request.settings.base_url
        return answer(await request.read(lambda unit: service.list_vouchers(unit, request.query, base_url)))

    @post("/v1/vouchers", **operation("Create a voucher", body=VoucherCreate, answer=VoucherAnswer))
    async def create_voucher(request: ApiRequest) -> Response[bytes]:
        body, base_url = await request.payload(VoucherCreate), request.settings.base_url
        return answer(await request.write(lambda unit: service.create(unit, body, base_url)))

    @post(
        "/v1/vouchers/{code:str}",
        **operation("Create a voucher with this code", body=VoucherCreate, answer=VoucherAnswer),
    )
    async def create_voucher_with_code(request: ApiRequest, code: str) -> Response[bytes]:
        body, base_url = await request.payload(VoucherCreate), request.settings.base_url
        return answer(await request.write(lambda unit: service.create(unit, body, base_url, code=code)))

    @get("/v1/vouchers/{code:str}", **operation("Get a voucher", answer=VoucherAnswer))
    async def get_voucher(request: ApiRequest, code: str) -> Response[bytes]:
        base_url = request.settings.base_url
        return answer(await request.read(lambda unit: service.get(unit, code, base_url)))

    @put("/v1/vouchers/{code:str}", **operation("Update a voucher", body=VoucherUpdate, answer=VoucherAnswer))
    async def update_voucher(request: ApiRequest, code: str) -> Response[bytes]:
        body, base_url = await request.payload(VoucherUpdate), request.settings.base_url
        return answer(await request.write(lambda unit: service.update(unit, code, body, base_url)))

    @delete("/v1/vouchers/{code:str}", **operation("Delete a voucher", status=204, query=("force",)))
    async def delete_voucher(request: ApiRequest, code: str) -> Response[None]:
        force = bool(request.query.flag("force"))
        await request.write(lambda unit: service.delete(unit, code, forget, force=force))
        return no_content()

    @post("/v1/vouchers/{code:str}/enable", **operation("Enable a voucher", answer=VoucherAnswer))
    async def enable_voucher(request: ApiRequest, code: str) -> Response[bytes]:
        base_url = request.settings.base_url
        return answer(await request.write(lambda unit: service.switch(unit, code, base_url, active=True)))

    @post("/v1/vouchers/{code:str}/disable", **operation("Disable a voucher", answer=VoucherAnswer))
    async def disable_voucher(request: ApiRequest, code: str) -> Response[bytes]:
        base_url = request.settings.base_url
        return answer(await request.write(lambda unit: service.switch(unit, code, base_url, active=False)))

    @post(
        "/v1/vouchers/{code:str}/balance",
        **operation("Add or remove credit or points", body=BalanceChange, answer=BalanceAnswer),
    )
    async def change_balance(request: ApiRequest, code: str) -> Response[bytes]:
        body = await request.payload(BalanceChange)
        return answer(await request.write(lambda unit: service.change_balance(unit, code, body, change_points)))

    @get(
        "/v1/vouchers/{code:str}/transactions",
        **operation("List credit transactions", answer=TransactionList, query=("limit", "order", "starting_after_id")),
    )
    async def list_transactions(request: ApiRequest, code: str) -> Response[bytes]:
        return answer(await request.read(lambda unit: service.list_transactions(unit, code, request.query)))

    return [
        list_vouchers,
        create_voucher,
        create_voucher_with_code,
        get_voucher,
        update_voucher,
        delete_voucher,
        enable_voucher,
        disable_voucher,
        change_balance,
        list_transactions,
    ]
