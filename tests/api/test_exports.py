"""Exports of transactions and of what expires: what may be asked, what is in the file, who gets it."""

import json

import httpx
import pytest
import sqlalchemy

from tests.api.exported import exported, finished, rows, text
from tests.api.loyalty import MONTH, Program
from tests.api.shop import code, gift, name, ok, percent, refused
from tests.servers import Server
from tests.waiting import wait_until

ALL_OF_TRANSACTIONS = [
    *("id", "campaign_id", "voucher_id", "type", "source_id", "reason", "source"),
    *("balance", "amount", "related_transaction_id", "created_at", "details"),
]
DAY = 86_400


@pytest.fixture(scope="module")
def program(server: Server) -> Program:
    return Program(server, MONTH, points=1000)


def test_the_transactions_of_a_program_are_those_of_its_list(program: Program) -> None:
    client, card, other = program.server.client, program.card(), program.card()
    for points in (5, -7, 30):
        program.add(card, points, source_id="tag", reason='said "so", twice\nin two lines')
    ok(client.post(f"{program.members}/{card}/transfers", json=[{"code": other, "points": 3}]))
    listed = ok(client.get(f"/v1/loyalties/{program.id}/transactions?limit=100"))["data"]
    asked = {"parameters": {"fields": ALL_OF_TRANSACTIONS}}
    found = rows(client, f"/v1/loyalties/{program.id}/transactions/export", **asked)
    assert len(found) == len(listed) == 5
    for row, one in zip(found, listed, strict=True):
        assert json.loads(row.pop("Details")) == one["details"]
        balance = one["details"]["balance"]
        assert row == {
            "ID": one["id"],
            "Campaign ID": program.id,
            "Voucher ID": one["voucher_id"],
            "Type": one["type"],
            "Source ID": one["source_id"] or "",
            "Reason": one["reason"] or "",
            "Source": one["source"] or "",
            "Balance": str(balance["balance"]),
            "Amount": str(balance["points"]),
            "Related Transaction ID": one["related_transaction_id"] or "",
            "Created At": one["created_at"],
        }


def test_an_export_of_one_card_has_a_filter_for_it_and_says_so(program: Program) -> None:
    client, card = program.server.client, program.card()
    program.card()
    program.add(card, 5)
    id = ok(client.get(f"/v1/vouchers/{card}"))["id"]
    filters = {"voucher_id": {"conditions": {"$in": [id]}}, "junction": "and"}
    paths = [f"/v1/loyalties/members/{card}", f"{program.members}/{card}", f"/v1/vouchers/{card}"]
    for path in paths:
        made = ok(client.post(f"{path}/transactions/export"))
        assert (made["exported_object"], made["parameters"]) == ("voucher_transactions", {"filters": filters})
        header, row, end = text(client, made).split("\n")
        assert header == "ID,Type,Source ID,Reason,Source,Balance,Amount,Created At"
        assert row.split(",")[5:7] == ["1005", "5"]
        assert end == ""


def test_no_junction_leads_out_of_the_campaign_or_card_of_the_path(program: Program) -> None:
    client, card, other = program.server.client, program.card(), program.card()
    program.add(card, 5)
    program.add(other, 6)
    far = {"junction": "or", "created_at": {"conditions": {"$after": ["2000-01-01"]}}}
    for mine in ({}, {"voucher_id": {"conditions": {"$is_not": ["none"]}}}):
        asked = {"filters": far | mine, "fields": ["amount"]}
        made = ok(client.post(f"{program.members}/{card}/transactions/export", json=asked))
        assert made["parameters"]["filters"]["junction"] == "or"
        assert text(client, made) == "Amount\n5\n"


def test_gift_cards_export_their_credit(client: httpx.Client) -> None:
    card = gift(client, 500)
    for amount in (100, -30):
        ok(client.post(f"/v1/vouchers/{card}/balance", json={"amount": amount}))
    asked = {"parameters": {"fields": ["type", "amount", "balance"], "order": "created_at"}}
    assert text(client, ok(client.post(f"/v1/vouchers/{card}/transactions/export", json=asked))) == (
        "Type,Amount,Balance\nCREDITS_ADDITION,100,600\nCREDITS_REMOVAL,-30,570\n"
    )
    assert [row["Amount"] for row in exported(client, "voucher_transactions")] == ["-30", "100"]


def test_transactions_are_those_of_campaigns_that_hold_something(client: httpx.Client) -> None:
    sent = {"name": name(), "voucher": {"type": "DISCOUNT_VOUCHER", "discount": percent(5)}}
    campaign = ok(client.post("/v1/campaigns", json=sent))["id"]
    for path in (f"/v1/campaigns/{campaign}", f"/v1/loyalties/{campaign}"):
        error = refused(client.post(f"{path}/transactions/export"), 403, "forbidden")
        assert error["details"] == "Transactions are allowed only for loyalty or gift campaigns"
    for path in (
        "/v1/campaigns/none/transactions",
        "/v1/loyalties/none/transactions",
        "/v1/loyalties/members/none/transactions",
        f"/v1/loyalties/{campaign}/points-expiration",
        "/v1/vouchers/none/transactions",
    ):
        refused(client.post(f"{path}/export"), 404, "not_found")
    assert rows(client, f"/v1/vouchers/{code(client, percent(5))}/transactions/export") == []


def test_what_expires_is_exported_before_and_after_it_did(server: Server) -> None:
    program = Program(server, MONTH)
    client, card = server.client, program.card()
    program.add(card, 100)
    program.add(card, 7, expiration_type="NON_EXPIRING")
    listed = ok(client.get(f"{program.members}/{card}/points-expiration"))["data"]
    path = f"/v1/loyalties/{program.id}/points-expiration/export"
    made = ok(client.post(path, json={"parameters": {}}))
    scope = {"campaign_id": {"conditions": {"$in": [program.id]}}, "junction": "and"}
    assert (made["exported_object"], made["parameters"]) == ("points_expiration", {"filters": scope})
    head = "ID,Campaign ID,Voucher ID,Status,Expires At,Points\n"
    lines = [
        f"{one['id']},{program.id},{one['voucher_id']},ACTIVE,{one.get('expires_at', '')},{points}\n"
        for one, points in zip(listed, (100, 7), strict=True)
    ]
    assert text(client, made) == head + "".join(lines)
    server.go_ahead(40 * DAY)
    asked = {"parameters": {"fields": ["points", "status"], "order": "-expires_at"}}
    made = ok(server.client.post(path, json=asked))
    assert text(server.client, made) == "Points,Status\n7,ACTIVE\n100,EXPIRED\n"


def test_what_cannot_be_exported_is_refused_with_what_can(client: httpx.Client) -> None:
    def create(what: str, **parameters: object) -> httpx.Response:
        return client.post("/v1/exports", json={"exported_object": what, "parameters": parameters})

    error = refused(create("shoes"), 400, "invalid_payload")
    assert "points_expiration" in error["details"]
    refused(client.post("/v1/exports", json={}), 400, "invalid_payload")
    error = refused(create("points_expiration", fields=["id", "foo"]), 400, "invalid_export_fields")
    assert error["message"] == "Invalid Export"
    assert error["details"] == (
        "Unsupported field used. Allowed fields: id, campaign_id, voucher_id, status, expires_at, points"
    )
    refused(create("voucher_transactions", fields=["metadata.x"]), 400, "invalid_export_fields")
    error = refused(create("voucher_transactions", order="amount"), 400, "invalid_export_params")
    assert ".parameters.order" in error["details"]
    for key, filters in (
        ("invalid_payload", {"campaign_id": "camp_1"}),
        ("invalid_payload", {"junction": "xor"}),
        ("invalid_payload", {"campaign_id": {"conditions": {"$resembles": ["x"]}}}),
        ("invalid_export_params", {"created_at": {"conditions": {"$after": ["noon"]}}}),
        ("invalid_export_params", {"amount": {"conditions": {"$is": [1]}}}),
        ("invalid_payload", []),
    ):
        assert ".parameters.filters" in refused(create("voucher_transactions", filters=filters), 400, key)["details"]
    assert ok(client.get("/v1/exports"))["total"] == 0


def test_exports_are_listed_newest_first_and_deleted_with_their_files(client: httpx.Client) -> None:
    made = [ok(client.post("/v1/exports", json={"exported_object": "points_expiration"})) for _ in range(3)]
    ids = [finished(client, one)["id"] for one in made]
    found = ok(client.get("/v1/exports?limit=2"))
    assert (found["object"], found["data_ref"], found["total"]) == ("list", "exports", 3)
    assert [one["id"] for one in found["exports"]] == [ids[2], ids[1]]
    assert [one["id"] for one in ok(client.get("/v1/exports?order=created_at&limit=2&page=2"))["exports"]] == [ids[2]]
    assert len(ok(client.get("/v1/exports?order=-status"))["exports"]) == 3
    url = ok(client.get(f"/v1/exports/{ids[0]}"))["result"]["url"]
    assert httpx.get(url).text == "ID,Campaign ID,Voucher ID,Status,Expires At,Points\n"
    assert client.delete(f"/v1/exports/{ids[0]}").status_code == 204
    refused(client.get(f"/v1/exports/{ids[0]}"), 404, "not_found")
    refused(client.delete(f"/v1/exports/{ids[0]}"), 404, "not_found")
    refused(httpx.get(url), 401, "unauthorized")


def test_a_file_is_opened_by_its_token_and_by_nothing_else(server: Server, client: httpx.Client) -> None:
    first, second = (
        finished(client, ok(client.post("/v1/exports", json={"exported_object": "points_expiration"})))
        for _ in range(2)
    )
    path, _, token = first["result"]["url"].partition("?token=")
    assert path == f"{server.base_url}/v1/exports/{first['id']}"
    refused(httpx.get(path), 401, "unauthorized")
    others = second["result"]["url"].partition("?token=")[2]
    for wrong in (others, token[:-1], f"{token}x", "x", ".", token.rpartition(".")[0], "%C3%A9"):
        refused(httpx.get(f"{path}?token={wrong}"), 401, "unauthorized")
        refused(client.get(f"{path}?token={wrong}"), 401, "unauthorized")
    refused(httpx.get(f"{path}?token="), 401, "unauthorized")
    refused(httpx.get(f"{path}?token=&token={token}"), 401, "unauthorized")
    refused(httpx.get(f"{server.base_url}/v1/exports?token={token}"), 401, "unauthorized")
    refused(httpx.delete(f"{path}?token={token}"), 401, "unauthorized")
    stranger = server.client_for(server.new_project())
    refused(stranger.get(path), 404, "not_found")
    assert client.get(f"{path}?token={token}").text == httpx.get(f"{path}?token={token}").text


def test_a_file_is_kept_for_thirty_days(server: Server) -> None:
    client = server.client
    made = finished(client, ok(client.post("/v1/exports", json={"exported_object": "points_expiration"})))
    path = made["result"]["url"].removeprefix(server.base_url)
    server.go_ahead(29 * DAY)
    assert httpx.get(server.base_url + path).status_code == 200
    server.go_ahead(2 * DAY)
    refused(httpx.get(server.base_url + path), 404, "not_found")
    assert ok(server.client.get(f"/v1/exports/{made['id']}"))["status"] == "DONE"
    engine = sqlalchemy.create_engine(server.store.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        left = sqlalchemy.text("SELECT count(*) FROM export_parts WHERE export_id = :id")
        wait_until(lambda: conn.execute(left, {"id": made["id"]}).scalar() == 0)
    engine.dispose()
