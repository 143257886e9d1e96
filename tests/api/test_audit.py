"""Audits: what stood in an account at an instant, and what an undo would return."""

import time
from typing import Any

from tests.api.shop import amount, balance, code, gift, ok, redeem, refused, uses
from tests.servers import Server


def accounts(server: Server, key: str, **query: Any) -> dict[str, int]:
    found = ok(server.client.get(f"/largesse/v1/accounts/{key}", params=query))
    return {one["account"]: one["balance"] for one in found["accounts"]}


def preview(server: Server, redemption: str) -> Any:
    return ok(server.client.post(f"/largesse/v1/redemptions/{redemption}/rollback/preview"))


def test_an_account_is_shown_as_it_stood_at_any_instant(server: Server) -> None:
    card = gift(server.client, 1000)
    first = redeem(server.client, (card, 300), order=5000)["redemptions"][0]
    time.sleep(0.01)
    redeem(server.client, (card, 200), order=5000)
    assert accounts(server, card) == {"gift_credits": 500, "voucher_uses": 2}
    assert accounts(server, card, at=first["date"]) == {"gift_credits": 700, "voucher_uses": 1}
    assert accounts(server, card, at="2020-01-01T00:00:00Z") == {}
    assert accounts(server, first["voucher"]["id"]) == accounts(server, card)


def test_a_voucher_without_postings_has_no_accounts_and_nobody_has_one_by_another_name(server: Server) -> None:
    assert accounts(server, code(server.client, amount(100))) == {}
    refused(server.client.get("/largesse/v1/accounts/nobody"), 404, "not_found")
    made = code(server.client, amount(100))
    refused(server.client.get(f"/largesse/v1/accounts/{made}", params={"at": "yesterday"}), 400, "invalid_query_params")


def test_a_preview_says_what_an_undo_would_return_and_changes_nothing(server: Server) -> None:
    card, made = gift(server.client, 1000), code(server.client, amount(100))
    done = redeem(server.client, made, (card, 300), order=5000)
    id = done["parent_redemption"]["id"]
    shown = preview(server, id)
    assert shown["possible"]
    assert sorted((one["account"], one["amount"]) for one in shown["returns"]) == [
        ("gift_credits", 300),
        ("voucher_uses", -1),
        ("voucher_uses", -1),
    ]
    assert shown["order"]["status"] == "CANCELED"
    assert shown["order"]["total_amount"] == 5000
    assert (balance(server.client, card), uses(server.client, made)) == (700, 1)
    assert ok(server.client.get(f"/v1/redemptions/{id}"))["status"] == "SUCCEEDED"
    ok(server.client.post(f"/v1/redemptions/{id}/rollbacks"))
    assert (balance(server.client, card), uses(server.client, made)) == (1000, 0)


def test_a_preview_of_what_cannot_be_undone_says_why_and_leaves_no_record(server: Server) -> None:
    made = code(server.client, amount(100))
    id = redeem(server.client, made, order=1000)["redemptions"][0]["id"]
    ok(server.client.post(f"/v1/redemptions/{id}/rollback"))
    before = ok(server.client.get(f"/v1/vouchers/{made}/redemption"))
    shown = preview(server, id)
    assert (shown["possible"], shown["error"]["key"], shown["returns"]) == (False, "already_rolled_back", [])
    assert ok(server.client.get(f"/v1/vouchers/{made}/redemption")) == before
    refused(server.client.post("/largesse/v1/redemptions/r_0/rollback/preview"), 404, "not_found")
