"""HTTP of categories."""

from litestar import Response, delete, get, post, put
from litestar.handlers import HTTPRouteHandler

from largesse.categories import service
from largesse.categories.model import CategoryAnswer, CategoryInput, CategoryList
from largesse.categories.service import Forget
from largesse.kernel.http.request import ApiRequest, answer, no_content, operation


def make_routes(forget: Forget) -> list[HTTPRouteHandler]:
    """`forget` makes every room's references to a deleted category null: the rooms know how."""

    @get("/v1/categories", **operation("List categories", answer=CategoryList))
    async def list_categories(request: ApiRequest) -> Response[bytes]:
        return answer(await request.read(service.list_categories))

    @post("/v1/categories", **operation("Create a category", body=CategoryInput, answer=CategoryAnswer))
    async def create_category(request: ApiRequest) -> Response[bytes]:
        body = await request.payload(CategoryInput)
        return answer(await request.write(lambda unit: service.create(unit, body)))

    @get("/v1/categories/{category_id:str}", **operation("Get a category", answer=CategoryAnswer))
    async def get_category(request: ApiRequest, category_id: str) -> Response[bytes]:
        return answer(await request.read(lambda unit: service.get(unit, category_id)))

    @put(
        "/v1/categories/{category_id:str}", **operation("Update a category", body=CategoryInput, answer=CategoryAnswer)
    )
    async def update_category(request: ApiRequest, category_id: str) -> Response[bytes]:
        body = await request.payload(CategoryInput)
        return answer(await request.write(lambda unit: service.update(unit, category_id, body)))

    @delete(
        "/v1/categories/{category_id:str}",
        **operation("Delete a category", status=204, query=("remove_from_stacking_rules",)),
    )
    async def delete_category(request: ApiRequest, category_id: str) -> Response[None]:
        remove = bool(request.query.flag("remove_from_stacking_rules"))
        await request.write(lambda unit: service.delete(unit, category_id, forget, remove_from_stacking_rules=remove))
        return no_content()

    return [list_categories, create_category, get_category, update_category, delete_category]
