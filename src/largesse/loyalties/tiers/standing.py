"""How members stand, and how that follows their points and the calendar: for all cards of a transaction at once.

Whoever calls what writes here holds the row locks of the cards' holders.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import msgspec
from sqlalchemy.engine import Connection

import largesse.campaigns.service as campaigns
import largesse.customers.service as customers
from largesse.engine.calendar import first_day
from largesse.engine.tiers import ByPeriod, Points, Standing, Transition
from largesse.kernel import clock, definitions
from largesse.kernel.database.unit import Unit
from largesse.kernel.project import Project
from largesse.loyalties.tiers import service, store
from largesse.loyalties.tiers.model import Membership, StoredTier, TierChange
from largesse.loyalties.tiers.service import Program
from largesse.vouchers.model import StoredVoucher

COLLECTED = (
    "POINTS_ACCRUAL",
    "PENDING_POINTS_ACTIVATION",
    "POINTS_ADDITION",
)  # counts for tiers of a period (our decision)
_ALONE = ("joined", "left", "prolonged", "expiration.changed")  # events that name one tier


class Moved(msgspec.Struct, frozen=True):
    """Points that came to a card or left it on a day. What counts for tiers of a period is `is_collected`.

    Points that became usable `at_midnight` were there when the day's tiers were looked at; all else came after (documented).
    """

    day: date
    points: int
    at_midnight: bool = False
    is_collected: bool = False


class Change(msgspec.Struct, kw_only=True):
    """A card whose points changed by `moved`, in whatever order: the calendar may make up for days before today."""

    unit: Unit
    stored: StoredVoucher
    moved: list[Moved] = msgspec.field(default_factory=list)


class Member:
    """One card's standing, carried through days and changes; `told` is what its holder is to be told, with the day of each."""

    def __init__(self, program: Program, membership: Membership) -> None:
        self.program = program
        self.membership = membership
        self.told: list[tuple[Transition, date]] = []

    @property
    def tier(self) -> StoredTier | None:
        held = self.membership.held
        return self.program.tiers.get(held.tier_id) if held else None

    def pass_days(self, balance: int, today: date) -> None:
        """Lets time do what it did until today, day after day; `balance` as it was before anything else happened today."""
        ladder, member = self.program.ladder, self.membership
        while member.due_on is not None and member.due_on <= today:
            day = member.due_on
            self._step(ladder.next_day(member.standing, Points(balance, self._collected(day)), day), day)

    def collect(self, points: int, today: date) -> None:
        """Counts points for the period of today."""
        scheme = self.program.ladder.scheme
        if isinstance(scheme, ByPeriod) and points:
            collected = self._collected(today)
            self.membership.period_on, self.membership.collected = first_day(today, scheme.period), collected + points

    def follow(self, balance: int, today: date) -> None:
        """Follows a change of points."""
        points = Points(balance, self._collected(today))
        self._step(self.program.ladder.after_change(self.membership.standing, points, today), today)

    def recount(self, collected: int, today: date) -> None:
        """Sets what was collected in the period of today."""
        if isinstance(scheme := self.program.ladder.scheme, ByPeriod):
            self.membership.period_on, self.membership.collected = first_day(today, scheme.period), collected

    def restructure(self, balance: int, today: date) -> None:
        """Follows a change of the program's tiers."""
        points = Points(balance, self._collected(today))
        self._step(self.program.ladder.restructured(self.membership.standing, points, today), today)

    def recalculate(self, balance: int, today: date) -> None:
        """Follows a change of how the program's tiers are reached."""
        points = Points(balance, self._collected(today))
        self._step(self.program.ladder.recalculated(self.membership.standing, points, today), today)

    def _collected(self, day: date) -> int:
        scheme, member = self.program.ladder.scheme, self.membership
        if not isinstance(scheme, ByPeriod) or member.period_on != first_day(day, scheme.period):
            return 0
        return member.collected

    def _step(self, after: Standing, day: date) -> None:
        ladder, member = self.program.ladder, self.membership
        self.told += [(one, day) for one in ladder.told(member.standing, after, day)]
        member.standing, member.due_on = after, ladder.due(after, day)


# Reading


def load(conn: Connection, project: Project, cards: Iterable[StoredVoucher]) -> dict[str, Member]:
    """How the holders of cards stand as stored, by card id; without cards of programs that have no tiers.

    `project` as `definitions.current` answered. No query where no program has tiers, else one.
    """
    held = {stored.entry.id: stored for stored in cards if stored.entry.campaign_id and stored.entry.holder_id}
    programs = service.programs(conn, project, {stored.entry.campaign_id or "" for stored in held.values()})
    mine = {id: programs[v.entry.campaign_id or ""] for id, v in held.items() if v.entry.campaign_id in programs}
    if not mine:
        return {}
    known = store.of_cards(conn, project.id, mine)
    return {id: Member(program, known.get(id) or _new(held[id])) for id, program in mine.items()}


def load_as(conn: Connection, project: Project, cards: Iterable[StoredVoucher], program: Program) -> dict[str, Member]:
    """The same for cards of one program whose tiers this transaction has just changed."""
    held = {stored.entry.id: stored for stored in cards}
    known = store.of_cards(conn, project.id, held)
    return {id: Member(program, known.get(id) or _new(stored)) for id, stored in held.items()}


def _new(stored: StoredVoucher) -> Membership:
    """Of a card whose holder never stood anywhere; its time of creation is set when it is written."""
    entry = stored.entry
    return Membership(
        voucher_id=entry.id,
        customer_id=entry.holder_id or "",
        campaign_id=entry.campaign_id or "",
        created_at=0,
    )


def as_of(conn: Connection, project: Project, cards: Collection[StoredVoucher], now: int) -> dict[str, Member]:
    """How the holders of cards stand now, whether or not a worker has written what time did; by card id, as `load`."""
    today = project.day(now)
    found = load(conn, project, cards)
    for stored in cards:
        member = found.get(stored.entry.id)
        if member is None:
            continue
        member.pass_days(stored.entry.balance, today)
        wallet = stored.wallet.as_of(today) if stored.wallet else None
        if wallet is not None and wallet.card is not stored.entry:  # the calendar has brought something not written yet
            member.collect(max(0, wallet.card.gift_amount - stored.entry.gift_amount), today)
            member.follow(wallet.card.balance, today)
    return found


# Following


def follow(changes: Sequence[Change]) -> None:
    """Notes what changes of points do to the tiers of their cards' holders, and tells of it. One change for each card."""
    if not changes:
        return

    advance(_load_now(changes), changes, _live_through)


def _live_through(member: Member, change: Change, today: date) -> None:
    """Takes a member day by day through what was moved."""
    balance = change.stored.entry.balance - sum(one.points for one in change.moved)
    for day in sorted({*(one.day for one in change.moved), today}):
        mine = [one for one in change.moved if one.day == day]
        member.pass_days(balance, day - timedelta(days=1))
        member.pass_days(balance + sum(one.points for one in mine if one.at_midnight), day)
        balance += sum(one.points for one in mine)
        member.collect(sum(one.points for one in mine if one.is_collected), day)
        member.follow(balance, day)


def pass_days(changes: Sequence[Change]) -> None:
    """Notes what time alone did to the tiers of cards' holders, and tells of it."""
    if changes:

        def step(member: Member, change: Change, today: date) -> None:
            member.pass_days(change.stored.entry.balance, today)

        advance(_load_now(changes), changes, step)


def _load_now(changes: Sequence[Change]) -> dict[str, Member]:
    """Members by the tiers as they are now that their holders are locked.

    Whoever changes tiers locks the members whose standing they change: who waited for that may know the tiers of before.
    """
    first = changes[0].unit
    return load(first.conn, definitions.after_locks(first), [change.stored for change in changes])


def advance(
    members: Mapping[str, Member], changes: Iterable[Change], step: Callable[[Member, Change, date], None]
) -> None:
    """Takes each member a step further, writes what is new of them and tells of it."""
    new: list[Membership] = []
    changed: list[Membership] = []
    telling: list[tuple[Unit, Member]] = []
    first: Unit | None = None
    for change in changes:
        member = members.get(change.stored.entry.id)
        if member is None:
            continue
        unit = change.unit
        first = first or unit
        before = msgspec.structs.replace(member.membership)
        step(member, change, unit.project.day(unit.now))
        after = member.membership
        if after == before:
            continue
        if after.created_at:
            after.updated_at = unit.now
            changed.append(after)
        else:
            after.created_at = unit.now
            new.append(after)
        if member.told:
            telling.append((unit, member))
    if first is not None:
        store.put(first.conn, first.project_id, new, changed)
        _tell(first, telling)


def _tell(first: Unit, telling: Sequence[tuple[Unit, Member]]) -> None:
    if not telling:
        return
    members = [member.membership for _, member in telling]
    people = customers.by_ids(first.conn, first.project, {member.customer_id for member in members})
    programs = campaigns.by_ids(first.conn, first.project_id, {member.campaign_id for member in members})
    for unit, member in telling:
        customer, campaign = people.get(member.membership.customer_id), programs.get(member.membership.campaign_id)
        data = {
            "customer": msgspec.to_builtins(customers.simple(customer)) if customer else None,
            "campaign": {"id": campaign.id, "name": campaign.name, "object": "campaign"} if campaign else None,
            "created_at": clock.iso(unit.now),
        }
        for transition, day in member.told:
            _record(unit, member, transition, day, data)


def _record(unit: Unit, member: Member, transition: Transition, day: date, data: dict[str, Any]) -> None:
    tier_id = transition.after or transition.before or ""
    if transition.change in _ALONE:
        data = data | {"loyalty_tier": _shown(member, tier_id)}
    else:
        before, after = _shown(member, transition.before), _shown(member, transition.after)
        data = data | {"loyalty_tier_from": before, "loyalty_tier_to": after}
    if transition.change == "expiration.changed":
        data["expiration_date"] = transition.end.isoformat() if transition.end else None
    mine = member.membership
    about = TierChange(voucher_id=mine.voucher_id, campaign_id=mine.campaign_id, tier_id=tier_id, day=day)
    name = f"customer.loyalty.tier.{transition.change}"
    unit.record(name, mine.customer_id, data, customer_id=mine.customer_id, about=about)


def _shown(member: Member, tier_id: str | None) -> Any:
    tier = member.program.tiers.get(tier_id or "")
    return msgspec.to_builtins(service.answer(tier)) if tier else None
