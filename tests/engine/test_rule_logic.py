"""Conditions together: how they are joined, which one is blamed, what is missing, and what is no rule at all."""

from typing import Any

import pytest

from largesse.engine.benefits import ApplicableTo, RuleSet
from largesse.engine.order import Order
from largesse.engine.rules import RuleFault, compile_rules
from tests.engine.carts import (
    ask,
    bundle,
    card,
    goods,
    keys,
)
from tests.engine.ruled import (
    CART,
    MUG,
    coupon,
    holds,
    item,
    judged,
    leaf,
    rule_set,
    rules,
    sub,
)

YES, NO = leaf("order.amount", {"$more_than": [0]}), leaf("order.amount", {"$less_than": [0]})
NOT_ANN = leaf("customer.metadata", {"$is": [1]}, "age")
ELSEWHERE = leaf("redemption.metadata", {"$is": ["x"]}, "channel")


@pytest.mark.parametrize(
    ("logic", "leaves", "expected"),
    [
        ("1 or 2 and 3", (YES, YES, NO), True),
        ("1 or 2 and 3", (NO, YES, NO), False),
        ("(1 or 2) and 3", (YES, YES, NO), False),
        ("1 or 2", (YES, NO, NO), True),
        (None, (YES, NO), False),
        ("  ", (YES, YES), True),
    ],
)
def test_leaves_are_joined_by_logic(logic: str | None, leaves: tuple[dict[str, Any], ...], expected: bool) -> None:
    assert judged(CART, coupon(rule_set(*leaves, logic=logic))).valid is expected


@pytest.mark.parametrize("document", [{}, {"logic": ""}])
def test_a_rule_without_leaves_has_no_conditions(document: dict[str, Any]) -> None:
    assert compile_rules(document) is None


@pytest.mark.parametrize(
    ("logic", "leaves", "key"),
    [
        ("1 and 2", (NOT_ANN, ELSEWHERE), "customer_rules_violated"),
        ("1 or 2", (ELSEWHERE, NOT_ANN), "redemption_rules_violated"),
        ("(1 or 2) and 3", (NOT_ANN, YES, ELSEWHERE), "redemption_rules_violated"),
        ("(1 and 2) or 3", (YES, ELSEWHERE, NO), "redemption_rules_violated"),
    ],
)
def test_the_leftmost_false_leaf_of_a_failing_part_is_blamed(
    logic: str, leaves: tuple[dict[str, Any], ...], key: str
) -> None:
    assert keys(judged(CART, coupon(rule_set(*leaves, logic=logic)))) == [key]


def test_a_leaf_speaks_for_itself_before_its_rule_does() -> None:
    first = {**NOT_ANN, "error": {"message": "Not you"}}
    for failing, words in ((first, "Not you"), (NO, "Not now")):
        decision = judged(CART, coupon(rule_set(failing, message="Not now")))
        refusal = decision.outcomes[0].refusal
        assert refusal is not None
        assert refusal.error is not None
        assert refusal.error.message == words


def test_all_rules_must_hold_and_all_violated_ones_are_named() -> None:
    sets = (rule_set(YES, id="val_a"), rule_set(NO, id="val_b"), bundle(("prod_hat", 1)), rule_set(NOT_ANN, id="val_c"))
    decision = judged(CART, coupon(*sets))
    refusal = decision.outcomes[0].refusal
    assert refusal is not None
    assert refusal.key == "order_rules_violated"
    assert str(refusal.details).endswith("rules: val_b, val_b, val_c")
    assert decision.outcomes[0].bundle is not None


def test_rules_come_after_the_balance_and_what_is_missing_before_it() -> None:
    sets = rule_set(NO)
    assert keys(judged(CART, ask(card(100), 200, None, sets))) == ["gift_amount_exceeded"]
    of_ann = rule_set(NOT_ANN)
    assert keys(judged(CART, ask(card(100), 200, None, of_ann), customer=None)) == ["missing_customer"]


@pytest.mark.parametrize(
    ("one", "order", "key"),
    [
        (NOT_ANN, CART, "missing_customer"),
        (YES, None, "missing_order"),
        (YES, Order(), "missing_amount"),
        (leaf("order.metadata", {"$is_unknown": ""}, "x"), None, "missing_order"),
        (item("none", MUG), Order(amount=5), "missing_order_items"),
        (item("none", MUG), Order(amount=5, lines=()), "missing_order_items"),
        (leaf("publication.redeemable_by_linked_customer", {"$is": "true"}), CART, "missing_customer"),
    ],
)
def test_a_rule_needs_what_it_looks_at(one: dict[str, Any], order: Order | None, key: str) -> None:
    indifferent = leaf("redemption.metadata", {"$is_unknown": ""}, "x")
    asked = coupon(rule_set(indifferent, one, logic="1 or 2"))
    assert keys(judged(order, asked, customer=None)) == [key]


def test_leaves_that_the_logic_does_not_name_need_nothing() -> None:
    asked = coupon(rule_set(leaf("redemption.metadata", {"$is_unknown": ""}, "x"), NOT_ANN, logic="1"))
    assert judged(None, asked, customer=None).valid


def test_a_rule_on_products_alone_is_no_condition() -> None:
    assert judged(None, coupon(RuleSet(id="val_1", applicable_to=ApplicableTo()))).valid


# What is refused when it is written


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"1": 5}, "rules.1 should be an object with a 'name'"),
        ({"1": {"name": 5}}, "rules.1 should be an object with a 'name'"),
        (rules(leaf("order.colour", {"$is": ["x"]})), "unknown name 'order.colour'; known are "),
        (rules(leaf("customer.segment")), "rules.1.conditions should have at least one operator"),
        (rules(leaf("customer.segment", {"$contains": ["seg_1"]})), "unknown operator '$contains' for customer.segment"),
        (rules(leaf("customer.segment", {"$is": [5]})), "rules.1.conditions.$is should be an id, or an object with an id"),
        (rules(leaf("product.discount_applicable", {"$is": ["prod_mug"]})), "should be the operator $is with true"),
        (rules(leaf("custom_event.metadata", {"$is": [1]})), "Rule 'custom_event.metadata' must have a 'property'"),
        (rules(leaf("order.amount")), "rules.1.conditions should have at least one operator"),
        (rules(leaf("order.amount", {"$starts_with": ["1"]})), "unknown operator '$starts_with' for order.amount; known are"),
        (rules(leaf("order.amount", {"$is": ["x"]})), "rules.1.conditions.$is should be a number"),
        (rules(leaf("order.amount", {"$is": [None]})), "rules.1.conditions.$is should not contain null"),
        (rules(leaf("order.amount", {"$more_than": []})), "should have at least one value"),
        (rules(leaf("order.amount", {"$is": [1] * 10_001})), "should not have more than 10000 values"),
        (rules({"name": "order.amount", "conditions": []}), "rules.1.conditions should be object"),
        (rules(leaf("order.amount", {"$is": [1]}, rules=rules(YES))), "rules.1.rules should be empty for order.amount"),
        (rules(leaf("order.amount", {"$is": [1]}, error="no")), "rules.1.error should be an object"),
        (rules(leaf("customer.metadata", {"$is": ["x"]})), "Rule 'customer.metadata' must have a 'property'"),
        (rules(leaf("customer.metadata", {"$is": ["x"]}, "")), "must have a 'property'"),
        (rules(leaf("customer.metadata", {"$more_than": ["x"]}, "p")), "should be a number, or a date"),
        (rules(leaf("customer.metadata", {"$after": [5]}, "p")), "should be a date or date-time in ISO 8601"),
        (rules(leaf("customer.metadata", {"$after": ["2026-02-30"]}, "p")), "should be a date or date-time in ISO 8601"),
        (rules(leaf("customer.metadata", {"$after": []}, "p")), "should have at least one value"),
        (rules(leaf("customer.metadata", {"$dow": [7]}, "p")), "should be an integer from 0 to 6"),
        (rules(leaf("customer.metadata", {"$is_days_ago": [1.5]}, "p")), "should be an integer from 0 to"),
        (rules(leaf("customer.metadata", {"$count": [-1]}, "p")), "should be an integer from 0 to"),
        (rules(leaf("customer.metadata", {"$contains": []}, "p")), "should have at least one value"),
        (rules(leaf("customer.metadata", {"$starts_with": [5]}, "p")), "should be text"),
        (rules(leaf("customer.metadata", {"$timeframe": ["x"]}, "p")), "should be 'start;interval;duration'"),
        (rules(leaf("customer.metadata", {"$timeframe": ["2026-01-01;PT0S;P1D"]}, "p")), "should be 'start;interval;duration'"),
        (rules(leaf("customer.metadata", {"$timeframe_absolute": [5]}, "p")), "should be 'from;to'"),
        (rules(leaf("customer.metadata", {"$timeframe_daily_hours": [5]}, "p")), "should be 'HH:MM;HH:MM;days'"),
        (rules(leaf("customer.metadata", {"$timeframe_daily_hours": ["9;17"]}, "p")), "should be 'HH:MM;HH:MM;days'"),
        (rules(leaf("redemption.api_key", {"$is": [5]})), "rules.1.conditions should be an id"),
        (rules(leaf("redemption.api_key", {"$more_than": ["app"]})), "unknown operator '$more_than'"),
        (rules(leaf("publication.redeemable_by_linked_customer", {"$is": [False]})), "should be the operator $is with true"),
        (rules(leaf("order.items.any", {"$more_than": [MUG]})), "unknown operator '$more_than' for order.items.any"),
        (rules(leaf("order.items.any", {"$is": []})), "rules.1.conditions.$is should have at least one value"),
        (rules(leaf("order.items.any", {"$is": [{"id": 5}]})), "rules.1.conditions.$is should be an id"),
        (rules(leaf("order.items.any", {"$is": [{"id": "x", "object": "shop"}]})), "should name objects of one of product"),
        (rules(item("any", MUG, subs=(YES,))), "rules.1.rules.1: 'order.amount' cannot be a sub-rule here"),
        (rules(leaf("order.items.any", {}, rules=[1])), "rules.1.rules should be object"),
        (rules(item("any", MUG, subs=(sub("price", {"$is": 1}),), logic="1 and")), "rules.1.rules.logic"),
        (rules(item("none", MUG, subs=(sub("price", {"$is": 1}),))), "rules.1.rules should be empty"),
        (rules(leaf("product.id")), "should have one operator"),
        (rules(leaf("sku.id", {"$is_not": ["x"]}, rules=rules(leaf("sku.price", {"$is": 1})))), "rules.1.rules should be empty"),
        (rules(YES, logic="1 not 2"), "rules.logic"),
        (rules(YES, logic="3"), "rules.logic: '3' is no key of the rule; it has 1"),
        ({"1": YES, "logic": 5}, "rules.logic should be string"),
        ({"and": YES}, "'and' cannot be a key of a rule"),
        (rules(*[YES] * 1001), "rules cannot have more than 1000 conditions"),
    ],
)  # fmt: skip
def test_what_cannot_be_judged_is_refused_with_its_place(document: dict[str, Any], words: str) -> None:
    with pytest.raises(RuleFault) as refused:
        compile_rules(document)
    assert words in str(refused.value)


def test_goods_by_name_are_found_too() -> None:
    assert holds(item("any", "prod_mug"), goods(("prod_mug", 1, 1)))
