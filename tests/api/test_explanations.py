"""Why a rule is violated, told on request: by an option of the body, or by a header where the body has no place for it."""

from typing import Any

import httpx
import pytest

from tests.api.limits import assign, limit
from tests.api.promotions import new_tier
from tests.api.shop import amount, code, name, ok, refused
from tests.servers import Server

HEADER = {"X-Largesse-Explain": "1"}
ASKED = {"options": {"explain": True}}


@pytest.fixture(scope="module")
def guarded(server: Server) -> tuple[str, str]:
    """A code with a rule that wants more than 1000; (code, rule id)."""
    leaves = {"1": {"name": "order.amount", "conditions": {"$more_than": [1000]}}}
    rule = ok(server.client.post("/v1/validation-rules", json={"name": name("Big orders"), "rules": leaves}))
    made = code(server.client, amount(100))
    assign(server, rule["id"], made, "voucher")
    return made, rule["id"]


def send(server: Server, path: str, made: str, headers: dict[str, str] | None = None, **more: Any) -> httpx.Response:
    sent = {"redeemables": [{"object": "voucher", "id": made}], "order": {"amount": 900}, **more}
    return server.client.post(path, json=sent, headers=headers)


def said(rule_id: str, explanation: Any) -> bool:
    """Whether it names the leaf, what it wanted and what it found."""
    [rule] = explanation
    [failed] = rule["failed"]
    return bool(
        rule["rule_id"] == rule_id
        and rule["rule_name"].startswith("Big orders")
        and failed
        == {
            "key": "1",
            "name": "order.amount",
            "property": None,
            "condition": "$more_than",
            "expected": [1000],
            "actual": 900,
            "counter": None,
        }
    )


@pytest.mark.parametrize(("headers", "more"), [(HEADER, {}), (None, ASKED)])
def test_validations_and_redemptions_explain_refusals(
    server: Server, guarded: tuple[str, str], headers: dict[str, str] | None, more: dict[str, Any]
) -> None:
    made, rule_id = guarded
    result = ok(send(server, "/v1/validations", made, headers, **more))["redeemables"][0]["result"]
    assert said(rule_id, result["error"]["explanation"])
    error = refused(send(server, "/v1/redemptions", made, headers, **more), 400, "order_rules_violated")
    assert said(rule_id, error["explanation"])


def test_nothing_is_said_unless_asked_for(server: Server, guarded: tuple[str, str]) -> None:
    assert b"explanation" not in send(server, "/v1/validations", guarded[0]).content
    assert b"explanation" not in send(server, "/v1/redemptions", guarded[0], options={"explain": False}).content
    body = {"order": {"amount": 900}, "options": {"limit": 50}}
    assert b"refused" not in server.client.post("/v1/qualifications", json=body).content


def test_an_answer_shows_as_much_as_without_explanations(server: Server, guarded: tuple[str, str]) -> None:
    plain, explained = (
        ok(send(server, "/v1/validations", guarded[0], order={"amount": 2000}, **more)) for more in ({}, ASKED)
    )
    assert plain["redeemables"] == explained["redeemables"]


def test_the_older_endpoints_explain_too(server: Server, guarded: tuple[str, str]) -> None:
    made, rule_id = guarded
    body = {"order": {"amount": 900}}
    found = ok(server.client.post(f"/v1/vouchers/{made}/validate", json=body, headers=HEADER))
    assert said(rule_id, found["error"]["explanation"])
    error = server.client.post(f"/v1/vouchers/{made}/redemption", json=body, headers=HEADER).json()
    assert said(rule_id, error["explanation"])
    tier_id = new_tier(server.client, amount(100))
    assign(server, rule_id, tier_id, "promotion_tier")
    found = ok(server.client.post(f"/v1/promotions/tiers/{tier_id}/validation", json=body, headers=HEADER))
    assert said(rule_id, found["error"]["explanation"])


@pytest.mark.parametrize(("headers", "more"), [(HEADER, {}), (None, ASKED)])
def test_qualifications_list_what_does_not_qualify(
    server: Server, guarded: tuple[str, str], headers: dict[str, str] | None, more: dict[str, Any]
) -> None:
    leaves = {"1": {"name": "order.items.count", "conditions": {"$more_than": [5]}}}
    rule = ok(server.client.post("/v1/validation-rules", json={"name": name("Many"), "rules": leaves}))
    made = code(server.client, amount(100))
    assign(server, rule["id"], made, "voucher")
    body = {"order": {"items": [{"amount": 10, "quantity": 2, "product_id": "prod_1"}]}, **more}
    found = ok(server.client.post("/v1/qualifications", json=body, headers=headers))
    [mine] = [one for one in found["refused_redeemables"] if one["id"] == made]
    assert mine["object"] == "voucher"
    [failed] = mine["result"]["error"]["explanation"][0]["failed"]
    assert (failed["name"], failed["expected"], failed["actual"]) == ("order.items.count", [5], 2)
    assert made not in [one["id"] for one in found["redeemables"]["data"]]


def test_a_limit_says_how_much_of_it_is_used(server: Server) -> None:
    made = code(server.client, amount(100))
    assign(server, limit(server, "redemption.count.daily", 1), made, "voucher")
    assert send(server, "/v1/redemptions", made).status_code == 200
    error = refused(send(server, "/v1/redemptions", made, HEADER), 400, "redemption_rules_violated")
    [failed] = error["explanation"][0]["failed"]
    assert failed["counter"] == {"limit": 1, "used": 1, "asked": 1}
    assert failed["actual"] == 2


def test_clients_are_not_told(server: Server, guarded: tuple[str, str]) -> None:
    server.set('client_trusted_domains=["https://shop.example"]')
    with server.client_side(server.keys, "https://shop.example") as client:
        sent = {"redeemables": [{"object": "voucher", "id": guarded[0]}], "order": {"amount": 900}, **ASKED}
        answer = client.post("/client/v1/validations", json=sent, headers=HEADER)
    assert ok(answer)["valid"] is False
    assert b"explanation" not in answer.content
