"""The product collections that the rules of a batch name, ready to be asked about its lines.

Nothing is loaded where no rule names one; what filters see of the catalogue only where one of them has a filter.
"""

from collections.abc import Collection, Iterable, Mapping

import msgspec
from sqlalchemy.engine import Connection

import largesse.product_collections.service as product_collections
from largesse.engine.cart import product_names, sku_names
from largesse.engine.circumstances import ProductCollection
from largesse.engine.collections import Filter, Stored
from largesse.engine.order import Line, OrderInput, catalog_keys
from largesse.engine.rules.facts import When
from largesse.kernel.call import Call
from largesse.kernel.project import Project
from largesse.product_collections.service import Definition
from largesse.products import attributes


class Collections(msgspec.Struct, frozen=True):
    """`stored` is what the catalogue knows of the lines at hand."""

    definitions: Mapping[str, Definition] = {}
    stored: Stored = Stored()

    def at(self, call: Call) -> Mapping[str, ProductCollection]:
        """As the rules of one request see them, by id."""
        if not self.definitions:
            return {}
        return product_collections.at(self.definitions, self.stored, When(now=call.now, zone=call.project.zone))


NONE = Collections()


def load(
    conn: Connection,
    project: Project,
    ids: Collection[str],
    sent: Iterable[OrderInput],
    stored: Iterable[Line],
    free: set[str],
) -> Collections:
    """The collections under these ids, for lines sent and stored and for the products and SKUs that benefits may add."""
    loaded = product_collections.load(conn, project, ids)
    filters = [one for one in loaded.values() if isinstance(one, Filter)]
    if not filters:
        return Collections(loaded)
    product_keys, sku_keys = set(free), set(free)
    for order in sent:
        of_products, of_skus = catalog_keys(order)
        product_keys |= of_products
        sku_keys |= of_skus
    for line in stored:
        product_keys |= product_names(line)
        sku_keys |= sku_names(line)
    with_skus = any("skus" in one.fields for one in filters)
    return Collections(loaded, attributes.stored(conn, project.id, product_keys, sku_keys, with_skus=with_skus))
