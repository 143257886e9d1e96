"""Conditions on metadata, read by the types that schemas give to its keys.

Without a schema a value is what it looks like. A schema settles two doubts: a number compared with a text means that text, and a
number compared with a date means so many days ago, as in lists and segments.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

Types: TypeAlias = Mapping[str, Mapping[str, str]]  # kind of object → key of its metadata → type

KINDS: Mapping[str, str] = {
    "customer.metadata": "customer",
    "order.metadata": "order",
    "order.items.metadata": "order_item",
    "order.items.metadata_any": "order_item",
    "order.items.metadata_each": "order_item",
    "redemption.metadata": "redemption",
    "product.metadata": "product",
}
_DAYS_AGO = {"$more_than": "$more_than_ago", "$less_than": "$less_than_ago"}


def typed(rules: Any, types: Types) -> Any:
    """The same rules with conditions that say what they mean by these types."""
    if not isinstance(rules, dict):
        return rules
    found = {key: typed(one, types) for key, one in rules.items()}
    name, conditions = rules.get("name"), rules.get("conditions")
    if isinstance(name, str) and isinstance(conditions, dict):
        type = types.get(KINDS.get(name, ""), {}).get(str(rules.get("property")))
        found["conditions"] = dict(_condition(operator, sent, type) for operator, sent in conditions.items())
    return found


def _condition(operator: str, sent: Any, type: str | None) -> tuple[str, Any]:
    values = sent if isinstance(sent, list) else [sent]
    if type == "string":
        return operator, [_text(value) for value in values]
    if type in ("date", "datetime") and operator in _DAYS_AGO and all(_is_count(value) for value in values):
        return _DAYS_AGO[operator], values
    return operator, sent


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _is_count(value: Any) -> bool:
    return isinstance(value, int) or (isinstance(value, str) and value.isdecimal())
