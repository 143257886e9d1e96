"""Laws of the index: whatever rules and requests there are, it leaves out nothing that qualifies."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from largesse.engine.benefits import RuleSet
from largesse.engine.books import Ask
from largesse.engine.candidates import Entry, Index, Requirement, concerned, required, seen, together
from largesse.engine.circumstances import Circumstances
from largesse.engine.customer import CustomerFacts
from largesse.engine.order import Line, Order
from largesse.engine.rules import compile_rules
from largesse.engine.scenarios import PRODUCTS, Judged, Scenario, concerns_products, judged, judged_in, qualify
from largesse.engine.stacking import StackingRules
from tests.engine.carts import NOW, UTC, Collection, amount_off, bundle, code, percent_off, rule
from tests.engine.ruled import leaf, rules

_ids = st.sampled_from(["a", "b", "c"])
_things = st.one_of(
    _ids,
    st.builds(lambda id: {"id": id, "object": "product"}, _ids),
    st.builds(lambda id: {"id": id, "object": "sku"}, _ids),
    st.builds(lambda id: {"id": f"pc_{id}", "object": "products_collection"}, _ids),
)
_some = st.lists(_things, min_size=1, max_size=2)
_values = st.sampled_from(["a", "b", "1", 1, True, "true", "2026-01-01", 1.5])
_numbers = st.sampled_from([0, 100, 101, "100"])


def _conditions(operators: list[str], values: st.SearchStrategy[list[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(operators), values, min_size=1, max_size=2)


_item_names = ["any", "every", "none", "cheapest", "most_expensive"]
_of_items = st.builds(
    lambda name, conditions: leaf(f"order.items.{name}", conditions),
    st.sampled_from(_item_names),
    _conditions(["$is", "$in", "$from", "$is_not", "$not_in"], _some),
)
_of_products = st.builds(
    lambda kind, operator, ids: leaf(f"{kind}.id", {operator: ids}),
    st.sampled_from(["product", "sku"]),
    st.sampled_from(["$is", "$in", "$is_not"]),
    st.lists(_ids, min_size=1, max_size=2),
)
_of_metadata = st.builds(
    lambda name, conditions: leaf(f"{name}.metadata", conditions, "x"),
    st.sampled_from(["customer", "order", "redemption"]),
    _conditions(["$is", "$in", "$is_not", "$contains"], st.lists(_values, max_size=2)).filter(
        lambda conditions: all(conditions.values())
    )
    | st.sampled_from([{"$is": []}, {"$in": []}, {"$has_value": []}]),
)
_of_amounts = st.builds(
    lambda name, conditions: leaf(f"order.{name}", conditions),
    st.sampled_from(["initial_amount", "amount", "total_amount"]),
    _conditions(
        ["$is", "$in", "$more_than", "$more_than_or_equal", "$less_than"], st.lists(_numbers, min_size=1, max_size=2)
    ),
)
_of_parties = st.one_of(
    st.builds(lambda ids: leaf("customer.segment", {"$is": ids}), st.lists(_ids, min_size=1, max_size=2)),
    st.builds(lambda ids: leaf("redemption.api_key", {"$in": ids}), st.lists(_ids, min_size=1, max_size=2)),
    st.just(leaf("redemption.count.per_customer", {"$less_than": [0]})),
)
_leaves = st.one_of(_of_items, _of_products, _of_metadata, _of_amounts, _of_parties)
_logic = st.recursive(
    st.sampled_from("123"),
    lambda inner: st.builds(
        lambda one, word, other: f"({one} {word} {other})", inner, st.sampled_from(["and", "or"]), inner
    ),
    max_leaves=5,
)
_ruled = st.builds(
    lambda leaves, logic: RuleSet(id="val_1", conditions=compile_rules(rules(*leaves, logic=logic))),
    st.lists(_leaves, min_size=3, max_size=3),
    _logic,
)
_rule_sets = st.lists(
    st.one_of(
        _ruled,
        st.builds(rule, _ids, excluded=st.sampled_from([(), ("b",)]), included_all=st.booleans()),
        st.builds(
            lambda id, units: bundle((id, units)), st.sampled_from(["a", "b", "sku_a", "pc_a"]), st.integers(1, 3)
        ),
    ),
    max_size=2,
)
_discounts = st.sampled_from([amount_off(10), percent_off(10, effect="APPLY_TO_ITEMS"), percent_off(10)])
_asks = st.lists(st.tuples(_discounts, _rule_sets), min_size=1, max_size=4)
_maybe_value = st.one_of(st.none(), _values, st.lists(_values, max_size=2))
_metadata = st.builds(lambda value: {"x": value} if value is not None else {}, _maybe_value)
_lines = st.lists(
    st.builds(
        lambda product, sku, source, quantity: Line(
            product_id=product, sku_id=sku, source_id=source, quantity=quantity, price=50, amount=50 * quantity
        ),
        st.none() | _ids,
        st.none() | _ids,
        st.none() | _ids,
        st.integers(1, 3),
    ),
    max_size=3,
)
_orders = st.one_of(
    st.none(),
    st.builds(
        lambda amount, lines, metadata: Order(amount=amount, lines=tuple(lines), metadata=metadata),
        st.sampled_from([None, 99, 100, 101]),
        _lines,
        _metadata,
    ),
)
_customers = st.one_of(
    st.none(), st.builds(lambda metadata, id: CustomerFacts("cust_1", metadata, None, id.__eq__), _metadata, _ids)
)
_abouts = st.builds(
    lambda customer, metadata, key: Circumstances(
        rules=StackingRules(),
        now=NOW,
        zone=UTC,
        customer=customer,
        metadata=metadata,
        api_key=key,
        collections={"pc_a": Collection("a"), "pc_b": Collection("a", "b"), "pc_c": Collection()},
    ),
    _customers,
    _metadata,
    _ids,
)
_scenarios: list[Scenario] = ["ALL", "AUDIENCE_ONLY", *PRODUCTS]


def _ask(place: int, discount: Any, sets: list[RuleSet], what: Judged) -> Ask:
    made = code(discount, f"v_{place}")
    return Ask("voucher", made.code, made, rules=tuple(judged(one, what) for one in sets))


def _entry(ask: Ask, scenario: Scenario) -> Entry:
    requirement = together(map(required, ask.rules))
    key = concerned(ask, by_discount="DISCOUNT" in scenario) if scenario in PRODUCTS else None
    return Entry(requirement if key is None else together([requirement, Requirement((key,))]))


@settings(deadline=None, max_examples=400)
@given(_asks, _orders, _abouts, st.sampled_from(_scenarios))
def test_all_that_qualifies_is_found(
    asked: list[tuple[Any, list[RuleSet]]], order: Order | None, about: Circumstances, scenario: Scenario
) -> None:
    asks = [_ask(place, discount, sets, judged_in(scenario)) for place, (discount, sets) in enumerate(asked)]

    def qualifies(ask: Ask) -> bool:
        if scenario in PRODUCTS and not concerns_products(ask, order, about, by_discount="DISCOUNT" in scenario):
            return False
        return qualify([ask], order, about) is not None

    index = Index([_entry(ask, scenario) for ask in asks], NOW)
    found = list(index.find(seen(order, about, index.names)))
    assert [place for place in found if qualifies(asks[place])] == [
        place for place, ask in enumerate(asks) if qualifies(ask)
    ]
