"""Sums that rules count by, kept beside history so that a decision need not read it.

A sum is seeded from history when a redemption first needs it, and moved by every redemption and rollback after that. Who seeds or
moves one holds its campaign, tier or voucher, so no redemption is counted twice or not at all; and none is seeded before everybody
knows of the rule that asks for it. Where a sum is not kept (yet), it is read from history.
"""

from collections.abc import Callable, Collection, Iterator
from functools import cached_property
from typing import Any, Literal

from sqlalchemy import bindparam, delete, exists, select, tuple_
from sqlalchemy.engine import Connection

from largesse.engine.tallies import Tallies, Tally
from largesse.kernel import clock, ledger, settling
from largesse.kernel.access.tables import projects
from largesse.kernel.database.columns import one_of
from largesse.kernel.database.rows import add_rows
from largesse.kernel.database.trips import GuardViolation
from largesse.kernel.database.unit import Unit
from largesse.kernel.jobs.model import Chore
from largesse.redemptions import store
from largesse.redemptions.tables import sums

Standing = Literal["new", "stored"] | None  # of a customer: made by this batch, there before, or not kept at all
Row = tuple[Tally, int, int | None]  # (sum, how far it moves, what it may be at most after that)
_KEPT_ON = 2 * clock.DAY  # after a period ended: longer than clocks differ and transactions last
_MEMBERS = ("kind", "measure", "since", "until", "customer_id", "api_key", "series")
_VALUES = (
    select(sums.c.scope_id, sums.c.name, sums.c.value)
    .where(sums.c.project_id == bindparam("project"), one_of(sums.c.scope_id, "scopes"), one_of(sums.c.name, "names"))
    .order_by(sums.c.scope_id, sums.c.name)
)
_VALUES_LOCKED = _VALUES.with_for_update()
_HELD = "{value} <= 0 OR {most} IS NULL OR t.value + {value} <= {most}"


class KeptSums:
    """What the rules of one batch count. Where redemptions may follow, rivals for the same campaigns and tiers wait until they
    end; vouchers are locked already.
    """

    def __init__(
        self, conn: Connection, project_id: str, wanted: Collection[Tally], order_ids: Collection[str], *, lock: bool
    ) -> None:
        self._conn = conn
        self._project_id = project_id
        if lock:
            _hold(conn, project_id, wanted)
        self._stored = _values(conn, project_id, wanted, lock=lock)
        missing = [tally for tally in wanted if tally not in self._stored]
        begins = [tally for tally in missing if tally.series] if lock else []
        # Looked at before history is: what ends between the two would be in neither.
        self._seeds_count = bool(begins) and self._is_settled
        orders = [tally for tally in wanted if tally.measure == "orders"]
        history = store.tallies(conn, project_id, [tally for tally in missing if tally.measure != "orders"])
        history |= store.order_sums(conn, project_id, [tally for tally in missing if tally.measure == "orders"])
        self._seeds = {tally: history.get(tally, 0) for tally in begins}
        self.tallies = Tallies(self._stored | history, store.orders_known(conn, project_id, orders, order_ids))

    @cached_property
    def _is_settled(self) -> bool:
        return settling.is_over(self._conn, self._project_id)

    def rows(self, standing: Callable[[str], Standing]) -> list[Row]:
        """What the batch seeded and moved, to be written; `standing` tells of a customer."""
        growth = self.tallies.growth()
        rows: list[Row] = []
        for tally in {**self._seeds, **growth}:
            moved, most = growth.get(tally, (0, None))
            if tally in self._stored:
                if moved:
                    rows.append((tally, moved, most))
            elif self._begins(tally, standing):
                rows.append((tally, self._seeds.get(tally, 0) + moved, most))
        return rows

    def _begins(self, tally: Tally, standing: Callable[[str], Standing]) -> bool:
        """Whether a sum that is not kept so far shall be. A customer whom nobody had when sums were loaded has no history.

        Those who were new then went by another id, under which there is nothing to keep.
        """
        known = standing(tally.customer_id) if tally.customer_id else "stored"
        if tally in self._seeds:
            return self._seeds_count and known is not None
        if known == "stored":
            raise GuardViolation(f"sums: {tally.name} of {tally.id} was moved without being looked at")
        return known == "new" and self._is_settled


class FreedSums:
    """What rollbacks take back from the sums that are kept, each in the period of its redemption."""

    def __init__(
        self, conn: Connection, project_id: str, wanted: Collection[Tally], order_ids: Collection[str]
    ) -> None:
        self._conn = conn
        self._project_id = project_id
        _hold(conn, project_id, wanted)
        self.kept = frozenset(_values(conn, project_id, wanted, lock=True))
        campaigns = [tally for tally in self.kept if tally.measure == "orders"]
        self._orders = store.order_amounts(conn, project_id, campaigns, order_ids)
        self._moves: dict[Tally, int] = {}

    def free(self, tally: Tally, amount: int) -> None:
        if tally in self.kept:
            self._moves[tally] = self._moves.get(tally, 0) - amount

    def free_order(self, tally: Tally, order_id: str | None, redemption_id: str) -> None:
        """An order counts with the highest amount of its redemptions: what remains of it is that of the others."""
        amounts = self._orders.get((tally.id, order_id or ""), {})
        if tally in self.kept and redemption_id in amounts:
            before = max(amounts.values())
            del amounts[redemption_id]
            self.free(tally, before - max(amounts.values(), default=0))

    def rows(self) -> list[Row]:
        """What is freed, to be written."""
        return [(tally, moved, None) for tally, moved in self._moves.items() if moved]


def forget(conn: Connection, project_id: str, scope_id: str) -> None:
    """Lets go of the sums of a voucher whose rules changed: what was not counted for a while would be missing. It is locked."""
    conn.execute(delete(sums).where(sums.c.project_id == project_id, sums.c.scope_id == scope_id))


def _projects_with_ended(conn: Connection, now: int) -> list[str]:
    ended = exists().where(sums.c.project_id == projects.c.project_id, sums.c.until < now - _KEPT_ON)
    return list(conn.execute(select(projects.c.project_id).where(ended)).scalars())


def _drop_ended(unit: Unit, batch: int) -> int:
    mine = (sums.c.project_id == unit.project_id, sums.c.until < unit.now - _KEPT_ON)
    some = select(sums.c.scope_id, sums.c.name).where(*mine).order_by(sums.c.until).limit(batch)
    return unit.conn.execute(delete(sums).where(*mine, tuple_(sums.c.scope_id, sums.c.name).in_(some))).rowcount


# Nobody asks any more what a period that is over added up to; a rollback in it finds nothing to take back from.
ENDED = Chore(name="SUMS.ENDED", due=_projects_with_ended, step=_drop_ended)


def stored(conn: Connection, project_id: str) -> Iterator[tuple[Tally, int]]:
    """Every sum as it is kept, for verification."""
    columns = [sums.c[name] for name in ("kind", "scope_id", *_MEMBERS[1:], "value")]
    for *members, value in conn.execute(select(*columns).where(sums.c.project_id == project_id)):
        yield Tally(*members), value


def _hold(conn: Connection, project_id: str, wanted: Collection[Tally]) -> None:
    ledger.hold(conn, project_id, {tally.id for tally in wanted if tally.kind != "voucher"})


def _values(conn: Connection, project_id: str, wanted: Collection[Tally], *, lock: bool) -> dict[Tally, int]:
    """The sums that are kept, in one query, locked in order of their keys where asked."""
    by_key = {(tally.id, tally.name): tally for tally in wanted if tally.series}
    if not by_key:
        return {}
    arguments: dict[str, Any] = {
        "project": project_id,
        "scopes": list({scope_id for scope_id, _ in by_key}),
        "names": list({name for _, name in by_key}),
    }
    rows = conn.execute(_VALUES_LOCKED if lock else _VALUES, arguments)
    return {by_key[scope_id, name]: value for scope_id, name, value in rows if (scope_id, name) in by_key}


def write(conn: Connection, project_id: str, rows: Collection[Row]) -> None:
    """In order of their keys. Growth beyond what a sum may be at most raises GuardViolation: nothing is ever overspent."""
    written = sorted(
        (
            (tally.id, tally.name, amount, *(getattr(tally, member) for member in _MEMBERS), most)
            for tally, amount, most in rows
        ),
        key=lambda row: row[:2],
    )
    add_rows(conn, sums, ("scope_id", "name"), "value", (*_MEMBERS, "most"), project_id, written, guard=_HELD)
