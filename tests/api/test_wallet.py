"""What a customer holds: the wallet, and qualifications of what is in it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.api import rewards
from tests.api.shop import amount, code, gift, ok, redeem, refused
from tests.api.test_campaigns import campaign, settled
from tests.api.test_publications import customer, publish
from tests.servers import Server


@pytest.fixture
def client(server: Server) -> httpx.Client:
    """Of a project of its own, so that nothing qualifies but what a test makes."""
    return server.client_for(server.new_project())


def wallet(client: httpx.Client, customer_id: str, **query: Any) -> Any:
    return ok(client.get(f"/v1/customers/{customer_id}/redeemables", params=query))


def held(found: Any) -> list[str]:
    return [one["redeemable"]["voucher"]["code"] for one in found["data"]]


def given(client: httpx.Client, holder: Any, made: str) -> str:
    publish(client, customer={"id": holder["id"]}, voucher=made)
    return made


def wallet_qualified(client: httpx.Client, holder: Any, **body: Any) -> list[str]:
    sent = {"customer": {"id": holder["id"]}, "scenario": "CUSTOMER_WALLET", "order": {"amount": 1_000}, **body}
    return [one["id"] for one in ok(client.post("/v1/qualifications", json=sent))["redeemables"]["data"]]


def test_the_wallet_shows_what_was_published_the_latest_first(client: httpx.Client) -> None:
    ann, bob = customer(client), customer(client)
    first, second = given(client, ann, code(client, amount(1))), given(client, ann, gift(client, 500))
    given(client, bob, code(client, amount(1)))
    found = wallet(client, ann["id"])
    assert held(found) == [second, first]
    assert (found["object"], found["data_ref"], found["total"], found["has_more"]) == ("list", "data", 2, False)
    entry = found["data"][0]
    assert entry["id"].startswith("rh_")
    assert (entry["customer_id"], entry["holder_role"], entry["redeemable_object"]) == (ann["id"], "OWNER", "voucher")
    assert (entry["voucher_type"], entry["campaign_id"], entry["campaign_type"]) == ("GIFT_VOUCHER", None, None)
    assert entry["redeemable_id"] == entry["redeemable"]["voucher"]["id"]
    assert (entry["redeemable"]["type"], entry["redeemable"]["status"]) == ("voucher", "ACTIVE")
    assert entry["redeemable"]["voucher"]["holder_id"] == ann["id"]
    assert held(wallet(client, ann["source_id"])) == [second, first]


def test_pages_of_a_wallet_go_by_id_in_both_directions(client: httpx.Client) -> None:
    ann = customer(client)
    made = [given(client, ann, code(client, amount(1))) for _ in range(3)]
    for order, expected in (("-id", made[::-1]), ("id", made)):
        page = wallet(client, ann["id"], limit=2, order=order)
        assert (held(page), page["total"], page["has_more"]) == (expected[:2], 3, True)
        rest = wallet(client, ann["id"], limit=2, order=order, starting_after_id=page["more_starting_after"])
        assert (held(rest), rest["has_more"]) == (expected[2:], False)
        assert "more_starting_after" not in rest


def test_the_status_is_the_first_thing_in_the_way(client: httpx.Client) -> None:
    ann = customer(client)
    past, future = "2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z"
    made = {
        "DISABLED": given(client, ann, code(client, amount(1))),
        "EXPIRED": given(client, ann, code(client, amount(1))),
        "NOT_ACTIVE_YET": given(client, ann, code(client, amount(1))),
        "USED": given(client, ann, code(client, amount(1), quantity=1)),
        "NO_BALANCE": given(client, ann, gift(client, 100)),
        "ACTIVE": given(client, ann, code(client, amount(1))),
    }
    ok(client.put(f"/v1/vouchers/{made['DISABLED']}", json={"active": False, "expiration_date": past}))
    ok(client.put(f"/v1/vouchers/{made['EXPIRED']}", json={"expiration_date": past}))
    ok(client.put(f"/v1/vouchers/{made['NOT_ACTIVE_YET']}", json={"start_date": future}))
    redeem(client, made["USED"])
    redeem(client, made["NO_BALANCE"], order=100)
    entries = [one["redeemable"] for one in wallet(client, ann["id"])["data"]]
    found = {one["voucher"]["code"]: one["status"] for one in entries}
    assert found == {one: status for status, one in made.items()}


def test_codes_of_a_disabled_campaign_are_disabled(client: httpx.Client) -> None:
    ann = customer(client)
    pool = settled(client, campaign(client, vouchers_count=1)["id"])
    publish(client, customer={"id": ann["id"]}, campaign={"id": pool["id"]})
    [entry] = wallet(client, ann["id"])["data"]
    assert (entry["redeemable"]["status"], entry["campaign_id"]) == ("ACTIVE", pool["id"])
    assert entry["campaign_type"] == "DISCOUNT_COUPONS"
    ok(client.post(f"/v1/campaigns/{pool['id']}/disable"))
    assert wallet(client, ann["id"])["data"][0]["redeemable"]["status"] == "DISABLED"


def test_filters_of_the_wallet(client: httpx.Client) -> None:
    ann = customer(client)
    coupon, card = given(client, ann, code(client, amount(1))), given(client, ann, gift(client, 5))
    entries = {one["redeemable"]["voucher"]["code"]: one for one in wallet(client, ann["id"])["data"]}

    def found(field: str, operator: str, value: str = "") -> list[str]:
        return held(wallet(client, ann["id"], **{f"filters[{field}][conditions][{operator}]": value}))

    assert found("voucher_type", "$is", "GIFT_VOUCHER") == [card]
    assert found("redeemable_id", "$is", entries[coupon]["redeemable_id"]) == [coupon]
    assert found("id", "$is_not", entries[coupon]["id"]) == [card]
    assert found("holder_role", "$in", "OWNER") == [card, coupon]
    assert found("redeemable_object", "$is", "voucher") == [card, coupon]
    assert found("redeemable_object", "$is_not", "voucher") == []
    assert found("campaign_id", "$is_unknown") == [card, coupon]
    assert found("campaign_type", "$has_value") == []
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert found("created_at", "$before", tomorrow) == [card, coupon]
    assert found("created_at", "$after", tomorrow) == []


def test_what_is_in_the_bin_is_in_no_wallet(client: httpx.Client) -> None:
    ann = customer(client)
    made = given(client, ann, code(client, amount(1)))
    ok(client.delete(f"/v1/vouchers/{made}"))
    assert (wallet(client, ann["id"])["total"], wallet(client, ann["id"])["data"]) == (0, [])


def test_what_no_wallet_answers(client: httpx.Client) -> None:
    ann = customer(client)
    path = f"/v1/customers/{ann['id']}/redeemables"
    refused(client.get("/v1/customers/cust_nobody/redeemables"), 404, "not_found")
    for query in ({"limit": 0}, {"limit": 101}, {"order": "created_at"}, {"starting_after_id": "no"}):
        refused(client.get(path, params=query), 400, "invalid_query_params")
    refused(client.get(path, params={"filters[code][conditions][$is]": "a"}), 400, "invalid_query_params")


# Qualifications


def test_a_wallet_is_the_holders_alone(client: httpx.Client) -> None:
    ann, bob = customer(client), customer(client)
    code(client, amount(1))
    coupon, card = given(client, ann, code(client, amount(1))), given(client, ann, gift(client, 500))
    assert wallet_qualified(client, ann) == [card, coupon]
    assert wallet_qualified(client, bob) == []
    sent = {"scenario": "CUSTOMER_WALLET"}
    assert ok(client.post("/v1/qualifications", json=sent))["redeemables"]["data"] == []
    assert wallet_qualified(client, ann, options={"filters": {"holder_role": {"conditions": {"$is": ["OWNER"]}}}})
    assert not wallet_qualified(client, ann, options={"filters": {"holder_role": {"conditions": {"$is": ["REFEREE"]}}}})


def test_published_codes_of_a_campaign_are_for_who_got_them(client: httpx.Client) -> None:
    ann, bob = customer(client), customer(client)
    pool = settled(client, campaign(client, vouchers_count=2)["id"])
    mine = publish(client, customer={"id": ann["id"]}, campaign={"id": pool["id"]})["voucher"]["code"]
    for scenario in ("ALL", "CUSTOMER_WALLET"):
        found = wallet_qualified(client, ann, scenario=scenario)
        assert mine in found
        assert mine not in wallet_qualified(client, bob, scenario=scenario)


def test_a_code_for_everybody_is_listed_once_whoever_holds_it(client: httpx.Client) -> None:
    ann, bob = customer(client), customer(client)
    made = given(client, ann, code(client, amount(1)))
    assert wallet_qualified(client, ann, scenario="ALL") == [made]
    assert wallet_qualified(client, bob, scenario="ALL") == [made]


def campaigns_qualified(client: httpx.Client, **body: Any) -> list[Any]:
    """The campaigns among what qualifies."""
    filters = {"filters": {"resource_type": {"conditions": {"$is": ["campaign"]}}}}
    found = ok(client.post("/v1/qualifications", json={"order": {"amount": 1_000}, "options": filters, **body}))
    return list(found["redeemables"]["data"])


def test_a_campaign_qualifies_while_it_can_hand_a_code_to_the_customer(client: httpx.Client) -> None:
    ann = customer(client)
    pool = settled(client, campaign(client, vouchers_count=1, type="STATIC")["id"])
    endless = campaign(client, type="AUTO_UPDATE", join_once=True)
    off = campaign(client, type="AUTO_UPDATE")
    ok(client.post(f"/v1/campaigns/{off['id']}/disable"))
    sent = {"customer": {"id": ann["id"]}}
    found = campaigns_qualified(client, **sent)
    assert [one["id"] for one in found] == [endless["id"], pool["id"]]
    assert (found[0]["object"], found[0]["result"]["discount"]["type"]) == ("campaign", "AMOUNT")
    assert found[0]["order"]["total_amount"] < 1_000
    assert campaigns_qualified(client) == []  # a code is handed to somebody
    assert [one["id"] for one in campaigns_qualified(client, customer={"source_id": "nobody yet"})] == [
        endless["id"],
        pool["id"],
    ]
    for one in (pool, endless):
        publish(client, customer={"id": ann["id"]}, campaign={"id": one["id"]})
    assert campaigns_qualified(client, **sent) == []  # one has no code left, of the other nobody has two
    bob = {"customer": {"id": customer(client)["id"]}}
    assert [one["id"] for one in campaigns_qualified(client, **bob)] == [endless["id"]]


def test_the_rules_of_a_campaign_hold_before_its_codes_are_made(client: httpx.Client) -> None:
    gold = {"name": "customer.metadata", "property": "level", "conditions": {"$is": ["gold"]}}
    rule = ok(client.post("/v1/validation-rules", json={"name": "Gold", "rules": {"1": gold}}))["id"]
    made = campaign(client, type="AUTO_UPDATE", validation_rules=[rule])
    assert campaigns_qualified(client, customer={"source_id": "ann", "metadata": {"level": "silver"}}) == []
    options = {"expand": ["redeemable", "validation_rules"]}
    sent = {"customer": {"source_id": "ann", "metadata": {"level": "gold"}}, "options": options}
    [shown] = campaigns_qualified(client, **sent)
    assert (shown["id"], shown["campaign_id"], shown["name"]) == (made["id"], made["id"], made["name"])
    [assignment] = shown["validation_rules_assignments"]["data"]
    assert (assignment["rule_id"], assignment["related_object_type"]) == (rule, "campaign")


def test_codes_with_rules_are_found_by_what_those_ask_for(client: httpx.Client) -> None:
    gold = {"name": "customer.metadata", "property": "level", "conditions": {"$is": ["gold"]}}
    rule = ok(client.post("/v1/validation-rules", json={"name": "Gold", "rules": {"1": gold}}))["id"]
    plain, ruled = code(client, amount(1)), code(client, amount(1), validation_rules=[rule])
    late = code(client, amount(1))
    sent = {"customer": {"source_id": "ann", "metadata": {"level": "gold"}}}
    found = ok(client.post("/v1/qualifications", json=sent))["redeemables"]["data"]
    assert [one["id"] for one in found] == [late, ruled, plain]
    body = {"related_object_id": late, "related_object_type": "voucher"}
    ok(client.post(f"/v1/validation-rules/{rule}/assignments", json=body))
    found = ok(client.post("/v1/qualifications", json={}))["redeemables"]["data"]
    assert [one["id"] for one in found] == [plain]
    found = ok(client.post("/v1/qualifications", json=sent))["redeemables"]["data"]
    assert [one["id"] for one in found] == [late, ruled, plain]


@pytest.mark.parametrize("listed", [False, True])
def test_client_side_answers_list_vouchers_only_where_the_project_allows_it(server: Server, listed: bool) -> None:
    keys = server.new_project()
    server.set('client_trusted_domains=["https://shop.example"]', keys=keys)
    server.set(f"client_list_vouchers_enabled={str(listed).lower()}", keys=keys)
    made = code(server.client_for(keys), amount(1), metadata={"secret": 1})
    shop = server.client_side(keys, "https://shop.example")
    answer = ok(shop.post("/client/v1/qualifications", json={"options": {"expand": ["redeemable"]}}))
    assert [(one["id"], one["metadata"]) for one in answer["redeemables"]["data"]] == ([(made, {})] if listed else [])


# Loyalty cards


def test_cards_are_listed_with_their_points_and_for_the_rewards_they_can_have(client: httpx.Client) -> None:
    card = rewards.member(client, 300)
    holder = {"id": card["holder_id"]}
    dear, cheap, coin = rewards.material(client), rewards.material(client), rewards.coin(client)
    rewards.offer(client, card, dear, 301)
    assignment = rewards.offer(client, card, cheap, 200)
    rewards.offer(client, card, coin)

    def found(**body: Any) -> list[Any]:
        sent = {"customer": holder, "order": {"amount": 10_000}, **body}
        return list(ok(client.post("/v1/qualifications", json=sent))["redeemables"]["data"])

    [plain] = found(scenario="CUSTOMER_WALLET")
    assert (plain["id"], plain["result"]) == (card["code"], {"loyalty_card": {"points": 300, "balance": 300}})
    assert found(reward={"id": dear["id"]}) == []
    [shown] = found(reward={"id": cheap["id"]})
    assert shown["result"]["loyalty_card"] == {"points": 200, "balance": 300}
    assert found(reward={"id": cheap["id"], "assignment_id": assignment["id"]})
    assert found(reward={"id": cheap["id"], "assignment_id": "rewa_other"}) == []
    assert found(reward={"id": "rew_unknown"}) == []
    [paying] = found(reward={"id": coin["id"]})
    assert paying["result"]["loyalty_card"] == {
        "points": 300,
        "balance": 300,
        "exchange_ratio": 20,
        "points_ratio": 100,
    }
    assert paying["order"]["total_amount"] == 4_000
    assert found(customer={"source_id": "somebody else"}) == []


# The older endpoints


def test_the_older_endpoint_lists_vouchers(client: httpx.Client) -> None:
    ann = customer(client)
    gold = {"name": "customer.metadata", "property": "level", "conditions": {"$is": ["gold"]}}
    least = {"name": "order.initial_amount", "conditions": {"$more_than": [10**6]}}
    rule = ok(client.post("/v1/validation-rules", json={"name": "Gold", "rules": {"1": gold, "2": least}}))["id"]
    first, second = code(client, amount(1)), given(client, ann, gift(client, 50))
    ruled = code(client, amount(1), validation_rules=[rule])
    sent = {"customer": {"id": ann["id"], "metadata": {"level": "gold"}}, "order": {"amount": 100}}
    found = ok(client.post("/v1/vouchers/qualification", json=sent))
    assert [one["code"] for one in found["data"]] == [second, first]
    assert (found["object"], found["data_ref"], found["total"]) == ("list", "data", 2)
    assert found["id"].startswith("qfl_")
    assert found["data"][0]["applicable_to"] == {"data": [], "total": 0, "data_ref": "data", "object": "list"}
    assert found["data"][0]["gift"]["balance"] == 50

    def listed(**query: Any) -> list[str]:
        answer = ok(client.post("/v1/vouchers/qualification", json=sent, params=query))
        return [one["code"] for one in answer["data"]]

    assert listed(audienceRulesOnly="true") == [ruled, second, first]
    assert listed(limit=1) == [second]
    assert listed(order="created_at") == [first, second]
    assert listed(order="code") == sorted([first, second])
    for query in ({"limit": 51}, {"order": "type"}, {"audienceRulesOnly": "maybe"}):
        refused(client.post("/v1/vouchers/qualification", json=sent, params=query), 400, "invalid_query_params")
    refused(client.post("/v1/vouchers/qualification", json={"reward": []}), 400, "invalid_payload")


def test_the_older_endpoint_lists_campaigns(client: httpx.Client) -> None:
    first, second = campaign(client, type="AUTO_UPDATE"), campaign(client, type="AUTO_UPDATE")
    sent = {"customer": {"source_id": "ann"}, "order": {"amount": 100}}
    found = ok(client.post("/v1/campaigns/qualification", json=sent))
    assert [one["id"] for one in found["data"]] == [second["id"], first["id"]]
    assert found["data"][0]["voucher"]["type"] == "DISCOUNT_VOUCHER"
    assert found["data"][0]["validation_rules_assignments"]["total"] == 0
    ordered = ok(client.post("/v1/campaigns/qualification", json=sent, params={"order": "campaign"}))
    assert [one["name"] for one in ordered["data"]] == sorted([first["name"], second["name"]])
    assert ok(client.post("/v1/campaigns/qualification", json={}))["data"] == []
