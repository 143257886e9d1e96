"""Promotion tiers and stacks: validated, redeemed, read back and rolled back over HTTP."""

from typing import Any

import pytest

from tests.api.promotions import (
    counted,
    new_tier,
    of_code,
    of_stack,
    of_tier,
    promotion,
    redeem_all,
    stack,
    statistics,
    tier,
    tier_ids,
    try_redeem_all,
    validate_all,
)
from tests.api.shop import amount, amounts, balance, code, gift, name, ok, percent, refused, uses
from tests.servers import Server


def test_a_tier_is_redeemed_and_counts_what_it_took_off(server: Server) -> None:
    campaign = promotion(server.client, tier(percent(10), metadata={"shelf": "A"}))
    (tier_id,) = tier_ids(campaign)
    redeemed = redeem_all(server.client, of_tier(tier_id), order=20000)
    only = redeemed["redemptions"][0]
    assert redeemed["order"]["total_amount"] == 18000
    assert counted(only["promotion_tier"]) == (1, 20000, 2000)
    assert only["promotion_tier"]["id"] == tier_id
    assert only["promotion_tier"]["campaign"]["id"] == campaign["id"]
    assert "voucher" not in only
    assert "amount" not in only
    assert redeemed["order"]["redemptions"] == {
        only["id"]: {
            "date": only["date"],
            "related_object_type": "promotion_tier",
            "related_object_id": tier_id,
            "related_object_parent_id": campaign["id"],
        }
    }
    redeem_all(server.client, of_tier(tier_id), order=1000)
    assert statistics(server.client, tier_id) == (2, 21000, 2100)
    shown = ok(server.client.get(f"/v1/redemptions/{only['id']}"))
    assert (shown["related_object_type"], shown["related_object_id"]) == ("promotion_tier", tier_id)
    assert shown["related_object_parent_id"] == campaign["id"]
    assert shown["voucher"] is None
    assert shown["promotion_tier"]["id"] == tier_id


def test_lists_find_the_redemptions_of_a_promotion(server: Server) -> None:
    campaign = promotion(server.client, tier(amount(1)))
    (tier_id,) = tier_ids(campaign)
    ids = [redeem_all(server.client, of_tier(tier_id), order=5)["redemptions"][0]["id"] for _ in range(2)]
    for query in (
        f"campaign={campaign['name']}",
        f"filters[related_object_parent_id][conditions][$is]={campaign['id']}",
        f"filters[related_object_id][conditions][$is]={tier_id}",
        f"filters[campaign_name][conditions][$is]={campaign['name']}",
    ):
        listed = ok(server.client.get(f"/v1/redemptions?{query}"))["redemptions"]
        assert [record["id"] for record in listed] == ids[::-1]
        assert {record["promotion_tier"]["id"] for record in listed} == {tier_id}


def test_validating_a_tier_changes_nothing(server: Server) -> None:
    tier_id = new_tier(server.client, amount(300))
    validated = validate_all(server.client, of_tier(tier_id), order=1000)
    (only,) = validated["redeemables"]
    assert (only["status"], only["id"], only["object"]) == ("APPLICABLE", tier_id, "promotion_tier")
    assert only["result"]["discount"]["effect"] == "APPLY_TO_ORDER"
    assert validated["order"]["total_amount"] == 700
    assert statistics(server.client, tier_id) == (0, 0, 0)


def test_expanding_names_tier_campaign_and_category(server: Server) -> None:
    category = ok(server.client.post("/v1/categories", json={"name": name("N"), "hierarchy": 3}))
    campaign = promotion(server.client, tier(amount(1), metadata={"a": 1}), category_id=category["id"])
    (tier_id,) = tier_ids(campaign)
    (plain,) = validate_all(server.client, of_tier(tier_id), order=5)["redeemables"]
    assert (plain["metadata"], plain["categories"], "name" in plain) == ({}, [], False)
    expand = {"expand": ["redeemable", "category"]}
    (shown,) = validate_all(server.client, of_tier(tier_id), order=5, options=expand)["redeemables"]
    assert shown["metadata"] == {"a": 1}
    assert shown["name"] == campaign["promotion"]["tiers"][0]["name"]
    assert (shown["campaign_id"], shown["campaign_name"]) == (campaign["id"], campaign["name"])
    assert shown["categories"] == [category]
    assert "order" not in shown


@pytest.mark.parametrize(("option", "shown"), [("joint_categories", "JOINT"), ("exclusive_categories", "EXCLUSIVE")])
def test_a_category_shows_how_the_stacking_rules_take_it(server: Server, option: str, shown: str) -> None:
    keys = server.new_project()
    with server.client_for(keys) as client:
        category = ok(client.post("/v1/categories", json={"name": name("N"), "hierarchy": 1}))
        server.set(f'stacking_rules.{option}=["{category["id"]}"]', keys=keys)
        made = code(client, amount(1), category_id=category["id"])
        (found,) = validate_all(client, of_code(made), order=5, options={"expand": ["category"]})["redeemables"]
        assert found["categories"] == [{**category, "stacking_rules_type": shown}]


def test_a_stack_is_its_tiers_in_their_order(server: Server) -> None:
    campaign = promotion(server.client, tier(percent(10)), tier(amount(1000)), tier(percent(50)))
    first, second, third = tier_ids(campaign)
    stack_id = stack(server.client, campaign, [third, first])
    validated = validate_all(server.client, of_stack(stack_id), order=10000)
    assert [(r["object"], r["id"]) for r in validated["redeemables"]] == [
        ("promotion_tier", third),
        ("promotion_tier", first),
    ]
    redeemed = redeem_all(server.client, of_stack(stack_id), order=10000)
    assert [child["promotion_tier"]["id"] for child in redeemed["redemptions"]] == [third, first]
    assert [child["order"]["applied_discount_amount"] for child in redeemed["redemptions"]] == [5000, 500]
    assert {child["redemption"] for child in redeemed["redemptions"]} == {redeemed["parent_redemption"]["id"]}
    assert redeemed["order"]["total_amount"] == 4500
    assert [statistics(server.client, one) for one in (first, second, third)] == [
        (1, 10000, 500),
        (0, 0, 0),
        (1, 10000, 5000),
    ]


def test_a_stack_stands_alone(server: Server) -> None:
    campaign = promotion(server.client, tier(percent(10)), tier(amount(1000)))
    stack_id = stack(server.client, campaign, tier_ids(campaign))
    made = code(server.client, amount(1))
    refusal = refused(
        try_redeem_all(server.client, of_stack(stack_id), of_code(made), order=5), 400, "invalid_redeemables"
    )
    assert refusal["details"] == "Promotion Stack cannot be use with other redeemables"


@pytest.mark.parametrize(("kind", "id"), [("promotion_tier", "promo_nope"), ("promotion_stack", "stack_nope")])
def test_unknown_tiers_and_stacks(server: Server, kind: str, id: str) -> None:
    asked = {"object": kind, "id": id}
    refusal = refused(try_redeem_all(server.client, asked, order=5), 404, "not_found")
    assert refusal["details"] == f"Cannot find {kind} with id {id}"
    record = ok(server.client.get(f"/v1/redemptions/{refusal['resource_id']}"))
    assert (record["related_object_type"], record["related_object_id"]) == ("redemption", record["id"])
    (only,) = validate_all(server.client, asked, order=5)["redeemables"]
    assert (only["status"], only["object"], only["id"]) == ("INAPPLICABLE", "promotion_tier", id)
    assert only["result"]["error"]["resource_type"] == kind
    assert "metadata" not in only


def test_a_failed_redemption_of_a_tier_names_it(server: Server) -> None:
    tier_id = new_tier(server.client, amount(1))
    ok(server.client.post(f"/v1/promotions/tiers/{tier_id}/disable"))
    refusal = refused(try_redeem_all(server.client, of_tier(tier_id), order=5), 400, "promotion_inactive")
    assert (refusal["redeemable_type"], refusal["redeemable_id"]) == ("promotion_tier", tier_id)
    record = ok(server.client.get(f"/v1/redemptions/{refusal['resource_id']}"))
    assert (record["related_object_type"], record["related_object_id"]) == ("promotion_tier", tier_id)
    assert record["promotion_tier"]["id"] == tier_id
    assert statistics(server.client, tier_id) == (0, 0, 0)


def test_a_disabled_campaign_takes_its_tiers_along(server: Server) -> None:
    campaign = promotion(server.client, tier(amount(1)))
    ok(server.client.post(f"/v1/campaigns/{campaign['id']}/disable"))
    asked = of_tier(tier_ids(campaign)[0])
    refused(try_redeem_all(server.client, asked, order=5), 400, "promotion_inactive")
    ok(server.client.post(f"/v1/campaigns/{campaign['id']}/enable"))
    redeem_all(server.client, asked, order=5)


def test_a_changed_tier_holds_for_the_next_redemption(server: Server) -> None:
    tier_id = new_tier(server.client, amount(100))
    assert redeem_all(server.client, of_tier(tier_id), order=1000)["order"]["total_amount"] == 900
    ok(server.client.put(f"/v1/promotions/tiers/{tier_id}", json={"action": {"discount": amount(300)}}))
    assert redeem_all(server.client, of_tier(tier_id), order=1000)["order"]["total_amount"] == 700


def mixed_stack(server: Server) -> tuple[str, str, str, Any]:
    """A gift card, a tier and a code redeemed together on 200000."""
    card, tier_id, made = (
        gift(server.client, 5000),
        new_tier(server.client, percent(20)),
        code(server.client, amount(8000)),
    )
    asked = {**of_code(card), "gift": {"credits": 100}}
    return card, tier_id, made, redeem_all(server.client, asked, of_tier(tier_id), of_code(made), order=200000)


def test_cards_tiers_and_codes_follow_each_other(server: Server) -> None:
    redeemed = mixed_stack(server)[3]
    running = [(c["order"]["discount_amount"], c["order"]["applied_discount_amount"]) for c in redeemed["redemptions"]]
    assert running == [(100, 100), (40080, 39980), (48080, 8000)]
    assert redeemed["order"]["total_amount"] == 151920
    assert counted(redeemed["redemptions"][1]["promotion_tier"]) == (1, 200000, 39980)


def test_rolling_back_a_mixed_stack_gives_everything_back(server: Server) -> None:
    card, tier_id, made, redeemed = mixed_stack(server)
    parent = redeemed["parent_redemption"]["id"]
    undone = ok(server.client.post(f"/v1/redemptions/{parent}/rollbacks"))
    first, second, third = undone["rollbacks"]
    assert (first["amount"], "amount" in second) == (-100, False)
    assert second["related_object_type"] == "promotion_tier"
    assert counted(second["promotion_tier"]) == (0, 0, 0)
    assert second["voucher"] is None
    assert third["voucher"]["redemption"]["redeemed_quantity"] == 0
    assert (undone["order"]["total_amount"], undone["order"]["status"]) == (200000, "CANCELED")
    entry = undone["order"]["redemptions"][parent]
    assert entry["rollback_id"] == undone["parent_rollback"]["id"]
    assert entry["rollback_stacked"] == [one["id"] for one in undone["rollbacks"]]
    assert statistics(server.client, tier_id) == (0, 0, 0)
    assert (balance(server.client, card), uses(server.client, made)) == (5000, 0)
    server.verify()


def test_a_single_redemption_of_a_tier_is_rolled_back(server: Server) -> None:
    tier_id = new_tier(server.client, percent(25))
    done = redeem_all(server.client, of_tier(tier_id), order=1000)
    undone = ok(server.client.post(f"/v1/redemptions/{done['redemptions'][0]['id']}/rollback"))
    assert (undone["related_object_type"], undone["related_object_id"]) == ("promotion_tier", tier_id)
    assert counted(undone["promotion_tier"]) == (0, 0, 0)
    assert undone["order"]["total_amount"] == 1000
    again = refused(
        server.client.post(f"/v1/redemptions/{done['redemptions'][0]['id']}/rollback"), 400, "already_rolled_back"
    )
    failed = ok(server.client.get(f"/v1/redemptions/{again['resource_id']}"))
    assert failed["promotion_tier"]["id"] == tier_id
    assert statistics(server.client, tier_id) == (0, 0, 0)


def test_a_deleted_tier_does_not_stand_in_the_way_of_a_rollback(server: Server) -> None:
    tier_id = new_tier(server.client, percent(25))
    done = redeem_all(server.client, of_tier(tier_id), order=1000)["redemptions"][0]["id"]
    assert server.client.delete(f"/v1/promotions/tiers/{tier_id}").status_code == 204
    undone = ok(server.client.post(f"/v1/redemptions/{done}/rollback"))
    assert (undone["related_object_id"], "promotion_tier" in undone) == (tier_id, False)
    assert ok(server.client.get(f"/v1/redemptions/{done}"))["status"] == "ROLLED_BACK"


def test_without_order_a_stack_keeps_the_amounts_of_its_order(server: Server) -> None:
    keys = server.new_project()
    server.set("stacking_rules.redeemables_rollback_order_mode=WITHOUT_ORDER", keys=keys)
    with server.client_for(keys) as client:
        campaign = promotion(client, tier(percent(10)), tier(amount(100)))
        done = redeem_all(client, of_stack(stack(client, campaign, tier_ids(campaign))), order=1000)
        parent = done["parent_redemption"]["id"]
        undone = ok(client.post(f"/v1/redemptions/{parent}/rollbacks"))
        assert (undone["order"]["total_amount"], undone["order"]["status"]) == (800, "PAID")
        assert undone["order"]["redemptions"][parent]["rollback_id"] == undone["parent_rollback"]["id"]
        assert [statistics(client, one) for one in tier_ids(campaign)] == [(0, 0, 0), (0, 0, 0)]


def test_events_speak_of_children_not_of_the_parent(server: Server) -> None:
    campaign = promotion(server.client, tier(percent(10)), tier(amount(1000)))
    source = name("cust")
    done = redeem_all(
        server.client,
        of_stack(stack(server.client, campaign, tier_ids(campaign))),
        order=10000,
        customer={"source_id": source},
    )
    ok(server.client.post(f"/v1/redemptions/{done['parent_redemption']['id']}/rollbacks"))
    activity = ok(server.client.get(f"/v1/customers/{source}/activity?limit=50"))["data"]
    kinds = [event["type"] for event in activity]
    assert kinds.count("customer.redemption.succeeded") == 2
    assert kinds.count("customer.redemption.rollback.succeeded") == 2


def test_the_older_endpoints_answer_for_one_tier(server: Server) -> None:
    campaign = promotion(server.client, tier(percent(10)))
    (tier_id,) = tier_ids(campaign)
    path = f"/v1/promotions/tiers/{tier_id}"
    valid = ok(server.client.post(f"{path}/validation", json={"order": {"amount": 1000}}))
    assert (valid["valid"], valid["id"], valid["object"]) == (True, tier_id, "promotion_tier")
    assert (valid["order"]["total_amount"], valid["applied_discount_amount"]) == (900, 100)
    assert (valid["discount"]["type"], valid["banner"]) == ("PERCENT", "Buy more")
    assert (valid["campaign"]["id"], valid["campaign"]["active"]) == (campaign["id"], True)
    assert valid["applicable_to"] == {"data": [], "total": 0, "data_ref": "data", "object": "list"}
    single = ok(server.client.post(f"{path}/redemption", json={"order": {"amount": 1000}}))
    assert (single["object"], counted(single["promotion_tier"])) == ("redemption", (1, 1000, 100))
    assert amounts(single["order"])["total_amount"] == 900
    ok(server.client.post(f"{path}/disable"))
    invalid = ok(server.client.post(f"{path}/validation", json={}))
    assert (invalid["valid"], invalid["reason"], invalid["id"]) == (False, "Inactive Promotion", tier_id)
    assert invalid["error"]["key"] == "promotion_inactive"
    refused(server.client.post(f"{path}/redemption", json={}), 400, "promotion_inactive")
    refused(server.client.post("/v1/promotions/tiers/promo_nope/validation", json={}), 404, "not_found")


def test_the_promotions_that_apply_are_listed(server: Server) -> None:
    keys = server.new_project()
    with server.client_for(keys) as client:
        campaign = promotion(client, tier(percent(10)), tier(amount(100)), tier(percent(50), active=False))
        found = ok(client.post("/v1/promotions/validation", json={"order": {"amount": 1000}}))
        assert found["valid"] is True
        assert {one["id"] for one in found["promotions"]} == set(tier_ids(campaign)[:2])
        assert {one["order"]["total_amount"] for one in found["promotions"]} == {900}
        ok(client.post(f"/v1/campaigns/{campaign['id']}/disable"))
        assert ok(client.post("/v1/promotions/validation", json={})) == {
            "valid": False,
            "tracking_id": None,
            "promotions": [],
        }


def test_tiers_from_the_client_side(server: Server) -> None:
    keys = server.new_project()
    server.set('client_trusted_domains=["https://shop.example"]', "client_redeem_enabled=true", keys=keys)
    with server.client_for(keys) as client, server.client_side(keys, "https://shop.example") as browser:
        tier_id = new_tier(client, amount(1), metadata={"secret": 1})
        body = {"redeemables": [of_tier(tier_id)], "order": {"amount": 5}}
        assert ok(browser.post("/client/v1/validations", json=body))["order"]["total_amount"] == 4
        redeemed = ok(browser.post("/client/v1/redemptions", json=body))
        assert redeemed["redemptions"][0]["promotion_tier"]["id"] == tier_id
        assert statistics(client, tier_id) == (1, 5, 1)
