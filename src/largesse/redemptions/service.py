"""What other rooms may ask of the history of redemptions."""

from collections.abc import Mapping

from sqlalchemy.engine import Connection

from largesse.redemptions import store


def uses_by_voucher(conn: Connection, project_id: str) -> Mapping[str, int]:
    """Redemptions not undone, for every voucher."""
    return store.uses_by_voucher(conn, project_id)


def uses_by_tier(conn: Connection, project_id: str) -> Mapping[str, int]:
    """Redemptions not undone, for every promotion tier ever redeemed."""
    return store.uses_by_tier(conn, project_id)


def counts_by_customer(conn: Connection, project_id: str) -> Mapping[str, Mapping[str, int]]:
    """For every customer the statistics that history implies, under the names of `customers.model.Counts`."""
    return store.counts_by_customer(conn, project_id)
