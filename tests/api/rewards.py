"""Programs, cards and rewards, for the tests that are about them."""

from typing import Any

import httpx

from tests.api.shop import name, ok, percent


def program(client: httpx.Client, points: int = 0, **more: Any) -> Any:
    """A new loyalty program whose cards begin with some points."""
    card: dict[str, Any] = {"type": "LOYALTY_CARD", "loyalty_card": {"points": points}, **more}
    return ok(client.post("/v1/loyalties", json={"name": name("L"), "type": "AUTO_UPDATE", "voucher": card}))


def join(client: httpx.Client, program_id: str, customer: str | None = None) -> Any:
    """The card of a customer, a new one by default."""
    sent = {"customer": {"source_id": customer or name("cust"), "name": "Ann"}}
    return ok(client.post(f"/v1/loyalties/{program_id}/members", json=sent))


def member(client: httpx.Client, points: int, **more: Any) -> Any:
    """A card with some points in a program of its own."""
    return join(client, program(client, points, **more)["id"])


def reward(client: httpx.Client, parameters: dict[str, Any], **more: Any) -> Any:
    return ok(client.post("/v1/rewards", json={"name": name("R"), "parameters": parameters, **more}))


def material(client: httpx.Client, stock: int | None = None, **more: Any) -> Any:
    product = ok(client.post("/v1/products", json={"name": name("P"), "price": 700}))
    return reward(client, {"product": {"id": product["id"]}}, stock=stock, **more)


def coin(client: httpx.Client, exchange_ratio: float = 20, points_ratio: int = 100) -> Any:
    return reward(client, {"coin": {"exchange_ratio": exchange_ratio, "points_ratio": points_ratio}})


def coupons(client: httpx.Client, **more: Any) -> Any:
    """A campaign of discount codes that makes what is asked of it."""
    voucher = {"type": "DISCOUNT_VOUCHER", "discount": percent(10)}
    return ok(client.post("/v1/campaigns", json={"name": name(), "type": "AUTO_UPDATE", "voucher": voucher, **more}))


def gift_cards(client: httpx.Client, amount: int = 0) -> Any:
    voucher = {"type": "GIFT_VOUCHER", "gift": {"amount": amount}}
    return ok(client.post("/v1/campaigns", json={"name": name("G"), "type": "AUTO_UPDATE", "voucher": voucher}))


def issuing(client: httpx.Client, campaign: Any, balance: int | None = None) -> Any:
    """A reward that hands out a code of a campaign, or adds to the customer's card of it."""
    handed: dict[str, Any] = {"id": campaign["id"]}
    return reward(client, {"campaign": handed if balance is None else handed | {"balance": balance}})


def offer(client: httpx.Client, card: Any, reward: Any, points: int | None = None, **more: Any) -> Any:
    """Lets the program of a card offer a reward; the assignment."""
    sent: dict[str, Any] = {"campaign": card["campaign_id"], **more}
    if points is not None:
        sent["parameters"] = {"loyalty": {"points": points}}
    return ok(client.post(f"/v1/rewards/{reward['id']}/assignments", json=sent))


def try_buy(client: httpx.Client, card: Any, reward: Any, points: int | None = None, **more: Any) -> httpx.Response:
    sent = {"reward": {"id": reward["id"]} | ({"points": points} if points is not None else {}), **more}
    return client.post(f"/v1/loyalties/members/{card['code']}/redemption", json=sent)


def buy(client: httpx.Client, card: Any, reward: Any, points: int | None = None, **more: Any) -> Any:
    """Redeems a reward; the redemption."""
    return ok(try_buy(client, card, reward, points, **more))


def asked_of(card: Any, reward: Any, points: int | None = None) -> dict[str, Any]:
    """A card among the redeemables of a request."""
    wanted = {"id": reward["id"]} | ({"points": points} if points is not None else {})
    return {"object": "voucher", "id": card["code"], "reward": wanted}


def try_undo(client: httpx.Client, redemption: Any, **more: Any) -> httpx.Response:
    return client.post(f"/v1/redemptions/{redemption['id']}/rollback", json=more)


def undo(client: httpx.Client, redemption: Any, **more: Any) -> Any:
    return ok(try_undo(client, redemption, **more))


def card_of(client: httpx.Client, card: Any) -> Any:
    return ok(client.get(f"/v1/vouchers/{card['code']}"))


def points_of(client: httpx.Client, card: Any) -> int:
    """What can be spent."""
    return int(card_of(client, card)["loyalty_card"]["balance"])


def counts_of(client: httpx.Client, reward: Any) -> tuple[int | None, int | None]:
    """What is left of a reward, and how often it was redeemed."""
    found = ok(client.get(f"/v1/rewards/{reward['id']}"))
    return found["stock"], found["redeemed"]


def transactions(client: httpx.Client, card: Any) -> list[tuple[str, int, int, int]]:
    """(type, points, total, balance) of a card's movements, newest first."""
    found = ok(client.get(f"/v1/loyalties/members/{card['code']}/transactions"))["data"]
    shown = [(one["type"], one["details"]["balance"]) for one in found]
    return [(kind, balance["points"], balance["total"], balance["balance"]) for kind, balance in shown]
