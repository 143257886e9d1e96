"""What may be defined is usable: with the largest numbers and the ends of the calendar, in every zone."""

from typing import Any

import pytest

from tests.api import members
from tests.api.shop import amount, code, name, ok, percent, redeem, refused, validate
from tests.servers import Server

FIRST, LAST = "0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"
ZONES = ("Pacific/Kiritimati", "Pacific/Pago_Pago")


@pytest.mark.parametrize(
    "sent", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59-00:01"]
)
def test_a_date_that_utc_does_not_know_is_refused(server: Server, sent: str) -> None:
    made = {"type": "DISCOUNT_VOUCHER", "discount": amount(5)}
    for member in ("start_date", "expiration_date"):
        error = refused(server.client.post("/v1/vouchers", json=made | {member: sent}), 400, "invalid_payload")
        assert member in error["details"]
    refused(server.client.post("/v1/orders", json={"amount": 5, "created_at": sent}), 400, "invalid_payload")
    window = {"limit": 1, "created_at[after]": sent}
    refused(server.client.get("/v1/vouchers", params=window), 400, "invalid_query_params")


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(
    "validity",
    [
        {"expiration_date": LAST},
        {"start_date": FIRST, "expiration_date": LAST},
        {"start_date": FIRST, "validity_timeframe": {"interval": "P1D", "duration": "P1D"}},
        {"start_date": FIRST, "validity_timeframe": {"interval": "P9999Y", "duration": "P9999Y9999M99999D"}},
        {"start_date": "2026-01-01", "validity_timeframe": {"interval": "P9999Y", "duration": "P9999Y"}},
        {"start_date": "2026-01-01", "validity_timeframe": {"interval": "PT1S", "duration": "PT999999H"}},
    ],
)
def test_a_code_is_valid_from_one_end_of_the_calendar_to_the_other(
    server: Server, zone: str, validity: dict[str, Any]
) -> None:
    keys = server.new_project("--timezone", zone)
    client = server.client_for(keys)
    made = code(client, amount(5), **validity)
    assert validate(client, made, order=100)["valid"]
    assert redeem(client, made, order=100)["redemptions"][0]["result"] == "SUCCESS"
    ok(client.get("/v1/vouchers", params={"code": made}))


@pytest.mark.parametrize("zone", ZONES)
def test_a_code_may_begin_with_the_last_moment(server: Server, zone: str) -> None:
    client = server.client_for(server.new_project("--timezone", zone))
    frame = {"validity_timeframe": {"interval": "P1D", "duration": "PT1H"}}
    for more in ({}, frame):
        made = code(client, amount(5), start_date=LAST, **more)
        assert validate(client, made, order=100)["redeemables"][0]["result"]["error"]["key"] == "voucher_not_active"


def test_the_credits_of_all_codes_of_a_campaign_can_be_summed_up(server: Server) -> None:
    cards = {"type": "GIFT_VOUCHER", "gift": {"amount": 10**15}}
    sent = {"name": name("Cards"), "type": "AUTO_UPDATE", "campaign_type": "GIFT_VOUCHERS", "voucher": cards}
    refused(server.client.post("/v1/campaigns", json=sent | {"vouchers_count": 1001}), 400, "invalid_campaign_params")
    made = ok(server.client.post("/v1/campaigns", json=sent))["id"]
    more = f"/v1/campaigns/{made}/vouchers?vouchers_count=1001"
    refused(server.client.post(more), 400, "invalid_campaign_params")
    program = {"name": name("Program"), "voucher": {"type": "LOYALTY_CARD", "loyalty_card": {"points": 10**15}}}
    refused(
        server.client.post("/v1/loyalties", json=program | {"vouchers_count": 1001}), 400, "invalid_campaign_params"
    )


@pytest.mark.parametrize("number", ["NaN", "sNaN", "Infinity", "-1", "1e-99999999", "1e99999999"])
def test_a_number_that_is_none_or_endless_is_refused(server: Server, number: str) -> None:
    client = server.client
    program = members.program(client)["id"]
    mapped = {"name": name("T"), "points": {"from": 1}, "rewards": {"x": {"type": "MULTIPLY", "multiplier": number}}}
    coin = {"exchange_ratio": number, "points_ratio": 1}
    entry = {"object": "product", "id": "prod_1", "price": number}
    for path, sent in (
        (f"/v1/loyalties/{program}/tiers", [mapped]),
        ("/v1/rewards", {"name": name("R"), "parameters": {"coin": coin}}),
        (
            "/v1/rewards",
            {"name": name("R"), "parameters": {"coin": coin | {"exchange_ratio": 1, "points_ratio": number}}},
        ),
        ("/v1/validation-rules", {"name": name("V"), "applicable_to": {"included": [entry]}}),
    ):
        refused(client.post(path, json=sent), 400, "invalid_payload")
    discount = {"type": "DISCOUNT_VOUCHER", "discount": percent(5) | {"percent_off": number}}
    response = client.post("/v1/vouchers", json=discount)
    assert (response.status_code, response.json()["key"]) in ((400, "invalid_voucher"), (400, "invalid_payload"))


@pytest.mark.parametrize("most", [2**63 - 1, 2**63, 10**30, 1e308, "9" * 30])
def test_a_counting_rule_may_allow_more_than_can_be_counted(server: Server, most: Any) -> None:
    made = code(server.client, amount(5))
    counted = {"1": {"name": "redemption.count.daily", "conditions": {"$less_than_or_equal": [most]}}, "logic": "1"}
    rule = ok(server.client.post("/v1/validation-rules", json={"name": name("R"), "rules": counted}))["id"]
    sent = {"related_object_id": made, "related_object_type": "voucher"}
    ok(server.client.post(f"/v1/validation-rules/{rule}/assignments", json=sent))
    for _ in range(2):
        redeem(server.client, made, order=100)
