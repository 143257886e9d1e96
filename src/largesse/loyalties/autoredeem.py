"""Rewards that programs redeem by themselves: when, how many at once, and how often a day. Who redeems them is handed in.

A card that gained points spends them on the one reward of its program that is redeemed automatically, before tiers are looked at
(documented). A customer can have 10 such redemptions of one reward a day; then it waits for the next local midnight (our decision),
when a chore goes on with what was left. Where a program begins to redeem a reward by itself, or at another price, a job serves at
that midnight the cards that hold the points already.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
    bindparam,
    delete,
    exists,
    select,
    text,
)
from sqlalchemy.engine import Connection

import largesse.points.service as points
import largesse.rewards.service as rewards
import largesse.vouchers.service as vouchers
from largesse.engine.rewards import Assignment, price_of
from largesse.kernel import clock, definitions
from largesse.kernel.access.tables import projects
from largesse.kernel.database.columns import metadata, one_of, project_id
from largesse.kernel.database.rows import add_rows
from largesse.kernel.database.unit import Unit
from largesse.kernel.jobs.model import Chore, Done, Job, Kind, Progress
from largesse.kernel.project import Project
from largesse.loyalties.tiers import members
from largesse.points.service import Cards
from largesse.rewards.assigning import AUTO_REDEEM
from largesse.vouchers.model import StoredVoucher

MOST_AT_ONCE = 25  # rewards of one redemption (documented)
MOST_A_DAY = 10  # redemptions of one reward by one customer (documented)

# (unit, cards, card, assignment, quantity, points) → whether it was redeemed. The redemption spends the points through `cards`,
# which the caller saves. A refusal, such as an empty stock, is False and no error.
Redeem = Callable[[Unit, Cards, StoredVoucher, Assignment, int, int], bool]

_SPENT = text(f"count >= {MOST_A_DAY}")  # the day allows no more

redeemed = Table(
    "auto_redemptions",
    metadata,
    project_id(),
    Column("assignment_id", Text, nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("day", Text, nullable=False),  # local, ISO 8601
    Column("count", BigInteger, nullable=False),
    PrimaryKeyConstraint("project_id", "customer_id", "assignment_id", "day"),
    Index("auto_redemptions_spent", "project_id", "day", sqlite_where=_SPENT, postgresql_where=_SPENT),
)
_COUNTS = select(redeemed.c.customer_id, redeemed.c.assignment_id, redeemed.c.count).where(
    redeemed.c.project_id == bindparam("project"),
    redeemed.c.day == bindparam("day"),
    one_of(redeemed.c.customer_id, "customers"),
)
_WAITING = (
    select(redeemed.c.customer_id)
    .where(redeemed.c.project_id == bindparam("project"), redeemed.c.day < bindparam("day"), _SPENT)
    .order_by(redeemed.c.day)
    .limit(bindparam("limit"))
)
_PROJECTS_WAITING = select(projects.c.project_id).where(
    exists().where(redeemed.c.project_id == projects.c.project_id, redeemed.c.day < bindparam("day"), _SPENT)
)
_OVER = delete(redeemed).where(
    redeemed.c.project_id == bindparam("project"),
    redeemed.c.day < bindparam("day"),
    one_of(redeemed.c.customer_id, "customers"),
)
_HELD = f"t.count + {{count}} <= {MOST_A_DAY}"


def is_offered(unit: Unit, project: Project, campaign_ids: Iterable[str]) -> dict[str, Assignment]:
    """The reward of each program that is redeemed by itself, by campaign id; no query where all is kept."""
    offered = rewards.offered(unit.conn, project, set(campaign_ids))
    return {
        campaign_id: assignment
        for campaign_id, mine in offered.items()
        for assignment in mine.values()
        if assignment.auto_redeem
    }


def redeem_all(
    units: Mapping[str, Unit],
    cards: Cards,
    found: Sequence[StoredVoucher],
    automatic: Mapping[str, Assignment],
    redeem: Redeem,
) -> None:
    """Spends what cards hold, as long as it pays for the reward of their program. `units` by card id; saves nothing."""
    first = units[found[0].entry.id]
    project = definitions.current(first)
    prices = members.prices(first.conn, project, found, first.now)
    day = project.day(first.now).isoformat()
    counts = _counts(first.conn, project.id, {stored.entry.holder_id or "" for stored in found}, day)
    rows = []
    for stored in found:
        entry, assignment = stored.entry, automatic[stored.entry.campaign_id or ""]
        mapping = prices[entry.id].mappings.get(assignment.id) if entry.id in prices else None
        left = MOST_A_DAY - counts.get((entry.holder_id or "", assignment.id), 0)
        price, count = price_of(assignment, mapping), 0
        while price and count < left and entry.balance >= price:
            quantity = min(MOST_AT_ONCE, entry.balance // price)
            if not redeem(units[entry.id], cards, stored, assignment, quantity, quantity * price):
                break
            count += 1
        if count:
            rows.append((entry.holder_id, assignment.id, day, count))
    keys = ("customer_id", "assignment_id", "day")
    add_rows(first.conn, redeemed, keys, "count", (), project.id, sorted(rows), guard=_HELD)


def make_chore(redeem: Redeem) -> Chore:
    """Goes on after midnight with those whom the number a day had stopped (documented as part of the daily run)."""
    return Chore(
        name="LOYALTIES.AUTO_REDEEM", due=_projects_waiting, step=lambda unit, most: _go_on(unit, most, redeem)
    )


def kinds(redeem: Redeem) -> dict[str, Kind]:
    """The jobs that go through the cards of a program which began to redeem a reward by itself."""
    return {AUTO_REDEEM: Kind(lambda unit, job: _serve(unit, job, redeem))}


def _serve(unit: Unit, job: Job, redeem: Redeem) -> Progress | Done:
    """The next cards of the program; nothing where the reward is not redeemed automatically any more."""
    campaign_id, project = job.arguments["campaign_id"], definitions.current(unit)
    offered = is_offered(unit, project, [campaign_id]).get(campaign_id)
    mine: list[tuple[str, str]] = []
    if offered is not None and offered.id == job.arguments["assignment_id"]:
        mine = vouchers.next_cards(unit.conn, project.id, campaign_id, job.state.get("after", ""), job.batch)
    if not mine:
        return Done(result={"done_count": job.done})
    held = vouchers.load(unit.conn, unit.project, [id for id, _ in mine], lock=False)
    _redeem_of(unit, [id for id, stored in held.items() if stored.entry.balance > 0], redeem)
    return Progress(state={"after": mine[-1][0]}, done=job.done + len(mine))


def _projects_waiting(conn: Connection, now: int) -> list[str]:
    latest = datetime.fromtimestamp(now // clock.SECOND, UTC) + timedelta(hours=14)  # in whatever zone they live
    return list(conn.execute(_PROJECTS_WAITING, {"day": latest.date().isoformat()}).scalars())


def _go_on(unit: Unit, most: int, redeem: Redeem) -> int:
    today = {"project": unit.project_id, "day": unit.project.day(unit.now).isoformat()}
    stopped = set(unit.conn.execute(_WAITING, {**today, "limit": most}).scalars())
    if stopped:
        _spend(unit, stopped, redeem)
        unit.conn.execute(_OVER, {**today, "customers": list(stopped)})
    return len(stopped)


def _spend(unit: Unit, customer_ids: Collection[str], redeem: Redeem) -> None:
    """Spends what their cards hold, which are locked and settled here."""
    held = vouchers.cards_of_holders(unit.conn, unit.project_id, customer_ids, lock=False)
    automatic = is_offered(unit, definitions.current(unit), {stored.entry.campaign_id or "" for stored in held})
    _redeem_of(unit, [stored.entry.id for stored in held if stored.entry.campaign_id in automatic], redeem)


def _redeem_of(unit: Unit, card_ids: Sequence[str], redeem: Redeem) -> None:
    """Of programs that redeem a reward by themselves."""
    if not card_ids:
        return
    cards, found = points.lock(unit, card_ids)
    automatic = is_offered(
        unit, definitions.current(unit), {stored.entry.campaign_id or "" for stored in found.values()}
    )
    if mine := [stored for stored in found.values() if stored in cards and stored.entry.campaign_id in automatic]:
        redeem_all({stored.entry.id: unit for stored in mine}, cards, mine, automatic, redeem)
    cards.save()


def _counts(conn: Connection, project_id: str, customer_ids: Iterable[str], day: str) -> dict[tuple[str, str], int]:
    rows = conn.execute(_COUNTS, {"project": project_id, "day": day, "customers": list(customer_ids)})
    return {(customer_id, assignment_id): count for customer_id, assignment_id, count in rows}
