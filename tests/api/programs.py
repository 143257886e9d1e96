"""Members of loyalty programs who earn, and what became of it."""

from typing import Any

import httpx

from tests.api.members import join, program
from tests.api.shop import name, ok

FIXED = {"type": "FIXED", "points": 5}


def fixed(points: int, **more: Any) -> dict[str, Any]:
    return {"type": "FIXED", "points": points, **more}


def per(kind: str, part: str, member: str, every: int, points: int, **more: Any) -> dict[str, Any]:
    rate = {"every": every, "points": points, **more}
    return {"type": "PROPORTIONAL", "calculation_type": kind, part: {member: rate}}


def per_total(every: int, points: int) -> dict[str, Any]:
    return per("ORDER_TOTAL_AMOUNT", "order", "total_amount", every, points)


def rule(client: httpx.Client, key: str, loyalty: Any = FIXED, event: str = "order.paid", **more: Any) -> Any:
    return ok(client.post(f"/v1/loyalties/{key}/earning-rules", json=[{"event": event, "loyalty": loyalty, **more}]))[0]


def tiers(client: httpx.Client, key: str, *sent: dict[str, Any]) -> list[Any]:
    return list(ok(client.post(f"/v1/loyalties/{key}/tiers", json=list(sent))))


def tier(name: str, low: int, high: int | None, **more: Any) -> dict[str, Any]:
    return {"name": name, "points": {"from": low, "to": high}, **more}


class Member:
    """A customer with a card of a program."""

    def __init__(self, client: httpx.Client, program_key: str) -> None:
        self.client = client
        self.program = program_key
        self.source_id = name("member")
        self.card = join(client, program_key, {"source_id": self.source_id})
        self.code = self.card["code"]

    @property
    def id(self) -> str:
        return str(self.card["holder_id"])

    def pays(self, amount: int = 1_000, **more: Any) -> Any:
        """Pays a new order."""
        return pay(self.client, self.source_id, amount, **more)

    def adds(self, points: int) -> Any:
        """Points by hand, negative to take some away."""
        path = f"/v1/loyalties/{self.program}/members/{self.code}/balance"
        return ok(self.client.post(path, json={"points": points}))

    @property
    def shown(self) -> Any:
        return ok(self.client.get(f"/v1/loyalties/members/{self.code}"))["loyalty_card"]

    @property
    def balance(self) -> int:
        return int(self.shown["balance"])

    @property
    def transactions(self) -> list[Any]:
        """Oldest first."""
        path = f"/v1/loyalties/members/{self.code}/transactions?limit=100&order=id"
        return list(ok(self.client.get(path))["data"])

    @property
    def moves(self) -> list[tuple[str, int]]:
        return [(one["type"], one["details"]["balance"]["points"]) for one in self.transactions]

    @property
    def tier(self) -> Any:
        """The tier held, None for none."""
        found = ok(self.client.get(f"/v1/loyalties/members/{self.code}/tiers"))
        assert found["total"] == len(found["data"]) <= 1
        return found["data"][0] if found["data"] else None

    @property
    def tier_name(self) -> str | None:
        return self.tier["name"] if self.tier else None

    @property
    def tier_days(self) -> tuple[str, str, str | None] | None:
        """Name, first and last day of the tier held."""
        held = self.tier
        return held and (held["name"], held["expiration"]["start_date"], held["expiration"]["expiration_date"])

    @property
    def told(self) -> list[str]:
        """What became of their tiers, oldest first."""
        path = f"/v1/customers/{self.id}/activity?limit=100"
        types = [one["type"] for one in ok(self.client.get(path))["data"]]
        return [one.removeprefix("customer.loyalty.tier.") for one in types[::-1] if ".loyalty.tier." in one]


def pay(client: httpx.Client, source_id: str, amount: int = 1_000, **more: Any) -> Any:
    sent = {"status": "PAID", "amount": amount, "customer": {"source_id": source_id}, **more}
    return ok(client.post("/v1/orders", json=sent))


def membership(client: httpx.Client, points: int = 0, **more: Any) -> Member:
    """A member of a program of their own."""
    return Member(client, program(client, points, **more)["id"])
