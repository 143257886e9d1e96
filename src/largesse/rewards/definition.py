"""What a reward may be: every part of a definition is checked when it is saved."""

from decimal import Decimal

import largesse.campaigns.service as campaigns
import largesse.products.service as products
from largesse.campaigns.model import DISCOUNT_COUPONS, GIFT_VOUCHERS
from largesse.engine.money import is_within
from largesse.engine.rewards import CampaignKind, CampaignReward, Coin, Material, Parameters
from largesse.kernel.benefits import MAX_CREDITS
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import ApiError, invalid, invalid_payload, not_found
from largesse.rewards.model import CampaignInput, CoinInput, ParametersInput, ProductInput

LOYALTY_PROGRAM = "LOYALTY_PROGRAM"
CAMPAIGN, COIN, MATERIAL = "CAMPAIGN", "COIN", "MATERIAL"
_MEMBER_OF = {CAMPAIGN: "campaign", COIN: "coin", MATERIAL: "product"}
_ISSUED: dict[str, CampaignKind] = {
    DISCOUNT_COUPONS: "DISCOUNT_COUPONS",
    GIFT_VOUCHERS: "GIFT_VOUCHERS",
    LOYALTY_PROGRAM: "LOYALTY_PROGRAM",
}
_MOST_RATIO = 10**9


def type_of(said: str | None, parameters: ParametersInput | None) -> str:
    """The type said, or the one that the parameters imply. Raises ApiError 400 `missing_param`, `invalid_payload`."""
    given = [kind for kind, name in _MEMBER_OF.items() if getattr(parameters, name, None) is not None]
    if said is None and not given:
        raise missing_param("parameters" if parameters is None else "type")
    kind = said or given[0]
    if kind not in given:
        raise missing_param(f"parameters.{_MEMBER_OF[kind]}")
    if len(given) > 1:
        raise invalid_payload("A reward has one of .parameters.campaign, .parameters.coin and .parameters.product")
    return kind


def checked(unit: Unit, kind: str, sent: ParametersInput) -> Parameters:
    """Parameters of a reward of this type, with what they refer to found.

    Raises ApiError 404 for campaign, product and SKU, 400 `missing_param`, `invalid_balance`, `invalid_payload`.
    """
    part = getattr(sent, _MEMBER_OF[kind])
    if part is None:
        raise invalid_payload(f"The type of a reward cannot be changed: .parameters.{_MEMBER_OF[kind]} is required")
    if kind == CAMPAIGN:
        return Parameters(campaign=_campaign(unit, part))
    return Parameters(coin=_coin(part)) if kind == COIN else Parameters(product=_material(unit, part))


def _campaign(unit: Unit, sent: CampaignInput) -> CampaignReward:
    if sent.id is None:
        raise missing_param("parameters.campaign.id")
    campaign = campaigns.find(unit, sent.id)
    kind = _ISSUED.get(campaign.campaign_type)
    if kind is None:
        raise invalid_payload(f"A campaign of type {campaign.campaign_type} has nothing to hand out as a reward")
    return CampaignReward(campaign.id, kind, None if kind == "DISCOUNT_COUPONS" else _balance(sent.balance))


def _balance(sent: object) -> int:
    if isinstance(sent, bool) or not isinstance(sent, int) or not 0 < sent <= MAX_CREDITS:
        details = "Property .parameters.campaign.balance should be a whole number above 0"
        raise invalid("invalid_balance", "Invalid balance", details)
    return sent


def _coin(sent: CoinInput) -> Coin:
    ratio, points = sent.exchange_ratio, sent.points_ratio
    for name, value in (("exchange_ratio", ratio), ("points_ratio", points)):
        if value is None:
            raise missing_param(f"parameters.coin.{name}")
        if not is_within(value, 0, _MOST_RATIO) or not value:
            raise invalid_payload(f"Property .parameters.coin.{name} should be above 0 and at most {_MOST_RATIO}")
    assert ratio is not None
    assert points is not None
    if points != points.to_integral_value():
        raise invalid_payload("Property .parameters.coin.points_ratio should be a whole number")
    coin = Coin(Decimal(int(ratio)) if ratio == ratio.to_integral_value() else ratio.normalize(), int(points))
    if not coin.block_value:
        raise invalid_payload("Property .parameters.coin.exchange_ratio should be worth at least the smallest amount")
    return coin


def _material(unit: Unit, sent: ProductInput) -> Material:
    if sent.id is None and sent.sku_id is None:
        raise missing_param("parameters.product.id")
    catalog = products.catalog(
        unit.conn, unit.project_id, {sent.id} if sent.id else set(), {sent.sku_id} if sent.sku_id else set()
    )
    sku = catalog.skus.get(sent.sku_id) if sent.sku_id else None
    if sent.sku_id is not None and sku is None:
        raise not_found("sku", sent.sku_id)
    product = catalog.products.get(sent.id or (sku.product_id if sku else None) or "")
    if product is None:
        raise not_found("product", sent.id or "")
    if sku is not None and sku.product_id != product.id:
        raise not_found("sku", str(sent.sku_id))
    return Material(product.id, sku.id if sku else None)


def missing_param(name: str) -> ApiError:
    return invalid("missing_param", "Missing required parameter", f"Parameter '{name}' is required")
