"""What a campaign holds: codes or promotion tiers. Their rooms know how; a campaign only knows that it holds something."""

from collections.abc import Mapping
from typing import Any, Protocol

from largesse.campaigns.model import CampaignCreate, StoredCampaign
from largesse.kernel.database.unit import Unit


class Holdings(Protocol):
    """What campaigns of one kind hold."""

    def begin(self, unit: Unit, campaign: StoredCampaign, sent: CampaignCreate) -> None:
        """Makes what a campaign that was just stored begins with. A status it changes is stored afterwards."""

    def shown(self, unit: Unit, campaign: StoredCampaign) -> dict[str, Any]:
        """The members by which a campaign's answer shows what it holds."""

    def change(
        self, unit: Unit, campaign: StoredCampaign, after: str, batch: int, unset: list[str]
    ) -> tuple[int, str | None]:
        """Hands a changed campaign's values down to at most `batch` things held beyond the id `after`.

        `unset` names metadata that was removed. Answers how many changed, and the id to go on after; None when all are done.
        """

    def reconfigured(
        self, unit: Unit, before: StoredCampaign, after: StoredCampaign, *, recalculate_tiers: bool
    ) -> None:
        """Does at once what a change of the campaign, already stored, asks of those who take part in it."""

    def take_away(self, unit: Unit, campaign_id: str, batch: int, *, force: bool) -> int:
        """Deletes at most `batch` things held, to the bin or for good; answers how many, 0 when none are left."""


HoldingsByType = Mapping[str, Holdings]  # campaign type → what such campaigns hold
