"""Logic strings: how the numbered parts of a rule go together."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from largesse.engine.logic import (
    MAX_LENGTH,
    MAX_NESTING,
    Every,
    Leaf,
    Logic,
    LogicError,
    Some,
    is_key,
    keys_of,
    parse_logic,
)

A, B, C = Leaf("1"), Leaf("2"), Leaf("3")


@pytest.mark.parametrize(
    ("text", "logic"),
    [
        ("1", A),
        ("((1))", A),
        ("1 and 2", Every((A, B))),
        ("1 OR 2 Or 3", Some((A, B, C))),
        ("1 or 2 and 3", Some((A, Every((B, C))))),
        ("(1 or 2) and 3", Every((Some((A, B)), C))),
        ("(1 and 2) and (3)", Every((Every((A, B)), C))),
        ("$RULE_ID and order.amount-1", Every((Leaf("$RULE_ID"), Leaf("order.amount-1")))),
    ],
)
def test_and_binds_tighter_than_or(text: str, logic: Logic) -> None:
    assert parse_logic(text) == logic


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "it ends where a key should follow"),
        ("1 and", "it ends where a key should follow"),
        ("(1 or 2", "it ends where a closing bracket should follow"),
        ("1 2", "'2' at character 3 is not and, or, or the end"),
        ("1 and )", "')' at character 7 is not a key"),
        ("()", "')' at character 2 is not a key"),
        ("not 1", "'1' at character 5 is not and, or, or the end"),
        ("1 & 2", "'&' at character 3 is not and, or, or the end"),
        ("(" * (MAX_NESTING + 1) + "1", f"brackets are nested deeper than {MAX_NESTING}"),
        ("1" * (MAX_LENGTH + 1), f"it is longer than {MAX_LENGTH} characters"),
    ],
)
def test_what_is_no_logic_string_is_refused_with_its_place(text: str, problem: str) -> None:
    with pytest.raises(LogicError) as refused:
        parse_logic(text)
    assert str(refused.value) == problem


def test_keys_are_named_once_in_order_of_appearance() -> None:
    assert keys_of(parse_logic("2 or (1 and 2) or 3")) == ["2", "1", "3"]


def test_the_words_of_the_language_are_no_keys() -> None:
    assert [is_key(text) for text in ("1", "a.b-c_$", "and", "OR", "", "a b")] == [
        True,
        True,
        False,
        False,
        False,
        False,
    ]


def _written(logic: Logic) -> str:
    if isinstance(logic, Leaf):
        return logic.key
    word = " and " if isinstance(logic, Every) else " or "
    return word.join(f"({_written(part)})" for part in logic.parts)


_parts = st.recursive(
    st.sampled_from(["1", "2", "x.y"]).map(Leaf),
    lambda inner: st.builds(
        lambda kind, parts: kind(tuple(parts)), st.sampled_from([Every, Some]), st.lists(inner, min_size=2, max_size=4)
    ),
    max_leaves=12,
)


@given(_parts)
def test_what_is_written_with_brackets_is_read_back(logic: Logic) -> None:
    assert parse_logic(_written(logic)) == logic


@given(st.text(alphabet="12() andorANDOR&x", max_size=30))
def test_any_text_is_logic_or_refused(text: str) -> None:
    with contextlib.suppress(LogicError):
        assert keys_of(parse_logic(text))
