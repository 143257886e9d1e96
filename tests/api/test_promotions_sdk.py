"""Promotion tiers and stacks through the official Python SDK, unmodified."""

from typing import Any

import pytest
import voucherify

from tests.api.shop import name
from tests.servers import Server


@pytest.fixture(scope="module")
def promotions(server: Server) -> Any:
    return voucherify.PromotionsApi(server.sdk())


@pytest.fixture(scope="module")
def campaigns(server: Server) -> Any:
    return voucherify.CampaignsApi(server.sdk())


def test_a_promotion_lives_through_the_sdk(promotions: Any, campaigns: Any) -> None:
    sent = {
        "name": name("Promotion"),
        "campaign_type": "PROMOTION",
        "promotion": {"tiers": [{"name": "A", "action": {"discount": {"type": "PERCENT", "percent_off": 10.0}}}]},
    }
    campaign = campaigns.create_campaign(voucherify.CampaignsCreateRequestBody.from_dict(sent))
    first = campaign.promotion.tiers[0]
    assert (first.name, first.hierarchy, first.promotion_id) == ("A", 1, campaign.id)

    second = promotions.add_promotion_tier_to_campaign(
        campaign.id,
        voucherify.PromotionsTiersCreateRequestBody.from_dict(
            {"name": "B", "banner": "Hi", "action": {"discount": {"type": "AMOUNT", "amount_off": 500.0}}}
        ),
    )
    assert (second.hierarchy, second.banner, second.summary.redemptions.total_redeemed) == (2, "Hi", 0)
    moved = promotions.update_promotion_tier(
        second.id, voucherify.PromotionsTiersUpdateRequestBody.from_dict({"hierarchy": 1})
    )
    assert moved.hierarchy == 1
    assert [one.id for one in promotions.list_promotion_tiers_from_campaign(campaign.id).tiers] == [second.id, first.id]
    assert not promotions.disable_promotion_tier(second.id).active
    assert promotions.enable_promotion_tier(second.id).active
    assert promotions.list_promotion_tiers(is_available=True, limit=1).tiers[0].object == "promotion_tier"

    stack = promotions.create_promotion_stack(
        campaign.id,
        voucherify.PromotionsStacksCreateRequestBody.from_dict(
            {"name": "Both", "tiers": {"ids": [first.id, second.id], "hierarchy_mode": "MANUAL"}}
        ),
    )
    assert promotions.get_promotion_stack(campaign.id, stack.id).tiers.ids == [first.id, second.id]
    promotions.delete_promotion_tier(first.id)
    assert promotions.list_promotion_stacks_in_campaign(campaign.id).data[0].tiers.ids == [second.id]
    promotions.delete_promotion_stack(campaign.id, stack.id)
    assert promotions.list_promotion_stacks_in_campaign(campaign.id).total == 0
