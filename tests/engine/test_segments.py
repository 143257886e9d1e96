"""Filters of segments: which customers they hold for, what they look at, and the days on which that changes."""

from datetime import UTC as utc
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from largesse.engine.rules import RuleFault
from largesse.engine.rules.facts import When
from largesse.engine.segments import MAX_FIELDS, Filter, compile_filter
from largesse.engine.segments.calendar import CALENDAR, LAST_DAY
from tests.engine.carts import UTC
from tests.engine.ruled import WEDNESDAY, at

WHEN = When(now=at(WEDNESDAY), zone=UTC)  # 18 March 2026
ANN: dict[str, Any] = {
    "id": "cust_ann",
    "source_id": "ann",
    "name": "Ann Lee",
    "email": "ann@lee.com",
    "birthdate": "1990-03-19",
    "address": {"city": "Kraków", "country": "Poland", "line_2": None},
    "summary": {
        "redemptions": {
            "total_redeemed": 2,
            "gift": {"redeemed_amount": 500, "amount_to_go": 100},
            "loyalty_card": {"redeemed_points": 10, "points_to_go": 90},
        },
        "orders": {"total_amount": 9000, "total_count": 2, "last_order_date": "2026-03-10T08:00:00.000Z"},
    },
    "loyalty": {
        "points": 41,
        "referred_customers": 1,
        "campaigns": {"Tiers 2.points": {"points": 41, "loyalty_tier": "ltr_gold"}},
    },
    "metadata": {"club": "Gold", "tags": ["a", "b"], "shoe": {"size": 40}, "a.b": "dotted", "joined": "2026-03-10"},
    "tier_names": {"ltr_gold": "Gold"},
    "system_metadata": {"source": "shop"},
    "events": {"sign_up": {"count": 1, "last_date": "2026-03-17T10:00:00.000Z"}},
    "created_at": "2026-03-01T10:00:00.000Z",
}


def where(junction: str = "and", /, **fields: Any) -> dict[str, Any]:
    """A filter; `__` stands for the dot in a field."""
    return {"junction": junction} | {
        field.replace("__", "."): {"conditions": conditions} for field, conditions in fields.items()
    }


def holds(filter: dict[str, Any], profile: dict[str, Any] = ANN, when: When = WHEN) -> bool:
    return compile_filter(filter).holds(profile, when)


def on(field: str, operator: str, value: Any = True) -> dict[str, Any]:
    return {"junction": "and", field: {"conditions": {operator: value}}}


@pytest.mark.parametrize(
    ("field", "operator", "value"),
    [
        ("id", "$is", "cust_ann"),
        ("source_id", "$in", ["ann", "ben"]),
        ("name", "$starts_with", "Ann"),
        ("email", "$ends_with", ["@lee.com"]),
        ("phone", "$is_unknown", ""),
        ("description", "$not_contain", "x"),
        ("address.country", "$is", "Poland"),
        ("address.line_2", "$is_unknown", ""),
        ("summary.redemptions.total_redeemed", "$is", 2),
        ("summary.redemptions.gift.redeemed_amount", "$more_than", ["400"]),
        ("summary.redemptions.loyalty_card.points_to_go", "$less_than", 91),
        ("summary.orders.total_amount", "$more_than_equal", [9000]),
        ("summary.orders.last_order_date", "$is_days_ago", [8]),
        ("summary.orders.last_order_date", "$more_than", 7),
        ("summary.orders.last_order_date", "$less_than", ["9"]),
        ("summary.orders.last_order_date", "$more_than", "2026-03-10T07:00:00Z"),
        ("loyalty.points", "$is", 41),
        ("loyalty.referred_customers", "$is_not", 0),
        ("loyalty_points.campaigns.Tiers 2.points.points", "$more_than_equal", [41]),
        ("loyalty_tier.campaigns.Tiers 2.points", "$is", "ltr_gold"),
        ("loyalty_tier.campaigns.Tiers 2.points", "$in", ["Gold", "Platinum"]),
        ("loyalty_tier.campaigns.Tiers 2.points", "$is_not", "Silver"),
        ("loyalty_tier.campaigns.Other", "$not_in", ["Gold"]),
        ("metadata.club", "$in", ["Gold", "Silver"]),
        ("metadata.tags", "$count", [2]),
        ("metadata.shoe.size", "$is", ["40"]),
        ("metadata.a.b", "$is", "dotted"),
        ("metadata.none.at.all", "$is_unknown", ""),
        ("metadata.joined", "$last_week", True),
        ("system_metadata.source", "$is", "shop"),
        ("events.sign_up.count", "$more_than", ["0"]),
        ("events.sign_up.last_date", "$yesterday", [True]),
        ("events.log.in.count", "$is", 0),
        ("events.log.in.last_date", "$is_unknown", ""),
        ("created_at", "$after", "2026-03-01"),
        ("updated_at", "$is_unknown", ""),
        ("birthdate", "$tomorrow", True),
        ("birthdate", "$before", "2000-01-01"),
        ("birthday", "$is_unknown", ""),
    ],
)
def test_a_field_is_read_where_it_stands(field: str, operator: str, value: Any) -> None:
    assert holds(on(field, operator, value))


def test_an_absent_loyalty_block_has_neither_points_nor_tiers() -> None:
    assert holds(on("loyalty_points.campaigns.X.points", "$is_unknown", ""), {"loyalty": None})
    assert holds(on("loyalty_tier.campaigns.X", "$is_unknown", ""), {})


def test_a_tier_is_neither_id_nor_name_where_it_must_not_be() -> None:
    for name in ("ltr_gold", "Gold"):
        assert not holds(on("loyalty_tier.campaigns.Tiers 2.points", "$is_not", name))
    assert not holds(on("loyalty_tier.campaigns.Other", "$is", "Gold"))


def test_fields_are_joined_by_the_junction_and_operators_of_one_field_by_and() -> None:
    fields = {"address__country": {"$is": "Poland"}, "metadata__club": {"$in": ["Bronze"]}}
    assert not holds(where(**fields))
    assert holds(where("OR", **fields))
    assert not holds(where("or", name={"$is": "Ann Lee", "$is_not": "Ann Lee"}, id={"$is": "x"}))
    assert holds({})
    assert holds({"junction": "or"})


def test_a_filter_within_a_filter_has_a_junction_of_its_own() -> None:
    inner = where("or", name={"$is": "Ben"}, metadata__club={"$is": "Gold"})
    assert holds(where(id={"$is": "cust_ann"}) | {"1": inner})
    assert not holds(where(id={"$is": "cust_ben"}) | {"1": inner})


def test_a_filter_says_which_changes_can_move_it() -> None:
    found = compile_filter(
        where(
            metadata__shoe__size={"$is": 1},
            address__city={"$is": "x"},
            events__log__in__count={"$is": 0},
            summary__orders__total_count={"$is": 1},
            loyalty_tier__campaigns__X={"$is": "x"},
        )
    )
    assert found.reads == {
        "metadata.shoe.size",
        "metadata.shoe",
        "address.city",
        "events.log.in",
        "orders",
        "tiers",
    }
    assert found.events == {"log.in"}
    assert found.of_cards
    assert not compile_filter(where(name={"$is": "Ann"})).of_cards
    assert not found.by_clock
    assert found.turns_on(ANN, WHEN) is None


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ([], ".filter should be object"),
        ({"junction": "nor"}, ".filter has wrong `junction` property. It must be one of: and, or"),
        ({"junction": None}, ".filter has wrong `junction`"),
        ({"1": {"junction": 3}}, ".filter.1 has wrong `junction`"),
        (on("colour", "$is"), ".filter should not have a field 'colour'; use one of id, source_id,"),
        (on("metadata.", "$is"), "should not have a field 'metadata.'"),
        (on("loyalty_points.campaigns..points", "$is"), "should not have a field"),
        (on("loyalty_points.X.points", "$is"), "should not have a field"),
        (on("loyalty_tier.campaigns.", "$is"), "should not have a field"),
        (on("events.count", "$is"), "should not have a field 'events.count'"),
        (on("events.x.sum", "$is"), "should not have a field 'events.x.sum'"),
        ({"name": []}, ".filter.name should have an object 'conditions'"),
        ({"name": {"conditions": []}}, ".filter.name should have an object 'conditions'"),
        ({"name": {"conditions": {}}}, ".filter.name.conditions should have at least one operator"),
        (on("name", "$more_than", 1), ".filter.name.conditions: unknown operator '$more_than' for name; known are"),
        (on("loyalty.points", "$is", "a"), ".filter.loyalty.points.conditions.$is should be a number"),
        (on("created_at", "$more_than_ago", -1), ".filter.created_at.conditions.$more_than_ago should be an integer"),
        (on("created_at", "$more_than", []), ".filter.created_at.conditions.$more_than should have at least one"),
        (on("birthdate", "$is_month", 0), "$is_month should be an integer from 1 to 12"),
        (on("birthdate", "$is_month", 13), "$is_month should be an integer from 0 to 12"),
        (on("birthdate", "$is_month", []), "$is_month should be an integer from 1 to 12"),
        (on("birthdate", "$is_days_ago_md", [367]), "should be an integer from 0 to 366"),
        (on("birthdate", "$is_days_ago_md", []), "should have at least one value"),
        ({"x": where(name={"$is": None})["name"]}, "should not have a field 'x'"),
        (on("name", "$is", None), ".filter.name.conditions.$is should not contain null"),
        ({f"metadata.{n}": {"conditions": {"$is": 1}} for n in range(MAX_FIELDS + 1)}, "more than 100 fields"),
    ],
)
def test_a_fault_is_named_with_its_place(document: Any, fault: str) -> None:
    with pytest.raises(RuleFault) as caught:
        compile_filter(document)
    assert fault in str(caught.value)


# The calendar


@pytest.mark.parametrize(
    ("operator", "inside", "outside"),
    [
        ("$today", ["2026-03-18"], ["2026-03-17", "2026-03-19"]),
        ("$tomorrow", ["2026-03-19"], ["2026-03-18", "2026-03-20"]),
        ("$yesterday", ["2026-03-17"], ["2026-03-16", "2026-03-18"]),
        ("$this_week", ["2026-03-16", "2026-03-22"], ["2026-03-15", "2026-03-23"]),
        ("$last_week", ["2026-03-09", "2026-03-15"], ["2026-03-08", "2026-03-16"]),
        ("$next_week", ["2026-03-23", "2026-03-29"], ["2026-03-22", "2026-03-30"]),
        ("$this_month", ["2026-03-01", "2026-03-31"], ["2026-02-28", "2026-04-01", "2025-03-18"]),
        ("$last_month", ["2026-02-01", "2026-02-28"], ["2026-01-31", "2026-03-01"]),
        ("$next_month", ["2026-04-01", "2026-04-30"], ["2026-03-31", "2026-05-01"]),
        ("$this_year", ["2026-01-01", "2026-12-31"], ["2025-12-31", "2027-01-01"]),
        ("$last_year", ["2025-01-01", "2025-12-31"], ["2024-12-31", "2026-01-01"]),
        ("$next_year", ["2027-01-01", "2027-12-31"], ["2026-12-31", "2028-01-01"]),
        ("$today_md", ["1980-03-18", "2030-03-18"], ["1980-03-17"]),
        ("$tomorrow_md", ["1980-03-19"], ["1980-03-20"]),
        ("$yesterday_md", ["1980-03-17"], ["1980-03-18"]),
        ("$this_week_md", ["1980-03-16", "1980-03-22"], ["1980-03-15"]),
        ("$last_week_md", ["1980-03-09"], ["1980-03-16"]),
        ("$next_week_md", ["1980-03-29"], ["1980-03-30"]),
        ("$this_month_md", ["1980-03-01"], ["1980-04-01"]),
        ("$last_month_md", ["1980-02-01"], ["1980-01-31"]),
        ("$next_month_md", ["1980-04-02"], ["1980-03-30"]),
    ],
)
def test_calendar_words_as_seen_on_a_wednesday_in_march(operator: str, inside: list[str], outside: list[str]) -> None:
    for day in (*inside, *outside):
        assert holds(on("metadata.day", operator), {"metadata": {"day": day}}) is (day in inside), day
    assert not holds(on("metadata.day", operator), {"metadata": {"day": "soon"}})
    assert holds(on("metadata.day", operator), {"metadata": {"day": [outside[0], inside[0]]}})


def test_who_is_born_on_the_29th_of_february_has_a_birthday_on_the_1st_of_march() -> None:
    leap = {"birthdate": "1980-02-29"}
    assert holds(on("birthdate", "$this_month"), leap)
    assert holds(on("birthdate", "$is_days_ago_md", 17), leap)


@pytest.mark.parametrize(
    ("operator", "value", "inside", "outside"),
    [
        ("$is_day_of_month", 18, "2001-05-18", "2001-05-17"),
        ("$is_day", [0], "2026-03-15", "2026-03-16"),
        ("$is_month", ["3"], "2001-03-02", "2001-04-02"),
        ("$is_year", 2001, "2001-03-02", "2002-03-02"),
        ("$is_years_ago", [36], "1990-12-31", "1991-01-01"),
        ("$is_days_ago_md", 10, "1980-03-08", "1980-03-09"),
        ("$is_more_days_ago_md", 10, "1980-03-07", "1980-03-08"),
        ("$is_more_days_ago_md", 10, "1980-01-01", "1980-12-31"),
        ("$is_less_days_ago_md", 10, "1980-03-09", "1980-03-08"),
        ("$is_less_days_ago_md", 10, "1980-03-17", "1980-03-18"),
        ("$is_less_days_ago_md", 100, "1980-12-31", "1980-11-01"),
        ("$is_days_in_future_md", [10, 11], "1980-03-28", "1980-03-30"),
        ("$is_more_days_in_future_md", 10, "1980-03-29", "1980-03-28"),
        ("$is_more_days_in_future_md", 10, "1980-12-31", "1980-01-01"),
        ("$is_less_days_in_future_md", 10, "1980-03-27", "1980-03-28"),
    ],
)
def test_parts_of_the_calendar_and_distances_without_years(
    operator: str, value: Any, inside: str, outside: str
) -> None:
    assert holds(on("birthdate", operator, value), {"birthdate": inside})
    assert not holds(on("birthdate", operator, value), {"birthdate": outside})


def test_birthdays_are_looked_at_without_their_year() -> None:
    assert holds(on("birthdate", "$next_month", [True]), {"birthdate": "1980-04-02"})
    assert not holds(on("birthdate", "$next_month", [True]), {"birthdate": "1980-03-30"})
    assert not holds(on("created_at", "$next_month"), {"created_at": "1980-04-02T10:00:00Z"})
    assert holds(on("birthdate", "$today_md"), ANN, When(now=at("2026-03-19T00:00:00+00:00"), zone=UTC))


def test_days_are_those_of_the_project() -> None:
    late = When(now=at("2026-03-18T23:30:00+00:00"), zone=ZoneInfo("Europe/Warsaw"))
    assert holds(on("birthdate", "$today"), ANN, late)


def test_the_ends_of_the_calendar_are_no_fault() -> None:
    for day in ("0001-01-01", "9999-12-31"):
        for operator in CALENDAR:
            compile_filter(on("metadata.day", operator, 1)).holds({"metadata": {"day": day}}, WHEN)
    far = When(now=at("9998-12-31T12:00:00+00:00"), zone=UTC)
    found = compile_filter(on("metadata.day", "$more_than_ago", 400))
    assert found.turns_on({"metadata": {"day": "9999-01-01"}}, far) is None
    assert found.by_clock


# The days on which a filter turns

_NUMBERED = ("$more_than_ago", "$less_than_ago", "$is_days_ago")
_NUMBERED += ("$more_than_future", "$less_than_future", "$is_days_in_future")
_OPERATORS = sorted({*CALENDAR, *_NUMBERED, "$after", "$dow"} - {"$is_day", "$is_year"})
_DAYS = st.dates(date(2019, 1, 1), date(2033, 12, 31))
_CONDITIONS = st.dictionaries(
    st.sampled_from(["birthdate", "created_at", "metadata.day", "name"]),
    st.dictionaries(st.sampled_from(_OPERATORS), st.integers(1, 6), min_size=1, max_size=2),
    min_size=1,
    max_size=3,
)


def _filter(junction: str, fields: dict[str, dict[str, Any]]) -> Filter:
    found: dict[str, Any] = {"junction": junction}
    for field, conditions in fields.items():
        if field == "name":
            found[field] = {"conditions": {"$is": "Ann"}}
        else:
            values = {name: "2026-01-01" if name == "$after" else value for name, value in conditions.items()}
            found[field] = {"conditions": values}
    return compile_filter(found)


def _noon(day: date) -> When:
    moment = datetime(day.year, day.month, day.day, 12, tzinfo=utc)
    return When(now=int(moment.timestamp()) * 1_000_000, zone=UTC)


@given(st.sampled_from(["and", "or"]), _CONDITIONS, _DAYS, _DAYS, st.dates(date(2024, 1, 1), date(2028, 12, 31)))
def test_between_the_days_it_names_a_filter_does_not_turn(
    junction: str, fields: dict[str, dict[str, Any]], one: date, other: date, today: date
) -> None:
    found = _filter(junction, fields)
    profile = {
        "name": "Ann",
        "birthdate": str(one),
        "created_at": f"{other}T06:00:00Z",
        "metadata": {"day": str(other)},
    }
    first = found.holds(profile, _noon(today))
    turns_on = found.turns_on(profile, _noon(today))
    assert turns_on is None or turns_on > today.toordinal()
    end = date.fromordinal(min(turns_on or LAST_DAY, (today + timedelta(400)).toordinal()))
    day = today
    while day < end:
        assert found.holds(profile, _noon(day)) is first, day
        day += timedelta(1)
