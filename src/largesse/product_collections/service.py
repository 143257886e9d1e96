"""Use cases of product collections, and what other rooms ask of them."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeAlias

import msgspec
from msgspec import UNSET
from sqlalchemy.engine import Connection

import largesse.products.service as products
from largesse.engine.circumstances import ProductCollection
from largesse.engine.collections import AutoCollection, Filter, StaticCollection, Stored
from largesse.engine.rules.facts import When
from largesse.kernel import clock, definitions, ids
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import duplicate_name, invalid_payload, not_found
from largesse.kernel.http.query import Query
from largesse.kernel.project import Project
from largesse.locations.service import located
from largesse.product_collections import store
from largesse.product_collections.definition import checked_filter, checked_name, compiled
from largesse.product_collections.model import (
    CollectionAnswer,
    CollectionCreate,
    CollectionList,
    CollectionUpdate,
    Member,
    StoredCollection,
)

CheckUnused = Callable[[Unit, str, str], None]  # (unit, kind, id); raises ApiError 400
Definition: TypeAlias = StaticCollection | Filter  # what passes a filter depends on the moment and the catalogue
KIND = "products_collection"
MOST = 100  # of one project (documented)
# The contract lists more names than a collection has; those are accepted and mean its creation (documented oddity).
ORDERS = ("created_at", "updated_at", "type", "code", "campaign", "category")
_ORDERS = {name: store.collections.c[name if name == "updated_at" else "created_at"] for name in ORDERS}


# What other rooms ask


def load(conn: Connection, project: Project, ids: Collection[str]) -> dict[str, Definition]:
    """Collections as decisions read them; `project` as `current_project` answered. Unknown ids are absent."""
    return definitions.load(conn, project, KIND, ids, _compiled)


def _compiled(conn: Connection, project_id: str, ids: list[str]) -> dict[str, Definition]:
    found = list(store.by_ids(conn, project_id, ids).values())
    filters = located(conn, project_id, [one.filter for one in found])
    return {one.id: _definition(one, one_filter) for one, one_filter in zip(found, filters, strict=True)}


def _definition(collection: StoredCollection, filter: dict[str, Any] | None) -> Definition:
    """`filter` is the collection's, with the shapes of the locations it names."""
    if filter is not None:
        return compiled(filter)
    listed = {kind: {one["id"] for one in collection.products if one["object"] == kind} for kind in ("product", "sku")}
    return StaticCollection(frozenset(listed["product"]), frozenset(listed["sku"]))


def at(loaded: Mapping[str, Definition], stored: Stored, when: When) -> dict[str, ProductCollection]:
    """The collections as they stand at a moment; `stored` knows what the lines they are asked about name."""
    return {
        id: AutoCollection(found, stored, when) if isinstance(found, Filter) else found for id, found in loaded.items()
    }


def check_known(unit: Unit, collection_ids: Collection[str]) -> None:
    """Sees to it that the collections exist and stay until the transaction ends. Raises ApiError 404."""
    if not collection_ids:
        return
    known = store.hold(unit.conn, unit.project_id, collection_ids)
    for id in collection_ids:
        if id not in known:
            raise not_found(KIND, id)


# The resource


def list_collections(unit: Unit, query: Query) -> CollectionList:
    page = query.page()
    order = query.order(_ORDERS, "created_at", store.collections.c.id)
    found = store.page(unit.conn, unit.project_id, order, limit=page.limit, offset=page.offset)
    return CollectionList(data=[_answer(one) for one in found], total=store.count(unit.conn, unit.project_id))


def get(unit: Unit, collection_id: str) -> CollectionAnswer:
    """Raises ApiError 404."""
    return _answer(existing(unit, collection_id))


def create(unit: Unit, sent: CollectionCreate) -> CollectionAnswer:
    """Raises ApiError 400 for a filter that says nothing possible or one collection too many, 409 for a name that is taken."""
    name = checked_name(sent.name)
    made = StoredCollection(id=ids.text_id("pc_"), name=name, type=sent.type, created_at=unit.now)
    if sent.type == "AUTO_UPDATE":
        made.filter = checked_filter(sent.filter)
    else:
        made.products = _resolved(unit, sent.products or [])
    # Before counting: it holds the project, so that nobody else counts meanwhile.
    definitions.changed(unit, (KIND, definitions.ANY))
    if store.count(unit.conn, unit.project_id) >= MOST:
        raise invalid_payload(f"A project cannot have more than {MOST} product collections")
    _check_name(unit, name)
    store.add(unit.conn, unit.project_id, made)
    return _answer(made)


def update(unit: Unit, collection_id: str, sent: CollectionUpdate) -> CollectionAnswer:
    """What is sent replaces; it holds at once wherever a rule names the collection. Raises as `create`, and ApiError 404."""
    store.lock(unit.conn, unit.project_id, collection_id)
    found = existing(unit, collection_id)
    if sent.name is not UNSET:
        name = checked_name(sent.name)
        if name != found.name:
            _check_name(unit, name)
        found.name = name
    elif found.type == "STATIC":
        raise invalid_payload("Property .name must be string")
    if found.type == "AUTO_UPDATE" and sent.filter is not UNSET:
        found.filter = checked_filter(sent.filter)
    found.updated_at = unit.now
    store.save(unit.conn, unit.project_id, found)
    definitions.changed(unit, (KIND, definitions.ANY))
    return _answer(found)


def delete(unit: Unit, collection_id: str, check_unused: CheckUnused) -> None:
    """Raises ApiError 404, and 400 `resource_in_use` while something names the collection."""
    store.lock(unit.conn, unit.project_id, collection_id)
    found = existing(unit, collection_id)
    check_unused(unit, KIND, found.id)
    store.remove(unit.conn, unit.project_id, found.id)
    definitions.changed(unit, (KIND, definitions.ANY))


def existing(unit: Unit, collection_id: str) -> StoredCollection:
    """Raises ApiError 404."""
    found = store.by_ids(unit.conn, unit.project_id, [collection_id]).get(collection_id)
    if found is None:
        raise not_found(KIND, collection_id)
    return found


def _check_name(unit: Unit, name: str) -> None:
    if store.id_by_name(unit.conn, unit.project_id, name) is not None:
        raise duplicate_name(KIND, name)


def _resolved(unit: Unit, sent: list[Member]) -> list[dict[str, str]]:
    """Members, each once, by their ids where the catalogue knows them by their source ids; SKUs with their product.

    What the catalogue does not know stays as sent: lines may name it (our decision, as for rules).
    """
    named = {kind: {one.id for one in sent if one.object == kind} for kind in ("product", "sku")}
    catalog = products.catalog(unit.conn, unit.project_id, named["product"], named["sku"])
    known = {"product": catalog.products, "sku": catalog.skus}
    found: dict[tuple[str, str], dict[str, str]] = {}
    for one in sent:
        item = known[one.object].get(one.id)
        id, product_id = (item.id, item.product_id) if item else (one.id, one.product_id)
        shown = msgspec.to_builtins(Member(id, one.object, product_id if one.object == "sku" else None))
        found.setdefault((one.object, id), shown)
    return list(found.values())


def _answer(collection: StoredCollection) -> CollectionAnswer:
    shown = CollectionAnswer(
        id=collection.id, name=collection.name, type=collection.type, created_at=clock.iso(collection.created_at)
    )
    if collection.filter is None:
        shown.products = collection.products
    else:
        shown.filter = collection.filter
    if collection.updated_at is not None:
        shown.updated_at = clock.iso(collection.updated_at)
    return shown
