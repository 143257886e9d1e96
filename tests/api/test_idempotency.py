"""Idempotency keys: a request repeated under its key gets the first answer, and changes nothing again."""

import uuid
from typing import Any

import httpx
import pytest

from tests.api.crowd import CROWD, at_once, outcomes
from tests.api.shop import amount, asks, balance, code, gift, name, ok, refused, uses
from tests.servers import Server

REPLAYED = "idempotency-replayed"


def key(value: str | None = None) -> dict[str, str]:
    return {"Idempotency-Key": value or str(uuid.uuid4())}


def redemption(made: str, order: int = 1000, **more: Any) -> dict[str, Any]:
    return {"redeemables": asks(made), "order": {"amount": order}, **more}


def test_a_repeated_redemption_gets_the_first_answer_byte_for_byte(server: Server) -> None:
    made, headers = code(server.client, amount(100), quantity=5), key()
    answers = [server.client.post("/v1/redemptions", json=redemption(made), headers=headers) for _ in range(3)]
    assert {answer.content for answer in answers} == {answers[0].content}
    assert [answer.headers.get(REPLAYED) for answer in answers] == [None, "true", "true"]
    assert uses(server.client, made) == 1


def test_a_rollback_is_repeated_without_an_error(server: Server) -> None:
    made = code(server.client, amount(100))
    done = ok(server.client.post("/v1/redemptions", json=redemption(made)))["redemptions"][0]["id"]
    headers = key()
    first, second = [server.client.post(f"/v1/redemptions/{done}/rollback", headers=headers) for _ in range(2)]
    assert ok(first) == ok(second)
    refused(server.client.post(f"/v1/redemptions/{done}/rollback", headers=key()), 400, "already_rolled_back")


def test_another_request_under_the_same_key_is_refused(server: Server) -> None:
    made, headers = code(server.client, amount(100)), key()
    ok(server.client.post("/v1/redemptions", json=redemption(made), headers=headers))
    other = server.client.post("/v1/redemptions", json=redemption(made, order=2000), headers=headers)
    refused(other, 400, "idempotency_key_reused")
    assert uses(server.client, made) == 1


def test_a_key_belongs_to_its_path_and_project(server: Server) -> None:
    made, headers = code(server.client, amount(100)), key()
    ok(server.client.post("/v1/redemptions", json=redemption(made), headers=headers))
    ok(server.client.post(f"/v1/vouchers/{made}/redemption", json={"order": {"amount": 1000}}, headers=headers))
    assert uses(server.client, made) == 2
    with server.client_for(server.new_project()) as elsewhere:
        missing = elsewhere.post("/v1/redemptions", json=redemption(made), headers=headers)
        refused(missing, 404, "not_found")


def test_a_failure_that_left_a_record_is_given_again(server: Server) -> None:
    made, headers = code(server.client, amount(100), quantity=1), key()
    ok(server.client.post("/v1/redemptions", json=redemption(made)))
    answers = [server.client.post("/v1/redemptions", json=redemption(made), headers=headers) for _ in range(2)]
    first, second = [refused(answer, 400, "quantity_exceeded") for answer in answers]
    assert first["resource_id"] == second["resource_id"]
    assert ok(server.client.get(f"/v1/vouchers/{made}/redemption"))["total"] == 2


def test_a_refusal_that_left_nothing_is_tried_again(server: Server) -> None:
    made, headers = name(), key()
    body = {"type": "DISCOUNT_VOUCHER", "discount": {"type": "NONSENSE"}}
    assert server.client.post(f"/v1/vouchers/{made}", json=body, headers=headers).status_code == 400
    body = {"type": "DISCOUNT_VOUCHER", "discount": amount(100)}
    answer = server.client.post(f"/v1/vouchers/{made}", json=body, headers=headers)
    assert ok(answer)["code"] == made
    assert REPLAYED not in answer.headers


def test_ordinary_writes_are_done_once(server: Server) -> None:
    made, headers = name(), key()
    body = {"type": "GIFT_VOUCHER", "gift": {"amount": 500}}
    first, second = [server.client.post(f"/v1/vouchers/{made}", json=body, headers=headers) for _ in range(2)]
    assert ok(first) == ok(second)
    path, headers = f"/v1/vouchers/{made}/balance", key()
    first, second = [server.client.post(path, json={"amount": 100}, headers=headers) for _ in range(2)]
    assert first.content == second.content
    assert balance(server.client, made) == 600
    gone = [server.client.delete(f"/v1/vouchers/{made}", headers=headers) for _ in range(2)]
    assert [(answer.status_code, answer.content) for answer in gone] == [(204, b"")] * 2
    refused(server.client.delete(f"/v1/vouchers/{made}", headers=key()), 404, "not_found")


def test_an_accepted_job_is_started_once(server: Server) -> None:
    campaign = {"name": name(), "campaign_type": "DISCOUNT_COUPONS", "voucher": {"discount": amount(100)}}
    made = ok(
        server.client.post(
            "/v1/campaigns", json=campaign | {"voucher": {"type": "DISCOUNT_VOUCHER"} | campaign["voucher"]}
        )
    )
    headers = key()
    path = f"/v1/campaigns/{made['id']}/vouchers"
    answers = [server.client.post(path, params={"vouchers_count": 3}, json={}, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json() == answers[1].json()


@pytest.mark.parametrize("value", ["", "k" * 256])
def test_an_impossible_key_is_refused(server: Server, value: str) -> None:
    made = code(server.client, amount(100))
    answer = server.client.post("/v1/redemptions", json=redemption(made), headers={"Idempotency-Key": value})
    refused(answer, 400, "invalid_idempotency_key")
    assert uses(server.client, made) == 0


def test_reads_and_validations_take_no_notice_of_a_key(server: Server) -> None:
    made, headers = code(server.client, amount(100), quantity=1), key()
    assert ok(server.client.post("/v1/validations", json=redemption(made), headers=headers))["valid"]
    ok(server.client.post("/v1/redemptions", json=redemption(made)))
    assert not ok(server.client.post("/v1/validations", json=redemption(made), headers=headers))["valid"]


def test_a_key_is_forgotten_after_a_day(server: Server) -> None:
    made, headers = code(server.client, amount(100)), key()
    ok(server.client.post("/v1/redemptions", json=redemption(made), headers=headers))
    server.go_ahead(24 * 3600 + 60)
    again = server.client.post("/v1/redemptions", json=redemption(made), headers=headers)
    assert ok(again)
    assert REPLAYED not in again.headers
    assert uses(server.client, made) == 2


def test_of_many_twins_at_once_one_is_carried_out(shop: Server) -> None:
    card, headers = gift(shop.client, 1000), key()
    body = {"redeemables": asks((card, 100)), "order": {"amount": 5000}}

    def act(client: httpx.Client, _place: int) -> httpx.Response:
        return client.post("/v1/redemptions", json=body, headers=headers)

    answers = at_once(shop, CROWD, act)
    assert outcomes(answers) == {"ok": CROWD}
    assert len({answer.content for answer in answers}) == 1
    assert balance(shop.client, card) == 900


def test_of_many_twins_that_create_an_order_one_is_carried_out(shop: Server) -> None:
    headers, body = key(), {"amount": 100, "metadata": {"sent": "once"}}
    answers = at_once(shop, CROWD, lambda client, _: client.post("/v1/orders", json=body, headers=headers))
    assert outcomes(answers) == {"ok": CROWD}
    assert len({answer.json()["id"] for answer in answers}) == 1
