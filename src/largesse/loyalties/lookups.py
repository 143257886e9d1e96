"""Loyalty programs as their earning rules and tiers ask about them."""

import largesse.campaigns.service as campaigns
from largesse.campaigns.model import LOYALTY_PROGRAM, StoredCampaign
from largesse.engine.qualification import scheme_of
from largesse.engine.tiers import Scheme
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import not_found


def existing_program(unit: Unit, key: str, *, lock: bool = False) -> StoredCampaign:
    """The loyalty program with this id or name. Raises ApiError 404, also for a campaign of another type."""
    found = campaigns.find(unit, key, lock=lock)
    if found.campaign_type != LOYALTY_PROGRAM:
        raise not_found("campaign", key)
    return found


def scheme_of_program(campaign: StoredCampaign) -> Scheme:
    """How its tiers are reached and kept; the definition was checked when it was saved."""
    return scheme_of(campaign.loyalty_tiers_expiration)
