"""Qualifying: which of a redeemable's conditions a scenario judges, and whether a redeemable concerns the products at hand.

The decision is the one that validating makes. Only the rules it is made by are fewer: what a scenario does not judge holds.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from largesse.engine.benefits import RuleSet
from largesse.engine.books import Ask
from largesse.engine.cart import COLLECTION, Cart
from largesse.engine.circumstances import Circumstances
from largesse.engine.decision import Decision, decide
from largesse.engine.discounts import UnitDiscount, item_names
from largesse.engine.eligibility import eligible, names_products
from largesse.engine.order import Order
from largesse.engine.preconditions import GIFT
from largesse.engine.rules import Condition, Facts, Need, compiled_condition, joined_conditions

Scenario = Literal[
    "ALL",
    "CUSTOMER_WALLET",
    "AUDIENCE_ONLY",
    "PRODUCTS",
    "PRODUCTS_DISCOUNT",
    "PROMOTION_STACKS",
    "PRODUCTS_BY_CUSTOMER",
    "PRODUCTS_DISCOUNT_BY_CUSTOMER",
]
Judged = Literal["everything", "customer", "products", "products_and_customer"]
_JUDGED: Mapping[Scenario, Judged] = {
    "AUDIENCE_ONLY": "customer",
    "PRODUCTS": "products",
    "PRODUCTS_DISCOUNT": "products",
    "PRODUCTS_BY_CUSTOMER": "products_and_customer",
    "PRODUCTS_DISCOUNT_BY_CUSTOMER": "products_and_customer",
}
PRODUCTS: tuple[Scenario, ...] = tuple(one for one in _JUDGED if one != "AUDIENCE_ONLY")
# What no qualification judges (documented), over all time or in a period (our decision).
_NEVER = (
    "order.amount",
    "campaign.orders.amount_discounted",
    "campaign.redemptions.count",
    "campaign.redemptions.customers_count",
    "redemption.count.per_customer",
)
_ON_LINES = frozenset(
    ["order.items.any", "order.items.every", "order.items.cheapest", "order.items.most_expensive", "order.items.none"]
)
_ON_PRODUCTS = _ON_LINES | {"product.id", "sku.id", "product.metadata"}
_EXCLUDING = frozenset(["$is_not", "$not_in"])
_CUSTOMER: frozenset[Need] = frozenset({"customer"})


def judged_in(scenario: Scenario) -> Judged:
    return _JUDGED.get(scenario, "everything")


def judged(rules: RuleSet, what: Judged) -> RuleSet:
    """The rule set as a scenario judges it: the conditions left out hold, and only "everything" asks for a complete bundle."""
    conditions = rules.conditions
    if conditions is not None:
        parts = {key: _as_judged(part, what) for key, part in conditions.parts.items()}
        if any(parts[key] is not part for key, part in conditions.parts.items()):
            conditions = joined_conditions(conditions.logic, parts)
    return msgspec.structs.replace(rules, conditions=conditions, fills_bundle=what == "everything")


def omitted(rules: RuleSet, what: Judged) -> list[str]:
    """The keys of the conditions that are not judged."""
    if rules.conditions is None:
        return []
    return [key for key, part in rules.conditions.parts.items() if not _is_judged(part.name, what)]


def _is_judged(name: str, what: Judged) -> bool:
    if what == "everything":
        return not any(name == one or name.startswith(f"{one}.") for one in _NEVER)
    if name.startswith("customer."):
        return what != "products"
    return what != "customer" and name in _ON_PRODUCTS


def _as_judged(part: Condition, what: Judged) -> Condition:
    if _is_judged(part.name, what):
        return part if what == "everything" or part.name not in _ON_PRODUCTS else _relation(part)
    # What needs a customer is left out where there is none, whether it is judged or not (documented).
    needs = part.needs & _CUSTOMER if what == "everything" else frozenset()
    return Condition(name=part.name, document=part.document, blame=_holds, needs=needs, judged=False)


def _holds(_facts: Facts) -> None:
    """A condition that is not judged."""


def _relation(part: Condition) -> Condition:
    """Whether the order has the products that a condition names: in which quantity or at which price is not asked."""
    name = "order.items.any" if part.name in _ON_LINES - {"order.items.none"} else part.name
    document: Mapping[str, Any] = {**part.document, "name": name, "rules": {}}
    return compiled_condition(document, "rules")


# What is asked of the redeemables


def qualify(asks: Sequence[Ask], order: Order | None, about: Circumstances) -> Decision | None:
    """The decision on redeemables that apply together, all of them, in this order; None where they do not.

    `asks` have their rules as `judged` makes them: one redeemable, or the tiers of a stack.
    """
    decision = decide(asks, order, about)
    return decision if all(outcome.status == "APPLICABLE" for outcome in decision.outcomes) else None


def concerns_products(ask: Ask, order: Order | None, about: Circumstances, *, by_discount: bool) -> bool:
    """Whether the redeemable discounts a product of the order or, unless only `by_discount`, requires one."""
    order = order or Order()
    cart = Cart(order.lines or (), about.collections)
    return _discounts(ask, cart) or (not by_discount and _requires(ask, order, cart, about))


def _discounts(ask: Ask, cart: Cart) -> bool:
    benefit = ask.voucher or ask.tier
    discount = benefit.discount if benefit is not None else None
    if isinstance(discount, UnitDiscount):
        return any(cart.places(kind, name) for name in item_names(discount) for kind in ("product", "sku", COLLECTION))
    if ask.voucher is not None and ask.voucher.type == GIFT:
        effect = ask.voucher.gift_effect
    else:
        effect = discount.effect if discount is not None else "APPLY_TO_ORDER"
        effect = effect or ("APPLY_TO_ITEMS" if names_products(ask.rules) else "APPLY_TO_ORDER")
    if effect in (None, "APPLY_TO_ORDER"):
        return False
    return any(group.places for group in eligible(ask.rules, cart).groups)


def _requires(ask: Ask, order: Order, cart: Cart, about: Circumstances) -> bool:
    facts = Facts(
        now=about.now,
        zone=about.zone,
        order=order,
        cart_of=lambda _order: cart,
        customer=about.customer,
        counted=lambda _count: None,
    )
    return any(
        _names_line(part, facts)
        for rules in ask.rules
        if rules.conditions is not None
        for part in rules.conditions.parts.values()
    ) or any(
        cart.places(one.object, one.id, one.source_id)
        for rules in ask.rules
        if rules.bundle is not None
        for one in rules.bundle.components
    )


def _names_line(part: Condition, facts: Facts) -> bool:
    return names_products_wanted(part) and part.blame(facts) is None


def names_products_wanted(part: Condition) -> bool:
    """Whether a condition asks for products by what they are; one that only excludes some does not."""
    if part.name not in _ON_PRODUCTS or part.name == "order.items.none":
        return False
    return not part.document.get("conditions", {}).keys() <= _EXCLUDING
