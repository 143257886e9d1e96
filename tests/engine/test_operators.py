"""Operators of conditions and filters: what they hold for, and what they cannot be asked."""

from datetime import UTC as ZULU
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from largesse.engine.rules.facts import When
from largesse.engine.rules.operators import MAX_VALUES, OF_METADATA, values_of


def at(text: str, zone: str = "UTC") -> When:
    return When(now=int(datetime.fromisoformat(text).timestamp()) * 1_000_000, zone=ZoneInfo(zone))


NOON = at("2026-03-18T12:00:00+00:00")


def holds(operator: str, values: list[Any], value: Any, when: When = NOON) -> bool:
    return OF_METADATA[operator](values_of(values))(value, when)


@pytest.mark.parametrize(
    ("operator", "values", "value", "expected"),
    [
        ("$is", ["a", "b"], "b", True),
        ("$is", ["a"], "A", False),
        ("$is", [5], 5.0, True),
        ("$is", ["5"], 5, True),
        ("$is", ["5.50"], 5.5, True),
        ("$is", [5], "5", False),
        ("$is", [1], True, False),
        ("$is", ["true"], True, True),
        ("$is", [False], False, True),
        ("$is", ["false"], 0, False),
        ("$is", ["a"], {"a": 1}, False),
        ("$is", ["a"], None, False),
        ("$is", ["2026-03-18T12:00:00Z"], "2026-03-18T13:00:00.000+01:00", True),
        ("$is", ["2026-03-18T12:00:00"], "2026-03-18T12:00:00Z", True),
        ("$is", ["b", "a"], ["a", "b", "b"], True),
        ("$is", ["a"], ["a", "b"], False),
        ("$is", ["a", "b"], ["a"], False),
        ("$is", [], [], True),
        ("$is", [], None, True),
        ("$is", [], ["a"], False),
        ("$is", [], "", False),
        ("$is_not", ["a"], "b", True),
        ("$is_not", ["a", "b"], "b", False),
        ("$is_not", ["a"], None, True),
        ("$is_not", ["a"], ["a"], False),
        ("$in", ["a", "b"], "a", True),
        ("$in", ["a", "b"], ["c", "b"], True),
        ("$in", ["a"], ["c"], False),
        ("$in", ["a"], None, False),
        ("$not_in", ["a"], ["c"], True),
        ("$not_in", ["a"], None, True),
        ("$not_in", ["a"], "a", False),
        ("$has_value", [""], "", True),
        ("$has_value", [], [], True),
        ("$has_value", [], None, False),
        ("$is_unknown", [], None, True),
        ("$is_unknown", [], 0, False),
        ("$starts_with", ["x", "ab"], "abc", True),
        ("$starts_with", ["b"], "abc", False),
        ("$starts_with", ["a"], None, False),
        ("$ends_with", ["bc"], "abc", True),
        ("$contains", ["x", "b"], "abc", True),
        ("$contains", ["B"], "abc", False),
        ("$contains", ["a", "b"], ["b", "a", "c"], True),
        ("$contains", ["a", "b"], ["a"], False),
        ("$contains", ["1"], 12, False),
        ("$not_contain", ["x", "b"], "abc", False),
        ("$not_contain", ["x"], "abc", True),
        ("$not_contain", ["x"], None, True),
        ("$not_contain", ["a", "x"], ["a"], False),
        ("$not_contain", ["x"], ["a"], True),
        ("$not_differ", ["a", "b"], ["a", "a"], True),
        ("$not_differ", ["a"], ["a", "c"], False),
        ("$not_differ", ["a"], [], True),
        ("$not_differ", ["a"], None, False),
        ("$not_intersect", ["a"], ["b"], True),
        ("$not_intersect", ["a"], ["a"], False),
        ("$more_than", [10], 11, True),
        ("$more_than", [10], 10, False),
        ("$more_than", [10, 20], 15, False),
        ("$more_than", ["10"], 11, True),
        ("$more_than", [10], "11", False),
        ("$more_than", [0], True, False),
        ("$more_than", [10], [1, 11], True),
        ("$more_than", [10], None, False),
        ("$greater_than", [10], 11, True),
        ("$less_than", [1000], 900, True),
        ("$less_than", [1000], 1000, False),
        ("$more_than_or_equal", [10], 10, True),
        ("$more_than_equal", [10], 9.99, False),
        ("$greater_than_or_equal", [10], 10, True),
        ("$less_than_or_equal", [10], 10, True),
        ("$less_than_equal", [10], 11, False),
        ("$more_than", ["2026-03-17"], "2026-03-18", True),
        ("$more_than_equal", ["2026-03-18"], "2026-03-18T00:00:00Z", True),
        ("$less_than", ["2026-03-18"], "2026-03-18T00:00:00Z", False),
        ("$after", ["2026-03-17", "2026-03-18T11:59:59Z"], "2026-03-18T12:00:00Z", True),
        ("$after", ["2026-03-18T12:00:00Z"], "2026-03-18T12:00:00Z", False),
        ("$after", ["2026-03-18"], 5, False),
        ("$after", ["2026-03-18"], "soon", False),
        ("$before", ["2026-03-18"], "2026-03-17T23:59:59Z", True),
        ("$before", ["9999-12-31T23:59:59-14:00"], "0001-01-01T00:00:00+14:00", True),
        ("$is_days_ago", [0], "2026-03-18T23:00:00Z", True),
        ("$is_days_ago", [1, 8], "2026-03-10", True),
        ("$is_days_ago", [7], "2026-03-10", False),
        ("$more_than_ago", [7], "2026-03-10", True),
        ("$more_than_ago", [8], "2026-03-10", False),
        ("$less_than_ago", [9], "2026-03-10", True),
        ("$less_than_ago", [9], "2026-03-18", False),
        ("$less_than_ago", [9], "2026-03-19", False),
        ("$is_days_in_future", ["7"], "2026-03-25", True),
        ("$more_than_future", [6], "2026-03-25", True),
        ("$more_than_future", [7], "2026-03-25", False),
        ("$less_than_future", [8], "2026-03-25", True),
        ("$less_than_future", [8], "2026-03-18", False),
        ("$is_days_ago", [1], 17, False),
        ("$is_days_ago", [1], None, False),
        ("$is_days_ago", [1], "0001-01-01T00:00:00+14:00", False),
        ("$timeframe", ["2026-01-01;P1D;P1D"], "0001-01-01T00:00:00+14:00", False),
        ("$count", [2], ["a", "b"], True),
        ("$count", [0], None, True),
        ("$count", [1], "a", True),
        ("$count_more", [1], ["a", "b"], True),
        ("$count_more", [0], None, False),
        ("$count_less", [1], None, True),
    ],
)
def test_a_condition_holds(operator: str, values: list[Any], value: Any, expected: bool) -> None:
    assert holds(operator, values, value) is expected


def test_days_and_bare_dates_are_those_of_the_project() -> None:
    late = at("2026-03-18T23:30:00+00:00", "Europe/Warsaw")  # the 19th there
    assert holds("$is_days_ago", [1], "2026-03-18", late)
    assert holds("$is_days_ago", [0], "2026-03-18T23:00:00Z", late)
    assert holds("$before", ["2026-03-19"], "2026-03-18T22:59:59Z", late)
    assert not holds("$before", ["2026-03-19"], "2026-03-18T23:00:00Z", late)


@pytest.mark.parametrize(
    ("operator", "values", "message"),
    [
        ("$in", ["a"] * (MAX_VALUES + 1), "should not have more than 10000 values"),
        ("$in", ["a", None], "should not contain null"),
        ("$more_than", [], "should have at least one value"),
        ("$more_than", ["high"], "should be a number, or a date in ISO 8601"),
        ("$more_than", [True], "should be a number, or a date in ISO 8601"),
        ("$after", [5], "should be a date or date-time in ISO 8601"),
        ("$after", ["2026-02-30"], "should be a date or date-time in ISO 8601"),
        ("$starts_with", [1], "should be text"),
        ("$count", [1.5], "should be an integer from 0 to 1000000"),
        ("$count", [-1], "should be an integer from 0 to 1000000"),
        ("$is_days_ago", ["one"], "should be an integer from 0 to 1000000"),
    ],
)
def test_what_an_operator_cannot_be_asked(operator: str, values: list[Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        OF_METADATA[operator](values_of(values))


moments = st.datetimes(timezones=st.sampled_from([ZULU, ZoneInfo("Asia/Kathmandu"), ZoneInfo("Pacific/Apia")]))
scalars = (
    st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9) | moments.map(datetime.isoformat)
)
anything = st.recursive(st.none() | scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
NEGATIONS = [("$is", "$is_not"), ("$in", "$not_in"), ("$in", "$not_intersect"), ("$has_value", "$is_unknown")]


@given(operator=st.sampled_from(sorted(OF_METADATA)), values=st.lists(anything, max_size=3), value=anything)
def test_any_condition_is_judged_or_refused(operator: str, values: list[Any], value: Any) -> None:
    try:
        condition = OF_METADATA[operator](values_of(values))
    except ValueError:
        return
    assert condition(value, NOON) in (True, False)


@given(pair=st.sampled_from(NEGATIONS), values=st.lists(scalars, min_size=1, max_size=3), value=anything)
def test_a_negation_holds_where_the_operator_does_not(pair: tuple[str, str], values: list[Any], value: Any) -> None:
    operator, negation = pair
    assert holds(operator, values, value) is not holds(negation, values, value)


@given(value=scalars, others=st.lists(scalars, max_size=2))
def test_every_value_is_itself(value: Any, others: list[Any]) -> None:
    assert holds("$is", [*others, value], value)
    assert holds("$is", [value, *others], [*others, value])
