"""Vouchers: making, reading, changing and removing them; credit and its transactions; the bin."""

import re
from typing import Any

import pytest

from tests.api.shop import amount, asks, balance, code, gift, name, ok, percent, redeem, refused, try_redeem, voucher
from tests.servers import Server


def create(server: Server, at: str | None = None, **fields: Any) -> Any:
    return server.client.post(f"/v1/vouchers/{at}" if at else "/v1/vouchers", json=fields)


def test_a_gift_card_shows_its_balance_and_what_it_is_not(server: Server) -> None:
    made = name("GC")
    sent = {"type": "GIFT_VOUCHER", "gift": {"amount": 10000, "balance": 3, "effect": "APPLY_TO_ORDER"}}
    card = ok(create(server, made, **sent))
    assert card["gift"] == {"amount": 10000, "balance": 10000, "effect": "APPLY_TO_ORDER"}
    for absent in (
        "campaign",
        "campaign_id",
        "discount",
        "loyalty_card",
        "start_date",
        "additional_info",
        "updated_at",
    ):
        assert card[absent] is None
    assert card["redemption"] == {
        "quantity": None,
        "redeemed_quantity": 0,
        "redeemed_amount": 0,
        "object": "list",
        "url": f"/v1/vouchers/{made}/redemptions?page=1&limit=10",
    }
    assert (card["active"], card["categories"], card["metadata"], card["is_referral_code"]) == (True, [], {}, False)
    assert card["publish"] == {"object": "list", "count": 0, "url": f"/v1/vouchers/{made}/publications?page=1&limit=10"}
    assert "holder_id" not in card
    assert card["validation_rules_assignments"] == {"object": "list", "data_ref": "data", "data": [], "total": 0}


def test_the_whole_life_of_gift_credit(server: Server) -> None:
    made = gift(server.client, 10000)
    path = f"/v1/vouchers/{made}/balance"
    added = ok(server.client.post(path, json={"amount": 5000, "source_id": "S1", "reason": "sorry"}))
    id = voucher(server.client, made)["id"]
    assert added == {
        "amount": 5000,
        "total": 15000,
        "balance": 15000,
        "type": "gift_voucher",
        "operation_type": "MANUAL",
        "object": "balance",
        "related_object": {"type": "voucher", "id": id},
    }
    removed = ok(server.client.post(path, json={"amount": -2000}))
    assert (removed["total"], removed["balance"], removed["amount"]) == (13000, 13000, -2000)
    assert voucher(server.client, made)["gift"] == {"amount": 15000, "subtracted_amount": 2000, "balance": 13000}

    used = redeem(server.client, (made, 3000), order=9000)["redemptions"][0]
    shown = voucher(server.client, made)
    assert (shown["gift"]["balance"], shown["redemption"]["redeemed_amount"]) == (10000, 3000)
    assert shown["redemption"]["redeemed_quantity"] == 1
    newest = ok(server.client.get(f"/v1/vouchers/{made}/transactions?limit=1"))
    assert (newest["has_more"], newest["data_ref"]) == (True, "data")
    transaction = newest["data"][0]
    assert newest["more_starting_after"] == transaction["id"]
    assert re.fullmatch(r"vtx_[0-9a-f]{18}", transaction["id"])
    assert (transaction["type"], transaction["source"], transaction["source_id"]) == ("CREDITS_REDEMPTION", None, None)
    details = transaction["details"]
    assert details["balance"] == {
        "type": "gift_voucher",
        "total": 13000,
        "amount": -3000,
        "balance": 10000,
        "operation_type": "AUTOMATIC",
        "object": "balance",
        "related_object": {"type": "voucher", "id": id},
    }
    assert details["redemption"] == {"id": used["id"]}

    undone = ok(server.client.post(f"/v1/redemptions/{used['id']}/rollback"))
    pages: list[Any] = []
    after = ""
    while True:
        page = ok(server.client.get(f"/v1/vouchers/{made}/transactions?limit=2{after}"))
        pages += page["data"]
        if not page["has_more"]:
            assert "more_starting_after" not in page or page["more_starting_after"] is None
            break
        after = f"&starting_after_id={page['more_starting_after']}"
    assert [t["type"] for t in pages] == [
        "CREDITS_REFUND",
        "CREDITS_REDEMPTION",
        "CREDITS_REMOVAL",
        "CREDITS_ADDITION",
    ]
    assert [t["details"]["balance"]["amount"] for t in pages] == [3000, -3000, -2000, 5000]
    assert pages[0]["details"]["rollback"] == {"id": undone["id"]}
    assert (pages[3]["source_id"], pages[3]["reason"], pages[3]["source"]) == ("S1", "sorry", "API")
    shown = voucher(server.client, made)
    assert (shown["gift"]["balance"], shown["redemption"]["redeemed_amount"]) == (13000, 0)
    server.verify()


@pytest.mark.parametrize("sent", [{}, {"amount": 0}, {"amount": 1.5}, {"amount": "x"}, {"amount": None}])
def test_a_balance_change_needs_a_whole_amount(server: Server, sent: dict[str, Any]) -> None:
    made = gift(server.client, 100)
    refused(server.client.post(f"/v1/vouchers/{made}/balance", json=sent), 400, "invalid_add_balance_params")
    assert balance(server.client, made) == 100


def test_no_more_is_taken_off_a_card_than_it_holds(server: Server) -> None:
    made = gift(server.client, 100)
    refused(server.client.post(f"/v1/vouchers/{made}/balance", json={"amount": -101}), 400, "gift_amount_exceeded")
    assert balance(server.client, made) == 100
    assert ok(server.client.get(f"/v1/vouchers/{made}/transactions"))["data"] == []
    discount = code(server.client, amount(5))
    answer = server.client.post(f"/v1/vouchers/{discount}/balance", json={"amount": 1})
    refused(answer, 400, "invalid_add_balance_params")
    assert ok(server.client.get(f"/v1/vouchers/{discount}/transactions"))["data"] == []
    refused(server.client.post("/v1/vouchers/NOPE/balance", json={"amount": 1}), 404, "not_found")


def test_an_update_changes_what_may_change_and_skips_the_rest(server: Server) -> None:
    made = code(server.client, amount(1000), quantity=3, metadata={"a": 1, "deep": {"x": 1}})
    sent = {
        "gift": {"amount": 1},
        "code": "X",
        "type": "GIFT_VOUCHER",
        "redemption": {"quantity": 9},
        "metadata": {"b": 2, "deep": {"y": 2}},
        "additional_info": "note",
        "start_date": "2026-03-01T10:00:00+02:00",
        "discount": amount(700),
        "active": False,
    }
    changed = ok(server.client.put(f"/v1/vouchers/{made}", json=sent))
    assert (changed["code"], changed["gift"], changed["type"]) == (made, None, "DISCOUNT_VOUCHER")
    assert changed["redemption"]["quantity"] == 3
    assert changed["metadata"] == {"a": 1, "b": 2, "deep": {"x": 1, "y": 2}}
    assert (changed["additional_info"], changed["start_date"]) == ("note", "2026-03-01T08:00:00.000Z")
    assert (changed["discount"], changed["active"]) == (amount(700), False)
    assert changed["updated_at"] is not None
    cleared = ok(server.client.put(f"/v1/vouchers/{made}", json={"start_date": None, "unset_metadata_fields": ["a"]}))
    assert cleared["start_date"] is None
    assert cleared["metadata"] == {"b": 2, "deep": {"x": 1, "y": 2}}


def test_a_discount_keeps_its_type(server: Server) -> None:
    made = code(server.client, amount(1000))
    error = refused(server.client.put(f"/v1/vouchers/{made}", json={"discount": percent(5)}), 400, "invalid_voucher")
    assert error["details"] == "It is not possible to change Voucher discount type"
    assert voucher(server.client, made)["discount"] == amount(1000)


def test_a_timeframe_needs_a_start(server: Server) -> None:
    made = code(server.client, amount(1000))
    frame = {"interval": "P2D", "duration": "PT1H"}
    refused(server.client.put(f"/v1/vouchers/{made}", json={"validity_timeframe": frame}), 400, "invalid_payload")
    sent = {"validity_timeframe": frame, "start_date": "2020-01-01"}
    changed = ok(server.client.put(f"/v1/vouchers/{made}", json=sent))
    assert (changed["validity_timeframe"], changed["start_date"]) == (frame, "2020-01-01T00:00:00.000Z")


@pytest.mark.parametrize(
    ("sent", "key"),
    [
        ({}, "invalid_voucher"),
        ({"type": "GIFT_VOUCHER"}, "invalid_voucher"),
        ({"type": "GIFT_VOUCHER", "discount": {"type": "AMOUNT", "amount_off": 1}}, "invalid_voucher"),
        ({"type": "DISCOUNT_VOUCHER"}, "invalid_voucher"),
        ({"type": "LOYALTY_CARD", "loyalty_card": {"points": 1}}, "invalid_voucher"),
        ({"gift": {"amount": -1}}, "invalid_gift"),
        ({"gift": {"amount": 1.5}}, "invalid_gift"),
        ({"gift": {}}, "invalid_gift"),
        ({"discount": {"type": "PERCENT"}}, "invalid_voucher"),
        ({"gift": {"amount": 1}, "redemption": {"quantity": 0}}, "invalid_payload"),
        ({"gift": {"amount": 1}, "start_date": "2026-02-01", "expiration_date": "2026-01-01"}, "invalid_voucher"),
        ({"gift": {"amount": 1}, "start_date": "soon"}, "invalid_payload"),
        ({"gift": {"amount": 1}, "validity_timeframe": {"interval": "P1D", "duration": "PT1H"}}, "invalid_payload"),
        ({"gift": {"amount": 1}, "validity_day_of_week": [7]}, "invalid_payload"),
        ({"gift": {"amount": 1}, "code_config": {"length": 0}}, "invalid_code_config"),
        ({"gift": {"amount": 1}, "code_config": {"length": 51}}, "invalid_code_config"),
        ({"gift": {"amount": 1}, "code_config": {"charset": ""}}, "invalid_code_config"),
    ],
)
def test_what_no_voucher_can_be(server: Server, sent: dict[str, Any], key: str) -> None:
    before = ok(server.client.get("/v1/vouchers?limit=1"))["total"]
    refused(create(server, **sent), 400, key)
    assert ok(server.client.get("/v1/vouchers?limit=1"))["total"] == before


def test_codes_are_drawn_as_configured(server: Server) -> None:
    def drawn(**config: Any) -> str:
        return str(ok(create(server, gift={"amount": 1}, code_config=config))["code"])

    assert re.fullmatch(r"[0-9A-Za-z]{8}", str(ok(create(server, gift={"amount": 1}))["code"]))
    assert re.fullmatch(r"10OFF-[0-9A-Za-z]{7}", drawn(pattern="10OFF-#######"))
    long = drawn(prefix="New-", pattern="GIFT-CARD-##########", postfix="0")
    assert re.fullmatch(r"New-GIFT-CARD-[0-9A-Za-z]{10}0", long)
    assert re.fullmatch(r"[01]{30}", drawn(charset="01", length=30))


def test_a_code_space_can_be_used_up(server: Server) -> None:
    prefix = name("few") + "-"
    config = {"prefix": prefix, "charset": "01", "length": 1}
    drawn = {ok(create(server, gift={"amount": 1}, code_config=config))["code"] for _ in range(2)}
    assert drawn == {prefix + "0", prefix + "1"}
    refused(create(server, gift={"amount": 1}, code_config=config), 400, "invalid_code_config")


def test_a_code_exists_once(server: Server) -> None:
    made = code(server.client, amount(1))
    for answer in (create(server, made, discount=amount(1)), create(server, code=made, discount=amount(1))):
        error = refused(answer, 409, "duplicate_found")
        assert (error["resource_type"], error["resource_id"]) == ("voucher", made)
        assert error["details"] == f"Duplicated voucher exists with id {made}"


def test_the_code_in_the_path_wins(server: Server) -> None:
    made = name()
    assert ok(create(server, made, code="OTHER", discount=amount(1)))["code"] == made
    id = voucher(server.client, made)["id"]
    assert re.fullmatch(r"v_[0-9A-Za-z]{32}", id)
    assert voucher(server.client, id)["code"] == made


def test_an_unknown_voucher_is_named(server: Server) -> None:
    error = refused(server.client.get("/v1/vouchers/NOPE"), 404, "not_found")
    assert error["message"] == "Resource not found"
    assert error["details"] == "Cannot find voucher with id NOPE"
    assert (error["resource_id"], error["resource_type"]) == ("NOPE", "voucher")
    assert re.fullmatch(r"v-[0-9a-f]{18}", error["request_id"])
    for method, path in (
        ("PUT", ""),
        ("DELETE", ""),
        ("POST", "/enable"),
        ("POST", "/disable"),
        ("GET", "/redemption"),
    ):
        refused(server.client.request(method, f"/v1/vouchers/NOPE{path}"), 404, "not_found")


def test_a_disabled_code_is_refused_until_it_is_enabled(server: Server) -> None:
    made = code(server.client, amount(1))
    for _ in range(2):
        assert ok(server.client.post(f"/v1/vouchers/{made}/disable"))["active"] is False
    error = refused(try_redeem(server.client, made, order=10), 400, "voucher_disabled")
    assert (error["redeemable_id"], error["redeemable_type"]) == (made, "voucher")
    for _ in range(2):
        assert ok(server.client.post(f"/v1/vouchers/{made}/enable"))["active"] is True
    assert try_redeem(server.client, made, order=10).status_code == 200


def test_odd_codes_are_found_by_their_encoded_path(server: Server) -> None:
    tail = name()
    made = f"50% OFF/A+B {tail}"
    encoded = f"/v1/vouchers/50%25%20OFF%2FA%2BB%20{tail}"
    ok(server.client.post(encoded, json={"discount": amount(1)}))
    assert ok(server.client.get(encoded))["code"] == made
    assert ok(server.client.get(f"/v1/vouchers/50%25%20OFF%2FA+B%20{tail}"))["code"] == made
    refused(server.client.get(f"/v1/vouchers/50%25+OFF%2FA%2BB%20{tail}"), 404, "not_found")
    assert ok(server.client.post("/v1/redemptions", json={"redeemables": asks(made), "order": {"amount": 9}}))


def test_a_deleted_voucher_waits_in_the_bin(server: Server) -> None:
    made = code(server.client, amount(1))
    id = voucher(server.client, made)["id"]
    assert server.client.delete(f"/v1/vouchers/{made}").status_code == 204
    refused(server.client.get(f"/v1/vouchers/{made}"), 404, "not_found")
    refused(server.client.delete(f"/v1/vouchers/{made}"), 404, "not_found")
    refused(try_redeem(server.client, made, order=10), 404, "not_found")
    refused(create(server, made, discount=amount(1)), 409, "duplicate_found")
    listed = ok(server.client.get("/v1/vouchers", params={"code": made}))
    assert listed["vouchers"] == []
    params = {"filters[resource_name][conditions][$is]": made}
    bin_ = ok(server.client.get("/v1/trash-bin", params=params))
    assert (bin_["object"], bin_["data_ref"], bin_["total"], bin_["has_more"]) == ("list", "data", 1, False)
    entry = bin_["data"][0]
    assert re.fullmatch(r"tbe_[0-9a-f]{18}", entry["id"])
    assert entry == {
        "id": entry["id"],
        "created_at": entry["created_at"],
        "deleted_by_user_id": None,
        "resource_id": id,
        "resource_type": "voucher",
        "resource_name": made,
        "resource_parent_id": None,
        "object": "voucher",
    }
    assert server.client.delete(f"/v1/trash-bin/{entry['id']}").status_code == 204
    refused(server.client.delete(f"/v1/trash-bin/{entry['id']}"), 404, "not_found")
    assert ok(create(server, made, discount=amount(1)))["id"] != id


def test_a_forced_delete_leaves_nothing_in_the_bin(server: Server) -> None:
    made = code(server.client, amount(1))
    redeem(server.client, made, order=10)
    assert server.client.delete(f"/v1/vouchers/{made}", params={"force": "true"}).status_code == 204
    bin_ = ok(server.client.get("/v1/trash-bin", params={"filters[resource_name][conditions][$is]": made}))
    assert bin_["data"] == []
    assert ok(create(server, made, discount=amount(1)))["redemption"]["redeemed_quantity"] == 0
    server.verify()


def test_the_redemptions_of_a_voucher(server: Server) -> None:
    made = code(server.client, amount(1))
    first = redeem(server.client, made, order=10)["redemptions"][0]["id"]
    undone = ok(server.client.post(f"/v1/redemptions/{first}/rollback"))["id"]
    second = redeem(server.client, made, order=10)["redemptions"][0]["id"]
    shown = ok(server.client.get(f"/v1/vouchers/{made}/redemption"))
    assert (shown["quantity"], shown["redeemed_quantity"]) == (None, 1)
    assert [entry["id"] for entry in shown["redemption_entries"]] == [second, undone, first]
    listed = ok(server.client.get(f"/v1/vouchers/{made}/redemptions"))
    assert [entry["id"] for entry in listed["redemptions"]] == [second, undone, first]
    assert listed["total"] == 3


def test_codes_of_a_case_insensitive_project(server: Server) -> None:
    with server.client_for(server.new_project("--case-insensitive-codes")) as client:
        ok(client.post("/v1/vouchers/Summer-1", json={"discount": amount(1)}))
        assert voucher(client, "SUMMER-1")["code"] == "Summer-1"
        refused(client.post("/v1/vouchers/SUMMER-1", json={"discount": amount(1)}), 409, "duplicate_found")
        assert redeem(client, "suMMer-1", order=10)["redemptions"][0]["voucher"]["code"] == "Summer-1"
        twice = client.post(
            "/v1/redemptions", json={"redeemables": asks("summer-1", "SUMMER-1"), "order": {"amount": 9}}
        )
        refused(twice, 400, "duplicated_redeemables")
    refused(server.client.get("/v1/vouchers/summer-1"), 404, "not_found")


def test_images_of_a_code(server: Server) -> None:
    made = code(server.client, amount(1))
    assets = voucher(server.client, made)["assets"]
    assert set(assets) == {"qr", "barcode"}
    assert assets == voucher(server.client, made)["assets"]
    for kind in ("qr", "barcode"):
        url = assets[kind]["url"]
        assert url == f"{server.base_url}/api/v1/assets/{kind}/{assets[kind]['id']}"
        import httpx

        png = httpx.get(url)
        assert (png.status_code, png.headers["content-type"]) == (200, "image/png")
        assert png.content.startswith(b"\x89PNG")
        svg = httpx.get(url, params={"format": "svg", "size": 40})
        assert (svg.status_code, svg.headers["content-type"].split(";")[0]) == (200, "image/svg+xml")
        assert b"<svg" in svg.content
        for bad in ({"size": 0}, {"size": 101}, {"size": "x"}, {"format": "gif"}):
            refused(httpx.get(url, params=bad), 400, "invalid_query_params")
        refused(httpx.get(url[:-3] + "abc"), 404, "not_found")


def test_whole_numbers_may_be_written_as_decimal_fractions(server: Server) -> None:
    """Some official SDKs write every number of a discount as a float."""
    code, card = name(), name("G")
    body = b'{"type": "DISCOUNT_VOUCHER", "discount": {"type": "PERCENT", "percent_off": 10.0, "amount_limit": 500.0}}'
    made = ok(server.client.post(f"/v1/vouchers/{code}", content=body))
    assert made["discount"] == {"type": "PERCENT", "percent_off": 10, "amount_limit": 500}
    ok(server.client.post(f"/v1/vouchers/{card}", content=b'{"type": "GIFT_VOUCHER", "gift": {"amount": 5e3}}'))
    assert voucher(server.client, card)["gift"]["balance"] == 5000
    limited = name()
    ok(server.client.post(f"/v1/vouchers/{limited}", content=body[:-1] + b', "redemption": {"quantity": 2.0}}'))
    assert voucher(server.client, limited)["redemption"]["quantity"] == 2
    cart = b'{"redeemables": [{"object": "voucher", "id": "%b"}], "order": {"amount": 10000.0}}' % limited.encode()
    assert ok(server.client.post("/v1/redemptions", content=cart))["order"]["total_amount"] == 9500
    for impossible in (b"500.5", b"1e17", b"1e999"):
        sent = body.replace(b"500.0", impossible)
        refused(server.client.post(f"/v1/vouchers/{name()}", content=sent), 400, "invalid_payload")
