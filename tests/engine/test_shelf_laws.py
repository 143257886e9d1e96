"""Laws of a shelf: however it came to hold what it holds, it is as one that was filled at once."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from largesse.engine.candidates import Entry, Requirement, Seen
from largesse.engine.shelves import Item, Shelf
from tests.engine.carts import NOW

_HOUR = 3_600_000_000
_IDS = [f"id_{number:02}" for number in range(90)]
_probes = st.sampled_from([("product", "a"), ("product", "b"), ("customer.metadata", "x", ("text", "s"))])
_entries = st.builds(
    Entry,
    st.builds(
        Requirement,
        st.lists(st.frozensets(_probes, min_size=1, max_size=2), max_size=2).map(tuple),
        st.sampled_from([None, 100.0, 200.0]),
        st.sampled_from([frozenset(), frozenset({"customer"})]),
    ),
    st.sampled_from([None, NOW, NOW + 2 * _HOUR]),
    st.sampled_from([None, NOW + _HOUR // 2]),
)
_items = st.builds(
    lambda moment, entry: (moment, entry), st.integers(0, 4), _entries
)  # an item, but for the id it stands under
_changes = st.dictionaries(st.sampled_from(_IDS), st.none() | _items, max_size=5)
_many = st.booleans().map(lambda many: {id: (3, Entry(Requirement())) for id in _IDS} if many else {})
_requests = st.builds(
    lambda now, probes, amount, has: Seen(now, probes, amount, has),
    st.sampled_from([NOW, NOW + 3 * _HOUR]),
    st.frozensets(_probes),
    st.sampled_from([None, 150, 250]),
    st.sampled_from([frozenset(), frozenset({"customer", "order"})]),
)


def _made(id: str, sent: tuple[int, Entry]) -> Item[str]:
    moment, entry = sent
    return Item(f"{id} {moment}", (moment, id), entry)


def _held(changes: dict[str, Any]) -> dict[str, Item[str] | None]:
    return {id: None if sent is None else _made(id, sent) for id, sent in changes.items()}


def _properties(shelf: Shelf[str]) -> frozenset[tuple[str, str]]:
    return frozenset().union(*(one.properties for one in shelf.names))


@given(_changes, st.lists(_many.flatmap(lambda many: _changes.map(lambda some: many | some)), max_size=4), _requests)
def test_a_shelf_that_was_changed_is_as_one_filled_at_once(
    first: dict[str, Any], changes: list[dict[str, Any]], request: Seen
) -> None:
    held = {id: one for id, one in _held(first).items() if one is not None}
    shelf = Shelf.of(held, NOW)
    for step in changes:
        shelf = shelf.changed(_held(step), NOW)
        for id, one in _held(step).items():
            held.pop(id, None)
            if one is not None:
                held[id] = one
    anew = Shelf.of(held, NOW)
    for one in (shelf, anew):
        one.refresh(request.now)
    for asked in (None, request):
        for before in (None, (3,), (0,)):
            assert [*shelf.that_may_apply(asked, before)] == [*anew.that_may_apply(asked, before)]
        for id in _IDS[::9]:
            assert shelf.get(id) == held.get(id)
            assert shelf.may_apply(id, asked) == anew.may_apply(id, asked)
    assert _properties(shelf) >= _properties(anew)


def test_a_change_leaves_the_shelf_before_it_as_it_was() -> None:
    before = Shelf.of({"a": _made("a", (1, Entry(Requirement())))}, NOW)
    after = before.changed({"a": None, "b": _made("b", (2, Entry(Requirement())))}, NOW)
    assert [*before.that_may_apply(None)] == ["a 1"]
    assert [*after.that_may_apply(None)] == ["b 2"]
