"""Limits over time: how many units a campaign or tier may discount, ever."""

from typing import Any

from largesse.engine.benefits import ApplicableTo, ItemEntry, RuleSet
from largesse.engine.books import Ask, Campaign, Tier
from largesse.engine.budgets import wanted
from largesse.engine.customer import CustomerFacts
from largesse.engine.decision import DISCOUNTED_UNITS, TIER_USES, Decision, Outcome, Posting, commit
from largesse.engine.order import Line, Order
from tests.engine.carts import (
    Collection,
    amount_off,
    ask,
    ask_tier,
    code,
    decided,
    discounts,
    entry,
    goods,
    percent_off,
    rule,
    tier,
)

SHOP = Campaign(id="camp_1", name="Shop", type="PROMOTION")
TIER = Tier(id="promo_1", name="Tier", campaign=SHOP)
CART = Order(amount=300, lines=(Line(product_id="prod_a", amount=100), Line(sku_id="sku_b", amount=200)))


def of_tier(*entries: ItemEntry) -> Ask:
    rules = (RuleSet(id="val_1", applicable_to=ApplicableTo(included=entries)),)
    return Ask("promotion_tier", "promo_1", tier=TIER, rules=rules)


def test_a_budget_is_named_by_scope_customer_and_item() -> None:
    entry = ItemEntry(
        object="product",
        id="prod_a",
        product_campaign_quantity_limit=5,
        product_customer_campaign_quantity_limit=2,
        product_promotion_tier_quantity_limit=3,
    )
    asks = [of_tier(entry, ItemEntry(object="product", id="prod_free"))]
    assert wanted(asks, CART, "cust_1") == [
        "camp_1:*:product:prod_a",
        "camp_1:cust_1:product:prod_a",
        "promo_1:*:product:prod_a",
    ]
    assert wanted(asks, CART, None) == ["camp_1:*:product:prod_a", "promo_1:*:product:prod_a"]
    assert wanted(asks, None, None) == []


def test_every_product_of_a_collection_has_a_budget_of_its_own() -> None:
    entry = ItemEntry(object="products_collection", id="pc_1", product_in_collection_campaign_quantity_limit=5)
    assert wanted([of_tier(entry)], CART, None) == [
        "camp_1:*:products_collection:pc_1/prod_a",
        "camp_1:*:products_collection:pc_1/sku_b",
    ]


def test_a_voucher_outside_campaigns_has_no_budget() -> None:
    entry = ItemEntry(object="product", id="prod_a", product_campaign_quantity_limit=5)
    asked = Ask("voucher", "X", rules=(RuleSet(id="val_1", applicable_to=ApplicableTo(included=(entry,))),))
    assert wanted([asked], CART, None) == []


def test_committing_moves_the_budgets_that_the_next_request_reads() -> None:
    budgets = {"camp_1:*:product:prod_a": 2}
    posting = Posting(DISCOUNTED_UNITS, "camp_1:*:product:prod_a", 3, most=5)
    used = Posting(TIER_USES, "promo_1", 1)
    decision = Decision([Outcome(of_tier(), "APPLICABLE", postings=(used, posting))], True, None, None)
    commit(decision, budgets=budgets)
    assert budgets == {"camp_1:*:product:prod_a": 5}
    commit(decision)
    assert budgets == {"camp_1:*:product:prod_a": 5}


# What a limit over time does to a benefit

CUSTOMER = CustomerFacts("cust_1")


def limited(campaign: Campaign | None = SHOP, id: str = "v_1", **limits: Any) -> Ask:
    voucher = code(percent_off(100, effect="APPLY_TO_ITEMS"), id, parent=campaign)
    return ask(voucher, None, None, rule(entry("prod_a", **limits)))


def units_of(order: Order) -> list[int | None]:
    return [line.discount_quantity for line in order.lines or ()]


def test_units_discounted_before_leave_less_to_discount() -> None:
    budgets: dict[str, int] = {}
    taken = []
    for _ in range(3):
        asked = limited(product_customer_campaign_quantity_limit=5)
        about = {"customer": CUSTOMER, "budgets": budgets}
        decision = decided(goods(("prod_a", 100, 3)), asked, **about)
        commit(decision, budgets=budgets)
        assert decision.order is not None
        taken += units_of(decision.order)
    assert taken == [3, 2, None]
    assert budgets == {"camp_1:cust_1:product:prod_a": 5}


def test_what_is_discounted_is_posted_with_the_limit_it_is_held_to() -> None:
    asked = limited(product_campaign_quantity_limit=5, product_customer_campaign_quantity_limit=2)
    outcome = decided(goods(("prod_a", 100, 1), ("prod_a", 90, 3)), asked, customer=CUSTOMER).outcomes[0]
    assert [posting for posting in outcome.postings if posting.account == DISCOUNTED_UNITS] == [
        Posting(DISCOUNTED_UNITS, "camp_1:*:product:prod_a", 2, 5),
        Posting(DISCOUNTED_UNITS, "camp_1:cust_1:product:prod_a", 2, 2),
    ]


def test_redeemables_of_one_request_share_a_budget() -> None:
    asks = [limited(id=id, product_campaign_quantity_limit=3) for id in ("v_1", "v_2")]
    for asked in asks:
        assert asked.voucher is not None
        asked.voucher.discount = percent_off(50, effect="APPLY_TO_ITEMS")
    order = decided(goods(("prod_a", 100, 2)), *asks).order
    assert order is not None
    assert discounts(order) == [100 + 25]


def test_nobody_is_counted_within_the_request_only() -> None:
    asked = limited(product_customer_campaign_quantity_limit=2)
    decision = decided(goods(("prod_a", 100, 3)), asked)
    assert decision.order is not None
    assert units_of(decision.order) == [2]
    assert [posting.account for posting in decision.outcomes[0].postings] == ["voucher_uses"]


def test_a_limit_of_campaigns_holds_nothing_outside_of_one() -> None:
    order = decided(goods(("prod_a", 100, 3)), limited(None, product_campaign_quantity_limit=1)).order
    assert order is not None
    assert units_of(order) == [3]


def test_every_product_of_a_collection_is_counted_by_itself() -> None:
    rules = rule(entry("pc_1", "products_collection", product_in_collection_promotion_tier_quantity_limit=2))
    asked = ask_tier(tier(percent_off(100, effect="APPLY_TO_ITEMS")), rules)
    order = goods(("prod_a", 100, 3), ("prod_b", 100, 1), ("prod_a", 100, 3))
    budgets = {"promo_1:*:products_collection:pc_1/prod_b": 2}
    decision = decided(order, asked, collections={"pc_1": Collection("prod_a", "prod_b")}, budgets=budgets)
    assert decision.order is not None
    assert units_of(decision.order) == [2, None, None]


def test_a_limit_may_be_computed() -> None:
    formula = {
        "product_campaign_quantity_limit": 1,
        "product_campaign_quantity_limit_formula": "ORDER_UNITS_QUANTITY / 2",
    }
    outcome = decided(goods(("prod_a", 100, 5)), limited(**formula)).outcomes[0]
    assert outcome.postings[1].amount == outcome.postings[1].most == 2
    assert outcome.discount is not None
    assert outcome.discount.is_dynamic


def test_a_computed_limit_may_differ_from_line_to_line() -> None:
    formula = {
        "product_campaign_quantity_limit": 0,
        "product_campaign_quantity_limit_formula": "ORDER_ITEM_UNITS_QUANTITY",
    }
    decision = decided(goods(("prod_a", 100, 2), ("prod_a", 100, 3)), limited(**formula))
    assert decision.order is not None
    assert units_of(decision.order) == [2, 1]
    assert decision.outcomes[0].postings[1] == Posting(DISCOUNTED_UNITS, "camp_1:*:product:prod_a", 3, 3)


def test_a_budget_is_spent_by_what_is_left_after_trimming() -> None:
    order = goods(("prod_a", 100, 2), ("prod_a", 100, 2))
    asked = limited(product_campaign_quantity_limit=9)
    outcome = decided(order, ask(code(amount_off(300), "v_0")), asked).outcomes[1]
    assert outcome.postings[1].amount == 2
