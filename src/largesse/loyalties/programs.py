"""Loyalty programs as campaigns of one type."""

import largesse.campaigns.service as campaigns
from largesse.campaigns.holdings import HoldingsByType
from largesse.campaigns.model import (
    LOYALTY_PROGRAM,
    Accepted,
    CampaignAnswer,
    CampaignCreate,
    CampaignList,
    CampaignUpdate,
)
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import invalid_payload
from largesse.kernel.http.query import Query
from largesse.loyalties.lookups import existing_program


def create(unit: Unit, sent: CampaignCreate, holdings: HoldingsByType) -> CampaignAnswer:
    """A new program; its type need not be said. Raises ApiError as campaigns do."""
    if sent.campaign_type not in (None, LOYALTY_PROGRAM):
        raise invalid_payload(
            f"Property .campaign_type should be equal to one of the allowed values [ {LOYALTY_PROGRAM} ]"
        )
    sent.campaign_type = LOYALTY_PROGRAM
    return campaigns.create(unit, sent, holdings)


def get(unit: Unit, key: str, holdings: HoldingsByType) -> CampaignAnswer:
    return campaigns.get(unit, existing_program(unit, key).id, holdings)


def update(unit: Unit, key: str, sent: CampaignUpdate, holdings: HoldingsByType) -> CampaignAnswer:
    """Changes what may change; cards that nobody has had follow in the background."""
    return campaigns.update(unit, existing_program(unit, key).id, sent, holdings)


def delete(unit: Unit, key: str, *, force: bool) -> Accepted:
    """Hides the program at once; its cards go in the background, to the bin or for good."""
    return campaigns.delete(unit, existing_program(unit, key).id, force=force)


def list_programs(unit: Unit, query: Query) -> CampaignList:
    """Newest first."""
    return campaigns.list_campaigns(unit, query, only=LOYALTY_PROGRAM)
