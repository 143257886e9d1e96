"""HTTP of product collections."""

from litestar import Response, delete, get, post, put
from litestar.handlers import HTTPRouteHandler

from largesse.kernel.http.request import ApiRequest, answer, no_content, operation
from largesse.product_collections import members, service
from largesse.product_collections.model import (
    CollectionAnswer,
    CollectionCreate,
    CollectionList,
    CollectionUpdate,
    MemberList,
)
from largesse.product_collections.service import CheckUnused

_PATH = "/v1/product-collections"
_ONE = "/v1/product-collections/{collection_id:str}"
_LIST = ("limit", "page", "order")


@get(_PATH, **operation("List product collections", answer=CollectionList, query=_LIST))
async def list_collections(request: ApiRequest) -> Response[bytes]:
    return answer(await request.read(lambda unit: service.list_collections(unit, request.query)))


@post(_PATH, **operation("Create a product collection", body=CollectionCreate, answer=CollectionAnswer))
async def create_collection(request: ApiRequest) -> Response[bytes]:
    body = await request.payload(CollectionCreate)
    return answer(await request.write(lambda unit: service.create(unit, body)))


@get(_ONE, **operation("Get a product collection", answer=CollectionAnswer))
async def get_collection(request: ApiRequest, collection_id: str) -> Response[bytes]:
    return answer(await request.read(lambda unit: service.get(unit, collection_id)))


@put(_ONE, **operation("Update a product collection", body=CollectionUpdate, answer=CollectionAnswer))
async def update_collection(request: ApiRequest, collection_id: str) -> Response[bytes]:
    body = await request.payload(CollectionUpdate)
    return answer(await request.write(lambda unit: service.update(unit, collection_id, body)))


@get(
    f"{_ONE}/products",
    **operation("List products in a collection", answer=MemberList, query=(*_LIST, "starting_after")),
)
async def list_members(request: ApiRequest, collection_id: str) -> Response[bytes]:
    return answer(await request.read(lambda unit: members.list_members(unit, collection_id, request.query)))


def make_routes(check_unused: CheckUnused) -> list[HTTPRouteHandler]:
    """`check_unused` refuses to let go of a collection that another room's objects name."""

    @delete(_ONE, **operation("Delete a product collection", status=204))
    async def delete_collection(request: ApiRequest, collection_id: str) -> Response[None]:
        await request.write(lambda unit: service.delete(unit, collection_id, check_unused))
        return no_content()

    return [list_collections, create_collection, get_collection, update_collection, delete_collection, list_members]
