"""Prices of rewards, and paying with points: the documented cases, and the laws they are instances of."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from largesse.engine.rewards import Assignment, Coin, Material, Parameters, Payment, PriceMapping, Reward, pay, price_of

COIN = Coin(Decimal(20), 100)


def offer(points: int | None, coin: Coin | None = None) -> Assignment:
    material = Parameters(product=Material("prod_1", None))
    parameters = Parameters(coin=coin) if coin else material
    reward = Reward(id="rew_1", name="R", type="COIN" if coin else "MATERIAL", parameters=parameters)
    return Assignment(id="rewa_1", reward=reward, points=points)


def multiply(by: str) -> PriceMapping:
    return PriceMapping("MULTIPLY", multiplier=Decimal(by))


@pytest.mark.parametrize(
    ("points", "mapping", "price"),
    [
        (30, None, 30),
        (30, PriceMapping("CUSTOM", points=300), 300),
        (30, PriceMapping("CUSTOM"), 30),
        (40, multiply("4"), 160),
        (39, multiply("0.5"), 20),
        (1, multiply("0.1"), 1),
        (1, multiply("0"), 1),
        (10**12, multiply("0.3333333333"), 333333333300),
        (30, PriceMapping("NOT_AVAILABLE"), None),
    ],
)
def test_a_tier_changes_the_price(points: int, mapping: PriceMapping | None, price: int | None) -> None:
    assert price_of(offer(points), mapping) == price


def test_what_a_tier_does_to_paying_with_points() -> None:
    assert price_of(offer(None, COIN), None) == 100
    assert price_of(offer(None, COIN), multiply("1.5")) == 150
    assert price_of(offer(None, COIN), PriceMapping("CUSTOM", points=7)) == 100
    assert price_of(offer(None, COIN), PriceMapping("NOT_AVAILABLE")) is None


@pytest.mark.parametrize(
    ("coin", "due", "balance", "asked", "points", "discount"),
    [
        (COIN, 45000, 6874, None, 2300, 45000),
        (COIN, 45000, 6874, 100, 100, 2000),
        (COIN, 45000, 6874, 150, 100, 2000),
        (COIN, 45000, 6874, 99, 0, 0),
        (COIN, 45000, 250, None, 200, 4000),
        (COIN, 45000, 5000, None, 2300, 45000),
        (COIN, 4500, 5000, 200, 200, 4000),
        (COIN, 3000, 5000, 900, 200, 3000),
        (COIN, 3000, 5000, 150, 100, 2000),
        (COIN, 6000, 5000, None, 300, 6000),
        (COIN, 0, 5000, None, 0, 0),
        (Coin(Decimal(1), 1), 15400, 50, 5, 5, 500),
        (Coin(Decimal("0.015"), 1), 10, 50, None, 5, 10),
    ],
)
def test_an_order_is_paid_in_whole_blocks_of_points(
    coin: Coin, due: int, balance: int, asked: int | None, points: int, discount: int
) -> None:
    assert pay(coin, coin.points_ratio, due, balance, asked) == Payment(points, discount)


def test_a_block_is_worth_its_major_units_rounded_half_up() -> None:
    assert [Coin(Decimal(ratio), 1).block_value for ratio in ("20", "0.01", "0.005", "0.0049", "1.235")] == [
        2000,
        1,
        1,
        0,
        124,
    ]


@given(
    st.integers(1, 10**6),
    st.integers(1, 10**4),
    st.integers(0, 10**9),
    st.integers(0, 10**9),
    st.one_of(st.none(), st.integers(0, 10**9)),
)
def test_a_payment_never_takes_more_than_there_is_nor_a_block_too_many(
    value: int, block: int, due: int, available: int, asked: int | None
) -> None:
    coin = Coin(Decimal(value) / 100, block)
    paid = pay(coin, block, due, available, asked)
    assert paid.points <= (available if asked is None else asked)
    assert paid.points % block == 0
    assert 0 <= paid.discount <= due
    blocks = paid.points // block
    assert paid.discount == min(due, blocks * value)
    assert blocks == 0 or (blocks - 1) * value < due, "the last block was needed"
