"""A shelf of redeemables by example: what is put there, taken away and found, in order."""

from largesse.engine.candidates import Entry, Requirement, Seen
from largesse.engine.shelves import Item, Shelf
from tests.engine.carts import NOW

_HOUR = 3_600_000_000
_ANYBODY = Entry(Requirement())
_BUYERS = Entry(Requirement((frozenset({("product", "a")}),)))
_LATER = Entry(Requirement(), NOW + _HOUR)
_NOBODY = Seen(NOW, frozenset(), None, frozenset())
_BUYER = Seen(NOW, frozenset({("product", "a")}), None, frozenset())


def _item(id: str, place: int, entry: Entry = _ANYBODY) -> Item[str]:
    return Item(id, (place,), entry)


def test_what_stands_on_a_shelf_is_found_in_order() -> None:
    shelf = Shelf.of({"a": _item("a", 1), "b": _item("b", 3, _BUYERS), "c": _item("c", 2)}, NOW)
    assert [*shelf.that_may_apply(None)] == ["b", "c", "a"]
    assert [*shelf.that_may_apply(None, (3,))] == ["c", "a"]
    assert [*shelf.that_may_apply(_NOBODY)] == ["c", "a"]
    assert [*shelf.that_may_apply(_BUYER)] == ["b", "c", "a"]


def test_what_changed_is_found_among_the_rest() -> None:
    shelf = Shelf.of({"a": _item("a", 1), "b": _item("b", 3)}, NOW)
    changed = shelf.changed({"a": None, "c": _item("c", 2, _BUYERS)}, NOW)
    assert [*changed.that_may_apply(_BUYER)] == ["b", "c"]
    assert (changed.get("a"), changed.get("b"), changed.get("c")) == (None, _item("b", 3), _item("c", 2, _BUYERS))
    assert [changed.may_apply(id, _NOBODY) for id in "abc"] == [False, True, False]
    assert changed.may_apply("c", None)
    assert len(changed.names) == 2


def test_many_changes_are_put_on_one_shelf() -> None:
    many = {f"id_{place}": _item(f"id_{place}", place) for place in range(70)}
    changed = Shelf.of({"a": _item("a", 100)}, NOW).changed(many, NOW)
    assert [*changed.that_may_apply(None)] == ["a", *reversed(many)]


def test_what_begins_later_is_found_then() -> None:
    shelf = Shelf.of({"a": _item("a", 1, _LATER)}, NOW)
    shelf.refresh(NOW)
    later = Seen(NOW + 3 * _HOUR, frozenset(), None, frozenset())
    shelf.refresh(later.now)
    assert [*shelf.that_may_apply(later)] == ["a"]
