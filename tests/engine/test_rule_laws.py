"""Laws of conditions: compiled they say what an interpreter of the written rule says, and no document breaks the compiler."""

from contextlib import suppress
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from largesse.engine.logic import Every, Leaf, Logic, parse_logic
from largesse.engine.rules import RuleFault, Violation, compile_rules, explain
from largesse.engine.rules.compiling import NAMES
from largesse.engine.rules.operators import OF_METADATA
from tests.engine.ruled import ANN, CART, UTC_FACTS, leaf

_NUMBERS = {
    "$is": lambda value, wanted: value in wanted,
    "$is_not": lambda value, wanted: value not in wanted,
    "$more_than": lambda value, wanted: all(value > one for one in wanted),
    "$less_than_or_equal": lambda value, wanted: all(value <= one for one in wanted),
}
_ARRAYS = {
    "$is": lambda value, wanted: set(value) == set(wanted),
    "$in": lambda value, wanted: bool(set(value) & set(wanted)),
    "$not_in": lambda value, wanted: not set(value) & set(wanted),
    "$contains": lambda value, wanted: set(wanted) <= set(value),
    "$not_differ": lambda value, wanted: set(value) <= set(wanted),
    "$count_more": lambda value, wanted: len(value) > 1,
}
_VIOLATIONS = tuple(
    Violation(group, message) for group in ("customer", "order", "redemption") for message in (None, "No")
)
_letters = st.lists(st.sampled_from("abc"), min_size=1, max_size=3)
_of_amount = st.dictionaries(
    st.sampled_from(sorted(_NUMBERS)), st.lists(st.sampled_from([10_499, 10_500, 10_501]), min_size=1), min_size=1
).map(lambda conditions: leaf("order.amount", conditions))
_of_tags = st.dictionaries(st.sampled_from(sorted(set(_ARRAYS) - {"$count_more"})), _letters, min_size=1).map(
    lambda conditions: leaf("customer.metadata", conditions, "tags")
)
_of_count = st.just(leaf("customer.metadata", {"$count_more": [1]}, "tags"))
_leaves = st.one_of(_of_amount, _of_tags, _of_count)
_logic = st.recursive(
    st.sampled_from("1234"),
    lambda inner: st.tuples(inner, st.sampled_from(["and", "or", "AND", "Or"]), inner, st.booleans()).map(
        lambda made: f"({made[0]} {made[1]} {made[2]})" if made[3] else f"{made[0]} {made[1]} {made[2]}"
    ),
    max_leaves=12,
)


def _interpreted(one: dict[str, Any]) -> bool:
    if one["name"] == "order.amount":
        return all(_NUMBERS[operator](CART.amount, wanted) for operator, wanted in one["conditions"].items())
    tags = ANN.metadata["tags"]
    return all(_ARRAYS[operator](tags, wanted) for operator, wanted in one["conditions"].items())


def _true(logic: Logic, leaves: dict[str, Any]) -> bool:
    if isinstance(logic, Leaf):
        return _interpreted(leaves[logic.key])
    parts = [_true(part, leaves) for part in logic.parts]
    return all(parts) if isinstance(logic, Every) else any(parts)


@settings(deadline=None)
@given(st.lists(_leaves, min_size=4, max_size=4), _logic)
def test_compiled_rules_say_what_is_written(written: list[dict[str, Any]], logic: str) -> None:
    leaves = {str(place): one for place, one in enumerate(written, 1)}
    conditions = compile_rules({**leaves, "logic": logic})
    assert conditions is not None
    assert (conditions.blame(UTC_FACTS) is None) is _true(parse_logic(logic), leaves)


_json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=8)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
_mostly = st.sampled_from(
    ["1 and 2", "1", "1 or", "", "2027-01-01", "2027-01-01;P1D;PT1H", "09:00;10:00;1", "5", "true"]
)
_value = st.one_of(_mostly, _json, st.fixed_dictionaries({"id": _json, "object": _mostly | _json}))
_conditions = st.dictionaries(
    st.sampled_from([*sorted(OF_METADATA), "$from", "$x"]), _value | st.lists(_value, max_size=3)
)
_any_leaf = st.deferred(
    lambda: st.fixed_dictionaries(
        {"name": st.sampled_from([*sorted(NAMES), "order.items.price", "product.metadata.match_all", "x"])},
        optional={
            "conditions": _conditions | _json,
            "property": st.just("tags") | _json,
            "rules": st.dictionaries(st.sampled_from(["1", "2", "logic"]), _any_leaf | _value, max_size=3) | _json,
            "error": st.sampled_from([{"message": "No"}, {"message": 5}, 5]),
        },
    )
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["1", "2", "logic", "and", "$x"]), _any_leaf | _value, max_size=3))
def test_any_document_is_a_rule_or_a_refusal_with_its_place(document: dict[str, Any]) -> None:
    with suppress(RuleFault):
        conditions = compile_rules(document)
        assert conditions is None or conditions.blame(UTC_FACTS) in (None, *_VIOLATIONS)
        if conditions is not None:
            why = explain(conditions, UTC_FACTS, lambda _count: None)
            assert bool(why) is (conditions.blame(UTC_FACTS) is not None)
            assert msgspec.json.encode(why)


@settings(deadline=None)
@given(st.sampled_from(sorted(OF_METADATA)), st.lists(_value, max_size=3), _json)
def test_any_operator_judges_any_property(operator: str, values: list[Any], value: Any) -> None:
    with suppress(ValueError):
        check = OF_METADATA[operator](values)
        assert check(value, UTC_FACTS) in (True, False)
