"""What other rooms may ask of the history of redemptions."""

from collections.abc import Iterator, Mapping
from typing import Any, get_args

import msgspec
from sqlalchemy import Select
from sqlalchemy.engine import Connection

import largesse.campaigns.service as campaigns
import largesse.validation_rules.service as validation_rules
from largesse.engine.rules import Period
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import not_found
from largesse.kernel.project import Project
from largesse.redemptions import decisions, store, sums
from largesse.redemptions.decisions import StoredOutcome
from largesse.redemptions.model import Record


def uses_by_voucher(conn: Connection, project_id: str) -> Mapping[str, int]:
    """Redemptions not undone, for every voucher."""
    return store.uses_by_voucher(conn, project_id)


def uses_by_tier(conn: Connection, project_id: str) -> Mapping[str, int]:
    """Redemptions not undone, for every promotion tier ever redeemed."""
    return store.uses_by_tier(conn, project_id)


def records_of_voucher(project_id: str, voucher_id: str) -> Select[Any]:
    """Selects the ids of all redemptions and rollbacks of a voucher, failed ones included."""
    return store.records_of_voucher(project_id, voucher_id)


def decided(unit: Unit, redemption_id: str) -> tuple[list[Record], list[StoredOutcome]]:
    """The records of a request, the one that stands for it first, and what became of each of its redeemables.

    A child of a stack means the stack. Raises ApiError 404 where there is no such redemption, or its decision is not kept any more.
    """
    found = store.with_children(unit.conn, unit.project_id, [redemption_id], lock=False)
    asked = found.get(redemption_id)
    if asked is None or asked.object != "redemption":
        raise not_found("redemption", redemption_id)
    if asked.parent_id is not None:
        return decided(unit, asked.parent_id)
    outcomes = decisions.of(unit.conn, unit.project_id, redemption_id)
    if outcomes is None:
        raise not_found("explanation", redemption_id)
    children = [record for id, record in found.items() if id != redemption_id]
    return [asked, *children], outcomes


ENDED_SUMS = sums.ENDED  # lets go of what rules counted in periods that are over


class KeptSum(msgspec.Struct, frozen=True):
    """A sum that rules count by, as it is kept and as history has it."""

    scope: str
    name: str
    kept: int
    history: int


def kept_sums(conn: Connection, project: Project) -> Iterator[KeptSum]:
    """The sums that decisions use. Those of rules that are assigned no more, or of another calendar, are not kept on."""
    held = validation_rules.counting(conn, project.id)
    live = campaigns.definitions(conn, project, {id for kind, id in held if kind == "campaign"})  # none that is deleted
    of_campaigns = {one for (kind, id), some in held.items() if kind == "campaign" and id in live for one in some}
    own = {key: some for key, some in held.items() if key[0] != "campaign"}
    periods = (None, *get_args(Period))
    found = {
        tally: value
        for tally, value in sums.stored(conn, project.id)
        if (tally.series in of_campaigns or tally.series in own.get((tally.kind, tally.id), ()))
        and (tally.since, tally.until) in {project.calendar.period(one, tally.since) for one in periods}
    }
    orders = [tally for tally in found if tally.measure == "orders"]
    history = store.tallies(conn, project.id, [tally for tally in found if tally.measure != "orders"])
    history |= store.order_sums(conn, project.id, orders)
    for tally, value in found.items():
        yield KeptSum(f"{tally.kind} {tally.id}", tally.name, value, history.get(tally, 0))


def forget_sums(unit: Unit, voucher_id: str) -> None:
    """To be called where the rules of a voucher change, after it was locked."""
    sums.forget(unit.conn, unit.project_id, voucher_id)


def records_of_campaigns(project_id: str, campaign_id: str | None, campaign_type: str | None) -> Select[Any]:
    """Selects the ids of all redemptions and rollbacks of one campaign, else of all campaigns of a type; failed ones included."""
    if campaign_id is not None:
        return store.records_of_campaigns(project_id, [campaign_id])
    return store.records_of_campaigns(project_id, campaigns.of_type(project_id, campaign_type or ""))


class CampaignFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What history says of a campaign. Amounts in minor units or credits, all positive, nothing netted (documented)."""

    redemptions_succeeded: int
    redemptions_failed: int
    rollbacks_succeeded: int
    rollbacks_failed: int
    orders_amount: int
    orders_rolledback_amount: int
    discounted_amount: int
    rolledback_discounted_amount: int
    amount_redeemed: int
    amount_rolledback: int


def figures_of_campaign(
    conn: Connection, project_id: str, campaign_id: str, since: int | None, until: int | None
) -> CampaignFigures:
    """Redemptions and rollbacks of a campaign's codes or tiers, dated from `since` to before `until` (microseconds UTC)."""
    found = store.figures_of_campaign(conn, project_id, campaign_id, since, until)
    redeemed, orders, off, spent = found.get(("redemption", "SUCCESS"), (0, 0, 0, 0))
    undone, orders_undone, off_undone, returned = found.get(("redemption_rollback", "SUCCESS"), (0, 0, 0, 0))
    return CampaignFigures(
        redemptions_succeeded=redeemed,
        redemptions_failed=found.get(("redemption", "FAILURE"), (0,))[0],
        rollbacks_succeeded=undone,
        rollbacks_failed=found.get(("redemption_rollback", "FAILURE"), (0,))[0],
        orders_amount=orders,
        orders_rolledback_amount=orders_undone,
        discounted_amount=off,
        rolledback_discounted_amount=-off_undone,
        amount_redeemed=spent,
        amount_rolledback=-returned,
    )


def counts_by_customer(conn: Connection, project_id: str) -> Mapping[str, Mapping[str, int]]:
    """For every customer the statistics that history implies, under the names of `customers.model.Counts`."""
    return store.counts_by_customer(conn, project_id)
