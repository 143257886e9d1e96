"""Use cases of the bin."""

from collections.abc import Callable, Sequence

from msgspec import UNSET

from largesse.bin import store
from largesse.bin.model import BinAnswer, BinEntry, BinList
from largesse.kernel import clock, ids
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import not_found
from largesse.kernel.http.filters import FilterColumn
from largesse.kernel.http.query import Query

Purge = Callable[[Unit, str, str], None]
_TYPES = ("campaign", "product", "sku", "voucher")
_FILTERS = {
    "id": FilterColumn(store.bin_entries.c.id, "text"),
    "resource_type": FilterColumn(store.bin_entries.c.resource_type, "text", allowed=_TYPES),
    "resource_name": FilterColumn(store.bin_entries.c.resource_name, "text"),
    "resource_id": FilterColumn(store.bin_entries.c.resource_id, "text"),
}


def put(unit: Unit, resource_type: str, resource_id: str, name: str, parent_id: str | None) -> None:
    """Notes that an object went into the bin; its own room hides it."""
    put_all(unit, resource_type, [(resource_id, name)], parent_id)


def put_all(unit: Unit, resource_type: str, named: Sequence[tuple[str, str]], parent_id: str | None) -> None:
    """The same for several objects of one parent; rows are (id, name)."""
    entries = [
        BinEntry(
            id=ids.hex_id("tbe_"),
            created_at=unit.now,
            resource_id=resource_id,
            resource_type=resource_type,
            resource_name=name,
            resource_parent_id=parent_id,
        )
        for resource_id, name in named
    ]
    store.add(unit.conn, unit.project_id, entries)


def forget(unit: Unit, resource_type: str, resource_ids: list[str]) -> None:
    """Objects that were removed for good are in the bin no more."""
    store.remove_of(unit.conn, unit.project_id, resource_type, resource_ids)


def list_entries(unit: Unit, query: Query) -> BinList:
    """Newest first; pages by id."""
    columns = store.bin_entries.c
    descending = (query.one_of("order", ("id", "-id")) or "-id") == "-id"
    conditions = query.filtered(_FILTERS, unit)
    total = store.count(unit.conn, unit.project_id, conditions)
    if after := query.starting_after_id():
        conditions.append(columns.id < after if descending else columns.id > after)
    limit = query.limit()
    found = store.page(unit.conn, unit.project_id, conditions, descending=descending, limit=limit + 1)
    shown = [_answer(entry) for entry in found[:limit]]
    more = len(found) > limit
    return BinList(data=shown, total=total, has_more=more, more_starting_after=shown[-1].id if more else UNSET)


def purge(unit: Unit, entry_id: str, purge_resource: Purge) -> None:
    """Removes an entry and what it stands for, for good. Raises ApiError 404."""
    entry = store.get(unit.conn, unit.project_id, entry_id)
    if entry is None:
        raise not_found("bin_entry", entry_id)
    purge_resource(unit, entry.resource_type, entry.resource_id)
    store.remove(unit.conn, unit.project_id, entry_id)


def _answer(entry: BinEntry) -> BinAnswer:
    return BinAnswer(
        id=entry.id,
        created_at=clock.iso(entry.created_at),
        resource_id=entry.resource_id,
        resource_type=entry.resource_type,
        resource_name=entry.resource_name,
        resource_parent_id=entry.resource_parent_id,
        object=entry.resource_type,
    )
