"""Laws of the formula language: any text is refused or answered, soon, exactly and always alike."""

import contextlib
import sys
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from largesse.engine.formulas import FormulaContext, FormulaError, compile_formula
from tests.engine.test_formulas import FACTS, computed

LISTS = {
    "a": [str(n) for n in range(500)],
    "b": ",".join(str(n) for n in range(1500, 1900)),
    "c": "a" * 1999,
    "d": "a" * 900 + "b",
}


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5000,
        "(" * 499 + "1" + ")" * 499,
        "1" + "+1" * 499,
        "1" + "".join(f"+1/{n}" for n in range(3, 250)),
        "POW(" * 60 + "9" + ";99)" * 60,
        "POW(99999999;999999) * POW(1.0000001;999999.5)",
        "+".join(["POW(9.99;0.7)"] * 110),
        "POW(3;640)" + "%7.77*POW(1.1;300)" * 80,
        '"' + "\\" * 4000,
        '\\"' * 2500,
        "IF(" + " AND ".join(['CUSTOMER_METADATA("a") NOT_IN_ARRAY CUSTOMER_METADATA("b")'] * 74) + ";1;2)",
        "IF(" + " OR ".join(['CUSTOMER_METADATA("c") contains CUSTOMER_METADATA("d")'] * 74) + ";1;2)",
    ],
    ids=range(12),
)
def test_a_formula_bomb_costs_a_bounded_number_of_calls(text: str) -> None:
    compile_formula("1")  # the parser is built on first use
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        with contextlib.suppress(FormulaError):
            compile_formula(text).evaluate(FormulaContext(now=0, customer_metadata=LISTS))
    finally:
        sys.setprofile(None)
    assert calls < 1_000_000  # what one call may cost is bounded by the limits on numbers and texts


OPERATORS = """+ - * / % > < = >= <= != is isNot contains startsWith endsWith IN_ARRAY NOT_IN_ARRAY DATE_IS IS_AFTER IS_BEFORE
    AND OR"""
FUNCTIONS = "IF DEFAULT_TO MIN MAX POW ROUND FLOOR CEIL DAYS_SINCE MONTHS_UNTIL YEAR"
NAMES = """ORDER_AMOUNT ORDER_ITEM_PRICE NOW TODAY CUSTOMER_METADATA("age") CUSTOMER_METADATA("tags") "x" "7" """
names = st.sampled_from(NAMES.split())
operators = st.sampled_from(OPERATORS.split())
functions = st.sampled_from(FUNCTIONS.split())
numbers = st.integers(-999, 999).map(str) | st.decimals(0, 9, places=2).map(str)
formulas = st.recursive(
    numbers | names,
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, operators, inner),
        st.builds(lambda name, given: f"{name}({';'.join(given)})", functions, st.lists(inner, min_size=1, max_size=3)),
        st.builds("SWITCH({};SWITCH_CASE({};{});{})".format, inner, inner, inner, inner),
    ),
    max_leaves=12,
)
fragments = st.lists(formulas | st.sampled_from([*'();"\\&.', "AND", "SWITCH_CASE(", "é", "\n"]), max_size=6).map(
    " ".join
)


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=60) | fragments)
def test_any_text_is_a_formula_or_refused_with_a_place_inside_it(text: str) -> None:
    place = 0
    try:
        compile_formula(text)
    except FormulaError as refused:
        place = refused.index
    assert 0 <= place <= len(text)


@settings(deadline=None, max_examples=300)
@given(formulas)
def test_any_formula_has_one_exact_number_or_none(text: str) -> None:
    try:
        formula = compile_formula(text)
    except FormulaError:
        return
    found = formula.evaluate(FACTS)
    assert found is None or type(found) is Fraction
    assert formula.evaluate(FACTS) == found
    if found is not None:
        assert computed(f"DEFAULT_TO({text};-1)") == found
    assert computed(f"({text})") == found


@settings(max_examples=100)
@given(st.decimals(0, 10**6, places=4), st.decimals(-(10**6), 10**6, places=4), st.integers(1, 10**6))
def test_arithmetic_is_exact(a: Decimal, b: Decimal, c: int) -> None:
    facts = FormulaContext(now=0, customer_metadata={"c": c})
    rest = Fraction(b) - 7 * int(Fraction(b) / 7)
    assert computed(f'{a:f} / CUSTOMER_METADATA("c") * 3 - {b:f} % 7', facts) == Fraction(a) / c * 3 - rest
