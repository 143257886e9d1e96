"""Publications: who gets which code, how often, and what is left on record when nobody can."""

import re
from typing import Any

import httpx
import pytest

from tests.api.shop import amount, code, gift, name, ok, redeem, refused, try_redeem, voucher
from tests.api.test_campaigns import campaign, finished, settled, started
from tests.servers import Server

SECONDS_OF_A_DAY = 86_400


def customer(client: httpx.Client, **more: Any) -> Any:
    return ok(client.post("/v1/customers", json={"source_id": name("cust"), **more}))


def pool(client: httpx.Client, count: int, **more: Any) -> Any:
    """A campaign with so many codes."""
    made = campaign(client, vouchers_count=count, **more)
    return settled(client, made["id"])


def try_publish(client: httpx.Client, **body: Any) -> httpx.Response:
    query = {"join_once": body.pop("join_once")} if "join_once" in body else {}
    return client.post("/v1/publications", json=body, params=query)


def publish(client: httpx.Client, **body: Any) -> Any:
    return ok(try_publish(client, **body))


def listed(client: httpx.Client, **query: Any) -> list[Any]:
    return list(ok(client.get("/v1/publications", params={"limit": 100, **query}))["publications"])


def test_a_code_is_published_to_a_customer(server: Server) -> None:
    client = server.client
    holder, made = customer(client), code(client, amount(100))
    shown = publish(
        client, customer={"id": holder["id"]}, voucher=made, channel=None, campaign=None, metadata=None, source_id=None
    )
    assert re.fullmatch(r"pub_[0-9A-Za-z]{32}", shown["id"])
    held = shown.pop("voucher")
    assert shown == {
        "id": shown["id"],
        "object": "publication",
        "created_at": shown["created_at"],
        "customer_id": holder["id"],
        "tracking_id": holder["source_id"],
        "metadata": {},
        "channel": "API",
        "source_id": None,
        "result": "SUCCESS",
        "customer": {"id": holder["id"], "source_id": holder["source_id"], "object": "customer"},
        "vouchers_id": [held["id"]],
    }
    assert held["holder_id"] == holder["id"]
    assert held["publish"]["count"] == 1
    assert held["updated_at"] is not None
    assert "validation_rules_assignments" not in held
    read = voucher(client, made)
    assert {key: read[key] for key in held} == held


def test_a_gift_card_goes_to_one_customer_only(server: Server) -> None:
    client = server.client
    card = gift(client, 500)
    held = publish(client, customer={"source_id": name()}, voucher=card)["voucher"]
    for _ in range(2):
        found = refused(
            try_publish(client, customer={"source_id": name()}, voucher=card), 400, "voucher_already_published"
        )
        assert found["details"] == f"Voucher '{held['id']}' has already been published"
    assert voucher(client, card)["publish"]["count"] == 1


def test_a_code_of_a_campaign_goes_to_one_customer_only(server: Server) -> None:
    client = server.client
    made = pool(client, 1)
    first = publish(client, customer={"source_id": name()}, campaign={"name": made["name"]})["voucher"]
    assert first["campaign_id"] == made["id"]
    again = try_publish(client, customer={"source_id": name()}, voucher=first["id"])
    refused(again, 400, "voucher_already_published")


def test_a_discount_code_without_campaign_goes_to_many_customers_once_each(server: Server) -> None:
    client = server.client
    made, ann, ben = code(client, amount(100)), name("ann"), name("ben")
    publish(client, customer={"source_id": ann}, voucher=made)
    second = publish(client, customer={"source_id": ben}, voucher=made)["voucher"]
    assert second["publish"]["count"] == 2
    assert second["holder_id"] == ok(client.get(f"/v1/customers/{ben}"))["id"]
    refused(try_publish(client, customer={"source_id": ann}, voucher=made), 400, "voucher_already_published")
    assert voucher(client, made)["publish"]["count"] == 2


def test_the_code_of_a_standalone_campaign_is_published_to_all_who_ask(server: Server) -> None:
    client = server.client
    made = campaign(client, type="STANDALONE")
    refused(
        try_publish(client, customer={"source_id": name()}, campaign={"name": made["id"]}),
        400,
        "no_voucher_suitable_for_publication",
    )
    ok(client.post(f"/v1/campaigns/{made['id']}/vouchers/{name('ALL')}"))
    found = [publish(client, customer={"source_id": name()}, campaign=made["name"])["voucher"] for _ in range(2)]
    assert found[0]["id"] == found[1]["id"]


def test_an_auto_update_campaign_makes_the_codes_it_lacks(server: Server) -> None:
    client = server.client
    made = campaign(client, type="AUTO_UPDATE", voucher={**COUPON, "code_config": {"pattern": "AU-######"}})
    shown = publish(client, campaign={"name": made["name"]}, customer={"email": "x@y.z"})
    assert shown["voucher"]["code"].startswith("AU-")
    assert shown["tracking_id"] is None
    assert shown["customer"] == {"id": shown["customer_id"], "email": "x@y.z", "object": "customer"}
    assert ok(client.get(f"/v1/campaigns/{made['id']}"))["vouchers_count"] == 1
    more = publish(client, campaign={"name": made["name"], "count": 3}, customer={"id": shown["customer_id"]})
    assert len(set(more["vouchers"])) == 3
    assert ok(client.get(f"/v1/campaigns/{made['id']}"))["vouchers_count"] == 4
    assert redeem(client, more["vouchers"][0], order=5000)["order"]["total_amount"] == 4000


def test_an_auto_update_campaign_whose_pattern_is_used_up_refuses(server: Server) -> None:
    client, only = server.client, name("ONLY")
    made = campaign(client, type="AUTO_UPDATE", voucher={**COUPON, "code_config": {"pattern": only}})
    assert publish(client, campaign=made["name"], customer={"source_id": name()})["voucher"]["code"] == only
    refused(
        try_publish(client, campaign=made["name"], customer={"source_id": name()}),
        400,
        "no_voucher_suitable_for_publication",
    )
    assert ok(client.get(f"/v1/campaigns/{made['id']}"))["vouchers_count"] == 1


COUPON = {"type": "DISCOUNT_VOUCHER", "discount": {"type": "AMOUNT", "amount_off": 1000}}


def test_an_empty_pool_refuses_and_leaves_a_record(server: Server) -> None:
    client, source = server.client, name("cust")
    made = campaign(client)
    found = refused(
        try_publish(client, campaign={"name": made["name"]}, customer={"source_id": source}, metadata={"a": 1}),
        400,
        "no_voucher_suitable_for_publication",
    )
    assert found["message"] == "Couldn't find any voucher suitable for publication"
    assert found["details"] == "Couldn't create new vouchers for publication"
    failures = listed(client, result="FAILURE", campaign=made["name"])
    assert len(failures) == 1
    assert failures[0]["failure_code"] == "no_voucher_suitable_for_publication"
    assert failures[0]["failure_message"] == "Couldn't find any voucher suitable for publication"
    assert failures[0]["result"] == "FAILURE"
    assert failures[0]["vouchers"] == []
    assert failures[0]["metadata"] == {"a": 1}
    assert failures[0]["customer_id"] == ok(client.get(f"/v1/customers/{source}"))["id"]
    assert listed(client, result="SUCCESS", campaign=made["name"]) == []


def test_several_codes_are_published_together_or_not_at_all(server: Server) -> None:
    client = server.client
    made, who = pool(client, 3), customer(client)
    found = publish(client, campaign={"name": made["name"], "count": 2}, customer={"id": who["id"]})
    assert "voucher" not in found
    assert len(set(found["vouchers"])) == len(set(found["vouchers_id"])) == 2
    for held in found["vouchers"]:
        assert voucher(client, held)["holder_id"] == who["id"]
    refused(
        try_publish(client, campaign={"name": made["name"], "count": 2}, customer={"id": who["id"]}),
        400,
        "no_voucher_suitable_for_publication",
    )
    last = publish(client, campaign={"name": made["name"], "count": 1}, customer={"id": who["id"]})["voucher"]
    assert last["code"] not in found["vouchers"]
    assert listed(client, voucher=found["vouchers"][1])[0]["vouchers"] == found["vouchers"]


def test_of_a_join_once_campaign_a_customer_gets_one_code(server: Server) -> None:
    client, source = server.client, name("cust")
    made = pool(client, 3, join_once=True)
    first = publish(client, campaign=made["name"], customer={"source_id": source})
    again = publish(
        client, campaign={"name": made["id"], "count": 2}, customer={"source_id": source}, join_once="false"
    )
    assert (again["id"], again["voucher"]["code"]) == (first["id"], first["voucher"]["code"])
    assert again["voucher"]["publish"]["count"] == 1
    same = publish(client, voucher=first["voucher"]["code"], customer={"source_id": source})
    assert same["id"] == first["id"]
    other = next(v["code"] for v in codes(client, made["id"]) if v["code"] != first["voucher"]["code"])
    found = refused(
        try_publish(client, voucher=other, customer={"source_id": source}), 400, "voucher_cannot_be_published"
    )
    assert found["details"] == "Voucher cannot be published. Customer already joined program."


def codes(client: httpx.Client, campaign_id: str) -> list[Any]:
    return list(ok(client.get("/v1/vouchers", params={"campaign_id": campaign_id, "limit": 100}))["vouchers"])


def test_a_request_may_ask_for_one_code_at_most(server: Server) -> None:
    client, source = server.client, name("cust")
    made = pool(client, 3)
    first = publish(client, campaign=made["name"], customer={"source_id": source}, join_once="true")
    again = publish(client, campaign=made["name"], customer={"source_id": source}, join_once="true")
    assert again["id"] == first["id"]
    other = publish(client, campaign=made["name"], customer={"source_id": source})
    assert other["voucher"]["code"] != first["voucher"]["code"]


def test_a_repeated_source_id_gets_the_same_answer(server: Server) -> None:
    client, source, who = server.client, name("P"), name("cust")
    made, other = pool(client, 3), pool(client, 1)
    first = publish(client, campaign={"name": made["name"]}, customer={"source_id": who}, source_id=source)
    again = publish(client, campaign={"name": made["id"]}, customer={"source_id": who}, source_id=source)
    assert again == first
    assert first["source_id"] == source
    for changed in (
        {"customer": {"source_id": name()}, "campaign": made["name"]},
        {"customer": {"source_id": who}, "campaign": other["name"]},
        {"customer": {"source_id": who}, "voucher": codes(client, other["id"])[0]["code"]},
    ):
        found = refused(try_publish(client, source_id=source, **changed), 400, "duplicate_source_id")
        assert found["details"] == f"Publication with source_id: '{source}' already exists"
    many = try_publish(
        client, source_id=name("P"), campaign={"name": made["name"], "count": 2}, customer={"source_id": who}
    )
    assert refused(many, 400, "too_many_vouchers_requested")["details"] == "Only up to 1 can be published"
    assert len(listed(client, source_id=source)) == 1


def test_a_refused_publication_leaves_its_source_id_free(server: Server) -> None:
    client, source, who = server.client, name("P"), name("cust")
    made = campaign(client)
    sent = {"campaign": made["name"], "customer": {"source_id": who}, "source_id": source}
    refused(try_publish(client, **sent), 400, "no_voucher_suitable_for_publication")
    ok(client.post(f"/v1/campaigns/{made['id']}/vouchers"))
    assert publish(client, **sent)["result"] == "SUCCESS"


@pytest.mark.parametrize(
    ("sent", "status", "key"),
    [
        ({"customer": {"source_id": "bad"}}, 400, "missing_vouchers"),
        ({"voucher": "X"}, 400, "invalid_payload"),
        ({"customer": {"id": "cust_nobody"}, "voucher": "X"}, 404, "not_found"),
        ({"customer": {"source_id": "bad"}, "voucher": "nothing"}, 404, "not_found"),
        ({"customer": {"source_id": "bad"}, "campaign": {"name": "nothing"}}, 404, "not_found"),
        ({"customer": {"source_id": "bad"}, "campaign": {"name": "nothing", "count": 0}}, 400, "invalid_payload"),
        (
            {"customer": {"source_id": "bad"}, "campaign": {"name": "no", "count": 51}},
            400,
            "too_many_vouchers_requested",
        ),
        ({"customer": {"source_id": "bad"}, "campaign": {"name": 5}}, 400, "invalid_payload"),
        ({"customer": {"source_id": "bad"}, "campaign": 5}, 400, "invalid_payload"),
        ({"customer": "bad", "voucher": "X"}, 400, "invalid_payload"),
        ({"customer": {"source_id": "bad"}, "voucher": "X", "metadata": []}, 400, "invalid_payload"),
    ],
)
def test_what_cannot_be_published_is_refused_without_a_trace(
    server: Server, sent: dict[str, Any], status: int, key: str
) -> None:
    before = ok(server.client.get("/v1/publications"))["total"]
    refused(server.client.post("/v1/publications", json=sent), status, key)
    assert ok(server.client.get("/v1/publications"))["total"] == before
    refused(server.client.get("/v1/customers/bad"), 404, "not_found")


def test_a_promotion_has_no_codes_to_publish(server: Server) -> None:
    made = ok(server.client.post("/v1/campaigns", json={"name": name(), "campaign_type": "PROMOTION"}))
    refused(try_publish(server.client, campaign=made["name"], customer={"source_id": name()}), 400, "invalid_campaign")


def test_codes_that_nobody_can_use_are_passed_by(server: Server) -> None:
    """Disabled, redeemed, deleted and expired ones."""
    client = server.client
    made = pool(client, 5)
    disabled, used, gone, late, left = (v["code"] for v in codes(client, made["id"]))
    ok(client.post(f"/v1/vouchers/{disabled}/disable"))
    redeem(client, used, order=5000)
    ok(client.delete(f"/v1/vouchers/{gone}"))
    ok(client.put(f"/v1/vouchers/{late}", json={"expiration_date": "2020-01-01"}))
    assert publish(client, campaign=made["name"], customer={"source_id": name()})["voucher"]["code"] == left
    refused(
        try_publish(client, campaign=made["name"], customer={"source_id": name()}),
        400,
        "no_voucher_suitable_for_publication",
    )
    refused(
        try_publish(client, voucher=disabled, customer={"source_id": name()}),
        400,
        "no_voucher_suitable_for_publication",
    )
    assert [one["failure_code"] for one in listed(client, voucher=disabled)] == ["no_voucher_suitable_for_publication"]


def test_a_disabled_campaign_still_publishes(server: Server) -> None:
    client = server.client
    made = pool(client, 1)
    ok(client.post(f"/v1/campaigns/{made['id']}/disable"))
    held = publish(client, campaign=made["name"], customer={"source_id": name()})["voucher"]
    assert held["active"] is True
    refused(try_redeem(client, held["code"], order=5000), 400, "voucher_disabled")


def test_a_code_lives_for_a_time_after_it_was_published(server: Server) -> None:
    client = server.client
    made = pool(client, 2, activity_duration_after_publishing="P24D", expiration_date="2030-01-10T00:00:00Z")
    server.go_ahead(5 * 365 * SECONDS_OF_A_DAY)  # past the campaign's own end
    client = server.client
    fresh = ok(client.post(f"/v1/campaigns/{made['id']}/vouchers", json={"expiration_date": "2039-01-01T00:00:00Z"}))
    shown = publish(client, voucher=fresh["code"], customer={"source_id": name()})
    held, at = shown["voucher"], shown["created_at"]
    assert held["start_date"] == at
    assert held["expiration_date"][10:] == at[10:]
    assert held["expiration_date"] > at
    redeem(client, held["code"], order=5000)
    server.go_ahead(25 * SECONDS_OF_A_DAY)
    refused(try_redeem(server.client, held["code"], order=5000), 400, "voucher_expired")


def test_publishing_by_query_takes_one_code(server: Server) -> None:
    client, source = server.client, name("cust")
    made = pool(client, 2)
    query = {"campaign[name]": made["name"], "customer[source_id]": source, "customer[name]": "Ann", "metadata[a]": "b"}
    shown = ok(client.get("/v1/publications/create", params=query))
    assert shown["customer"]["name"] == "Ann"
    assert shown["metadata"] == {"a": "b"}
    assert shown["voucher"]["publish"]["count"] == 1
    again = ok(client.get("/v1/publications/create", params=query | {"join_once": "true"}))
    assert again["id"] == shown["id"]
    many = client.get("/v1/publications/create", params=query | {"campaign[count]": "2"})
    refused(many, 400, "too_many_vouchers_requested")
    refused(client.get("/v1/publications/create", params={"voucher": "X"}), 400, "invalid_query_params")
    refused(client.get("/v1/publications/create", params={"customer[source_id]": source}), 400, "missing_vouchers")
    nested = {"customer" + "[a]" * 70: "x", "voucher": "X"}
    refused(client.get("/v1/publications/create", params=nested), 400, "invalid_query_params")


def test_the_client_side_publishes_where_the_project_allows_it(server: Server) -> None:
    keys = server.new_project()
    shop = server.client_for(keys)
    made = pool(shop, 2)
    server.set('client_trusted_domains=["*"]', keys=keys)
    browser = server.client_side(keys, "https://shop.test")
    sent = {"campaign": {"name": made["name"]}, "customer": {"source_id": "ann"}}
    refused(browser.post("/client/v1/publish", json=sent), 403, "forbidden")
    server.set("client_publish_enabled=true", keys=keys)
    server.stop()
    server.start()
    browser = server.client_side(keys, "https://shop.test")
    refused(browser.post("/client/v1/publish", json=sent), 404, "not_found")
    ok(server.client_for(keys).post("/v1/customers", json={"source_id": "ann"}))
    assert ok(browser.post("/client/v1/publish", json=sent))["voucher"]["publish"]["count"] == 1
    query = {"campaign[name]": made["name"], "customer[source_id]": "ann"}
    assert ok(browser.get("/client/v1/publish", params=query))["result"] == "SUCCESS"


def test_publications_are_listed_newest_first_with_slim_vouchers(server: Server) -> None:
    client = server.client
    made, who = pool(client, 2), customer(client, name="Ann", email="ann@example.com", metadata={"vip": True})
    first = publish(client, campaign=made["name"], customer={"id": who["id"]}, channel="shop", metadata={"n": 1})
    second = publish(client, campaign=made["name"], customer={"id": who["id"]})
    rows = listed(client, customer=who["source_id"])
    assert [row["id"] for row in rows] == [second["id"], first["id"]]
    held = first["voucher"]
    assert rows[1] == {
        **{key: value for key, value in first.items() if key != "voucher"},
        "voucher": {
            "code": held["code"],
            "object": "voucher",
            "campaign": made["name"],
            "discount": held["discount"],
            "is_referral_code": False,
        },
    }
    assert rows[1]["customer"] == {
        "id": who["id"],
        "name": "Ann",
        "email": "ann@example.com",
        "source_id": who["source_id"],
        "metadata": {"vip": True},
        "object": "customer",
    }
    assert [row["id"] for row in listed(client, customer=who["id"], order="created_at")] == [first["id"], second["id"]]
    of_code = ok(client.get(held["publish"]["url"]))
    assert [row["id"] for row in of_code["publications"]] == [first["id"]]
    assert of_code["total"] == 1
    refused(client.get("/v1/vouchers/nothing/publications"), 404, "not_found")


@pytest.mark.parametrize("field", ["id", "voucher_code", "tracking_id", "customer_id", "created_at", "channel"])
def test_publications_can_be_ordered(server: Server, field: str) -> None:
    ascending = [row["id"] for row in listed(server.client, order=field)]
    descending = [row["id"] for row in listed(server.client, order=f"-{field}")]
    assert sorted(ascending) == sorted(descending)


def test_publications_are_found_by_what_they_are(server: Server) -> None:
    client = server.client
    made, card = pool(client, 1), gift(client, 100)
    by_code = publish(client, campaign=made["name"], customer={"source_id": name()}, source_id=name("S"))
    by_card = publish(client, voucher=card, customer={"source_id": name()})
    assert by_code["id"] not in [row["id"] for row in listed(client, voucher_type="gift")]
    assert by_card["id"] in [row["id"] for row in listed(client, voucher_type="gift")]
    assert listed(client, campaign="nothing") == []
    assert listed(client, voucher="nothing") == []
    assert listed(client, is_referral_code="true") == []

    def filtered(field: str, operator: str, value: str) -> list[str]:
        return [row["id"] for row in listed(client, **{f"filters[{field}][conditions][{operator}][0]": value})]

    for field, value in (
        ("campaign_name", made["name"]),
        ("parent_object_id", made["id"]),
        ("related_object_id", by_code["vouchers_id"][0]),
        ("source_id", by_code["source_id"]),
        ("customer_id", by_code["customer_id"]),
    ):
        assert filtered(field, "$is", value) == [by_code["id"]], field
    assert by_card["id"] in filtered("voucher_type", "$is", "GIFT_VOUCHER")
    assert by_card["id"] in filtered("result", "$is", "SUCCESS")
    assert by_card["id"] not in filtered("failure_code", "$has_value", "")
    refused(client.get("/v1/publications?page=1001"), 400, "page_over_limit")
    refused(client.get("/v1/publications?voucher_type=none"), 400, "invalid_query_params")
    refused(client.get("/v1/publications?order=name"), 400, "invalid_query_params")


def test_the_customer_sees_what_was_published_and_what_was_not(server: Server) -> None:
    client = server.client
    made, who = pool(client, 1), customer(client)
    shown = publish(client, campaign=made["name"], customer={"id": who["id"]})
    refused(
        try_publish(client, campaign=made["name"], customer={"id": who["id"]}),
        400,
        "no_voucher_suitable_for_publication",
    )
    rows = ok(client.get(f"/v1/customers/{who['id']}/activity"))["data"]
    assert [row["type"] for row in rows] == [
        "customer.publication.failed",
        "customer.holder.assignment.created",
        "customer.publication.succeeded",
        "customer.created",
    ]
    assert rows[2]["data"]["publication"]["id"] == shown["id"]
    for query in ({"campaign_id": made["id"]}, {"campaign_type": "DISCOUNT_COUPONS"}):
        of_campaign = ok(client.get(f"/v1/customers/{who['id']}/activity", params=query))["data"]
        assert [row["id"] for row in of_campaign] == [row["id"] for row in rows[:3]]
    assert rows[2]["data"]["voucher"]["code"] == shown["voucher"]["code"]
    ok(client.delete(f"/v1/vouchers/{shown['voucher']['code']}"))
    rows = ok(client.get(f"/v1/customers/{who['id']}/activity"))["data"]
    assert [row["type"] for row in rows[:2]] == ["customer.voucher.deleted", "customer.holder.assignment.deleted"]
    assert rows[0]["data"]["voucher"]["id"] == shown["voucher"]["id"]


def test_the_summary_of_a_campaign_counts_publications(server: Server) -> None:
    client = server.client
    made = pool(client, 1)
    publish(client, campaign=made["name"], customer={"source_id": name()})
    try_publish(client, campaign=made["name"], customer={"source_id": name()})
    found = ok(client.get(f"/v1/campaigns/{made['id']}/summary"))
    assert (found["publications"], found["publications_succeeded"], found["publications_failed"]) == (2, 1, 1)


@pytest.mark.parametrize("force", ["true", "false"])
def test_publications_go_with_their_voucher(server: Server, force: str) -> None:
    client, source = server.client, name("cust")
    made = pool(client, 3, join_once=True)
    first = publish(client, campaign=made["name"], customer={"source_id": source})
    ok(client.delete(f"/v1/vouchers/{first['voucher']['code']}", params={"force": force}))
    assert listed(client, customer=source) == []
    assert publish(client, campaign=made["name"], customer={"source_id": source})["id"] != first["id"]


@pytest.mark.parametrize("force", ["true", "false"])
def test_publications_go_with_their_campaign(server: Server, force: str) -> None:
    client, source = server.client, name("cust")
    made = pool(client, 3)
    publish(client, campaign={"name": made["name"], "count": 2}, customer={"source_id": source})
    finished(client, started(client.delete(f"/v1/campaigns/{made['id']}", params={"force": force})))
    assert listed(client, customer=source) == []


def test_a_deleted_customer_holds_nothing_and_the_code_stays_published(server: Server) -> None:
    client, source = server.client, name("cust")
    made = pool(client, 1)
    shown = publish(client, campaign=made["name"], customer={"source_id": source}, metadata={"note": "personal"})
    ok(client.post(f"/v1/customers/{source}/permanent-deletion"))
    left = voucher(client, shown["voucher"]["code"])
    assert "holder_id" not in left
    assert left["publish"]["count"] == 1
    row = listed(client, campaign=made["name"])[0]
    assert (row["tracking_id"], row["metadata"]) == (None, {})
    assert row["customer"] == {"id": shown["customer_id"], "object": "customer"}
    refused(try_publish(client, voucher=left["code"], customer={"source_id": name()}), 400, "voucher_already_published")
