"""Balances of loyalty cards: adding and removing points, what expires first, transfers. Figures are documented or observed ones."""

import pytest

from tests.api.crowd import CROWD, at_once, outcomes
from tests.api.loyalty import MONTH, Program
from tests.api.shop import ok, refused
from tests.servers import Server
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def program(server: Server) -> Program:
    return Program(server, points=1000)


def test_added_points_count_beside_the_initial_ones_of_which_no_transaction_tells(program: Program) -> None:
    card = program.card()
    first = program.add(card, 10_000)
    assert (first["points"], first["total"], first["balance"]) == (10_000, 11_000, 11_000)
    second = program.add(card, 2_000)
    assert (second["points"], second["total"], second["balance"]) == (2_000, 13_000, 13_000)
    voucher = ok(program.server.client.get(f"/v1/vouchers/{card}"))
    assert second == {
        "points": 2_000,
        "total": 13_000,
        "balance": 13_000,
        "type": "loyalty_card",
        "object": "balance",
        "related_object": {"type": "voucher", "id": voucher["id"]},
        "operation_type": "MANUAL",
    }
    assert voucher["loyalty_card"] == {"points": 13_000, "balance": 13_000}
    assert voucher["redemption"]["redeemed_points"] == 0
    assert program.transactions(card) == [("POINTS_ADDITION", 10_000), ("POINTS_ADDITION", 2_000)]


def test_a_card_is_found_by_code_or_id_with_or_without_its_program(program: Program) -> None:
    client, card = program.server.client, program.card()
    id = ok(client.get(f"/v1/vouchers/{card}"))["id"]
    paths = [f"/v1/loyalties/members/{card}", f"/v1/loyalties/members/{id}", f"{program.members}/{id}"]
    paths.append(f"/v1/loyalties/{program.name}/members/{card}")
    for place, path in enumerate(paths, 1):
        assert ok(client.post(f"{path}/balance", json={"points": 1}))["balance"] == 1000 + place


def test_the_resource_of_vouchers_changes_points_under_the_name_of_amount(program: Program) -> None:
    client, card = program.server.client, program.card()
    found = ok(client.post(f"/v1/vouchers/{card}/balance", json={"amount": 10_000, "reason": "Birthday"}))
    assert (found["amount"], found["total"], found["balance"]) == (10_000, 11_000, 11_000)
    assert (found["type"], found["object"], "points" in found) == ("loyalty_card", "balance", False)
    ok(client.post(f"{program.members}/{card}/balance", json={"points": -1, "source_id": "tag-1"}))
    by_hand, by_voucher = ok(client.get(f"/v1/loyalties/members/{card}/transactions"))["data"]
    assert (by_voucher["source"], by_voucher["reason"], by_voucher["source_id"]) == ("API", "Birthday", None)
    assert (by_hand["source"], by_hand["reason"], by_hand["source_id"]) == (None, None, "tag-1")
    assert by_hand["details"]["balance"] == {
        "type": "loyalty_card",
        "total": 10_999,
        "object": "balance",
        "points": -1,
        "balance": 10_999,
        "operation_type": "MANUAL",
        "related_object": {"id": by_hand["voucher_id"], "type": "voucher"},
    }
    assert by_hand["related_transaction_id"] is None


def test_points_that_expire_first_are_taken_first(server: Server) -> None:
    server.go_to("2025-11-20")
    program = Program(server)
    card = program.card()
    for points, day in ((2, "2025-11-25"), (12, "2025-11-30T10:00:00Z")):
        program.add(card, points, expiration_type="CUSTOM_DATE", expiration_date=day)
    program.add(card, 13_124, expiration_type="NON_EXPIRING")
    assert program.shown(card) == {
        "points": 13_138,
        "balance": 13_138,
        "next_expiration_date": "2025-11-25",
        "next_expiration_points": 2,
    }
    assert program.add(card, -10)["total"] == 13_128
    assert program.buckets(card) == [(0, "2025-11-25"), (4, "2025-11-30"), (13_124, None)]
    assert program.shown(card) == {
        "points": 13_138,
        "balance": 13_128,
        "next_expiration_date": "2025-11-30",
        "next_expiration_points": 4,
        "subtracted_points": 10,
    }


def test_more_points_than_a_card_holds_cannot_be_removed(server: Server) -> None:
    program = Program(server)
    card = program.card(100)
    refused(
        server.client.post(f"{program.members}/{card}/balance", json={"points": -101}),
        400,
        "loyalty_card_points_exceeded",
    )
    assert program.shown(card) == {"points": 100, "balance": 100}
    assert program.transactions(card) == []


def test_points_expire_at_the_midnight_after_their_day(server: Server) -> None:
    server.go_to("2026-03-10")
    program = Program(server)
    card = program.card(0)
    program.add(card, 992)
    program.add(card, 70, expiration_type="CUSTOM_DATE", expiration_date="2026-03-14")
    program.add(card, -730)
    program.add(card, 70, expiration_type="CUSTOM_DATE", expiration_date="2026-03-14")
    server.go_to("2026-03-14T23:30")
    assert program.shown(card)["balance"] == 402
    server.go_to("2026-03-15T00:00:30")
    assert program.shown(card) == {
        "points": 1_132,
        "balance": 332,
        "expired_points": 70,
        "subtracted_points": 730,
    }
    assert program.buckets(card) == [(332, None)]
    in_list = ok(server.client.get(f"/v1/vouchers?code={card}"))["vouchers"][0]["loyalty_card"]
    assert in_list["balance"] == 332
    wait_until(lambda: program.transactions(card)[-1] == ("POINTS_EXPIRATION", -70))
    last = ok(server.client.get(f"{program.members}/{card}/transactions"))["data"][0]
    assert (last["source"], last["details"]["balance"]["operation_type"]) == ("Automation", "AUTOMATIC")
    assert (last["details"]["balance"]["total"], last["details"]["balance"]["balance"]) == (332, 332)
    server.verify()


def test_each_missed_midnight_is_made_up_for_before_a_change(server: Server) -> None:
    server.go_to("2026-03-10")
    program = Program(server)
    card = program.card(0)
    for points, day in ((1, "2026-03-11"), (2, "2026-03-12"), (4, "2026-03-12"), (8, "2026-05-01")):
        program.add(card, points, expiration_type="CUSTOM_DATE", expiration_date=day)
    server.go_to("2026-04-01")
    assert program.add(card, -8)["balance"] == 0
    lost = [points for kind, points in program.transactions(card) if kind == "POINTS_EXPIRATION"]
    assert lost == [-1, -6]
    refused(
        server.client.post(f"{program.members}/{card}/balance", json={"points": -1}),
        400,
        "loyalty_card_points_exceeded",
    )


@pytest.mark.parametrize(
    ("rules", "today", "expected"),
    [
        (MONTH, "2026-01-25", "2026-02-25"),
        ({"period_type": "MONTH", "period_value": 3, "rounding_type": "END_OF_YEAR"}, "2023-03-15", "2023-12-31"),
        ({"period_type": "FIXED_DAY_OF_YEAR", "fixed_month": 1, "fixed_day": 1}, "2026-01-02", "2027-01-01"),
    ],
)
def test_added_points_expire_by_the_rules_of_the_program(
    server: Server, rules: dict[str, object], today: str, expected: str
) -> None:
    server.go_to(today)
    program = Program(server, rules, points=1000)
    card = program.card()
    program.add(card, 1)
    shown = program.shown(card)
    assert (shown["next_expiration_date"], shown["next_expiration_points"]) == (expected, 1)
    program.add(card, 5, expiration_type="NON_EXPIRING")
    assert program.buckets(card) == [(1, expected), (1005, None)]


def test_points_may_expire_today_but_not_yesterday(server: Server) -> None:
    server.go_to("2026-03-10")
    program = Program(server)
    card = program.card(0)
    path = f"{program.members}/{card}/balance"
    body = {"points": 100, "expiration_type": "CUSTOM_DATE", "expiration_date": "2026-03-09"}
    refused(server.client.post(path, json=body), 400, "invalid_expiration_date")
    ok(server.client.post(path, json=body | {"expiration_date": "2026-03-10"}))
    assert program.shown(card)["balance"] == 100
    server.go_to("2026-03-11")
    assert program.shown(card) == {"points": 100, "balance": 0, "expired_points": 100}


def test_days_are_those_of_the_projects_zone(server: Server) -> None:
    server.set("timezone=Asia/Tokyo")
    server.go_to("2026-03-10T14:30")
    program = Program(server)
    card = program.card(0)
    program.add(card, 5, expiration_type="CUSTOM_DATE", expiration_date="2026-03-10")
    server.go_to("2026-03-10T15:01")
    assert program.shown(card)["balance"] == 0
    server.set("timezone=UTC")
    server.go_to("2026-03-11")


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ({"points": 0}, "invalid_add_balance_params"),
        ({}, "invalid_add_balance_params"),
        ({"points": None}, "invalid_add_balance_params"),
        ({"points": 10**16}, "invalid_add_balance_params"),
        ({"points": "5"}, "invalid_payload"),
        ({"points": 1.5}, "invalid_payload"),
        ({"points": True}, "invalid_payload"),
        ({"points": 5, "expiration_type": "SOMETIMES"}, "invalid_payload"),
        ({"points": 5, "expiration_type": "CUSTOM_DATE"}, "invalid_payload"),
        ({"points": 5, "expiration_type": "CUSTOM_DATE", "expiration_date": "soon"}, "invalid_payload"),
        ({"points": 5, "expiration_type": "CUSTOM_DATE", "expiration_date": "2026-02-30"}, "invalid_payload"),
        ({"points": 5, "expiration_type": "CUSTOM_DATE", "expiration_date": 5}, "invalid_payload"),
        ({"points": 5, "reason": 5}, "invalid_payload"),
        ([], "invalid_payload"),
    ],
)
def test_a_change_that_cannot_be_changes_nothing(program: Program, body: object, key: str) -> None:
    card = program.card(10)
    refused(program.server.client.post(f"{program.members}/{card}/balance", json=body), 400, key)
    assert program.shown(card) == {"points": 10, "balance": 10}
    assert program.transactions(card) == []


@pytest.mark.parametrize("amount", [0, None, "5", 1.5, True, 10**16])
def test_an_amount_that_cannot_be_changes_nothing(program: Program, amount: object) -> None:
    card = program.card(10)
    answer = program.server.client.post(f"/v1/vouchers/{card}/balance", json={"amount": amount})
    refused(answer, 400, "invalid_add_balance_params")
    assert program.shown(card) == {"points": 10, "balance": 10}


def test_a_card_that_nobody_holds_cannot_be_changed(program: Program) -> None:
    card = program.free_card(10)
    client = program.server.client
    assert program.shown(card) == {"points": 10, "balance": 10}
    refused(client.post(f"{program.members}/{card}/balance", json={"points": 5}), 400, "missing_customer")
    refused(client.post(f"/v1/vouchers/{card}/balance", json={"amount": 5}), 400, "not_published")
    body = [{"code": program.card(10), "points": 1}]
    refused(client.post(f"{program.members}/{card}/transfers", json=body), 400, "missing_customer")


def test_what_does_not_exist_is_not_found(program: Program, server: Server) -> None:
    client, card, other = server.client, program.card(), Program(server)
    body = {"points": 5}
    refused(client.post(f"{program.members}/nobody/balance", json=body), 404, "not_found")
    refused(client.post(f"/v1/loyalties/nothing/members/{card}/balance", json=body), 404, "not_found")
    refused(client.post(f"{other.members}/{card}/balance", json=body), 404, "not_found")
    ok(client.post("/v1/vouchers/PLAIN", json={"type": "GIFT_VOUCHER", "gift": {"amount": 100}}))
    refused(client.post("/v1/loyalties/members/PLAIN/balance", json=body), 404, "not_found")
    for path in ("transactions", "pending-points", "activity", "points-expiration"):
        refused(client.get(f"{program.members}/nobody/{path}"), 404, "not_found")
        refused(client.get(f"{other.members}/{card}/{path}"), 404, "not_found")


# Transfers


def test_transferred_points_live_anew_by_the_rules_of_their_new_program(server: Server) -> None:
    server.go_to("2026-01-25")
    program, other = Program(server), Program(server, MONTH)
    source, target = program.card(0), other.card(0)
    program.add(source, 200, expiration_type="CUSTOM_DATE", expiration_date="2026-01-31")
    program.add(source, 300, expiration_type="NON_EXPIRING")
    body = [{"code": source, "points": 250, "reason": "Move", "source_id": "t1", "campaign_id": "ignored"}]
    answer = ok(server.client.post(f"{other.members}/{target}/transfers", json=body))
    assert answer["code"] == target
    assert answer["loyalty_card"] == {
        "points": 250,
        "balance": 250,
        "next_expiration_date": "2026-02-25",
        "next_expiration_points": 250,
    }
    assert program.buckets(source) == [(0, "2026-01-31"), (250, None)]
    assert program.shown(source) == {"points": 500, "balance": 250, "subtracted_points": 250}
    out = ok(server.client.get(f"{program.members}/{source}/transactions"))["data"][0]
    into = ok(server.client.get(f"{other.members}/{target}/transactions"))["data"][0]
    assert (out["type"], out["details"]["balance"]["points"]) == ("POINTS_TRANSFER_OUT", -250)
    assert (into["type"], into["details"]["balance"]["points"]) == ("POINTS_TRANSFER_IN", 250)
    assert (out["related_transaction_id"], into["related_transaction_id"]) == (into["id"], out["id"])
    assert (out["source"], out["reason"], out["source_id"]) == ("API", "Move", "t1")
    assert out["details"]["destination_voucher"]["code"] == target
    assert into["details"]["source_voucher"]["loyalty_card"]["balance"] == 250


def test_several_cards_give_to_one(program: Program) -> None:
    target, first, second = program.card(13_439), program.card(10), program.card(10)
    program.add(target, -300)
    body = [{"code": first, "points": 1}, {"code": second, "points": 1}]
    ok(program.server.client.post(f"{program.members}/{target}/transfers", json=body))
    shown = program.shown(target)
    assert (shown["points"], shown["balance"]) == (13_441, 13_141)
    assert program.shown(first) == {"points": 10, "balance": 9, "subtracted_points": 1}


def test_either_all_points_are_transferred_or_none(program: Program) -> None:
    client, target, rich, poor = program.server.client, program.card(0), program.card(100), program.card(5)
    path = f"{program.members}/{target}/transfers"
    good = {"code": rich, "points": 10}
    for item, status, key in (
        ({"code": poor, "points": 6}, 400, "loyalty_card_points_exceeded"),
        ({"code": "nobody", "points": 1}, 404, "not_found"),
        ({"code": target, "points": 1}, 400, "invalid_payload"),
        ({"code": poor, "points": 0}, 400, "invalid_payload"),
        ({"code": poor, "points": "1"}, 400, "invalid_payload"),
        ({"points": 1}, 400, "invalid_payload"),
        ({"code": program.free_card(5), "points": 1}, 400, "missing_customer"),
    ):
        refused(client.post(path, json=[good, item]), status, key)
    refused(client.post(path, json=[]), 400, "invalid_payload")
    refused(client.post(path, json=good), 400, "invalid_payload")
    assert program.shown(rich) == {"points": 100, "balance": 100}
    assert program.transactions(target) == []


# History


def test_transactions_are_paged_and_filtered(program: Program) -> None:
    client, card = program.server.client, program.card(0)
    for points in (1, 2, 3):
        program.add(card, points)
    path = f"/v1/loyalties/members/{card}/transactions"
    page = ok(client.get(f"{path}?limit=2&page=1"))
    assert [one["details"]["balance"]["points"] for one in page["data"]] == [3, 2]
    assert (page["object"], page["data_ref"], page["has_more"]) == ("list", "data", True)
    rest = ok(client.get(f"{path}?limit=2&starting_after_id={page['more_starting_after']}"))
    assert [one["details"]["balance"]["points"] for one in rest["data"]] == [1]
    assert (rest["has_more"], "more_starting_after" in rest) == (False, False)
    wanted = page["data"][1]["id"]
    assert [one["id"] for one in ok(client.get(f"{path}?filters[id][conditions][$is]={wanted}"))["data"]] == [wanted]
    voucher = page["data"][0]["voucher_id"]
    of_program = f"/v1/loyalties/{program.id}/transactions?filters[voucher_id][conditions][$is]={voucher}"
    assert len(ok(client.get(of_program))["data"]) == 3
    refused(client.get("/v1/loyalties/nothing/transactions"), 404, "not_found")


def test_activity_tells_what_happened_to_a_card(program: Program) -> None:
    client, card, other = program.server.client, program.card(0), program.card(100)
    program.add(card, 5)
    ok(client.post(f"{program.members}/{card}/transfers", json=[{"code": other, "points": 1}]))
    path = f"{program.members}/{card}/activity"
    found = ok(client.get(path))["data"]
    assert [one["type"] for one in found] == [
        "customer.voucher.loyalty_card.points_transferred",
        "customer.voucher.loyalty_card.points_added",
        "customer.publication.succeeded",
    ]
    added = found[1]
    assert added["id"].startswith("evcus_")
    assert added["data"]["data"]["balance"]["points"] == 5
    assert added["data"]["data"]["campaign"]["id"] == program.id
    assert added["data"]["event_source"]["channel"] == "API"
    first = ok(client.get(f"{path}?limit=1"))
    assert first["has_more"] is True
    second = ok(client.get(f"{path}?limit=1&starting_after_id={first['more_starting_after']}"))
    assert (second["data"][0]["id"], second["has_more"]) == (added["id"], True)
    assert [one["id"] for one in ok(client.get(f"{path}?order=created_at"))["data"]] == [
        one["id"] for one in reversed(found)
    ]


# Races


def test_a_crowd_never_takes_more_points_than_there_are(program: Program) -> None:
    card = program.card(0)
    program.add(card, 30, expiration_type="CUSTOM_DATE", expiration_date="2035-01-01")
    program.add(card, 20)
    path = f"{program.members}/{card}/balance"
    answers = at_once(program.server, CROWD, lambda client, _: client.post(path, json={"points": -10}))
    assert outcomes(answers) == {"ok": 5, "loyalty_card_points_exceeded": CROWD - 5}
    assert sorted(one.json()["balance"] for one in answers if one.status_code == 200) == [0, 10, 20, 30, 40]
    assert program.shown(card) == {"points": 50, "balance": 0, "subtracted_points": 50}
    program.server.verify()


def test_cards_that_give_to_each_other_lose_nothing(program: Program) -> None:
    cards = [program.card(100) for _ in range(4)]

    def give(client: object, place: int) -> object:
        source, target = cards[place % 4], cards[(place + 1 + place // 4 % 3) % 4]
        return client.post(f"{program.members}/{target}/transfers", json=[{"code": source, "points": 7}])  # type: ignore[attr-defined]

    answers = at_once(program.server, CROWD, give)  # type: ignore[arg-type]
    assert set(outcomes(answers)) <= {"ok", "loyalty_card_points_exceeded"}
    assert sum(program.shown(card)["balance"] for card in cards) == 400
    program.server.verify()
