"""What goes on in the background when a campaign changes or is deleted."""

import largesse.campaigns.service as campaigns
from largesse.campaigns.holdings import HoldingsByType
from largesse.campaigns.model import PROMOTION
from largesse.kernel.database.unit import Unit
from largesse.kernel.jobs.model import Done, Job, Kind, Progress


def kinds(holdings: HoldingsByType) -> dict[str, Kind]:
    """The jobs of this room."""

    def hand_down(unit: Unit, job: Job) -> Progress | Done:
        """A changed campaign's values, to what it holds."""
        campaign = campaigns.by_ids(unit.conn, unit.project_id, [job.arguments["campaign_id"]]).get(
            job.arguments["campaign_id"]
        )
        if campaign is None:  # deleted meanwhile
            return Done(result=_result("Updated", job.done), success=False)
        held = holdings[campaign.campaign_type]
        after, unset = job.state.get("after", ""), job.arguments["unset"]
        changed, last = held.change(unit, campaign, after, job.batch, unset)
        if last is not None:
            return Progress(state={"after": last}, done=job.done + changed)
        campaigns.set_progress(unit, campaign, creation="DONE", generation="DONE")
        return Done(result=_result("Updated", job.done + changed))

    def take_away(unit: Unit, job: Job) -> Progress | Done:
        """What a deleted campaign held, then the campaign itself where it goes for good."""
        campaign_id, kind, force = (job.arguments[name] for name in ("campaign_id", "campaign_type", "force"))
        gone = holdings[kind].take_away(unit, campaign_id, job.batch, force=force)
        if gone:
            return Progress(state={}, done=job.done + gone)
        if force:
            campaigns.remove(unit, campaign_id)
        return Done(result=_result("Deleted", 0 if kind == PROMOTION else job.done))

    def given_up(unit: Unit, job: Job, _message: str) -> None:
        for campaign in campaigns.by_ids(unit.conn, unit.project_id, [job.arguments["campaign_id"]]).values():
            campaigns.set_progress(unit, campaign, creation="FAILED", generation="FAILED")

    return {campaigns.UPDATE: Kind(hand_down, given_up), campaigns.DELETE: Kind(take_away)}


def _result(what: str, count: int) -> dict[str, object]:
    return {"message": f"{what} {count} vouchers.", "done_count": count}
