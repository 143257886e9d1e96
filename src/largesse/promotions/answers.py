"""Promotion tiers and stacks in wire form."""

from collections.abc import Mapping

import msgspec

from largesse.campaigns.answers import validity
from largesse.campaigns.model import StoredCampaign
from largesse.categories.model import CategoryAnswer
from largesse.kernel import clock, ledger
from largesse.promotions.model import (
    Action,
    OrderTotals,
    StackAnswer,
    StackTiers,
    StoredStack,
    StoredTier,
    TierAnswer,
    TierCampaign,
    TierSummary,
    TotalRedeemed,
)
from largesse.validation_rules.model import AssignmentAnswer, AssignmentList


def tier_answer(
    tier: StoredTier,
    campaign: StoredCampaign,
    category: CategoryAnswer | None,
    assigned: list[AssignmentAnswer],
    counts: Mapping[str, int],
) -> TierAnswer:
    """`counts` by account of the ledger."""
    shown = TierAnswer(
        id=tier.id,
        created_at=clock.iso(tier.created_at),
        name=tier.name,
        action=Action(tier.discount),
        metadata=tier.metadata,
        hierarchy=tier.hierarchy,
        campaign=_campaign(campaign),
        campaign_id=campaign.id,
        active=tier.active,
        summary=summary(counts),
        category_id=tier.category_id,
        categories=[category] if category else [],
        **validity(tier),
    )
    if tier.banner is not None:
        shown.banner = tier.banner
    if tier.updated_at is not None:
        shown.updated_at = clock.iso(tier.updated_at)
    if assigned:
        shown.validation_rule_assignments = AssignmentList(data=assigned, total=len(assigned))
    return shown


def summary(counts: Mapping[str, int]) -> TierSummary:
    return TierSummary(
        TotalRedeemed(counts.get(ledger.TIER_USES, 0)),
        OrderTotals(counts.get(ledger.TIER_ORDERS, 0), counts.get(ledger.TIER_DISCOUNTS, 0)),
    )


def _campaign(campaign: StoredCampaign) -> TierCampaign:
    dates = {"start_date": None, "expiration_date": None}
    shown = TierCampaign(id=campaign.id, active=campaign.active, **dates | validity(campaign))
    if campaign.category_id is not None:
        shown.category_id = campaign.category_id
    return shown


def stack_answer(stack: StoredStack, category: CategoryAnswer | None) -> StackAnswer:
    shown = StackAnswer(
        id=stack.id,
        name=stack.name,
        created_at=clock.iso(stack.created_at),
        campaign_id=stack.campaign_id,
        tiers=StackTiers(ids=stack.tier_ids),
        category_id=stack.category_id,
        categories=[category] if category else [],
    )
    if stack.updated_at is not None:
        shown.updated_at = clock.iso(stack.updated_at)
    return shown


def with_promotion_id(shown: TierAnswer) -> TierAnswer:
    return msgspec.structs.replace(shown, promotion_id=shown.campaign_id)
