"""Which conditions a scenario judges, and which redeemables concern the products of a cart."""

from decimal import Decimal
from typing import Any

import pytest

from largesse.engine.benefits import RuleSet
from largesse.engine.books import Ask
from largesse.engine.discounts import Discount, UnitDiscount
from largesse.engine.order import Line, Order
from largesse.engine.rules import compile_rules
from largesse.engine.scenarios import Judged, concerns_products, judged, judged_in, omitted, qualify
from largesse.engine.stacking import StackingRules
from tests.engine.carts import NOW, UTC, Collection, amount_off, ask, bundle, card, code, goods, percent_off, rule
from tests.engine.carts import Circumstances as About
from tests.engine.ruled import ANN, CART, MUG, PC_WEAR, SHIRT, item, leaf, rules, sub

ABOUT = About(rules=StackingRules(), now=NOW, zone=UTC, customer=ANN, collections={"pc_wear": Collection("prod_shirt")})
GOLD = leaf("customer.metadata", {"$is": ["gold"]}, "level")
NEVER = leaf("order.amount", {"$more_than": [10**9]})
LOCATION = leaf("order.metadata", {"$is": ["Kos"]}, "location")


def ruled(*leaves: dict[str, Any], logic: str | None = None, **more: Any) -> RuleSet:
    return RuleSet(id="val_1", conditions=compile_rules(rules(*leaves, logic=logic)), **more)


def qualifies(rule_set: RuleSet, what: Judged, order: Order | None = CART, about: About = ABOUT) -> bool:
    return qualify([ask(code(amount_off(1)), None, None, judged(rule_set, what))], order, about) is not None


@pytest.mark.parametrize(
    ("scenario", "what"),
    [
        ("ALL", "everything"),
        ("CUSTOMER_WALLET", "everything"),
        ("PROMOTION_STACKS", "everything"),
        ("AUDIENCE_ONLY", "customer"),
        ("PRODUCTS", "products"),
        ("PRODUCTS_DISCOUNT", "products"),
        ("PRODUCTS_BY_CUSTOMER", "products_and_customer"),
        ("PRODUCTS_DISCOUNT_BY_CUSTOMER", "products_and_customer"),
    ],
)
def test_what_a_scenario_judges(scenario: Any, what: Judged) -> None:
    assert judged_in(scenario) == what


@pytest.mark.parametrize(
    ("one", "judging"),
    [
        (GOLD, {"everything", "customer", "products_and_customer"}),
        (item("any", {"id": "prod_sofa"}), {"everything", "products", "products_and_customer"}),
        (LOCATION, {"everything"}),
        (leaf("order.items.count", {"$more_than": [99]}), {"everything"}),
        (NEVER, set()),
        (leaf("campaign.redemptions.count", {"$less_than": [0]}), set()),
        (leaf("campaign.redemptions.count.weekly", {"$less_than": [0]}), set()),
        (leaf("campaign.redemptions.customers_count", {"$less_than": [0]}), set()),
        (leaf("redemption.count.per_customer.daily", {"$less_than": [0]}), set()),
        (leaf("redemption.count", {"$less_than": [0]}), {"everything"}),
    ],
)
def test_a_condition_refuses_only_where_it_is_judged(one: dict[str, Any], judging: set[Judged]) -> None:
    rule_set = ruled(one)
    for what in ("everything", "customer", "products", "products_and_customer"):
        assert qualifies(rule_set, what) is (what not in judging), what
        assert omitted(rule_set, what) == ([] if what in judging else ["1"]), what


def test_a_condition_left_out_counts_as_true_in_its_logic() -> None:
    assert qualifies(ruled(NEVER, GOLD, logic="1 or 2"), "everything")
    assert not qualifies(ruled(NEVER, GOLD, logic="1 and 2"), "everything")


def test_a_rule_judged_whole_stays_as_it_is() -> None:
    rule_set = ruled(GOLD)
    assert judged(rule_set, "everything").conditions is rule_set.conditions
    assert judged(rule("prod_mug"), "customer").conditions is None
    assert omitted(rule("prod_mug"), "customer") == []


def test_a_limit_for_a_customer_needs_one_though_it_is_not_judged() -> None:
    nobody = About(rules=StackingRules(), now=NOW, zone=UTC)
    once = ruled(leaf("redemption.count.per_customer", {"$less_than": [0]}))
    assert not qualifies(once, "everything", about=nobody)
    assert qualifies(once, "products", about=nobody)


def test_only_everything_asks_for_a_complete_bundle() -> None:
    two = bundle(("prod_mug", 20))
    assert not qualifies(two, "everything")
    assert qualifies(two, "customer")
    assert qualifies(two, "customer", order=None)


@pytest.mark.parametrize("quantifier", ["any", "every", "cheapest", "most_expensive"])
def test_products_ask_for_a_line_of_what_is_named_and_no_more(quantifier: str) -> None:
    many = sub("aggregated_quantity", {"$more_than": [99]})
    assert qualifies(ruled(item(quantifier, SHIRT, subs=(many,))), "products")
    assert not qualifies(ruled(item(quantifier, {"id": "prod_sofa"}, subs=(many,))), "products")


def test_products_must_not_be_those_that_a_rule_forbids() -> None:
    assert not qualifies(ruled(item("none", SHIRT)), "products")
    assert qualifies(ruled(item("none", {"id": "prod_sofa"})), "products")


def test_tiers_of_a_stack_qualify_together_or_not_at_all() -> None:
    fine, bad = ask(code(amount_off(1), "v_1")), ask(code(amount_off(1), "v_2", active=False))
    assert qualify([fine], CART, ABOUT) is not None
    assert qualify([fine, bad], CART, ABOUT) is None


UNITS = UnitDiscount(unit_off=Decimal(1), unit_type="prod_mug", effect="ADD_NEW_ITEMS")


def concerns(asked: Ask, order: Order | None = CART, *, by_discount: bool = True) -> bool:
    return concerns_products(asked, order, ABOUT, by_discount=by_discount)


@pytest.mark.parametrize(
    ("discount", "sets", "expected"),
    [
        (amount_off(1), (), False),
        (amount_off(1, effect="APPLY_TO_ITEMS"), (), True),
        (percent_off(1), (rule("prod_mug"),), True),
        (percent_off(1), (rule("prod_sofa"),), False),
        (percent_off(1), (rule(excluded=("prod_mug",)),), True),
        (percent_off(1, effect="APPLY_TO_ORDER"), (rule("prod_mug"),), False),
        (UNITS, (), True),
        (UnitDiscount(unit_off=Decimal(1), unit_type="prod_sofa", effect="ADD_NEW_ITEMS"), (), False),
        (UnitDiscount(unit_off=Decimal(1), unit_type="pc_wear", effect="ADD_SAME_ITEMS"), (), True),
        (None, (), False),
    ],
)
def test_which_discounts_are_of_a_product_in_the_cart(
    discount: Discount | None, sets: tuple[RuleSet, ...], expected: bool
) -> None:
    assert concerns(ask(code(discount), None, None, *sets)) is expected


def test_a_gift_card_for_items_is_of_those_it_may_pay() -> None:
    assert not concerns(ask(card(100)))
    assert concerns(ask(card(100, gift_effect="APPLY_TO_ITEMS"), None, None, rule("prod_mug")))
    assert not concerns(ask(card(100, gift_effect="APPLY_TO_ITEMS"), None, None, rule("prod_sofa")))


def test_nothing_concerns_products_where_there_are_none() -> None:
    assert not concerns(ask(code(percent_off(1), rule_ids=[]), None, None, rule("prod_mug")), None)
    assert not concerns(ask(None))


@pytest.mark.parametrize(
    ("sets", "expected"),
    [
        ((ruled(item("any", MUG)),), True),
        ((ruled(item("any", {"id": "prod_sofa"})),), False),
        ((ruled(item("any")),), False),
        ((ruled(item("none", {"id": "prod_sofa"})),), False),
        ((ruled(leaf("product.id", {"$is": ["prod_mug"]})),), True),
        ((ruled(leaf("product.id", {"$is_not": ["prod_sofa"]})),), False),
        ((ruled(leaf("order.metadata", {"$is": ["Santorini"]}, "location")),), False),
        ((ruled(item("any", PC_WEAR)),), True),
        ((bundle(("prod_mug", 9)),), True),
        ((bundle(("prod_sofa", 1)),), False),
        ((rule("prod_mug"),), False),
        ((), False),
    ],
)
def test_which_rules_require_a_product_of_the_cart(sets: tuple[RuleSet, ...], expected: bool) -> None:
    by_rules = ask(code(amount_off(1, effect="APPLY_TO_ORDER")), None, None, *(judged(one, "products") for one in sets))
    assert concerns(by_rules, by_discount=False) is expected
    assert not concerns(by_rules)


def test_a_redeemable_is_looked_at_for_every_line() -> None:
    order = Order(amount=1, lines=(*(goods(("prod_sofa", 1, 1)).lines or ()), Line(product_id="prod_mug")))
    assert concerns(ask(code(percent_off(1)), None, None, rule("prod_mug")), order)
