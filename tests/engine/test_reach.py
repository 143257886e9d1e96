"""What answers say of a benefit's reach: entries it applies to and not, with the lines and units they mean."""

from decimal import Decimal
from typing import Any

from largesse.engine.decision import Outcome
from largesse.engine.order import Line, Order
from tests.engine.carts import (
    Collection,
    amount_off,
    ask,
    card,
    code,
    decided,
    entry,
    fixed,
    goods,
    percent_off,
    rule,
)

ITEMS, BY_QUANTITY = "APPLY_TO_ITEMS", "APPLY_TO_ITEMS_BY_QUANTITY"
EVERY = "APPLY_TO_EVERY"
CART = goods(("tee", 2000, 3), ("poster", 1500, 5), ("mug", 1000, 2), ("socks", 500, 4), ("bottle", 2500, 2))
WEAR = {"pc": Collection("tee", "poster", "mug", "socks")}


def outcome(order: Order | None, discount: Any, *rules: Any) -> Outcome:
    decision = decided(order, ask(code(discount), None, None, *rules), collections=WEAR)
    assert decision.valid
    return decision.outcomes[0]


def product(id: str, **more: Any) -> dict[str, Any]:
    return {"object": "product", "id": id, "strict": False, "effect": EVERY} | more


def test_nothing_is_said_without_a_product_definition() -> None:
    for rules in ((), (rule(included_all=True),)):
        found = outcome(CART, percent_off(10, effect=ITEMS), *rules)
        assert (found.applicable_to, found.inapplicable_to) == ((), ())


def test_entries_are_said_as_defined_with_their_lines() -> None:
    rules = rule(
        entry("mug", quantity_limit=1, price=Decimal("99.5")),
        entry("hat", source_id="h-1"),
        "tee",
        excluded=("bottle", "cap"),
    )
    found = outcome(CART, fixed(10, effect=ITEMS), rules)
    assert found.applicable_to == (
        product("mug", quantity_limit=1, price=Decimal("99.5"), order_item_indices=[2]),
        product("hat", source_id="h-1"),
        product("tee", order_item_indices=[0]),
    )
    assert found.inapplicable_to == (product("bottle", order_item_indices=[4]), product("cap"))


def test_an_order_level_benefit_names_no_lines() -> None:
    for discount in (percent_off(10, effect="APPLY_TO_ORDER"), None):
        found = outcome(CART, discount, rule("mug"))
        assert found.applicable_to == (product("mug"),)
    assert outcome(None, percent_off(10), rule("mug")).applicable_to == (product("mug"),)
    paid = decided(CART, ask(card(5), None, None, rule("mug"))).outcomes[0]
    assert paid.applicable_to == (product("mug"),)


def test_a_collection_is_said_with_its_products_in_the_cart() -> None:
    rules = rule(
        entry("pc", "products_collection", effect="APPLY_FROM_MOST_EXPENSIVE", skip_initially=1, repeat=2),
        excluded=("tee",),
    )
    found = outcome(CART, amount_off(500, effect=ITEMS), rules)
    effect = "APPLY_FROM_MOST_EXPENSIVE"
    assert found.applicable_to == (
        {
            "object": "products_collection",
            "id": "pc",
            "strict": False,
            "effect": effect,
            "skip_initially": 1,
            "repeat": 2,
            "order_item_indices": [2],
        },
        {"object": "product", "id": "poster", "strict": True, "effect": effect},
        {"object": "product", "id": "mug", "strict": True, "effect": effect, "order_item_indices": [2]},
        {"object": "product", "id": "socks", "strict": True, "effect": effect},
    )
    assert found.inapplicable_to == (product("tee", order_item_indices=[0]),)


def test_two_collections_each_say_the_products_they_govern() -> None:
    two = {"pc": Collection("tee", "mug"), "pc_2": Collection("mug", "socks")}
    rules = rule(entry("pc", "products_collection"), entry("pc_2", "products_collection"))
    asked = ask(code(percent_off(10, effect=ITEMS)), None, None, rules)
    found = decided(CART, asked, collections=two).outcomes[0]
    assert [one["id"] for one in found.applicable_to] == ["pc", "tee", "mug", "pc_2", "socks"]


def test_lines_come_in_order_of_application() -> None:
    rules = rule(entry("pc", "products_collection", effect="APPLY_FROM_MOST_EXPENSIVE", skip_initially=1, repeat=2))
    assert outcome(CART, amount_off(500, effect=ITEMS), rules).applicable_to[0]["order_item_indices"] == [1, 3]


def test_units_are_counted_from_one_within_their_line() -> None:
    rules = rule(
        entry(
            "pc",
            "products_collection",
            effect="APPLY_FROM_MOST_EXPENSIVE",
            skip_initially=1,
            repeat=2,
            target="UNIT",
        )
    )
    found = outcome(CART, amount_off(500, effect=BY_QUANTITY), rules)
    assert found.applicable_to[0]["order_item_units"] == [
        {"index": 0, "units": [2]},
        {"index": 1, "units": [1, 3, 5]},
        {"index": 2, "units": [2]},
        {"index": 3, "units": [2, 4]},
    ]
    assert found.applicable_to[2] == {
        "object": "product",
        "id": "poster",
        "strict": True,
        "effect": "APPLY_FROM_MOST_EXPENSIVE",
        "order_item_units": [{"index": 1, "units": [1, 3, 5]}],
    }


def test_more_than_a_thousand_units_are_not_counted_out() -> None:
    rules = rule(entry("tee", target="UNIT", repeat=2))
    for quantity, shown in ((1000, {"units": list(range(1, 1001, 2))}), (1001, {"units_limit_exceeded": True})):
        found = outcome(goods(("tee", 100, quantity)), percent_off(10, effect=ITEMS), rules)
        assert found.applicable_to[0]["order_item_units"] == [{"index": 0, **shown}]
        assert found.order is not None
        assert found.order.items_discount_amount == (quantity + 1) // 2 * 10


def test_lines_that_name_no_product_are_said_by_their_sku_or_source() -> None:
    lines = (Line(sku_id="s", price=1, amount=1), Line(source_id="x", price=1, amount=1))
    everything = type("All", (), {"holds": lambda _self, _line: True})()
    rules = rule(entry("pc", "products_collection"))
    asked = ask(code(percent_off(100, effect=ITEMS)), None, None, rules)
    found = decided(Order(amount=2, lines=lines), asked, collections={"pc": everything}).outcomes[0]
    assert [(one["object"], one["id"]) for one in found.applicable_to[1:]] == [("sku", "s"), ("product", "x")]


def test_two_redeemables_of_the_same_rules_see_the_lines_they_take() -> None:
    rules = rule(entry("pc", "products_collection", effect="APPLY_TO_CHEAPEST"))
    order = goods(("tee", 1000, 2), ("mug", 1000, 2))
    asks = [ask(code(amount_off(100, effect=ITEMS), f"v_{place}"), None, None, rules) for place in range(3)]
    decision = decided(order, *asks, collections=WEAR)
    assert [one.applicable_to[0]["order_item_indices"] for one in decision.outcomes] == [[0], [0], [0]]
    rules = rule(entry("pc", "products_collection", effect="APPLY_TO_MOST_EXPENSIVE", skip_initially=3))
    two = ask(code(percent_off(5, effect=ITEMS)), None, None, rules), ask(code(None, "v_2"), None, None, rules)
    decision = decided(order, *two, collections=WEAR)
    assert [len(one.applicable_to) for one in decision.outcomes] == [3, 3]
    assert ["order_item_indices" in one.applicable_to[0] for one in decision.outcomes] == [True, False]


def test_a_collection_is_the_same_for_every_rule_set() -> None:
    some = rule(entry("pc", "products_collection")), rule(entry("pc", "products_collection"), excluded=("tee",))
    asks = [ask(code(percent_off(10, effect=ITEMS), f"v_{place}"), None, None, one) for place, one in enumerate(some)]
    found = decided(CART, *asks, collections=WEAR).outcomes
    assert [one.applicable_to[0]["order_item_indices"] for one in found] == [[0, 1, 2, 3], [1, 2, 3]]
