"""Judging earning rules: what happened as the engine sees it, and whether the conditions of a rule hold then."""

from collections.abc import Mapping, Sequence
from functools import cache

import largesse.product_collections.service as product_collections
from largesse.customers.model import StoredCustomer
from largesse.engine.cart import Cart, product_names, sku_names
from largesse.engine.circumstances import ProductCollection
from largesse.engine.collections import Filter, Stored
from largesse.engine.customer import CustomerFacts
from largesse.engine.earning import Occasion, collections_of
from largesse.engine.order import Order
from largesse.engine.rules import Facts
from largesse.engine.rules.facts import When
from largesse.kernel.database.unit import Unit
from largesse.kernel.project import Project
from largesse.loyalties.earning.rules import EarningRule
from largesse.loyalties.earning.triggers import Trigger
from largesse.loyalties.standings import held_by
from largesse.loyalties.tiers import members as tiers
from largesse.products import attributes
from largesse.segments.judging import Segments

_NO_ORDER = Order()


class Judge:
    """Knows the collections that rules name, as far as the lines at hand are concerned."""

    def __init__(self, unit: Unit, project: Project, collections: Mapping[str, ProductCollection]) -> None:
        self._unit = unit
        self._project = project
        self._zone = project.zone
        self._collections = collections
        self._occasions: dict[str, Occasion] = {}

    @classmethod
    def load(cls, unit: Unit, project: Project, candidates: Sequence[tuple[Trigger, EarningRule]]) -> "Judge":
        """No query where no rule names a collection, or all are kept and none has a filter."""
        rules = {rule.id: rule for _, rule in candidates}.values()
        named = set(collections_of([rule.earning for rule in rules]))
        named.update(id for rule in rules for one in rule.conditions for id in one.collections)
        loaded = product_collections.load(unit.conn, project, named)
        filters = [one for one in loaded.values() if isinstance(one, Filter)]
        stored = Stored()
        if filters:
            lines = [line for trigger, _ in candidates if trigger.order for line in trigger.order.lines or ()]
            products = {name for line in lines for name in product_names(line)}
            skus = {name for line in lines for name in sku_names(line)}
            with_skus = any("skus" in one.fields for one in filters)
            stored = attributes.stored(unit.conn, project.id, products, skus, with_skus=with_skus)
        when = When(now=unit.now, zone=project.zone)
        return cls(unit, project, product_collections.at(loaded, stored, when) if loaded else {})

    def occasion(self, trigger: Trigger, customer: StoredCustomer) -> Occasion:
        """The same for every rule that the trigger meets."""
        known = self._occasions.get(trigger.event.id)
        if known is None:
            known = self._occasions[trigger.event.id] = Occasion(
                now=trigger.unit.now,
                zone=self._zone,
                customer=self._customer(customer, trigger),
                order=trigger.order,
                cart=Cart(trigger.order.lines or (), self._collections) if trigger.order else None,
                event=trigger.metadata,
            )
        return known

    def _customer(self, customer: StoredCustomer, trigger: Trigger) -> CustomerFacts:
        """Segments and tiers are looked up by the first condition that asks for them."""
        unit, project = self._unit, self._project

        @cache
        def is_in(segment_id: str) -> bool:
            asked = Segments(unit.conn, project, [segment_id], [customer], held_by)
            return asked.has(segment_id, customer, trigger.unit.call)

        @cache
        def held() -> frozenset[str]:
            return tiers.held_by(unit.conn, project, [customer.id], unit.now).get(customer.id, frozenset())

        return CustomerFacts(
            customer.id, customer.metadata, customer.birthdate, is_in, lambda tier_id: tier_id in held()
        )

    def holds(self, rule: EarningRule, at: Occasion) -> bool:
        """Whether every condition of a rule holds; one about what the event does not have does not (our decision)."""
        for one in rule.conditions:
            assert one.conditions is not None  # others were left out when the rule was compiled
            if any(need in one.conditions.needs for need in _missing(at)):
                return False
            if one.conditions.blame(self._facts(at)) is not None:
                return False
        return True

    def _facts(self, at: Occasion) -> Facts:
        cart = at.cart or Cart((), self._collections)
        return Facts(
            now=at.now,
            zone=self._zone,
            order=at.order or _NO_ORDER,
            cart_of=lambda _: cart,
            customer=at.customer,
            event=at.event,
            counted=lambda _: None,
        )


def _missing(at: Occasion) -> list[str]:
    if at.order is None:
        return ["order", "amount", "items"]
    missing = []
    if at.order.amount is None:
        missing.append("amount")
    if not at.order.lines:
        missing.append("items")
    return missing
