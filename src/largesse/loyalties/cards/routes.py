"""HTTP of the cards of members, under their program and by themselves."""

from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler

import largesse.vouchers.service as vouchers
from largesse.kernel.http.request import ApiRequest, answer, no_content, operation
from largesse.loyalties.cards import activity, pending, service
from largesse.loyalties.cards.activity import RecordsOf
from largesse.loyalties.cards.model import (
    BucketList,
    CardActivityList,
    PendingBalance,
    PendingChange,
    PendingList,
    PointsBalance,
    PointsChange,
    TransferAnswer,
    TransferItem,
    Transfers,
)
from largesse.vouchers.model import TransactionList

_PROGRAM = "/v1/loyalties/{campaign_id:str}"
_MEMBER = "/v1/loyalties/members/{member_id:str}"
_PROGRAM_MEMBER = f"{_PROGRAM}/members/{{member_id:str}}"
_CURSOR = ("limit", "order", "starting_after_id")


# Balance


@post(f"{_MEMBER}/balance", **operation("Add or remove points", body=PointsChange, answer=PointsBalance))
async def change_balance(request: ApiRequest, member_id: str) -> Response[bytes]:
    body = await request.payload(PointsChange)
    return answer(await request.write(lambda unit: service.change_balance(unit, member_id, None, body)))


@post(
    f"{_PROGRAM_MEMBER}/balance",
    **operation("Add or remove points of a member", body=PointsChange, answer=PointsBalance),
)
async def change_balance_in_program(request: ApiRequest, campaign_id: str, member_id: str) -> Response[bytes]:
    body = await request.payload(PointsChange)
    return answer(await request.write(lambda unit: service.change_balance(unit, member_id, campaign_id, body)))


@post(
    f"{_PROGRAM_MEMBER}/transfers",
    **operation("Transfer points to a card", body=list[TransferItem], answer=TransferAnswer),
)
async def transfer_points(request: ApiRequest, campaign_id: str, member_id: str) -> Response[bytes]:
    body, base_url = await request.payload(Transfers), request.settings.base_url
    return answer(await request.write(lambda unit: service.transfer(unit, campaign_id, member_id, body, base_url)))


# Pending points


@get(f"{_PROGRAM}/pending-points", **operation("List pending points of a program", answer=PendingList, query=_CURSOR))
async def list_pending_of_program(request: ApiRequest, campaign_id: str) -> Response[bytes]:
    return answer(await request.read(lambda unit: pending.list_of_program(unit, campaign_id, request.query)))


@get(f"{_MEMBER}/pending-points", **operation("List pending points", answer=PendingList, query=_CURSOR))
async def list_pending(request: ApiRequest, member_id: str) -> Response[bytes]:
    return answer(await request.read(lambda unit: pending.list_of_card(unit, member_id, None, request.query)))


@get(
    f"{_PROGRAM_MEMBER}/pending-points",
    **operation("List pending points of a member", answer=PendingList, query=_CURSOR),
)
async def list_pending_in_program(request: ApiRequest, campaign_id: str, member_id: str) -> Response[bytes]:
    return answer(await request.read(lambda unit: pending.list_of_card(unit, member_id, campaign_id, request.query)))


@post(
    f"{_MEMBER}/pending-points/{{pending_points_id:str}}/activate",
    **operation("Activate pending points", answer=PointsBalance),
)
async def activate_pending(request: ApiRequest, member_id: str, pending_points_id: str) -> Response[bytes]:
    return answer(await request.write(lambda unit: pending.activate(unit, member_id, pending_points_id)))


@post(
    f"{_MEMBER}/pending-points/{{pending_points_id:str}}/balance",
    **operation("Adjust pending points", body=PendingChange, answer=PendingBalance),
)
async def adjust_pending(request: ApiRequest, member_id: str, pending_points_id: str) -> Response[bytes]:
    body = await request.payload(PendingChange)
    return answer(await request.write(lambda unit: pending.adjust(unit, member_id, pending_points_id, body)))


@post(
    f"{_MEMBER}/pending-points/{{pending_points_id:str}}/cancel",
    **operation("Cancel pending points", status=204),
)
async def cancel_pending(request: ApiRequest, member_id: str, pending_points_id: str) -> Response[None]:
    await request.write(lambda unit: pending.cancel(unit, member_id, pending_points_id))
    return no_content()


# Transactions and expirations


@get(
    f"{_PROGRAM}/transactions",
    **operation("List transactions of a program", answer=TransactionList, query=(*_CURSOR, "filters")),
)
async def list_transactions_of_program(request: ApiRequest, campaign_id: str) -> Response[bytes]:
    return answer(
        await request.read(lambda unit: vouchers.list_transactions_of_campaign(unit, campaign_id, request.query))
    )


@get(f"{_MEMBER}/transactions", **operation("List transactions", answer=TransactionList, query=(*_CURSOR, "filters")))
async def list_transactions(request: ApiRequest, member_id: str) -> Response[bytes]:
    return answer(await request.read(lambda unit: service.list_transactions(unit, member_id, None, request.query)))


@get(
    f"{_PROGRAM_MEMBER}/transactions",
    **operation("List transactions of a member", answer=TransactionList, query=(*_CURSOR, "filters")),
)
async def list_transactions_in_program(request: ApiRequest, campaign_id: str, member_id: str) -> Response[bytes]:
    return answer(
        await request.read(lambda unit: service.list_transactions(unit, member_id, campaign_id, request.query))
    )


@get(
    f"{_PROGRAM_MEMBER}/points-expiration",
    **operation("List when points expire", answer=BucketList, query=("limit", "page")),
)
async def list_expirations(request: ApiRequest, campaign_id: str, member_id: str) -> Response[bytes]:
    return answer(
        await request.read(lambda unit: service.list_expirations(unit, campaign_id, member_id, request.query))
    )


def make_routes(records_of: RecordsOf) -> list[HTTPRouteHandler]:
    """`records_of` selects the ids of what other rooms recorded of a card under ids of its own, redemptions above all."""

    # `activities` is how the official JavaScript SDK calls it.
    @get(
        [f"{_MEMBER}/activity", f"{_MEMBER}/activities"],
        **operation("List activity of a member", answer=CardActivityList, query=_CURSOR),
    )
    async def list_activity(request: ApiRequest, member_id: str) -> Response[bytes]:
        query = request.query
        return answer(await request.read(lambda unit: activity.list_activity(unit, member_id, None, query, records_of)))

    @get(
        [f"{_PROGRAM_MEMBER}/activity", f"{_PROGRAM_MEMBER}/activities"],
        **operation("List activity of a member of a program", answer=CardActivityList, query=_CURSOR),
    )
    async def list_activity_in_program(request: ApiRequest, campaign_id: str, member_id: str) -> Response[bytes]:
        query = request.query
        return answer(
            await request.read(lambda unit: activity.list_activity(unit, member_id, campaign_id, query, records_of))
        )

    return [
        change_balance,
        change_balance_in_program,
        transfer_points,
        list_pending_of_program,
        list_pending,
        list_pending_in_program,
        activate_pending,
        adjust_pending,
        cancel_pending,
        list_transactions_of_program,
        list_transactions,
        list_transactions_in_program,
        list_expirations,
        list_activity,
        list_activity_in_program,
    ]
