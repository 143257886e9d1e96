"""The formula language: what every name, function and operator means, what is refused, and what falls back."""

import math
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from largesse.engine.formulas import FormulaContext, FormulaError, compile_formula
from largesse.engine.formulas.results import minor_units, percent, units, whole
from largesse.engine.order import Line, Order

NOW = 1_773_835_200_000_000  # 2026-03-18T12:00Z, a Wednesday
DAY = 86_400_000_000
MUG = Line(price=1000, quantity=2, amount=2000)
SHIRT = Line(
    price=2000,
    quantity=3,
    amount=6000,
    discount_amount=500,
    metadata={"color": "red"},
    product={"metadata": {"weight": 0.3}},
)
BOTTLE = Line(price=2500, quantity=1, amount=2500, product={"metadata": {"weight": 2}})
ORDER = Order(
    amount=10500, lines=(MUG, SHIRT, BOTTLE), metadata={"location": "Santorini", "n": 5, "address": {"zip": "30-001"}}
)
CUSTOMER = {
    "age": 30,
    "tags": ["a", "b"],
    "joined": "2026-03-10",
    "seen": "2026-03-17T23:30:00-05:00",
    "vip": True,
    "clv": 50,
    "rate": 0.1,
    "text": "12",
    "none": None,
    "codes": [7, "8", True, None, "false"],
    "nothing": [],
    "a.b": 4,
}
FACTS = FormulaContext(
    now=NOW,
    order=ORDER,
    line=SHIRT,
    customer_metadata=CUSTOMER,
    customer_birthdate="1990-03-19",
    redeemable_metadata={"boost": 2},
    redemption_metadata={"till": 9},
    publication_metadata={"wave": 3},
    voucher_redemption_quantity=10,
    voucher_redeemed_quantity=4,
    voucher_publish_count=1,
    voucher_start_date=NOW - 10 * DAY,
    voucher_expiration_date=NOW + 20 * DAY,
    promotion_tier_start_date=NOW - 2 * DAY,
    promotion_tier_expiration_date=NOW + 2 * DAY,
    bundle_quantity=2,
)
NOTHING = FormulaContext(now=NOW)


def computed(text: str, facts: FormulaContext = FACTS, **other: Any) -> Fraction | None:
    return compile_formula(text).evaluate(msgspec.structs.replace(facts, **other) if other else facts)


def holds(condition: str, **other: Any) -> bool | None:
    found = computed(f"IF({condition};1;0)", **other)
    return None if found is None else bool(found)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("IF(ORDER_AMOUNT > 100;15;5)", "15"),
        ("IF(ORDER_AMOUNT > 200;ORDER_AMOUNT * 0.15;ORDER_AMOUNT * 0.05)", "5.25"),
        ("IF(ORDER_UNITS_QUANTITY > 5;FLOOR(ORDER_UNITS_QUANTITY / 3;0);1)", "2"),
        ("IF(ORDER_ITEMS_QUANTITY > 4;IF(ORDER_AMOUNT > 200;25;15);10)", "10"),
        ('SWITCH(ORDER_METADATA("location");SWITCH_CASE("Boston";10) SWITCH_CASE("Santorini";15);5)', "15"),
        ('SWITCH(ORDER_METADATA("n");SWITCH_CASE("5";1)\n  SWITCH_CASE(5;2);3)', "1"),
        ('SWITCH(ORDER_METADATA("location");SWITCH_CASE("Boston";10);5)', "5"),
        ('POW(ORDER_METADATA("n");2)', "25"),
        ('CUSTOMER_METADATA("age") - -2', "32"),
        ("10 - 3 * 2", "4"),
        ("(10 - 3) × 2 ÷ 7", "2"),
        ("7 % 4", "3"),
        ("-7 % 4 + .5", "-2.5"),
        ('DEFAULT_TO(ORDER_METADATA("zzz") / 2;5)', "5"),
        ('DEFAULT_TO(CUSTOMER_METADATA("none");1 / 0;"x" * 2;6;1 / 0)', "6"),
        ('IF(CUSTOMER_METADATA("tags") contains "a";20;7)', "20"),
        ('CUSTOMER_METADATA("rate") * 3', "0.3"),
        ('CUSTOMER_METADATA("a.b")', "4"),
        ('MAX(3;CUSTOMER_METADATA("age");4) - MIN(3;1;2)', "29"),
        ("ORDER_AMOUNT * 1.5", "157.5"),
        ("IF(1 > 0;1;1 / 0)", "1"),
        ("IF(1 > 0 OR 1 / 0 > 1;1;0) + IF(1 < 0 AND 1 / 0 > 1;1;0)", "1"),
    ],
)
def test_formulas_compute_as_documented(text: str, number: str) -> None:
    assert computed(text) == Fraction(number)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("ORDER_AMOUNT", 105),
        ("ORDER_ITEMS_QUANTITY", 3),
        ("ORDER_UNITS_QUANTITY", 6),
        ("ORDER_ITEM_PRICE", 20),
        ("ORDER_ITEM_AMOUNT", 60),
        ("ORDER_ITEM_SUBTOTAL", 55),
        ("ORDER_ITEM_UNITS_QUANTITY", 3),
        ('ORDER_ITEM_PRODUCT_METADATA("weight")', "0.3"),
        ("CHEAPEST_ORDER_ITEM_PRICE + CHEAPEST_ORDER_ITEM_UNITS_QUANTITY", 12),
        ("MOST_EXPENSIVE_ORDER_ITEM_AMOUNT", 25),
        ("MOST_EXPENSIVE_ORDER_ITEM_SUBTOTAL", 25),
        ('MOST_EXPENSIVE_ORDER_ITEM_PRODUCT_METADATA("weight")', 2),
        ('REDEEMABLE_METADATA("boost") + REDEMPTION_METADATA("till") + PUBLICATION_METADATA("wave")', 14),
        ("VOUCHER_REDEMPTION_QUANTITY - VOUCHER_REDEEMED_QUANTITY - VOUCHER_PUBLISH_COUNT", 5),
        ("DAYS_SINCE(VOUCHER_START_DATE) + DAYS_UNTIL(VOUCHER_EXPIRATION_DATE)", 30),
        ("DAYS_SINCE(PROMOTION_TIER_START_DATE) + DAYS_UNTIL(PROMOTION_TIER_EXPIRATION_DATE)", 4),
        ("ORDER_BUNDLE_QUANTITY + order.bundle.quantity", 4),
    ],
)
def test_operands_name_the_facts_of_the_request_with_money_in_major_units(text: str, number: int | str) -> None:
    assert computed(text) == Fraction(number)
    assert ("BUNDLE" in text) or computed(text, NOTHING) is None


def test_metadata_may_be_texts_of_lines_and_members_of_nested_objects() -> None:
    assert holds('ORDER_ITEM_METADATA("color") is "red"')
    assert holds('ORDER_METADATA("address.zip") is "30-001"')
    assert holds('ORDER_METADATA("location.zip") is "30-001"') is None
    assert holds('CHEAPEST_ORDER_ITEM_METADATA("color") is "red"') is None
    assert holds('CHEAPEST_ORDER_ITEM_PRODUCT_METADATA("color") is "red"') is None


def test_equal_prices_are_told_apart_by_the_lower_subtotal_then_by_place() -> None:
    dear, cut, first, last = (
        Line(price=900, quantity=2, amount=1800),
        Line(price=900, quantity=1, amount=900),
        Line(price=100, quantity=3, amount=300, discount_amount=100),
        Line(price=100, quantity=2, amount=200),
    )
    order = Order(amount=3200, lines=(Line(quantity=9), dear, cut, first, last))
    assert computed("CHEAPEST_ORDER_ITEM_UNITS_QUANTITY", order=order) == 3
    assert computed("MOST_EXPENSIVE_ORDER_ITEM_UNITS_QUANTITY", order=order) == 1


def test_prices_computed_from_the_line_and_the_order() -> None:
    def price(text: str, unit_price: int, amount: int = 46500) -> int | None:
        found = computed(text, order=Order(amount=amount), line=Line(price=unit_price))
        return None if found is None else minor_units(found)

    assert price("ORDER_ITEM_PRICE * 0.01 + 1", 600) == 106
    assert price("ORDER_ITEM_PRICE * 0.01 + 1", 1000) == 110
    assert price("IF(ORDER_AMOUNT > 300;ORDER_ITEM_PRICE * 0.8;ORDER_ITEM_PRICE)", 6500) == 5200
    assert price("IF(ORDER_AMOUNT > 300;ORDER_ITEM_PRICE * 0.8;ORDER_ITEM_PRICE)", 6500, 6500) == 6500
    assert price("IF(ORDER_AMOUNT > 200;ORDER_ITEM_PRICE * 0.9;ORDER_ITEM_PRICE)", 5000) == 4500
    assert price("IF(ORDER_AMOUNT > 400;0;20)", 2000) == 0


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("ROUND(75.55;1)", "75.6"),
        ("ROUND(75.55;0)", "76"),
        ("ROUND(75.55;-1)", "80"),
        ("ROUND(-2.5)", "-3"),
        ("FLOOR(75.55;1)", "75.5"),
        ("FLOOR(75.55)", "75"),
        ("FLOOR(75.55;-1)", "70"),
        ("CEIL(74.44;1)", "74.5"),
        ("CEIL(74.44;0)", "75"),
        ("CEIL(74.44;-1)", "80"),
        ("POW(2;-2)", "0.25"),
        ("POW(0;0)", "1"),
        ("POW(9;0.5)", "3"),
        ("ROUND(POW(2;0.5);10)", "1.4142135624"),
        ("ROUND(POW(1.00375;360);12)", "3.847698049964"),
    ],
)
def test_rounding_and_powers(text: str, number: str) -> None:
    assert computed(text) == Fraction(number)


@pytest.mark.parametrize(
    ("condition", "answer"),
    [
        ("1 < 2", True),
        ("2 <= 2 AND 2 >= 2", True),
        ("2 != 2 OR 2 < 2", False),
        ("2 = 2.0", True),
        ('CUSTOMER_METADATA("vip")', True),
        ('CUSTOMER_METADATA("vip") is "true"', True),
        ('CUSTOMER_METADATA("vip") = 1', False),
        ('CUSTOMER_METADATA("text") = 12.0', True),
        ('CUSTOMER_METADATA("text") is "12.0"', False),
        ('CUSTOMER_METADATA("age") isNot "thirty"', True),
        ('ORDER_METADATA("location") is "santorini"', False),
        ('ORDER_METADATA("location") contains "tori"', True),
        ('ORDER_METADATA("location") startsWith "San"', True),
        ('ORDER_METADATA("location") endsWith "San"', False),
        ('ORDER_METADATA("location") IN_ARRAY "Boston, Santorini"', True),
        ('ORDER_METADATA("location") NOT_IN_ARRAY "Boston,Rome"', True),
        ('ORDER_METADATA("n") IN_ARRAY "3,4,5.0"', True),
        ('CUSTOMER_METADATA("tags") IN_ARRAY "b,c"', True),
        ('CUSTOMER_METADATA("tags") NOT_IN_ARRAY "b,c"', False),
        ('"a" IN_ARRAY CUSTOMER_METADATA("tags")', True),
        ('CUSTOMER_METADATA("codes") contains 7 AND CUSTOMER_METADATA("codes") contains "7"', True),
        ('CUSTOMER_METADATA("codes") contains 8 AND CUSTOMER_METADATA("codes") contains "8"', True),
        ('CUSTOMER_METADATA("codes") contains "8.0" OR CUSTOMER_METADATA("codes") contains 1', False),
        ('CUSTOMER_METADATA("codes") contains "true" AND CUSTOMER_METADATA("codes") contains "false"', True),
        ('CUSTOMER_METADATA("codes") IN_ARRAY "7.0" AND CUSTOMER_METADATA("vip") IN_ARRAY "true,1"', True),
        ('CUSTOMER_METADATA("nothing") contains "a"', False),
        ('"say \\"a\\\\b\\"" is "say \\"a\\\\b\\"" AND "\\"" endsWith "\\""', True),
    ],
)
def test_comparisons(condition: str, answer: bool) -> None:
    assert holds(condition) is answer


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("YEARS_SINCE(CUSTOMER_BIRTHDATE)", 35),
        ("MONTH(TODAY)", 3),
        ("DAY_OF_MONTH(NOW)", 18),
        ("YEAR(CUSTOMER_BIRTHDATE)", 1990),
        ('DAYS_UNTIL(DATE("2026-03-25"))', 7),
        ('DAYS_SINCE(DATE("2026-03-10"))', 8),
        ('DAYS_SINCE(CUSTOMER_METADATA("joined"))', 8),
        ('DAYS_SINCE(CUSTOMER_METADATA("seen"))', 0),
        ('DAYS_SINCE(DATE("2026-03-25"))', -7),
        ('MONTHS_SINCE(DATE("2026-02-19"))', 0),
        ('MONTHS_SINCE(DATE("2026-02-18"))', 1),
        ('MONTHS_UNTIL(DATE_TIME("2027-03-18T00:00:00Z"))', 12),
        ('MONTHS_UNTIL(DATE("2025-12-19"))', -2),
        ('YEARS_SINCE(DATE("2027-03-18"))', -1),
        ('YEARS_SINCE(DATE("2027-03-17"))', 0),
    ],
)
def test_dates_are_read_and_counted_in_whole_units(text: str, number: int) -> None:
    assert computed(text) == number


@pytest.mark.parametrize(
    ("condition", "answer"),
    [
        ('TODAY DATE_IS DATE("2026-03-18")', True),
        ('NOW DATE_IS "2026-03-18"', True),
        ('NOW DATE_IS_NOT DATE_TIME("2026-03-18 01:00")', False),
        ('NOW IS_AFTER DATE_TIME("2026-03-18T11:59:59.999Z")', True),
        ('NOW IS_AFTER DATE_TIME("2026-03-18T13:00:00+02:00")', True),
        ('NOW IS_BEFORE DATE_TIME("2026-03-18T12:00")', False),
        ('CUSTOMER_METADATA("joined") IS_BEFORE TODAY', True),
        ('DATE("0001-01-01") IS_BEFORE DATE_TIME("9999-12-31T23:59:59-14:00")', True),
    ],
)
def test_dates_compare_as_instants_or_by_day(condition: str, answer: bool) -> None:
    assert holds(condition) is answer


def test_days_and_bare_dates_are_those_of_the_projects_zone() -> None:
    auckland = ZoneInfo("Pacific/Auckland")  # already the 19th there
    assert computed("DAY_OF_MONTH(NOW)", zone=auckland) == 19
    assert computed("YEARS_SINCE(CUSTOMER_BIRTHDATE)", zone=auckland) == 36
    lima = ZoneInfo("America/Lima")  # midnight in UTC is still the day before there
    assert computed("YEAR(CUSTOMER_BIRTHDATE)", customer_birthdate="1990-01-01T00:00:00.000Z", zone=lima) == 1990
    assert holds('NOW IS_AFTER DATE_TIME("2026-03-18T23:00")', zone=auckland)
    assert holds('NOW IS_AFTER DATE("2026-03-19")', zone=auckland)


@pytest.mark.parametrize(
    "text",
    [
        'ORDER_METADATA("zzz") / 2',
        'IF(CUSTOMER_METADATA("tier") is "VIP";25;10)',
        'DEFAULT_TO(CUSTOMER_METADATA("none");ORDER_METADATA("zzz"))',
        '10 / (ORDER_METADATA("n") - 5)',
        '10 % (ORDER_METADATA("n") - 5)',
        "POW(0;-1)",
        "POW(-4;0.5)",
        "POW(2;5000)",
        "POW(2;0 - 5000)",
        "POW(1;1000001)",
        "POW(9;99999)",
        "ROUND(1;0.5)",
        "ROUND(1;31)",
        "10000000000000.01",
        "-10000000000001",
        '"text"',
        "1 > 0",
        "TODAY",
        'CUSTOMER_METADATA("tags")',
        'CUSTOMER_METADATA("text") + 1',
        'ORDER_METADATA("address")',
        "IF(1;2;3)",
        'IF(CUSTOMER_METADATA("tags") is "a";1;2)',
        'IF(CUSTOMER_METADATA("tags") startsWith "a";1;2)',
        'IF(ORDER_METADATA("n") contains "5";1;2)',
        'IF(TODAY = DATE("2026-03-18");1;2)',
        'IF(TODAY IN_ARRAY "2026-03-18";1;2)',
        'IF("soon" IS_AFTER TODAY;1;2)',
        'IF("2026-02-30" IS_AFTER TODAY;1;2)',
        'IF("2026-02-30T00:00Z" IS_AFTER TODAY;1;2)',
        "DAYS_SINCE(20260318)",
        'DAY_OF_MONTH(DATE_TIME("0001-01-01T00:00+10:00"))',
    ],
)
def test_what_cannot_be_computed_leaves_the_static_number(text: str) -> None:
    assert computed(text) is None


@pytest.mark.parametrize(
    "value",
    [math.inf, math.nan, 2**1025, "x" * 2001, ["x"] * 501, [["x"]], ",".join("x" * 501)],
    ids=["infinite", "no number", "huge", "long text", "long list", "nested list", "long list as text"],
)
def test_metadata_beyond_all_bounds_leaves_the_static_number(value: object) -> None:
    facts = msgspec.structs.replace(FACTS, customer_metadata={"odd": value})
    assert computed('IF("x" IN_ARRAY CUSTOMER_METADATA("odd");1;2)', facts) is None


@pytest.mark.parametrize("moment", [-(10**18), 10**18])
def test_instants_outside_the_calendar_leave_the_static_number(moment: int) -> None:
    assert computed("YEAR(VOUCHER_START_DATE)", voucher_start_date=moment) is None
    assert computed("YEAR(TODAY)", now=moment) is None


def test_an_unlimited_voucher_has_no_redemption_quantity_and_a_bad_birthdate_no_age() -> None:
    assert computed("VOUCHER_REDEMPTION_QUANTITY", voucher_redemption_quantity=None) is None
    assert computed("YEARS_SINCE(CUSTOMER_BIRTHDATE)", customer_birthdate="19 March") is None


def test_an_order_without_lines_has_an_amount_and_no_quantities() -> None:
    order = Order(amount=500)
    assert computed("ORDER_AMOUNT", order=order) == 5
    assert computed("ORDER_ITEMS_QUANTITY", order=order) is None
    assert computed("ORDER_UNITS_QUANTITY", order=order) is None
    assert computed("CHEAPEST_ORDER_ITEM_PRICE", order=order) is None


@pytest.mark.parametrize(
    ("text", "problem", "line", "column", "near"),
    [
        ("", "A formula cannot be empty", 1, 1, ""),
        (" \n ", "A formula cannot be empty", 1, 1, ""),
        ("1 +", "The formula ends too early: expected a value", 1, 4, ""),
        ("IF(1", 'The formula ends too early: expected ";" or ")"', 1, 5, ""),
        ("IF(1 > 2;\n  3;;4)", 'Unexpected ";": expected a value', 2, 5, ";4)"),
        ("1)", 'Unexpected ")": expected the end', 1, 2, ")"),
        ("5 ORDER_AMOUNT", 'Unexpected "ORDER_AMOUNT": expected an operator or the end', 1, 3, "ORDER_AMOUNT"),
        ("5 " + "z" * 99, f'Unexpected "{"z" * 60}": expected an operator or the end', 1, 3, "z" * 20),
        ("SWITCH(1;2;3)", 'Unexpected "2": expected SWITCH_CASE(…)', 1, 10, "2;3)"),
        ("SWITCH", 'The formula ends too early: expected "("', 1, 7, ""),
        ("1 & 2", 'Unexpected character "&"', 1, 3, "& 2"),
        ('ORDER_METADATA("n', 'Text without its closing "', 1, 16, '"n'),
        ("2 * ORDER_AMUONT", 'Unknown name "ORDER_AMUONT"; did you mean ORDER_AMOUNT?', 1, 5, "ORDER_AMUONT"),
        ("2 * zq(1)", 'Unknown name "zq"', 1, 5, "zq(1)"),
        ("ORDER_AMOUNT(1)", "ORDER_AMOUNT takes no arguments", 1, 1, "ORDER_AMOUNT(1)"),
        ("MAX", "MAX is a function and needs its arguments in parentheses", 1, 1, "MAX"),
        ("MAX(1)", "MAX takes at least 2 arguments, separated by semicolons, but has 1", 1, 1, "MAX(1)"),
        ("IF(1;2)", "IF takes 3 arguments, separated by semicolons, but has 2", 1, 1, "IF(1;2)"),
        ("MONTH()", "MONTH takes 1 argument, separated by semicolons, but has 0", 1, 1, "MONTH()"),
        ("FLOOR(1;2;3)", "FLOOR takes 1 or 2 arguments, separated by semicolons, but has 3", 1, 1, "FLOOR(1;2;3)"),
        (
            "ORDER_METADATA",
            'ORDER_METADATA needs a text in parentheses, as in ORDER_METADATA("…")',
            1,
            1,
            "ORDER_METADATA",
        ),
        ("DATE(1)", 'DATE takes one text in quotes, as in DATE("…")', 1, 1, "DATE(1)"),
        ('DATE("2026-02-30")', "DATE needs an existing date written as YYYY-MM-DD", 1, 6, '"2026-02-30")'),
        ('DATE_TIME("now")', "DATE_TIME needs an existing date written as YYYY-MM-DDTHH:mm:ssZ", 1, 11, '"now")'),
        ("1" * 31, "A number cannot have more than 30 digits", 1, 1, "1" * 20),
        (
            "1" + "+1" * 500,
            "A formula cannot have more than 1000 numbers, names, texts, operators and brackets",
            1,
            1001,
            "1",
        ),
        ("1" + "0" * 5000, "A formula cannot be longer than 5000 characters", 1, 5001, "0"),
        (
            "IF(1 > 0;" * 64 + "1" + ";2)" * 64,
            "A formula cannot nest deeper than 64 levels",
            1,
            562,
            "1 > 0;IF(1 > 0;1;2);",
        ),
    ],
)
def test_what_is_no_formula_is_refused_with_its_place(
    text: str, problem: str, line: int, column: int, near: str
) -> None:
    with pytest.raises(FormulaError) as refused:
        compile_formula(text)
    assert refused.value.message == str(refused.value) == f"{problem} (line {line}, column {column})"
    assert (refused.value.line, refused.value.column, refused.value.near) == (line, column, near)
    assert text[refused.value.index :].startswith(near)


def test_a_formula_names_the_facts_it_asks_for_and_is_compiled_once() -> None:
    text = 'IF(ORDER_AMOUNT > 3;PUBLICATION_METADATA("wave");VOUCHER_PUBLISH_COUNT) * ORDER_AMOUNT'
    assert compile_formula(text).operands == {"ORDER_AMOUNT", "PUBLICATION_METADATA", "VOUCHER_PUBLISH_COUNT"}
    assert compile_formula(text) is compile_formula(text)


def test_results_are_rounded_for_their_use_and_never_negative() -> None:
    assert minor_units(Fraction("5.25")) == 525
    assert minor_units(Fraction("1.06")) == 106
    assert minor_units(Fraction("0.005")) == 1
    assert minor_units(Fraction(-3)) == 0
    assert (percent(Fraction(130)), percent(Fraction(1, 3)), percent(Fraction(-1))) == (100, Fraction(1, 3), 0)
    assert (units(Fraction("2.9")), units(Fraction(-1))) == (2, 0)
    assert (whole(Fraction("157.5")), whole(Fraction("52.5"))) == (158, 53)
    assert (whole(Fraction("12.4")), whole(Fraction(-2))) == (12, 0)
