"""Loyalty programs and cards with holders, as tests of points need them."""

from typing import Any

import msgspec

import largesse.campaigns.store as campaigns
import largesse.points.service as points
import largesse.vouchers.store as vouchers
from largesse.campaigns.model import StoredCampaign, Template
from largesse.engine.books import Voucher
from largesse.engine.points import ExpirationRules
from largesse.kernel import clock, ids
from largesse.kernel.access.projects import load_project
from largesse.kernel.call import Call, Caller
from largesse.kernel.database.stores import open_writer
from largesse.kernel.database.unit import Unit
from largesse.kernel.settings import Settings
from largesse.vouchers.model import StoredVoucher
from tests.api.shop import name, ok
from tests.servers import Server

MONTH = {"period_type": "MONTH", "period_value": 1}


class Program:
    """A loyalty program of a server, made in its store."""

    def __init__(self, server: Server, rules: dict[str, Any] | None = None, points: int = 0) -> None:
        self.server = server
        self.id, self.name = ids.text_id("camp_"), name("Program")
        self.points = points
        kept = msgspec.convert(rules, ExpirationRules) if rules else None
        template = Template(type="LOYALTY_CARD", expiration_rules=kept)
        made = StoredCampaign(
            id=self.id,
            name=self.name,
            campaign_type="LOYALTY_PROGRAM",
            type="AUTO_UPDATE",
            voucher=template,
            created_at=clock.now_micros(),
        )
        self._in_store(lambda unit: campaigns.add(unit.conn, unit.project_id, made))

    @property
    def members(self) -> str:
        return f"/v1/loyalties/{self.id}/members"

    def customer(self) -> str:
        return str(ok(self.server.client.post("/v1/customers", json={"source_id": name("member")}))["id"])

    def card(self, initial: int | None = None, holder: str | None = "new") -> str:
        """The code of a card with a new holder, unless `holder` is another or None."""
        customer = self.customer() if holder == "new" else holder
        entry = Voucher(
            id=ids.text_id("v_", 32),
            code=name("CARD"),
            type="LOYALTY_CARD",
            gift_amount=self.points if initial is None else initial,
            campaign=self.name,
            campaign_id=self.id,
            holder_id=customer,
        )
        made = StoredVoucher(
            entry=entry,
            additional_info=None,
            created_at=clock.now_micros(),
            updated_at=None,
            publish_count=int(customer is not None),
            referrer_id=None,
            qr_id=ids.time_uuid(),
            barcode_id=ids.time_uuid(),
        )

        def insert(unit: Unit) -> None:
            vouchers.insert(unit.conn, unit.project_id, made, entry.code)
            campaigns.count(unit.conn, unit.project_id, self.id, 1)
            points.begin(unit, [made])

        self._in_store(insert)
        return entry.code

    def _in_store(self, act: Any) -> Any:
        engine = open_writer(Settings(database_url=self.server.store))
        try:
            with engine.begin() as conn:
                project = load_project(conn, self.server.keys["project_id"])
                call = Call(
                    project=project,
                    caller=Caller(surface="server", key_id="key"),
                    request_id="v-0",
                    now=clock.now_micros() + self.server.ahead * clock.SECOND,
                )
                return act(Unit(conn, call))
        finally:
            engine.dispose()

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
