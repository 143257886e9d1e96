"""Product collections: which lines of a cart, and which products and SKUs of the catalogue, belong to them.

Attributes are JSON under the names that filters use. Prices in minor units, times as ISO 8601 text.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias

import msgspec

from largesse.engine.cart import product_names, sku_names
from largesse.engine.order import Line
from largesse.engine.rules.facts import When
from largesse.engine.rules.moments import Check
from largesse.engine.rules.operators import OF_METADATA, values_of
from largesse.engine.rules.places import OF_GEOPOINT

MAX_FIELDS = 100  # of one filter; our decision
METADATA = "metadata."
FIELDS = (
    "id",
    "product_id",
    "source_id",
    "name",
    "price",
    "object",
    "attributes",
    "image_url",
    "skus",
    "created_at",
    "updated_at",
)
_OPERATORS = {**OF_METADATA, **OF_GEOPOINT}
Attributes: TypeAlias = Mapping[str, Any]
Judge: TypeAlias = Callable[[Attributes, When], bool]


class FilterError(ValueError):
    """A filter that says nothing possible; the message names the place and what should stand there."""


class Filter(msgspec.Struct, frozen=True):
    """A compiled filter; `fields` are those it looks at."""

    fields: frozenset[str]
    holds: Judge


def compile_filter(junction: Literal["and", "or"], fields: Mapping[str, Mapping[str, list[Any]]]) -> Filter:
    """Conditions by field and operator: those of one field are joined by AND, fields by `junction`. Raises FilterError.

    A filter without fields holds for everything.
    """
    if len(fields) > MAX_FIELDS:
        raise FilterError(f".filter cannot have more than {MAX_FIELDS} fields")
    parts = [_field(field, conditions) for field, conditions in fields.items()]
    together = any if junction == "or" and parts else all
    return Filter(frozenset(fields), lambda attributes, when: together([part(attributes, when) for part in parts]))


def _field(field: str, conditions: Mapping[str, list[Any]]) -> Judge:
    if field not in FIELDS and not (field.startswith(METADATA) and len(field) > len(METADATA)):
        raise FilterError(f".filter should not have a field '{field}'; use one of {', '.join(FIELDS)}, metadata.<key>")
    compiled: list[Check] = []
    for operator, values in conditions.items():
        place = f".filter.{field}.conditions.{operator}"
        if operator not in _OPERATORS:
            raise FilterError(f"{place} is unknown; use one of {', '.join(_OPERATORS)}")
        try:
            compiled.append(_OPERATORS[operator](values_of(values)))
        except ValueError as error:
            raise FilterError(f"{place} {error}") from None
    if not compiled:
        raise FilterError(f".filter.{field}.conditions should have an operator")
    read = _reader(field)
    return lambda attributes, when: _all_hold(compiled, read(attributes), when)


def _all_hold(conditions: list[Check], value: Any, when: When) -> bool:
    return all(condition(value, when) for condition in conditions)


def _reader(field: str) -> Callable[[Attributes], Any]:
    """A dot leads into nested metadata, where no key is written with it."""
    if not field.startswith(METADATA):
        return lambda attributes: attributes.get(field)
    key = field.removeprefix(METADATA)
    head, _, rest = key.partition(".")

    def read(attributes: Attributes) -> Any:
        metadata = attributes.get("metadata") or {}
        if key in metadata or not rest:
            return metadata.get(key)
        return _nested(metadata.get(head), rest)

    return read


def _nested(value: Any, path: str) -> Any:
    for key in path.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


class Stored(msgspec.Struct, frozen=True):
    """What the catalogue knows of products and SKUs, each under its id and its source id; SKUs' values are their own only."""

    products: Mapping[str, Attributes] = {}
    skus: Mapping[str, Attributes] = {}


class StaticCollection(msgspec.Struct, frozen=True):
    """Products, with all their SKUs, and single SKUs (documented)."""

    products: frozenset[str]
    skus: frozenset[str]

    def holds(self, line: Line) -> bool:
        return not (self.products.isdisjoint(product_names(line)) and self.skus.isdisjoint(sku_names(line)))


class AutoCollection(msgspec.Struct, frozen=True):
    """Whatever passes a filter, judged at a moment against what the catalogue knows."""

    filter: Filter
    stored: Stored
    when: When

    def holds(self, line: Line) -> bool:
        return self.filter.holds(attributes_of(line, self.stored), self.when)


def attributes_of(line: Line, stored: Stored) -> dict[str, Any]:
    """What a line is judged by: its SKU where it names one, else its product (documented).

    What the line says wins over what is stored, and all there is of an unknown product is what its line says (documented). The
    price is that of the line, whatever it was taken from (our decision).
    """
    of_skus = sku_names(line)
    sku = _known(stored.skus, line.sku_id, of_skus)
    product = _known(stored.products, line.product_id or sku.get("product_id"), product_names(line))
    named = {"id": line.product_id, "source_id": None if line.related_object == "sku" else line.source_id}
    product = _laid_over(named, product, line.product or {})
    price = {"price": line.price}
    if not of_skus:
        return _laid_over(product, price, {"object": "product"})
    said = dict(line.sku or {})
    said["name"] = said.pop("sku", None) or said.get("name")
    named = {"id": line.sku_id, "source_id": line.source_id if line.related_object == "sku" else None}
    return sku_attributes(_laid_over(named, {"product_id": product.get("id")}, sku, said, price), product)


def sku_attributes(sku: Attributes, product: Attributes) -> dict[str, Any]:
    """A SKU as filters see it: metadata that it does not have itself is its product's, and so is a missing price (documented)."""
    price = sku.get("price")
    return {
        **sku,
        "object": "sku",
        "price": product.get("price") if price is None else price,
        "metadata": (product.get("metadata") or {}) | (sku.get("metadata") or {}),
    }


def _known(known: Mapping[str, Attributes], id: str | None, names: set[str]) -> Attributes:
    return next((known[name] for name in (id or "", *names) if name in known), {})


def _laid_over(*layers: Attributes) -> dict[str, Any]:
    """Members that are set replace those of earlier layers; metadata is merged by key."""
    found: dict[str, Any] = {}
    for layer in layers:
        for name, value in layer.items():
            if value is not None:
                found[name] = found.get(name, {}) | value if name == "metadata" else value
    return found
