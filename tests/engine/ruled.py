"""Values the tests of conditions are about: a customer, a cart, and short words for rules."""

from datetime import datetime
from typing import Any

from largesse.engine.benefits import RuleSet
from largesse.engine.books import Ask
from largesse.engine.cart import Cart
from largesse.engine.customer import CustomerFacts
from largesse.engine.decision import Decision
from largesse.engine.order import Line, Order
from largesse.engine.rules import Facts, compile_rules
from tests.engine.carts import (
    UTC,
    Collection,
    amount_off,
    ask,
    code,
    decided,
)

WEDNESDAY = "2026-03-18T12:00:00+00:00"
ANN = CustomerFacts(
    "cust_ann",
    {
        "age": 30,
        "tags": ["a", "b"],
        "joined": "2026-03-10",
        "vip": True,
        "none": [],
        "address": {"zip": "10-001"},
        "a.b": "dotted",
        "size": {"w": 1},
        "ratio": 0.1,
        "seen": "2026-03-18T12:00:00Z",
        "last": "9999-12-31",
        "next": "2026-03-20",
    },
)
CART = Order(
    amount=10500,
    lines=(
        Line(product_id="prod_mug", price=1000, quantity=2, amount=2000),
        Line(product_id="prod_shirt", sku_id="sku_m", price=2000, quantity=3, amount=6000, metadata={"color": "red"}),
        Line(product_id="prod_bottle", price=2500, quantity=1, amount=2500),
    ),
    metadata={"location": "Santorini", "n": 5},
)
SHIRT_ONLY = Order(amount=6000, lines=(CART.lines or ())[1:2])
WEAR = {"pc_wear": Collection("prod_shirt")}
VIOLATED = {
    "customer": "customer_rules_violated",
    "order": "order_rules_violated",
    "redemption": "redemption_rules_violated",
}


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 1_000_000


def leaf(name: str, conditions: dict[str, Any] | None = None, prop: str | None = None, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"name": name, "conditions": conditions or {}, **more}
    return found if prop is None else found | {"property": prop}


def rules(*leaves: dict[str, Any], logic: str | None = None) -> dict[str, Any]:
    found: dict[str, Any] = {str(place): one for place, one in enumerate(leaves, 1)}
    return found if logic is None else found | {"logic": logic}


def rule_set(*leaves: dict[str, Any], logic: str | None = None, id: str = "val_1", **more: Any) -> RuleSet:
    return RuleSet(id=id, conditions=compile_rules(rules(*leaves, logic=logic)), **more)


UTC_FACTS = Facts(
    now=at(WEDNESDAY),
    zone=UTC,
    counted=lambda _count: 0,
    order=CART,
    cart_of=lambda order: Cart(order.lines or (), WEAR),
    customer=ANN,
)


def coupon(*sets: RuleSet, off: int = 1, **more: Any) -> Ask:
    return ask(code(amount_off(off), **more), None, None, *sets)


def judged(order: Order | None, *asks: Ask, now: str = WEDNESDAY, **more: Any) -> Decision:
    more = {"customer": ANN, "collections": WEAR, **more}
    return decided(order, *asks, now=at(now), **more)


def holds(one: dict[str, Any], order: Order | None = CART, **more: Any) -> bool:
    return judged(order, coupon(rule_set(one)), **more).valid


MUG, SHIRT, BOTTLE = ({"id": f"prod_{one}", "object": "product"} for one in ("mug", "shirt", "bottle"))
PC_WEAR = {"id": "pc_wear", "type": "products_collection", "object": "products_collection"}


def sub(name: str, conditions: dict[str, Any], prop: str | None = None) -> dict[str, Any]:
    return leaf(f"order.items.{name}", conditions, prop)


def item(
    name: str, *members: Any, source: Any = None, logic: str | None = None, subs: tuple[dict[str, Any], ...] = ()
) -> dict[str, Any]:
    conditions: dict[str, Any] = {"$is": list(members)} if members else {}
    if source is not None:
        conditions["$from"] = [source]
    return leaf(f"order.items.{name}", conditions, rules=rules(*subs, logic=logic))
