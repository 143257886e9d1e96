"""The older endpoints for promotion tiers: thin forms over the same decisions."""

from typing import Any

import msgspec
from litestar import Response, post

from largesse.customers.model import CustomerInput
from largesse.engine.order import OrderInput
from largesse.kernel.http.request import ApiRequest, operation
from largesse.redemptions.answers.shapes import Redeemed
from largesse.redemptions.desk import as_json, redeemed, wants_explanations
from largesse.redemptions.evaluation import Question
from largesse.redemptions.model import RedeemableInput, StackableRequest, explained
from largesse.redemptions.offers import Offer, OfferQuestion, Offers, validate_tiers


class TierRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Who would buy what; the tier is named by the path."""

    order: OrderInput | None = None
    customer: CustomerInput | None = None
    tracking_id: str | None = None
    metadata: dict[str, Any] | None = None


def _stackable(sent: TierRequest, *tier_ids: str) -> StackableRequest:
    return StackableRequest(
        redeemables=[RedeemableInput(object="promotion_tier", id=tier_id) for tier_id in tier_ids],
        order=sent.order,
        customer=sent.customer,
        tracking_id=sent.tracking_id,
        metadata=sent.metadata,
    )


async def _asked(request: ApiRequest) -> StackableRequest:
    asked = _stackable(await request.payload(TierRequest))
    return explained(asked) if wants_explanations(request) else asked


@post(
    "/v1/promotions/tiers/{tier_id:str}/validation",
    **operation("Validate one promotion tier", body=TierRequest, answer=Offer, deprecated=True),
)
async def validate_tier(request: ApiRequest, tier_id: str) -> Response[bytes]:
    question = OfferQuestion(await _asked(request), tier_id)
    return as_json(await request.database.consider(request.call, validate_tiers, question))


@post(
    "/v1/promotions/tiers/{tier_id:str}/redemption",
    **operation("Redeem one promotion tier", body=TierRequest, answer=Redeemed, deprecated=True),
)
async def redeem_tier(request: ApiRequest, tier_id: str) -> Response[bytes]:
    sent = await request.payload(TierRequest)
    return await redeemed(request, Question(_stackable(sent, tier_id), request.settings, "single"))


@post(
    "/v1/promotions/validation",
    **operation("List the promotion tiers that apply", body=TierRequest, answer=Offers, deprecated=True),
)
async def validate_promotions(request: ApiRequest) -> Response[bytes]:
    question = OfferQuestion(await _asked(request))
    return as_json(await request.database.consider(request.call, validate_tiers, question))


routes = [validate_tier, redeem_tier, validate_promotions]
