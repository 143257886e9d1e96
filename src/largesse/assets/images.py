"""Drawing codes. A module is `size / 10` pixels wide, at least one."""

import io
import struct
import zlib
from typing import Literal

import segno
from barcode import Code128

Format = Literal["png", "svg"]
_BAR_HEIGHT = 50  # modules
_QUIET = 10  # modules left and right, as the symbology asks


def qr(code: str, size: int, format: Format) -> bytes:
    """A QR code of `code`."""
    out = io.BytesIO()
    segno.make(code, error="m", micro=False).save(out, kind=format, scale=max(1, size // 10), border=4)
    return out.getvalue()


def barcode(code: str, size: int, format: Format) -> bytes:
    """A Code 128 barcode of `code`. Raises ValueError for characters it cannot carry."""
    try:
        modules = "0" * _QUIET + Code128(code).build()[0] + "0" * _QUIET
    except Exception as error:  # the library raises its own kinds for characters outside Latin-1
        raise ValueError(code) from error
    scale = max(1, size // 10)
    return _png(modules, scale) if format == "png" else _svg(modules, scale)


def _svg(modules: str, scale: int) -> bytes:
    bars = "".join(f'<path d="M{x} 0h1v{_BAR_HEIGHT}h-1z"/>' for x, module in enumerate(modules) if module == "1")
    width, height = len(modules), _BAR_HEIGHT
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width * scale}" height="{height * scale}"'
        f' viewBox="0 0 {width} {height}"><rect width="100%" height="100%" fill="#fff"/>{bars}</svg>'
    ).encode()


def _png(modules: str, scale: int) -> bytes:
    """One bit a pixel, every row alike: nothing an image library would add."""
    bits = "".join(("0" if module == "1" else "1") * scale for module in modules)
    width, height = len(bits), _BAR_HEIGHT * scale
    padded = bits.ljust(-(-width // 8) * 8, "1")
    row = b"\0" + int(padded, 2).to_bytes(len(padded) // 8, "big")
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(row * height)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
