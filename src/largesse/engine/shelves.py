"""A shelf of redeemables in the order in which they are listed, indexed by what they ask for, that follows changes.

Most of it is indexed once. What changed since stands in a small part of its own, which is indexed anew with every change, until it
has grown so far that all is indexed together again. So a change costs little, however much there is; what is found is the same.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from heapq import merge
from math import isqrt
from typing import Any, Generic, TypeVar

import msgspec

from largesse.engine.candidates import Entry, Index, Names, Seen

T = TypeVar("T")
_LEAST_APART = 64  # changes that are kept apart at least


class Item(msgspec.Struct, Generic[T], frozen=True):
    """Something on a shelf: what stands there, its place in the order (the highest comes first), and what is asked for it."""

    value: T
    order: tuple[Any, ...]
    entry: Entry


class _Part(Generic[T]):
    """Items in order, by their ids, with their index as of a moment."""

    def __init__(self, items: Mapping[str, Item[T]], now: int) -> None:
        self.items = dict(sorted(items.items(), key=lambda one: one[1].order, reverse=True))
        self.ids = list(self.items)
        self._orders = [one.order for one in self.items.values()]
        self._places = {id: place for place, id in enumerate(self.ids)}
        self._entries = [one.entry for one in self.items.values()]
        self._index = Index(self._entries, now)

    @property
    def names(self) -> Names:
        return self._index.names

    def refresh(self, now: int) -> None:
        if not self._index.is_fresh(now):
            self._index = Index(self._entries, now)

    def find(self, request: Seen | None, before: tuple[Any, ...] | None) -> Iterator[tuple[str, Item[T]]]:
        first = 0 if before is None else self._first(before)
        places = range(first, len(self.ids)) if request is None else self._index.find(request, first)
        return ((self.ids[place], self.items[self.ids[place]]) for place in places)

    def _first(self, before: tuple[Any, ...]) -> int:
        """The place of the first whose order is lower."""
        return bisect_left(range(len(self._orders)), True, key=lambda place: self._orders[place] < before)

    def may_apply(self, id: str, request: Seen) -> bool:
        return self._index.may_apply(self._places[id], request)


class Shelf(Generic[T]):
    """Items by their ids; it does not change, but for `refresh`. `gone` are those of the larger part that stand there no longer."""

    def __init__(self, most: _Part[T], apart: _Part[T], gone: frozenset[str] = frozenset()) -> None:
        self._most = most
        self._apart = apart
        self._gone = gone

    @classmethod
    def of(cls, items: Mapping[str, Item[T]], now: int) -> "Shelf[T]":
        """As of a moment (microseconds UTC)."""
        return cls(_Part(items, now), _Part({}, now))

    def changed(self, items: Mapping[str, Item[T] | None], now: int) -> "Shelf[T]":
        """The shelf on which these stand as they are now, or no longer where they are None."""
        put = {id: one for id, one in items.items() if one is not None}
        apart = {id: one for id, one in self._apart.items.items() if id not in items} | put
        gone = self._gone | (self._most.items.keys() & items.keys())
        if len(apart) + len(gone) > max(_LEAST_APART, 4 * isqrt(len(self._most.ids))):
            return Shelf.of({id: one for id, one in self._most.items.items() if id not in gone} | apart, now)
        return Shelf(self._most, _Part(apart, now), gone)

    @property
    def names(self) -> tuple[Names, Names]:
        """What requests have to be asked about, and perhaps a little more."""
        return self._most.names, self._apart.names

    def refresh(self, now: int) -> None:
        """As time goes by others may apply."""
        self._most.refresh(now)
        self._apart.refresh(now)

    def get(self, id: str) -> Item[T] | None:
        if id in self._apart.items:
            return self._apart.items[id]
        return None if id in self._gone else self._most.items.get(id)

    def that_may_apply(self, request: Seen | None, before: tuple[Any, ...] | None = None) -> Iterator[T]:
        """In order those behind `before`, of which a request may have what they ask for; all of them for None."""
        most = (one for one in self._most.find(request, before) if one[0] not in self._gone)
        both = merge(most, self._apart.find(request, before), key=lambda one: one[1].order, reverse=True)
        return (one.value for _, one in both)

    def may_apply(self, id: str, request: Seen | None) -> bool:
        """False only where it certainly does not apply, or does not stand here."""
        if self.get(id) is None:
            return False
        part = self._apart if id in self._apart.items else self._most
        return request is None or part.may_apply(id, request)
