"""HTTP of images: open to all, as mails and wallets show them; the address is unguessable."""

from collections.abc import Callable

from litestar import Response, get
from sqlalchemy.engine import Connection

import largesse.vouchers.service as vouchers
from largesse.assets import images
from largesse.assets.images import Format
from largesse.kernel.errors import invalid, not_found
from largesse.kernel.http.request import ApiRequest, operation

_TYPES = {"png": "image/png", "svg": "image/svg+xml"}
_QUERY = ("size", "format")


@get("/api/v1/assets/qr/{asset_id:str}", **operation("The QR code of a voucher", query=_QUERY))
async def get_qr(request: ApiRequest, asset_id: str) -> Response[bytes]:
    return await _image(request, "qr", asset_id, images.qr)


@get("/api/v1/assets/barcode/{asset_id:str}", **operation("The barcode of a voucher", query=_QUERY))
async def get_barcode(request: ApiRequest, asset_id: str) -> Response[bytes]:
    return await _image(request, "barcode", asset_id, images.barcode)


async def _image(
    request: ApiRequest, kind: str, asset_id: str, draw: Callable[[str, int, Format], bytes]
) -> Response[bytes]:
    size = request.query.integer("size", 1, 100, 20)
    format: Format = "svg" if request.query.one_of("format", ("png", "svg")) == "svg" else "png"

    def find(conn: Connection) -> str | None:
        return vouchers.code_of_asset(conn, kind, asset_id)

    code = await request.database.look_up(find)
    if code is None:
        raise not_found("asset", asset_id)
    try:
        image = draw(code, size, format)
    except ValueError:
        raise invalid("invalid_voucher", "Invalid Voucher", f"The code cannot be drawn as a {kind}") from None
    return Response(image, media_type=_TYPES[format], headers={"Cache-Control": "public, max-age=86400"})


routes = [get_qr, get_barcode]
