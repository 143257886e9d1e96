"""The form of a publication that is asked for in the query string: `customer[source_id]=…&campaign[name]=…`."""

import re
from typing import Any

import msgspec

from largesse.kernel.errors import invalid_query
from largesse.kernel.http.query import Query
from largesse.kernel.wire import MAX_DEPTH
from largesse.publications.model import PublicationCreate
from largesse.publications.service import too_many

_MEMBER = re.compile(r"(\w+)((?:\[[^\[\]]*\])*)")
_TEXTS = ("voucher", "campaign", "customer", "source_id", "metadata")


def from_query(query: Query) -> PublicationCreate:
    """One code, never more (documented). Raises ApiError 400 `invalid_query_params`, `too_many_vouchers_requested`."""
    tree: dict[str, Any] = {}
    for name, value in query.pairs:
        found = _MEMBER.fullmatch(name)
        if found is not None and found[1] in _TEXTS:
            _put(tree, [found[1], *re.findall(r"\[([^\[\]]*)\]", found[2])], value, name)
    if "customer" not in tree:
        raise invalid_query("Query should have required property 'customer'")
    if isinstance(tree["customer"], str):
        tree["customer"] = {"source_id": tree["customer"]}
    try:
        sent = msgspec.convert(tree, PublicationCreate, strict=False)
    except msgspec.ValidationError as error:
        raise invalid_query(f"Query {error}") from None
    if sent.target is not None and (sent.target.count or 1) > 1:
        raise too_many(1)
    return sent


def _put(tree: dict[str, Any], keys: list[str], value: str, name: str) -> None:
    if len(keys) > MAX_DEPTH:
        raise invalid_query(f"Property .{keys[0]} is nested deeper than {MAX_DEPTH} levels")
    node = tree
    for key in keys[:-1]:
        child = node.setdefault(key, {})
        if not isinstance(child, dict):
            raise invalid_query(f"Property .{name} is given twice in different shapes")
        node = child
    node[keys[-1]] = value
