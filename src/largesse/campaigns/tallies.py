"""What happened to the codes of each campaign on each day, in the project's zone.

Kept as it happens, because what is gone for good can no longer be counted.
"""

from collections.abc import Mapping
from datetime import date

from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint, Table, Text, delete, func, select
from sqlalchemy.engine import Connection

from largesse.kernel.database.columns import metadata, project_id
from largesse.kernel.database.rows import add_rows
from largesse.kernel.database.unit import Unit

tallies = Table(
    "campaign_tallies",
    metadata,
    project_id(),
    Column("campaign_id", Text, nullable=False),
    Column("day", Text, nullable=False),  # ISO 8601, so that days compare as texts
    Column("name", Text, nullable=False),
    Column("value", BigInteger, nullable=False),
    PrimaryKeyConstraint("project_id", "campaign_id", "day", "name"),
)


def add(unit: Unit, campaign_id: str, amounts: Mapping[str, int]) -> None:
    """Adds to the tallies of today."""
    day = unit.project.day(unit.now).isoformat()
    rows = [(campaign_id, day, name, amount) for name, amount in sorted(amounts.items()) if amount]
    add_rows(unit.conn, tallies, ("campaign_id", "day", "name"), "value", (), unit.project_id, rows, guard="1 = 1")


def sums(
    conn: Connection, project_id: str, campaign_id: str, first: date | None, last: date | None
) -> Mapping[str, int]:
    """Each tally from the first day to the last, both included; one that never moved is absent."""
    where = [tallies.c.project_id == project_id, tallies.c.campaign_id == campaign_id]
    if first is not None:
        where.append(tallies.c.day >= first.isoformat())
    if last is not None:
        where.append(tallies.c.day <= last.isoformat())
    found = select(tallies.c.name, func.sum(tallies.c.value)).where(*where).group_by(tallies.c.name)
    return {name: int(value) for name, value in conn.execute(found)}


def remove(conn: Connection, project_id: str, campaign_id: str) -> None:
    conn.execute(delete(tallies).where(tallies.c.project_id == project_id, tallies.c.campaign_id == campaign_id))
