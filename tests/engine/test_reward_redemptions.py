"""Redeeming a loyalty card: what may stand against it, what it takes, and how it goes together with other redeemables."""

from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from largesse.engine.benefits import RuleSet
from largesse.engine.books import Ask, Lock, Voucher
from largesse.engine.customer import CustomerFacts
from largesse.engine.decision import Decision, Posting, commit
from largesse.engine.order import Order
from largesse.engine.points import Bucket, Wallet
from largesse.engine.rewards import Assignment, CampaignReward, Coin, Material, Offer, Parameters, Reward
from largesse.engine.rollback import undo_order
from largesse.engine.rules import compile_rules
from largesse.engine.sessions import locks_for
from largesse.engine.stacking import StackingRules
from tests.engine.carts import NOW, amount_off, ask, card, cart, code, decided, discounts, keys, percent_off

HOLDER = CustomerFacts("cust_1", {})
MUG = Parameters(product=Material("prod_1", None))
COUPON = Parameters(campaign=CampaignReward("camp_c", "DISCOUNT_COUPONS"))
COIN = Parameters(coin=Coin(Decimal(20), 100))


def loyalty(points: int, id: str = "l_1", **more: Any) -> Voucher:
    more = {"holder_id": "cust_1"} | more
    return Voucher(id=id, code=id.upper(), type="LOYALTY_CARD", gift_amount=points, **more)


def offer(parameters: Parameters = MUG, price: int | None = 10, points: int | None = None, id: str = "rew_1") -> Offer:
    kind = "COIN" if parameters.coin else "MATERIAL" if parameters.product else "CAMPAIGN"
    reward = Reward(id=id, name="R", type=kind, parameters=parameters)
    return Offer(reward_id=id, assignment=Assignment(id="rewa_1", reward=reward), price=price, points=points)


def of(voucher: Voucher, wanted: Offer | None, *rules: RuleSet) -> Ask:
    return Ask("voucher", voucher.code, voucher, rules=rules, offer=wanted)


def paying(points: int | None = None) -> Offer:
    return offer(COIN, 100, points)


def decided_for(order: Order | None, *asks: Ask, customer: CustomerFacts | None = HOLDER, **more: Any) -> Decision:
    return decided(order, *asks, customer=customer, **more)


@pytest.mark.parametrize(
    ("voucher", "wanted", "key"),
    [
        (loyalty(10), offer(), "APPLICABLE"),
        (loyalty(9), offer(), "loyalty_card_points_exceeded"),
        (loyalty(10, subtracted_amount=1), offer(), "loyalty_card_points_exceeded"),
        (loyalty(10), None, "missing_reward"),
        (loyalty(10), Offer(reward_id="rew_9"), "not_found"),
        (loyalty(10), offer(price=None), "not_found"),
        (loyalty(10, holder_id="cust_2"), None, "invalid_customer"),
        (loyalty(10, holder_id=None), offer(), "invalid_customer"),
        (loyalty(0, active=False, holder_id="cust_2"), None, "voucher_disabled"),
        (loyalty(0, quantity=1, redeemed_quantity=1, holder_id="cust_2"), None, "quantity_exceeded"),
        (loyalty(10, locks=[Lock("other", 1, 1, NOW + 1)]), offer(), "loyalty_card_points_exceeded"),
        (loyalty(10, locks=[Lock("mine", 1, 1, NOW + 1)]), offer(), "APPLICABLE"),
        (loyalty(10), paying(), "missing_order"),
        (loyalty(10, holder_id="cust_2"), paying(), "invalid_customer"),
    ],
)
def test_the_first_reason_against_a_loyalty_card(voucher: Voucher, wanted: Offer | None, key: str) -> None:
    assert keys(decided_for(None, of(voucher, wanted), session_key="mine")) == [key]


def test_a_loyalty_card_needs_somebody_to_redeem_it() -> None:
    assert keys(decided_for(None, of(loyalty(10), offer()), customer=None)) == ["missing_customer"]


def test_a_reward_that_is_not_offered_is_named() -> None:
    refusal = decided_for(None, of(loyalty(10), Offer(reward_id="rew_9"))).outcomes[0].refusal
    assert refusal is not None
    assert (refusal.code, refusal.resource_type, refusal.resource_id) == (404, "reward", "rew_9")


def test_a_stock_is_never_oversold_by_one_request_or_a_batch() -> None:
    stocks = {"rew_1": 2}
    cards = [loyalty(10, f"l_{n}") for n in range(4)]
    both = decided_for(None, *(of(one, offer()) for one in cards[:3]), stocks=stocks)
    assert keys(both) == ["APPLICABLE", "APPLICABLE", "quantity_exceeded"]
    refusal = both.outcomes[2].refusal
    assert refusal is not None
    assert refusal.details == "rew_1"
    one = decided_for(None, of(cards[0], offer()), stocks=stocks)
    commit(one, stocks=stocks)
    assert stocks == {"rew_1": 1}
    commit(decided_for(None, of(cards[1], offer()), stocks=stocks), stocks=stocks)
    assert keys(decided_for(None, of(cards[2], offer()), stocks=stocks)) == ["quantity_exceeded"]
    commit(one)  # of a batch in which nothing counts stocks
    assert stocks == {"rew_1": 0}


def test_a_reward_that_is_had_several_times_at_once_counts_so_often() -> None:
    several = msgspec.structs.replace(offer(price=30), times=3)
    done = decided_for(None, of(loyalty(30), several), stocks={"rew_1": 3})
    assert [(p.account, p.amount) for p in done.outcomes[0].postings[1:]] == [
        ("points", -30),
        ("reward_uses", 3),
        ("reward_stock", -3),
    ]
    assert keys(decided_for(None, of(loyalty(30), several), stocks={"rew_1": 2})) == ["quantity_exceeded"]


def test_the_price_of_a_reward_is_posted_and_the_order_stays_as_it_is() -> None:
    order = cart((2000, 1))
    done = decided_for(order, of(loyalty(10), offer()), stocks={"rew_1": 1})
    found = done.outcomes[0]
    assert (found.points, found.credits, found.order) == (10, None, order)
    assert found.postings == (
        Posting("voucher_uses", "l_1", 1),
        Posting("points", "l_1", -10),
        Posting("reward_uses", "rew_1", 1),
        Posting("reward_stock", "rew_1", -1),
    )
    unlimited = decided_for(None, of(loyalty(10), offer(COUPON))).outcomes[0]
    assert [posting.account for posting in unlimited.postings] == ["voucher_uses", "points", "reward_uses"]
    assert locks_for(done) == [("l_1", 1, 10)]


@pytest.mark.parametrize(
    ("balance", "due", "asked", "outcome"),
    [
        (5000, 45000, None, (2300, 45000)),
        (250, 45000, None, (200, 4000)),
        (5000, 4500, 200, (200, 4000)),
        (5000, 3000, 900, (200, 3000)),
        (5000, 3000, 150, (100, 2000)),
        (5000, 0, None, (0, 0)),
        (0, 0, None, (0, 0)),
        (99, 1, None, "loyalty_card_points_exceeded"),
        (150, 45000, 151, "loyalty_card_points_exceeded"),
        (150, 45000, 99, "invalid_payload"),
        (50, 45000, 51, "loyalty_card_points_exceeded"),
    ],
)
def test_points_pay_for_an_order(balance: int, due: int, asked: int | None, outcome: Any) -> None:
    done = decided_for(Order(amount=due), of(loyalty(balance), paying(asked)))
    if isinstance(outcome, str):
        assert keys(done) == [outcome]
        return
    found = done.outcomes[0]
    assert found.order is not None
    assert (found.points, found.order.discount_amount) == outcome
    assert found.order.total_amount == due - outcome[1]


def test_paying_with_points_needs_an_amount() -> None:
    assert keys(decided_for(Order(), of(loyalty(500), paying()))) == ["missing_amount"]


def test_points_others_hold_cannot_pay() -> None:
    held = loyalty(500, locks=[Lock("other", 1, 300, NOW + 1)])
    found = decided_for(Order(amount=10_000), of(held, paying())).outcomes[0]
    assert found.points == 200


def test_a_reward_goes_together_with_coupons_and_gift_cards() -> None:
    order = cart((2000, 1), (700, 1))
    done = decided_for(
        order,
        ask(code(amount_off(1000, effect="APPLY_TO_ITEMS"))),
        of(loyalty(4), offer(price=4)),
        ask(card(100), 100),
        ask(code(percent_off(40, effect="APPLY_TO_ORDER"), "v_2")),
        ask(code(amount_off(30, effect="APPLY_TO_ORDER"), "v_3")),
    )
    states = [outcome.order for outcome in done.outcomes]
    assert [(s.discount_amount, s.total_amount, s.applied_discount_amount) for s in states if s] == [
        (0, 1000, 0),
        (0, 1000, 0),
        (100, 900, 100),
        (460, 540, 360),
        (490, 510, 30),
    ]
    assert done.order is not None
    assert discounts(done.order) == [1000, 700]
    assert (done.order.total_discount_amount, done.order.total_applied_discount_amount) == (2190, 2190)


def test_without_effect_means_neither_points_nor_a_discount() -> None:
    skipping = StackingRules(redeemables_no_effect_rule="SKIP")
    assert keys(decided_for(Order(amount=0), of(loyalty(500), paying()), rules=skipping)) == ["no_effect"]
    assert keys(decided_for(None, of(loyalty(500), offer()), rules=skipping)) == ["APPLICABLE"]


def test_a_rule_limits_the_points_that_pay_for_an_order() -> None:
    leaf = {"name": "redemption.reward.pay_with_points.points_used", "conditions": {"$less_than_or_equal": [200]}}
    rule = RuleSet(id="val_1", conditions=compile_rules({"1": leaf, "logic": "1"}))
    order = Order(amount=10_000)
    assert keys(decided_for(order, of(loyalty(500), paying(200), rule))) == ["APPLICABLE"]
    assert keys(decided_for(order, of(loyalty(500), paying(300), rule))) == ["redemption_rules_violated"]
    assert keys(decided_for(order, of(loyalty(500), offer(price=300), rule))) == ["APPLICABLE"]


@given(
    st.lists(st.integers(0, 500), min_size=1, max_size=4),
    st.integers(0, 100_000),
    st.none() | st.integers(0, 2_000),
    st.integers(1, 300),
    st.integers(1, 3_000),
)
def test_what_points_paid_for_and_what_is_undone_cancel_out(
    held: list[int], due: int, asked: int | None, block: int, cents: int
) -> None:
    """Whatever a card holds and owes: after redeeming and undoing on one day card, buckets and order are as they were."""
    voucher = loyalty(sum(held))
    today = date(2026, 1, 20)
    buckets = [
        Bucket(id=f"b_{n}", points=points, expires_on=date(2026, 2, 1 + n) if n else None, created_at=n)
        for n, points in enumerate(held)
    ]
    wallet = Wallet(card=voucher, buckets=sorted(buckets, key=lambda b: (b.expires_on is None, b.expires_on or today)))
    before = [(bucket.id, bucket.points) for bucket in wallet.buckets]
    order = Order(id="ord_1", status="PAID", amount=due)
    payment = offer(Parameters(coin=Coin(Decimal(cents) / 100, block)), block, asked)
    done = decided_for(order, of(voucher, payment))
    stocks: dict[str, int] = {}
    commit(done, stocks=stocks)
    if done.failure is not None:
        assert (voucher.balance, voucher.redeemed_quantity) == (sum(held), 0)
        return
    found = done.outcomes[0]
    assert found.order is not None
    moves = wallet.redeem(found.points or 0)
    assert -sum(move.points for move in moves) == found.points
    assert 0 <= voucher.balance == sum(bucket.points for bucket in wallet.buckets)
    for move in moves:
        wallet.refund(move.bucket, -move.points, today, today, lambda: "b_new", NOW)
    assert [(bucket.id, bucket.points) for bucket in wallet.buckets] == before
    assert voucher.balance == sum(held)
    undone = undo_order(found.order, found.order, False)
    assert (undone.amount, undone.total_amount, undone.discount_amount) == (due, due, 0)
