"""Codes for the members of segments."""

from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.api.promotions import rule
from tests.api.segments import PATH, change, customer, limited, passes, segment, segments_of, where
from tests.api.shop import body, name, ok, redeem, refused, try_redeem
from tests.servers import Server

VIOLATED = "customer_rules_violated"


def test_a_code_for_a_segment(client: httpx.Client) -> None:
    vip = segment(client, where(metadata__vip={"$is": True}))
    ann, ben = customer(client, metadata={"vip": True}), customer(client)
    for_any = limited(client, {"$is": [vip, "seg_x"]})
    for_others = limited(client, {"$is_not": [vip]})
    assert passes(client, for_any, {"id": ann["id"]})
    assert not passes(client, for_others, {"id": ann["id"]})
    assert passes(client, for_others, {"source_id": ben["source_id"]})
    error = refused(try_redeem(client, for_any, order=1000, customer={"id": ben["id"]}), 400, VIOLATED)
    assert error["message"] == "customer does not match segment rules"
    refused(try_redeem(client, for_any, order=1000), 400, "missing_customer")
    change(client, ben, metadata={"vip": True})
    redeem(client, for_any, order=1000, customer={"id": ben["id"]})


def test_what_a_request_says_of_a_customer_counts(client: httpx.Client) -> None:
    vip = segment(client, where(metadata__level={"$is": 7}))
    ann = customer(client)
    voucher = limited(client, {"$is": [vip]})
    assert passes(client, voucher, {"id": ann["id"], "metadata": {"level": 7}})
    assert not passes(client, voucher, {"id": ann["id"]})
    assert passes(client, voucher, {"source_id": name("new"), "metadata": {"level": 7}})
    redeem(client, voucher, order=1000, customer={"id": ann["id"], "metadata": {"level": 7}})
    assert segments_of(client, ann) == {vip}


def test_static_and_passive_segments_limit_codes_too(client: httpx.Client) -> None:
    ann, ben = customer(client, name="Ann P"), customer(client)
    passive = segment(client, where(name={"$is": "Ann P"}), kind="passive")
    static = ok(client.post(PATH, json={"name": "S", "type": "static", "customers": [ann["id"]]}))["id"]
    for made in (passive, static):
        voucher = limited(client, {"$is": [made]})
        assert passes(client, voucher, {"id": ann["id"]})
        assert not passes(client, voucher, {"id": ben["id"]})
        assert not passes(client, voucher, {"source_id": name("new")})


def test_of_requests_at_once_each_sees_what_those_before_it_did(server: Server, client: httpx.Client) -> None:
    fresh = segment(client, where(summary__redemptions__total_succeeded={"$is": 0}))
    ann = customer(client)
    voucher = limited(client, {"$is": [fresh]})
    sent = body(voucher, order=1000, customer={"id": ann["id"]})
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: client.post("/v1/redemptions", json=sent), range(16)))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 15
    assert segments_of(client, ann) == set()
    server.verify()


def test_a_segment_that_a_rule_names_stays(client: httpx.Client) -> None:
    made = segment(client, where(id={"$is": "nobody"}))
    naming = rule(client, rules={"1": {"name": "customer.segment", "conditions": {"$is": [made]}}})
    error = refused(client.delete(f"{PATH}/{made}"), 400, "resource_in_use")
    assert (error["resource_type"], error["related_object_ids"]) == ("segment", [naming])
    assert client.delete(f"/v1/validation-rules/{naming}").status_code == 204
    assert client.delete(f"{PATH}/{made}").status_code == 204
