"""The entries a decision reads: vouchers with their counters and locks, tiers, campaigns, and what a request asks of them."""

from typing import Any

import msgspec

from largesse.engine.benefits import RuleSet
from largesse.engine.discounts import Discount
from largesse.engine.rewards import Offer
from largesse.engine.validity import Hours, Timeframe


class Lock(msgspec.Struct, frozen=True):
    """What a validation session keeps from others until `expires_at`: uses, and the credits or points of a card."""

    session_key: str
    quantity: int
    credits: int
    expires_at: int


class Category(msgspec.Struct, frozen=True):
    """`hierarchy` >= 0: lower comes first."""

    id: str
    name: str
    hierarchy: int


class Campaign(msgspec.Struct, frozen=True, kw_only=True):
    """What codes and tiers have in common, as decisions read it. Compiled once per version of the project's definitions.

    A voucher's own dates win over the campaign's, which count only where the voucher has none; a tier needs both to hold.
    """

    id: str
    name: str
    type: str  # DISCOUNT_COUPONS, GIFT_VOUCHERS, PROMOTION, …
    active: bool = True
    start_date: int | None = None
    expiration_date: int | None = None
    validity_timeframe: Timeframe | None = None
    validity_day_of_week: list[int] | None = None
    validity_hours: Hours | None = None
    category: Category | None = None
    metadata: dict[str, Any] = {}
    rules: tuple[RuleSet, ...] = ()


class Tier(msgspec.Struct, frozen=True, kw_only=True):
    """A promotion tier as decisions read it. Compiled once per version of the project's definitions."""

    id: str
    name: str
    campaign: Campaign
    banner: str | None = None
    hierarchy: int = 1
    discount: Discount | None = None
    active: bool = True
    start_date: int | None = None
    expiration_date: int | None = None
    validity_timeframe: Timeframe | None = None
    validity_day_of_week: list[int] | None = None
    validity_hours: Hours | None = None
    category: Category | None = None
    metadata: dict[str, Any] = {}
    rules: tuple[RuleSet, ...] = ()


class Voucher(msgspec.Struct, kw_only=True):
    """A voucher as decisions see it. Mutable: the requests of one batch share it, each seeing what the ones before it did.

    The amounts count credits on a gift card and points on a loyalty card, `gift_amount` being all that was ever credited.
    """

    id: str
    code: str
    type: str
    discount: Discount | None = None
    gift_effect: str | None = None
    gift_amount: int = 0
    subtracted_amount: int = 0
    redeemed_amount: int = 0
    expired_amount: int = 0
    pending_amount: int = 0  # points that are not usable yet, in no other amount
    due_on: str | None = None  # the first local day on which something of a card changes by the calendar; None = never
    quantity: int | None = None
    redeemed_quantity: int = 0
    publish_count: int | None = None
    active: bool = True
    start_date: int | None = None
    expiration_date: int | None = None
    validity_timeframe: Timeframe | None = None
    validity_day_of_week: list[int] | None = None
    validity_hours: Hours | None = None
    campaign: str | None = None
    campaign_id: str | None = None
    parent: Campaign | None = None  # the campaign's definition, filled in for decisions
    category_id: str | None = None
    category: Category | None = None  # its own, filled in for decisions
    rule_ids: list[str] = []  # of its own rules, in order of assignment
    holder_id: str | None = None
    is_referral_code: bool = False
    metadata: dict[str, Any] = {}
    locks: list[Lock] = []

    @property
    def balance(self) -> int:
        """Credits left on a gift card, points on a loyalty card."""
        return self.gift_amount - self.subtracted_amount - self.redeemed_amount - self.expired_amount

    def locked(self, session_key: str | None, now: int) -> tuple[int, int]:
        """Uses, and credits or points, that other sessions hold at `now`."""
        others = [lock for lock in self.locks if lock.expires_at > now and lock.session_key != session_key]
        return sum(lock.quantity for lock in others), sum(lock.credits for lock in others)


class Ask(msgspec.Struct, frozen=True):
    """One redeemable of a request, named as the caller named it; neither voucher nor tier where nothing has that name.

    `rules` must all hold and say what the benefit applies to: the campaign's first, then its own, in order of assignment.
    `stack_id` is set on the tiers that a promotion stack was expanded into; their order is the stack's. `offer` is the reward
    that is asked of a loyalty card.
    """

    object: str
    id: str
    voucher: Voucher | None = None
    credits: int | None = None
    tier: Tier | None = None
    rules: tuple[RuleSet, ...] = ()
    stack_id: str | None = None
    offer: Offer | None = None

    @property
    def campaign(self) -> Campaign | None:
        if self.tier is not None:
            return self.tier.campaign
        return self.voucher.parent if self.voucher else None

    @property
    def category(self) -> Category | None:
        """Its own, else its campaign's."""
        own = self.voucher or self.tier
        if own is not None and own.category is not None:
            return own.category
        return self.campaign.category if self.campaign else None
