"""Many who want codes at once: each code goes to one, nobody waits for ever."""

from typing import Any

import httpx

from tests.api.crowd import CROWD, at_once, outcomes
from tests.api.shop import amount, gift, name, ok
from tests.servers import Server


def test_ten_codes_go_to_ten_of_a_crowd(shop: Server) -> None:
    made = _pool(shop.client, 10)

    def act(client: httpx.Client, place: int) -> httpx.Response:
        sent = {"campaign": {"name": made}, "customer": {"source_id": name("crowd")}}
        return client.post("/v1/publications", json=sent)

    responses = at_once(shop, CROWD, act)
    assert outcomes(responses) == {"ok": 10, "no_voucher_suitable_for_publication": CROWD - 10}
    given = {r.json()["voucher"]["code"]: r.json()["customer_id"] for r in responses if r.status_code == 200}
    assert len(given) == len(set(given.values())) == 10
    held = ok(shop.client.get("/v1/vouchers", params={"campaign": made, "limit": 100}))["vouchers"]
    assert {one["code"]: one["holder_id"] for one in held} == given
    assert all(one["publish"]["count"] == 1 for one in held)
    failed = ok(shop.client.get("/v1/publications", params={"campaign": made, "result": "FAILURE"}))
    assert failed["total"] == CROWD - 10


def test_many_who_want_several_codes_each_do_not_block_each_other(shop: Server) -> None:
    made = _pool(shop.client, 20)

    def act(client: httpx.Client, place: int) -> httpx.Response:
        sent = {"campaign": {"name": made, "count": 3}, "customer": {"source_id": name("crowd")}}
        return client.post("/v1/publications", json=sent)

    responses = at_once(shop, 16, act)
    assert outcomes(responses) == {"ok": 6, "no_voucher_suitable_for_publication": 10}
    given = [code for r in responses if r.status_code == 200 for code in r.json()["vouchers"]]
    assert len(given) == len(set(given)) == 18


def test_one_code_goes_to_one_of_a_crowd(shop: Server) -> None:
    card = gift(shop.client, 100)

    def act(client: httpx.Client, place: int) -> httpx.Response:
        return client.post("/v1/publications", json={"voucher": card, "customer": {"source_id": name("crowd")}})

    responses = at_once(shop, CROWD, act)
    assert outcomes(responses) == {"ok": 1, "voucher_already_published": CROWD - 1}
    won = next(r.json() for r in responses if r.status_code == 200)
    assert ok(shop.client.get(f"/v1/vouchers/{card}"))["holder_id"] == won["customer_id"]


def test_a_customer_who_joins_many_times_at_once_joins_once(shop: Server) -> None:
    made, who = _pool(shop.client, 5, type="AUTO_UPDATE", join_once=True), name("cust")

    def act(client: httpx.Client, place: int) -> httpx.Response:
        return client.post("/v1/publications", json={"campaign": {"name": made}, "customer": {"source_id": who}})

    responses = at_once(shop, 16, act)
    assert outcomes(responses) == {"ok": 16}
    assert len({r.json()["id"] for r in responses}) == 1


def test_a_campaign_makes_a_code_for_each_of_a_crowd(shop: Server) -> None:
    made = _pool(shop.client, 0, type="AUTO_UPDATE")

    def act(client: httpx.Client, place: int) -> httpx.Response:
        return client.post("/v1/publications", json={"campaign": {"name": made}, "customer": {"source_id": name("c")}})

    responses = at_once(shop, CROWD, act)
    assert outcomes(responses) == {"ok": CROWD}
    assert len({r.json()["voucher"]["code"] for r in responses}) == CROWD
    assert ok(shop.client.get(f"/v1/campaigns/{made}"))["vouchers_count"] == CROWD


def _pool(client: httpx.Client, count: int, **more: Any) -> str:
    """The name of a new campaign with so many codes."""
    voucher = {"type": "DISCOUNT_VOUCHER", "discount": amount(100)}
    made = ok(client.post("/v1/campaigns", json={"name": name("Pool"), "voucher": voucher, **more}))
    for _ in range(count):
        ok(client.post(f"/v1/campaigns/{made['id']}/vouchers"))
    return str(made["name"])
