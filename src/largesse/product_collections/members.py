"""The products and SKUs of a collection that the catalogue knows."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec
from msgspec import UNSET

import largesse.products.service as products
from largesse.engine.rules.facts import When
from largesse.kernel import clock
from largesse.kernel.database.unit import Unit
from largesse.kernel.http.query import Query
from largesse.locations.service import located
from largesse.product_collections.definition import compiled
from largesse.product_collections.model import MemberList, MemberProduct, MemberSku, StoredCollection
from largesse.product_collections.service import ORDERS, existing
from largesse.products import attributes
from largesse.products.model import Product, Sku

_ORDERS = [sign + name for name in ORDERS for sign in ("", "-")]
_KINDS = ("product", "sku")


class _Place(msgspec.Struct, frozen=True, order=True):
    """Where a row stands in the list. `moment` is what the list is ordered by."""

    moment: int
    id: str
    is_sku: bool
    created_at: int


def list_members(unit: Unit, collection_id: str, query: Query) -> MemberList:
    """Products without their SKUs and SKUs with their product, oldest first; what is in the bin is left out.

    A STATIC collection lists what it names. For an AUTO_UPDATE one the catalogue is read in pages and judged as decisions judge it:
    `total` needs all of it. `starting_after` is the creation of the last row seen, exclusive (documented). Raises ApiError 404.
    """
    collection = existing(unit, collection_id)
    page = query.page()
    order = query.one_of("order", _ORDERS) or "created_at"
    start = query.instant("starting_after")
    descending, by_change = order.startswith("-"), order.endswith("updated_at")
    found = [_place(item, by_change=by_change) for item in _members(unit, collection)]
    total = len(found)
    if start is not None:
        found = [place for place in found if _is_behind(place.created_at, start, descending=descending)]
    found.sort(reverse=descending)
    return MemberList(data=_answers(unit, found[page.offset : page.offset + page.limit]), total=total)


def _place(item: Product | Sku, *, by_change: bool) -> _Place:
    moment = item.updated_at if by_change and item.updated_at is not None else item.created_at
    return _Place(moment, item.id, isinstance(item, Sku), item.created_at)


def _is_behind(created_at: int, start: int, *, descending: bool) -> bool:
    """Clients see milliseconds: what shows the same one is not behind."""
    seen, start = created_at // 1000, start // 1000
    return seen < start if descending else seen > start


def _members(unit: Unit, collection: StoredCollection) -> Iterator[Product | Sku]:
    if collection.filter is None:
        named = {kind: {one["id"] for one in collection.products if one["object"] == kind} for kind in _KINDS}
        known, skus = products.live(unit.conn, unit.project_id, named["product"], named["sku"])
        yield from (known[id] for id in named["product"] if id in known)
        yield from skus.values()
        return
    passes = compiled(located(unit.conn, unit.project_id, collection.filter))
    when = When(now=unit.now, zone=unit.project.zone)
    for item, seen in attributes.scan(unit.conn, unit.project_id, with_skus="skus" in passes.fields):
        if passes.holds(seen, when):
            yield item


def _answers(unit: Unit, places: Sequence[_Place]) -> list[MemberProduct | MemberSku]:
    product_ids = {place.id for place in places if not place.is_sku}
    sku_ids = {place.id for place in places if place.is_sku}
    known, skus = products.live(unit.conn, unit.project_id, product_ids, sku_ids)
    return [
        _sku(skus[place.id], known) if place.is_sku else _product(known[place.id])
        for place in places
        if place.id in (skus if place.is_sku else known)  # else it was deleted a moment ago
    ]


def _product(product: Product) -> MemberProduct:
    return MemberProduct(**msgspec.structs.asdict(product) | _times(product))


def _sku(sku: Sku, known: Mapping[str, Product]) -> MemberSku:
    values = msgspec.structs.asdict(sku) | _times(sku) | {"attributes": sku.attributes or UNSET}
    return MemberSku(**values, product=_product(known[sku.product_id]))


def _times(item: Product | Sku) -> dict[str, str | None]:
    return {"created_at": clock.iso(item.created_at), "updated_at": clock.iso_or_none(item.updated_at)}
