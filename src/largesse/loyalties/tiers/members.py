"""Who holds which tier now, and what the calendar does to it."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
from sqlalchemy.engine import Connection

import largesse.campaigns.service as campaigns
import largesse.customers.service as customers
import largesse.points.service as points
import largesse.vouchers.service as vouchers
from largesse.campaigns.model import LOYALTY_PROGRAM
from largesse.engine.calendar import first_day
from largesse.engine.earning import Mapped
from largesse.engine.rewards import PriceMapping
from largesse.engine.tiers import ByPeriod
from largesse.kernel import clock, definitions
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import not_found
from largesse.kernel.jobs.model import Chore
from largesse.kernel.project import Project
from largesse.loyalties.tiers import service, standing, store
from largesse.loyalties.tiers.model import ExpirationAnswer, Membership, StoredTier, TierList
from largesse.loyalties.tiers.standing import Change
from largesse.vouchers.model import LOYALTY_CARD, StoredVoucher


def tiers_of(unit: Unit, key: str) -> TierList:
    """The tier that the holder of a card has now, if any. Raises ApiError 404."""
    stored = _card(unit, key)
    member = standing.as_of(unit.conn, definitions.current(unit), [stored], unit.now).get(stored.entry.id)
    if member is None or member.tier is None:
        return TierList(data=[], total=0)
    shown = service.answer(member.tier)
    shown.expiration = _expiration(member.membership)
    return TierList(data=[shown], total=1)


def of_cards(conn: Connection, project: Project, cards: Collection[StoredVoucher], now: int) -> dict[str, StoredTier]:
    """The tiers that the holders of cards have now, by card id; `project` as `definitions.current` answered."""
    found = standing.as_of(conn, project, cards, now)
    return {id: member.tier for id, member in found.items() if member.tier is not None}


class Prices(msgspec.Struct, frozen=True):
    """What the tier that a member holds makes of prices, by the id of the assignment."""

    tier: StoredTier
    mappings: Mapping[str, PriceMapping]


def prices(conn: Connection, project: Project, cards: Collection[StoredVoucher], now: int) -> dict[str, Prices]:
    """What the tiers that the holders of cards have now make of the prices of rewards, by card id, as `of_cards`.

    No query for cards of programs without tiers.
    """
    found = standing.as_of(conn, project, cards, now)
    return {
        id: Prices(tier, member.program.prices.get(tier.id, {}))
        for id, member in found.items()
        if (tier := member.tier) is not None
    }


def earning_of(conn: Connection, project: Project, campaign_id: str, tier: StoredTier | None) -> Mapping[str, Mapped]:
    """What a tier makes of the earning rules of its program, by the rule's id; `project` as for `of_cards`."""
    program = service.programs(conn, project, [campaign_id]).get(campaign_id)
    return program.earning.get(tier.id, {}) if program and tier else {}


def held_by(conn: Connection, project: Project, customer_ids: Iterable[str], now: int) -> dict[str, frozenset[str]]:
    """The ids of all tiers that customers have now; a customer without any is absent. `project` as for `of_cards`."""
    known = store.of_customers(conn, project.id, list(customer_ids))
    if not known:
        return {}
    cards = {
        v.entry.id: v for v in vouchers.load(conn, project, [one.voucher_id for one in known], lock=False).values()
    }
    vouchers.open_wallets(conn, project, cards.values(), now)
    tiers = of_cards(conn, project, [*cards.values()], now)
    found: dict[str, set[str]] = {}
    for one in known:
        if one.voucher_id in tiers:
            found.setdefault(one.customer_id, set()).add(tiers[one.voucher_id].id)
    return {customer_id: frozenset(ids) for customer_id, ids in found.items()}


def _card(unit: Unit, key: str) -> StoredVoucher:
    stored = vouchers.load(unit.conn, unit.project, [key], lock=False).get(key)
    if stored is None or stored.entry.type != LOYALTY_CARD:
        raise not_found("voucher", key)
    vouchers.open_wallets(unit.conn, unit.project, [stored], unit.now)
    return stored


def _expiration(one: Membership) -> ExpirationAnswer:
    held = one.held
    assert held is not None
    return ExpirationAnswer(
        customer_id=one.customer_id,
        campaign_id=one.campaign_id,
        tier_id=held.tier_id,
        start_date=held.start.isoformat(),
        expiration_date=held.end.isoformat() if held.end else None,
        created_at=clock.iso(one.created_at),
        updated_at=clock.iso_or_none(one.updated_at),
    )


def forget_cards(unit: Unit, voucher_ids: Sequence[str]) -> None:
    """Cards that are deleted leave no member behind."""
    if voucher_ids:
        store.remove_members(unit.conn, unit.project_id, voucher_ids)


def forget_customer(unit: Unit, customer_id: str) -> None:
    """A deleted customer holds no tier."""
    mine = [one.voucher_id for one in store.of_customers(unit.conn, unit.project_id, [customer_id])]
    forget_cards(unit, mine)


def remove_of_campaign(unit: Unit, campaign_id: str) -> None:
    """A program that is deleted for good takes its tiers with it."""
    store.remove_of_campaign(unit.conn, unit.project_id, campaign_id)


def miscounted(conn: Connection, project: Project, now: int) -> Iterator[tuple[str, int, int]]:
    """Cards whose points collected in the period of today are not those of their transactions: id, stored, expected."""
    for campaign_id in campaigns.ids_of_type(conn, project.id, LOYALTY_PROGRAM):
        program = service.programs(conn, project, [campaign_id]).get(campaign_id)
        scheme = program.ladder.scheme if program else None
        if not isinstance(scheme, ByPeriod):
            continue
        period = first_day(project.day(now), scheme.period)
        counted = {
            one.voucher_id: one.collected
            for one in store.of_campaign(conn, project.id, campaign_id)
            if one.period_on == period
        }
        since = project.midnight(period)
        expected = vouchers.points_since(conn, project.id, counted, standing.COLLECTED, since)
        for voucher_id, collected in counted.items():
            if collected != expected.get(voucher_id, 0):
                yield voucher_id, collected, expected.get(voucher_id, 0)


# By the calendar


def is_due(unit: Unit, key: str) -> bool:
    """Whether the calendar has brought something to a card, or to its holder's tier, that is not written yet."""
    stored = _card(unit, key)
    today = unit.project.day(unit.now)
    if stored.entry.due_on is not None and stored.entry.due_on <= today.isoformat():
        return True
    member = store.of_cards(unit.conn, unit.project_id, [stored.entry.id]).get(stored.entry.id)
    return member is not None and member.due_on is not None and member.due_on <= today


def settle(unit: Unit, keys: Collection[str]) -> set[str]:
    """Writes what the calendar has brought to cards and to their holders' tiers.

    Answers the ids of the cards whose points moved: their holders' tiers follow when that is reacted to.
    """
    before = len(unit.news)
    cards, found = points.lock(unit, keys)
    cards.save()
    told = {event.entity_id for event in unit.news[before:]}
    standing.pass_days([Change(unit=unit, stored=v) for v in found.values() if v.entry.id not in told])
    return told


def settle_due(unit: Unit, most: int) -> int:
    """Does what time brings to so many tiers at most; answers how many.

    Those whose holders somebody has in hand are left for later: whoever changes a card lets its holder's tier follow.
    """
    today = unit.project.day(unit.now).isoformat()
    due = store.due(unit.conn, unit.project_id, today, limit=most)
    locked = customers.lock(unit.conn, unit.project_id, {one.customer_id for one in due}) if due else {}
    told = settle(unit, [one.voucher_id for one in due if one.customer_id in locked]) if locked else set()
    left = {one.voucher_id for one in store.due(unit.conn, unit.project_id, today, limit=most)}
    gone = [
        one.voucher_id for one in due if one.voucher_id in left - told
    ]  # the card, its holder or the program is no more
    store.remove_members(unit.conn, unit.project_id, gone)
    return len(due)


def projects_due(conn: Connection, now: int) -> list[str]:
    """The projects in which time may have changed tiers, in whatever zone they live."""
    latest = datetime.fromtimestamp(now // clock.SECOND, UTC) + timedelta(hours=14)
    return store.projects_due(conn, latest.date().isoformat())


CALENDAR = Chore(name="LOYALTIES.TIERS", due=projects_due, step=settle_due)
