"""Validating and redeeming over HTTP."""

from typing import Any

import pytest

from tests.api.shop import (
    amount,
    amounts,
    asks,
    balance,
    body,
    code,
    fixed,
    gift,
    name,
    ok,
    percent,
    redeem,
    refused,
    try_redeem,
    uses,
    validate,
)
from tests.servers import Server


@pytest.mark.parametrize(
    ("total", "discount", "off"),
    [
        (22500, amount(300), 300),
        (700, amount(1000), 700),
        (11499, percent(10, amount_limit=3000), 1150),
        (50000, percent(10, amount_limit=3000), 3000),
        (1005, percent(50), 503),
        (1001, percent(12.5), 125),
        (17500, fixed(10000), 7500),
    ],
)
def test_what_a_code_takes_off(server: Server, total: int, discount: dict[str, Any], off: int) -> None:
    made = code(server.client, discount)
    expected = {
        "amount": total,
        "discount_amount": off,
        "total_discount_amount": off,
        "total_amount": total - off,
        "applied_discount_amount": off,
        "total_applied_discount_amount": off,
    }
    assert amounts(validate(server.client, made, order=total)["order"]) == expected
    redeemed = redeem(server.client, made, order=total)
    assert amounts(redeemed["order"]) == expected
    assert amounts(redeemed["redemptions"][0]["order"]) == expected


def test_a_discount_without_effect_shows_explicit_zeros_on_the_whole_order_only(server: Server) -> None:
    redeemed = redeem(server.client, code(server.client, fixed(10000)), order=8000)
    zeros = {"amount": 8000, "total_amount": 8000, "applied_discount_amount": 0, "total_applied_discount_amount": 0}
    assert amounts(redeemed["order"]) == zeros
    assert amounts(redeemed["redemptions"][0]["order"]) == zeros


def test_lines_get_catalogue_prices_and_subtotals(server: Server) -> None:
    products = [
        ok(server.client.post("/v1/products", json={"name": name("P"), "price": price})) for price in (2000, 700)
    ]
    order = {"items": [{"product_id": product["id"]} for product in products]}
    found = validate(server.client, code(server.client, percent(40)), order=order)["order"]
    assert amounts(found)["amount"] == 2700
    assert amounts(found)["total_amount"] == 1620
    assert [item["subtotal_amount"] for item in found["items"]] == [2000, 700]
    assert found["items"][0]["product"]["name"] == products[0]["name"]
    assert "items_discount_amount" not in found


def test_given_amounts_are_trusted(server: Server) -> None:
    order = {"amount": 6000, "items": [{"price": 3000, "amount": 3300}, {"price": 3000, "quantity": 2, "amount": 3400}]}
    found = redeem(server.client, code(server.client, amount(1000)), order=order)["order"]
    assert (found["amount"], found["total_amount"]) == (6000, 5000)
    assert [item["subtotal_amount"] for item in found["items"]] == [3300, 3400]


def test_the_answer_of_a_single_redemption(server: Server) -> None:
    made, source = code(server.client, percent(10), quantity=3), name("cust")
    redeemed = redeem(
        server.client, made, order={"amount": 20000, "source_id": name("o")}, customer={"source_id": source}
    )
    assert set(redeemed) == {"redemptions", "order", "inapplicable_redeemables", "skipped_redeemables"}
    only = redeemed["redemptions"][0]
    assert set(only) == {
        "id",
        "object",
        "date",
        "customer_id",
        "tracking_id",
        "metadata",
        "result",
        "status",
        "order",
        "customer",
        "voucher",
    }
    assert only["voucher"]["redemption"]["redeemed_quantity"] == 1
    assert only["customer"]["source_id"] == source
    assert "effect" not in only["voucher"]["discount"]
    root = redeemed["order"]
    assert root["status"] == "PAID"
    assert root["redemptions"] == {
        only["id"]: {
            "date": only["date"],
            "related_object_type": "voucher",
            "related_object_id": only["voucher"]["id"],
        }
    }
    again = ok(server.client.get(f"/v1/redemptions/{only['id']}"))
    assert again["channel"] == {"channel_id": server.keys["app_id"], "channel_type": "API"}
    assert again["voucher"] == {
        "id": only["voucher"]["id"],
        "code": made,
        "campaign": None,
        "campaign_id": None,
        "object": "voucher",
    }
    assert amounts(again["order"]) == amounts(root)
    assert ok(server.client.get(f"/v1/orders/{root['id']}"))["total_amount"] == 18000


def test_a_stack_has_a_parent_and_children_with_running_totals(server: Server) -> None:
    card, made, last = gift(server.client, 5000), code(server.client, percent(20)), code(server.client, amount(8000))
    redeemed = redeem(server.client, (card, 100), made, last, order=200000)
    parent, children = redeemed["parent_redemption"], redeemed["redemptions"]
    assert [child["redemption"] for child in children] == [parent["id"]] * 3
    running = [(c["order"]["discount_amount"], c["order"]["applied_discount_amount"]) for c in children]
    assert running == [(100, 100), (40080, 39980), (48080, 8000)]
    assert all("status" not in child["order"] for child in children)
    assert all(child["order"]["id"] == redeemed["order"]["id"] for child in children)
    assert redeemed["order"]["total_applied_discount_amount"] == 48080
    assert children[0]["amount"] == children[0]["gift"]["amount"] == 100
    assert "amount" not in parent
    entry = redeemed["order"]["redemptions"][parent["id"]]
    assert entry["stacked"] == [child["id"] for child in children]
    assert entry["related_object_type"] == "redemption"
    shown = ok(server.client.get(f"/v1/redemptions/{parent['id']}"))
    assert [r["id"] for r in shown["related_redemptions"]["redemptions"]] == entry["stacked"]
    child = ok(server.client.get(f"/v1/redemptions/{children[1]['id']}"))
    assert (child["redemption"], "items" in child["order"]) == (parent["id"], False)


@pytest.mark.parametrize(
    ("credits", "due", "taken", "left"), [(21500, 165700, 21500, 0), (5000, 3000, 3000, 2000), (3000, 3000, 3000, 0)]
)
def test_a_gift_card_pays_what_it_can(server: Server, credits: int, due: int, taken: int, left: int) -> None:
    card = gift(server.client, credits)
    redeemed = redeem(server.client, card, order=due)
    assert redeemed["redemptions"][0]["amount"] == taken
    assert redeemed["order"]["total_amount"] == due - taken
    assert balance(server.client, card) == left


def test_more_credits_than_there_are_is_refused_and_changes_nothing(server: Server) -> None:
    card = gift(server.client, 100)
    error = refused(try_redeem(server.client, (card, 101), order=500), 400, "gift_amount_exceeded")
    assert error["resource_type"] == "redemption"
    assert error["redeemable_id"] == card
    assert balance(server.client, card) == 100
    record = ok(server.client.get(f"/v1/redemptions/{error['resource_id']}"))
    assert (record["result"], record["status"], record["order"]) == ("FAILURE", "FAILED", None)
    assert record["failure_code"] == "gift_amount_exceeded"
    assert record["voucher"]["code"] == card


def test_a_gift_card_needs_an_order_with_an_amount(server: Server) -> None:
    card = gift(server.client, 100)
    refused(try_redeem(server.client, card), 400, "missing_order")
    refused(try_redeem(server.client, card, order={"items": [{"product_id": "x"}]}), 400, "missing_amount")


def test_thirty_codes_apply_five(server: Server) -> None:
    codes = [code(server.client, amount(1000)) for _ in range(30)]
    redeemed = redeem(server.client, *codes, order=20000)
    assert len(redeemed["redemptions"]) == 5
    assert len(redeemed["skipped_redeemables"]) == 25
    skipped = redeemed["skipped_redeemables"][0]
    assert skipped["result"]["details"]["key"] == "applicable_redeemables_limit_exceeded"
    assert redeemed["order"]["total_amount"] == 15000
    assert uses(server.client, codes[5]) == 0


def test_an_unknown_code_fails_the_whole_request_in_mode_all(server: Server) -> None:
    first, last = code(server.client, amount(1000)), code(server.client, amount(1000))
    validated = validate(server.client, first, "NOPE", last, order=5000)
    assert not validated["valid"]
    assert [r["status"] for r in validated["redeemables"]] == ["APPLICABLE", "INAPPLICABLE", "SKIPPED"]
    assert "metadata" not in validated["redeemables"][1]
    assert validated["redeemables"][1]["result"]["error"]["key"] == "not_found"
    assert "order" not in validated
    error = refused(try_redeem(server.client, first, "NOPE", last, order=5000), 404, "not_found")
    assert error["resource_id"].startswith("rf_")
    assert uses(server.client, first) == uses(server.client, last) == 0


def test_a_redeemable_without_effect_is_used_up_by_default(server: Server) -> None:
    first, second = code(server.client, amount(1000)), code(server.client, amount(500))
    redeemed = redeem(server.client, first, second, order=1000)
    assert redeemed["order"]["total_amount"] == 0
    assert uses(server.client, second) == 1


def test_one_code_twice_and_too_many_are_refused_unrecorded(server: Server) -> None:
    made = code(server.client, amount(1))
    by_id = ok(server.client.get(f"/v1/vouchers/{made}"))["id"]
    before = ok(server.client.get("/v1/redemptions?limit=1"))["total"]
    refused(try_redeem(server.client, made, made, order=5), 400, "duplicated_redeemables")
    refused(try_redeem(server.client, made, by_id, order=5), 400, "duplicated_redeemables")
    refused(try_redeem(server.client, *[name() for _ in range(31)], order=5), 400, "invalid_payload")
    stack = [{"object": "promotion_stack", "id": "stack_1"}, *asks(made)]
    refused(server.client.post("/v1/redemptions", json={"redeemables": stack}), 400, "invalid_redeemables")
    refused(try_redeem(server.client, made, order={"id": "ord_nope"}), 404, "not_found")
    assert ok(server.client.get("/v1/redemptions?limit=1"))["total"] == before


@pytest.mark.parametrize(
    ("more", "key"),
    [
        ({"active": False, "expiration_date": "2020-01-01"}, "voucher_disabled"),
        ({"start_date": "2999-01-01"}, "voucher_not_active"),
        ({"expiration_date": "2020-01-01T00:00:00Z"}, "voucher_expired"),
    ],
)
def test_a_codes_own_state_comes_first(server: Server, more: dict[str, Any], key: str) -> None:
    refused(try_redeem(server.client, code(server.client, amount(1), **more), order=5), 400, key)


def test_a_used_up_code_is_refused_and_may_be_used_again_after_a_rollback(server: Server) -> None:
    made = code(server.client, amount(1), quantity=1)
    first = redeem(server.client, made, order=5)["redemptions"][0]["id"]
    refused(try_redeem(server.client, made, order=5), 400, "quantity_exceeded")
    ok(server.client.post(f"/v1/redemptions/{first}/rollback"))
    redeem(server.client, made, order=5)
    history = ok(server.client.get(f"/v1/vouchers/{made}/redemption"))
    assert (history["total"], history["redeemed_quantity"], history["quantity"]) == (4, 1, 1)
    kinds = [entry["id"].split("_")[0] for entry in history["redemption_entries"]]
    assert kinds == ["r", "rr", "rf", "r"]
    assert ok(server.client.get(f"/v1/vouchers/{made}/redemptions?limit=2"))["total"] == 4


def test_redeeming_again_on_an_order_sees_what_is_left(server: Server) -> None:
    order = redeem(server.client, code(server.client, amount(9200)), order=10000)["order"]
    redeemed = redeem(server.client, code(server.client, amount(1000)), order={"id": order["id"]})
    assert redeemed["order"]["applied_discount_amount"] == 800
    assert redeemed["order"]["discount_amount"] == 10000
    assert redeemed["order"]["total_amount"] == 0
    assert len(redeemed["order"]["redemptions"]) == 2


def test_an_order_named_by_source_id_keeps_its_own_data_one_named_by_id_takes_new_ones(server: Server) -> None:
    source = name("o")
    order = ok(server.client.post("/v1/orders", json={"source_id": source, "amount": 1000}))
    by_source = redeem(server.client, code(server.client, amount(1)), order={"source_id": source, "amount": 7777})
    assert by_source["order"]["amount"] == 1000
    by_id = redeem(server.client, code(server.client, amount(1)), order={"id": order["id"], "amount": 7777})
    assert by_id["order"]["amount"] == 7777
    assert by_id["order"]["status"] == "PAID"


def test_the_customer_is_made_by_a_redemption_not_by_a_validation(server: Server) -> None:
    made, source = code(server.client, amount(1)), name("cust")
    customer = {"source_id": source, "name": "Ann", "metadata": {"a": 1}}
    validated = validate(server.client, made, order=5, customer=customer)
    assert validated["order"]["customer_id"] is None
    refused(server.client.get(f"/v1/customers/{source}"), 404, "not_found")
    redeem(server.client, made, order=5, customer=customer)
    redeemed = redeem(server.client, made, order=5, customer={"source_id": source, "metadata": {"b": 2}})
    found = ok(server.client.get(f"/v1/customers/{source}"))
    assert found["metadata"] == {"a": 1, "b": 2}
    assert found["summary"]["orders"]["total_count"] == 2
    tracking = redeemed["redemptions"][0]["tracking_id"]
    assert tracking.startswith("track_")
    by_tracking = redeem(server.client, made, order=5, tracking_id=tracking)
    assert by_tracking["redemptions"][0]["customer_id"] == found["id"]
    refused(try_redeem(server.client, made, order=5, customer={"id": "cust_nope"}), 404, "not_found")
    other = name("cust")
    ok(server.client.post("/v1/customers", json={"source_id": other}))
    clash = try_redeem(server.client, made, order=5, customer={"source_id": source}, tracking_id=other)
    refused(clash, 400, "ambiguous_tracking_id")


def test_expanding_the_redeemables_of_a_validation(server: Server) -> None:
    made = code(server.client, amount(1), metadata={"season": "spring"})
    plain = validate(server.client, made, order=5)["redeemables"][0]
    assert ("order" in plain, plain["metadata"]) == (True, {})
    expanded = validate(server.client, made, order=5, options={"expand": ["redeemable"]})["redeemables"][0]
    assert ("order" in expanded, expanded["metadata"]) == (False, {"season": "spring"})
    assert (expanded["campaign_id"], expanded["campaign_name"]) == (None, None)
    assert plain["result"]["discount"] == {
        "type": "AMOUNT",
        "amount_off": 1,
        "effect": "APPLY_TO_ORDER",
        "is_dynamic": False,
    }


def test_a_validation_names_the_rules_in_force(server: Server) -> None:
    rules = validate(server.client, code(server.client, amount(1)), order=5)["stacking_rules"]
    assert rules["redeemables_limit"] == 30
    assert rules["applicable_redeemables_per_category_limit"] is None
    assert rules["redeemables_application_mode"] == "ALL"
    assert "discount_calculation_mode" not in rules
    assert "grouped_redeemables_sorting_rule" not in rules


def test_in_partial_mode_the_applicable_ones_are_redeemed(server: Server) -> None:
    keys = server.new_project()
    server.set("stacking_rules.redeemables_application_mode=PARTIAL", keys=keys)
    with server.client_for(keys) as client:
        first, last = code(client, amount(1000)), code(client, amount(1000))
        assert validate(client, first, "NOPE", last, order=5000)["valid"]
        redeemed = redeem(client, first, "NOPE", last, order=5000)
        assert redeemed["order"]["total_amount"] == 3000
        assert [r["id"] for r in redeemed["inapplicable_redeemables"]] == ["NOPE"]
        assert not validate(client, "NOPE", order=5)["valid"]
        refused(try_redeem(client, "NOPE", order=5), 400, "no_applicable_redeemables")


def test_the_older_endpoints_answer_for_one_code(server: Server) -> None:
    made = code(server.client, percent(10), quantity=1)
    valid = ok(server.client.post(f"/v1/vouchers/{made}/validate", json={"order": {"amount": 1000}}))
    assert (valid["valid"], valid["code"], valid["order"]["total_amount"]) == (True, made, 900)
    assert valid["discount"]["type"] == "PERCENT"
    single = ok(server.client.post(f"/v1/vouchers/{made}/redemption", json={"order": {"amount": 1000}}))
    assert (single["object"], single["voucher"]["code"]) == ("redemption", made)
    error = refused(server.client.post(f"/v1/vouchers/{made}/redemption"), 400, "quantity_exceeded")
    assert error["resource_id"].startswith("rf_")
    invalid = ok(server.client.post(f"/v1/vouchers/{made}/validate", json={}))
    assert (invalid["valid"], invalid["reason"]) == (False, "quantity exceeded")
    refused(server.client.post("/v1/vouchers/NOPE/validate", json={}), 404, "not_found")


def test_lists_of_redemptions_can_be_narrowed(server: Server) -> None:
    keys = server.new_project()
    with server.client_for(keys) as client:
        made, source = code(client, amount(1), quantity=1), name("cust")
        done = redeem(client, made, order=5, customer={"source_id": source})["redemptions"][0]["id"]
        try_redeem(client, made, order=5)
        ok(client.post(f"/v1/redemptions/{done}/rollback"))

        def ids(query: str) -> list[str]:
            return [r["id"][: r["id"].index("_")] for r in ok(client.get(f"/v1/redemptions?{query}"))["redemptions"]]

        assert ids("") == ["rr", "rf", "r"]
        assert ids("order=created_at") == ["r", "rf", "rr"]
        assert ids("result=FAILURE") == ["rf"]
        assert ids("result=SUCCESS&result=FAILURE") == ["rr", "rf", "r"]
        assert ids(f"customer={source}") == ["rr", "r"]
        assert ids("filters[failure_code][conditions][$is][0]=quantity_exceeded") == ["rf"]
        assert ids("filters[object][conditions][$is]=redemption_rollback") == ["rr"]
        assert ids(f"[filters][voucher_code][conditions][$is]={made}&limit=2&page=2") == ["r"]
        refused(client.get("/v1/redemptions?result=MAYBE"), 400, "invalid_query_params")
        refused(client.get("/v1/redemptions?order=shoe_size"), 400, "invalid_query_params")
        refused(client.get("/v1/redemptions?page=1001"), 400, "page_over_limit")
        rolled = ok(client.get(f"/v1/redemptions/{done}"))
        assert rolled["status"] == "ROLLED_BACK"
        assert rolled["related_redemptions"]["rollbacks"][0]["id"].startswith("rr_")
        assert rolled["rollback_order_mode"] == "WITH_ORDER"
        refused(client.get("/v1/redemptions/r_nope"), 404, "not_found")


def test_metadata_and_session_key_are_kept_on_the_records(server: Server) -> None:
    made = code(server.client, amount(1))
    sent = body(made, order=5, metadata={"till": 4}, session={"key": "abc"})
    only = ok(server.client.post("/v1/redemptions", json=sent))["redemptions"][0]
    assert only["metadata"] == {"till": 4}
    assert only["session"]["key"] == "abc"
