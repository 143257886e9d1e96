"""Rules that limit how often, or how far, something is redeemed."""

from typing import Any

from tests.api.shop import amount, code, name, ok
from tests.servers import Server

KEY = "redemption_rules_violated"


def limit(shop: Server, counted: str, most: int) -> str:
    """The id of a rule that lets so many through."""
    conditions = {"$less_than_or_equal": [most]}
    sent = {"name": name("Limit"), "rules": {"1": {"name": counted, "conditions": conditions}}}
    return str(ok(shop.client.post("/v1/validation-rules", json=sent))["id"])


def limited(shop: Server, counted: str, most: int) -> str:
    """A code under a rule of its own."""
    made = code(shop.client, amount(100))
    assign(shop, limit(shop, counted, most), made, "voucher")
    return made


def assign(shop: Server, rule_id: str, object_id: str, object_type: str) -> None:
    sent = {"related_object_id": object_id, "related_object_type": object_type}
    ok(shop.client.post(f"/v1/validation-rules/{rule_id}/assignments", json=sent))


def campaign(shop: Server, codes: int, counted: str, most: int, voucher: Any = None) -> list[str]:
    """Codes of a new campaign under one rule."""
    coupon = voucher or {"type": "DISCOUNT_VOUCHER", "discount": amount(100)}
    sent = {"name": name("Campaign"), "voucher": coupon, "validation_rules": [limit(shop, counted, most)]}
    if voucher:
        sent["campaign_type"] = "GIFT_VOUCHERS"
    made = ok(shop.client.post("/v1/campaigns", json=sent))
    return [ok(shop.client.post(f"/v1/campaigns/{made['id']}/vouchers"))["code"] for _ in range(codes)]


def undo(shop: Server, redemption: Any) -> None:
    ok(shop.client.post(f"/v1/redemptions/{redemption['redemptions'][0]['id']}/rollback"))
