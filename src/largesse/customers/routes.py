"""HTTP of customers."""

from collections.abc import Callable

from litestar import Response, delete, get, post, put
from litestar.handlers import HTTPRouteHandler

from largesse.customers import activity, service
from largesse.customers.activity import RecordsOfCampaigns
from largesse.customers.model import (
    ActivityList,
    CustomerAnswer,
    CustomerInput,
    CustomerList,
    CustomerUpdate,
    DeletionAnswer,
)
from largesse.customers.service import HeldBy, IsMember
from largesse.kernel.database.unit import Unit
from largesse.kernel.http.request import ApiRequest, answer, no_content, operation

RemoveOrders = Callable[[Unit, str], int]
ForgetSegments = Callable[[Unit, str], int]
_LIST = (
    "limit",
    "page",
    "email",
    "city",
    "name",
    "segment_id",
    "created_at[before]",
    "created_at[after]",
    "updated_at[before]",
    "updated_at[after]",
    "order",
    "starting_after",
)
_ACTIVITY = (
    "limit",
    "order",
    "starting_after",
    "starting_after_id",
    "start_date",
    "end_date",
    "campaign_id",
    "campaign_type",
    "product_id",
    "type",
    "category",
)


def make_routes(
    remove_orders: RemoveOrders,
    forget_segments: ForgetSegments,
    is_member: IsMember,
    held_by: HeldBy,
    records_of_campaigns: RecordsOfCampaigns,
) -> list[HTTPRouteHandler]:
    """`remove_orders` deletes a customer's orders, `forget_segments` what is noted of a deleted one; both answer how many.

    `is_member` is the condition of being in a segment, `held_by` answers what is on the cards of customers,
    `records_of_campaigns` finds what redemptions tell of campaigns.
    """

    @get("/v1/customers", **operation("List customers", answer=CustomerList, query=_LIST))
    async def list_customers(request: ApiRequest) -> Response[bytes]:
        return answer(await request.read(lambda unit: service.list_customers(unit, request.query, is_member, held_by)))

    @post("/v1/customers", **operation("Create or update a customer", body=CustomerInput, answer=CustomerAnswer))
    async def create_customer(request: ApiRequest) -> Response[bytes]:
        body = await request.payload(CustomerInput)
        return answer(await request.write(lambda unit: service.create(unit, body, held_by)))

    @get("/v1/customers/{customer_id:str}", **operation("Get a customer", answer=CustomerAnswer))
    async def get_customer(request: ApiRequest, customer_id: str) -> Response[bytes]:
        return answer(await request.read(lambda unit: service.get(unit, customer_id, held_by)))

    @put(
        "/v1/customers/{customer_id:str}", **operation("Update a customer", body=CustomerUpdate, answer=CustomerAnswer)
    )
    async def update_customer(request: ApiRequest, customer_id: str) -> Response[bytes]:
        body = await request.payload(CustomerUpdate)
        return answer(await request.write(lambda unit: service.update(unit, customer_id, body, held_by)))

    @delete("/v1/customers/{customer_id:str}", **operation("Delete a customer", status=204))
    async def delete_customer(request: ApiRequest, customer_id: str) -> Response[None]:
        await request.write(lambda unit: activity.delete(unit, customer_id, remove_orders, forget_segments))
        return no_content()

    @post(
        "/v1/customers/{customer_id:str}/permanent-deletion",
        **operation("Delete a customer and all that is personal", answer=DeletionAnswer),
    )
    async def delete_permanently(request: ApiRequest, customer_id: str) -> Response[bytes]:
        return answer(
            await request.write(lambda unit: activity.delete(unit, customer_id, remove_orders, forget_segments))
        )

    @get(
        ["/v1/customers/{customer_id:str}/activity", "/v1/customers/{customer_id:str}/activities"],
        **operation("List a customer's activity", answer=ActivityList, query=_ACTIVITY),
    )
    async def list_activity(request: ApiRequest, customer_id: str) -> Response[bytes]:
        return answer(
            await request.read(
                lambda unit: activity.list_activity(unit, customer_id, request.query, records_of_campaigns)
            )
        )

    return [
        list_customers,
        create_customer,
        get_customer,
        update_customer,
        delete_customer,
        delete_permanently,
        list_activity,
    ]
