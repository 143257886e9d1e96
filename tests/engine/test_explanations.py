"""Explanations of rules: which conditions failed, what they wanted and what they found."""

from typing import Any

import pytest

from largesse.engine.benefits import BundleComponent, BundleRules, RuleSet
from largesse.engine.customer import CustomerFacts
from largesse.engine.explanation import Counter, Explanation, Failed
from largesse.engine.order import Order
from largesse.engine.tallies import Tallies, Tally
from tests.engine.ruled import BOTTLE, CART, MUG, PC_WEAR, SHIRT, coupon, item, judged, leaf, rule_set, sub


def explained(*sets: RuleSet, order: Order | None = CART, **more: Any) -> list[Explanation]:
    refusal = judged(order, coupon(*sets), explains=True, **more).outcomes[0].refusal
    assert refusal is not None
    assert refusal.explanation is not None
    return refusal.explanation


def failed(*leaves: dict[str, Any], logic: str | None = None, **more: Any) -> list[Failed]:
    [found] = explained(rule_set(*leaves, logic=logic), **more)
    return found.failed


def line(index: int, product: str, price: int, quantity: int, sku: str | None = None) -> dict[str, Any]:
    return {"index": index, "product_id": product, "sku_id": sku, "price": price, "quantity": quantity}


MUGS, SHIRTS, BOTTLES = (
    line(0, "prod_mug", 1000, 2),
    line(1, "prod_shirt", 2000, 3, "sku_m"),
    line(2, "prod_bottle", 2500, 1),
)


@pytest.mark.parametrize(
    ("one", "condition", "expected", "actual"),
    [
        (leaf("order.amount", {"$less_than": [10_500]}), "$less_than", [10_500], 10_500),
        (leaf("order.initial_amount", {"$is": "5"}), "$is", ["5"], 10_500),
        (leaf("order.total_amount", {"$more_than": [20_000]}), "$more_than", [20_000], 10_499),
        (leaf("order.amount", {"$more_than": [1], "$less_than": [2]}), "$less_than", [2], 10_500),
        (leaf("order.metadata", {"$is": ["x"]}, "location"), "$is", ["x"], "Santorini"),
        (leaf("order.metadata", {"$is": ["x"]}, "zone"), "$is", ["x"], None),
        (leaf("order.items.count", {"$is": [5]}), "$is", [5], 6),
        (leaf("order.items.price_any", {"$is": [5]}), "$is", [5], [1000, 2000, 2500]),
        (leaf("order.items.price_each", {"$is": [1000]}), "$is", [1000], [1000, 2000, 2500]),
        (leaf("order.items.metadata_any", {"$is": ["blue"]}, "color"), "$is", ["blue"], [None, "red", None]),
        (leaf("customer.metadata", {"$is": [31]}, "age"), "$is", [31], 30),
        (leaf("customer.metadata", {"$is": ["x"]}, "address.zip"), "$is", ["x"], "10-001"),
        (leaf("customer.segment", {"$is": ["seg_1"]}), "$is", ["seg_1"], []),
        (leaf("redemption.metadata", {"$is": ["pos"]}, "via"), "$is", ["pos"], "web"),
        (leaf("redemption.api_key", {"$is": ["app_2"]}), "$is", ["app_2"], "app_1"),
        (leaf("redemption.user.login", {"$is": ["ann"]}), "$is", ["ann"], None),
        (leaf("redemption.reward.pay_with_points.points_used", {"$more_than": [5]}), "$more_than", [5], 0),
        (leaf("publication.redeemable_by_linked_customer", {"$is": [True]}), "$is", [True], False),
        (leaf("custom_event.metadata", {"$is_not": ["x"]}, "page"), "$is_not", ["x"], None),
        (leaf("product.price", {"$more_than": [3000]}), "$more_than", [3000], [1000, 2000, 2500]),
        (leaf("sku.quantity", {"$is": [2]}), "$is", [2], [3]),
        (leaf("product.metadata", {"$is": ["x"]}, "brand"), "$is", ["x"], [None, None, None]),
        (leaf("product.id", {"$is": ["prod_hat"]}), "$is", ["prod_hat"], []),
        (leaf("sku.id", {"$is_not": ["sku_m"]}), "$is_not", ["sku_m"], [SHIRTS]),
        (item("any", MUG, subs=(sub("quantity", {"$is": [3]}),)), "$is", [MUG], [MUGS]),
        (item("none", MUG), "$is", [MUG], [MUGS]),
        (item("every", subs=(sub("quantity", {"$is": [3]}),)), None, [], [MUGS, SHIRTS, BOTTLES]),
        (item("any", BOTTLE, source=PC_WEAR), "$is", [BOTTLE], []),
        (leaf("order.items.any", {"$from": [PC_WEAR], "$is": [SHIRT], "$not_in": [SHIRT]}), "$not_in", [SHIRT], []),
        (leaf("order.items.any", {"$is": [MUG], "$in": [SHIRT]}), "$is", [MUG], []),
    ],
)  # fmt: skip
def test_a_condition_says_what_it_wanted_and_what_it_found(
    one: dict[str, Any], condition: str | None, expected: list[Any], actual: Any
) -> None:
    [found] = failed(one, metadata={"via": "web"}, api_key="app_1")
    assert (found.key, found.name, found.property) == ("1", one["name"], one.get("property"))
    assert (found.condition, found.expected, found.actual, found.counter) == (condition, expected, actual, None)


def test_a_count_says_how_much_of_its_limit_is_used() -> None:
    used = Tallies({Tally("voucher", "v_1", "uses"): 5})
    [found] = failed(leaf("redemption.count", {"$less_than": [6]}), tallies=used)
    assert (found.actual, found.counter) == (6, Counter(limit=5, used=5, asked=1))
    [found] = failed(leaf("redemption.count", {"$more_than": [9]}), tallies=used)
    assert found.counter == Counter(limit=None, used=5, asked=1)


YES, NO = leaf("order.items.count", {"$is": [6]}), leaf("order.items.count", {"$is": [7]})


@pytest.mark.parametrize(
    ("logic", "keys"),
    [
        ("1 and 2 and 3", ["2", "3"]),
        ("(1 or 2) and 3", ["3"]),
        ("2 or 3", ["2", "3"]),
        ("2 or (1 and 3)", ["2", "3"]),
        ("3 and 3", ["3"]),
    ],
)
def test_the_false_conditions_of_failing_parts_are_named(logic: str, keys: list[str]) -> None:
    assert [one.key for one in failed(YES, NO, NO, logic=logic)] == keys


def test_each_violated_rule_is_explained() -> None:
    bundle = BundleRules((BundleComponent("product", "prod_hat", None, 1),), 1)
    sets = [
        rule_set(NO, id="val_1", name="Seven"),
        rule_set(YES, id="val_2"),
        RuleSet(id="val_3", name="Hats", bundle=bundle),
    ]
    found = explained(*sets)
    assert [(one.rule_id, one.rule_name, len(one.failed)) for one in found] == [
        ("val_1", "Seven", 1),
        ("val_3", "Hats", 0),
    ]


def test_nothing_is_explained_unless_asked_for() -> None:
    refusal = judged(CART, coupon(rule_set(NO))).outcomes[0].refusal
    assert refusal is not None
    assert refusal.explanation is None


def test_segments_are_told_as_far_as_a_condition_names_them() -> None:
    ann = CustomerFacts("cust_ann", is_in=lambda id: id in ("seg_1", "seg_9"))
    [found] = failed(leaf("customer.segment", {"$is_not": ["seg_1", "seg_2"]}), customer=ann)
    assert found.actual == ["seg_1"]
