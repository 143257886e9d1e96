"""Audits: what stood in an account at an instant, and what an undo would return."""

import time
from typing import Any

from tests.api.shop import amount, asks, balance, code, gift, ok, redeem, refused, try_redeem, uses
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
    assert accounts(server, card, at="0001-01-01") == {}
    assert accounts(server, card, at="9999-12-31T23:59:59.999999Z") == accounts(server, card)
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


def explanation(server: Server, redemption: str) -> Any:
    return ok(server.client.get(f"/largesse/v1/redemptions/{redemption}/explanation"))


def test_a_stack_is_explained_with_what_each_took_from_where_and_what_was_left(server: Server) -> None:
    made = code(server.client, amount(150, effect="APPLY_TO_ITEMS"), quantity=3)
    card = gift(server.client, 1000)
    items = [{"product_id": "mug", "quantity": 2, "price": 500}, {"product_id": "pen", "quantity": 1, "price": 100}]
    sent = {"redeemables": asks(made, (card, 400)), "order": {"items": items}}
    done = ok(server.client.post("/v1/redemptions", json=sent))
    shown = explanation(server, done["parent_redemption"]["id"])
    first, second = shown["redeemables"]
    assert (first["status"], first["discount_amount"], first["left"]) == (
        "APPLICABLE",
        250,
        {"uses": 2, "balance": None},
    )
    assert [(share["line"], share["discount_amount"]) for share in first["shares"]] == [(0, 150), (1, 100)]
    assert (second["amount"], second["discount_amount"]) == (400, 400)
    assert second["left"] == {"uses": None, "balance": 600}
    assert [one["redemption_id"] for one in shown["redeemables"]] == [one["id"] for one in done["redemptions"]]
    assert explanation(server, done["redemptions"][1]["id"]) == shown


def test_a_refusal_is_explained_by_the_condition_that_failed_though_nobody_asked_then(server: Server) -> None:
    made = code(server.client, amount(100))
    rule = {"name": "Big", "rules": {"1": {"name": "order.amount", "conditions": {"$more_than": [5000]}}}}
    rule_id = ok(server.client.post("/v1/validation-rules", json=rule))["id"]
    assignment = {"related_object_id": made, "related_object_type": "voucher"}
    ok(server.client.post(f"/v1/validation-rules/{rule_id}/assignments", json=assignment))
    failed = refused(try_redeem(server.client, made, order=1000), 400, "order_rules_violated")
    assert "explanation" not in failed
    [shown] = explanation(server, failed["resource_id"])["redeemables"]
    assert (shown["status"], shown["reason"]["key"]) == ("INAPPLICABLE", "order_rules_violated")
    [violated] = shown["reason"]["rules"]
    assert violated["rule_id"] == rule_id
    assert [(leaf["name"], leaf["expected"], leaf["actual"]) for leaf in violated["failed"]] == [
        ("order.amount", [5000], 1000)
    ]


def test_long_decisions_are_kept_as_well_and_old_ones_are_not_there(server: Server) -> None:
    codes = [code(server.client, amount(1)) for _ in range(30)]
    done = ok(server.client.post("/v1/redemptions", json={"redeemables": asks(*codes), "order": {"amount": 9000}}))
    shown = explanation(server, done["parent_redemption"]["id"])["redeemables"]
    assert [one["status"] for one in shown] == ["APPLICABLE"] * 5 + ["SKIPPED"] * 25
    assert shown[-1]["reason"]["key"] == "applicable_redeemables_limit_exceeded"
    refused(server.client.get("/largesse/v1/redemptions/r_0/explanation"), 404, "not_found")
    server.set("explanation_days=0")
    silent = redeem(server.client, codes[0], order=1000)["redemptions"][0]["id"]
    refused(server.client.get(f"/largesse/v1/redemptions/{silent}/explanation"), 404, "not_found")


def test_decisions_are_forgotten_when_a_project_keeps_them_no_longer(server: Server) -> None:
    server.set("explanation_days=2")
    made = code(server.client, amount(1))
    old = redeem(server.client, made, order=1000)["redemptions"][0]["id"]
    server.go_ahead(3 * 24 * 3600)
    for _ in range(1000):  # one batch in 32 looks for what is too old: by chance
        fresh = redeem(server.client, made, order=1000)["redemptions"][0]["id"]
        if server.client.get(f"/largesse/v1/redemptions/{old}/explanation").status_code == 404:
            break
    refused(server.client.get(f"/largesse/v1/redemptions/{old}/explanation"), 404, "not_found")
    assert explanation(server, fresh)["result"] == "SUCCESS"
