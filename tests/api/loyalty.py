"""Loyalty programs and cards with holders, as tests of points need them."""

from datetime import timedelta
from typing import Any

import largesse.points.service as points_service
from largesse.kernel import clock
from largesse.kernel.access.projects import load_project
from largesse.kernel.call import Call, Caller
from largesse.kernel.database.stores import open_writer
from largesse.kernel.database.unit import Unit
from largesse.kernel.events import write_events
from largesse.kernel.settings import Settings
from tests.api import members
from tests.api.shop import ok
from tests.servers import Server

MONTH = {"period_type": "MONTH", "period_value": 1}


class Program:
    """A loyalty program of a server."""

    def __init__(self, server: Server, rules: dict[str, Any] | None = None, points: int = 0) -> None:
        self.server = server
        made = members.program(server.client, points, **({"expiration_rules": rules} if rules else {}))
        self.id, self.name = made["id"], made["name"]

    @property
    def members(self) -> str:
        """The path of its members."""
        return f"/v1/loyalties/{self.id}/members"

    def card(self, initial: int | None = None) -> str:
        """The code of the card of a new member; with other initial points than the program's where they are said."""
        if initial is None:
            return str(members.join(self.server.client, self.id)["code"])
        code = self.free_card(initial)
        return str(members.join(self.server.client, self.id, voucher=code)["code"])

    def free_card(self, initial: int) -> str:
        """The code of a card that nobody holds."""
        sent = {"type": "LOYALTY_CARD", "campaign": self.id, "loyalty_card": {"points": initial}}
        return str(ok(self.server.client.post("/v1/vouchers", json=sent))["code"])

    # What clients do

    def shown(self, code: str) -> dict[str, Any]:
        """A card as the API shows it."""
        return dict(ok(self.server.client.get(f"/v1/vouchers/{code}"))["loyalty_card"])

    def add(self, code: str, points: int, **more: Any) -> Any:
        return ok(self.server.client.post(f"{self.members}/{code}/balance", json={"points": points, **more}))

    def buckets(self, code: str) -> list[tuple[int, str | None]]:
        found = ok(self.server.client.get(f"{self.members}/{code}/points-expiration?limit=100"))
        return [(one["bucket"]["total_points"], one.get("expires_at")) for one in found["data"]]

    def transactions(self, code: str) -> list[tuple[str, int]]:
        """Types and points of the transactions of a card, oldest first."""
        found = ok(self.server.client.get(f"{self.members}/{code}/transactions?order=id&limit=100"))
        return [(one["type"], one["details"]["balance"]["points"]) for one in found["data"]]

    # What earning rules do

    def await_points(self, code: str, points: int, days: int) -> str:
        """The id of points that wait for some days on a card, put into the store."""
        engine = open_writer(Settings(database_url=self.server.store))
        with engine.begin() as conn:
            call = Call(
                project=load_project(conn, self.server.keys["project_id"]),
                caller=Caller(surface="server", key_id="key"),
                request_id="v-0",
                now=clock.now_micros() + self.server.ahead * clock.SECOND,
            )
            unit = Unit(conn, call)
            cards, found = points_service.lock(unit, [code])
            day, order = cards.today + timedelta(days=days), {"id": "ord_1", "source_id": None}
            made = cards.await_points(unit, found[code], points, day, order_id="ord_1", details={"order": order})
            cards.save()
            write_events(conn, unit.project_id, unit.take_events())
        engine.dispose()
        return made.id
