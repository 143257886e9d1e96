"""HTTP of products and SKUs."""

from litestar import Response, delete, get, post, put
from litestar.handlers import HTTPRouteHandler

from largesse.kernel.http.request import ApiRequest, answer, no_content, operation
from largesse.products import service
from largesse.products.model import (
    ProductAnswer,
    ProductCreate,
    ProductList,
    ProductUpdate,
    SkuAnswer,
    SkuCreate,
    SkuList,
    SkuUpdate,
)
from largesse.products.service import CheckUnused

_LIST = ("limit", "page", "order", "start_date", "end_date")


@get("/v1/products", **operation("List products", answer=ProductList, query=_LIST))
async def list_products(request: ApiRequest) -> Response[bytes]:
    return answer(await request.read(lambda unit: service.list_products(unit, request.query)))


@post("/v1/products", **operation("Create or update a product", body=ProductCreate, answer=ProductAnswer))
async def create_product(request: ApiRequest) -> Response[bytes]:
    body = await request.payload(ProductCreate)
    return answer(await request.write(lambda unit: service.create_product(unit, body)))


@get("/v1/products/{product_id:str}", **operation("Get a product", answer=ProductAnswer, query=("hide",)))
async def get_product(request: ApiRequest, product_id: str) -> Response[bytes]:
    with_skus = "sku" not in request.query.all("hide")
    return answer(await request.read(lambda unit: service.get_product(unit, product_id, with_skus=with_skus)))


@put("/v1/products/{product_id:str}", **operation("Update a product", body=ProductUpdate, answer=ProductAnswer))
async def update_product(request: ApiRequest, product_id: str) -> Response[bytes]:
    body = await request.payload(ProductUpdate)
    return answer(await request.write(lambda unit: service.update_product(unit, product_id, body)))


@get("/v1/skus/{sku_id:str}", **operation("Get a SKU", answer=SkuAnswer))
async def get_sku(request: ApiRequest, sku_id: str) -> Response[bytes]:
    return answer(await request.read(lambda unit: service.get_sku(unit, sku_id)))


@get("/v1/products/{product_id:str}/skus", **operation("List a product's SKUs", answer=SkuList, query=_LIST))
async def list_skus(request: ApiRequest, product_id: str) -> Response[bytes]:
    return answer(await request.read(lambda unit: service.list_skus(unit, product_id, request.query)))


@post("/v1/products/{product_id:str}/skus", **operation("Create or update a SKU", body=SkuCreate, answer=SkuAnswer))
async def create_sku(request: ApiRequest, product_id: str) -> Response[bytes]:
    body = await request.payload(SkuCreate)
    return answer(await request.write(lambda unit: service.create_sku(unit, product_id, body)))


@put("/v1/products/{product_id:str}/skus/{sku_id:str}", **operation("Update a SKU", body=SkuUpdate, answer=SkuAnswer))
async def update_sku(request: ApiRequest, product_id: str, sku_id: str) -> Response[bytes]:
    body = await request.payload(SkuUpdate)
    return answer(await request.write(lambda unit: service.update_sku(unit, product_id, sku_id, body)))


def make_routes(check_unused: CheckUnused) -> list[HTTPRouteHandler]:
    """`check_unused` refuses to let go of what another room's objects name."""

    @delete("/v1/products/{product_id:str}", **operation("Delete a product", status=204, query=("force",)))
    async def delete_product(request: ApiRequest, product_id: str) -> Response[None]:
        force = bool(request.query.flag("force"))
        await request.write(lambda unit: service.delete_product(unit, product_id, check_unused, force=force))
        return no_content()

    @delete(
        "/v1/products/{product_id:str}/skus/{sku_id:str}", **operation("Delete a SKU", status=204, query=("force",))
    )
    async def delete_sku(request: ApiRequest, product_id: str, sku_id: str) -> Response[None]:
        force = bool(request.query.flag("force"))
        await request.write(lambda unit: service.delete_sku(unit, product_id, sku_id, check_unused, force=force))
        return no_content()

    return [
        list_products,
        create_product,
        get_product,
        update_product,
        delete_product,
        get_sku,
        list_skus,
        create_sku,
        update_sku,
        delete_sku,
    ]
