"""Limits over time: how many units a campaign or tier may discount, ever."""

from largesse.engine.benefits import ApplicableTo, ItemEntry, RuleSet
from largesse.engine.books import Ask, Campaign, Tier
from largesse.engine.budgets import wanted
from largesse.engine.decision import DISCOUNTED_UNITS, TIER_USES, Decision, Outcome, Posting, commit
from largesse.engine.order import Line, Order

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
