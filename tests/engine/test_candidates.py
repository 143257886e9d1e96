"""The index of redeemables: what it finds is all that may apply, and little else."""

from decimal import Decimal
from typing import Any

import pytest

from largesse.engine.benefits import RuleSet
from largesse.engine.books import Ask
from largesse.engine.candidates import Entry, Index, Requirement, Seen, concerned, required, seen
from largesse.engine.circumstances import Circumstances
from largesse.engine.customer import CustomerFacts
from largesse.engine.discounts import Discount, UnitDiscount
from largesse.engine.order import Line, Order
from largesse.engine.rules import compile_rules
from largesse.engine.scenarios import judged
from largesse.engine.stacking import StackingRules
from tests.engine.carts import NOW, UTC, Collection, amount_off, ask, bundle, card, code, goods, percent_off, rule
from tests.engine.ruled import CART, MUG, PC_WEAR, SHIRT, item, leaf, rules

HOUR = 3_600_000_000
SOFA = {"id": "prod_sofa", "object": "product"}
ANN = CustomerFacts("cust_ann", {"level": "gold", "tags": ["a", "b"], "age": 30, "vip": True}, None, "seg_1".__eq__)
ABOUT = Circumstances(
    rules=StackingRules(),
    now=NOW,
    zone=UTC,
    customer=ANN,
    metadata={"shop": "Oslo"},
    api_key="key_1",
    collections={"pc_wear": Collection("prod_shirt")},
)
NOBODY = Circumstances(rules=StackingRules(), now=NOW, zone=UTC)


def ruled(*leaves: dict[str, Any], logic: str | None = None, **more: Any) -> RuleSet:
    return RuleSet(id="val_1", conditions=compile_rules(rules(*leaves, logic=logic)), **more)


def level(value: Any, operator: str = "$is") -> dict[str, Any]:
    return leaf("customer.metadata", {operator: [value]}, "level")


def indexed(*sets: RuleSet) -> Index:
    return Index([Entry(required(one)) for one in sets], NOW)


def finds(index: Index, order: Order | None = CART, about: Circumstances = ABOUT, first: int = 0) -> list[int]:
    return list(index.find(seen(order, about, index.names), first))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (item("any", MUG), item("any", SOFA)),
        (item("every", MUG), item("every", SOFA)),
        (item("cheapest", MUG), item("cheapest", SOFA)),
        (item("most_expensive", MUG, SOFA), item("most_expensive", SOFA)),
        (item("any", MUG, source=SHIRT), item("any", MUG, source=SOFA)),
        (item("any", PC_WEAR), item("any", {"id": "pc_other", "object": "products_collection"})),
        (leaf("product.id", {"$in": ["prod_mug", "prod_sofa"]}), leaf("product.id", {"$in": ["prod_sofa"]})),
        (leaf("sku.id", {"$is": ["sku_m"]}), leaf("sku.id", {"$is": ["prod_mug"]})),
        (level("gold"), level("silver")),
        (level("gold", "$in"), level("silver", "$in")),
        (
            leaf("customer.metadata", {"$is": ["b", "a"]}, "tags"),
            leaf("customer.metadata", {"$is": ["c"]}, "tags"),
        ),
        (leaf("customer.metadata", {"$is": ["30"]}, "age"), leaf("customer.metadata", {"$is": ["31"]}, "age")),
        (leaf("customer.metadata", {"$is": ["true"]}, "vip"), leaf("customer.metadata", {"$is": [False]}, "vip")),
        (
            leaf("order.metadata", {"$is": ["Santorini"]}, "location"),
            leaf("order.metadata", {"$is": ["Kos"]}, "location"),
        ),
        (
            leaf("redemption.metadata", {"$is": ["Oslo"]}, "shop"),
            leaf("redemption.metadata", {"$is": ["Rome"]}, "shop"),
        ),
        (leaf("redemption.api_key", {"$is": ["key_1"]}), leaf("redemption.api_key", {"$is": ["key_2"]})),
        (leaf("customer.segment", {"$is": ["seg_1"]}), leaf("customer.segment", {"$is": ["seg_2"]})),
        (
            leaf("order.initial_amount", {"$more_than_or_equal": [10_500]}),
            leaf("order.initial_amount", {"$more_than": [10_501]}),
        ),
        (leaf("order.initial_amount", {"$is": [99, 10_500]}), leaf("order.initial_amount", {"$is": [10_501]})),
    ],
)
def test_what_a_request_does_not_have_is_not_found(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert finds(indexed(ruled(one), ruled(other))) == [0]


@pytest.mark.parametrize(
    "one",
    [
        level("silver", "$is_not"),
        level("a", "$contains"),
        leaf("customer.metadata", {"$is": []}, "nothing"),
        leaf("customer.metadata", {"$is": ["2027-01-01"]}, "joined"),  # instants are equal in many spellings
        item("none", SOFA),
        item("any"),
        leaf("product.id", {"$is_not": ["prod_sofa"]}),
        leaf("order.initial_amount", {"$less_than": [5]}),
        leaf("order.total_amount", {"$more_than": [10**9]}),
        leaf("customer.segment", {"$not_in": ["seg_1"]}),
    ],
)
def test_what_cannot_be_looked_up_is_always_found(one: dict[str, Any]) -> None:
    assert finds(indexed(ruled(one))) == [0]


def test_nothing_is_always_found() -> None:
    assert finds(indexed(RuleSet(id="val_1")), None, NOBODY) == [0]


def test_conditions_that_are_not_judged_are_not_looked_up() -> None:
    never = ruled(leaf("order.amount", {"$more_than": [10**9]}), level("silver"))
    assert finds(indexed(judged(never, "everything"))) == []
    assert finds(indexed(judged(never, "products"))) == [0]


def test_all_that_and_joins_is_necessary_and_one_of_what_or_joins() -> None:
    amount = leaf("order.initial_amount", {"$more_than": [10**6]})
    less, small = (leaf("order.initial_amount", {"$more_than": [bound]}) for bound in (5, 0))
    found = finds(
        indexed(
            ruled(level("gold"), item("any", SOFA)),
            ruled(level("silver"), item("any", SOFA), logic="1 or 2"),
            ruled(level("silver"), item("any", MUG), logic="1 or 2"),
            ruled(level("silver"), item("none", SOFA), logic="1 or 2"),
            ruled(level("silver"), amount, logic="1 or 2"),
            ruled(amount, less, logic="1 or 2"),
            ruled(amount, small, logic="1 or 2"),
            ruled(amount, less),
            ruled(amount, level("silver"), small, logic="1 and 2 or 3"),
        )
    )
    assert found == [2, 3, 4, 5, 6, 8]


def test_what_conditions_need_must_be_there() -> None:
    sets = [ruled(level("gold", "$is_not")), ruled(item("none", SOFA)), ruled(leaf("order.metadata", {"$is": []}, "x"))]
    sets.append(ruled(leaf("order.initial_amount", {"$less_than": [5]})))
    index = indexed(*sets)
    assert finds(index) == [0, 1, 2, 3]
    assert finds(index, None) == [0]
    assert finds(index, Order()) == [0, 2]
    assert finds(index, CART, NOBODY) == [1, 2, 3]


def test_a_request_without_an_amount_reaches_none() -> None:
    index = indexed(ruled(leaf("order.initial_amount", {"$more_than": [0]})))
    assert finds(index, Order(lines=(Line(product_id="prod_mug"),))) == []
    assert not index.may_apply(0, Seen(NOW, frozenset(), None, frozenset({"order", "amount"})))
    assert finds(index, Order(amount=0, initial_amount=5)) == [0]


def test_every_component_of_a_bundle_that_must_be_complete_is_necessary() -> None:
    both, other = bundle(("prod_mug", 1), ("prod_shirt", 9)), bundle(("prod_mug", 1), ("prod_sofa", 1))
    assert finds(indexed(both, other)) == [0]
    assert finds(indexed(judged(both, "customer"), judged(other, "customer"))) == [0, 1]


def test_rare_necessities_are_looked_up_and_all_are_checked() -> None:
    sets = [ruled(level("gold"), item("any", {"id": f"prod_{n}", "object": "product"})) for n in range(100)]
    index = indexed(*sets, ruled(level("gold"), item("any", MUG)))
    assert finds(index) == [100]
    assert finds(index, CART, NOBODY) == []


def test_entries_are_found_from_a_position_on_and_once() -> None:
    index = indexed(*(ruled(item("any", MUG, SHIRT)) for _ in range(4)))
    assert finds(index) == [0, 1, 2, 3]
    assert finds(index, first=2) == [2, 3]


def test_dates_count_and_the_index_knows_how_long_it_holds() -> None:
    windows = [(NOW + 1, None), (None, NOW - 1), (NOW, NOW), (NOW + 2 * HOUR, None), (None, NOW - 2 * HOUR)]
    index = Index([Entry(Requirement(), start, end) for start, end in windows], NOW)
    assert finds(index) == [2]
    later = Seen(NOW + 1, frozenset(), None, frozenset())
    assert list(index.find(later)) == [0]
    assert index.is_fresh(NOW + HOUR)
    assert not index.is_fresh(NOW + HOUR + 1)
    assert not index.is_fresh(NOW - HOUR - 1)
    assert indexed(ruled(level("gold"))).is_fresh(0)


def test_the_names_that_requests_are_asked_about() -> None:
    wear = item("any", PC_WEAR)
    segment = leaf("customer.segment", {"$in": ["seg_1"]})
    away = item("any", {"id": "pc_away", "object": "products_collection"})
    index = indexed(ruled(level("gold")), ruled(wear), ruled(away), ruled(segment), ruled(item("any", MUG)))
    names = index.names
    assert names.properties == {("customer.metadata", "level")}
    assert (names.collections, names.segments) == ({"pc_wear", "pc_away"}, {"seg_1"})
    assert finds(index, goods(("prod_sofa", 1, 1))) == [0, 3]


# What concerns products

UNITS = UnitDiscount(unit_off=Decimal(1), unit_type="prod_mug", effect="ADD_NEW_ITEMS")
PRODUCT = frozenset({("product", "prod_mug")})


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (code(amount_off(1)), frozenset()),
        (code(amount_off(1, effect="APPLY_TO_ITEMS")), None),
        (code(None), frozenset()),
        (card(1), frozenset()),
        (card(1, gift_effect="APPLY_TO_ITEMS"), None),
    ],
)
def test_which_products_a_benefit_without_rules_is_of(asked: Any, expected: Any) -> None:
    assert concerned(ask(asked), by_discount=True) == expected


@pytest.mark.parametrize(
    ("discount", "sets", "by_discount", "by_any"),
    [
        (percent_off(1), (rule("prod_mug"),), PRODUCT, PRODUCT),
        (percent_off(1), (rule("prod_mug", included_all=True),), None, None),
        (percent_off(1), (rule(excluded=("prod_mug",)),), None, None),
        (percent_off(1, effect="APPLY_TO_ORDER"), (rule("prod_mug"),), frozenset(), frozenset()),
        (amount_off(1), (ruled(item("any", MUG)),), frozenset(), PRODUCT),
        (amount_off(1), (ruled(leaf("product.id", {"$is": ["prod_mug"]})),), frozenset(), PRODUCT),
        (amount_off(1), (ruled(item("none", MUG)),), frozenset(), frozenset()),
        (amount_off(1), (ruled(leaf("product.metadata", {"$is": ["red"]}, "color")),), frozenset(), None),
        (amount_off(1), (ruled(level("gold")),), frozenset(), frozenset()),
        (amount_off(1), (bundle(("prod_mug", 2)),), frozenset(), PRODUCT),
    ],
)
def test_which_products_a_redeemable_concerns(
    discount: Discount, sets: tuple[RuleSet, ...], by_discount: Any, by_any: Any
) -> None:
    asked = ask(code(discount), None, None, *(judged(one, "products") for one in sets))
    assert concerned(asked, by_discount=True) == by_discount
    assert concerned(asked, by_discount=False) == by_any


def test_free_units_concern_what_they_are_of() -> None:
    found = concerned(Ask("voucher", "A", code(UNITS)), by_discount=True)
    assert found == {(kind, "prod_mug") for kind in ("product", "sku", "products_collection")}
