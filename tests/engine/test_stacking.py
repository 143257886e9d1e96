"""How several redeemables go together."""

import msgspec
import pytest

from largesse.engine.books import Ask, Campaign, Category
from largesse.engine.decision import check_request
from largesse.engine.discounts import Discount
from largesse.engine.order import Order
from largesse.engine.stacking import StackingRules
from tests.engine.carts import (
    amount_off,
    ask,
    ask_tier,
    bundle,
    card,
    cart,
    code,
    decided,
    discounts,
    keys,
    percent_off,
    tier,
)

ITEMS = "APPLY_TO_ITEMS"
PARTIAL = StackingRules(redeemables_application_mode="PARTIAL")
COMMON, EXCLUSIVE, JOINT = (Category(id, id, place) for place, id in enumerate(("common", "exclusive", "joint")))
GROUPS = {"exclusive_categories": ["exclusive"], "joint_categories": ["joint"]}


def asks(*parts: Discount | tuple[Discount, Category]) -> list[Ask]:
    found = []
    for place, part in enumerate(parts):
        discount, category = part if isinstance(part, tuple) else (part, None)
        found.append(ask(code(discount, f"v_{place}", category=category)))
    return found


def totals(order: Order, *redeemables: Ask, rules: StackingRules | None = None) -> list[int]:
    """What is left to pay after each applied redeemable."""
    return [o.order.total_amount for o in decided(order, *redeemables, rules=rules).applicable if o.order]


def test_a_gift_a_percentage_and_an_amount_follow_each_other() -> None:
    decision = decided(Order(amount=200000), ask(card(5000), 100), *asks(percent_off(20), amount_off(8000)))
    running = [(o.order.discount_amount, o.order.applied_discount_amount) for o in decision.outcomes if o.order]
    assert running == [(100, 100), (40080, 39980), (48080, 8000)]
    assert decision.order is not None
    assert (decision.order.applied_discount_amount, decision.order.total_amount) == (48080, 151920)


@pytest.mark.parametrize(("mode", "left"), [("DISCOUNTED_AMOUNT", [9000, 7200]), ("INITIAL_AMOUNT", [9000, 7000])])
def test_percentages_of_what_is_left_or_of_the_whole(mode: str, left: list[int]) -> None:
    rules = msgspec.convert({"discount_calculation_mode": mode}, StackingRules)
    assert totals(Order(amount=10000), *asks(percent_off(10), percent_off(20)), rules=rules) == left


def test_the_initial_amount_never_makes_an_order_negative() -> None:
    rules = StackingRules(discount_calculation_mode="INITIAL_AMOUNT")
    assert totals(Order(amount=1000), *asks(percent_off(50), percent_off(40), percent_off(30)), rules=rules) == [
        500,
        100,
        0,
    ]
    items = asks(percent_off(10, effect=ITEMS), percent_off(10, effect=ITEMS))
    assert totals(cart((1000, 1)), *items, rules=rules) == [900, 800]


def test_a_category_overrides_the_calculation_mode() -> None:
    parts = [(percent_off(10), COMMON), (percent_off(20), COMMON)]
    initial = StackingRules(initial_amount_mode_categories=["common"])
    left = StackingRules(discount_calculation_mode="INITIAL_AMOUNT", discounted_amount_mode_categories=["common"])
    assert totals(Order(amount=10000), *asks(*parts), rules=initial) == [9000, 7000]
    assert totals(Order(amount=10000), *asks(*parts), rules=left) == [9000, 7200]


def test_three_percentages_in_a_row() -> None:
    assert totals(Order(amount=9999), *asks(percent_off(10), percent_off(15), percent_off(20))) == [8999, 7649, 6119]


def test_items_then_order_then_items() -> None:
    order = cart((10000, 1), (5000, 2))
    first = percent_off(10, effect=ITEMS)
    decision = decided(order, *asks(first, percent_off(20), first))
    found = [(o.order.items_discount_amount, o.order.total_amount) for o in decision.outcomes if o.order]
    assert found == [(2000, 18000), (2000, 14400), (3800, 12600)]
    last = decision.outcomes[-1].order
    assert last is not None
    assert [line.applied_discount_amount for line in last.lines or ()] == [900, 900]


def test_a_child_shows_only_what_it_applied_itself() -> None:
    decision = decided(cart((1000, 3), (2000, 3)), *asks(amount_off(2000, effect=ITEMS), amount_off(2500)))
    second = decision.outcomes[1].order
    assert second is not None
    assert [line.applied_discount_amount for line in second.lines or ()] == [0, 0]
    assert discounts(second) == [2000, 2000]
    assert decision.order is not None
    assert [line.applied_discount_amount for line in decision.order.lines or ()] == [2000, 2000]


def test_an_existing_discount_counts_and_is_not_this_requests() -> None:
    decision = decided(Order(amount=10000, discount_amount=9200), *asks(amount_off(1000)))
    assert decision.order is not None
    assert (decision.order.applied_discount_amount, decision.order.discount_amount, decision.order.total_amount) == (
        800,
        10000,
        0,
    )


def test_no_more_than_the_limit_applies_and_the_rest_is_skipped() -> None:
    decision = decided(Order(amount=20000), *asks(*[amount_off(1000)] * 30))
    assert keys(decision) == ["APPLICABLE"] * 5 + ["applicable_redeemables_limit_exceeded"] * 25
    assert decision.valid
    assert decision.order is not None
    assert decision.order.total_amount == 15000


def test_one_failure_fails_all() -> None:
    first, last = asks(amount_off(1000), amount_off(1000))
    decision = decided(Order(amount=5000), first, ask(None), last)
    assert keys(decision) == ["APPLICABLE", "not_found", "preceding_validation_failed"]
    assert not decision.valid
    assert decision.failure is not None
    assert (decision.failure.key, decision.failure.code, decision.failure.redeemable_id) == ("not_found", 404, "NOPE")


def test_in_partial_mode_the_rest_is_granted() -> None:
    first, last = asks(amount_off(1000), amount_off(1000))
    decision = decided(Order(amount=5000), first, ask(None), last, rules=PARTIAL)
    assert decision.valid
    assert len(decision.inapplicable) == 1
    assert decision.order is not None
    assert decision.order.total_amount == 3000


def test_nothing_applicable_is_not_valid() -> None:
    decision = decided(Order(amount=5000), ask(None), rules=PARTIAL)
    assert not decision.valid
    assert decision.failure is not None
    assert decision.failure.key == "no_applicable_redeemables"
    skipped = decided(None, *asks(amount_off(5)), rules=StackingRules(redeemables_no_effect_rule="SKIP"))
    assert len(skipped.skipped) == 1
    assert skipped.failure is not None
    assert skipped.failure.key == "no_applicable_redeemables"


def test_an_exclusive_one_keeps_common_ones_out_and_joint_ones_in() -> None:
    rules = msgspec.convert(GROUPS, StackingRules)
    parts = asks((percent_off(10), COMMON), (percent_off(50), EXCLUSIVE), (amount_off(500), JOINT))
    assert keys(decided(Order(amount=10000), *parts, rules=rules)) == [
        "APPLICABLE",
        "exclusion_rules_not_met",
        "APPLICABLE",
    ]
    assert totals(Order(amount=10000), *parts, rules=rules) == [5000, 4500]


def test_joint_ones_come_last_unless_one_sorting_rule_holds_for_all() -> None:
    parts = asks((amount_off(500), JOINT), (percent_off(50), EXCLUSIVE))
    grouped = msgspec.convert(GROUPS, StackingRules)
    plain = msgspec.convert({**GROUPS, "grouped_redeemables_sorting_rule": "SORTING_RULE"}, StackingRules)
    assert totals(Order(amount=10000), *parts, rules=grouped) == [5000, 4500]
    assert totals(Order(amount=10000), *parts, rules=plain) == [9500, 4750]


def test_common_ones_stand_between_exclusive_and_joint_ones() -> None:
    rules = msgspec.convert({**GROUPS, "redeemables_application_mode": "PARTIAL"}, StackingRules)
    parts = asks((percent_off(10), COMMON), (amount_off(500), JOINT), (percent_off(50), EXCLUSIVE))
    assert [one.ask.id for one in decided(Order(amount=10000), *parts, rules=rules).outcomes] == [
        parts[2].id,
        parts[0].id,
        parts[1].id,
    ]


def test_exclusive_limits() -> None:
    parts = asks((percent_off(10), EXCLUSIVE), (percent_off(20), EXCLUSIVE))
    one = msgspec.convert(GROUPS, StackingRules)
    per_category = msgspec.convert(
        {
            **GROUPS,
            "applicable_exclusive_redeemables_limit": 5,
            "applicable_exclusive_redeemables_per_category_limit": 1,
        },
        StackingRules,
    )
    limit = "applicable_exclusive_redeemables_limit_exceeded"
    per = "applicable_exclusive_redeemables_per_category_limit_exceeded"
    assert keys(decided(Order(amount=10000), *parts, rules=one)) == ["APPLICABLE", limit]
    assert keys(decided(Order(amount=10000), *parts, rules=per_category)) == ["APPLICABLE", per]


@pytest.mark.parametrize(
    "options",
    [
        {"applicable_redeemables_per_category_limit": 2},
        {"applicable_redeemables_per_category_limit": 1, "applicable_redeemables_category_limits": {"common": 2}},
    ],
)
def test_category_limits(options: dict[str, object]) -> None:
    rules = msgspec.convert(options, StackingRules)
    parts = asks(*[(amount_off(100), COMMON)] * 3)
    per = "applicable_redeemables_per_category_limit_exceeded"
    assert keys(decided(Order(amount=10000), *parts, rules=rules)) == ["APPLICABLE", "APPLICABLE", per]


def test_the_hierarchy_of_categories_orders_the_evaluation() -> None:
    fifth, first = Category("c5", "c5", 5), Category("c0", "c0", 0)
    parts = asks((percent_off(10), fifth), (amount_off(1000), first), percent_off(20))
    by_hierarchy = StackingRules(redeemables_sorting_rule="CATEGORY_HIERARCHY")
    assert totals(Order(amount=10000), *parts, rules=by_hierarchy) == [9000, 7200, 6480]
    assert totals(Order(amount=10000), *parts) == [9000, 8000, 6400]


def test_once_gives_each_line_one_discount() -> None:
    order = cart((10000, 1), (5000, 2))
    parts = asks(percent_off(20, effect=ITEMS), percent_off(10, effect=ITEMS))
    once = StackingRules(redeemables_products_application_mode="ONCE")
    assert totals(order, *parts, rules=once) == [16000, 16000]
    assert totals(order, *parts) == [16000, 14400]


def test_without_effect_a_redeemable_is_used_up_or_skipped() -> None:
    parts = asks(amount_off(1000), (amount_off(500), COMMON))
    order = Order(amount=1000)
    skip = StackingRules(redeemables_no_effect_rule="SKIP")
    skip_category = StackingRules(no_effect_skip_categories=["common"])
    keep_category = StackingRules(redeemables_no_effect_rule="SKIP", no_effect_redeem_anyway_categories=["common"])
    assert keys(decided(order, *parts)) == ["APPLICABLE", "APPLICABLE"]
    assert keys(decided(order, *parts, rules=skip)) == ["APPLICABLE", "no_effect"]
    assert keys(decided(order, *parts, rules=skip_category)) == ["APPLICABLE", "no_effect"]
    assert keys(decided(order, *parts, rules=keep_category)) == ["APPLICABLE", "APPLICABLE"]


def test_requests_that_are_refused_as_a_whole() -> None:
    rules = StackingRules(redeemables_limit=2, applicable_redeemables_limit=2)
    one = code(amount_off(1))
    stack = Ask("promotion_stack", "stack_1")
    found = [
        check_request(asks(*[amount_off(1)] * 3), rules),
        check_request([ask(one), ask(one, id=one.id)], rules),
        check_request([stack, ask(one)], rules),
        check_request([ask(one)], rules),
    ]
    assert [refusal and refusal.key for refusal in found] == [
        "invalid_redeemables",
        "duplicated_redeemables",
        "invalid_redeemables",
        None,
    ]


def test_a_cart_through_items_credits_and_order_discounts() -> None:
    asks = [
        ask(code(amount_off(1000, effect="APPLY_TO_ITEMS"), "v_1")),
        ask(card(100, "g_1")),
        ask(code(percent_off(40), "v_2")),
        ask(code(amount_off(30), "v_3")),
    ]
    decision = decided(cart((2000, 1), (700, 1)), *asks)
    states = [outcome.order for outcome in decision.outcomes if outcome.order]
    assert [(o.discount_amount, o.items_discount_amount, o.total_amount) for o in states] == [
        (0, 1700, 1000),
        (100, 1700, 900),
        (460, 1700, 540),
        (490, 1700, 510),
    ]
    assert [o.total_applied_discount_amount for o in states] == [1700, 100, 360, 30]
    root = decision.order
    assert root is not None
    assert (root.total_discount_amount, root.items_applied_discount_amount) == (2190, 1700)
    assert root.total_applied_discount_amount == 2190


def test_the_tiers_of_a_stack_keep_its_order_and_each_counts() -> None:
    early, late = Category("cat_e", "Early", 0), Category("cat_l", "Late", 9)
    tiers = [tier(percent_off(10), f"promo_{place}", category=late if place else early) for place in (1, 0, 2)]
    asks = [ask_tier(one, stack_id="stack_1") for one in tiers]
    rules = StackingRules(redeemables_sorting_rule="CATEGORY_HIERARCHY", applicable_redeemables_limit=2)
    decision = decided(Order(amount=1000), *asks, rules=rules)
    assert [outcome.ask.id for outcome in decision.outcomes] == ["promo_1", "promo_0", "promo_2"]
    assert keys(decision) == ["APPLICABLE", "APPLICABLE", "applicable_redeemables_limit_exceeded"]


def test_the_campaigns_category_counts_for_its_codes_and_tiers() -> None:
    exclusive = Category("cat_x", "Only", 1)
    shop = Campaign(id="camp_1", name="Shop", type="PROMOTION", category=exclusive)
    rules = StackingRules(exclusive_categories=["cat_x"])
    asks = ask(code(amount_off(1), "v_1")), ask_tier(tier(amount_off(1), campaign=shop))
    assert keys(decided(Order(amount=9), *asks, rules=rules)) == ["exclusion_rules_not_met", "APPLICABLE"]


def test_an_exclusive_one_without_its_bundle_keeps_nobody_out() -> None:
    exclusive = Category("cat_x", "Only", 1)
    only = ask(code(amount_off(1), "v_2", category=exclusive), None, None, bundle(("hat", 1)))
    rules = StackingRules(exclusive_categories=["cat_x"], redeemables_application_mode="PARTIAL")
    asks = ask(code(amount_off(1), "v_1")), only
    assert keys(decided(cart((9, 1)), *asks, rules=rules)) == ["APPLICABLE", "order_rules_violated"]


def test_a_category_overrides_the_rule_for_what_has_no_effect() -> None:
    plain, kind = Category("cat_a", "A", 1), Category("cat_b", "B", 1)
    asks = [
        ask(code(amount_off(100), "v_1")),
        ask(code(amount_off(5), "v_2", category=plain)),
        ask(code(amount_off(5), "v_3", category=kind)),
        ask(code(amount_off(5), "v_4")),
        ask(card(5, "g_1")),
    ]
    skip = StackingRules(redeemables_no_effect_rule="SKIP", no_effect_redeem_anyway_categories=["cat_a"])
    assert keys(decided(Order(amount=100), *asks, rules=skip)) == ["APPLICABLE"] * 2 + ["no_effect"] * 3
    anyway = StackingRules(no_effect_skip_categories=["cat_b"])
    assert keys(decided(Order(amount=100), *asks, rules=anyway)) == [
        *["APPLICABLE"] * 2,
        "no_effect",
        *["APPLICABLE"] * 2,
    ]
