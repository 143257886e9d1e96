"""A cart as rules see it: which of its lines are of a product, a SKU or a collection. Indexed once for all redeemables."""

from collections.abc import Mapping, Sequence, Set

from largesse.engine.benefits import Entries, ItemEntry
from largesse.engine.circumstances import ProductCollection
from largesse.engine.order import Line

COLLECTION = "products_collection"


class Cart:
    """Lines by what they are, in request order. Discounts leave it true; added lines ask for a new one."""

    def __init__(self, lines: Sequence[Line], collections: Mapping[str, ProductCollection]) -> None:
        self.lines = lines
        self._collections = collections
        self._products: dict[str, list[int]] = {}
        self._skus: dict[str, list[int]] = {}
        self._members: dict[str, list[int]] = {}
        self._items: list[tuple[str, str]] | None = None
        self._entries: dict[int, tuple[Entries, dict[int, list[int]]]] = {}  # by identity, and so kept alive
        for place, line in enumerate(lines):
            for name in product_names(line):
                self._products.setdefault(name, []).append(place)
            for name in sku_names(line):
                self._skus.setdefault(name, []).append(place)

    def names(self, kind: str) -> Set[str]:
        """The ids and source ids of the products or SKUs in it."""
        return (self._skus if kind == "sku" else self._products).keys()

    def places(self, kind: str, *names: str | None, strict: bool = False) -> list[int]:
        """The lines of a product (its SKUs too, unless `strict`), a SKU or a collection that goes by any of these names."""
        if kind == COLLECTION:
            return self._of_collection(next((name for name in names if name in self._collections), None))
        index = self._skus if kind == "sku" else self._products
        found = [index[name] for name in names if name and name in index]
        places = found[0] if len(found) == 1 else sorted({place for some in found for place in some})
        if strict and kind == "product":
            return [place for place in places if not sku_names(self.lines[place])]
        return places

    def places_of(self, entry: ItemEntry) -> list[int]:
        """The lines an entry of `included` or `excluded` names."""
        return self.places(entry.object, entry.id, entry.source_id, strict=entry.strict)

    def entries_of(self, known: Entries) -> Mapping[int, list[int]]:
        """The lines of each entry that names any, by its number, in order; found out once for each cart."""
        held = self._entries.get(id(known))
        if held is None:
            held = self._entries[id(known)] = known, self._placed(known)
        return held[1]

    def _placed(self, known: Entries) -> dict[int, list[int]]:
        """Names are met from whichever side has fewer of them."""
        found = {number: self.places_of(known.entries[number]) for number in known.collections}
        plain = known.plain
        for kind, index in (("product", self._products), ("sku", self._skus)):
            by_name = known.by_name[kind]
            for name in index.keys() & by_name.keys():
                places = index[name]
                for number in by_name[name]:
                    found[number] = places if plain[number] else self.places_of(known.entries[number])
        return {number: found[number] for number in sorted(found) if found[number]}

    @property
    def item_names(self) -> list[tuple[str, str]]:
        """For each line what it is of: its product, or its SKU where it names no product."""
        if self._items is None:
            self._items = [_item(line) for line in self.lines]
        return self._items

    def _of_collection(self, name: str | None) -> list[int]:
        if name is None:
            return []
        if name not in self._members:
            holds = self._collections[name].holds
            self._members[name] = [place for place, line in enumerate(self.lines) if holds(line)]
        return self._members[name]


def _item(line: Line) -> tuple[str, str]:
    if line.product_id is None and line.sku_id is not None:
        return "sku", line.sku_id
    return "product", line.product_id or line.source_id or ""


def product_names(line: Line) -> set[str]:
    """Ids and source ids of the line's product. A bare source id is a product's (documented)."""
    found = {line.product_id}
    if line.related_object != "sku":
        found.add(line.source_id)
    if line.product:
        found.update((line.product.get("id"), line.product.get("source_id")))
    return {name for name in found if name}


def sku_names(line: Line) -> set[str]:
    """Ids and source ids of the line's SKU."""
    found = {line.sku_id}
    if line.related_object == "sku":
        found.add(line.source_id)
    if line.sku:
        found.update((line.sku.get("id"), line.sku.get("source_id")))
    return {name for name in found if name}
