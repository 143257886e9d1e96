"""What tiers and stacks mean to each other and to their campaign: places, refusals, deletion, races."""

import threading
from typing import Any

import httpx
import pytest

from tests.api.shop import amount, name, ok, percent, refused
from tests.api.test_campaigns import finished
from tests.servers import Server


def promotion(client: httpx.Client, *tiers: dict[str, Any], **more: Any) -> Any:
    """A new PROMOTION campaign."""
    body = {"name": name("Promotion"), "campaign_type": "PROMOTION", "promotion": {"tiers": list(tiers)}, **more}
    return ok(client.post("/v1/campaigns", json=body))


def tier(client: httpx.Client, campaign_id: str, **more: Any) -> Any:
    body = {"name": name("Tier"), "action": {"discount": amount(100)}, **more}
    return ok(client.post(f"/v1/promotions/{campaign_id}/tiers", json=body))


def stack(client: httpx.Client, campaign_id: str, *tier_ids: str, **more: Any) -> Any:
    body = {"name": name("Stack"), "tiers": {"ids": list(tier_ids)}, **more}
    return ok(client.post(f"/v1/promotions/{campaign_id}/stacks", json=body))


def order(client: httpx.Client, campaign_id: str) -> dict[str, int]:
    """Name → hierarchy, in order of application."""
    listed = ok(client.get(f"/v1/promotions/{campaign_id}/tiers"))
    return {one["name"]: one["hierarchy"] for one in listed["tiers"]}


def sketch(label: str, **more: Any) -> dict[str, Any]:
    return {"name": label, "action": {"discount": percent(10)}, **more}


def test_tiers_made_with_their_campaign_keep_the_places_named(server: Server) -> None:
    made = promotion(server.client, sketch("A"), sketch("B", metadata={"n": None}), sketch("C", hierarchy=9))
    assert order(server.client, made["id"]) == {"A": 1, "B": 2, "C": 9}
    assert made["promotion"]["tiers"][1]["metadata"] == {"n": None}


def test_a_refused_discount_is_named_by_its_place(server: Server) -> None:
    campaign = promotion(server.client)["id"]
    sent = sketch("T", action={"discount": percent(101)})
    found = refused(server.client.post(f"/v1/promotions/{campaign}/tiers", json=sent), 400, "invalid_voucher")
    assert "Property .action.discount.percent_off should be a number from 0 to 100" in found["details"]


def test_a_refused_tier_leaves_no_campaign_behind(server: Server) -> None:
    body = {"name": name("P"), "campaign_type": "PROMOTION", "promotion": {"tiers": [sketch("A"), {"name": "B"}]}}
    refusal = refused(server.client.post("/v1/campaigns", json=body), 400, "invalid_payload")
    assert "action" in refusal["details"]
    body["promotion"] = {"tiers": [sketch("A"), {"name": "B", "action": {"discount": {"type": "AMOUNT"}}}]}
    refused(server.client.post("/v1/campaigns", json=body), 400, "invalid_voucher")
    ok(server.client.post("/v1/campaigns", json={**body, "promotion": None}))


def test_a_deleted_tier_leaves_its_stacks(server: Server) -> None:
    client = server.client
    campaign = promotion(client)["id"]
    first, second = tier(client, campaign)["id"], tier(client, campaign)["id"]
    both, alone = stack(client, campaign, second, first)["id"], stack(client, campaign, first)["id"]
    assert client.delete(f"/v1/promotions/tiers/{first}").status_code == 204
    assert ok(client.get(f"/v1/promotions/{campaign}/stacks/{both}"))["tiers"]["ids"] == [second]
    refused(client.get(f"/v1/promotions/{campaign}/stacks/{alone}"), 404, "not_found")
    for method in ("GET", "PUT", "DELETE"):
        found = refused(client.request(method, f"/v1/promotions/tiers/{first}", json={}), 404, "not_found")
        assert found["details"] == f"Cannot find promotion_tier with id {first}"
    assert tier(client, campaign)["hierarchy"] == 3  # gaps stay


def test_what_no_stack_can_be(server: Server) -> None:
    client = server.client
    campaign, other = promotion(client)["id"], promotion(client)["id"]
    own, foreign = tier(client, campaign)["id"], tier(client, other)["id"]
    held = stack(client, campaign, own)
    path = f"/v1/promotions/{campaign}/stacks"
    for method, where in (("POST", path), ("PUT", f"{path}/{held['id']}")):
        for unknown in ("promo_none", foreign):
            sent = {"name": "S", "tiers": {"ids": [own, unknown]}}
            found = refused(client.request(method, where, json=sent), 404, "not_found")
            assert found["details"] == f"Cannot find promotion_tier with id {unknown}"
        for ids in ([], [own, own], [own] * 31, "x", [1]):
            refused(client.request(method, where, json={"name": "S", "tiers": {"ids": ids}}), 400, "invalid_payload")
    refused(client.post(path, json={"tiers": {"ids": [own]}}), 400, "invalid_payload")
    refused(
        client.post("/v1/promotions/camp_none/stacks", json={"name": "S", "tiers": {"ids": [own]}}), 404, "not_found"
    )
    refused(client.get(f"/v1/promotions/{other}/stacks/{held['id']}"), 404, "not_found")


def test_stacks_are_listed_in_all_and_by_campaign(server: Server) -> None:
    with server.client_for(server.new_project()) as client:
        first, second = promotion(client)["id"], promotion(client)["id"]
        made = [stack(client, one, tier(client, one)["id"], name=label) for one, label in ((first, "b"), (second, "a"))]
        assert ok(client.get("/v1/promotions/stacks")) == {
            "object": "list",
            "data_ref": "data",
            "data": made[::-1],
            "total": 2,
        }
        assert ok(client.get(f"/v1/promotions/{first}/stacks"))["data"] == made[:1]
        by_name = ok(client.get("/v1/promotions/stacks", params={"order": "name", "limit": 1}))
        assert ([one["name"] for one in by_name["data"]], by_name["total"]) == (["a"], 2)
        later = {"[created_at][after]": made[1]["created_at"]}
        assert ok(client.get("/v1/promotions/stacks", params=later))["total"] == 0
        refused(client.get("/v1/promotions/stacks", params={"order": "id"}), 400, "invalid_query_params")


@pytest.mark.parametrize("force", [False, True])
def test_tiers_and_stacks_go_with_their_campaign(server: Server, force: bool) -> None:
    with server.client_for(server.new_project()) as client:
        made = promotion(client, sketch("A"), sketch("B"))
        ids = [one["id"] for one in made["promotion"]["tiers"]]
        held = stack(client, made["id"], *ids)["id"]
        action = client.delete(f"/v1/campaigns/{made['id']}", params={"force": force}).json()["async_action_id"]
        for path in (f"tiers/{ids[0]}", f"{made['id']}/tiers", f"{made['id']}/stacks/{held}"):  # hidden at once
            refused(client.get(f"/v1/promotions/{path}"), 404, "not_found")
        assert ok(client.get("/v1/promotions/tiers"))["total"] == 0
        assert ok(client.get("/v1/promotions/stacks"))["total"] == 0
        done = finished(client, action)
        assert done["status"] == "DONE", done


def test_tiers_added_at_once_get_places_of_their_own(server: Server) -> None:
    campaign = promotion(server.client)["id"]
    threads = [threading.Thread(target=tier, args=(server.client, campaign)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(order(server.client, campaign).values()) == list(range(1, 9))
