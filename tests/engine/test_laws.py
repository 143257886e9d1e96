"""Laws that hold for every cart, every benefit and every stack."""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from largesse.engine.allocation import allocate, allocate_within
from largesse.engine.benefits import ApplicableTo, BundleComponent, BundleRules, ItemEntry, RuleSet
from largesse.engine.books import Ask, Campaign
from largesse.engine.budgets import wanted
from largesse.engine.customer import CustomerFacts
from largesse.engine.decision import Circumstances, Decision, commit, decide
from largesse.engine.discounts import Discount, UnitDiscount, Units, check_discount
from largesse.engine.order import Catalog, CatalogEntry, Line, Order, without_applied
from largesse.engine.rollback import undo_order
from largesse.engine.stacking import StackingRules
from tests.engine.carts import (
    NOW,
    UTC,
    Collection,
    amount_off,
    ask,
    card,
    code,
    decided,
    fixed,
    percent_off,
    tier,
)

NAMES = ["a", "b", "c", "d"]
CATALOG = Catalog(
    products={name: CatalogEntry(name, price=price) for name, price in zip("abcd", [100, 999, 0, 5], strict=True)}
)
COLLECTIONS = {"pc_ab": Collection("a", "b"), "pc_bcd": Collection("b", "c", "d")}
SHOP = Campaign(id="camp_1", name="Shop", type="PROMOTION")
CUSTOMER = CustomerFacts("cust_1", {"age": 30})

money = st.integers(0, 50_000)
few = st.integers(0, 6)
caps = st.none() | money
scaling = st.sampled_from([None, "ONCE"])
formulas = st.sampled_from([None, None, "ORDER_AMOUNT / 7", "ORDER_ITEM_PRICE * 0.3", "ORDER_UNITS_QUANTITY", "1 / 0"])
effects = st.sampled_from(["APPLY_TO_ORDER", "APPLY_TO_ITEMS"]) | st.none()
item_effects = effects | st.sampled_from(
    ["APPLY_TO_ITEMS_BY_QUANTITY", "APPLY_TO_ITEMS_PROPORTIONALLY", "APPLY_TO_ITEMS_PROPORTIONALLY_BY_QUANTITY"]
)
kinds = st.builds(
    Units,
    unit_off=st.integers(1, 9).map(Decimal),
    unit_off_formula=formulas,
    unit_type=st.sampled_from([*NAMES, "shipping"]),
    effect=st.sampled_from([None, "ADD_NEW_ITEMS", "ADD_MISSING_ITEMS"]),
)
discounts: st.SearchStrategy[Discount] = st.one_of(
    st.builds(
        amount_off,
        money,
        amount_off_formula=formulas,
        effect=item_effects,
        aggregated_amount_limit=caps,
        bundle_scaling=scaling,
    ),
    st.builds(
        percent_off,
        st.decimals(0, 100, places=2).map(str),
        percent_off_formula=formulas,
        effect=effects,
        amount_limit=caps,
        aggregated_amount_limit=caps,
        bundle_scaling=scaling,
    ),
    st.builds(fixed, money, fixed_amount_formula=formulas, effect=effects, bundle_scaling=scaling),
    st.builds(
        UnitDiscount,
        unit_off=st.integers(1, 9).map(Decimal),
        unit_type=st.sampled_from([*NAMES, "pc_ab", "shipping"]),
        effect=st.sampled_from([None, "ADD_NEW_ITEMS", "ADD_SAME_ITEMS", "REPLACE_ITEMS"]),
        source=kinds,
        bundle_scaling=scaling,
    ),
    st.builds(UnitDiscount, units=st.lists(kinds, min_size=1, max_size=3).map(tuple)),
)
entries = st.builds(
    ItemEntry,
    object=st.just("product"),
    id=st.sampled_from(NAMES),
    effect=st.sampled_from(
        [
            "APPLY_TO_EVERY",
            "APPLY_TO_CHEAPEST",
            "APPLY_FROM_CHEAPEST",
            "APPLY_TO_MOST_EXPENSIVE",
            "APPLY_FROM_MOST_EXPENSIVE",
        ]
    ),
    target=st.sampled_from(["ITEM", "UNIT"]),
    skip_initially=st.integers(0, 3),
    repeat=st.integers(1, 3),
    price=st.none() | money.map(Decimal),
    quantity_limit=st.none() | few,
    aggregated_quantity_limit=st.none() | few,
    amount_limit=caps,
    aggregated_amount_limit=caps,
    product_campaign_quantity_limit=st.none() | few,
    product_customer_campaign_quantity_limit=st.none() | few,
    product_in_collection_promotion_tier_quantity_limit=st.none() | few,
)
collected = st.builds(
    lambda entry, name: msgspec.structs.replace(entry, object="products_collection", id=name),
    entries,
    st.sampled_from(["pc_ab", "pc_bcd"]),
)
reaches = st.builds(
    ApplicableTo,
    included=st.lists(entries | collected, max_size=3).map(tuple),
    excluded=st.lists(st.builds(ItemEntry, object=st.just("product"), id=st.sampled_from(NAMES)), max_size=1).map(
        tuple
    ),
    included_all=st.booleans(),
)
components = st.builds(
    lambda name, count: BundleComponent(
        "products_collection" if name.startswith("pc") else "product", name, quantity=count
    ),
    st.sampled_from([*NAMES, "pc_ab"]),
    st.integers(1, 3),
)
bundles = st.none() | st.builds(BundleRules, st.lists(components, min_size=1, max_size=2).map(tuple), st.integers(1, 5))
rule_sets = st.builds(RuleSet, id=st.just("val_1"), applicable_to=reaches) | st.builds(
    RuleSet, id=st.just("val_2"), applicable_to=reaches, bundle=bundles
)


def _line(name: str, price: int, quantity: int, extra: int) -> Line:
    return Line(product_id=name, price=price, quantity=quantity, amount=price * quantity + extra)


lines = st.builds(
    _line, st.sampled_from(NAMES), st.integers(0, 9_999), st.integers(1, 9), st.sampled_from([0, 0, 0, 7])
)
carts = st.builds(
    lambda some, amount: Order(
        amount=sum(line.amount or 0 for line in some) if amount is None else amount, lines=tuple(some)
    ),
    st.lists(lines, min_size=1, max_size=8),
    st.none() | money,
)


@st.composite
def stacks(draw: st.DrawFn) -> list[Ask]:
    found: list[Ask] = []
    for place in range(draw(st.sampled_from([1, 2, 3, 4, 6, 30]))):
        rules = tuple(draw(st.lists(rule_sets, max_size=2)))
        kind = draw(st.integers(0, 4))
        if kind == 0:
            balance = draw(money)
            credits = draw(st.none() | st.integers(0, balance))
            effect = draw(st.sampled_from([None, "APPLY_TO_ITEMS"]))
            found.append(ask(card(balance, f"v_{place}", gift_effect=effect), credits, None, *rules))
        elif kind == 1:
            promo = tier(draw(discounts), f"promo_{place}", campaign=SHOP)
            found.append(Ask("promotion_tier", promo.id, tier=promo, rules=rules))
        else:
            found.append(ask(code(draw(discounts), f"v_{place}", parent=SHOP), None, None, *rules))
    return found


@st.composite
def stacking_rules(draw: st.DrawFn) -> StackingRules:
    return msgspec.convert(
        {
            "applicable_redeemables_limit": draw(st.integers(1, 30)),
            "redeemables_application_mode": draw(st.sampled_from(["ALL", "PARTIAL", "PARTIAL"])),
            "redeemables_products_application_mode": draw(st.sampled_from(["STACK", "ONCE"])),
            "redeemables_no_effect_rule": draw(st.sampled_from(["REDEEM_ANYWAY", "SKIP"])),
            "discount_calculation_mode": draw(st.sampled_from(["DISCOUNTED_AMOUNT", "INITIAL_AMOUNT"])),
        },
        StackingRules,
    )


def circumstances(rules: StackingRules, budgets: Mapping[str, int] | None = None) -> Circumstances:
    return Circumstances(
        rules=rules,
        now=NOW,
        zone=UTC,
        customer=CUSTOMER,
        catalog=CATALOG,
        collections=COLLECTIONS,
        budgets=dict(budgets or {}),
    )


def counters(asks: list[Ask]) -> list[tuple[int, int]]:
    return [(a.voucher.redeemed_quantity, a.voucher.balance) for a in asks if a.voucher]


def undo_postings(decision: Decision, budgets: dict[str, int]) -> None:
    """Posts the negation of everything a decision posted."""
    for outcome in decision.applicable:
        for posting in outcome.postings:
            voucher = outcome.ask.voucher
            if posting.account == "discounted_units":
                budgets[posting.subject_id] -= posting.amount
            elif voucher is not None and posting.account == "voucher_uses":
                voucher.redeemed_quantity -= posting.amount
            elif voucher is not None:
                voucher.redeemed_amount += posting.amount


@given(discounts)
def test_every_benefit_tried_here_is_one_that_may_be_defined(discount: Discount) -> None:
    assert check_discount(discount) is None


@settings(max_examples=100, deadline=None)
@given(carts, stacks(), stacking_rules())
def test_no_order_is_ever_negative_and_the_parts_add_up(order: Order, asks: list[Ask], rules: StackingRules) -> None:
    decision = decide(asks, order, circumstances(rules))
    states = [outcome.order for outcome in decision.applicable if outcome.order]
    for state in [*states, decision.order]:
        assert state is not None
        assert state.amount is not None
        assert state.amount - state.discount_amount - state.items_discount_amount == state.total_amount >= 0
        for line in state.lines or ():
            assert 0 <= line.discount_amount <= (line.amount or 0)
            assert line.quantity >= 0
            assert (line.discount_quantity or 0) <= line.quantity
    assert decision.order is not None
    applied = sum(state.total_applied_discount_amount for state in states)
    assert applied == decision.order.total_applied_discount_amount


@settings(max_examples=60, deadline=None)
@given(carts, stacks(), stacking_rules())
def test_deciding_changes_nothing_and_gives_the_same_again(order: Order, asks: list[Ask], rules: StackingRules) -> None:
    before, about = counters(asks), circumstances(rules)
    first = decide(asks, order, about)
    assert (counters(asks), about.budgets) == (before, {})
    assert decide(asks, order, circumstances(rules)) == first


@settings(max_examples=60, deadline=None)
@given(carts, stacks(), stacking_rules())
def test_redeeming_and_undoing_restores_everything(order: Order, asks: list[Ask], rules: StackingRules) -> None:
    before, budgets = counters(asks), dict.fromkeys(wanted(asks, order, CUSTOMER.id), 1)
    decision = decide(asks, order, circumstances(rules, budgets))
    if not decision.valid:
        return
    held = dict(budgets)
    commit(decision, budgets=held)
    assert all(voucher.balance >= 0 for voucher in (a.voucher for a in asks) if voucher)
    undo_postings(decision, held)
    assert counters(asks) == before
    assert {key: units for key, units in held.items() if units or key in budgets} == budgets
    assert decision.order is not None
    undone = undo_order(without_applied(decision.order), decision.order, others_active=False)
    assert undone == msgspec.structs.replace(order, status="CANCELED")


@settings(max_examples=60, deadline=None)
@given(carts, stacks(), stacks(), stacking_rules())
def test_two_redemptions_undone_in_any_order_leave_the_order_as_it_was(
    order: Order, first: list[Ask], second: list[Ask], rules: StackingRules
) -> None:
    one = decide(first, order, circumstances(rules)).order
    assert one is not None
    two = decide(second, without_applied(one), circumstances(rules)).order
    assert two is not None
    for early, late in ((one, two), (two, one)):
        left = undo_order(without_applied(two), early, others_active=True)
        assert left.amount is not None
        assert left.amount - left.discount_amount - left.items_discount_amount == left.total_amount >= 0
        assert all(0 <= line.discount_amount <= (line.amount or 0) for line in left.lines or ())
        whole = undo_order(left, late, others_active=False)
        assert whole == msgspec.structs.replace(order, status="CANCELED")


@settings(max_examples=60, deadline=None)
@given(carts, stacks(), stacking_rules(), st.integers(0, 4))
def test_no_budget_is_ever_overspent(order: Order, asks: list[Ask], rules: StackingRules, used: int) -> None:
    budgets = dict.fromkeys(wanted(asks, order, CUSTOMER.id), used)
    for outcome in decide(asks, order, circumstances(rules, budgets)).applicable:
        for posting in outcome.postings:
            if posting.most is not None:
                budgets[posting.subject_id] += posting.amount
                assert budgets[posting.subject_id] <= posting.most
                assert posting.amount > 0


@settings(max_examples=60, deadline=None)
@given(carts, money, st.sampled_from(["APPLY_TO_ITEMS_PROPORTIONALLY", "APPLY_TO_ITEMS_PROPORTIONALLY_BY_QUANTITY"]))
def test_a_split_discount_takes_off_all_it_can(order: Order, off: int, effect: Any) -> None:
    found = decided(order, ask(code(amount_off(off, effect=effect)))).order
    assert found is not None
    subtotals = sum(line.amount or 0 for line in order.lines or ())
    assert found.items_discount_amount == min(off, subtotals, order.total_amount)


@given(money, st.lists(money, min_size=1, max_size=20))
def test_a_split_loses_no_cent(total: int, weights: list[int]) -> None:
    shares = allocate(total, weights)
    assert sum(shares) == (total if any(weights) else 0)
    assert all(share >= 0 for share in shares)


@given(money, st.lists(st.tuples(st.integers(1, 9), money), min_size=1, max_size=20))
def test_a_split_within_rooms_fills_them_and_no_more(total: int, parts: list[tuple[int, int]]) -> None:
    weights, rooms = [weight for weight, _ in parts], [room for _, room in parts]
    shares = allocate_within(total, weights, rooms)
    assert sum(shares) == min(total, sum(rooms))
    assert all(0 <= share <= room for share, room in zip(shares, rooms, strict=True))


def test_a_split_within_rooms_stops_where_nothing_weighs() -> None:
    assert allocate_within(10, [0, 0], [5, 5]) == [0, 0]


@given(money, st.decimals(0, 100, places=4))
def test_percentages_round_half_up(amount: int, percent: Decimal) -> None:
    order = decided(Order(amount=amount), ask(code(percent_off(str(percent))))).order
    assert order is not None
    assert order.discount_amount == int((amount * percent / 100).quantize(Decimal(1), ROUND_HALF_UP))
