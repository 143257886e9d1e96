"""HTTP of orders."""

from litestar import Response, get, post, put

from largesse.kernel.http.request import ApiRequest, answer, operation
from largesse.orders import service
from largesse.orders.model import OrderAnswer, OrderCreate, OrderList, OrderUpdate


@get("/v1/orders", **operation("List orders", answer=OrderList, query=("limit", "page", "order")))
async def list_orders(request: ApiRequest) -> Response[bytes]:
    return answer(await request.read(lambda unit: service.list_orders(unit, request.query)))


@post("/v1/orders", **operation("Create or update an order", body=OrderCreate, answer=OrderAnswer))
async def create_order(request: ApiRequest) -> Response[bytes]:
    body = await request.payload(OrderCreate)
    return answer(await request.write(lambda unit: service.create(unit, body)))


@get("/v1/orders/{order_id:str}", **operation("Get an order", answer=OrderAnswer))
async def get_order(request: ApiRequest, order_id: str) -> Response[bytes]:
    return answer(await request.read(lambda unit: service.get(unit, order_id)))


@put("/v1/orders/{order_id:str}", **operation("Update an order", body=OrderUpdate, answer=OrderAnswer))
async def update_order(request: ApiRequest, order_id: str) -> Response[bytes]:
    body = await request.payload(OrderUpdate)
    return answer(await request.write(lambda unit: service.update(unit, order_id, body)))


routes = [list_orders, create_order, get_order, update_order]
