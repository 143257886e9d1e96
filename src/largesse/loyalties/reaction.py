"""What loyalty programs do about what customers did and about points that came or went.

Events earn points; points that came are spent on rewards that are redeemed by themselves; then tiers follow the balances. Each step
records events that the next round of reactions sees, so that tiers reached may earn in turn.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import largesse.customers.service as customers
import largesse.points.service as points
import largesse.vouchers.service as vouchers
from largesse.kernel import definitions, wire
from largesse.kernel.database.reactions import News, Reaction
from largesse.kernel.database.unit import Unit
from largesse.kernel.events import Event
from largesse.loyalties import autoredeem
from largesse.loyalties.autoredeem import Redeem
from largesse.loyalties.earning import reaction as earning
from largesse.loyalties.earning.rules import has_programs
from largesse.loyalties.tiers import standing
from largesse.loyalties.tiers.standing import COLLECTED, Change, Moved
from largesse.points.hooks import Hook
from largesse.points.service import Cards
from largesse.vouchers.model import PointsMoved, StoredVoucher

_CANCELED = "customer.order.canceled"
_PUBLISHED = "customer.publication.succeeded"
_ACTIVATION = "PENDING_POINTS_ACTIVATION"
_GAINED = (*COLLECTED, "POINTS_TRANSFER_IN")  # may be spent by itself; what a rollback returned may not (our decision)


def make_reaction(redeem: Redeem | None = None) -> Reaction:
    """`redeem` redeems a reward that is redeemed by itself; without it none is."""

    def on_news(news: News) -> None:
        _forget_canceled(news)
        opened = earning.on_news(news)
        changes, gained = _moved(news, opened)
        _join_tiers(news, changes)
        if not changes:
            return
        spending = {id: change for id, change in changes.items() if id in gained}
        if spending and redeem is not None:
            _redeem(spending, redeem)
        standing.follow([*changes.values()])

    return on_news


def make_hook(redeem: Redeem) -> Hook:
    """To be told of points that the calendar made usable: they are spent before others expire on the same midnight (documented)."""

    def on_activation(unit: Unit, cards: Cards, activated: Sequence[StoredVoucher]) -> None:
        project = definitions.current(unit)
        automatic = autoredeem.is_offered(unit, project, {stored.entry.campaign_id or "" for stored in activated})
        mine = [stored for stored in activated if stored.entry.campaign_id in automatic]
        if mine:
            autoredeem.redeem_all({stored.entry.id: unit for stored in mine}, cards, mine, automatic, redeem)

    return on_activation


def _forget_canceled(news: News) -> None:
    """A canceled order takes back the points it earned that still wait (our decision); no query where there are no programs."""
    canceled = [(unit, event) for unit, event in news if event.type == _CANCELED]
    if canceled and has_programs(canceled[0][0]):
        points.cancel_pending_of_orders([(unit, event.entity_id) for unit, event in canceled])


def _moved(news: News, opened: set[str]) -> tuple[dict[str, Change], set[str]]:
    """The cards whose points changed, in order of their ids, and which of them gained some.

    Of cards that were opened anew since, the news are left for the next round: it sees all of them as they are then.
    """
    changes: dict[str, Change] = {}
    gained: set[str] = set()
    for unit, event in news:
        about = event.about
        if not isinstance(about, PointsMoved):
            continue
        if event.entity_id in opened:
            unit.news.append(event)
            continue
        kind, points = about.transaction.type, about.transaction.details["balance"]["points"]
        change = changes.get(event.entity_id)
        if change is None:
            change = changes[event.entity_id] = Change(unit=unit, stored=about.stored)
        change.unit, change.stored = unit, about.stored
        change.moved.append(Moved(about.day, points, at_midnight=kind == _ACTIVATION, is_collected=kind in COLLECTED))
        if kind in _GAINED:
            gained.add(event.entity_id)
    return dict(sorted(changes.items())), gained


def _join_tiers(news: News, changes: dict[str, Change]) -> None:
    """Cards that have just got their holders: initial points may reach a tier."""
    handed: dict[str, Unit] = {}
    for unit, event in news:
        if event.type == _PUBLISHED and '"LOYALTY_CARD"' in event.data and (id := _card_of(event)) not in changes:
            handed[id] = unit
    if handed:
        first = next(iter(handed.values()))
        for id, stored in vouchers.load(first.conn, definitions.current(first), handed, lock=True).items():
            changes[id] = Change(unit=handed[id], stored=stored)


def _card_of(event: Event) -> str:
    return str(wire.decoder(dict[str, Any]).decode(event.data)["voucher"]["id"])


def _redeem(changes: Mapping[str, Change], redeem: Redeem) -> None:
    """Spends what cards gained, and lets what follows see what is left."""
    first = next(iter(changes.values())).unit
    project = definitions.current(first)
    campaign_ids = {change.stored.entry.campaign_id or "" for change in changes.values()}
    automatic = autoredeem.is_offered(first, project, campaign_ids)
    mine = {id: change for id, change in changes.items() if change.stored.entry.campaign_id in automatic}
    if not mine:
        return
    holders = customers.lock(first.conn, project.id, {change.stored.entry.holder_id or "" for change in mine.values()})
    found = vouchers.load(first.conn, project, mine, lock=True)
    cards = Cards(first.conn, project, found.values(), first.now, holders)
    units = {id: change.unit for id, change in mine.items()}
    autoredeem.redeem_all(units, cards, [*found.values()], automatic, redeem)
    cards.save()
    for id, stored in found.items():
        before, mine[id].stored = mine[id].stored.entry.balance, stored
        mine[id].moved.append(Moved(project.day(first.now), stored.entry.balance - before))
