"""Undo: what comes back, what is refused, what is recorded."""

import sqlite3

import pytest
import sqlalchemy

from tests.api.shop import amount, amounts, balance, code, gift, name, ok, percent, redeem, refused, uses
from tests.servers import Server


def test_rolling_back_a_code_gives_the_order_its_amounts_back(server: Server) -> None:
    made = code(server.client, percent(10), quantity=1)
    customer = {"source_id": name("cust"), "name": "Ann"}
    order = {"amount": 20000, "source_id": name("o")}
    done = redeem(server.client, made, order=order, customer=customer)["redemptions"][0]
    undone = ok(server.client.post(f"/v1/redemptions/{done['id']}/rollback?reason=changed"))
    assert set(undone) == {
        "id",
        "object",
        "date",
        "customer_id",
        "tracking_id",
        "metadata",
        "redemption",
        "reason",
        "result",
        "status",
        "order",
        "channel",
        "customer",
        "related_object_type",
        "related_object_id",
        "voucher",
    }
    assert undone["id"].startswith("rr_")
    assert (undone["reason"], undone["metadata"], undone["redemption"]) == ("changed", None, done["id"])
    assert amounts(undone["order"]) == {"amount": 20000, "total_amount": 20000}
    assert (undone["order"]["status"], undone["order"]["metadata"]) == ("CANCELED", {})
    entry = undone["order"]["redemptions"][done["id"]]
    assert (entry["rollback_id"], entry["rollback_date"]) == (undone["id"], undone["date"])
    assert undone["voucher"]["redemption"]["redeemed_quantity"] == uses(server.client, made) == 0
    assert undone["voucher"]["discount"] == {"type": "PERCENT", "percent_off": 10}
    summary = ok(server.client.get(f"/v1/customers/{customer['source_id']}"))["summary"]
    assert summary["redemptions"]["total_rolled_back"] == summary["redemptions"]["total_rollback_succeeded"] == 1
    assert (summary["redemptions"]["total_redeemed"], summary["redemptions"]["total_succeeded"]) == (0, 1)
    assert summary["orders"] == {"total_amount": 0, "total_count": 0, "average_amount": 0, "last_order_amount": 0}


def test_a_second_rollback_is_refused_and_recorded(server: Server) -> None:
    made, source = code(server.client, amount(5)), name("cust")
    done = redeem(server.client, made, order=50, customer={"source_id": source})["redemptions"][0]["id"]
    ok(server.client.post(f"/v1/redemptions/{done}/rollback"))
    for path in ("rollback", "rollbacks"):
        error = refused(server.client.post(f"/v1/redemptions/{done}/{path}"), 400, "already_rolled_back")
        assert error["resource_type"] == "redemption_rollback"
        record = ok(server.client.get(f"/v1/redemptions/{error['resource_id']}"))
        assert (record["status"], record["redemption"], record["order"]) == ("FAILED", done, None)
        assert record["failure_message"] == "Already rolled back"
    assert uses(server.client, made) == 0
    totals = ok(server.client.get(f"/v1/customers/{source}"))["summary"]["redemptions"]
    assert totals["total_rollback_failed"] == 2


def test_rolling_back_a_gift_card_returns_the_credits_it_took(server: Server) -> None:
    card = gift(server.client, 5000)
    done = redeem(server.client, (card, 2000), order=6000)["redemptions"][0]["id"]
    assert balance(server.client, card) == 3000
    undone = ok(server.client.post(f"/v1/redemptions/{done}/rollback"))
    assert (undone["amount"], undone["gift"]["amount"]) == (-2000, -2000)
    assert undone["order"]["total_amount"] == 6000
    assert balance(server.client, card) == 5000
    rows = ok(server.client.get(f"/v1/vouchers/{card}/transactions"))["data"]
    assert [(row["type"], row["details"]["balance"]["amount"]) for row in rows] == [
        ("CREDITS_REFUND", 2000),
        ("CREDITS_REDEMPTION", -2000),
    ]
    assert rows[0]["details"]["rollback"] == {"id": undone["id"]}
    assert rows[1]["details"]["balance"]["balance"] == 3000


def test_rolling_back_a_stack_undoes_every_child_and_the_parent(server: Server) -> None:
    card, made, last = gift(server.client, 5000), code(server.client, percent(20)), code(server.client, amount(8000))
    redeemed = redeem(server.client, (card, 100), made, last, order=200000)
    parent = redeemed["parent_redemption"]["id"]
    refused(server.client.post(f"/v1/redemptions/{parent}/rollback"), 400, "invalid_redemption")
    child = redeemed["redemptions"][0]["id"]
    for path in ("rollback", "rollbacks"):
        refused(server.client.post(f"/v1/redemptions/{child}/{path}"), 400, "invalid_redemption_parent")
    sent = {"reason": "all of it", "metadata": {"till": 4}}
    undone = ok(server.client.post(f"/v1/redemptions/{parent}/rollbacks", json=sent))
    assert [r["redemption"] for r in undone["rollbacks"]] == [r["id"] for r in redeemed["redemptions"]]
    assert [r["reason"] for r in undone["rollbacks"]] == ["all of it"] * 3
    assert [r["metadata"] for r in undone["rollbacks"]] == [{"till": 4}] * 3
    assert [r.get("amount") for r in undone["rollbacks"]] == [-100, None, None]
    assert amounts(undone["rollbacks"][1]["order"]) == {"amount": 200000, "total_amount": 200000}
    parent_rollback = undone["parent_rollback"]
    assert (parent_rollback["redemption"], parent_rollback["related_object_type"]) == (parent, "redemption")
    assert (parent_rollback["voucher"], "amount" in parent_rollback) == (None, False)
    assert (undone["order"]["status"], undone["order"]["total_amount"]) == ("CANCELED", 200000)
    entry = undone["order"]["redemptions"][parent]
    assert entry["rollback_id"] == parent_rollback["id"]
    assert entry["rollback_stacked"] == [r["id"] for r in undone["rollbacks"]]
    assert len(entry["stacked"]) == 3
    assert [uses(server.client, c) for c in (card, made, last)] == [0, 0, 0]
    assert balance(server.client, card) == 5000
    assert ok(server.client.get(f"/v1/redemptions/{child}"))["status"] == "ROLLED_BACK"
    assert ok(server.client.get(f"/v1/redemptions/{parent}"))["metadata"] == {"till": 4}


def test_the_other_endpoint_takes_a_single_redemption_too(server: Server) -> None:
    done = redeem(server.client, code(server.client, amount(5)), order=50)["redemptions"][0]["id"]
    undone = ok(server.client.post(f"/v1/redemptions/{done}/rollbacks", json={}))
    assert len(undone["rollbacks"]) == 1
    assert "parent_rollback" not in undone
    assert undone["order"]["status"] == "CANCELED"


def test_two_redemptions_on_one_order_are_undone_one_by_one(server: Server) -> None:
    first = redeem(server.client, code(server.client, amount(2000)), order=10000)
    order = {"id": first["order"]["id"]}
    second = redeem(server.client, code(server.client, percent(10)), order=order)
    assert second["order"]["total_amount"] == 7200
    left = ok(server.client.post(f"/v1/redemptions/{first['redemptions'][0]['id']}/rollback"))["order"]
    assert (left["discount_amount"], left["total_amount"], left["status"]) == (800, 9200, "PAID")
    last = ok(server.client.post(f"/v1/redemptions/{second['redemptions'][0]['id']}/rollback"))["order"]
    assert amounts(last) == {"amount": 10000, "total_amount": 10000}
    assert last["status"] == "CANCELED"


def test_without_order_only_uses_and_credits_come_back(server: Server) -> None:
    keys = server.new_project()
    server.set("stacking_rules.redeemables_rollback_order_mode=WITHOUT_ORDER", keys=keys)
    with server.client_for(keys) as client:
        made = code(client, amount(300))
        done = redeem(client, made, order=22500)["redemptions"][0]["id"]
        undone = ok(client.post(f"/v1/redemptions/{done}/rollback"))
        assert uses(client, made) == 0
        assert (undone["order"]["discount_amount"], undone["order"]["total_amount"]) == (300, 22200)
        assert undone["order"]["status"] == "PAID"
        assert undone["order"]["redemptions"][done]["rollback_id"] == undone["id"]
        assert ok(client.get(f"/v1/redemptions/{done}"))["rollback_order_mode"] == "WITHOUT_ORDER"


def test_customer_and_order_of_a_rollback_must_be_the_redemptions(server: Server) -> None:
    source, other = name("cust"), name("cust")
    ok(server.client.post("/v1/customers", json={"source_id": other}))
    done = redeem(
        server.client,
        code(server.client, amount(5)),
        order={"amount": 50, "source_id": "o-" + source},
        customer={"source_id": source},
    )["redemptions"][0]["id"]
    path = f"/v1/redemptions/{done}/rollback"
    before = ok(server.client.get("/v1/redemptions?limit=1"))["total"]
    refused(server.client.post(path, json={"customer": {"source_id": other}}), 400, "invalid_customer")
    refused(server.client.post(path, json={"tracking_id": other}), 400, "invalid_customer")
    error = refused(server.client.post(path, json={"customer": {"id": "cust_nope"}}), 404, "not_found")
    assert error["resource_type"] == "customer"
    refused(server.client.post(path, json={"order": {"source_id": "other"}}), 400, "invalid_order")
    refused(server.client.post("/v1/redemptions/r_nope/rollback"), 404, "not_found")
    assert ok(server.client.get("/v1/redemptions?limit=1"))["total"] == before
    sent = {
        "customer": {"source_id": source, "name": "Ann", "metadata": {"age": 23}},
        "order": {"source_id": "o-" + source},
        "metadata": {"location_id": ["L2"]},
    }
    undone = ok(server.client.post(path, json=sent))
    assert (undone["customer"]["name"], undone["customer"]["metadata"]) == ("Ann", {"age": 23})
    assert undone["metadata"] == {"location_id": ["L2"]}
    assert ok(server.client.get(f"/v1/redemptions/{done}"))["metadata"] == {"location_id": ["L2"]}
    failed = ok(server.client.get("/v1/redemptions?result=FAILURE&limit=1"))["redemptions"]
    if failed:
        refused(server.client.post(f"/v1/redemptions/{failed[0]['id']}/rollback"), 400, "invalid_redemption")
    refused(server.client.post(f"/v1/redemptions/{undone['id']}/rollback"), 400, "invalid_redemption")


def test_a_deleted_customer_and_voucher_do_not_stand_in_the_way(server: Server) -> None:
    source, made = name("cust"), code(server.client, amount(5))
    done = redeem(server.client, made, order=50, customer={"source_id": source})["redemptions"][0]["id"]
    ok(server.client.delete(f"/v1/customers/{source}"))
    ok(server.client.delete(f"/v1/vouchers/{made}?force=true"))
    undone = ok(server.client.post(f"/v1/redemptions/{done}/rollback"))
    assert (undone["customer"], undone["voucher"], undone["order"]) == (None, None, None)
    server.verify()


def test_a_binned_voucher_gets_its_use_back(server: Server) -> None:
    made = code(server.client, amount(5))
    done = redeem(server.client, made, order=50)["redemptions"][0]["id"]
    ok(server.client.delete(f"/v1/vouchers/{made}"))
    ok(server.client.post(f"/v1/redemptions/{done}/rollback"))
    server.verify()


def test_a_rollback_is_possible_for_three_months(server: Server) -> None:
    done = redeem(server.client, code(server.client, amount(5)), order=50)["redemptions"][0]["id"]
    _change_date(server.store, done, days=93)
    error = refused(server.client.post(f"/v1/redemptions/{done}/rollback"), 400, "rollback_period_exceeded")
    assert error["resource_id"].startswith("rrf_")
    _change_date(server.store, done, days=-4)
    ok(server.client.post(f"/v1/redemptions/{done}/rollback"))


def _change_date(store: str, redemption_id: str, days: int) -> None:
    """Makes a stored redemption `days` older."""
    micros = days * 86_400_000_000
    statement = f"UPDATE redemptions SET date = date - {micros} WHERE id = '{redemption_id}'"
    if store.startswith("sqlite"):
        with sqlite3.connect(store.removeprefix("sqlite:///")) as conn:
            conn.execute(statement)
        return
    engine = sqlalchemy.create_engine(store.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as conn:
        conn.exec_driver_sql(statement)
    engine.dispose()


@pytest.fixture(autouse=True, scope="module")
def _nothing_drifts(server: Server) -> object:
    yield
    server.verify()
