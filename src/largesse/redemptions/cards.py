"""The loyalty cards of a batch: who holds them, what their programs offer, what is taken from them and handed out for it."""

from collections.abc import Collection, Iterable, Mapping
from typing import TypeAlias

import msgspec
from sqlalchemy.engine import Connection

import largesse.customers.service as customers
import largesse.products.service as products
import largesse.publications.issuing as publications
import largesse.rewards.service as rewards
import largesse.vouchers.service as vouchers
from largesse.customers.model import StoredCustomer
from largesse.engine.books import Ask, Voucher
from largesse.engine.preconditions import LOYALTY
from largesse.engine.rewards import Assignment, Material, Offer, PriceMapping, price_of
from largesse.kernel.database.unit import Unit
from largesse.kernel.project import Project
from largesse.loyalties.tiers import members
from largesse.loyalties.tiers.members import Prices
from largesse.points.cards import Cards
from largesse.products.model import Product, Sku
from largesse.redemptions.model import RewardInput
from largesse.vouchers.model import StoredVoucher

Target: TypeAlias = tuple[str, str]  # (campaign id, customer id): whose card of which campaign a reward adds to
_HOLDS_BALANCE = ("GIFT_VOUCHERS", "LOYALTY_PROGRAM")


class Outlook(msgspec.Struct, frozen=True):
    """What can be known of the cards asked for before anything is locked, and is checked again under the locks.

    Customers are locked before vouchers, and vouchers in order of their ids: so holders, and the cards that rewards will add to,
    must be known first.
    """

    holders: frozenset[str] = frozenset()
    targets: Mapping[Target, str] = {}


def look_ahead(unit: Unit, project: Project, asked: Mapping[str, str | None]) -> Outlook:
    """`asked` are cards by code or id, with the rewards asked of them."""
    found = vouchers.load(unit.conn, project, asked.keys(), lock=False, binned=True)
    held = [(key, stored.entry) for key, stored in found.items() if _is_held(stored.entry)]
    offered = _offered(unit.conn, project, [entry for _, entry in held])
    wanted: dict[str, set[str]] = {}
    for key, entry in held:
        assignment = offered.get(entry.campaign_id or "", {}).get(asked[key] or "")
        campaign = assignment.reward.parameters.campaign if assignment else None
        if campaign is not None and campaign.type in _HOLDS_BALANCE:
            wanted.setdefault(campaign.id, set()).add(str(entry.holder_id))
    targets = {
        (campaign_id, customer_id): holding.voucher_id
        for campaign_id, customer_ids in wanted.items()
        for customer_id, holding in publications.held(unit, campaign_id, customer_ids).items()
    }
    return Outlook(frozenset(str(entry.holder_id) for _, entry in held), targets)


def _is_held(entry: Voucher) -> bool:
    return entry.type == LOYALTY and entry.holder_id is not None


def _offered(conn: Connection, project: Project, entries: Iterable[Voucher]) -> Mapping[str, Mapping[str, Assignment]]:
    programs = {entry.campaign_id for entry in entries if entry.type == LOYALTY and entry.campaign_id}
    return rewards.offered(conn, project, programs) if programs else {}


class CardBook:
    """The loyalty cards among the vouchers of a batch. Costs nothing where there are none.

    With a `settler`, the unit under which what the calendar has brought is recorded, points may be taken and given; without one
    cards are shown as they are today. `ready` are cards that the caller has open, and saves.
    """

    def __init__(
        self,
        conn: Connection,
        project: Project,
        found: Collection[StoredVoucher],
        now: int,
        *,
        settler: Unit | None,
        outlook: Outlook,
        holders: Mapping[str, StoredCustomer],
        ready: Cards | None = None,
    ) -> None:
        self._conn, self._project, self._now = conn, project, now
        self._held = [stored for stored in found if _is_held(stored.entry)]
        self._holders = dict(holders)
        self._ready = ready
        self._cards: dict[str, Cards] = {}
        self._by_id = {stored.entry.id: stored for stored in found}
        self._targets = {
            target: self._by_id[voucher_id]
            for target, voucher_id in outlook.targets.items()
            if voucher_id in self._by_id
        }
        self.offered = _offered(conn, project, [stored.entry for stored in found])
        self._prices: Mapping[str, Prices] = {}
        self._materials: set[Material] = set()
        self._items: tuple[dict[str, Product], dict[str, Sku]] = {}, {}
        self._known_materials: set[Material] = set()
        if not self._held:
            return
        if ready is not None:
            self._cards = {stored.entry.id: ready for stored in self._held}
        elif settler is None:
            for stored in self._held:
                _show_today(stored)
        else:
            self._open(settler, [stored for stored in self._held if self._is_locked(stored)])
        if self.offered:
            self._prices = members.prices(conn, project, self._held, now)

    def _is_locked(self, stored: StoredVoucher) -> bool:
        return stored.entry.holder_id in self._holders

    def _open(self, unit: Unit, opened: Collection[StoredVoucher]) -> None:
        cards = Cards(self._conn, self._project, opened, self._now, self._holders)
        cards.settle(unit)
        for stored in opened:
            self._cards[stored.entry.id] = cards

    # What decisions ask

    def holder(self, asks: Iterable[Ask]) -> StoredCustomer | None:
        """The holder of the first loyalty card asked for, who redeems where nobody is named (documented)."""
        named = [str(ask.voucher.holder_id) for ask in asks if ask.voucher is not None and _is_held(ask.voucher)]
        if not named:
            return None
        if named[0] not in self._holders:  # no reward was asked for, so nothing can come of it and nobody is locked
            ids = {str(stored.entry.holder_id) for stored in self._held}
            self._holders = customers.by_ids(self._conn, self._project, ids) | self._holders
        return self._holders.get(named[0])

    def with_offer(self, ask: Ask, wanted: RewardInput | None) -> Ask:
        """What is asked of a loyalty card, at the price its holder pays; all other redeemables as they are."""
        voucher = ask.voucher
        if voucher is None or voucher.type != LOYALTY or wanted is None or wanted.id is None:
            return ask
        offer = Offer(reward_id=wanted.id, points=wanted.points)
        assignment = self.offered.get(voucher.campaign_id or "", {}).get(wanted.id)
        if assignment is None:
            return msgspec.structs.replace(ask, offer=offer)
        if assignment.reward.parameters.product is not None:
            self._materials.add(assignment.reward.parameters.product)
        tier_id, mapping = self._mapping(voucher.id, assignment.id)
        price = price_of(assignment, mapping)
        offer = msgspec.structs.replace(offer, assignment=assignment, price=price, tier_id=tier_id)
        return msgspec.structs.replace(ask, offer=offer, rules=ask.rules + assignment.rules)

    def _mapping(self, voucher_id: str, assignment_id: str) -> tuple[str | None, PriceMapping | None]:
        """What the tier of a card's holder makes of a price, and that tier; nothing where it leaves the price alone."""
        prices = self._prices.get(voucher_id)
        mapping = prices.mappings.get(assignment_id) if prices is not None else None
        return (prices.tier.id, mapping) if prices is not None and mapping is not None else (None, None)

    def collections(self) -> set[str]:
        """Ids of the product collections that rules of paying with points name."""
        offered = [assignment for program in self.offered.values() for assignment in program.values()]
        return {id for assignment in offered for rules in assignment.rules for id in rules.collections}

    # What is done with cards

    def item(self, material: Material) -> tuple[Product | None, Sku | None]:
        """The product and the SKU that a reward is, None where deleted; read for all rewards that were asked for so far at once."""
        if material not in self._known_materials:
            self._known_materials = self._materials | {material}
            sku_ids = {one.sku_id for one in self._known_materials if one.sku_id is not None}
            product_ids = {one.id for one in self._known_materials}
            self._items = products.live(self._conn, self._project.id, product_ids, sku_ids)
        found, skus = self._items
        return found.get(material.id), skus.get(material.sku_id or "")

    def of(self, stored: StoredVoucher) -> Cards | None:
        """The card ready for changes; None for one that has no holder, or whose holder nobody locked."""
        return self._cards.get(stored.entry.id)

    def target(self, unit: Unit, campaign_id: str, customer_id: str) -> StoredVoucher | None:
        """The card of a campaign that a customer has, whom the caller has locked; locked too. None where they have none."""
        found = self._targets.get((campaign_id, customer_id))
        if found is None:  # a rival may have given them one while this transaction waited for them
            holding = publications.held(unit, campaign_id, [customer_id]).get(customer_id)
            found = self._locked(unit, holding.voucher_id) if holding is not None else None
        if found is None or found.entry.holder_id != customer_id:
            return None
        return found if found.entry.type != LOYALTY or self.of(found) is not None else None

    def _locked(self, unit: Unit, voucher_id: str) -> StoredVoucher | None:
        own = self._ready.card(voucher_id) if self._ready is not None else None
        if self._ready is not None and own is not None:
            self._cards[voucher_id] = self._ready
            return own
        stored = vouchers.load(self._conn, self._project, [voucher_id], lock=True).get(voucher_id)
        if stored is not None:
            self.take_in(unit, stored)
        return stored

    def take_in(self, unit: Unit, stored: StoredVoucher) -> None:
        """Adds a card that was just handed to a customer whom this transaction has locked."""
        entry = stored.entry
        self._by_id[entry.id] = stored
        self._targets[entry.campaign_id or "", str(entry.holder_id)] = stored
        if _is_held(entry):
            holders = {str(entry.holder_id)} - self._holders.keys()  # locked by whoever handed it over
            self._holders |= customers.by_ids(self._conn, self._project, holders) if holders else {}
            self._open(unit, [stored])

    def known(self) -> set[str]:
        """The ids of all vouchers at hand."""
        return set(self._by_id)

    def forget_all_but(self, known: Collection[str]) -> None:
        """Forgets cards taken in since: their handing out was undone."""
        for voucher_id in self._by_id.keys() - known:
            del self._by_id[voucher_id]
            self._cards.pop(voucher_id, None)
        self._targets = {target: stored for target, stored in self._targets.items() if stored.entry.id in self._by_id}

    @property
    def opened(self) -> list[Cards]:
        """All that may have changed, and nobody else saves."""
        return list({id(cards): cards for cards in self._cards.values() if cards is not self._ready}.values())


def _show_today(stored: StoredVoucher) -> None:
    """What the calendar has brought counts, whether or not it was written yet."""
    if stored.wallet is not None:
        stored.wallet = stored.wallet.as_of(stored.today)
        stored.entry = stored.wallet.card
