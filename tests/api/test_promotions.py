"""Promotion tiers and stacks: what is shown of them, their order, how they go."""

import re
from typing import Any

import httpx
import pytest

from tests.api.shop import amount, name, ok, percent, refused
from tests.api.test_campaigns import finished
from tests.servers import Server


def promotion(client: httpx.Client, *discounts: dict[str, Any], **more: Any) -> Any:
    """A new promotion campaign with a tier for each discount."""
    tiers = [{"name": f"Tier {n}", "action": {"discount": one}} for n, one in enumerate(discounts, 1)]
    body = {"campaign_type": "PROMOTION", "name": name("Promotion"), "promotion": {"tiers": tiers}, **more}
    return ok(client.post("/v1/campaigns", json=body))


def tier(client: httpx.Client, campaign_id: str, **more: Any) -> Any:
    body = {"name": "Tier", "action": {"discount": amount(1)}, **more}
    return ok(client.post(f"/v1/promotions/{campaign_id}/tiers", json=body))


def tiers(client: httpx.Client, campaign_id: str) -> list[Any]:
    return list(ok(client.get(f"/v1/promotions/{campaign_id}/tiers"))["tiers"])


def test_a_promotion_campaign_has_tiers_and_no_codes(server: Server) -> None:
    body = {"campaign_type": "PROMOTION", "name": name("Promotion")}
    made = ok(server.client.post("/v1/campaigns", json=body))
    assert made["promotion"] == {"object": "list", "data_ref": "tiers", "tiers": [], "total": 0, "has_more": False}
    assert (made["use_voucher_metadata_schema"], made["type"]) == (False, "STATIC")
    assert not {"voucher", "vouchers_count", "validation_rules_assignments"} & made.keys()
    code = server.client.post(f"/v1/campaigns/{made['id']}/vouchers")
    refused(code, 400, "invalid_campaign")
    refused(server.client.post("/v1/vouchers", json={"campaign": made["id"]}), 400, "invalid_campaign")


def test_a_tier_is_shown_as_it_was_made(server: Server) -> None:
    made = promotion(server.client)
    first = tier(server.client, made["id"])
    assert re.fullmatch(r"promo_[0-9A-Za-z]{24}", first["id"])
    assert first == {
        "id": first["id"],
        "created_at": first["created_at"],
        "name": "Tier",
        "action": {"discount": {"type": "AMOUNT", "amount_off": 1}},
        "metadata": {},
        "hierarchy": 1,
        "campaign": {
            "id": made["id"],
            "start_date": None,
            "expiration_date": None,
            "active": True,
            "object": "campaign",
        },
        "campaign_id": made["id"],
        "active": True,
        "summary": {
            "redemptions": {"total_redeemed": 0},
            "orders": {"total_amount": 0, "total_discount_amount": 0},
        },
        "category_id": None,
        "categories": [],
        "object": "promotion_tier",
    }
    assert tier(server.client, made["name"])["hierarchy"] == 2
    read = ok(server.client.get(f"/v1/promotions/tiers/{first['id']}"))
    assert read == {**first, "promotion_id": made["id"]}
    shown = ok(server.client.get(f"/v1/campaigns/{made['id']}"))["promotion"]
    assert (shown["total"], shown["tiers"][0]) == (2, read)


def test_tiers_come_with_their_campaign(server: Server) -> None:
    made = promotion(server.client, amount(1), percent(5), start_date="2020-01-01", category="Sale")
    assert [one["hierarchy"] for one in made["promotion"]["tiers"]] == [1, 2]
    [first, second] = tiers(server.client, made["id"])
    assert first["campaign"]["start_date"] == "2020-01-01T00:00:00.000Z"
    assert first["campaign"]["category_id"] == made["category_id"]
    assert second["action"]["discount"] == {"type": "PERCENT", "percent_off": 5}


def test_a_tier_has_rules_a_category_and_a_window(server: Server) -> None:
    made = promotion(server.client)
    rule = ok(server.client.post("/v1/validation-rules", json={"name": name("Rule")}))
    window = {"validity_timeframe": {"interval": "P2D", "duration": "PT1H"}, "start_date": "2020-01-01T00:00:00Z"}
    shown = tier(server.client, made["id"], validation_rules=[rule["id"]], category=name("Cat"), banner="Buy", **window)
    [assignment] = shown["validation_rule_assignments"]["data"]
    assert (assignment["related_object_id"], assignment["related_object_type"]) == (shown["id"], "promotion_tier")
    assert (shown["banner"], shown["validity_timeframe"]) == ("Buy", window["validity_timeframe"])
    assert [one["id"] for one in shown["categories"]] == [shown["category_id"]]
    refused(server.client.delete(f"/v1/validation-rules/{rule['id']}"), 400, "resource_in_use")
    assigned = ok(
        server.client.post(
            f"/v1/validation-rules/{ok(server.client.post('/v1/validation-rules', json={'name': name('R')}))['id']}/assignments",
            json={"related_object_type": "promotion_tier", "related_object_id": shown["id"]},
        )
    )
    assert assigned["related_object_id"] == shown["id"]
    ok(server.client.delete(f"/v1/categories/{shown['category_id']}"))
    assert ok(server.client.get(f"/v1/promotions/tiers/{shown['id']}"))["category_id"] is None
    ok(server.client.delete(f"/v1/promotions/tiers/{shown['id']}"))
    ok(server.client.delete(f"/v1/validation-rules/{rule['id']}"))


def test_an_update_changes_what_it_names(server: Server) -> None:
    made = promotion(server.client)
    old = tier(server.client, made["id"], metadata={"a": 1, "c": 3}, banner="Old", expiration_date="2040-01-01")
    path = f"/v1/promotions/tiers/{old['id']}"
    changes = {
        "name": "New",
        "banner": None,
        "action": {"discount": percent(5)},
        "metadata": {"b": 2},
        "unset_metadata_fields": ["a"],
        "expiration_date": None,
        "active": False,
    }
    new = ok(server.client.put(path, json=changes))
    assert (new["name"], new["action"]["discount"]["type"], new["metadata"]) == ("New", "PERCENT", {"b": 2, "c": 3})
    assert not {"banner", "expiration_date", "promotion_id"} & new.keys()
    assert new["active"] is True
    assert new["updated_at"] >= new["created_at"]


def test_a_tier_moves_among_its_campaigns(server: Server) -> None:
    made = promotion(server.client, *(amount(n) for n in (1, 2, 3)))
    a, b, c = (one["id"] for one in made["promotion"]["tiers"])
    assert ok(server.client.put(f"/v1/promotions/tiers/{c}", json={"hierarchy": 1}))["hierarchy"] == 1
    assert [(one["id"], one["hierarchy"]) for one in tiers(server.client, made["id"])] == [(c, 1), (a, 2), (b, 3)]
    between = tier(server.client, made["id"], hierarchy=2)
    assert between["hierarchy"] == 2
    assert [one["id"] for one in tiers(server.client, made["id"])] == [c, between["id"], a, b]
    ok(server.client.delete(f"/v1/promotions/tiers/{a}"))
    assert [one["hierarchy"] for one in tiers(server.client, made["id"])] == [1, 2, 4]
    assert tier(server.client, made["id"])["hierarchy"] == 5


def test_a_tier_is_switched_off_and_on(server: Server) -> None:
    made = promotion(server.client, amount(1))
    path = f"/v1/promotions/tiers/{made['promotion']['tiers'][0]['id']}"
    assert ok(server.client.post(f"{path}/disable"))["active"] is False
    assert ok(server.client.get(path))["active"] is False
    assert ok(server.client.post(f"{path}/enable"))["active"] is True


@pytest.mark.parametrize(
    ("sent", "key"),
    [
        ({"name": "T"}, "invalid_payload"),
        ({"name": "T", "action": {}}, "invalid_payload"),
        ({"name": "T", "action": {"discount": {}}}, "invalid_voucher"),
        ({"name": "T", "action": {"discount": {"type": "PERCENT", "percent_off": 101}}}, "invalid_voucher"),
        ({"action": {"discount": {"type": "AMOUNT", "amount_off": 1}}}, "invalid_payload"),
        ({"name": "", "action": {"discount": {"type": "AMOUNT", "amount_off": 1}}}, "invalid_payload"),
        ({"name": "T", "action": {"discount": {"type": "AMOUNT", "amount_off": 1}}, "hierarchy": 0}, "invalid_payload"),
        ({"name": "T", "action": [], "metadata": []}, "invalid_payload"),
    ],
)
def test_what_cannot_be_a_tier_is_refused(server: Server, sent: dict[str, Any], key: str) -> None:
    made = promotion(server.client)
    refused(server.client.post(f"/v1/promotions/{made['id']}/tiers", json=sent), 400, key)
    body = {"campaign_type": "PROMOTION", "name": name("Promotion"), "promotion": {"tiers": [sent]}}
    refused(server.client.post("/v1/campaigns", json=body), 400, key)
    refused(server.client.get(f"/v1/campaigns/{body['name']}"), 404, "not_found")


def test_tiers_belong_to_promotion_campaigns(server: Server) -> None:
    coupons = {"name": name("Coupons"), "voucher": {"type": "DISCOUNT_VOUCHER", "discount": amount(1)}}
    made = ok(server.client.post("/v1/campaigns", json=coupons))
    body = {"name": "T", "action": {"discount": amount(1)}}
    refused(server.client.post(f"/v1/promotions/{made['id']}/tiers", json=body), 400, "invalid_campaign")
    refused(server.client.post("/v1/promotions/nothing/tiers", json=body), 404, "not_found")
    for method in ("GET", "PUT", "DELETE"):
        missing = refused(server.client.request(method, "/v1/promotions/tiers/promo_no"), 404, "not_found")
        assert missing["resource_type"] == "promotion_tier"


def test_available_tiers_are_on_and_inside_their_dates(server: Server) -> None:
    made = promotion(server.client)
    now = tier(server.client, made["id"])
    past = tier(server.client, made["id"], expiration_date="2020-01-01")
    ahead = tier(server.client, made["id"], start_date="2090-01-01")
    off = tier(server.client, made["id"], active=False)

    def listed(available: bool) -> set[str]:
        found = ok(server.client.get("/v1/promotions/tiers", params={"is_available": available, "limit": 100}))
        return {one["id"] for one in found["tiers"] if one["campaign_id"] == made["id"]}

    assert listed(True) == {now["id"]}
    assert listed(False) == {past["id"], ahead["id"], off["id"]}
    ok(server.client.post(f"/v1/campaigns/{made['id']}/disable"))
    assert listed(True) == set()


def test_tiers_are_listed_in_pages(server: Server) -> None:
    made = promotion(server.client, amount(1), amount(2), amount(3))
    page = ok(server.client.get("/v1/promotions/tiers", params={"limit": 2}))
    assert len(page["tiers"]) == 2
    assert page["has_more"] is True
    assert page["tiers"][0]["promotion_id"] == made["id"]
    refused(server.client.get("/v1/promotions/tiers", params={"order": "name"}), 400, "invalid_query_params")


def test_shops_list_tiers_from_the_client_side(server: Server) -> None:
    server.set('client_trusted_domains=["*"]')
    made = promotion(server.client, amount(1))
    with server.client_side(server.keys, "https://shop.example") as client:
        found = ok(client.get("/client/v1/promotions/tiers", params={"is_available": True}))
    assert made["promotion"]["tiers"][0]["id"] in [one["id"] for one in found["tiers"]]


def test_a_stack_keeps_the_order_of_its_tiers(server: Server) -> None:
    made = promotion(server.client, amount(1), amount(2))
    first, second = (one["id"] for one in made["promotion"]["tiers"])
    path = f"/v1/promotions/{made['id']}/stacks"
    stack = ok(server.client.post(path, json={"name": "Both", "tiers": {"ids": [second, first]}}))
    assert stack == {
        "id": stack["id"],
        "name": "Both",
        "created_at": stack["created_at"],
        "campaign_id": made["id"],
        "tiers": {"ids": [second, first], "hierarchy_mode": "MANUAL"},
        "category_id": None,
        "categories": [],
        "object": "promotion_stack",
    }
    assert ok(server.client.get(f"{path}/{stack['id']}")) == stack
    changed = ok(server.client.put(f"{path}/{stack['id']}", json={"tiers": {"ids": [first, second]}}))
    assert (changed["tiers"]["ids"], changed["name"]) == ([first, second], "Both")
    assert ok(server.client.get(path)) == {"object": "list", "data_ref": "data", "data": [changed], "total": 1}
    assert changed in ok(server.client.get("/v1/promotions/stacks", params={"order": "-updated_at"}))["data"]
    ok(server.client.delete(f"/v1/promotions/tiers/{first}"))
    assert ok(server.client.get(f"{path}/{stack['id']}"))["tiers"]["ids"] == [second]
    ok(server.client.delete(f"/v1/promotions/tiers/{second}"))
    refused(server.client.get(f"{path}/{stack['id']}"), 404, "not_found")


def test_a_stack_has_tiers_of_its_own_campaign(server: Server) -> None:
    made, other = promotion(server.client, amount(1)), promotion(server.client, amount(1))
    mine, foreign = (one["promotion"]["tiers"][0]["id"] for one in (made, other))
    path = f"/v1/promotions/{made['id']}/stacks"
    for tier_id in ("promo_no", foreign):
        missing = refused(server.client.post(path, json={"name": "S", "tiers": {"ids": [tier_id]}}), 404, "not_found")
        assert missing["details"] == f"Cannot find promotion_tier with id {tier_id}"
    for ids in ([], [mine, mine], [f"promo_{n}" for n in range(31)], "all"):
        refused(server.client.post(path, json={"name": "S", "tiers": {"ids": ids}}), 400, "invalid_payload")
    stack = ok(server.client.post(path, json={"name": "S", "tiers": {"ids": [mine]}}))
    refused(server.client.get(f"/v1/promotions/{other['id']}/stacks/{stack['id']}"), 404, "not_found")
    ok(server.client.delete(f"{path}/{stack['id']}"))
    assert [one["id"] for one in tiers(server.client, made["id"])] == [mine]


def test_tiers_go_with_their_campaign(server: Server) -> None:
    made = promotion(server.client, amount(1))
    tier_id = made["promotion"]["tiers"][0]["id"]
    deleted = server.client.delete(f"/v1/campaigns/{made['id']}", params={"force": True})
    assert deleted.status_code == 202
    refused(server.client.get(f"/v1/promotions/tiers/{tier_id}"), 404, "not_found")
    action = finished(server.client, deleted.json()["async_action_id"])
    assert action["result"] == {"message": "Deleted 0 vouchers.", "done_count": 0}
    body = {"campaign_type": "PROMOTION", "name": made["name"]}
    ok(server.client.post("/v1/campaigns", json=body))
