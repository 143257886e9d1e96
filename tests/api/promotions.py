"""Short words for products, rules, promotions and what is asked of them."""

from typing import Any

import httpx

from tests.api.shop import name, ok


def product(client: httpx.Client, price: int | None = None) -> str:
    """The id of a new product."""
    body: dict[str, Any] = {"name": name("P"), "source_id": name("ps")}
    return str(ok(client.post("/v1/products", json=body | ({"price": price} if price is not None else {})))["id"])


def entry(product_id: str, **more: Any) -> dict[str, Any]:
    """An entry of `applicable_to`."""
    return {"object": "product", "id": product_id, **more}


def rule(client: httpx.Client, *included: dict[str, Any], **more: Any) -> str:
    """The id of a rule that says what a benefit applies to."""
    body = {"name": name("R"), "applicable_to": {"included": list(included)}, **more}
    return str(ok(client.post("/v1/validation-rules", json=body))["id"])


def tier(discount: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A promotion tier as sent."""
    return {"name": name("Tier"), "banner": "Buy more", "action": {"discount": discount}, **more}


def promotion(client: httpx.Client, *tiers: dict[str, Any], **more: Any) -> Any:
    """A new promotion campaign with these tiers."""
    body = {"name": name("Promotion"), "campaign_type": "PROMOTION", "promotion": {"tiers": list(tiers)}, **more}
    return ok(client.post("/v1/campaigns", json=body))


def tier_ids(campaign: Any) -> list[str]:
    return [one["id"] for one in campaign["promotion"]["tiers"]]


def new_tier(client: httpx.Client, discount: dict[str, Any], **more: Any) -> str:
    """The id of the only tier of a new promotion."""
    return tier_ids(promotion(client, tier(discount, **more)))[0]


def stack(client: httpx.Client, campaign: Any, ids: list[str]) -> str:
    """The id of a new stack of these tiers, in this order."""
    body = {"name": name("Stack"), "tiers": {"ids": ids}}
    return str(ok(client.post(f"/v1/promotions/{campaign['id']}/stacks", json=body))["id"])


def of_tier(tier_id: str) -> dict[str, Any]:
    return {"object": "promotion_tier", "id": tier_id}


def of_stack(stack_id: str) -> dict[str, Any]:
    return {"object": "promotion_stack", "id": stack_id}


def of_code(code: str) -> dict[str, Any]:
    return {"object": "voucher", "id": code}


def sent(*redeemables: dict[str, Any], order: Any = None, **more: Any) -> dict[str, Any]:
    body: dict[str, Any] = {"redeemables": list(redeemables), **more}
    if order is not None:
        body["order"] = {"amount": order} if isinstance(order, int) else order
    return body


def validate_all(client: httpx.Client, *redeemables: dict[str, Any], **more: Any) -> Any:
    return ok(client.post("/v1/validations", json=sent(*redeemables, **more)))


def redeem_all(client: httpx.Client, *redeemables: dict[str, Any], **more: Any) -> Any:
    return ok(client.post("/v1/redemptions", json=sent(*redeemables, **more)))


def try_redeem_all(client: httpx.Client, *redeemables: dict[str, Any], **more: Any) -> httpx.Response:
    return client.post("/v1/redemptions", json=sent(*redeemables, **more))


def statistics(client: httpx.Client, tier_id: str) -> tuple[int, int, int]:
    """How often a tier is redeemed, on orders of what amount, and what it took off them."""
    return counted(ok(client.get(f"/v1/promotions/tiers/{tier_id}")))


def counted(shown: dict[str, Any]) -> tuple[int, int, int]:
    summary = shown["summary"]
    return (
        summary["redemptions"]["total_redeemed"],
        summary["orders"]["total_amount"],
        summary["orders"]["total_discount_amount"],
    )
