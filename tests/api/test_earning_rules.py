"""Earning rules of loyalty programs: making, changing and listing them."""

from typing import Any

import httpx
import pytest

from tests.api.members import program
from tests.api.shop import name, ok, refused
from tests.servers import Server

FIXED = {"type": "FIXED", "points": 5}
PER_TOTAL = {
    "type": "PROPORTIONAL",
    "calculation_type": "ORDER_TOTAL_AMOUNT",
    "order": {"total_amount": {"every": 500, "points": 10}},
}


def try_rules(client: httpx.Client, key: str, *rules: dict[str, Any]) -> httpx.Response:
    return client.post(f"/v1/loyalties/{key}/earning-rules", json=list(rules))


def rule(client: httpx.Client, key: str, loyalty: Any = FIXED, event: str = "order.paid", **more: Any) -> Any:
    return ok(try_rules(client, key, {"event": event, "loyalty": loyalty, **more}))[0]


def test_a_rule_is_shown_as_it_was_made_and_what_was_not_set_is_left_out(server: Server) -> None:
    made = program(server.client)
    shown = rule(server.client, made["id"], source={"banner": "A point for you"}, metadata={"a": 1})
    assert shown["id"].startswith("ern_")
    assert shown["automation_id"].startswith("auto_")
    assert shown["source"] == {"banner": "A point for you", "object_id": made["id"], "object_type": "campaign"}
    assert (shown["loyalty"], shown["event"], shown["active"], shown["metadata"]) == (
        FIXED,
        "order.paid",
        True,
        {"a": 1},
    )
    assert (shown["validation_rule_id"], shown["updated_at"], shown["object"]) == (None, None, "earning_rule")
    for absent in ("segment", "custom_event", "loyalty_tier", "pending_points", "start_date", "expiration_rules"):
        assert absent not in shown
    assert ok(server.client.get(f"/v1/loyalties/{made['name']}/earning-rules/{shown['id']}")) == shown


def test_numbers_may_come_as_texts(server: Server) -> None:
    made = program(server.client)
    loyalty = {
        "type": "PROPORTIONAL",
        "calculation_type": "ORDER_AMOUNT",
        "order": {"amount": {"every": "100", "points": "5"}},
    }
    shown = rule(server.client, made["id"], loyalty)
    assert shown["loyalty"]["order"]["amount"] == {"every": 100, "points": 5}


def test_the_first_covered_entry_stands_beside_the_list(server: Server) -> None:
    made = program(server.client)
    entries = [{"object": "product", "id": "prod_1"}, {"object": "sku", "id": "sku_2"}]
    for sent in ({"applicable_to": entries}, {"object": "product", "id": "prod_1"}):
        loyalty = {
            "type": "PROPORTIONAL",
            "calculation_type": "ORDER_ITEMS_QUANTITY",
            "order_items": {"quantity": {"every": 3, "points": 10, **sent}},
        }
        shown = rule(server.client, made["id"], loyalty)["loyalty"]["order_items"]["quantity"]
        assert (shown["object"], shown["id"]) == ("product", "prod_1")
        assert shown["applicable_to"] == (entries if "applicable_to" in sent else entries[:1])


def test_rules_are_made_all_or_none(server: Server) -> None:
    made = program(server.client)
    both = ok(
        try_rules(
            server.client,
            made["id"],
            {"event": "order.paid", "loyalty": FIXED},
            {"event": "order.paid", "loyalty": PER_TOTAL},
        )
    )
    assert [one["loyalty"] for one in both] == [FIXED, PER_TOTAL]
    wrong = {"event": "order.paid", "loyalty": {"type": "FIXED"}}
    refused(
        try_rules(server.client, made["id"], {"event": "order.paid", "loyalty": FIXED}, wrong), 400, "invalid_payload"
    )
    assert ok(server.client.get(f"/v1/loyalties/{made['id']}/earning-rules"))["total"] == 2
    assert ok(try_rules(server.client, made["id"])) == []


def proportional(kind: str, **parts: Any) -> dict[str, Any]:
    return {"type": "PROPORTIONAL", "calculation_type": kind, **parts}


@pytest.mark.parametrize(
    "sent",
    [
        {"loyalty": FIXED},
        {"event": "order.paid"},
        {"event": "order.created", "loyalty": FIXED},
        {"event": "customer.created", "loyalty": FIXED},
        {"event": "order.paid", "loyalty": {"type": "FIXED", "points": 0}},
        {"event": "order.paid", "loyalty": {"type": "FIXED", "points": "many"}},
        {"event": "order.paid", "loyalty": {"type": "FIXED", "points": 1.5}},
        {"event": "order.paid", "loyalty": {"type": "FIXED", "points": 1, "points_formula": "ORDER_AMOUNT +"}},
        {"event": "order.paid", "loyalty": {"type": "PROPORTIONAL"}},
        {
            "event": "order.paid",
            "loyalty": proportional("ORDER_AMOUNT", order={"total_amount": {"every": 1, "points": 1}}),
        },
        {"event": "order.paid", "loyalty": proportional("ORDER_AMOUNT", order={"amount": {"every": 0, "points": 1}})},
        {"event": "order.paid", "loyalty": proportional("ORDER_AMOUNT", order={"amount": {"points": 1}})},
        {
            "event": "order.paid",
            "loyalty": proportional("ORDER_METADATA", order={"metadata": {"every": 1, "points": 1}}),
        },
        {
            "event": "order.paid",
            "loyalty": proportional("ORDER_ITEMS_AMOUNT", order_items={"amount": {"every": 1, "points": 1}}),
        },
        {
            "event": "order.paid",
            "loyalty": proportional(
                "CUSTOM_EVENT_METADATA", custom_event={"metadata": {"every": 1, "points": 1, "property": "a"}}
            ),
        },
        {"event": "customer.segment.entered", "loyalty": FIXED},
        {"event": "customer.loyalty.tier.joined", "loyalty": FIXED},
        {"event": "customer.loyalty.tier.joined", "loyalty": PER_TOTAL, "loyalty_tier": {"id": "__ANY__"}},
        {"event": "bought something", "loyalty": FIXED},
        {"event": "order.paid", "loyalty": FIXED, "pending_points": {"period_type": "DAY", "period_value": 91}},
        {"event": "order.paid", "loyalty": FIXED, "pending_points": {"period_type": "WEEK", "period_value": 1}},
        {"event": "order.paid", "loyalty": FIXED, "validity_timeframe": {"interval": "P1D", "duration": "PT1H"}},
        {"event": "order.paid", "loyalty": FIXED, "start_date": "2026-02-01", "expiration_date": "2026-01-01"},
        {"event": "order.paid", "loyalty": FIXED, "expiration_rules": {"period_type": "MONTH"}},
        {
            "event": "order.paid",
            "loyalty": FIXED,
            "validity_hours": {
                "daily": [
                    {"start_time": "08:00", "expiration_time": "12:00", "days_of_week": [1, 2]},
                    {"start_time": "11:00", "expiration_time": "13:00", "days_of_week": [2]},
                ]
            },
        },
    ],
)
def test_what_says_nothing_possible_is_refused(server: Server, sent: dict[str, Any]) -> None:
    made = program(server.client)
    refused(try_rules(server.client, made["id"], sent), 400, "invalid_payload")
    assert ok(server.client.get(f"/v1/loyalties/{made['id']}/earning-rules"))["total"] == 0


def test_a_rate_that_contradicts_its_calculation_type_is_named(server: Server) -> None:
    made = program(server.client)
    sent = {
        "event": "order.paid",
        "loyalty": proportional("ORDER_TOTAL_AMOUNT", order={"amount": {"every": 1, "points": 1}}),
    }
    found = refused(try_rules(server.client, made["id"], sent), 400, "invalid_payload")
    assert found["details"] == "Loyalty order rules must contain one of the following properties - 'total_amount'"


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({"event": "customer.segment.entered", "segment": {"id": "seg_1"}}, "segment"),
        ({"event": "customer.loyalty.tier.joined", "loyalty_tier": {"id": "ltr_1"}}, "loyalty_tier"),
        ({"event": "some event", "custom_event": {"schema_id": "ms_1"}}, None),
        ({"event": "order.paid", "validation_rule_id": "val_1"}, "validation_rules"),
    ],
)
def test_what_a_rule_refers_to_must_exist(server: Server, more: dict[str, Any], kind: str | None) -> None:
    made = program(server.client)
    found = refused(try_rules(server.client, made["id"], {"loyalty": FIXED, **more}), 404, "not_found")
    assert kind is None or found["resource_type"] == kind
    assert ok(server.client.get(f"/v1/loyalties/{made['id']}/earning-rules"))["total"] == 0


def test_an_update_changes_what_is_sent_and_null_clears(server: Server) -> None:
    made = program(server.client)
    held = rule(
        server.client,
        made["id"],
        pending_points={"period_type": "DAY", "period_value": 3},
        start_date="2026-01-01T00:00:00.000Z",
        expiration_rules={"period_type": "MONTH", "period_value": 2},
        source={"banner": "Before"},
    )
    assert held["pending_points"] == {"period_type": "DAY", "period_value": 3}
    path = f"/v1/loyalties/{made['id']}/earning-rules/{held['id']}"
    changes = {"pending_points": None, "start_date": None, "loyalty": PER_TOTAL, "event": "other", "active": False}
    shown = ok(server.client.put(path, json=changes))
    assert (shown["loyalty"], shown["event"], shown["active"]) == (PER_TOTAL, "order.paid", False)
    assert "pending_points" not in shown
    assert "start_date" not in shown
    assert shown["expiration_rules"] == held["expiration_rules"]
    assert shown["source"]["banner"] == "Before"
    assert shown["updated_at"] is not None
    refused(server.client.put(path, json={"loyalty": {"type": "FIXED", "points": 0}}), 400, "invalid_payload")
    assert ok(server.client.get(path)) == shown


def test_a_rule_is_switched_off_and_on(server: Server) -> None:
    made = program(server.client)
    path = f"/v1/loyalties/{made['id']}/earning-rules/{rule(server.client, made['id'])['id']}"
    assert ok(server.client.post(f"{path}/disable"))["active"] is False
    assert ok(server.client.post(f"{path}/enable"))["active"] is True
    assert server.client.delete(path).status_code == 204
    for again in (server.client.get(path), server.client.delete(path), server.client.post(f"{path}/enable")):
        refused(again, 404, "not_found")


def test_a_validation_rule_is_assigned_replaced_and_removed(server: Server) -> None:
    made = program(server.client)
    first, second = (
        ok(
            server.client.post("/v1/validation-rules", json={"name": name(), "context_type": "earning_rule.order.paid"})
        )["id"]
        for _ in range(2)
    )
    held = rule(server.client, made["id"], validation_rule_id=first)
    assert held["validation_rule_id"] == first
    [assigned] = ok(server.client.get(f"/v1/validation-rules/{first}/assignments"))["data"]
    assert (assigned["related_object_type"], assigned["related_object_id"]) == ("earning_rule", held["id"])
    path = f"/v1/loyalties/{made['id']}/earning-rules/{held['id']}"
    assert ok(server.client.put(path, json={"validation_rule_id": second}))["validation_rule_id"] == second
    assert ok(server.client.get(f"/v1/validation-rules/{first}/assignments"))["total"] == 0
    assert ok(server.client.put(path, json={"active": True}))["validation_rule_id"] == second
    assert ok(server.client.put(path, json={"validation_rule_id": None}))["validation_rule_id"] is None
    sent = {"related_object_type": "earning_rule", "related_object_id": held["id"]}
    ok(server.client.post(f"/v1/validation-rules/{first}/assignments", json=sent))
    assert ok(server.client.get(path))["validation_rule_id"] == first
    ok(server.client.delete(path))
    assert server.client.delete(f"/v1/validation-rules/{first}").status_code == 204


def test_lists_page_and_order(server: Server) -> None:
    made = program(server.client)
    ids = [rule(server.client, made["id"])["id"] for _ in range(3)]
    path = f"/v1/loyalties/{made['id']}/earning-rules"
    assert [one["id"] for one in ok(server.client.get(path))["data"]] == ids[::-1]
    assert [one["id"] for one in ok(server.client.get(f"{path}?order=created_at"))["data"]] == ids
    second = ok(server.client.get(f"{path}?order=created_at&limit=1&page=2"))
    assert ([one["id"] for one in second["data"]], second["total"], second["data_ref"]) == ([ids[1]], 3, "data")
    refused(server.client.get(f"{path}?order=name"), 400, "invalid_query_params")


def test_rules_are_of_loyalty_programs_only(server: Server) -> None:
    refused(try_rules(server.client, "camp_none", {"event": "order.paid", "loyalty": FIXED}), 404, "not_found")
    coupons = {"name": name(), "voucher": {"type": "DISCOUNT_VOUCHER", "discount": {"type": "AMOUNT", "amount_off": 1}}}
    campaign = ok(server.client.post("/v1/campaigns", json=coupons))
    refused(server.client.get(f"/v1/loyalties/{campaign['id']}/earning-rules"), 404, "not_found")
    made, other = program(server.client), program(server.client)
    held = rule(server.client, made["id"])
    refused(server.client.get(f"/v1/loyalties/{other['id']}/earning-rules/{held['id']}"), 404, "not_found")


def test_a_project_has_a_limited_number_of_rules(store: str) -> None:
    running = Server(store, settings={"LARGESSE_EARNING_RULES_PER_PROJECT": "3"}, forked=True)
    try:
        made, other = program(running.client), program(running.client)
        sent = {"event": "order.paid", "loyalty": FIXED}
        ok(try_rules(running.client, made["id"], sent, sent))
        found = refused(try_rules(running.client, other["id"], sent, sent), 400, "limit_exceeded")
        assert "3" in found["details"]
        ok(try_rules(running.client, other["id"], sent))
    finally:
        running.stop()
