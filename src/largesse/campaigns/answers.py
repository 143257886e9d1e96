"""Campaigns in wire form: which members stand where (documented, observed)."""

from typing import Any

import msgspec
from msgspec import UNSET

from largesse.campaigns.model import (
    AccessList,
    CampaignAnswer,
    CardShown,
    GiftShown,
    RedemptionLimit,
    StoredCampaign,
    Template,
    TemplateShown,
)
from largesse.categories.model import CategoryAnswer
from largesse.kernel import clock
from largesse.kernel.benefits import Validity
from largesse.validation_rules.model import AssignmentList


def answer(campaign: StoredCampaign, category: CategoryAnswer | None = None) -> CampaignAnswer:
    """What lists and summaries show; `category` is that of the campaign's `category_id`."""
    shown = CampaignAnswer(
        id=campaign.id,
        name=campaign.name,
        campaign_type=campaign.campaign_type,
        type=campaign.type,
        auto_join=campaign.auto_join,
        join_once=campaign.join_once,
        use_voucher_metadata_schema=campaign.use_voucher_metadata_schema,
        active=campaign.active,
        metadata=campaign.metadata or {},
        created_at=clock.iso(campaign.created_at),
        creation_status=campaign.creation_status,
        vouchers_generation_status=campaign.vouchers_generation_status,
        protected=campaign.protected,
        category_id=campaign.category_id,
        **validity(campaign),
    )
    if campaign.description is not None:
        shown.description = campaign.description
    if campaign.activity_duration_after_publishing is not None:
        shown.activity_duration_after_publishing = campaign.activity_duration_after_publishing
    if campaign.loyalty_tiers_expiration is not None:
        shown.loyalty_tiers_expiration = campaign.loyalty_tiers_expiration
    if campaign.updated_at is not None:
        shown.updated_at = clock.iso(campaign.updated_at)
    if category is not None:
        shown.category, shown.categories = category.name, [category]
    if campaign.voucher is not None:
        shown.voucher = _template(campaign.voucher, campaign)
        shown.vouchers_count = campaign.vouchers_count
    return shown


def whole(
    campaign: StoredCampaign, category: CategoryAnswer | None, assignments: AssignmentList, holds: dict[str, Any]
) -> CampaignAnswer:
    """What creation, reading and updating show: with what it holds, its rules and its access lists."""
    shown = answer(campaign, category)
    shown.access_settings_assignments = AccessList()
    if campaign.voucher is not None:
        shown.validation_rules_assignments = assignments
    for name, value in holds.items():
        setattr(shown, name, value)
    return shown


def validity(held: Validity) -> dict[str, Any]:
    """The members of a validity that are set, as campaigns and tiers show them."""
    found: dict[str, Any] = {}
    for name, value in msgspec.structs.asdict(held).items():
        if name in Validity.__struct_fields__ and value is not None:
            found[name] = clock.iso(value) if name.endswith("_date") else value
    return found


def _template(template: Template, campaign: StoredCampaign) -> TemplateShown:
    gift = None if template.gift_amount is None else GiftShown(template.gift_amount, template.gift_effect)
    card = None if template.points is None else CardShown(template.points, template.expiration_rules)
    return TemplateShown(
        type=template.type,
        discount=template.discount or UNSET,
        gift=gift or UNSET,
        loyalty_card=card or UNSET,
        redemption=RedemptionLimit(template.quantity),
        code_config=template.code_config or UNSET,
        **validity(campaign),
    )
