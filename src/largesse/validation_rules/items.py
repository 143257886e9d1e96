"""Products and SKUs as rules name them: by id or source id, shown with both where the catalogue knows them."""

from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy.engine import Connection

import largesse.products.service as products
from largesse.engine.benefits import ApplicableTo, ItemEntry
from largesse.engine.order import Catalog, CatalogEntry


def resolved(
    conn: Connection, project_id: str, applicable_to: ApplicableTo, bundle: dict[str, Any]
) -> tuple[ApplicableTo, dict[str, Any]]:
    """Both parts of a checked definition with the names of their items filled in; what the catalogue does not know stays."""
    members = [member for member in _members(bundle) if member["object"] != "products_collection"]
    catalog = _catalog(conn, project_id, [*applicable_to.included, *applicable_to.excluded], members)
    for member in members:
        found = _found(catalog, member["object"], member["id"], member.get("source_id"))
        if found is not None:
            member["id"] = found.id
            if found.source_id:
                member["source_id"] = found.source_id
    included = tuple(_named(catalog, entry) for entry in applicable_to.included)
    excluded = tuple(_named(catalog, entry) for entry in applicable_to.excluded)
    return msgspec.structs.replace(applicable_to, included=included, excluded=excluded), bundle


def collections_of(applicable_to: ApplicableTo, bundle: dict[str, Any], rules: dict[str, Any]) -> frozenset[str]:
    """The ids of the product collections that a checked definition names."""
    entries = (*applicable_to.included, *applicable_to.excluded)
    named: list[tuple[Any, Any]] = [(one.object, one.id or one.source_id) for one in entries]
    members = (*_members(bundle), *_named_in(rules))
    named += [(one.get("object") or one.get("type"), one.get("id") or one.get("source_id")) for one in members]
    return frozenset(id for kind, id in named if kind == "products_collection" and isinstance(id, str) and id)


def marked(rules: dict[str, Any]) -> ApplicableTo:
    """What a discount is for by the older sub-rules `product.discount_applicable` and `sku.discount_applicable` of a rule."""
    found = []
    for leaf in rules.values():
        kind = leaf["name"].partition(".")[0] if isinstance(leaf, dict) else ""
        parts = leaf.get("rules") or {} if kind in ("product", "sku") else {}
        if any(isinstance(part, dict) and part["name"] == f"{kind}.discount_applicable" for part in parts.values()):
            named = leaf["conditions"].get("$is") or leaf["conditions"].get("$in")
            found += [_entry(kind, one) for one in (named if isinstance(named, list) else [named])]
    return ApplicableTo(included=tuple(found))


def _entry(kind: str, named: Any) -> ItemEntry:
    if not isinstance(named, dict):
        return ItemEntry(object=kind, id=named)  # type: ignore[arg-type]  # product or sku
    return ItemEntry(object=kind, id=named.get("id"), source_id=named.get("source_id"))  # type: ignore[arg-type]


def _named_in(rules: dict[str, Any]) -> Iterable[dict[str, Any]]:
    """What the conditions of a rule name by objects."""
    for leaf in rules.values():
        for values in leaf.get("conditions", {}).values() if isinstance(leaf, dict) else ():
            yield from (one for one in (values if isinstance(values, list) else [values]) if isinstance(one, dict))


def _members(bundle: dict[str, Any]) -> list[dict[str, Any]]:
    return [part["conditions"]["$is"][0] for part in bundle.values() if isinstance(part, dict)]


def _catalog(
    conn: Connection, project_id: str, entries: Iterable[ItemEntry], members: Iterable[dict[str, Any]]
) -> Catalog:
    keys: dict[str, set[str]] = {"product": set(), "sku": set(), "products_collection": set()}
    for entry in entries:
        keys[entry.object].update(key for key in (entry.id, entry.source_id) if key)
    for member in members:
        keys[member["object"]].update(key for key in (member["id"], member.get("source_id")) if key)
    return products.catalog(conn, project_id, keys["product"], keys["sku"])


def _found(catalog: Catalog, kind: str, id: str | None, source_id: str | None) -> CatalogEntry | None:
    known = catalog.skus if kind == "sku" else catalog.products
    return (known.get(id) if id else None) or (known.get(source_id) if source_id else None)


def _named(catalog: Catalog, entry: ItemEntry) -> ItemEntry:
    if entry.object == "products_collection":
        return entry
    found = _found(catalog, entry.object, entry.id, entry.source_id)
    if found is None:
        return entry
    names: dict[str, str | None] = {"id": found.id, "source_id": found.source_id}
    if found.product_id is not None:
        parent = catalog.products.get(found.product_id)
        names |= {"product_id": found.product_id, "product_source_id": parent.source_id if parent else None}
    return msgspec.structs.replace(entry, **names)
