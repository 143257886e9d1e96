"""Points that wait: what they count for, what becomes of them by the calendar and by hand."""

import pytest

from tests.api.crowd import at_once, outcomes
from tests.api.loyalty import MONTH, Program
from tests.api.shop import ok, refused
from tests.servers import Server
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def program(server: Server) -> Program:
    return Program(server, MONTH)


def act(program: Program, card: str, id: str, what: str, **body: object) -> object:
    return program.server.client.post(f"/v1/loyalties/members/{card}/pending-points/{id}/{what}", json=body)


def test_waiting_points_count_for_nothing_until_their_day_begins(server: Server) -> None:
    server.go_to("2025-01-28T08:59")
    program = Program(server, MONTH)
    card = program.card(10)
    id = program.await_points(card, 5, 1)
    assert program.shown(card) == {"points": 10, "balance": 10, "pending_points": 5}
    listed = ok(server.client.get(f"{program.members}/{card}/pending-points"))
    assert (listed["object"], listed["data_ref"], listed["has_more"]) == ("list", "data", False)
    [entry] = listed["data"]
    assert (entry["id"], entry["points"], entry["activates_at"]) == (id, 5, "2025-01-29")
    assert (entry["order_id"], entry["campaign_id"], "updated_at" in entry) == ("ord_1", program.id, False)
    for path in (f"/v1/loyalties/members/{card}/pending-points", f"/v1/loyalties/{program.id}/pending-points"):
        assert ok(server.client.get(path))["data"] == [entry]
    refused(
        server.client.post(f"{program.members}/{card}/balance", json={"points": -11}),
        400,
        "loyalty_card_points_exceeded",
    )
    server.go_to("2025-01-29T00:00:30")
    assert program.shown(card) == {
        "points": 15,
        "balance": 15,
        "next_expiration_date": "2025-02-28",
        "next_expiration_points": 5,
    }
    assert ok(server.client.get(f"{program.members}/{card}/pending-points"))["data"] == []
    wait_until(lambda: program.transactions(card) == [("PENDING_POINTS_ACTIVATION", 5)])
    made = ok(server.client.get(f"{program.members}/{card}/transactions"))["data"][0]
    assert made["source"] == "Automation"
    assert (made["details"]["pending_points"]["id"], made["details"]["order"]["id"]) == (id, "ord_1")
    assert made["details"]["balance"]["balance"] == 15
    server.verify()


def test_points_live_from_the_day_they_become_usable(server: Server) -> None:
    server.go_to("2026-01-25")
    program = Program(server, MONTH)
    card = program.card(0)
    program.await_points(card, 5, 14)
    server.go_to("2026-02-20")
    assert program.buckets(card) == [(5, "2026-03-08")]
    server.go_to("2026-03-09")
    assert program.shown(card) == {"points": 5, "balance": 0, "expired_points": 5}
    wait_until(lambda: program.transactions(card) == [("PENDING_POINTS_ACTIVATION", 5), ("POINTS_EXPIRATION", -5)])
    server.verify()


def test_waiting_points_are_changed_activated_and_canceled_by_hand(program: Program) -> None:
    card = program.card(0)
    id, other = program.await_points(card, 10, 30), program.await_points(card, 7, 30)
    found = ok(act(program, card, id, "balance", points=5))
    assert (found["points"], found["total"], found["operation_type"]) == (5, 22, "MANUAL")
    assert ("balance" in found, "type" in found) == (False, False)
    refused(act(program, card, id, "balance", points=-15), 400, "invalid_amount")
    assert act(program, card, id, "cancel").status_code == 204
    assert program.shown(card)["pending_points"] == 7
    for what, word in (("activate", "activated"), ("cancel", "canceled"), ("balance", "updated")):
        error = refused(act(program, card, id, what, points=1), 400, "invalid_pending_points_state")
        assert error["details"] == (
            f"Only pending points in 'PENDING' status can be {word}. Current status: 'CANCELED'."
        )
    activated = ok(act(program, card, other, "activate"))
    assert (activated["points"], activated["total"], activated["balance"]) == (7, 7, 7)
    assert (activated["type"], activated["operation_type"]) == ("loyalty_card", "MANUAL")
    refused(act(program, card, other, "activate"), 400, "invalid_pending_points_state")
    made = ok(program.server.client.get(f"{program.members}/{card}/transactions"))["data"]
    assert [(one["type"], one["source"]) for one in made] == [("PENDING_POINTS_ACTIVATION", "API")]
    activity = ok(program.server.client.get(f"/v1/loyalties/members/{card}/activity?limit=100"))["data"]
    assert [one["type"].removeprefix("customer.voucher.loyalty_card.") for one in activity] == [
        "pending_points.activated",
        "pending_points.canceled",
        "pending_points.updated",
        "pending_points.added",
        "pending_points.added",
        "customer.publication.succeeded",
    ]
    assert activity[1]["data"]["data"]["voucher_pending_points_balance"]["points"] == -15
    assert activity[1]["data"]["data"]["voucher_pending_points_balance"]["total"] == 7
    program.server.verify()


@pytest.mark.parametrize(
    ("points", "key"),
    [
        (0, "invalid_amount"),
        (None, "invalid_amount"),
        (-10, "invalid_amount"),
        (10**16, "invalid_amount"),
        ("5", "invalid_payload"),
        (1.5, "invalid_payload"),
        (True, "invalid_payload"),
    ],
)
def test_a_change_that_cannot_be_changes_nothing(program: Program, points: object, key: str) -> None:
    card = program.card(0)
    refused(act(program, card, program.await_points(card, 10, 30), "balance", points=points), 400, key)
    assert program.shown(card)["pending_points"] == 10


def test_what_does_not_exist_is_not_found(program: Program) -> None:
    card, other = program.card(0), program.card(0)
    id = program.await_points(card, 10, 30)
    for what in ("activate", "cancel", "balance"):
        refused(act(program, other, id, what, points=1), 404, "not_found")
        refused(act(program, card, "lopp_000", what, points=1), 404, "not_found")
        refused(act(program, "nobody", id, what, points=1), 404, "not_found")


def test_waiting_points_are_paged_newest_first(program: Program) -> None:
    card = program.card(0)
    ids = [program.await_points(card, points, 30) for points in (1, 2, 3)]
    path = f"/v1/loyalties/members/{card}/pending-points"
    page = ok(program.server.client.get(f"{path}?limit=2"))
    assert ([one["id"] for one in page["data"]], page["has_more"]) == ([ids[2], ids[1]], True)
    rest = ok(program.server.client.get(f"{path}?limit=2&starting_after_id={page['more_starting_after']}"))
    assert ([one["id"] for one in rest["data"]], rest["has_more"]) == ([ids[0]], False)
    assert [one["id"] for one in ok(program.server.client.get(f"{path}?order=id"))["data"]] == ids
    refused(program.server.client.get(f"{path}?order=points"), 400, "invalid_query_params")


def test_waiting_points_are_activated_or_canceled_once(program: Program) -> None:
    card = program.card(0)
    id = program.await_points(card, 10, 30)
    path = f"/v1/loyalties/members/{card}/pending-points/{id}"
    answers = at_once(program.server, 16, lambda client, n: client.post(f"{path}/{('activate', 'cancel')[n % 2]}"))
    assert sorted(one.status_code for one in answers if one.status_code < 400) in ([200], [204])
    assert outcomes([one for one in answers if one.status_code >= 400]) == {"invalid_pending_points_state": 15}
    assert program.shown(card)["balance"] in (0, 10)
    program.server.verify()


def test_a_deleted_card_drops_what_waits_on_it(server: Server) -> None:
    program = Program(server)
    card, other = program.card(0), program.card(0)
    program.await_points(card, 10, 30)
    program.await_points(other, 5, 30)
    assert server.client.delete(f"/v1/vouchers/{card}").status_code == 204
    [left] = ok(server.client.get(f"/v1/loyalties/{program.id}/pending-points"))["data"]
    assert left["points"] == 5
    server.verify()


def test_a_summary_tells_what_became_of_the_points_of_a_program(server: Server) -> None:
    program, elsewhere = Program(server, points=100), Program(server)
    card, other = program.card(), elsewhere.card()
    program.add(card, 50)
    program.add(card, -20)
    ok(server.client.post(f"{elsewhere.members}/{other}/transfers", json=[{"code": card, "points": 30}]))
    ids = [program.await_points(card, points, 30) for points in (10, 20, 40)]
    ok(act(program, card, ids[0], "balance", points=-4))
    ok(act(program, card, ids[0], "balance", points=1))
    ok(act(program, card, ids[1], "activate"))
    act(program, card, ids[2], "cancel")
    found = ok(server.client.get(f"/v1/campaigns/{program.id}/summary"))
    assert {name: value for name, value in found.items() if "points" in name} == {
        "created_vouchers_points": 100,
        "points_deleted": 0,
        "points_added": 50,
        "points_subtracted": 20,
        "points_rewarded": 0,
        "points_redeemed": 0,
        "points_rolledback": 0,
        "points_expired": 0,
        "points_transferred_out": 30,
        "points_transferred_in": 0,
        "pending_points_added": 71,
        "pending_points_subtracted": 4,
        "pending_points_activated": 20,
        "pending_points_canceled": 40,
    }
    assert ok(server.client.get(f"/v1/campaigns/{elsewhere.id}/summary"))["points_transferred_in"] == 30
