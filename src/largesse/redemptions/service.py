"""What other rooms may ask of the history of redemptions."""

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import Select
from sqlalchemy.engine import Connection

from largesse.redemptions import store


def uses_by_voucher(conn: Connection, project_id: str) -> Mapping[str, int]:
    """Redemptions not undone, for every voucher."""
    return store.uses_by_voucher(conn, project_id)


def uses_by_tier(conn: Connection, project_id: str) -> Mapping[str, int]:
    """Redemptions not undone, for every promotion tier ever redeemed."""
    return store.uses_by_tier(conn, project_id)


def records_of_voucher(project_id: str, voucher_id: str) -> Select[Any]:
    """Selects the ids of all redemptions and rollbacks of a voucher, failed ones included."""
    return store.records_of_voucher(project_id, voucher_id)


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
