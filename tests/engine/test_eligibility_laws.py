"""Which entry governs a line: what is looked up by names says the same as asking every entry about every line."""

from hypothesis import given
from hypothesis import strategies as st

from largesse.engine.benefits import ApplicableTo, ItemEntry, RuleSet
from largesse.engine.cart import Cart, product_names, sku_names
from largesse.engine.eligibility import eligible
from largesse.engine.listing import listed
from largesse.engine.order import Line
from largesse.engine.selection import Picked
from tests.engine.carts import Collection

_NAMES = st.sampled_from(["a", "b", "c"])
_COLLECTIONS = {"pc_1": Collection("a", "b"), "pc_2": Collection("c", "s"), "pc_3": Collection()}
_RANKS = ("sku", "product", "products_collection")

lines = st.builds(
    Line,
    product_id=st.none() | _NAMES,
    sku_id=st.none() | st.sampled_from(["s", "t"]),
    source_id=st.none() | _NAMES,
    related_object=st.sampled_from([None, "sku"]),
)
entries = st.builds(
    ItemEntry,
    object=st.sampled_from(["product", "sku"]),
    id=st.none() | _NAMES | st.sampled_from(["s", "t"]),
    source_id=st.none() | _NAMES,
    strict=st.booleans(),
    quantity_limit=st.none() | st.just(1),
) | st.builds(ItemEntry, object=st.just("products_collection"), id=st.sampled_from([*_COLLECTIONS, "pc_gone"]))
rule_sets = st.lists(
    st.builds(
        RuleSet,
        id=st.just("val"),
        applicable_to=st.builds(
            ApplicableTo,
            included=st.lists(entries, max_size=5).map(tuple),
            excluded=st.lists(entries, max_size=2).map(tuple),
            included_all=st.booleans(),
        ),
    ),
    min_size=1,
    max_size=3,
)


def names(entry: ItemEntry, line: Line) -> bool:
    """As documented: whether an entry is about a line."""
    if entry.object == "products_collection":
        return entry.id in _COLLECTIONS and _COLLECTIONS[entry.id].holds(line)
    if entry.object == "sku":
        return bool({entry.id, entry.source_id} & sku_names(line))
    if entry.strict and sku_names(line):
        return False
    return bool({entry.id, entry.source_id} & product_names(line))


@given(rule_sets, st.lists(lines, max_size=4))
def test_each_line_is_governed_by_the_most_specific_entry_that_names_it(rules: list[RuleSet], held: list[Line]) -> None:
    included = [entry for one in rules for entry in one.applicable_to.included]
    excluded = [entry for one in rules for entry in one.applicable_to.excluded]
    governs: dict[int, list[int]] = {}
    free = []
    for place, line in enumerate(held):
        if any(names(entry, line) for entry in excluded):
            continue
        naming = [index for index, entry in enumerate(included) if names(entry, line)]
        if naming:
            index = min(naming, key=lambda index: (_RANKS.index(included[index].object), index))
            governs.setdefault(index, []).append(place)
            if included[index].quantity_limit is None:
                free.append(place)
        elif not included or any(one.applicable_to.included_all for one in rules):
            free.append(place)
    found = eligible(rules, Cart(held, _COLLECTIONS))
    assert {index: group.places for index, group in found.included.items()} == governs
    assert [*found.included] == sorted(governs)
    assert all(group.entry is included[index] for index, group in found.included.items())
    assert {index: list(group.places) for index, group in found.excluded.items()} == {
        index: places
        for index, entry in enumerate(excluded)
        if (places := [place for place, line in enumerate(held) if names(entry, line)])
    }
    assert found.groups[-1].places == free
    assert found.limiting == tuple(index for index in sorted(governs) if included[index].quantity_limit is not None)


@given(rule_sets, st.lists(lines, max_size=4))
def test_every_entry_is_listed_in_its_order_with_the_lines_taken_of_it(rules: list[RuleSet], held: list[Line]) -> None:
    cart = Cart(held, _COLLECTIONS)
    groups = eligible(rules, cart).included
    picked = {index: Picked(group.places[:1]) for index, group in groups.items() if index % 2}
    shown = listed([one.applicable_to.includes for one in rules], groups, picked, cart, held)
    included = [entry for one in rules for entry in one.applicable_to.included]
    of_entries = iter(shown)
    for index, entry in enumerate(included):  # in order, with what collections hold in between
        lines_of = list(picked[index].places) if index in picked else None
        assert any(
            one == entry.shown | ({} if lines_of is None else {"order_item_indices": lines_of}) for one in of_entries
        )
    assert len(shown) >= len(included)
