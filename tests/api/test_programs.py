"""Loyalty programs: how they are shown, what an update does, how they go."""

from typing import Any

import pytest

from tests.api.members import join, member, program
from tests.api.shop import name, ok, refused, voucher
from tests.api.test_campaigns import codes, finished, settled
from tests.servers import Server

CARD = {"type": "LOYALTY_CARD", "loyalty_card": {"points": 1000}}
RULES = {"period_type": "MONTH", "period_value": 3, "rounding_type": "END_OF_QUARTER"}


def test_a_program_is_shown_with_its_defaults(server: Server) -> None:
    client = server.client
    made = ok(client.post("/v1/loyalties", json={"name": name(), "voucher": CARD, "join_once": False}))
    config = made["voucher"].pop("code_config")
    assert (config["length"], config["pattern"]) == (8, "########")
    assert made == {
        "id": made["id"],
        "name": made["name"],
        "campaign_type": "LOYALTY_PROGRAM",
        "type": "STATIC",
        "voucher": {**CARD, "redemption": {"quantity": None}, "is_referral_code": False},
        "auto_join": False,
        "join_once": True,
        "use_voucher_metadata_schema": True,
        "vouchers_count": 0,
        "active": True,
        "created_at": made["created_at"],
        "category_id": None,
        "categories": [],
        "creation_status": "DONE",
        "vouchers_generation_status": "DONE",
        "protected": False,
        "validation_rules_assignments": {"object": "list", "data_ref": "data", "data": [], "total": 0},
        "access_settings_assignments": {"object": "list", "data_ref": "data", "data": [], "total": 0},
        "object": "campaign",
    }
    for path in ("loyalties", "campaigns"):
        for key in (made["id"], made["name"]):
            assert ok(client.get(f"/v1/{path}/{key}"))["id"] == made["id"]


def test_a_program_is_a_campaign_like_others(server: Server) -> None:
    client = server.client
    tiers = {
        "qualification_type": "POINTS_IN_PERIOD",
        "qualification_period": "QUARTER",
        "start_date": {"type": "NEXT_PERIOD"},
        "expiration_date": {"type": "END_OF_NEXT_PERIOD", "extend": "P7D"},
    }
    sent = {
        "name": name(),
        "campaign_type": "LOYALTY_PROGRAM",
        "type": "AUTO_UPDATE",
        "auto_join": True,
        "metadata": {"kind": "gold"},
        "loyalty_tiers_expiration": tiers,
        "voucher": {
            "type": "LOYALTY_CARD",
            "loyalty_card": {"points": 0, "expiration_rules": RULES},
            "redemption": {"quantity": 7},
            "code_config": {"pattern": "CARD-####"},
        },
    }
    made = ok(client.post("/v1/campaigns", json=sent))
    assert made["loyalty_tiers_expiration"] == tiers
    assert made["voucher"]["loyalty_card"] == {"points": 0, "expiration_rules": RULES}
    assert made["voucher"]["redemption"] == {"quantity": 7}
    assert (made["auto_join"], made["metadata"]) == (True, {"kind": "gold"})
    held = join(client, made["name"])
    assert held["code"].startswith("CARD-")
    assert held["redemption"]["quantity"] == 7
    assert held["metadata"] == {"kind": "gold"}


@pytest.mark.parametrize(
    ("more", "key"),
    [
        ({"voucher": {"type": "LOYALTY_CARD", "loyalty_card": {"points": -1}}}, "invalid_payload"),
        ({"voucher": {"type": "LOYALTY_CARD", "loyalty_card": {"points": 1.5}}}, "invalid_payload"),
        ({"voucher": {"type": "LOYALTY_CARD", "loyalty_card": {"points": 10**16}}}, "invalid_payload"),
        ({"voucher": {"type": "GIFT_VOUCHER", "gift": {"amount": 1}}}, "invalid_campaign"),
        ({"voucher": {"type": "GIFT_VOUCHER", "loyalty_card": {"points": 1}}}, "invalid_campaign"),
        ({"voucher": CARD, "type": "STANDALONE"}, "invalid_campaign"),
        ({"voucher": CARD, "campaign_type": "GIFT_VOUCHERS"}, "invalid_payload"),
        ({"voucher": {"loyalty_card": {"expiration_rules": {"period_type": "MONTH"}}}}, "invalid_payload"),
        ({"voucher": {"loyalty_card": {"expiration_rules": {"period_type": "WEEK"}}}}, "invalid_payload"),
        ({"voucher": {"loyalty_card": {"expiration_rules": {"period_type": "FIXED_DAY_OF_YEAR"}}}}, "invalid_payload"),
        ({"loyalty_tiers_expiration": {"qualification_type": "POINTS_IN_PERIOD"}}, "invalid_payload"),
        ({"loyalty_tiers_expiration": {"expiration_date": {"type": "CUSTOM"}}}, "invalid_payload"),
        ({"loyalty_tiers_expiration": []}, "invalid_payload"),
        ({"activity_duration_after_publishing": "soon"}, "invalid_payload"),
    ],
)
def test_what_no_program_can_be(server: Server, more: dict[str, Any], key: str) -> None:
    client, named = server.client, name()
    refused(client.post("/v1/loyalties", json={"name": named, **more}), 400, key)
    refused(client.get(f"/v1/campaigns/{named}"), 404, "not_found")


def test_programs_are_listed_newest_first_and_alone(server: Server) -> None:
    client = server.client
    first, second = program(client), program(client)
    ok(client.post("/v1/campaigns", json={"name": name(), "campaign_type": "PROMOTION"}))
    found = ok(client.get("/v1/loyalties", params={"limit": 2}))
    assert [one["id"] for one in found["campaigns"]] == [second["id"], first["id"]]
    assert found["data_ref"] == "campaigns"
    assert all(one["campaign_type"] == "LOYALTY_PROGRAM" for one in found["campaigns"])
    ordered = ok(client.get("/v1/loyalties", params={"limit": 100, "order": "created_at"}))["campaigns"]
    assert [one["id"] for one in ordered][-2:] == [first["id"], second["id"]]


def test_campaigns_of_other_types_are_no_programs(server: Server) -> None:
    client = server.client
    other = ok(client.post("/v1/campaigns", json={"name": name(), "campaign_type": "PROMOTION"}))["id"]
    path = f"/v1/loyalties/{other}"
    for response in (
        client.get(path),
        client.put(path, json={}),
        client.delete(path),
        client.get(f"{path}/members"),
        client.get(f"{path}/members/nothing"),
        client.post(f"{path}/members", json={"customer": {"source_id": "nobody"}}),
    ):
        refused(response, 404, "not_found")


def test_cards_are_made_in_advance(server: Server) -> None:
    client = server.client
    made = program(client, 50, type="STATIC", vouchers_count=3)
    assert made["vouchers_generation_status"] == "IN_PROGRESS"
    assert settled(client, made["id"])["vouchers_count"] == 3
    one = ok(client.post(f"/v1/campaigns/{made['id']}/vouchers", json={"metadata": {"a": 1}}))
    two = ok(client.post(f"/v1/campaigns/{made['id']}/vouchers/{name('CARD')}"))
    for card in (one, two, *codes(client, made["id"])):
        assert card["type"] == "LOYALTY_CARD"
        assert (card["loyalty_card"]["points"], card["loyalty_card"]["balance"]) == (50, 50)
        assert card["holder_id"] is None
        assert card["publish"]["count"] == 0
        assert (card["redemption"]["redeemed_quantity"], card["redemption"]["redeemed_points"]) == (0, 0)
    rich = ok(client.post("/v1/vouchers", json={"campaign": made["name"], "loyalty_card": {"points": 70}}))
    assert rich["loyalty_card"]["points"] == 70
    refused(client.post("/v1/vouchers", json={"type": "LOYALTY_CARD", "loyalty_card": {}}), 400, "invalid_voucher")
    assert ok(client.get(f"/v1/campaigns/{made['id']}"))["vouchers_count"] == 6


def test_an_update_changes_cards_that_nobody_has_had(server: Server) -> None:
    client = server.client
    made = program(client, 100, type="STATIC")
    free, taken = (ok(client.post(f"/v1/campaigns/{made['id']}/vouchers"))["code"] for _ in range(2))
    join(client, made["id"], voucher=taken)
    sent = {
        "loyalty_card": {"points": 300, "expiration_rules": RULES},
        "description": "New",
        "join_once": False,
        "auto_join": True,
        "type": "AUTO_UPDATE",
        "start_date": "2026-01-01T00:00:00Z",
        "name": "ignored",
    }
    changed = ok(client.put(f"/v1/loyalties/{made['id']}", json=sent))
    assert changed["vouchers_generation_status"] == "MODIFYING"
    assert changed["voucher"]["loyalty_card"] == {"points": 300, "expiration_rules": RULES}
    assert (changed["join_once"], changed["auto_join"], changed["type"]) == (True, True, "AUTO_UPDATE")
    assert changed["name"] == made["name"]
    settled(client, made["id"])
    assert voucher(client, free)["loyalty_card"]["points"] == 300
    assert voucher(client, free)["start_date"] == "2026-01-01T00:00:00.000Z"
    assert member(client, taken)["loyalty_card"]["points"] == 100
    assert member(client, taken)["start_date"] is None
    assert join(client, made["id"], voucher=free)["loyalty_card"]["balance"] == 300
    longer = ok(
        client.put(
            f"/v1/loyalties/{made['id']}", json={"loyalty_card": {"expiration_rules": {**RULES, "period_value": 9}}}
        )
    )
    assert longer["vouchers_generation_status"] == "DONE"  # no card follows
    cleared = ok(client.put(f"/v1/loyalties/{made['id']}", json={"loyalty_card": {"expiration_rules": None}}))
    assert cleared["voucher"]["loyalty_card"] == {"points": 300}
    server.verify()


def test_how_tiers_are_reached_is_set_and_cleared(server: Server) -> None:
    client = server.client
    made = program(client)
    path = f"/v1/loyalties/{made['id']}"
    custom = {"expiration_date": {"type": "CUSTOM", "extend": "P3M", "rounding": {"type": "MONTH", "strategy": "END"}}}
    sent = {"loyalty_tiers_expiration": custom, "options": {"recalculate_tiers": True}}
    assert ok(client.put(path, json=sent))["loyalty_tiers_expiration"] == custom
    bad = {"loyalty_tiers_expiration": {"start_date": {"type": "NEXT_PERIOD"}}}
    refused(client.put(path, json=bad), 400, "invalid_payload")
    assert ok(client.get(path))["loyalty_tiers_expiration"] == custom
    assert "loyalty_tiers_expiration" not in ok(client.put(path, json={"loyalty_tiers_expiration": None}))


@pytest.mark.parametrize("force", ["true", "false"])
def test_a_program_goes_with_its_cards(server: Server, force: str) -> None:
    client, source = server.client, name("member")
    made = program(client, 10)
    held = join(client, made["id"], {"source_id": source})
    started = ok(client.delete(f"/v1/loyalties/{made['id']}", params={"force": force}))["async_action_id"]
    refused(client.get(f"/v1/loyalties/{made['id']}"), 404, "not_found")
    assert finished(client, started)["result"]["done_count"] == 1
    refused(client.get(f"/v1/loyalties/members/{held['code']}"), 404, "not_found")
    assert ok(client.get("/v1/publications", params={"customer": source}))["total"] == 0
    binned = ok(client.get("/v1/trash-bin", params={"limit": 100}))["data"]
    names = [entry["resource_name"] for entry in binned]
    assert (made["name"] in names, held["code"] in names) == ((force == "false"),) * 2
    server.verify()


def test_the_summary_counts_cards_and_points(server: Server) -> None:
    client = server.client
    made = program(client, 10)
    cards = [join(client, made["id"]) for _ in range(3)]
    ok(client.delete(f"/v1/vouchers/{cards[0]['code']}"))
    found = ok(client.get(f"/v1/campaigns/{made['id']}/summary"))
    assert (found["vouchers_created"], found["vouchers_deleted"]) == (3, 1)
    assert (found["created_vouchers_points"], found["points_deleted"]) == (30, 10)
    assert "discounted_amount" not in found
