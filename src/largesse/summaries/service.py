"""The use case of summaries."""

from datetime import date, timedelta

import largesse.campaigns.service as campaigns
import largesse.publications.service as publications
import largesse.redemptions.service as redemptions
import largesse.vouchers.service as vouchers
import largesse.wallets.service as wallets
from largesse.campaigns.model import GIFT_VOUCHERS, LOYALTY_PROGRAM, PROMOTION
from largesse.kernel import clock
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import invalid_query
from largesse.kernel.http.query import Query
from largesse.summaries.model import CampaignSummary

_DAY = timedelta(days=1)
_POINTS = {  # what a summary shows → the transactions it sums up
    "points_added": "POINTS_ADDITION",
    "points_subtracted": "POINTS_REMOVAL",
    "points_rewarded": "POINTS_ACCRUAL",
    "points_redeemed": "POINTS_REDEMPTION",
    "points_rolledback": "POINTS_REFUND",
    "points_expired": "POINTS_EXPIRATION",
    "points_transferred_out": "POINTS_TRANSFER_OUT",
    "points_transferred_in": "POINTS_TRANSFER_IN",
}


def summary_of_campaign(unit: Unit, key: str, query: Query) -> CampaignSummary:
    """What happened from `start_date` to `end_date`, days of the project's zone and both included.

    Raises ApiError 404, 400 `invalid_query_params`.
    """
    campaign = campaigns.plain(unit, key)
    first, last = _day(query, "start_date"), _day(query, "end_date")
    if first is not None and last is not None and last < first:
        raise invalid_query("Property .end_date cannot be before .start_date")
    since = None if first is None else unit.project.midnight(first)
    until = None if last is None else unit.project.midnight(last + _DAY)
    figures = redemptions.figures_of_campaign(unit.conn, unit.project_id, campaign.id, since, until)
    shown = CampaignSummary(
        campaign=campaign,
        redemptions=figures.redemptions_succeeded + figures.redemptions_failed,
        redemptions_succeeded=figures.redemptions_succeeded,
        redemptions_failed=figures.redemptions_failed,
        rollbacks=figures.rollbacks_succeeded + figures.rollbacks_failed,
        rollbacks_succeeded=figures.rollbacks_succeeded,
        rollbacks_failed=figures.rollbacks_failed,
        orders_amount=figures.orders_amount,
        orders_rolledback_amount=figures.orders_rolledback_amount,
    )
    tallies = campaigns.tallies_of(unit, campaign.id, first, last)
    if campaign.campaign_type != PROMOTION:
        shown.vouchers_created = tallies.get("vouchers_created", 0)
        shown.vouchers_deleted = tallies.get("vouchers_deleted", 0)
        published = publications.count_by_result(unit.conn, unit.project_id, campaign.id, since, until)
        shown.publications_succeeded, shown.publications_failed = (
            published.get("SUCCESS", 0),
            published.get("FAILURE", 0),
        )
        shown.publications = shown.publications_succeeded + shown.publications_failed
    if campaign.campaign_type == GIFT_VOUCHERS:
        shown.created_vouchers_amount = tallies.get("created_vouchers_amount", 0)
        shown.amount_added = tallies.get("amount_added", 0)
        shown.amount_deleted = tallies.get("amount_deleted", 0)
        shown.amount_subtracted = tallies.get("amount_subtracted", 0)
        shown.amount_redeemed = figures.amount_redeemed
        shown.amount_rolledback = figures.amount_rolledback
    elif campaign.campaign_type == LOYALTY_PROGRAM:
        shown.created_vouchers_points = tallies.get("created_vouchers_amount", 0)
        shown.points_deleted = tallies.get("amount_deleted", 0)
        moved = vouchers.amounts_by_type(unit.conn, unit.project_id, campaign.id, since, until)
        for name, kind in _POINTS.items():
            setattr(shown, name, abs(moved.get(kind, 0)))
        waiting = wallets.pending_figures(unit.conn, unit.project_id, campaign.id, since, until)
        shown.pending_points_added = waiting["added"] + tallies.get("pending_points_added", 0)
        shown.pending_points_subtracted = tallies.get("pending_points_subtracted", 0)
        shown.pending_points_activated = waiting["activated"]
        shown.pending_points_canceled = waiting["canceled"]
    else:
        shown.discounted_amount = figures.discounted_amount
        shown.rolledback_discounted_amount = figures.rolledback_discounted_amount
    return shown


def _day(query: Query, name: str) -> date | None:
    value = query.text(name)
    if value is None:
        return None
    try:
        day = clock.parse_day(value)
        day + _DAY  # the last day that the calendar knows has none after it
    except (ValueError, OverflowError):
        raise invalid_query(f"Property .{name} should be a date such as 2026-01-31") from None
    return day
