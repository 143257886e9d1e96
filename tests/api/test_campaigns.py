"""Campaigns: what is shown of them, their codes, what an update hands down, how they go."""

import re
from typing import Any

import httpx
import pytest

from tests.api.shop import name, ok, redeem, refused, try_redeem, voucher
from tests.servers import Server
from tests.waiting import wait_until

COUPON = {"type": "DISCOUNT_VOUCHER", "discount": {"type": "AMOUNT", "amount_off": 1000}}
GIFT = {"type": "GIFT_VOUCHER", "gift": {"amount": 500}}


def campaign(client: httpx.Client, **more: Any) -> Any:
    """A new campaign of discount codes."""
    return ok(client.post("/v1/campaigns", json={"name": name("Campaign"), "voucher": COUPON, **more}))


def finished(client: httpx.Client, action_id: str) -> Any:
    """The async action, once it is done."""
    path = f"/v1/async-actions/{action_id}"
    wait_until(lambda: ok(client.get(path))["status"] in ("DONE", "FAILED"))
    return ok(client.get(path))


def settled(client: httpx.Client, campaign_id: str) -> Any:
    """The campaign, once nothing goes on in it."""
    path = f"/v1/campaigns/{campaign_id}"
    wait_until(lambda: ok(client.get(path))["vouchers_generation_status"] in ("DONE", "FAILED"))
    return ok(client.get(path))


def codes(client: httpx.Client, campaign_id: str) -> list[Any]:
    return list(ok(client.get("/v1/vouchers", params={"campaign_id": campaign_id, "limit": 100}))["vouchers"])


def started(response: httpx.Response) -> str:
    assert response.status_code == 202, response.text
    return str(response.json()["async_action_id"])


def test_a_campaign_is_shown_with_its_defaults(server: Server) -> None:
    made = campaign(server.client)
    assert re.fullmatch(r"camp_[0-9A-Za-z]{24}", made["id"])
    config = made["voucher"].pop("code_config")
    assert (config["length"], config["pattern"], len(set(config["charset"]))) == (8, "########", 62)
    assert made == {
        "id": made["id"],
        "name": made["name"],
        "campaign_type": "DISCOUNT_COUPONS",
        "type": "STATIC",
        "voucher": {**COUPON, "redemption": {"quantity": None}, "is_referral_code": False},
        "auto_join": False,
        "join_once": False,
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
    read = ok(server.client.get(f"/v1/campaigns/{made['id']}"))
    assert read["metadata"] == {}
    assert ok(server.client.get(f"/v1/campaigns/{made['name']}")) == read


def test_a_rule_of_a_campaign_holds_for_its_codes(server: Server) -> None:
    rule = ok(server.client.post("/v1/validation-rules", json={"name": name("Rule")}))
    made = campaign(server.client, validation_rules=[rule["id"]], type="AUTO_UPDATE", vouchers_count=1)
    [assignment] = made["validation_rules_assignments"]["data"]
    assert (assignment["rule_id"], assignment["related_object_id"]) == (rule["id"], made["id"])
    assert assignment["related_object_type"] == "campaign"
    [code] = codes(server.client, made["id"])
    assert voucher(server.client, code["code"])["validation_rules_assignments"]["data"] == [assignment]


def test_one_code_is_there_at_once_and_many_soon(server: Server) -> None:
    at_once = campaign(server.client, vouchers_count=1)
    assert (at_once["creation_status"], at_once["vouchers_count"]) == ("DONE", 1)
    assert codes(server.client, at_once["id"])[0]["active"] is True
    soon = campaign(server.client, vouchers_count=3)
    assert (soon["creation_status"], soon["vouchers_generation_status"]) == ("IN_PROGRESS", "IN_PROGRESS")
    assert soon["vouchers_count"] == 0
    done = settled(server.client, soon["id"])
    assert (done["creation_status"], done["vouchers_count"]) == ("DONE", 3)
    assert len({code["code"] for code in codes(server.client, soon["id"])}) == 3
    actions = ok(server.client.get("/v1/async-actions"))["async_actions"]
    generated = next(action for action in actions if action["type"] == "CAMPAIGN.VOUCHERS_GENERATE")
    result = finished(server.client, generated["id"])["result"]
    assert result == {"message": "Generated 3 vouchers.", "done_count": 3}


def test_codes_that_are_added_have_what_is_said_of_them(server: Server) -> None:
    made = campaign(server.client, start_date="2020-01-01")
    said = {"start_date": "2026-01-01T10:00:00+02:00", "expiration_date": "2041-02-03", "redemption": {"quantity": 7}}
    path = f"/v1/campaigns/{made['id']}/vouchers"
    ok(server.client.post(path, json=said))
    finished(server.client, started(server.client.post(f"{path}?vouchers_count=2", json=said)))
    for code in codes(server.client, made["id"]):
        dates = code["start_date"], code["expiration_date"]
        assert dates == ("2026-01-01T08:00:00.000Z", "2041-02-03T00:00:00.000Z")
        assert code["redemption"]["quantity"] == 7


@pytest.mark.parametrize(
    ("config", "length", "pattern"),
    [
        ({"pattern": "10OFF-#######"}, 7, r"10OFF-[0-9A-Za-z]{7}"),
        ({"prefix": "New-", "pattern": "GIFT-CARD-##########", "postfix": "0"}, 10, r"New-GIFT-CARD-[0-9A-Za-z]{10}0"),
        ({"charset": "01", "length": 12}, 12, r"[01]{12}"),
    ],
)
def test_codes_are_made_as_configured(server: Server, config: dict[str, Any], length: int, pattern: str) -> None:
    made = campaign(server.client, voucher=COUPON | {"code_config": config}, vouchers_count=1)
    assert made["voucher"]["code_config"]["length"] == length
    assert re.fullmatch(pattern, codes(server.client, made["id"])[0]["code"])


@pytest.mark.parametrize(
    ("sent", "key"),
    [
        (
            {"voucher": COUPON | {"code_config": {"charset": "01", "length": 3}}, "vouchers_count": 9},
            "invalid_code_config",
        ),
        ({"vouchers_count": 100_001}, "invalid_campaign_params"),
        ({"vouchers_count": -1}, "invalid_payload"),
        ({"voucher": {"type": "DISCOUNT_VOUCHER"}}, "invalid_campaign"),
        ({"voucher": GIFT | {"discount": COUPON["discount"]}}, "invalid_campaign"),
        ({"voucher": {"type": "GIFT_VOUCHER", "gift": {"amount": -1}}}, "invalid_gift"),
        ({"voucher": None}, "invalid_campaign"),
        ({"campaign_type": "LUCKY_DRAW"}, "invalid_payload"),
        ({"campaign_type": "LOYALTY_PROGRAM", "voucher": COUPON}, "invalid_campaign"),
        ({"campaign_type": "REFERRAL_PROGRAM"}, "invalid_campaign"),
        ({"campaign_type": "GIFT_VOUCHERS"}, "invalid_campaign"),
        ({"campaign_type": "PROMOTION"}, "invalid_campaign"),
        ({"start_date": "2030-01-02", "expiration_date": "2030-01-01"}, "invalid_campaign_params"),
        ({"validity_timeframe": {"interval": "P1D", "duration": "PT1H"}}, "invalid_payload"),
        ({"activity_duration_after_publishing": "soon"}, "invalid_payload"),
        ({"validation_rules": ["a", "b"]}, "invalid_payload"),
        ({"name": ""}, "invalid_payload"),
        ({"type": "STANDALONE", "vouchers_count": 2}, "invalid_campaign"),
    ],
)
def test_what_cannot_be_a_campaign_is_refused(server: Server, sent: dict[str, Any], key: str) -> None:
    body = {"name": name("Campaign"), "voucher": COUPON, **sent}
    refused(server.client.post("/v1/campaigns", json=body), 400, key)
    refused(server.client.get(f"/v1/campaigns/{body['name'] or 'nothing'}"), 404, "not_found")


def test_names_are_unique_and_references_exist(server: Server) -> None:
    made = campaign(server.client)
    taken = refused(
        server.client.post("/v1/campaigns", json={"name": made["name"], "voucher": COUPON}), 409, "duplicate_found"
    )
    assert taken["details"] == f"Duplicated campaign exists with name {made['name']}"
    for more in ({"validation_rules": ["val_nothing"]}, {"category_id": "cat_nothing"}):
        body = {"name": name("Campaign"), "voucher": COUPON, **more}
        refused(server.client.post("/v1/campaigns", json=body), 404, "not_found")
        refused(server.client.get(f"/v1/campaigns/{body['name']}"), 404, "not_found")


def test_a_code_is_added_with_what_its_campaign_says(server: Server) -> None:
    made = campaign(server.client, metadata={"a": 1}, start_date="2020-01-01", category="Spring")
    path = f"/v1/campaigns/{made['id']}/vouchers"
    added = ok(server.client.post(path))
    assert (added["campaign"], added["campaign_id"]) == (made["name"], made["id"])
    assert (added["active"], added["metadata"], added["updated_at"]) == (True, {"a": 1}, None)
    assert (added["start_date"], added["category"]) == ("2020-01-01T00:00:00.000Z", "Spring")
    assert (added["publish"]["count"], added["redemption"]["quantity"]) == (0, None)
    code = name("CODE")
    body = {"start_date": "2022-09-24T00:00:00Z", "active": False, "metadata": {"Season": "Fall"}}
    given = ok(server.client.post(f"{path}/{code}", json=body))
    assert (given["code"], given["start_date"]) == (code, "2022-09-24T00:00:00.000Z")
    assert (given["active"], given["metadata"]) == (True, {"a": 1, "Season": "Fall"})
    again = refused(server.client.post(f"{path}/{code}", json=body), 409, "duplicate_found")
    assert again["details"] == f"Duplicated voucher exists with id {code}"
    more = finished(server.client, started(server.client.post(path, params={"vouchers_count": 2})))
    assert more["operation_status"] == "SUCCESS"
    assert ok(server.client.get(f"/v1/campaigns/{made['id']}"))["vouchers_count"] == 4


def test_the_vouchers_endpoint_adds_to_a_campaign_too(server: Server) -> None:
    made = campaign(server.client, voucher=GIFT)
    added = ok(server.client.post("/v1/vouchers", json={"campaign": made["name"], "gift": {"amount": 700}}))
    assert (added["type"], added["gift"]["balance"], added["campaign_id"]) == ("GIFT_VOUCHER", 700, made["id"])
    inherited = ok(server.client.post(f"/v1/vouchers/{name()}", json={"campaign_id": made["id"]}))
    assert inherited["gift"]["balance"] == 500
    wrong = server.client.post("/v1/vouchers", json={"campaign": made["id"], **COUPON})
    refused(wrong, 400, "invalid_voucher")
    refused(server.client.post("/v1/vouchers", json={"campaign": "nothing", **COUPON}), 404, "not_found")
    server.verify()


def test_a_standalone_campaign_has_one_given_code(server: Server) -> None:
    made = campaign(server.client, type="STANDALONE")
    assert "code_config" not in made["voucher"]
    body = {"campaign_id": made["id"], **COUPON}
    refusal = refused(server.client.post("/v1/vouchers", json=body), 400, "invalid_campaign")
    assert refusal["details"] == "You can not generate vouchers for STANDALONE type campaign."
    refused(server.client.post(f"/v1/campaigns/{made['id']}/vouchers"), 400, "invalid_campaign")
    ok(server.client.post(f"/v1/vouchers/{name()}", json=body))
    refused(server.client.post(f"/v1/vouchers/{name()}", json=body), 400, "invalid_campaign")
    refused(server.client.put(f"/v1/campaigns/{made['id']}", json={"type": "STATIC"}), 400, "invalid_campaign")
    code = name("ONE")
    named = campaign(server.client, type="STANDALONE", vouchers_count=1, voucher=COUPON | {"code": code})
    assert named["vouchers_count"] == 1
    assert voucher(server.client, code)["campaign_id"] == named["id"]


def test_an_update_reaches_codes_that_nobody_has_used(server: Server) -> None:
    made = campaign(server.client, voucher=COUPON | {"redemption": {"quantity": 1}}, metadata={"a": 1, "c": 3})
    used, unused = (ok(server.client.post(f"/v1/campaigns/{made['id']}/vouchers"))["code"] for _ in range(2))
    redeem(server.client, used, order=5000)
    changed = {
        "start_date": "2026-03-01T00:00:00Z",
        "discount": {"amount_off": 5},
        "metadata": {"b": 2},
        "unset_metadata_fields": ["a"],
    }
    shown = ok(server.client.put(f"/v1/campaigns/{made['id']}", json=changed))
    assert shown["creation_status"] == "MODIFYING"
    assert shown["metadata"] == {"b": 2, "c": 3}
    settled(server.client, made["id"])
    fresh, old = voucher(server.client, unused), voucher(server.client, used)
    assert (fresh["start_date"], fresh["discount"]["amount_off"]) == ("2026-03-01T00:00:00.000Z", 5)
    assert fresh["metadata"] == {"b": 2, "c": 3}
    assert (old["start_date"], old["discount"]["amount_off"], old["metadata"]) == (None, 1000, {"a": 1, "c": 3})
    actions = ok(server.client.get("/v1/async-actions"))["async_actions"]
    update = next(action for action in actions if action["type"] == "CAMPAIGN.VOUCHERS_UPDATE")
    result = finished(server.client, update["id"])["result"]
    assert result == {"message": "Updated 1 vouchers.", "done_count": 1}


def test_an_update_that_concerns_no_code_is_done_at_once(server: Server) -> None:
    made = campaign(server.client, expiration_date="2040-01-01", vouchers_count=1)
    described = ok(server.client.put(f"/v1/campaigns/{made['id']}", json={"description": "New", "name": "Other"}))
    assert (described["description"], described["name"]) == ("New", made["name"])
    assert (described["creation_status"], described["vouchers_generation_status"]) == ("DONE", "DONE")
    cleared = ok(server.client.put(f"/v1/campaigns/{made['id']}", json={"expiration_date": None}))
    assert "expiration_date" not in cleared
    refused(
        server.client.put(f"/v1/campaigns/{made['id']}", json={"discount": {"type": "PERCENT", "percent_off": 5}}),
        400,
        "invalid_voucher",
    )


def test_a_disabled_campaign_redeems_nothing(server: Server) -> None:
    made = campaign(server.client, vouchers_count=1)
    [code] = codes(server.client, made["id"])
    assert ok(server.client.post(f"/v1/campaigns/{made['id']}/disable")) == {}
    assert voucher(server.client, code["code"])["active"] is True
    refused(try_redeem(server.client, code["code"], order=5000), 400, "voucher_disabled")
    assert ok(server.client.post(f"/v1/campaigns/{made['id']}/enable")) == {}
    assert redeem(server.client, code["code"], order=5000)["order"]["total_amount"] == 4000


@pytest.mark.parametrize("force", [False, True])
def test_a_deleted_campaign_takes_its_codes_with_it(server: Server, force: bool) -> None:
    made = campaign(server.client, voucher=GIFT)
    held = [ok(server.client.post(f"/v1/campaigns/{made['id']}/vouchers"))["code"] for _ in range(3)]
    action = started(server.client.delete(f"/v1/campaigns/{made['id']}", params={"force": force}))
    refused(server.client.get(f"/v1/campaigns/{made['id']}"), 404, "not_found")
    assert finished(server.client, action)["result"] == {"message": "Deleted 3 vouchers.", "done_count": 3}
    for code in held:
        refused(server.client.get(f"/v1/vouchers/{code}"), 404, "not_found")
    again = server.client.post("/v1/campaigns", json={"name": made["name"], "voucher": COUPON})
    code = server.client.post(f"/v1/vouchers/{held[0]}", json=COUPON)
    if force:
        ok(again)
        ok(code)
    else:
        refused(again, 409, "duplicate_found")
        refused(code, 409, "duplicate_found")
        entries = ok(server.client.get("/v1/trash-bin", params={"limit": 100}))["data"]
        mine = [entry for entry in entries if made["id"] in (entry["resource_id"], entry["resource_parent_id"])]
        assert sorted(entry["resource_type"] for entry in mine) == ["campaign", "voucher", "voucher", "voucher"]
        [whole] = [entry for entry in mine if entry["resource_type"] == "campaign"]
        ok(server.client.delete(f"/v1/trash-bin/{whole['id']}"))
        again = {"name": made["name"], "voucher": COUPON}
        wait_until(lambda again=again: server.client.post("/v1/campaigns", json=again).status_code == 200)  # type: ignore[misc]
        ok(server.client.post(f"/v1/vouchers/{held[0]}", json=COUPON))
    server.verify()


def test_the_transactions_of_a_gift_campaign_are_those_of_its_cards(server: Server) -> None:
    made = campaign(server.client, voucher=GIFT)
    first, second = (ok(server.client.post(f"/v1/campaigns/{made['id']}/vouchers")) for _ in range(2))
    ok(server.client.post(f"/v1/vouchers/{first['code']}/balance", json={"amount": 5}))
    redeem(server.client, (second["code"], 100), order=5000)
    path = f"/v1/campaigns/{made['id']}/transactions"
    listed = ok(server.client.get(path))["data"]
    assert [one["type"] for one in listed] == ["CREDITS_REDEMPTION", "CREDITS_ADDITION"]
    of_first = ok(server.client.get(path, params={"filters[voucher_id][conditions][$is]": first["id"]}))["data"]
    assert [one["voucher_id"] for one in of_first] == [first["id"]]
    plain = campaign(server.client)
    assert ok(server.client.get(f"/v1/campaigns/{plain['id']}/transactions"))["data"] == []


def test_campaigns_are_listed_and_filtered(server: Server) -> None:
    spring = campaign(server.client, category=name("Spring"), metadata={"region": name("R")})
    cards = campaign(server.client, voucher=GIFT)

    def listed(**parameters: Any) -> list[str]:
        found = ok(server.client.get("/v1/campaigns", params={"limit": 100, **parameters}))
        assert all("promotion" not in one and "validation_rules_assignments" not in one for one in found["campaigns"])
        return [one["id"] for one in found["campaigns"]]

    assert listed()[:2] == [cards["id"], spring["id"]]
    assert spring["id"] not in listed(campaign_type="GIFT_VOUCHERS")
    assert listed(**{"filters[campaigns][conditions][$is][0]": spring["name"]}) == [spring["id"]]
    by_metadata = {"filters[metadata.region][conditions][$is]": spring["metadata"]["region"]}
    assert listed(**by_metadata) == [spring["id"]]
    assert listed(**{"filters[category_ids][conditions][$in][0]": spring["category_id"]}) == [spring["id"]]
    assert cards["id"] in listed(**{"filters[type][conditions][$is]": "BULK"})
    [row] = ok(server.client.get("/v1/campaigns", params={"limit": 1, "page": 2}))["campaigns"]
    assert row["categories"] == []
    expanded = ok(server.client.get("/v1/campaigns", params={"limit": 1, "page": 2, "expand": "category"}))
    assert [one["id"] for one in expanded["campaigns"][0]["categories"]] == [spring["category_id"]]
    for parameters in ({"limit": 101}, {"order": "name"}, {"campaign_type": "X"}, {"campaign_status": "LATE"}):
        refused(server.client.get("/v1/campaigns", params=parameters), 400, "invalid_query_params")


def test_a_deleted_category_leaves_its_campaigns_without_one(server: Server) -> None:
    made = campaign(server.client, category=name("Gone"))
    ok(server.client.delete(f"/v1/categories/{made['category_id']}"))
    found = ok(server.client.get(f"/v1/campaigns/{made['id']}"))
    assert (found["category_id"], found["categories"]) == (None, [])
    assert "category" not in found


def test_a_pattern_that_is_used_up_ends_the_generation(server: Server) -> None:
    config = {"pattern": f"{name('P')}-#", "charset": "01"}
    campaign(server.client, voucher=COUPON | {"code_config": config}, vouchers_count=1)
    second = campaign(server.client, voucher=COUPON | {"code_config": config}, vouchers_count=2)
    assert settled(server.client, second["id"])["vouchers_generation_status"] == "FAILED"
    assert len(codes(server.client, second["id"])) == 1  # what was made stays
