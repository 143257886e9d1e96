"""Short words for what the API tests do again and again."""

import itertools
import time
from typing import Any

import httpx

_names = itertools.count(int(time.time() * 1000) % 10_000_000)


def name(prefix: str = "C") -> str:
    """A name nobody else uses."""
    return f"{prefix}-{next(_names)}"


def ok(response: httpx.Response) -> Any:
    """The JSON of a successful answer."""
    assert response.status_code in (200, 204), f"{response.status_code}: {response.text}"
    return response.json() if response.content else None


def refused(response: httpx.Response, status: int, key: str) -> Any:
    """The error of a refused request, after checking its status, key and shape."""
    body = response.json()
    assert (response.status_code, body.get("key")) == (status, key), f"{response.status_code}: {response.text}"
    assert body["code"] == status
    assert body["request_id"] == response.headers["x-request-id"]
    return body


def amount(off: float, **more: Any) -> dict[str, Any]:
    return {"type": "AMOUNT", "amount_off": off, **more}


def percent(off: float, **more: Any) -> dict[str, Any]:
    return {"type": "PERCENT", "percent_off": off, **more}


def fixed(price: float, **more: Any) -> dict[str, Any]:
    return {"type": "FIXED", "fixed_amount": price, **more}


def code(client: httpx.Client, discount: dict[str, Any], *, quantity: int | None = None, **more: Any) -> str:
    """A new discount code."""
    body = {"type": "DISCOUNT_VOUCHER", "discount": discount, "redemption": {"quantity": quantity}, **more}
    made = name()
    ok(client.post(f"/v1/vouchers/{made}", json=body))
    return made


def gift(client: httpx.Client, credits: int, **more: Any) -> str:
    """A new gift card."""
    made = name("G")
    ok(client.post(f"/v1/vouchers/{made}", json={"type": "GIFT_VOUCHER", "gift": {"amount": credits, **more}}))
    return made


def asks(*codes: str | tuple[str, int]) -> list[dict[str, Any]]:
    """Redeemables: codes, or (gift card, credits)."""
    return [
        {"object": "voucher", "id": c}
        if isinstance(c, str)
        else {"object": "voucher", "id": c[0], "gift": {"credits": c[1]}}
        for c in codes
    ]


def body(*codes: str | tuple[str, int], order: Any = None, **more: Any) -> dict[str, Any]:
    sent: dict[str, Any] = {"redeemables": asks(*codes), **more}
    if order is not None:
        sent["order"] = {"amount": order} if isinstance(order, int) else order
    return sent


def validate(client: httpx.Client, *codes: Any, order: Any = None, **more: Any) -> Any:
    return ok(client.post("/v1/validations", json=body(*codes, order=order, **more)))


def redeem(client: httpx.Client, *codes: Any, order: Any = None, **more: Any) -> Any:
    return ok(client.post("/v1/redemptions", json=body(*codes, order=order, **more)))


def try_redeem(client: httpx.Client, *codes: Any, order: Any = None, **more: Any) -> httpx.Response:
    return client.post("/v1/redemptions", json=body(*codes, order=order, **more))


def voucher(client: httpx.Client, code: str) -> Any:
    return ok(client.get(f"/v1/vouchers/{code}"))


def uses(client: httpx.Client, code: str) -> int:
    return int(voucher(client, code)["redemption"]["redeemed_quantity"])


def balance(client: httpx.Client, code: str) -> int:
    return int(voucher(client, code)["gift"]["balance"])


def amounts(order: dict[str, Any]) -> dict[str, Any]:
    """The amount members of an order."""
    return {key: value for key, value in order.items() if key.endswith("amount")}
