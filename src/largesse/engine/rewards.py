"""Rewards: what points buy. Prices as the holder's tier sees them, and paying with points. Integers and exact ratios only."""

from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal

import msgspec

from largesse.engine.benefits import RuleSet
from largesse.engine.money import half_up

CampaignKind = Literal["DISCOUNT_COUPONS", "GIFT_VOUCHERS", "LOYALTY_PROGRAM"]


class CampaignReward(msgspec.Struct, frozen=True, omit_defaults=True):
    """A code of a campaign, or `balance` on the customer's card of it: minor units on a gift card, points on a loyalty card."""

    id: str
    type: CampaignKind
    balance: int | None = None


class Coin(msgspec.Struct, frozen=True):
    """Paying with points: `points_ratio` points are worth `exchange_ratio` major units of the currency."""

    exchange_ratio: Decimal
    points_ratio: int

    @property
    def block_value(self) -> int:
        """What one block of points is worth, in minor units."""
        worth = Fraction(self.exchange_ratio) * 100
        return half_up(worth.numerator, worth.denominator)


class Material(msgspec.Struct, frozen=True):
    """A product, or one SKU of it."""

    id: str
    sku_id: str | None


class Parameters(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a reward is: exactly one of them."""

    campaign: CampaignReward | None = None
    coin: Coin | None = None
    product: Material | None = None


class Reward(msgspec.Struct, frozen=True, kw_only=True):
    """A reward as decisions read it. Compiled once per version of the project's definitions."""

    id: str
    name: str
    type: str  # CAMPAIGN, COIN, MATERIAL
    parameters: Parameters
    metadata: dict[str, Any] = {}
    created_at: int = 0
    updated_at: int | None = None


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """A reward offered in a program for `points`; None where it pays with points. `rules` limit paying with points."""

    id: str
    reward: Reward
    points: int | None = None
    auto_redeem: bool = False
    rules: tuple[RuleSet, ...] = ()


class PriceMapping(msgspec.Struct, frozen=True):
    """How a tier changes the price of an assignment: times `multiplier`, another number of `points`, or not to be had at all."""

    type: Literal["MULTIPLY", "CUSTOM", "NOT_AVAILABLE"]
    multiplier: Decimal | None = None
    points: int | None = None


def price_of(assignment: Assignment, mapping: PriceMapping | None) -> int | None:
    """What the reward costs in points, or one block of paying with them; None where the tier does not have it.

    A multiplied price is rounded half up and at least 1; paying with points can only be multiplied (documented).
    """
    coin = assignment.reward.parameters.coin
    base = coin.points_ratio if coin is not None else assignment.points or 0
    if mapping is None:
        return base
    if mapping.type == "NOT_AVAILABLE":
        return None
    if mapping.type == "MULTIPLY":
        price = base * Fraction(mapping.multiplier or 0)
        return max(1, half_up(price.numerator, price.denominator))
    return base if coin is not None or mapping.points is None else mapping.points


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A reward as the holder of a card asks for it.

    `assignment` is None where the card's program does not offer it; `price`, in points, where the holder's tier does not have it.
    What pays with points has the price of one block, and takes as many `points` as were asked for, None for as many as are due.
    A program may redeem a reward several `times` at once by itself, for one price.
    """

    reward_id: str
    assignment: Assignment | None = None
    price: int | None = None
    tier_id: str | None = None  # the tier whose mapping made the price
    points: int | None = None
    times: int = 1

    @property
    def coin(self) -> Coin | None:
        return self.assignment.reward.parameters.coin if self.assignment else None


class Payment(msgspec.Struct, frozen=True):
    """`points` spent and the `discount` they pay for, in minor units."""

    points: int
    discount: int


def pay(coin: Coin, block: int, due: int, available: int, asked: int | None) -> Payment:
    """Pays `due` with whole blocks of `block` points, out of `available` of them, or of no more than were `asked` for.

    Observed: the last block may be worth more than is due; a part of a block is never spent.
    """
    value = coin.block_value
    needed = -(-due // value)
    blocks = min(needed, (available if asked is None else asked) // block)
    return Payment(blocks * block, min(due, blocks * value))
