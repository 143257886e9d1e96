"""Product collections: what belongs to one, by being listed or by a filter."""

from typing import Any

import msgspec
import pytest

from largesse.engine.collections import (
    MAX_FIELDS,
    AutoCollection,
    Filter,
    FilterError,
    StaticCollection,
    Stored,
    attributes_of,
    compile_filter,
)
from largesse.engine.order import Catalog, CatalogEntry, LineInput, OrderInput, normalise
from largesse.engine.rules.facts import When
from tests.engine.carts import NOW, UTC

WHEN = When(now=NOW, zone=UTC)
SHIRT = CatalogEntry("prod_shirt", "shirt", "Shirt", 900, {"brand": "Y", "size": {"eu": 40}, "a.b": 1})
SKU_M = CatalogEntry("sku_m", "shirt-m", "Medium", 1200, {"color": "red"}, "prod_shirt")
SKU_L = CatalogEntry("sku_l", None, "Large", None, None, "prod_shirt")
CATALOG = Catalog(
    {"prod_shirt": SHIRT, "shirt": SHIRT},
    {"sku_m": SKU_M, "shirt-m": SKU_M, "sku_l": SKU_L},
)
OF_SHIRT = {
    "object": "product",
    "id": "prod_shirt",
    "source_id": "shirt",
    "name": "Shirt",
    "price": 900,
    "attributes": ["color"],
    "image_url": None,
    "metadata": SHIRT.metadata,
    "created_at": "2026-03-10T10:00:00.000Z",
    "updated_at": None,
    "skus": ["sku_m", "sku_l"],
}
OF_M = {
    "object": "sku",
    "id": "sku_m",
    "product_id": "prod_shirt",
    "name": "Medium",
    "price": 1200,
    "metadata": {"color": "red"},
}
OF_L = {"object": "sku", "id": "sku_l", "product_id": "prod_shirt", "name": "Large", "price": None, "metadata": {}}
STORED = Stored({"prod_shirt": OF_SHIRT, "shirt": OF_SHIRT}, {"sku_m": OF_M, "shirt-m": OF_M, "sku_l": OF_L})


def line(**sent: Any) -> Any:
    order = normalise(OrderInput(items=[msgspec.convert(sent, LineInput)]), CATALOG)
    assert order.lines is not None
    return order.lines[0]


def passing(junction: Any = "and", **fields: Any) -> AutoCollection:
    conditions = {name.replace("__", "."): found for name, found in fields.items()}
    return AutoCollection(compile_filter(junction, conditions), STORED, WHEN)


PRODUCT = {"product_id": "prod_shirt"}
SKU = {"sku_id": "sku_m"}
UNKNOWN = {"source_id": "hat", "price": 500, "product": {"name": "Hat", "metadata": {"brand": "X"}}}


@pytest.mark.parametrize(
    ("products", "skus", "sent", "inside"),
    [
        (["prod_shirt"], [], PRODUCT, True),
        (["prod_shirt"], [], {"source_id": "shirt"}, True),
        (["prod_shirt"], [], SKU, True),
        (["prod_shirt"], [], {"source_id": "shirt-m", "related_object": "sku"}, True),
        ([], ["sku_m"], SKU, True),
        ([], ["sku_m"], {"sku_id": "sku_l"}, False),
        ([], ["sku_m"], PRODUCT, False),
        (["hat"], [], UNKNOWN, True),
        (["prod_shirt"], ["sku_m"], UNKNOWN, False),
        (["prod_shirt"], ["sku_m"], {"price": 5}, False),
    ],
)
def test_a_static_collection_holds_what_it_lists(products: Any, skus: Any, sent: Any, inside: bool) -> None:
    assert StaticCollection(frozenset(products), frozenset(skus)).holds(line(**sent)) is inside


@pytest.mark.parametrize(
    ("field", "conditions", "sent", "inside"),
    [
        ("price", {"$less_than": [1000]}, PRODUCT, True),
        ("price", {"$less_than": [1000]}, SKU, False),
        ("price", {"$less_than": [1000]}, {"sku_id": "sku_l"}, True),  # its product's price
        ("price", {"$less_than": [1000]}, {**SKU, "price": 800}, True),
        ("price", {"$less_than": [1000]}, {**SKU, "sku": {"price": 800}}, True),
        ("price", {"$less_than": [1000]}, UNKNOWN, True),
        ("price", {"$has_value": []}, {"product_id": "prod_other"}, False),
        ("price", {"$more_than": [800], "$less_than": [1000]}, PRODUCT, True),
        ("price", {"$more_than": [900], "$less_than": [1000]}, PRODUCT, False),
        ("name", {"$is": ["Shirt"]}, PRODUCT, True),
        ("name", {"$is": ["Shirt"]}, SKU, False),
        ("name", {"$is": ["Medium"]}, SKU, True),
        ("name", {"$is": ["Blouse"]}, {**PRODUCT, "product": {"name": "Blouse"}}, True),
        ("name", {"$is": ["M"]}, {**SKU, "sku": {"sku": "M"}}, True),
        ("name", {"$is": ["Small"]}, {"sku_id": "sku_s", "sku": {"name": "Small"}}, True),
        ("object", {"$is": ["sku"]}, SKU, True),
        ("object", {"$is": ["sku"]}, UNKNOWN, False),
        ("id", {"$is": ["prod_shirt"]}, PRODUCT, True),
        ("id", {"$is": ["prod_shirt"]}, SKU, False),
        ("id", {"$is": ["prod_other"]}, {"product_id": "prod_other"}, True),
        ("product_id", {"$is": ["prod_shirt"]}, SKU, True),
        ("product_id", {"$is": ["prod_shirt"]}, PRODUCT, False),
        ("source_id", {"$starts_with": ["hat"]}, UNKNOWN, True),
        ("source_id", {"$is": ["cap"]}, {"source_id": "cap", "related_object": "sku"}, True),
        ("attributes", {"$contains": ["color"]}, PRODUCT, True),
        ("skus", {"$count": [2]}, PRODUCT, True),
        ("image_url", {"$is_unknown": []}, PRODUCT, True),
        ("created_at", {"$before": ["2026-03-11"]}, PRODUCT, True),
        ("created_at", {"$before": ["2026-03-11"]}, UNKNOWN, False),
        ("metadata.brand", {"$is": ["Y"]}, PRODUCT, True),
        ("metadata.brand", {"$is": ["X"]}, {**PRODUCT, "product": {"metadata": {"brand": "X"}}}, True),
        ("metadata.brand", {"$is": ["Y"]}, {**PRODUCT, "product": {"metadata": {"other": 1}}}, True),
        ("metadata.brand", {"$is": ["X"]}, UNKNOWN, True),
        (
            "metadata.brand",
            {"$is": ["X"]},
            {**UNKNOWN, "metadata": {"brand": "Z"}},
            True,
        ),  # that of the line is not its product's
        ("metadata.brand", {"$is": ["Y"]}, SKU, True),
        ("metadata.brand", {"$is": ["X"]}, {**SKU, "sku": {"metadata": {"brand": "X"}}}, True),
        ("metadata.brand", {"$is": ["X"]}, {**SKU, "product": {"metadata": {"brand": "X"}}}, True),
        ("metadata.color", {"$is": ["red"]}, SKU, True),
        ("metadata.color", {"$is": ["red"]}, PRODUCT, False),
        ("metadata.size.eu", {"$is": [40]}, PRODUCT, True),
        ("metadata.size.eu.x", {"$is_unknown": []}, PRODUCT, True),
        ("metadata.a.b", {"$is": [1]}, PRODUCT, True),
        ("metadata.none", {"$is_unknown": []}, {"price": 1}, True),
    ],
)
def test_a_filter_judges_a_line(field: str, conditions: Any, sent: Any, inside: bool) -> None:
    collection = AutoCollection(compile_filter("and", {field: conditions}), STORED, WHEN)
    assert collection.holds(line(**sent)) is inside


@pytest.mark.parametrize(("junction", "inside"), [("and", False), ("or", True)])
def test_fields_are_joined_by_the_junction(junction: Any, inside: bool) -> None:
    assert passing(junction, price={"$less_than": [1000]}, name={"$is": ["Hat"]}).holds(line(**PRODUCT)) is inside


@pytest.mark.parametrize("junction", ["and", "or"])
def test_a_filter_without_fields_holds_for_everything(junction: Any) -> None:
    assert passing(junction).holds(line(**UNKNOWN))


def test_a_filter_knows_what_it_looks_at() -> None:
    found: Filter = passing(price={"$is": [1]}, metadata__brand={"$is": ["X"]}).filter
    assert found.fields == {"price", "metadata.brand"}


def test_a_sku_that_nobody_knows_is_what_its_line_says() -> None:
    assert attributes_of(line(sku_id="sku_x", price=7, sku={"sku": "X", "metadata": {"a": 1}}), Stored()) == {
        "object": "sku",
        "id": "sku_x",
        "name": "X",
        "price": 7,
        "metadata": {"a": 1},
    }


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"colour": {"$is": ["red"]}}, ".filter should not have a field 'colour'; use one of id, product_id"),
        ({"metadata": {"$is": ["red"]}}, ".filter should not have a field 'metadata'"),
        ({"metadata.": {"$is": ["red"]}}, ".filter should not have a field 'metadata.'"),
        ({"price": {}}, ".filter.price.conditions should have an operator"),
        ({"price": {"$more_than": ["much"]}}, ".filter.price.conditions.$more_than should be a number, or a date"),
        ({"price": {"$near": [1]}}, ".filter.price.conditions.$near is unknown; use one of"),
        ({f"metadata.{n}": {"$is": [n]} for n in range(MAX_FIELDS + 1)}, ".filter cannot have more than 100 fields"),
    ],
)
def test_what_no_filter_can_say(fields: Any, message: str) -> None:
    with pytest.raises(FilterError) as refused:
        compile_filter("and", fields)
    assert str(refused.value).startswith(message)
