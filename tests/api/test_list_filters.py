"""Every filter of every list: what the API finds is what a plain reading of its own unfiltered answer finds."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.listed import Json, Read, Shop, at, seeded
from tests.api.shop import amount, code, ok, refused
from tests.servers import Server

WORDS = (
    "$is",
    "$in",
    "$after",
    "$more_than",
    "$more_than_ago",
    "$is_year",
    "$count",
    "$contains",
    "$has_value",
    "$today",
)
VALUES = (
    "",
    "x",
    "5",
    "-5",
    "1e400",
    "2026-02-30",
    "9999-12-31",
    "0001-01-01",
    "true",
    "%",
    "\\",
    "'",
    "99999999999999999999",
)


class Field(NamedTuple):
    """`kind` says which operators it has; `allowed` are the only values it can have."""

    kind: str
    read: Read
    allowed: tuple[str, ...] = ()


class Listing(NamedTuple):
    path: str
    rows: str
    fields: dict[str, Field]
    key: Read = at("id")


def text(*steps: str, allowed: tuple[str, ...] = ()) -> Field:
    return Field("text", at(*steps), allowed)


def date(*steps: str) -> Field:
    return Field("date", at(*steps))


VOUCHER_TYPES = ("DISCOUNT_VOUCHER", "GIFT_VOUCHER", "LOYALTY_CARD")
LISTS = {
    "vouchers": Listing(
        "/v1/vouchers",
        "vouchers",
        {
            "code": text("code"),
            "id": text("id"),
            "campaign_ids": text("campaign_id"),
            "campaigns": text("campaign"),
            "category_ids": text("category_id"),
            "categories": Field("text", lambda row: row["categories"][0]["name"] if row["categories"] else None),
            "voucher_type": text("type", allowed=VOUCHER_TYPES),
            "is_referral_code": Field("boolean", at("is_referral_code")),
            "redemption.quantity": Field("number", at("redemption", "quantity")),
            "redemption.redeemed_quantity": Field("number", at("redemption", "redeemed_quantity")),
            "start_date": date("start_date"),
            "expiration_date": date("expiration_date"),
            "created_at": date("created_at"),
            "updated_at": date("updated_at"),
            "customer_id": text("holder_id"),
            "metadata.region": text("metadata", "region"),
            "metadata.size": Field("number", at("metadata", "size")),
        },
    ),
    "campaigns": Listing(
        "/v1/campaigns",
        "campaigns",
        {
            "campaigns": text("name"),
            "campaigns_id": text("id"),
            "campaign_status": text("creation_status", allowed=("DONE", "IN_PROGRESS", "FAILED", "DRAFT", "MODIFYING")),
            "voucher_type": text("voucher", "type", allowed=VOUCHER_TYPES),
            "category_ids": text("category_id"),
            "created_date": date("created_at"),
            "updated_at": date("updated_at"),
            "start_date": date("start_date"),
            "expiration_date": date("expiration_date"),
            "metadata.region": text("metadata", "region"),
        },
    ),
    "redemptions": Listing(
        "/v1/redemptions",
        "redemptions",
        {
            "voucher_code": text("voucher", "code"),
            "related_object_id": text("related_object_id"),
            "failure_code": text("failure_code"),
            "result": text("result"),
            "object": text("object"),
            "customer_id": text("customer_id"),
            "campaign_name": text("voucher", "campaign"),
        },
    ),
    "publications": Listing(
        "/v1/publications",
        "publications",
        {
            "failure_code": text("failure_code"),
            "result": text("result"),
            "customer_id": text("customer_id"),
            "source_id": text("source_id"),
        },
    ),
    "bin": Listing(
        "/v1/trash-bin",
        "data",
        {
            "id": text("id"),
            "resource_type": text("resource_type", allowed=("campaign", "product", "sku", "voucher")),
            "resource_name": text("resource_name"),
            "resource_id": text("resource_id"),
        },
    ),
    "segments": Listing(
        "/v1/segments",
        "data",
        {
            "id": text("id"),
            "name": text("name"),
            "type": text("type", allowed=("auto-update", "passive", "static")),
            "created_at": date("created_at"),
        },
    ),
    "locations": Listing(
        "/v1/locations",
        "data",
        {"name": text("name"), "created_at": date("created_at"), "updated_at": date("updated_at")},
    ),
    "transactions": Listing(
        "/v1/vouchers/{card}/transactions", "data", {"id": text("id"), "created_at": date("created_at")}
    ),
    "wallet": Listing(
        "/v1/customers/holder/redeemables",
        "data",
        {
            "id": text("id"),
            "created_at": date("created_at"),
            "redeemable_id": text("redeemable_id"),
            "redeemable_object": text("redeemable_object", allowed=("voucher",)),
            "holder_role": text("holder_role", allowed=("OWNER", "REFERRER", "REFEREE")),
            "campaign_id": text("campaign_id"),
            "voucher_type": text("voucher_type", allowed=VOUCHER_TYPES),
        },
    ),
}
CASES = [(listing, field) for listing, found in LISTS.items() for field in found.fields]


@pytest.fixture(scope="module")
def shop(server: Server) -> Iterator[Shop]:
    with server.client_for(server.new_project()) as client:
        yield seeded(client)


def rows(shop: Shop, listing: Listing, parameters: Json | None = None) -> list[Json]:
    path = listing.path.format(card=shop.card)
    found: list[Json] = ok(shop.client.get(path, params={"limit": 100, **(parameters or {})}))[listing.rows]
    return found


def condition(field: str, operator: str, *values: str) -> Json:
    return {f"filters[{field}][conditions][{operator}][{place}]": value for place, value in enumerate(values)}


# A plain reading of the operators


def _moment(value: str) -> datetime:
    return datetime.fromisoformat(value)


def _age(value: str) -> int:
    return (datetime.now(UTC).date() - _moment(value).date()).days


PLAIN: dict[str, dict[str, Callable[[Any, list[Any]], bool]]] = {
    "text": {
        "$is": lambda value, wanted: value in wanted,
        "$in": lambda value, wanted: value in wanted,
        "$is_not": lambda value, wanted: value not in wanted,
        "$not_in": lambda value, wanted: value not in wanted,
        "$contains": lambda value, wanted: value is not None and any(one in value for one in wanted),
        "$not_contain": lambda value, wanted: value is None or not any(one in value for one in wanted),
        "$starts_with": lambda value, wanted: value is not None and value.startswith(tuple(wanted)),
        "$ends_with": lambda value, wanted: value is not None and value.endswith(tuple(wanted)),
    },
    "number": {
        "$is": lambda value, wanted: value in wanted,
        "$in": lambda value, wanted: value in wanted,
        "$is_not": lambda value, wanted: value not in wanted,
        "$not_in": lambda value, wanted: value not in wanted,
        "$more_than": lambda value, wanted: value is not None and value > wanted[0],
        "$less_than": lambda value, wanted: value is not None and value < wanted[0],
        "$more_than_equal": lambda value, wanted: value is not None and value >= wanted[0],
        "$less_than_equal": lambda value, wanted: value is not None and value <= wanted[0],
        "$more_than_or_equal": lambda value, wanted: value is not None and value >= wanted[0],
        "$less_than_or_equal": lambda value, wanted: value is not None and value <= wanted[0],
    },
    "boolean": {
        "$is": lambda value, wanted: bool(value) in wanted,
        "$is_not": lambda value, wanted: bool(value) not in wanted,
    },
    "date": {
        "$after": lambda value, wanted: value is not None and _moment(value) > _moment(wanted[0]),
        "$before": lambda value, wanted: value is not None and _moment(value) < _moment(wanted[0]),
        "$is": lambda value, wanted: value is not None and _moment(value) in [_moment(one) for one in wanted],
    },
}
DAYS: dict[str, Callable[[int, int], bool]] = {
    "$more_than_ago": lambda age, days: age > days,
    "$less_than_ago": lambda age, days: 0 < age < days,
    "$is_days_ago": lambda age, days: age == days,
    "$more_than_future": lambda age, days: -age > days,
    "$less_than_future": lambda age, days: 0 < -age < days,
    "$is_days_in_future": lambda age, days: -age == days,
    "$today": lambda age, _: age == 0,
    "$tomorrow": lambda age, _: age == -1,
    "$yesterday": lambda age, _: age == 1,
}


@pytest.mark.parametrize(("listed", "field"), CASES)
def test_what_a_filter_finds_is_what_reading_every_row_finds(shop: Shop, listed: str, field: str) -> None:
    listing = LISTS[listed]
    kind, read, _ = listing.fields[field]
    everything = rows(shop, listing)
    assert everything, "a list without rows tests nothing"

    def check(operator: str, sent: list[str], holds: Callable[[Any], bool]) -> None:
        found = {listing.key(row) for row in rows(shop, listing, condition(field, operator, *sent))}
        expected = {listing.key(row) for row in everything if holds(read(row))}
        assert found == expected, (operator, sent)

    check("$has_value", [""], lambda value: value is not None)
    check("$is_unknown", [""], lambda value: value is None)
    values = list(dict.fromkeys(value for row in everything if (value := read(row)) is not None))[:4]
    for operator, plain in PLAIN[kind].items():
        for wanted in ([one] for one in values):
            parts = _parts(operator, wanted)
            check(operator, [_written(one) for one in parts], lambda value, p=plain, w=parts: p(value, w))
        if len(values) > 1 and operator in ("$in", "$not_in", "$is", "$contains", "$ends_with"):
            check(operator, [_written(one) for one in values], lambda value, p=plain: p(value, values))
    if kind == "date":
        for operator, fits in DAYS.items():
            for days in (0, 2, 3, 4, 40):
                check(operator, [str(days)], lambda value, d=days, f=fits: value is not None and f(_age(value), d))


def _parts(operator: str, wanted: list[Any]) -> list[Any]:
    """Pieces of a text for the operators that look for pieces."""
    pieces = {"$contains": slice(1, -1), "$not_contain": slice(1, -1), "$starts_with": slice(0, 3)}
    pieces |= {"$ends_with": slice(-3, None)}
    return [one[pieces[operator]] or one if operator in pieces else one for one in wanted]


def _written(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool | int | float) else str(value)


NONSENSE = {
    "text": [("$more_than", "5"), ("$after", "2026-01-01"), ("$nope", "x")],
    "number": [("$is", "five"), ("$more_than", ""), ("$contains", "5"), ("$nope", "1")],
    "boolean": [("$is", "maybe"), ("$more_than", "1")],
    "date": [("$after", "soon"), ("$more_than", "-1"), ("$more_than_ago", "x"), ("$is", "5"), ("$nope", "2026-01-01")],
}


@pytest.mark.parametrize(("listed", "field"), CASES)
def test_nonsense_is_refused_with_its_path(shop: Shop, listed: str, field: str) -> None:
    listing = LISTS[listed]
    kind, _, allowed = listing.fields[field]
    path = listing.path.format(card=shop.card)
    wrong = NONSENSE[kind] if not field.startswith("metadata.") else [("$nope", "x"), ("$more_than", "x")]
    for operator, value in [*wrong, *([("$is", "NONSENSE"), ("$in", "NONSENSE")] if allowed else [])]:
        error = refused(shop.client.get(path, params=condition(field, operator, value)), 400, "invalid_query_params")
        assert f".filters.{field}.conditions.{operator}" in error["details"], error


@pytest.mark.parametrize("listed", LISTS)
@pytest.mark.parametrize(
    "query",
    [
        "filters[nowhere][conditions][$is]=x",
        "filters[junction]=xor",
        "filters[]=x",
        "filters[id]=x",
        "filters[id][conditions]=x",
        "filters[id][conditions][$is][0][0]=x",
        "filters=x",
        "filters=[]",
        'filters={"id":5}',
        'filters={"id":{"conditions":[]}}',
        'filters={"id":{"conditions":{"$is":[]}}}',
        'filters={"name":{"conditions":{"$in":[]}}}',
        'filters={"junction":5}',
    ],
)
def test_shapes_that_are_no_filters(shop: Shop, listed: str, query: str) -> None:
    path = LISTS[listed].path.format(card=shop.card)
    refused(shop.client.get(f"{path}?{query}"), 400, "invalid_query_params")


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    listed=st.sampled_from(sorted(LISTS)),
    which=st.integers(0, 30),
    operator=st.sampled_from(WORDS) | st.sampled_from(sorted({*PLAIN["text"], *PLAIN["number"], *DAYS})),
    values=st.lists(st.sampled_from(VALUES) | st.text(max_size=5), min_size=1, max_size=3),
)
def test_no_filter_is_ever_a_fault_of_the_server(
    shop: Shop, listed: str, which: int, operator: str, values: list[str]
) -> None:
    listing = LISTS[listed]
    field = list(listing.fields)[which % len(listing.fields)]
    path = listing.path.format(card=shop.card)
    found = shop.client.get(path, params=condition(field, operator, *values))
    assert found.status_code in (200, 400), found.text


@pytest.mark.parametrize("value", ["0001-01-01", "9999-12-31"])
def test_the_ends_of_the_calendar_are_days_like_others(shop: Shop, value: str) -> None:
    for operator, found in [("$is", False), ("$before", value > "2"), ("$after", value < "2")]:
        assert bool(rows(shop, LISTS["vouchers"], condition("created_at", operator, value))) == found


def test_fields_are_joined_as_the_junction_says(shop: Shop) -> None:
    vouchers = LISTS["vouchers"]
    both = condition("voucher_type", "$is", "GIFT_VOUCHER") | condition("metadata.region", "$is", "North")
    everything = rows(shop, vouchers)
    wanted = [(row["type"] == "GIFT_VOUCHER", row["metadata"].get("region") == "North") for row in everything]
    assert len(rows(shop, vouchers, both)) == sum(a and b for a, b in wanted)
    assert len(rows(shop, vouchers, both | {"filters[junction]": "OR"})) == sum(a or b for a, b in wanted) > 1


def test_lists_and_unset_members_as_the_python_sdk_writes_them(shop: Shop) -> None:
    """Observed: None for what was not set, and a list as Python shows it; behind an index every text is a value."""
    vouchers = LISTS["vouchers"]
    codes = [row["code"] for row in rows(shop, vouchers)]
    unset = {"filters[id]": "None", "filters[code][conditions][$is]": "None", "created_at[after]": "None"}
    found = rows(shop, vouchers, unset | {"filters[code][conditions][$in]": str(codes[:2])})
    assert [row["code"] for row in found] == codes[:2]
    assert rows(shop, vouchers, condition("code", "$in", str(codes[:2]))) == []
    assert rows(shop, vouchers, condition("code", "$is", "None")) == []
    for odd in ("[", "[]", "['a'", "['a',,]", "[a]", "['\\x']"):
        assert rows(shop, vouchers, {"filters[code][conditions][$is]": odd}) == []


def test_members_a_client_leaves_unset_are_no_filters(shop: Shop) -> None:
    """A model of an SDK may send its empty members as null."""
    sent = {"junction": "and", "code": None, "id": {"conditions": {"$is": None, "$has_value": ""}}}
    assert len(rows(shop, LISTS["vouchers"], {"filters": json.dumps(sent)})) == len(rows(shop, LISTS["vouchers"]))


@pytest.mark.parametrize("kind", ["vouchers", "campaigns"])
def test_the_switch_of_codes_and_campaigns_is_true_or_false(shop: Shop, kind: str) -> None:
    listing = LISTS[kind]
    on, off = (rows(shop, listing, condition("active", "$is", value)) for value in ("true", "false"))
    assert all(row["active"] for row in on)
    assert not any(row["active"] for row in off)
    assert len(on) + len(off) == len(rows(shop, listing)) > 0
    error = shop.client.get(listing.path, params=condition("active", "$is", "maybe"))
    assert "active.conditions.$is" in refused(error, 400, "invalid_query_params")["details"]


def _names(shop: Shop, **parameters: str) -> set[str]:
    found = rows(shop, LISTS["campaigns"], {f"filters{place}": value for place, value in parameters.items()})
    return {row["name"] for row in found if row["name"].startswith("Campaign")}


@pytest.mark.parametrize(
    ("place", "value", "expected"),
    [
        ("[status][conditions][$active]", "", {0, 1, 2}),
        ("[status][conditions][$expired]", "", {1}),
        ("[status][conditions][$before_start]", "", {2}),
        ("[status][conditions][before_start]", "", {2}),
        ("[status][conditions][$failed]", "", set()),
        ("[status][conditions][$in_progress]", "", set()),
        ("[active][conditions][$enabled]", "", {0, 1}),
        ("[active][$disabled]", "", {2}),
        ("[active][$expired]", "", {1}),
        ("[active][conditions][$active]", "true", {0}),
        ("[validity_day_of_week][conditions][$is][0]", "2", {1}),
        ("[validity_day_of_week][conditions][$is][0]", "5", set()),
        ("[validity_timeframe][conditions][$has_value]", "", set()),
        ("[validity_timeframe][conditions][$is_unknown]", "", {0, 1, 2}),
        ("[validity_timeframe][conditions][$after]", "2019-01-01", set()),
        ("[is_referral_code][conditions][$is]", "FALSE", {0, 1, 2}),
        ("[is_referral_code][conditions][$is]", "TRUE", set()),
        ("[type][conditions][$in][0]", "BULK", {0, 1, 2}),
        ("[type][conditions][$not_in][0]", "BULK", set()),
        ("[categories][conditions][$is]", "Spring sale", {0}),
        ("[categories][conditions][$contains]", "spring", set()),
    ],
)
def test_filters_that_only_campaigns_have(shop: Shop, place: str, value: str, expected: set[int]) -> None:
    assert _names(shop, **{place: value}) == {f"Campaign {number}" for number in expected}


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("[status][conditions][$nope]", ""),
        ("[active][conditions][$nope]", ""),
        ("[validity_day_of_week][conditions][$is][0]", "7"),
        ("[validity_day_of_week][conditions][$more_than]", "1"),
        ("[validity_timeframe][conditions][$after]", "soon"),
        ("[is_referral_code][conditions][$is]", "maybe"),
        ("[type][conditions][$in][0]", "SOMETIMES"),
        ("[type][conditions][$contains]", "BULK"),
    ],
)
def test_nonsense_of_campaigns(shop: Shop, place: str, value: str) -> None:
    refused(shop.client.get("/v1/campaigns", params={f"filters{place}": value}), 400, "invalid_query_params")


def test_metadata_is_compared_by_the_type_its_schema_gives_it(server: Server) -> None:
    with server.client_for(server.new_project()) as client:
        properties = {"due": {"type": "date"}, "size": {"type": "number"}, "fine": {"type": "boolean"}}
        ok(client.post("/v1/metadata-schemas", json={"related_object": "voucher", "properties": properties}))
        for days, size in ((-10, 7.5), (-3, 8), (0, 9), (5, 10)):
            due = (datetime.now(UTC) + timedelta(days=days)).date().isoformat()
            code(client, amount(1), metadata={"due": due, "size": size, "fine": size > 8})
        found = Shop(client, "")

        def sizes(field: str, operator: str, *values: str) -> list[float]:
            listed = rows(found, LISTS["vouchers"], condition(field, operator, *values) | {"order": "created_at"})
            return [row["metadata"]["size"] for row in listed]

        assert sizes("metadata.due", "$more_than", "5") == [7.5]
        assert sizes("metadata.due", "$less_than", "5") == [8]
        assert sizes("metadata.due", "$is_days_ago", "3") == [8]
        assert sizes("metadata.due", "$more_than_future", "2") == [10]
        assert sizes("metadata.due", "$today", "") == [9]
        assert sizes("metadata.size", "$is", "7.50", "9") == [7.5, 9]
        assert sizes("metadata.fine", "$is", "true") == [9, 10]
        path = "/v1/vouchers"
        for field, operator, value in (
            ("metadata.size", "$is", "big"),
            ("metadata.fine", "$is", "maybe"),
            ("metadata.due", "$after", "soon"),
        ):
            refused(client.get(path, params=condition(field, operator, value)), 400, "invalid_query_params")
