"""The books: the state that the decisions of one batch read and change.

Loaded set-wise for all requests of the batch, changed in memory by each decision in turn, written set-wise at the end. What one
request of the batch did, the next one sees.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property

from sqlalchemy.engine import Connection

import largesse.campaigns.service as campaigns
import largesse.categories.service as categories
import largesse.customers.service as customers
import largesse.orders.service as orders
import largesse.products.service as products
import largesse.promotions.service as promotions
import largesse.vouchers.service as vouchers
from largesse.categories.model import CategoryAnswer
from largesse.customers.model import Counts, CustomerInput, StoredCustomer
from largesse.engine.benefits import RuleSet
from largesse.engine.books import Ask, Campaign, Lock, Tier, Voucher
from largesse.engine.candidates import NO_NAMES, Names
from largesse.engine.decision import Decision
from largesse.engine.discounts import item_names
from largesse.engine.order import Catalog, OrderInput, catalog_keys
from largesse.engine.tallies import Tallies, Tally
from largesse.kernel import definitions as kept
from largesse.kernel import errors, ledger, seals
from largesse.kernel.call import Call
from largesse.kernel.database import trips
from largesse.kernel.database.trips import sent_together
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import ApiError
from largesse.kernel.events import write_events
from largesse.kernel.project import Project
from largesse.loyalties.standings import held_by
from largesse.loyalties.tiers import members as tiers
from largesse.metadata_schemas.service import Schemas
from largesse.orders.model import StoredOrder
from largesse.points.cards import Cards
from largesse.promotions.model import TierAnswer
from largesse.redemptions import collections, decisions, definitions, store
from largesse.redemptions.cards import CardBook, Outlook, look_ahead
from largesse.redemptions.collections import Collections
from largesse.redemptions.model import (
    OrderReference,
    Record,
    RedeemableInput,
    RewardInput,
    redeemed_by,
)
from largesse.redemptions.sums import FreedSums, KeptSums, Standing
from largesse.redemptions.sums import write as write_sums
from largesse.redemptions.wanted import Wanted
from largesse.segments.judging import Segments
from largesse.vouchers.model import CreditTransaction, StoredVoucher


class Books:
    """`lock` takes row locks, in the one global order: customers, orders, vouchers, counters. `binned` sees the bin too.

    `settler` is the unit under which what is due on loyalty cards is settled; without it their points do not change. `asked` is
    what the question for the vouchers found, where it was asked already (see `open_books`).
    """

    def __init__(
        self,
        conn: Connection,
        project: Project,
        wanted: Sequence[Wanted],
        now: int,
        *,
        lock: bool,
        binned: bool = False,
        settler: Unit | None = None,
        asked: trips.Rows | None = None,
    ) -> None:
        self.project = project
        self.schemas = Schemas(conn, project)
        self._conn = conn
        cards = {key: reward_id for w in wanted for key, reward_id in w.cards.items()}
        outlook = look_ahead(settler, project, cards) if settler is not None and cards else Outlook()
        named = [w.customer for w in wanted] + [CustomerInput(id=id) for id in sorted(outlook.holders)]
        tracking_ids = [w.tracking_id for w in wanted] + [None] * len(outlook.holders)
        self._found = customers.find(conn, project, named, tracking_ids, lock=lock)
        ids, source_ids = _order_keys(w.order for w in wanted)
        self._orders, self._orders_by_source = (
            orders.load(conn, project.id, ids, source_ids, lock=lock) if ids or source_ids else ({}, {})
        )
        self._settler, self._outlook = settler, outlook
        self._holders = {one.id: one for one in self._found[len(wanted) :] if isinstance(one, StoredCustomer)}
        self._sent_orders = [w.order for w in wanted if isinstance(w.order, OrderInput)]
        self._catalog_names: tuple[set[str], set[str]] | None = None
        self.bring(
            now,
            codes={key for w in wanted for key in w.vouchers} | set(outlook.targets.values()),
            tiers=(tier_id for w in wanted for tier_id in w.tiers),
            stacks=(stack_id for w in wanted for stack_id in w.stacks),
            lock=lock,
            binned=binned,
            asked=asked,
        )
        self.budgets: dict[str, int] = {}  # units discounted so far, by the key of the limit over time
        self._tiers: Mapping[str, frozenset[str]] | None = None
        self.stocks: dict[str, int] = {}  # what is left of the rewards at hand, where that is limited
        self.tallies: Tallies | None = None  # what the rules at hand count, where they count any
        self._kept: KeptSums | None = None
        self._freed: FreedSums | None = None
        self._freed_by: dict[str, list[Tally]] = {}
        self.tier_counts: dict[ledger.Key, int] = {}
        self._tier_answers: Mapping[str, TierAnswer] | None = None

        self._new_customers: dict[str, StoredCustomer] = {}
        self._changed_customers: dict[str, StoredCustomer] = {}
        self._counts: dict[str, Counts] = {}
        self._new_orders: dict[str, StoredOrder] = {}
        self._changed_orders: dict[str, StoredOrder] = {}
        self._voucher_changes: dict[str, tuple[int, int]] = {}
        self._credit_changes: dict[str, tuple[int, int]] = {}
        self._stock_changes: dict[ledger.Key, int] = {}
        self._switched_off: dict[str, StoredVoucher] = {}
        self._counter_changes: dict[ledger.Key, int] = {}
        self._limits: dict[ledger.Key, int] = {}
        self._postings: list[ledger.Entry] = []
        self.records: list[Record] = []
        self._decisions: list[decisions.Noted] = []
        self.undone: list[Record] = []
        self.transactions: list[CreditTransaction] = []
        self._freed_locks: list[tuple[str, list[str]]] = []

    def bring(
        self,
        now: int,
        *,
        codes: Collection[str] = (),
        tiers: Iterable[str] = (),
        stacks: Iterable[str] = (),
        names: Names = NO_NAMES,
        lock: bool = False,
        binned: bool = False,
        asked: trips.Rows | None = None,
    ) -> None:
        """Loads these redeemables, and what decisions on them read, in place of those at hand; `codes` may be ids.

        What `names` names can be asked about as well.
        """
        self._vouchers = (
            vouchers.load(self._conn, self.project, codes, lock=lock, binned=binned, asked=asked) if codes else {}
        )
        self._vouchers_by_id = {stored.entry.id: stored for stored in self._vouchers.values()}
        vouchers.open_wallets(self._conn, self.project, self._vouchers_by_id.values(), now, locked=lock)
        self.cards = CardBook(
            self._conn,
            self.project,
            list(self._vouchers_by_id.values()),
            now,
            settler=self._settler,
            outlook=self._outlook,
            holders=self._holders,
        )
        for stored in self._vouchers_by_id.values():
            stored.entry.publish_count = stored.publish_count
        self._load_locks(now)
        entries = [stored.entry for stored in self._vouchers_by_id.values()]
        self._definitions = definitions.load(self._conn, self.project, entries, tiers, stacks)
        self._load_catalog()
        self.categories = self._load_categories()
        self._names = names
        for known in ("collections", "_segments"):
            self.__dict__.pop(known, None)

    def take_card(self, stored: StoredVoucher, cards: Cards, now: int) -> None:
        """Brings a card that the caller holds open, in place of what is at hand; the caller saves what it holds."""
        self._vouchers = {stored.entry.id: stored}
        self._vouchers_by_id = dict(self._vouchers)
        self.cards = CardBook(
            self._conn, self.project, [stored], now, settler=None, outlook=Outlook(), holders=self._holders, ready=cards
        )
        stored.entry.publish_count = stored.publish_count
        self._load_locks(now)
        self._definitions = definitions.load(self._conn, self.project, [stored.entry], (), ())
        self.categories = self._load_categories()

    def _load_locks(self, now: int) -> None:
        by_id = {id: stored for id, stored in self._vouchers_by_id.items() if stored.locked_until > now}
        if by_id:
            for voucher_id, held in store.live_locks(self._conn, self.project.id, by_id, now).items():
                by_id[voucher_id].entry.locks = held

    def _load_categories(self) -> dict[str, CategoryAnswer]:
        """The categories of the redeemables asked for, as answers show them."""
        held: list[Voucher | Tier | Campaign | None] = []
        for stored in self._vouchers.values():
            held += [stored.entry, stored.entry.parent]
        for tier in self._definitions.tiers.values():
            held += [tier, tier.campaign]
        ids = {holder.category.id for holder in held if holder is not None and holder.category is not None}
        return kept.load(self._conn, self.project, "category answer", ids, self._category_answers)

    def _category_answers(self, conn: Connection, _project_id: str, ids: Collection[str]) -> dict[str, CategoryAnswer]:
        return categories.answers(conn, self.project, ids)

    def _load_catalog(self) -> None:
        product_keys = self._free_items()
        sku_keys = set(product_keys)
        for order in self._sent_orders:
            of_products, of_skus = catalog_keys(order)
            product_keys |= of_products
            sku_keys |= of_skus
        if self._catalog_names == (product_keys, sku_keys):
            return
        self._catalog_names = product_keys, sku_keys
        if not product_keys and not sku_keys:
            self.catalog = Catalog({}, {})
        else:
            self.catalog = products.catalog(self._conn, self.project.id, product_keys, sku_keys)

    def _free_items(self) -> set[str]:
        """Products and SKUs that the benefits at hand may add to a cart."""
        benefits = [stored.entry.discount for stored in self._vouchers_by_id.values()]
        benefits += [tier.discount for tier in self._definitions.tiers.values()]
        return {name for discount in benefits for name in item_names(discount)}

    def _load_collections(self) -> Collections:
        ids = self._definitions.collections(stored.entry for stored in self._vouchers_by_id.values())
        ids |= self._names.collections | self.cards.collections()
        if not ids:
            return collections.NONE
        found = [*self._orders.values(), *self._orders_by_source.values()]
        lines = [line for stored in found for line in stored.order.lines or ()]
        return collections.load(self._conn, self.project, ids, self._sent_orders, lines, self._free_items())

    def load_sums(self, wanted: Collection[Tally], *, lock: bool) -> None:
        """Loads what the rules at hand count. Nothing is read where none does."""
        if wanted:
            self._kept = KeptSums(self._conn, self.project.id, wanted, self._orders, lock=lock)
            self.tallies = self._kept.tallies

    def load_freed(self, undone: Iterable[Record]) -> None:
        """Loads the sums that the rollbacks of these redemptions may take back from. Nothing is read where no rule counts."""
        for record in undone:
            found = redeemed_by(record).tallies(self._rules_of(record), self.project.calendar)
            if kept := [tally for tally in found if tally.series]:
                self._freed_by[record.id] = kept
        if self._freed_by:
            wanted = {tally for kept in self._freed_by.values() for tally in kept}
            self._freed = FreedSums(self._conn, self.project.id, wanted, self._orders)

    def _rules_of(self, record: Record) -> Sequence[RuleSet]:
        """The rules in force for what was redeemed: of its campaign alone, where it is gone."""
        tier_id = record.promotion_tier_id
        kind, id = ("promotion_tier", tier_id) if tier_id else ("voucher", record.voucher_id)
        wanted = RewardInput(id=record.reward.reward_id) if record.reward else None
        [ask] = self.asks(RedeemableInput(object=kind, id=id or "", reward=wanted))  # type: ignore[arg-type]  # one of the two
        if ask.voucher is not None or ask.tier is not None or record.campaign_id is None:
            return ask.rules
        campaign = campaigns.definitions(self._conn, self.project, {record.campaign_id}).get(record.campaign_id)
        return campaign.rules if campaign is not None else ()

    def load_counters(self, keys: Collection[str], *, lock: bool) -> None:
        """Loads limits over time and stocks and, where they may change, the statistics of tiers: one query, none for nothing.

        `keys` are those of budgets and the ids of rewards.
        """
        subjects = {*keys, *(self._definitions.tiers if lock else ())}
        for key, value in ledger.values(self._conn, self.project.id, subjects, lock=lock).items():
            subject_id, account = key
            if account == ledger.DISCOUNTED_UNITS:
                self.budgets[subject_id] = value
            elif account == ledger.REWARD_STOCK:
                self.stocks[subject_id] = value
            else:
                self.tier_counts[key] = value

    # What decisions read

    @cached_property
    def collections(self) -> Collections:
        """What the rules at hand name; loaded by the first decision, for the whole batch."""
        return self._load_collections() if self.has_rules else collections.NONE

    @cached_property
    def _segments(self) -> Segments:
        """Loaded by the first condition that asks, for the whole batch."""
        ids = self._definitions.segments(stored.entry for stored in self._vouchers_by_id.values())
        ids |= self._names.segments
        known = [one for one in self._found if isinstance(one, StoredCustomer)]
        return Segments(self._conn, self.project, ids, known, held_by)

    def is_in(self, segment_id: str, customer: StoredCustomer, call: Call) -> bool:
        """Whether a customer, as the request at hand describes them, is in a segment once what this batch has done is counted."""
        if (delta := self._counts.get(customer.id)) is not None:
            customer = customers.counted(customer, delta)
        return self._segments.has(segment_id, customer, call)

    def holds(self, tier_id: str, customer_id: str, now: int) -> bool:
        """Whether a customer holds a loyalty tier; asked for by the first condition, for the whole batch."""
        if self._tiers is None:
            known = {one.id for one in self._found if isinstance(one, StoredCustomer)}
            self._tiers = tiers.held_by(self._conn, self.project, known, now)
        return tier_id in self._tiers.get(customer_id, ())

    def asks(self, redeemable: RedeemableInput) -> list[Ask]:
        """What a redeemable asks for: itself, or every tier of a stack."""
        stored = self.voucher(redeemable.id) if redeemable.object == "voucher" else None
        asks = self._definitions.asks(redeemable, stored.entry if stored else None)
        return [self.cards.with_offer(ask, redeemable.reward) for ask in asks] if self.cards.offered else asks

    def tier_answer(self, tier_id: str) -> TierAnswer | None:
        """A tier at hand as answers show it, with its statistics as they are by now; None for one deleted since."""
        if self._tier_answers is None:  # wanted by the requests of a batch that redeem tiers or give them back
            self._tier_answers = promotions.answers(self._conn, self.project, self._definitions.tiers)
        found = self._tier_answers.get(tier_id)
        if found is None:
            return None
        counts = {account: self.tier_counts.get((tier_id, account), 0) for account in ledger.COUNTED}
        return promotions.with_statistics(found, counts)

    @property
    def has_rules(self) -> bool:
        """Whether anything at hand may be limited over time."""
        return (
            self._definitions is not definitions.NOTHING
            or bool(self._names.collections)
            or any(stored.entry.parent for stored in self._vouchers_by_id.values())
        )

    def voucher(self, key: str) -> StoredVoucher | None:
        """The voucher asked for under `key`, its code or its id."""
        return self._vouchers.get(key) or self._vouchers_by_id.get(key)

    def customer(self, place: int, sent: CustomerInput | None) -> StoredCustomer | None:
        """The customer the request at `place` names, as it is by now. Raises ApiError for an unknown id or contradicting names."""
        found = self._found[place]
        if isinstance(found, ApiError):
            raise found
        if found is not None:
            return self._changed_customers.get(found.id, found)
        if sent is not None and sent.source_id:  # an earlier request of the batch may have created it
            return self._new_customers.get(sent.source_id)
        return None

    def holder(self, asks: Sequence[Ask]) -> StoredCustomer | None:
        """Who redeems the loyalty card among these where a request names nobody, as they are by now."""
        found = self.cards.holder(asks)
        return self._changed_customers.get(found.id, found) if found else None

    def order(self, sent: OrderInput | OrderReference) -> StoredOrder | None:
        """The stored order a request names; None for one that is new. Raises ApiError 404 for an unknown id."""
        if sent.id:
            stored = self._orders.get(sent.id)
            if stored is None:
                raise errors.not_found("order", sent.id)
            return stored
        return self._orders_by_source.get(sent.source_id) if sent.source_id else None

    # What decisions change

    def keep_customer(self, unit: Unit, customer: StoredCustomer, *, is_new: bool) -> None:
        """Remembers a created or updated customer and records its event."""
        found = [one for one in self._found if isinstance(one, StoredCustomer) and one.id == customer.id]
        before = self._changed_customers.get(customer.id, found[0] if found else None)
        if is_new or (customer.source_id or customer.id) in self._new_customers:
            self._new_customers[customer.source_id or customer.id] = customer
        else:
            self._changed_customers[customer.id] = customer
        customers.record_upsert(unit, customer, is_new, before)

    def count(self, customer: StoredCustomer | None, delta: Counts) -> None:
        """Adds to a customer's statistics."""
        if customer is not None:
            known = self._counts.get(customer.id)
            self._counts[customer.id] = delta if known is None else known.plus(delta)

    def keep_order(self, unit: Unit, before: StoredOrder | None, after: StoredOrder, redemption_id: str) -> None:
        """Remembers a created or changed order and records what that means for its customer."""
        order = after.order
        if before is None or order.id in self._new_orders:
            self._new_orders[str(order.id)] = after
        else:
            self._changed_orders[str(order.id)] = after
        self._orders[str(order.id)] = after
        if order.source_id:
            self._orders_by_source[order.source_id] = after
        orders.record_change(unit, before, after, redemption_id)

    def post(self, entry: ledger.Entry, most: int | None = None) -> None:
        """Notes a posting, and how far it moves the counter it belongs to, which may hold `most` after it."""
        self._postings.append(entry)
        if entry.account in ledger.COUNTED:
            key = (entry.subject_id, entry.account)
            self._counter_changes[key] = self._counter_changes.get(key, 0) + entry.amount
            if most is not None:
                self._limits[key] = most
            if entry.account != ledger.DISCOUNTED_UNITS:
                self.tier_counts[key] = self.tier_counts.get(key, 0) + entry.amount
            return
        if entry.account == ledger.REWARD_STOCK:
            key = (entry.subject_id, entry.account)
            self._stock_changes[key] = self._stock_changes.get(key, 0) + entry.amount
            return
        if entry.subject_id not in self._vouchers_by_id:  # deleted for good since; the ledger keeps what it posted
            return
        uses, credits = self._voucher_changes.get(entry.subject_id, (0, 0))
        if entry.account == ledger.VOUCHER_USES:
            uses += entry.amount
        else:
            credits -= entry.amount
        self._voucher_changes[entry.subject_id] = (uses, credits)

    def free(self, record: Record) -> None:
        """Takes a redemption that is undone out of what rules count."""
        for tally in self._freed_by.get(record.id, ()):
            assert self._freed is not None  # where there are sums, they are loaded
            if tally.measure == "orders":
                self._freed.free_order(tally, record.order_id, record.id)
            else:
                amounts = {"uses": 1, "discounts": record.discount_amount or 0, "credits": record.amount or 0}
                self._freed.free(tally, amounts[tally.measure])

    def _standing(self, customer_id: str) -> Standing:
        if any(customer.id == customer_id for customer in self._new_customers.values()):
            return "new"
        found = any(isinstance(one, StoredCustomer) and one.id == customer_id for one in self._found)
        return "stored" if found else None

    def move_credit(self, entry: ledger.Entry, transaction: CreditTransaction) -> None:
        """Notes credit that a gift card got or lost otherwise than by redeeming it."""
        self._postings.append(entry)
        self.transactions.append(transaction)
        added, subtracted = self._credit_changes.get(entry.subject_id, (0, 0))
        amount = entry.amount
        self._credit_changes[entry.subject_id] = (added + max(amount, 0), subtracted + max(-amount, 0))

    def switch_off(self, stored: StoredVoucher) -> None:
        """Notes that a code may not be used any more."""
        stored.entry.active = False
        self._switched_off[stored.entry.id] = stored

    def note_decision(self, redemption_id: str, decision: Decision) -> None:
        """Notes why a request was decided so, where the project keeps that."""
        if self.project.settings.explanation_days:
            self._decisions.append(decisions.note(redemption_id, decision))

    def free_locks(self, session_key: str, voucher_ids: list[str]) -> None:
        self._freed_locks.append((session_key, voucher_ids))

    def hold(self, session_key: str, held: Iterable[tuple[str, int, int]], expires_at: int) -> None:
        """Shows the locks a session has just taken to the later requests of the batch; rows are (voucher id, quantity, credits)."""
        by_id = {stored.entry.id: stored.entry for stored in self._vouchers.values()}
        for entry in by_id.values():
            entry.locks = [lock for lock in entry.locks if lock.session_key != session_key]
        for voucher_id, quantity, credits in held:
            by_id[voucher_id].locks.append(Lock(session_key, quantity, credits, expires_at))

    def save(self, units: Sequence[Unit], now: int, *, with_commit: bool = False) -> None:
        """Writes every change of the batch and its events, all in one round trip; `with_commit` in that of the COMMIT."""
        conn, project_id = self._conn, self.project.id
        for session_key, voucher_ids in self._freed_locks:
            store.delete_locks(conn, project_id, session_key, voucher_ids)
        moved = [
            (id, uses, credits) for id, (uses, credits) in sorted(self._voucher_changes.items()) if uses or credits
        ]
        sums = self._kept.rows(self._standing) if self._kept is not None else []
        sums += self._freed.rows() if self._freed is not None else []
        opened = self.cards.opened
        if self._postings or opened:
            seals.follow(conn, project_id)
        decisions.forget_old(conn, self.project, self._decisions, now)
        with sent_together(conn, with_commit=with_commit):
            customers.save(conn, project_id, list(self._new_customers.values()), list(self._changed_customers.values()))
            customers.add_counts(conn, project_id, list(self._counts.items()))
            orders.save(conn, project_id, list(self._new_orders.values()), list(self._changed_orders.values()))
            store.insert(conn, project_id, self.records)
            decisions.save(conn, self.project, self._decisions)
            store.mark_rolled_back(conn, project_id, self.undone)
            ledger.post(conn, project_id, self._postings)
            vouchers.add_uses(conn, project_id, moved, now)
            vouchers.add_credits(conn, project_id, self._credit_changes, now)
            vouchers.save_switches(conn, project_id, list(self._switched_off.values()))
            for cards in opened:
                cards.save()
            ledger.draw(conn, project_id, self._stock_changes)
            ledger.add(conn, project_id, self._counter_changes, self._limits)
            write_sums(conn, project_id, sums)
            vouchers.add_transactions(conn, project_id, self.transactions)
            write_events(conn, project_id, [event for unit in units for event in unit.take_events()])


def _order_keys(sent: Iterable[OrderInput | OrderReference | None]) -> tuple[set[str], set[str]]:
    ids: set[str] = set()
    source_ids: set[str] = set()
    for order in sent:
        if order is not None and order.id:
            ids.add(order.id)
        elif order is not None and order.source_id:
            source_ids.add(order.source_id)
    return ids, source_ids
