"""What a request needs loaded before anything of it can be decided."""

from collections.abc import Collection, Mapping

import msgspec

from largesse.customers.model import CustomerInput
from largesse.engine.order import OrderInput
from largesse.redemptions.model import OrderReference, StackableRequest


class Wanted(msgspec.Struct, frozen=True):
    """What one request needs loaded."""

    customer: CustomerInput | None = None
    tracking_id: str | None = None
    vouchers: Collection[str] = ()
    tiers: Collection[str] = ()
    stacks: Collection[str] = ()
    cards: Mapping[str, str | None] = {}  # loyalty cards among the vouchers, with the rewards asked of them
    order: OrderInput | OrderReference | None = None


def wanted_by(request: StackableRequest) -> Wanted:
    customer = request.customer
    if customer is None and request.order is not None:
        customer = request.order.customer
    asked: dict[str, list[str]] = {"voucher": [], "promotion_tier": [], "promotion_stack": []}
    cards: dict[str, str | None] = {}
    for redeemable in request.redeemables:
        asked[redeemable.object].append(redeemable.id)
        if redeemable.reward is not None and redeemable.object == "voucher":
            cards[redeemable.id] = redeemable.reward.id
    return Wanted(
        customer,
        request.tracking_id,
        vouchers=asked["voucher"],
        tiers=asked["promotion_tier"],
        stacks=asked["promotion_stack"],
        cards=cards,
        order=request.order,
    )
