"""What a campaign did in a time."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.api.members import program
from tests.api.programs import Member, fixed, rule
from tests.api.shop import name, ok, redeem, refused, try_redeem
from tests.servers import Server


def campaign(client: httpx.Client, **voucher: Any) -> tuple[str, list[str]]:
    """A campaign with two codes; its id and they."""
    made = ok(client.post("/v1/campaigns", json={"name": name("Campaign"), "voucher": voucher}))["id"]
    return made, [ok(client.post(f"/v1/campaigns/{made}/vouchers"))["code"] for _ in range(2)]


def summary(client: httpx.Client, key: str, **params: Any) -> Any:
    found = ok(client.get(f"/v1/campaigns/{key}/summary", params=params))
    assert found["object"] == "campaign_summary"
    return found


def test_a_campaign_of_discounts_sums_up_what_was_redeemed_and_undone(server: Server) -> None:
    client = server.client
    id, [first, second] = campaign(client, discount={"type": "AMOUNT", "amount_off": 1000}, redemption={"quantity": 1})
    undone = redeem(client, first, order=5000)["redemptions"][0]["id"]
    redeem(client, second, order=7000)
    refused(try_redeem(client, second, order=7000), 400, "quantity_exceeded")
    ok(client.post(f"/v1/redemptions/{undone}/rollback"))
    ok(client.delete(f"/v1/vouchers/{first}"))
    ok(client.delete(f"/v1/vouchers/{second}", params={"force": True}))
    found = summary(client, id)
    shown = found.pop("campaign")
    assert (shown["id"], shown["vouchers_count"], shown["categories"], shown["metadata"]) == (id, 0, [], {})
    assert not {"validation_rules_assignments", "access_settings_assignments"} & shown.keys()
    assert found == {
        "object": "campaign_summary",
        "redemptions": 3,
        "redemptions_succeeded": 2,
        "redemptions_failed": 1,
        "rollbacks": 1,
        "rollbacks_succeeded": 1,
        "rollbacks_failed": 0,
        "validations": None,
        "validations_succeeded": None,
        "validations_failed": None,
        "orders_amount": 12000,
        "orders_rolledback_amount": 5000,
        "vouchers_created": 2,
        "vouchers_deleted": 2,
        "publications": 0,
        "publications_succeeded": 0,
        "publications_failed": 0,
        "discounted_amount": 2000,
        "rolledback_discounted_amount": 1000,
    }
    server.verify()


def test_a_campaign_of_gift_cards_sums_up_its_credits(server: Server) -> None:
    client = server.client
    id, [card, other] = campaign(client, type="GIFT_VOUCHER", gift={"amount": 500})
    ok(client.post(f"/v1/vouchers/{card}/balance", json={"amount": 100}))
    ok(client.post(f"/v1/vouchers/{card}/balance", json={"amount": -30}))
    undone = redeem(client, (card, 200), order=1000)["redemptions"][0]["id"]
    ok(client.post(f"/v1/redemptions/{undone}/rollback"))
    redeem(client, (other, 100), order=1000)
    ok(client.delete(f"/v1/vouchers/{other}"))
    found = summary(client, id)
    names = ("created_vouchers_amount", "amount_added", "amount_subtracted", "amount_deleted")
    assert [found[name] for name in names] == [1000, 100, 30, 400]
    assert (found["amount_redeemed"], found["amount_rolledback"]) == (300, 200)
    assert "discounted_amount" not in found
    server.verify()


def test_a_promotion_has_no_codes_to_sum_up(server: Server) -> None:
    made = ok(server.client.post("/v1/campaigns", json={"name": name("Promotion"), "campaign_type": "PROMOTION"}))
    found = summary(server.client, made["name"])
    assert (found["redemptions"], found["discounted_amount"]) == (0, 0)
    assert not {"vouchers_created", "publications", "created_vouchers_amount"} & found.keys()


def test_a_summary_is_of_the_days_asked_for(server: Server) -> None:
    client = server.client
    id, [code, _] = campaign(client, discount={"type": "AMOUNT", "amount_off": 1000})
    redeem(client, code, order=5000)
    today = datetime.now(UTC).date()
    near = {"start_date": today - timedelta(days=1), "end_date": today + timedelta(days=1)}
    past = {"start_date": "2020-01-01", "end_date": "2020-01-31"}
    for days, redeemed, made in ((near, 1, 2), (past, 0, 0)):
        found = summary(client, id, **days)
        assert (found["redemptions"], found["vouchers_created"]) == (redeemed, made)


@pytest.mark.parametrize(
    "params",
    [
        {"start_date": "soon"},
        {"end_date": "9999-12-31"},
        {"start_date": "2026-13-01"},
        {"start_date": "2026-02-01", "end_date": "2026-01-01"},
    ],
)
def test_days_that_cannot_be_are_refused(server: Server, params: dict[str, str]) -> None:
    id, _ = campaign(server.client, discount={"type": "AMOUNT", "amount_off": 1000})
    refused(server.client.get(f"/v1/campaigns/{id}/summary", params=params), 400, "invalid_query_params")


def test_an_unknown_campaign_has_no_summary(server: Server) -> None:
    refused(server.client.get("/v1/campaigns/nothing/summary"), 404, "not_found")


def test_a_program_sums_up_what_became_of_its_points(server: Server) -> None:
    client = server.client
    made = program(client, 100, expiration_rules={"period_type": "MONTH", "period_value": 1})["id"]
    first, second = Member(client, made), Member(client, made)
    rule(client, made)
    waiting = rule(client, made, fixed(20), pending_points={"period_type": "DAY", "period_value": 2})
    first.adds(50)
    first.adds(-30)
    first.pays()
    second.pays()
    path = f"/v1/loyalties/members/{first.code}/pending-points"
    [entry] = ok(client.get(path))["data"]
    ok(client.post(f"{path}/{entry['id']}/balance", json={"points": -8}))
    ok(client.post(f"{path}/{entry['id']}/activate"))
    other = f"/v1/loyalties/members/{second.code}/pending-points"
    [entry] = ok(client.get(other))["data"]
    ok(client.post(f"{other}/{entry['id']}/cancel"))
    ok(client.delete(f"/v1/loyalties/{made}/earning-rules/{waiting['id']}"))
    sources = [{"code": first.code, "points": 10}]
    ok(client.post(f"/v1/loyalties/{made}/members/{second.code}/transfers", json=sources))
    expected = {
        "created_vouchers_points": 200,
        "points_added": 50,
        "points_subtracted": 30,
        "points_rewarded": 10,
        "points_redeemed": 0,
        "points_rolledback": 0,
        "points_transferred_out": 10,
        "points_transferred_in": 10,
        "pending_points_added": 40,
        "pending_points_subtracted": 8,
        "pending_points_activated": 12,
        "pending_points_canceled": 20,
    }
    found = summary(client, made)
    assert {key: found[key] for key in expected} == expected
    assert (found["points_expired"], found["points_deleted"]) == (0, 0)
    server.go_ahead(40 * 86_400)
    client = server.client
    ok(client.post(f"/v1/loyalties/members/{first.code}/balance", json={"points": 1}))
    ok(client.delete(f"/v1/vouchers/{second.code}"))
    found = summary(client, made)
    left = ok(client.get(f"/v1/loyalties/members/{first.code}"))["loyalty_card"]
    assert found["points_expired"] >= left["expired_points"] > 0
    assert found["points_added"] == 51
    assert found["points_deleted"] > 0
    before = summary(client, made, end_date=(datetime.now(UTC) + timedelta(days=1)).date().isoformat())
    assert (before["points_expired"], before["points_added"]) == (0, 50)
    server.verify()
