"""Whatever is sent: a clean refusal in shape, never a 500, nothing half written."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.shop import amount, code, gift, name, ok, refused, validate
from tests.servers import Server

DISCOUNT = {"type": "DISCOUNT_VOUCHER", "discount": {"type": "AMOUNT", "amount_off": 5}}


@pytest.mark.parametrize(
    ("sent", "details"),
    [
        ({}, "redeemables"),
        ({"redeemables": []}, "redeemables"),
        ({"redeemables": {}}, "Property .redeemables should be array"),
        ({"redeemables": [{"object": "voucher", "id": "A"}, {"object": "voucher"}]}, ".redeemables[1]"),
        ({"redeemables": [{"object": "voucher", "id": 5}]}, "Property .redeemables[0].id should be string"),
        ({"redeemables": [{"object": "voucher", "id": ""}]}, ".redeemables[0].id"),
        ({"redeemables": [{"object": "coupon", "id": "A"}]}, ".redeemables[0].object"),
        ({"redeemables": [{"object": "voucher", "id": "A"}], "order": []}, "Property .order should be object"),
        ({"redeemables": [{"object": "voucher", "id": "A"}], "order": {"amount": -1}}, ".order.amount"),
        ({"redeemables": [{"object": "voucher", "id": "A"}], "order": {"amount": 10.5}}, ".order.amount"),
        ({"redeemables": [{"object": "voucher", "id": "A"}], "order": {"amount": "10"}}, ".order.amount"),
        ({"redeemables": [{"object": "voucher", "id": "A"}], "order": {"amount": 10**30}}, ".order.amount"),
        ({"redeemables": [{"object": "voucher", "id": "A", "gift": {"credits": -1}}]}, ".redeemables[0].gift.credits"),
        ({"redeemables": [{"object": "voucher", "id": "A"}], "order": {"items": [{"quantity": 0}]}}, "quantity"),
        ({"redeemables": [{"object": "voucher", "id": "A"}], "session": {"ttl_unit": "FORTNIGHTS"}}, "ttl_unit"),
        ({"redeemables": [{"object": "voucher", "id": "A"}], "metadata": "x"}, ".metadata"),
        ([], "Payload should be object"),
    ],
)
def test_a_wrong_type_is_named_with_its_place(server: Server, sent: Any, details: str) -> None:
    for path in ("/v1/validations", "/v1/redemptions"):
        error = refused(server.client.post(path, json=sent), 400, "invalid_payload")
        assert details in error["details"]


@pytest.mark.parametrize(
    "sent", [5, True, [], ["2026-01-01"], {}, {str(key): key for key in range(20)}, "2026-13-01", "9"]
)
def test_a_date_is_a_text(server: Server, sent: Any) -> None:
    error = refused(server.client.post("/v1/vouchers", json=DISCOUNT | {"start_date": sent}), 400, "invalid_payload")
    assert ".start_date" in error["details"]


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"nonsense",
        b'{"a":}',
        b"\xff\xfe",
        b'{"redeemables": [NaN]}',
        b'"\\ud800"',
        b'{"redeemables": 5, nonsense',
        b'{"redeemables": 5, "a": "\xff"}',
    ],
)
def test_malformed_json(server: Server, content: bytes) -> None:
    refused(server.client.post("/v1/redemptions", content=content), 400, "invalid_payload")


@pytest.mark.parametrize("media", ["text/xml", "text/plain; charset=utf-8", "application/octet-stream"])
def test_a_body_of_another_type_than_json_is_refused(server: Server, media: str) -> None:
    sent = {"content": json.dumps(DISCOUNT), "headers": {"Content-Type": media}}
    made = name()
    refused(server.client.post(f"/v1/vouchers/{made}", **sent), 415, "unsupported_media_type")
    refused(server.client.get(f"/v1/vouchers/{made}"), 404, "not_found")


@pytest.mark.parametrize(
    "media", ["application/json; charset=utf-8", "Application/JSON", "application/merge-patch+json"]
)
def test_json_may_be_named_in_several_ways(server: Server, media: str) -> None:
    sent = {"content": json.dumps(DISCOUNT), "headers": {"Content-Type": media}}
    ok(server.client.post(f"/v1/vouchers/{name()}", **sent))


@pytest.mark.parametrize("media", ["text/csv", "image/png, text/html;q=0.9"])
def test_who_does_not_accept_json_gets_no_other_answer(server: Server, media: str) -> None:
    refused(server.client.get("/v1/vouchers", headers={"Accept": media}), 406, "not_acceptable")


@pytest.mark.parametrize("media", ["application/json", "text/html, application/*;q=0.5", "text/html, */*; q=0.1"])
def test_who_accepts_json_among_others_gets_it(server: Server, media: str) -> None:
    ok(server.client.get("/v1/vouchers", headers={"Accept": media}))


def test_a_body_nested_too_deep_is_refused(server: Server) -> None:
    for deep in ("[" * 65 + "]" * 65, '{"a":' * 65 + "1" + "}" * 65, "[" * 500_000):
        refused(server.client.post("/v1/customers", content=f'{{"metadata":{{"x":{deep}}}}}'), 400, "invalid_payload")
    fine = '{"metadata":{"text":"' + "[{" * 100 + '"}}'
    ok(server.client.post("/v1/customers", content=fine))


def test_a_body_over_ten_megabytes_is_refused(server: Server) -> None:
    body = b'{"metadata": "' + b"x" * 10_485_760 + b'"}'
    response = server.client.post("/v1/validations", content=body)
    assert response.status_code == 413
    assert (response.json()["statusCode"], response.json()["code"]) == (413, 413)

    def chunks() -> Any:
        for _ in range(11):
            yield b"x" * 1_048_576

    assert server.client.post("/v1/validations", content=chunks()).status_code == 413


def test_metadata_over_64_kib_is_refused(server: Server) -> None:
    refused(server.client.post("/v1/customers", json={"metadata": {"x": "y" * 70_000}}), 400, "invalid_payload")


def test_an_order_has_500_lines_at_most(server: Server) -> None:
    made = code(server.client, amount(1))
    assert validate(server.client, made, order={"items": [{"price": 1}] * 500})["valid"]
    sent = {"redeemables": [{"object": "voucher", "id": made}], "order": {"items": [{"price": 1}] * 501}}
    refused(server.client.post("/v1/validations", json=sent), 400, "invalid_order")
    huge = {"items": [{"price": 10**15, "quantity": 10**9}]}
    sent = {"redeemables": [{"object": "voucher", "id": made}], "order": huge}
    refused(server.client.post("/v1/redemptions", json=sent), 400, "invalid_amount")
    refused(server.client.post("/v1/orders", json=huge), 400, "invalid_amount")


@pytest.mark.parametrize(
    ("made", "path"),
    [
        ("50% OFF/A+B", "50%25%20OFF%2FA%2BB"),
        ("żółć-ß-漢字-🎉", "%C5%BC%C3%B3%C5%82%C4%87-%C3%9F-%E6%BC%A2%E5%AD%97-%F0%9F%8E%89"),
        ("#?&=;:@'\"<>|", "%23%3F%26%3D%3B%3A%40%27%22%3C%3E%7C"),
        ("..", ".."),
    ],
)
def test_odd_codes_work_everywhere(server: Server, made: str, path: str) -> None:
    if made == "..":
        made, path = "a..b", "a..b"
    ok(server.client.post("/v1/vouchers", json=DISCOUNT | {"code": made}))
    assert ok(server.client.get(f"/v1/vouchers/{path}"))["code"] == made
    assert validate(server.client, made, order=10)["valid"]
    assert ok(server.client.get(f"/v1/vouchers/{path}/redemption"))["total"] == 0
    if "+" in made:
        refused(server.client.get("/v1/vouchers/50%25+OFF%2FA%2BB"), 404, "not_found")
    ok(server.client.delete(f"/v1/vouchers/{path}?force=true"))


def test_codes_have_a_length_and_no_control_characters(server: Server) -> None:
    long = "L" * 255
    ok(server.client.post("/v1/vouchers", json=DISCOUNT | {"code": long}))
    assert ok(server.client.get(f"/v1/vouchers/{long}"))["code"] == long
    for bad in ("L" * 256, "", "   ", "a\nb", "a\u0000b"):
        refused(server.client.post("/v1/vouchers", json=DISCOUNT | {"code": bad}), 400, "invalid_payload")
    refused(server.client.get("/v1/vouchers/a%00b"), 404, "not_found")
    refused(server.client.get("/v1/vouchers/%FF%FE"), 404, "not_found")
    refused(server.client.get(f"/v1/vouchers/{'x' * 5000}"), 404, "not_found")


def test_a_nul_character_is_refused_wherever_it_stands(server: Server) -> None:
    for sent in (
        {"name": "a\u0000b"},
        {"metadata": {"a": "\u0000"}},
        {"source_id": "\u0000"},
        {"metadata": {"\u0000": 1}},
    ):
        refused(server.client.post("/v1/customers", json=sent), 400, "invalid_payload")
    refused(server.client.get("/v1/customers?email=%00"), 400, "invalid_query_params")


def test_unknown_routes_and_methods(server: Server) -> None:
    refused(server.client.get("/v1/nope"), 404, "not_found")
    refused(server.client.post("/v1/nope", json={}), 404, "not_found")
    response = server.client.put("/v1/validations", json={})
    assert "POST" in refused(response, 405, "method_not_allowed")["details"]
    assert response.headers["allow"] == "POST"
    assert server.client.get("/v1/vouchers/").status_code == 200
    assert server.client.get(f"{server.base_url}//v1/vouchers").status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "limit=101",
        "limit=0",
        "limit=x",
        "limit=-1",
        "limit=1.5",
        "page=0",
        "page=100",
        "order=shoe",
        "created_at[after]=x",
        "created_at[around]=2020-01-01",
        "filters=%7B",
        "filters[code]=x",
        "filters[shoe][conditions][$is]=1",
        "filters[code][conditions][$likes]=1",
        "filters[junction]=xor",
        "filters[created_at][conditions][$after]=x",
        "filters[redemption.quantity][conditions][$more_than]=x",
    ],
)
def test_wrong_parameters_of_a_list(server: Server, query: str) -> None:
    refused(server.client.get(f"/v1/vouchers?{query}"), 400, "invalid_query_params")


@pytest.mark.parametrize(
    ("sent", "key"),
    [
        ({}, "invalid_voucher"),
        ({"type": "DISCOUNT_VOUCHER"}, "invalid_voucher"),
        ({"type": "GIFT_VOUCHER", "discount": {"type": "AMOUNT", "amount_off": 5}}, "invalid_voucher"),
        ({"discount": {"type": "AMOUNT"}}, "invalid_voucher"),
        ({"discount": {"amount_off": 5}}, "invalid_voucher"),
        ({"discount": {"type": "AMOUNT", "amount_off": -5}}, "invalid_voucher"),
        ({"discount": {"type": "PERCENT", "percent_off": 101}}, "invalid_voucher"),
        ({"discount": {"type": "SHOE", "amount_off": 5}}, "invalid_payload"),
        ({"discount": {"type": "AMOUNT", "amount_off": 5, "amount_off_formula": "1 +"}}, "invalid_payload"),
        ({"discount": {"type": "UNIT", "unit_off": 1, "effect": "ADD_NEW_ITEMS"}}, "invalid_voucher"),
        ({"discount": {"type": "AMOUNT", "amount_off_formula": "1"}}, "invalid_voucher"),
        ({"gift": {"amount": -1}}, "invalid_gift"),
        ({"gift": {"amount": 1.5}}, "invalid_gift"),
        ({"gift": {}}, "invalid_gift"),
        ({"type": "LOYALTY_CARD", "loyalty_card": {"points": 5}}, "invalid_voucher"),
        (DISCOUNT | {"redemption": {"quantity": 0}}, "invalid_payload"),
        (DISCOUNT | {"start_date": "tomorrow"}, "invalid_payload"),
        (DISCOUNT | {"start_date": "2026-02-02", "expiration_date": "2026-02-01"}, "invalid_voucher"),
        (DISCOUNT | {"validity_timeframe": {"interval": "P1D", "duration": "PT1H"}}, "invalid_payload"),
        (DISCOUNT | {"validity_day_of_week": [7]}, "invalid_payload"),
        (DISCOUNT | {"validity_hours": {"daily": [{"start_time": "25:00"}]}}, "invalid_payload"),
        (DISCOUNT | {"code_config": {"charset": "", "length": 4}}, "invalid_code_config"),
        (DISCOUNT | {"code_config": {"length": 51}}, "invalid_code_config"),
        (DISCOUNT | {"code_config": {"length": "x"}}, "invalid_code_config"),
        (DISCOUNT | {"code_config": {"prefix": "x" * 300}}, "invalid_code_config"),
        (DISCOUNT | {"active": "yes"}, "invalid_payload"),
    ],
)
def test_impossible_vouchers(server: Server, sent: dict[str, Any], key: str) -> None:
    before = ok(server.client.get("/v1/vouchers?limit=1"))["total"]
    refused(server.client.post("/v1/vouchers", json=sent), 400, key)
    assert ok(server.client.get("/v1/vouchers?limit=1"))["total"] == before


def test_a_date_error_says_so(server: Server) -> None:
    error = refused(server.client.post("/v1/vouchers", json=DISCOUNT | {"start_date": "x"}), 400, "invalid_payload")
    assert error["details"] == "Property .start_date cannot be recognized as a ISO-8601 compliant date"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
MEMBERS = ["redeemables", "order", "customer", "metadata", "session", "options", "tracking_id", "items", "discount", "gift",
           "type", "code", "code_config", "amount", "name", "email", "address", "source_id", "id", "price", "attributes",
           "start_date", "validity_hours", "status", "reason", "redemption"]  # fmt: skip
PATHS = ["/v1/validations", "/v1/redemptions", "/v1/vouchers", "/v1/customers", "/v1/products", "/v1/orders",
         "/v1/redemptions/r_1/rollback", "/v1/vouchers/{card}/balance", "/v1/vouchers/{card}/validate",
         "/v1/products/p/skus"]  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(path=st.sampled_from(PATHS), sent=st.dictionaries(st.sampled_from(MEMBERS), json_values, max_size=6))
def test_nothing_sent_at_random_breaks_the_server(server: Server, card: str, path: str, sent: Any) -> None:
    content = json.dumps(sent).encode()
    response = server.client.post(path.format(card=card), content=content)
    assert response.status_code < 500, (path, sent, response.text)
    if response.status_code >= 400:
        assert response.json()["code"] == response.status_code


@pytest.fixture(scope="module")
def card(server: Server) -> str:
    return gift(server.client, 100)


def test_numeric_texts_and_unknown_members_are_tolerated(server: Server) -> None:
    made = code(server.client, amount(1))
    order = {"items": [{"price": 100, "quantity": "3", "colour": "red"}], "unknown": 1}
    assert validate(server.client, made, order=order, nonsense=True)["order"]["amount"] == 300
    nulls = {"customer": None, "metadata": None, "session": None, "options": None, "tracking_id": None}
    assert validate(server.client, made, order={"amount": 5, "items": None}, **nulls)["valid"]
    assert name()
