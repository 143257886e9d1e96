"""The entries a decision reads: vouchers with their counters and locks, and what a request asks of them."""

from typing import Any

import msgspec

from largesse.engine.discounts import Discount
from largesse.engine.validity import Hours, Timeframe


class Lock(msgspec.Struct, frozen=True):
    """What a validation session keeps from others until `expires_at`: uses and credits."""

    session_key: str
    quantity: int
    credits: int
    expires_at: int


class Category(msgspec.Struct, frozen=True):
    """`hierarchy` >= 0: lower comes first."""

    id: str
    name: str
    hierarchy: int


class Voucher(msgspec.Struct, kw_only=True):
    """A voucher as decisions see it. Mutable: the requests of one batch share it, each seeing what the ones before it did."""

    id: str
    code: str
    type: str
    discount: Discount | None = None
    gift_effect: str | None = None
    gift_amount: int = 0
    subtracted_amount: int = 0
    redeemed_amount: int = 0
    quantity: int | None = None
    redeemed_quantity: int = 0
    active: bool = True
    campaign_active: bool = True
    start_date: int | None = None
    expiration_date: int | None = None
    validity_timeframe: Timeframe | None = None
    validity_day_of_week: list[int] | None = None
    validity_hours: Hours | None = None
    campaign: str | None = None
    campaign_id: str | None = None
    category: Category | None = None
    holder_id: str | None = None
    is_referral_code: bool = False
    metadata: dict[str, Any] = {}
    locks: list[Lock] = []

    @property
    def balance(self) -> int:
        """Credits left on a gift card."""
        return self.gift_amount - self.subtracted_amount - self.redeemed_amount

    def locked(self, session_key: str | None, now: int) -> tuple[int, int]:
        """Uses and credits that other sessions hold at `now`."""
        others = [lock for lock in self.locks if lock.expires_at > now and lock.session_key != session_key]
        return sum(lock.quantity for lock in others), sum(lock.credits for lock in others)


class Ask(msgspec.Struct, frozen=True):
    """One redeemable of a request, named as the caller named it; `voucher` is None where nothing has that name."""

    object: str
    id: str
    voucher: Voucher | None = None
    credits: int | None = None

    @property
    def category(self) -> Category | None:
        return self.voucher.category if self.voucher else None
