"""A shop with something of everything, for tests of what lists show; some rows with and some without each member."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import httpx

from tests.api.members import program
from tests.api.programs import Member, fixed, rule, tiers
from tests.api.programs import tier as ranked
from tests.api.promotions import promotion, stack, tier, tier_ids
from tests.api.shop import amount, code, gift, name, ok, redeem, try_redeem

Json = dict[str, Any]
Read = Callable[[Json], Any]


def at(*steps: str) -> Read:
    """Reads a member of a row; None where there is none."""

    def read(row: Json) -> Any:
        found: Any = row
        for step in steps:
            found = found.get(step) if isinstance(found, dict) else None
        return found

    return read


class Shop(NamedTuple):
    """`card` is the code of a gift card with a history, `member` that of a loyalty card."""

    client: httpx.Client
    card: str
    member: str = ""


def seeded(client: httpx.Client) -> Shop:
    return Shop(client, _seed(client), _join(client))


def _join(client: httpx.Client) -> str:
    """A member, with points, of a program that has rules and tiers."""
    program(client, name="Points")
    rule(client, "Points")
    rule(client, "Points", fixed(7))
    tiers(client, "Points", ranked("Silver", 10, 100), ranked("Gold", 101, None))
    member = Member(client, "Points")
    for points in (50, -5, 80):
        member.adds(points)
    member.pays()
    return member.code


def _seed(client: httpx.Client) -> str:
    category = ok(client.post("/v1/categories", json={"name": "Spring sale", "hierarchy": 1}))
    campaigns = []
    for number, more in enumerate(
        (
            {"category_id": category["id"], "start_date": "2020-01-01", "metadata": {"region": "North"}},
            {
                "expiration_date": "2021-06-30T10:00:00Z",
                "metadata": {"region": "South"},
                "validity_day_of_week": [1, 2],
            },
            {"start_date": days_from_now(40)},
        )
    ):
        voucher = {"type": "DISCOUNT_VOUCHER", "discount": amount(100)}
        if number == 2:
            voucher = {"type": "GIFT_VOUCHER", "gift": {"amount": 500}}
        kind = "GIFT_VOUCHERS" if number == 2 else "DISCOUNT_COUPONS"
        sent = {"name": f"Campaign {number}", "campaign_type": kind, "voucher": voucher, **more}
        campaigns.append(ok(client.post("/v1/campaigns", json=sent)))
    ok(client.post(f"/v1/campaigns/{campaigns[2]['id']}/disable"))
    offer = promotion(client, tier(amount(10)), tier(amount(20)))
    for ids in (tier_ids(offer), tier_ids(offer)[:1]):
        stack(client, offer, ids)
    ok(client.put(f"/v1/campaigns/{campaigns[1]['id']}", json={"description": "changed"}))
    for campaign in campaigns[:2]:
        ok(client.post(f"/v1/campaigns/{campaign['id']}/vouchers", json={"metadata": {"size": 3}}))
    codes = [
        code(client, amount(10), quantity=1, metadata={"region": "north", "size": 10}, start_date=days_from_now(-3)),
        code(
            client,
            amount(20),
            quantity=5,
            metadata={"region": "North", "tags": ["a", "b"]},
            expiration_date=days_from_now(3),
        ),
        code(client, amount(30), category_id=category["id"], metadata={"size": 7.5}, start_date=days_from_now(0)),
    ]
    card = gift(client, 5000)
    ok(client.put(f"/v1/vouchers/{codes[1]}", json={"additional_info": "x"}))
    buyer = {"source_id": "buyer"}
    redeem(client, codes[0], order=1000, customer=buyer)
    done = redeem(client, codes[1], (card, 700), order=1000, customer={"source_id": "holder"})
    try_redeem(client, codes[0], order=1000)
    assert client.post(f"/v1/redemptions/{done['parent_redemption']['id']}/rollbacks").status_code == 200
    for sent in ({"voucher": card}, {"voucher": codes[2], "source_id": "mail 1"}, {"campaign": {"name": "Campaign 0"}}):
        ok(client.post("/v1/publications", json={"customer": {"source_id": "holder"}, **sent}))
    client.post("/v1/publications", json={"customer": buyer, "voucher": card})
    for made in (code(client, amount(1)), code(client, amount(1))):
        ok(client.delete(f"/v1/vouchers/{made}"))
    for number in range(2):
        rule_id = ok(client.post("/v1/validation-rules", json={"name": f"Rule {number}", "rules": {}}))["id"]
        code(client, amount(1), validation_rules=[rule_id])
        kept = ok(client.post("/v1/products", json={"name": f"Kept {number}"}))
        listed = [{"id": kept["id"], "object": "product"}]
        sent = {"name": f"Collection {number}", "type": "STATIC", "products": listed}
        ok(client.post("/v1/product-collections", json=sent))
    product = ok(client.post("/v1/products", json={"name": "Mug 1"}))
    ok(client.delete(f"/v1/products/{product['id']}"))
    for kind in ("auto-update", "passive"):
        filters = {"junction": "and", "name": {"conditions": {"$is": ["x"]}}}
        ok(client.post("/v1/segments", json={"name": name("Seg"), "type": kind, "filter": filters}))
    ok(client.post("/v1/segments", json={"name": "Static", "type": "static", "customers": []}))
    for number in range(3):
        circle = {"type": "circle", "distance": {"center": "1,1", "radius": "1 km"}}
        place = ok(client.post("/largesse/v1/locations", json={"name": f"Place {number}", "shape": circle}))
        time.sleep(0.002)
    ok(client.put(f"/largesse/v1/locations/{place['id']}", json={"name": "Port"}))
    return card


def days_from_now(number: int) -> str:
    return (datetime.now(UTC) + timedelta(days=number)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
