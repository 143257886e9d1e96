"""Short words for tests of loyalty programs."""

from typing import Any

import httpx

from tests.api.shop import name, ok


def program(client: httpx.Client, points: int = 0, **more: Any) -> Any:
    """A new program that makes a card for everybody who joins."""
    rules = more.pop("expiration_rules", None)
    card: dict[str, Any] = {"points": points} | ({"expiration_rules": rules} if rules else {})
    voucher = {"type": "LOYALTY_CARD", "loyalty_card": card, **more.pop("voucher", {})}
    sent = {"name": name("Program"), "type": "AUTO_UPDATE", "voucher": voucher, **more}
    return ok(client.post("/v1/loyalties", json=sent))


def try_join(client: httpx.Client, program_key: str, customer: Any, **more: Any) -> httpx.Response:
    return client.post(f"/v1/loyalties/{program_key}/members", json={"customer": customer, **more})


def join(client: httpx.Client, program_key: str, customer: Any = None, **more: Any) -> Any:
    """The card of a customer, a new one by default."""
    return ok(try_join(client, program_key, customer or {"source_id": name("member")}, **more))


def member(client: httpx.Client, key: str) -> Any:
    return ok(client.get(f"/v1/loyalties/members/{key}"))
