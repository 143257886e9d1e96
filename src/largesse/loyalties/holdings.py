"""What loyalty programs hold: cards, and when they go for good also their rules, tiers and rewards."""

from collections.abc import Sequence

import largesse.loyalties.earning.service as earning
import largesse.publications.service as publications
import largesse.rewards.assigning as rewards
from largesse.campaigns.model import StoredCampaign
from largesse.kernel.database.unit import Unit
from largesse.loyalties.tiers import changing, members
from largesse.vouchers.pool import CodeHoldings


class ProgramHoldings(CodeHoldings):
    """Cards follow their program as codes follow their campaign; members follow a change of how tiers are reached."""

    def __init__(self) -> None:
        super().__init__(forget_cards, _requalify)

    def take_away(self, unit: Unit, campaign_id: str, batch: int, *, force: bool) -> int:
        gone = super().take_away(unit, campaign_id, batch, force=force)
        if force and not gone:
            earning.remove_of_campaign(unit, campaign_id)
            members.remove_of_campaign(unit, campaign_id)
            rewards.forget_campaign(unit, campaign_id)
        return gone


def forget_cards(unit: Unit, voucher_ids: Sequence[str]) -> None:
    """Lets go of what is kept of cards that are deleted: who held them, and which tier."""
    publications.remove_of_vouchers(unit, voucher_ids)
    members.forget_cards(unit, voucher_ids)


def _requalify(unit: Unit, before: StoredCampaign, after: StoredCampaign, recalculate: bool) -> None:
    changing.requalify(unit, before, after, recalculate=recalculate)
