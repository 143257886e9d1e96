"""Short words for tests of segments."""

from typing import Any

import httpx

from tests.api.promotions import rule
from tests.api.shop import code, name, ok, percent, validate
from tests.waiting import wait_until

PATH = "/v1/segments"
ENTERED, LEFT = "customer.segment.entered", "customer.segment.left"


def customer(client: httpx.Client, **more: Any) -> Any:
    return ok(client.post("/v1/customers", json={"source_id": name("cu"), **more}))


def where(junction: str = "and", /, **fields: Any) -> dict[str, Any]:
    """A filter; `__` stands for the dot in a field."""
    return {"junction": junction} | {
        field.replace("__", "."): {"conditions": conditions} for field, conditions in fields.items()
    }


def segment(client: httpx.Client, filter: dict[str, Any], kind: str = "auto-update") -> str:
    """The id of a new segment, filled."""
    made = ok(client.post(PATH, json={"name": name("Segment"), "type": kind, "filter": filter}))
    wait_until(lambda: ok(client.get(f"{PATH}/{made['id']}"))["initial_sync_status"] == "DONE")
    return str(made["id"])


def segments_of(client: httpx.Client, who: Any) -> set[str]:
    return {one["id"] for one in ok(client.get(f"/v1/customers/{who['id']}/segments"))["data"]}


def members(client: httpx.Client, segment_id: str) -> set[str]:
    found: dict[str, Any] = {}

    def agrees() -> bool:  # not at once where the background works between the page and its total
        found.update(ok(client.get(f"/v1/customers?segment_id={segment_id}&limit=100")))
        return bool(found["total"] == len(found["customers"]))

    wait_until(agrees)
    return {one["id"] for one in found["customers"]}


def told(client: httpx.Client, who: Any, segment_id: str) -> list[str]:
    """What was told of a customer and a segment, oldest first."""
    path = f"/v1/customers/{who['id']}/activity?limit=100&order=created_at"
    return [
        one["type"]
        for one in ok(client.get(path))["data"]
        if one["type"] in (ENTERED, LEFT) and one["data"]["segment"]["id"] == segment_id
    ]


def program_named(name: str) -> dict[str, Any]:
    voucher = {"type": "LOYALTY_CARD", "loyalty_card": {"points": 0}}
    return {"name": name, "type": "AUTO_UPDATE", "voucher": voucher}


def add_points(client: httpx.Client, card: str, points: int) -> None:
    ok(client.post(f"/v1/loyalties/members/{card}/balance", json={"points": points}))


def change(client: httpx.Client, who: Any, **values: Any) -> None:
    ok(client.put(f"/v1/customers/{who['id']}", json=values))


def limited(client: httpx.Client, *conditions: dict[str, Any], **more: Any) -> str:
    """A code for those whom the conditions on `customer.segment` let pass."""
    leaves = {str(n): {"name": "customer.segment", "conditions": one} for n, one in enumerate(conditions, 1)}
    return code(client, percent(10), validation_rules=[rule(client, rules=leaves | more)])


def passes(client: httpx.Client, voucher: str, who: dict[str, Any] | None) -> bool:
    return bool(validate(client, voucher, order=1000, customer=who)["valid"])
