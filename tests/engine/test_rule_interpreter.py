"""Compiled rules say what a naive reading of them says: on random rules, carts and customers."""

from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from largesse.engine.cart import Cart
from largesse.engine.customer import CustomerFacts
from largesse.engine.logic import Every, Leaf, Logic, parse_logic
from largesse.engine.order import Line, Order
from largesse.engine.rules import Count, compile_rules, explain
from tests.engine.carts import Collection
from tests.engine.ruled import UTC_FACTS

COLLECTIONS = {"pc_ab": Collection("prod_a", "prod_b"), "pc_s": Collection("sku_s")}
IN = {"pc_ab": ("prod_a", "prod_b"), "pc_s": ("sku_s",)}
TODAY = 18  # of March 2026, a Wednesday, as UTC_FACTS have it


# A naive reading


def compares(operator: str, value: Any, wanted: list[Any]) -> bool:
    """One operator on a property that is missing, a number, a text or an array of texts."""
    elements = [] if value is None else value if isinstance(value, list) else [value]
    match operator:
        case "$is":
            return set(elements) == set(wanted) if isinstance(value, list) else value in wanted
        case "$is_not":
            return not compares("$is", value, wanted)
        case "$in":
            return any(one in wanted for one in elements)
        case "$not_in" | "$not_intersect":
            return not compares("$in", value, wanted)
        case "$more_than":
            return any(isinstance(one, int) and all(one > bound for bound in wanted) for one in elements)
        case "$less_than":
            return any(isinstance(one, int) and all(one < bound for bound in wanted) for one in elements)
        case "$more_than_or_equal":
            return any(isinstance(one, int) and all(one >= bound for bound in wanted) for one in elements)
        case "$less_than_or_equal":
            return any(isinstance(one, int) and all(one <= bound for bound in wanted) for one in elements)
        case "$starts_with":
            return any(one.startswith(tuple(wanted)) for one in elements)
        case "$ends_with":
            return any(one.endswith(tuple(wanted)) for one in elements)
        case "$contains":
            if isinstance(value, list):
                return all(one in value for one in wanted)
            return isinstance(value, str) and any(one in value for one in wanted)
        case "$not_contain":
            if isinstance(value, list):
                return not any(one in value for one in wanted)
            return not (isinstance(value, str) and any(one in value for one in wanted))
        case "$not_differ":
            return value is not None and all(one in wanted for one in elements)
        case "$count":
            return len(elements) == wanted[0]
        case "$count_more":
            return len(elements) > wanted[0]
        case "$count_less":
            return len(elements) < wanted[0]
        case "$has_value":
            return value is not None
        case "$is_unknown":
            return value is None
    # Dates of March 2026: days from then to today.
    age = TODAY - int(value[-2:])
    match operator:
        case "$more_than_ago":
            return age > wanted[0]
        case "$less_than_ago":
            return 0 < age < wanted[0]
        case "$is_days_ago":
            return age in wanted
        case "$more_than_future":
            return -age > wanted[0]
        case "$less_than_future":
            return 0 < -age < wanted[0]
        case "$is_days_in_future":
            return -age in wanted
        case _:
            assert operator == "$dow"
            return (3 - age) % 7 in wanted  # today is a Wednesday


def meets(conditions: dict[str, Any], value: Any) -> bool:
    return all(compares(operator, value, wanted) for operator, wanted in conditions.items())


def named(line: Line, members: list[dict[str, str]]) -> bool:
    found = {line.product_id, line.sku_id}
    return any(
        one["id"] in found if one["object"] != "products_collection" else not found.isdisjoint(IN[one["id"]])
        for one in members
    )


def sub_rule(part: dict[str, Any], line: Line, matched: list[Line]) -> bool:
    values: dict[str, Callable[[], Any]] = {
        "price": lambda: line.price,
        "quantity": lambda: line.quantity,
        "metadata": lambda: (line.metadata or {}).get("color"),
        "aggregated_quantity": lambda: sum(one.quantity for one in matched),
        "aggregated_amount": lambda: sum(one.amount or 0 for one in matched),
    }
    return meets(part["conditions"], values[part["name"].rpartition(".")[2]]())


def on_items(leaf: dict[str, Any], lines: list[Line]) -> bool:
    source = leaf["conditions"].get("$from")
    candidates = [line for line in lines if source is None or named(line, source)]
    which = leaf["name"].rpartition(".")[2]
    if which in ("cheapest", "most_expensive") and candidates:
        best = (min if which == "cheapest" else max)(line.price or 0 for line in candidates)
        candidates = [line for line in candidates if line.price == best]
    wanted = leaf["conditions"].get("$is")
    matched = [line for line in candidates if wanted is None or named(line, wanted)]
    parts = leaf.get("rules") or {}
    logic = parse_logic(parts["logic"]) if parts else None

    def holds(line: Line) -> bool:
        return logic is None or true(logic, lambda key: sub_rule(parts[key], line, matched))

    if which == "none":
        return not matched
    if which == "any":
        return any(holds(line) for line in matched)
    whole = len(matched) == len(lines) if which == "every" else True
    return bool(matched) and whole and all(holds(line) for line in matched)


def holds(leaf: dict[str, Any], order: Order, customer: CustomerFacts, sums: dict[Count, int]) -> bool:
    lines = list(order.lines or ())
    match leaf["name"]:
        case "customer.metadata":
            return meets(leaf["conditions"], customer.metadata.get(leaf["property"]))
        case "order.amount":
            return meets(leaf["conditions"], order.amount)
        case "order.items.count":
            return meets(leaf["conditions"], sum(line.quantity for line in lines))
        case "order.items.price_any":
            return any(meets(leaf["conditions"], line.price) for line in lines)
        case "order.items.price_each":
            return all(meets(leaf["conditions"], line.price) for line in lines)
        case "order.items.metadata_any":
            return any(meets(leaf["conditions"], (line.metadata or {}).get("color")) for line in lines)
        case "redemption.count.weekly":
            return meets(leaf["conditions"], sums[Count("itself", period="weekly")])
    return on_items(leaf, lines)


def true(logic: Logic, holds: Callable[[str], bool]) -> bool:
    if isinstance(logic, Leaf):
        return holds(logic.key)
    parts = [true(part, holds) for part in logic.parts]
    return all(parts) if isinstance(logic, Every) else any(parts)


def blamed(logic: Logic, holds: Callable[[str], bool]) -> list[str]:
    """The false leaves of failing parts, from the left."""
    if true(logic, holds):
        return []
    if isinstance(logic, Leaf):
        return [logic.key]
    return [key for part in logic.parts for key in blamed(part, holds)]


# Anything that can be written

_letters = st.sampled_from(["a", "ab", "b", "ba"])
_numbers = st.integers(0, 6)


def conditions(operators: list[str], values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    some = st.lists(values, min_size=1, max_size=2)
    return st.dictionaries(st.sampled_from(operators), some, min_size=1, max_size=2)


_ORDERS = ["$more_than", "$less_than", "$more_than_or_equal", "$less_than_or_equal"]
_SAME = ["$is", "$is_not", "$in", "$not_in", "$has_value", "$is_unknown"]
_TEXTS = ["$starts_with", "$ends_with", "$contains", "$not_contain"]
_SETS = ["$not_intersect", "$not_differ", "$contains", "$not_contain"]
_AGES = [
    "$more_than_ago",
    "$less_than_ago",
    "$is_days_ago",
    "$more_than_future",
    "$less_than_future",
    "$is_days_in_future",
]
of_number = conditions(_SAME + _ORDERS, _numbers)
of_text = conditions(_SAME + _TEXTS + _SETS, _letters)
of_array = st.one_of(of_text, conditions(["$count", "$count_more", "$count_less"], st.integers(0, 3)))
of_date = st.one_of(conditions(_AGES, st.integers(0, 9)), conditions(["$dow"], _numbers))


def leaf(name: str, written: st.SearchStrategy[dict[str, Any]], prop: str | None = None) -> st.SearchStrategy[Any]:
    found: dict[str, Any] = {"name": st.just(name), "conditions": written}
    return st.fixed_dictionaries(found if prop is None else found | {"property": st.just(prop)})


@st.composite
def logics(draw: st.DrawFn, count: int) -> str:
    """A logic string that names some of the keys 1 to `count`."""
    found = str(draw(st.integers(1, count)))
    for _ in range(draw(st.integers(0, 4))):
        other, word = draw(st.integers(1, count)), draw(st.sampled_from(["and", "or", "AND", "Or"]))
        found = draw(
            st.sampled_from([f"{found} {word} {other}", f"({found}) {word} {other}", f"{other} {word} ({found})"])
        )
    return found


_members = st.lists(
    st.sampled_from(
        [{"id": id, "object": "product"} for id in ("prod_a", "prod_b", "prod_c")]
        + [{"id": "sku_s", "object": "sku"}]
        + [{"id": id, "object": "products_collection"} for id in IN]
    ),
    min_size=1,
    max_size=2,
)
_parts = st.one_of(
    *(
        leaf(f"order.items.{one}", of_number)
        for one in ("price", "quantity", "aggregated_quantity", "aggregated_amount")
    ),
    leaf("order.items.metadata", of_text, "color"),
)


@st.composite
def of_items(draw: st.DrawFn) -> dict[str, Any]:
    which = draw(st.sampled_from(["any", "every", "none", "cheapest", "most_expensive"]))
    found: dict[str, Any] = {"name": f"order.items.{which}", "conditions": {}}
    for operator in draw(st.lists(st.sampled_from(["$is", "$from"]), unique=True)):
        found["conditions"][operator] = draw(_members)
    if which != "none" and draw(st.booleans()):
        parts = draw(st.lists(_parts, min_size=1, max_size=3))
        found["rules"] = {str(place): part for place, part in enumerate(parts, 1)}
        found["rules"]["logic"] = draw(logics(len(parts)))
    return found


_leaves = st.one_of(
    leaf("customer.metadata", of_number, "age"),
    leaf("customer.metadata", of_text, "word"),
    leaf("customer.metadata", of_array, "tags"),
    leaf("customer.metadata", of_date, "joined"),
    leaf("order.amount", of_number),
    leaf("order.items.count", of_number),
    leaf("order.items.price_any", of_number),
    leaf("order.items.price_each", of_number),
    leaf("order.items.metadata_any", of_text, "color"),
    leaf("redemption.count.weekly", of_number),
    of_items(),
)
_lines = st.builds(
    lambda item, price, quantity, color: Line(
        product_id=f"prod_{item}" if item != "s" else "prod_a",
        sku_id="sku_s" if item == "s" else None,
        price=price,
        quantity=quantity,
        amount=price * quantity,
        metadata={"color": color} if color else None,
    ),
    st.sampled_from("abcs"),
    st.integers(0, 4),
    st.integers(1, 3),
    _letters | st.none(),
)
_customers = st.builds(
    lambda **metadata: CustomerFacts("cust_1", {key: value for key, value in metadata.items() if value is not None}),
    age=_numbers | st.none(),
    word=_letters | st.none(),
    tags=st.lists(_letters, max_size=3) | st.none(),
    joined=st.integers(10, 28).map(lambda day: f"2026-03-{day}"),
)


@st.composite
def rules(draw: st.DrawFn) -> dict[str, Any]:
    leaves = draw(st.lists(_leaves, min_size=1, max_size=5))
    found: dict[str, Any] = {str(key): {**one, "error": {"message": str(key)}} for key, one in enumerate(leaves, 1)}
    return found | {"logic": draw(logics(len(leaves)))}


@settings(deadline=None, max_examples=600)
@given(rules(), st.lists(_lines, min_size=1, max_size=4), _customers, _numbers)
def test_compiled_rules_say_what_a_naive_reading_says(
    document: dict[str, Any], lines: list[Line], customer: CustomerFacts, counted: int
) -> None:
    order = Order(amount=sum(line.amount or 0 for line in lines), lines=tuple(lines))
    sums = {Count("itself", period="weekly"): counted}
    facts = msgspec.structs.replace(
        UTC_FACTS,
        order=order,
        customer=customer,
        cart_of=lambda order: Cart(order.lines or (), COLLECTIONS),
        counted=sums.__getitem__,
    )
    compiled = compile_rules(document)
    assert compiled is not None
    logic = parse_logic(document["logic"])
    wrong = blamed(logic, lambda key: holds(document[key], order, customer, sums))
    violation = compiled.blame(facts)
    assert (violation.message if violation else None) == (wrong[0] if wrong else None)
    assert [one.key for one in explain(compiled, facts, sums.get)] == list(dict.fromkeys(wrong))
