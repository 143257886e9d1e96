"""Laws that hold for every cart and every stack."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from largesse.engine.allocation import allocate, allocate_within
from largesse.engine.books import Ask, Voucher
from largesse.engine.decision import Circumstances, commit, decide
from largesse.engine.discounts import Discount
from largesse.engine.money import half_up, percent_of
from largesse.engine.order import Order
from largesse.engine.rollback import undo_order
from largesse.engine.stacking import StackingRules
from tests.engine.carts import NOW, UTC, amount_off, ask, card, cart, code, fixed, percent_off

money = st.integers(0, 50_000)
item_effects = st.sampled_from(
    [
        None,
        "APPLY_TO_ORDER",
        "APPLY_TO_ITEMS",
        "APPLY_TO_ITEMS_BY_QUANTITY",
        "APPLY_TO_ITEMS_PROPORTIONALLY",
        "APPLY_TO_ITEMS_PROPORTIONALLY_BY_QUANTITY",
    ]
)
caps = st.none() | money
discounts: st.SearchStrategy[Discount] = st.one_of(
    st.builds(amount_off, money, effect=item_effects, aggregated_amount_limit=caps),
    st.builds(
        percent_off,
        st.decimals(0, 100, places=2).map(str),
        effect=st.sampled_from([None, "APPLY_TO_ORDER", "APPLY_TO_ITEMS"]),
        amount_limit=caps,
        aggregated_amount_limit=caps,
    ),
    st.builds(fixed, money, effect=st.sampled_from([None, "APPLY_TO_ORDER", "APPLY_TO_ITEMS"])),
)
carts = st.builds(
    lambda lines, amount: cart(*lines, amount=amount),
    st.lists(st.tuples(st.integers(0, 9_999), st.integers(1, 9)), min_size=1, max_size=8),
    st.none() | money,
)
modes = st.sampled_from(["DISCOUNTED_AMOUNT", "INITIAL_AMOUNT"])


@st.composite
def stacks(draw: st.DrawFn) -> list[Ask]:
    found: list[Ask] = []
    for place in range(draw(st.integers(1, 30))):
        if draw(st.integers(0, 3)):
            found.append(ask(code(draw(discounts), f"v_{place}")))
        else:
            balance = draw(money)
            credits = draw(st.none() | st.integers(0, balance))
            effect = draw(st.sampled_from([None, "APPLY_TO_ITEMS"]))
            found.append(ask(card(balance, f"v_{place}", gift_effect=effect), credits))
    return found


@st.composite
def rule_sets(draw: st.DrawFn) -> StackingRules:
    return msgspec.convert(
        {
            "applicable_redeemables_limit": draw(st.integers(1, 30)),
            "redeemables_application_mode": draw(st.sampled_from(["ALL", "PARTIAL"])),
            "redeemables_products_application_mode": draw(st.sampled_from(["STACK", "ONCE"])),
            "redeemables_no_effect_rule": draw(st.sampled_from(["REDEEM_ANYWAY", "SKIP"])),
            "discount_calculation_mode": draw(modes),
        },
        StackingRules,
    )


def counters(asks: list[Ask]) -> list[tuple[int, int]]:
    return [(a.voucher.redeemed_quantity, a.voucher.balance) for a in asks if a.voucher]


@settings(max_examples=300, deadline=None)
@given(carts, stacks(), rule_sets())
def test_no_order_is_ever_negative_and_the_parts_add_up(order: Order, asks: list[Ask], rules: StackingRules) -> None:
    decision = decide(asks, order, Circumstances(rules=rules, now=NOW, zone=UTC))
    states = [outcome.order for outcome in decision.applicable if outcome.order]
    for state in [*states, decision.order]:
        assert state is not None
        assert state.amount is not None
        assert state.amount - state.discount_amount - state.items_discount_amount == state.total_amount >= 0
        for line in state.lines or ():
            assert line.amount is not None
            assert 0 <= line.discount_amount <= line.amount
    assert decision.order is not None
    applied = sum(state.total_applied_discount_amount for state in states)
    assert applied == decision.order.total_applied_discount_amount


@settings(max_examples=200, deadline=None)
@given(carts, stacks(), rule_sets())
def test_deciding_changes_nothing_and_gives_the_same_again(order: Order, asks: list[Ask], rules: StackingRules) -> None:
    before = counters(asks)
    first = decide(asks, order, Circumstances(rules=rules, now=NOW, zone=UTC))
    assert counters(asks) == before
    assert decide(asks, order, Circumstances(rules=rules, now=NOW, zone=UTC)) == first


@settings(max_examples=200, deadline=None)
@given(carts, stacks(), rule_sets())
def test_redeeming_and_undoing_restores_everything(order: Order, asks: list[Ask], rules: StackingRules) -> None:
    before = counters(asks)
    decision = decide(asks, order, Circumstances(rules=rules, now=NOW, zone=UTC))
    if not decision.valid:
        return
    commit(decision)
    assert all(voucher.balance >= 0 for voucher in (a.voucher for a in asks) if voucher)
    for outcome in decision.applicable:
        voucher = outcome.ask.voucher
        assert isinstance(voucher, Voucher)
        for posting in outcome.postings:  # the negation of what was posted
            if posting.account == "voucher_uses":
                voucher.redeemed_quantity -= posting.amount
            else:
                voucher.redeemed_amount += posting.amount
    assert counters(asks) == before
    assert decision.order is not None
    undone = undo_order(decision.order, decision.order, others_active=False)
    assert undone == msgspec.structs.replace(order, status="CANCELED")


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
def test_percentages_round_half_up(amount: int, percent: object) -> None:
    from decimal import ROUND_HALF_UP, Decimal

    assert isinstance(percent, Decimal)
    assert percent_of(amount, percent) == int((amount * percent / 100).quantize(Decimal(1), ROUND_HALF_UP))
    assert half_up(5, 2) == 3
