"""Points that customers earn by what they do."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.api.members import join, program
from tests.api.programs import FIXED, Member, fixed, membership, pay, per, per_total, rule, tier, tiers
from tests.api.shop import amount, code, name, ok, redeem, refused
from tests.servers import Server
from tests.waiting import wait_until


def test_a_paid_order_earns_and_the_balance_shows_it_at_once(server: Server) -> None:
    member = membership(server.client)
    earning = rule(server.client, member.program, per_total(500, 10), source={"banner": "Spend and earn"})
    voucher = code(server.client, amount(5_000))
    sent = {"customer": {"source_id": member.source_id}, "order": {"amount": 50_000}}
    order = redeem(server.client, voucher, **sent)["order"]
    assert (order["status"], order["total_amount"], member.balance) == ("PAID", 45_000, 900)
    [made] = member.transactions
    details = made["details"]
    assert (made["type"], made["source"], made["source_id"]) == ("POINTS_ACCRUAL", "Automation", None)
    assert details["earning_rule"] == {"id": earning["id"], "source": {"banner": "Spend and earn"}}
    assert details["order"] == {"id": order["id"], "source_id": None}
    assert details["event"]["type"] == "customer.order.paid"
    assert "holder_loyalty_tier" not in details
    assert details["balance"] | {"related_object": None} == {
        "type": "loyalty_card",
        "total": 900,
        "object": "balance",
        "points": 900,
        "balance": 900,
        "operation_type": "AUTOMATIC",
        "related_object": None,
    }


def items(*lines: tuple[str, int]) -> list[dict[str, Any]]:
    return [{"product_id": product, "quantity": 1, "price": price} for product, price in lines]


@pytest.mark.parametrize(
    ("loyalty", "order", "points"),
    [
        (per("ORDER_AMOUNT", "order", "amount", 500, 10), {"amount": 50_000}, 1_000),
        (per("ORDER_AMOUNT", "order", "amount", 1_000, 1), {"amount": 9_999}, 9),
        (per("ORDER_AMOUNT", "order", "amount", 1_000, 1), {"amount": 999}, 0),
        (per("ORDER_METADATA", "order", "metadata", 2, 1, property="n"), {"amount": 1, "metadata": {"n": 7}}, 3),
        (per("ORDER_METADATA", "order", "metadata", 2, 1, property="n"), {"amount": 1}, 0),
    ],
)
def test_what_orders_earn(server: Server, loyalty: Any, order: Any, points: int) -> None:
    member = membership(server.client)
    rule(server.client, member.program, loyalty)
    member.pays(**order)
    assert member.balance == points
    assert len(member.transactions) == (1 if points else 0)


def test_covered_lines_count_once_however_many_collections_hold_them(server: Server) -> None:
    client = server.client
    first, second = (ok(client.post("/v1/products", json={"name": name()}))["id"] for _ in range(2))

    def collection(*products: str) -> str:
        sent = {"name": name(), "type": "STATIC", "products": [{"id": one, "object": "product"} for one in products]}
        return str(ok(client.post("/v1/product-collections", json=sent))["id"])

    both = [{"object": "products_collection", "id": id} for id in (collection(first), collection(first, second))]
    by_amount, by_subtotal = membership(client), membership(client)
    rule(client, by_amount.program, per("ORDER_ITEMS_AMOUNT", "order_items", "amount", 200, 1, applicable_to=both))
    subtotal = per("ORDER_ITEMS_SUBTOTAL_AMOUNT", "order_items", "subtotal_amount", 200, 1, applicable_to=both)
    rule(client, by_subtotal.program, subtotal)
    lines = items((first, 2_500), (second, 1_550))
    ok(
        client.post(
            "/v1/orders", json={"status": "PAID", "items": lines, "customer": {"source_id": by_amount.source_id}}
        )
    )
    assert by_amount.balance == 20
    off = code(
        client,
        {"type": "AMOUNT", "amount_off": 1_000, "effect": "APPLY_TO_ITEMS"},
        validation_rules=[
            ok(
                client.post(
                    "/v1/validation-rules",
                    json={"name": name(), "applicable_to": {"included": [{"object": "product", "id": first}]}},
                )
            )["id"]
        ],
    )
    redeem(client, off, customer={"source_id": by_subtotal.source_id}, order={"items": lines})
    assert by_subtotal.balance == 15


def test_units_given_for_free_do_not_count(server: Server) -> None:
    client = server.client
    product = ok(client.post("/v1/products", json={"name": name(), "price": 700}))["id"]
    member = membership(client)
    covered = [{"object": "product", "id": product}]
    rule(client, member.program, per("ORDER_ITEMS_QUANTITY", "order_items", "quantity", 3, 10, applicable_to=covered))
    free = code(
        client,
        {"type": "UNIT", "unit_off": 1, "unit_type": product, "effect": "ADD_NEW_ITEMS"},
    )
    order = {"items": [{"product_id": product, "quantity": 6, "price": 700}]}
    found = redeem(client, free, customer={"source_id": member.source_id}, order=order)["order"]
    assert sum(line["quantity"] for line in found["items"]) == 7
    assert member.balance == 20


def test_one_order_earns_by_a_rule_once_ever(server: Server) -> None:
    member = membership(server.client)
    rule(server.client, member.program, fixed(1_000))
    order = member.pays()
    for status in ("PAID", "CANCELED", "PAID", "FULFILLED", "PAID"):
        ok(server.client.put(f"/v1/orders/{order['id']}", json={"status": status}))
    assert member.balance == 1_000


def test_an_order_that_was_never_paid_earns_nothing(server: Server) -> None:
    member = membership(server.client)
    rule(server.client, member.program)
    sent = {"customer": {"source_id": member.source_id}, "amount": 100}
    order = ok(server.client.post("/v1/orders", json=sent))
    ok(server.client.put(f"/v1/orders/{order['id']}", json={"status": "FULFILLED"}))
    assert member.balance == 0
    ok(server.client.put(f"/v1/orders/{order['id']}", json={"status": "PAID"}))
    assert member.balance == 5


def test_rules_do_not_exclude_each_other(server: Server) -> None:
    member = membership(server.client)
    rule(server.client, member.program, per_total(500, 10))
    rule(server.client, member.program, fixed(5))
    member.pays(45_000)
    assert member.moves == [("POINTS_ACCRUAL", 900), ("POINTS_ACCRUAL", 5)]


@pytest.mark.parametrize(
    ("window", "of_program", "points"),
    [
        ({"expiration_date": "2026-01-01T00:00:00Z"}, {}, 0),
        ({}, {"expiration_date": "2026-01-01T00:00:00Z"}, 0),
        ({"start_date": "2999-01-01T00:00:00Z"}, {}, 0),
        ({"active": False}, {}, 0),
        ({"start_date": "2020-01-01T00:00:00Z"}, {"start_date": "2020-01-01T00:00:00Z"}, 5),
    ],
)
def test_rules_and_programs_have_their_time(server: Server, window: Any, of_program: Any, points: int) -> None:
    member = membership(server.client)
    rule(server.client, member.program, **window)
    if of_program:
        ok(server.client.put(f"/v1/loyalties/{member.program}", json=of_program))
    member.pays()
    assert member.balance == points


def test_formulas_give_points_and_fall_back_to_the_number(server: Server) -> None:
    member = membership(server.client)
    rule(server.client, member.program, fixed(50, points_formula='CUSTOMER_METADATA("clv") * 0.31'))
    member.pays()
    for clv in (40, 50):
        member.pays(customer={"source_id": member.source_id, "metadata": {"clv": clv}})
    assert [points for _, points in member.moves] == [50, 12, 16]


def test_a_validation_rule_decides_in_silence(server: Server) -> None:
    client, member = server.client, membership(server.client)
    condition = {"1": {"name": "order.amount", "conditions": {"$more_than": [1_000]}}, "logic": "1"}
    made = ok(client.post("/v1/validation-rules", json={"name": name(), "rules": condition}))["id"]
    rule(client, member.program, validation_rule_id=made)
    member.pays(1_000)
    assert member.balance == 0
    member.pays(1_001)
    assert member.balance == 5


def test_who_has_no_card_joins_where_the_program_lets_them(server: Server) -> None:
    client = server.client
    joining = program(client, 100, auto_join=True)
    closed = program(client, 100)
    for one in (joining, closed):
        rule(client, one["id"])
    customer = name("newcomer")
    pay(client, customer)
    pay(client, customer)
    members = ok(client.get(f"/v1/loyalties/{joining['id']}/members"))["vouchers"]
    assert [(one["loyalty_card"]["points"], one["loyalty_card"]["balance"]) for one in members] == [(110, 110)]
    assert ok(client.get(f"/v1/loyalties/{closed['id']}/members"))["total"] == 0


def test_a_static_program_without_a_free_card_gives_no_points(server: Server) -> None:
    client = server.client
    made = program(client, type="STATIC", auto_join=True)
    rule(client, made["id"])
    pay(client, name("newcomer"))
    assert ok(client.get(f"/v1/loyalties/{made['id']}/members"))["total"] == 0


def test_a_disabled_card_earns_nothing(server: Server) -> None:
    member = membership(server.client)
    rule(server.client, member.program)
    ok(server.client.post(f"/v1/vouchers/{member.code}/disable"))
    member.pays()
    assert member.balance == 0


def test_the_rule_says_how_long_its_points_last(server: Server) -> None:
    months = {"period_type": "MONTH", "period_value": 1}
    member = membership(server.client, expiration_rules=months)
    rule(
        server.client,
        member.program,
        expiration_rules={"period_type": "FIXED_DAY_OF_YEAR", "fixed_month": 12, "fixed_day": 31},
    )
    member.pays()
    assert member.shown["next_expiration_date"].endswith("-12-31")


def test_points_may_wait(server: Server) -> None:
    member = membership(server.client)
    earning = rule(server.client, member.program, pending_points={"period_type": "DAY", "period_value": 1})
    order = member.pays()
    assert (member.shown["pending_points"], member.balance, member.transactions) == (5, 0, [])
    path = f"/v1/loyalties/members/{member.code}/pending-points"
    [entry] = ok(server.client.get(path))["data"]
    assert (entry["points"], entry["order_id"]) == (5, order["id"])
    assert entry["details"]["earning_rule"] == {"id": earning["id"], "source": {"banner": None}}
    assert entry["details"]["event"]["type"] == "customer.order.paid"
    ok(server.client.put(f"/v1/orders/{order['id']}", json={"status": "CANCELED"}))
    assert "pending_points" not in member.shown
    assert ok(server.client.get(path))["data"] == []


def test_canceling_leaves_what_is_active(server: Server) -> None:
    member = membership(server.client)
    rule(server.client, member.program)
    order = member.pays()
    ok(server.client.put(f"/v1/orders/{order['id']}", json={"status": "CANCELED"}))
    assert member.balance == 5


def test_an_estimate_writes_nothing(server: Server) -> None:
    client, member = server.client, membership(server.client)
    rule(client, member.program, per_total(500, 10))
    rule(client, member.program, fixed(5))
    path = f"/v1/loyalties/{member.program}/qualifications"
    shown = ok(client.post(path, json={"customer": {"source_id": member.source_id}, "order": {"amount": 5_000}}))
    assert (shown["points_estimation"], shown["campaign"]["id"], shown["campaign"]["object"]) == (
        105,
        member.program,
        "campaign",
    )
    assert member.balance == 0
    order = member.pays(1_000)
    assert member.balance == 25
    paid = {"customer": {"source_id": member.source_id}, "order": {"id": order["id"]}}
    assert ok(client.post(path, json=paid))["points_estimation"] == 25
    assert ok(client.post(path, json={**paid, "order": {"id": order["id"], "amount": 500}}))["points_estimation"] == 15
    refused(client.post(path, json={"order": {"amount": 1}}), 400, "invalid_payload")
    refused(client.post(path, json={"customer": {"source_id": "x"}}), 400, "invalid_payload")
    stranger = {"customer": {"source_id": name("stranger")}, "order": {"amount": 500}}
    refused(client.post(path, json=stranger), 400, "campaign_not_allow_auto_join")
    ok(client.put(f"/v1/loyalties/{member.program}", json={"auto_join": True}))
    assert ok(client.post(path, json=stranger))["points_estimation"] == 15
    ok(client.post(f"/v1/vouchers/{member.code}/disable"))
    refused(client.post(path, json=paid), 400, "loyalty_card_not_active")
    ok(client.put(f"/v1/loyalties/{member.program}", json={"expiration_date": "2026-01-01"}))
    refused(client.post(path, json=paid), 400, "campaign_not_active")
    refused(client.post("/v1/loyalties/camp_none/qualifications", json=paid), 404, "not_found")


def test_a_custom_event_earns_on_every_card_or_on_the_one_it_names(server: Server) -> None:
    client = server.client
    event = name("visited")
    first = membership(client)
    second = Member.__new__(Member)
    schema = _event_schema(server, event)
    for key in (first.program, (other := program(client)["id"])):
        loyalty = per("CUSTOM_EVENT_METADATA", "custom_event", "metadata", 10, 7, property="score")
        rule(client, key, loyalty, event, custom_event={"schema_id": schema})
    second.client, second.program, second.source_id = client, other, first.source_id
    second.card = join(client, other, {"source_id": first.source_id})
    second.code = second.card["code"]
    sent = {"event": event, "customer": {"source_id": first.source_id}, "metadata": {"score": 25}}
    ok(client.post("/v1/events", json=sent))
    assert (first.balance, second.balance) == (14, 14)
    ok(client.post("/v1/events", json={**sent, "loyalty": {"code": second.code}}))
    assert (first.balance, second.balance) == (14, 28)
    details = first.transactions[0]["details"]
    assert (details["custom_event"]["type"], details["event_schema"]["name"]) == (event, event)


def _event_schema(server: Server, event: str) -> str:
    sent = {"name": event, "schema": {"properties": {"score": {"type": "number"}}}}
    return str(ok(server.client.post("/largesse/v1/custom-event-schemas", json=sent))["id"])


# Many at once


def test_the_same_order_paid_by_many_at_once_earns_once(shop: Server) -> None:
    member = membership(shop.client)
    rule(shop.client, member.program, FIXED)
    source_id = name("order")

    def paid(_: int) -> int:
        sent = {"source_id": source_id, "status": "PAID", "amount": 100, "customer": {"source_id": member.source_id}}
        return shop.client.post("/v1/orders", json=sent).status_code

    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(paid, range(16)))
    assert 200 in found
    assert member.balance == 5


def test_orders_of_one_member_at_once_lose_no_point(shop: Server) -> None:
    member = membership(shop.client)
    rule(shop.client, member.program, per_total(100, 1))
    silver, gold = tiers(shop.client, member.program, tier("Silver", 0, 999), tier("Gold", 1_000, None))
    with ThreadPoolExecutor(32) as pool:
        list(pool.map(lambda number: member.pays(100 * number), range(1, 33)))
    assert member.balance == sum(range(1, 33))
    assert sorted(points for _, points in member.moves) == list(range(1, 33))
    assert member.tier["id"] == silver["id"] != gold["id"]


def test_many_newcomers_orders_at_once_make_one_card(shop: Server) -> None:
    made = program(shop.client, auto_join=True)
    rule(shop.client, made["id"])
    customer = name("newcomer")
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: pay(shop.client, customer), range(16)))
    members = ok(shop.client.get(f"/v1/loyalties/{made['id']}/members"))["vouchers"]
    assert [one["loyalty_card"]["balance"] for one in members] == [80]


# Segments


def test_entering_a_segment_earns_and_who_is_in_already_gets_nothing(server: Server) -> None:
    client, level = server.client, name("level")
    member, early = membership(client), None
    early = Member(client, member.program)
    ok(client.put(f"/v1/customers/{early.id}", json={"metadata": {"level": level}}))
    condition = {"metadata.level": {"conditions": {"$is": [level]}}, "junction": "and"}
    made = ok(client.post("/v1/segments", json={"name": name(), "type": "auto-update", "filter": condition}))
    wait_until(lambda: ok(client.get(f"/v1/segments/{made['id']}"))["initial_sync_status"] == "DONE")
    rule(client, member.program, fixed(9), "customer.segment.entered", segment={"id": made["id"]})
    ok(client.put(f"/v1/customers/{early.id}", json={"metadata": {"other": 1}}))
    ok(client.put(f"/v1/customers/{member.id}", json={"metadata": {"level": level}}))
    assert (member.balance, early.balance) == (9, 0)
    [earned] = member.transactions
    assert earned["details"]["segment"] == {"id": made["id"], "name": made["name"]}
    ok(client.put(f"/v1/customers/{member.id}", json={"metadata": {"level": "none"}}))
    ok(client.put(f"/v1/customers/{member.id}", json={"metadata": {"level": level}}))
    assert member.balance == 18


def test_conditions_of_a_rule_look_at_segments_and_tiers(server: Server) -> None:
    client, member = server.client, membership(server.client)
    level = name("level")
    condition = {"metadata.level": {"conditions": {"$is": [level]}}, "junction": "and"}
    made = ok(client.post("/v1/segments", json={"name": name(), "type": "auto-update", "filter": condition}))["id"]
    wanted = {"1": {"name": "customer.segment", "conditions": {"$is": [made]}}, "logic": "1"}
    checked = ok(client.post("/v1/validation-rules", json={"name": name(), "rules": wanted}))["id"]
    rule(client, member.program, validation_rule_id=checked)
    member.pays()
    assert member.balance == 0
    member.pays(customer={"source_id": member.source_id, "metadata": {"level": level}})
    assert member.balance == 5


def test_newcomers_who_race_for_the_last_cards_get_each_one(shop: Server) -> None:
    client = shop.client
    made = program(client, 10, type="STATIC", auto_join=True, vouchers_count=5)
    wait_until(lambda: ok(client.get(f"/v1/loyalties/{made['id']}"))["vouchers_count"] == 5)
    rule(client, made["id"])
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda _: pay(client, name("newcomer")), range(12)))
    members = ok(client.get(f"/v1/loyalties/{made['id']}/members?limit=100"))["vouchers"]
    assert sorted(one["loyalty_card"]["balance"] for one in members) == [15] * 5


def test_rules_and_tiers_change_while_members_earn(shop: Server) -> None:
    client = shop.client
    made = program(client, auto_join=True)
    rule(client, made["id"])
    members = [Member(client, made["id"]) for _ in range(6)]

    def work(number: int) -> None:
        if number % 8 == 3:
            tiers(client, made["id"], tier(f"T{number}", number * 10, number * 10 + 9))
        elif number % 8 == 6:
            extra = rule(client, made["id"], fixed(1))
            ok(client.delete(f"/v1/loyalties/{made['id']}/earning-rules/{extra['id']}"))
        else:
            members[number % 6].pays()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(48)))
    paid = [number for number in range(48) if number % 8 not in (3, 6)]
    for place, member in enumerate(members):
        own = [points for _, points in member.moves]
        assert own.count(5) == sum(1 for number in paid if number % 6 == place)
        assert member.balance == sum(own)
        by_points = [one["points"] for one in ok(client.get(f"/v1/loyalties/{made['id']}/tiers?limit=100"))["data"]]
        held = member.tier
        assert (held is not None) == any(one["from"] <= member.balance <= one["to"] for one in by_points)
        assert held is None or held["points"]["from"] <= member.balance <= held["points"]["to"]
