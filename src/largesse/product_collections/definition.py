"""What a collection may say: its filter is checked when it is saved, so that no decision meets a wrong one."""

from typing import Any

from largesse.engine.collections import Filter, FilterError, compile_filter
from largesse.kernel import wire
from largesse.kernel.errors import invalid_payload
from largesse.product_collections.model import Name

_JUNCTIONS = ("and", "or")


def checked_name(sent: Any) -> str:
    if not isinstance(sent, str):
        raise invalid_payload("Property .name must be string")
    name: str = wire.convert(sent, Name, ".name")
    return name


def checked_filter(sent: Any) -> dict[str, Any]:
    """A filter as stored and shown: the junction in lower case, the values of every operator as a list."""
    if not isinstance(sent, dict) or sent.get("junction") is None:
        raise invalid_payload("'AUTO_UPDATE' collection must contain valid filter with 'junction' property")
    junction = sent["junction"]
    if not isinstance(junction, str) or junction.lower() not in _JUNCTIONS:
        raise invalid_payload("Property .filter has wrong `junction` property. It must be one of: and, or")
    fields = {name: _conditions(name, node) for name, node in wire.without_nulls(sent).items() if name != "junction"}
    shown = {"junction": junction.lower()} | {name: {"conditions": found} for name, found in fields.items()}
    try:
        compiled(shown)
    except FilterError as error:
        raise invalid_payload(f"Property {error}") from None
    return shown


def _conditions(name: str, node: Any) -> dict[str, list[Any]]:
    conditions = node.get("conditions") if isinstance(node, dict) else None
    if not isinstance(conditions, dict):
        raise invalid_payload(f"Property .filter.{name} should have an object 'conditions'")
    return {operator: value if isinstance(value, list) else [value] for operator, value in conditions.items()}


def compiled(shown: dict[str, Any]) -> Filter:
    """A checked filter as decisions and lists read it."""
    fields = {name: node["conditions"] for name, node in shown.items() if name != "junction"}
    return compile_filter(shown["junction"], fields)
