"""Filters as clients write them: `filters[field][conditions][$op][0]=value` in all spellings that SDKs use, or as JSON."""

import ast
import re
from typing import Any

import msgspec

from largesse.kernel.errors import invalid_query

UNSET = "None"  # what the official Python SDK writes for members that were not set (observed)
_INDEXED = 4  # segments of a path that ends in an index: there a value is a value, whatever it says
_LIST = re.compile(r"""\[(?:\s*(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?)\s*(?:,|(?=\])))+\s*\]""")
_SEGMENT = re.compile(r"\[([^\[\]]*)\]")


class Filters(msgspec.Struct):
    """Fields with their conditions, joined by `junction`; the conditions of one field are always joined by AND."""

    junction: str = "and"
    fields: dict[str, dict[str, list[str]]] = {}


def parse_filters(pairs: list[tuple[str, str]]) -> Filters | None:
    """The filters among query parameters; None when there are none. Raises ApiError 400 for a shape that is not understood."""
    found = Filters()
    seen = False
    for name, value in pairs:
        path = _path(name)
        if path is None:
            continue
        seen = True
        if value == UNSET and len(path) < _INDEXED:
            continue
        if not path:
            _take_document(found, value)
        elif path == ["junction"]:
            found.junction = _junction(value)
        elif len(path) in (3, 4) and path[1] == "conditions":
            values = [value] if len(path) == _INDEXED else _listed(value)
            found.fields.setdefault(path[0], {}).setdefault(path[2], []).extend(values)
        elif len(path) in (2, 3) and path[1].startswith("$"):  # as the contract writes those of `active`
            found.fields.setdefault(path[0], {}).setdefault(path[1], []).append(value)
        else:
            raise invalid_query(f"Filter {name} should have the form filters[field][conditions][$operator]")
    return found if seen else None


def _listed(value: str) -> list[str]:
    """Several values where the official Python SDK writes a list as `['a', 'b']` (observed), else the one value."""
    if not _LIST.fullmatch(value):
        return [value]
    try:
        return [str(one) for one in ast.literal_eval(value)]
    except (ValueError, SyntaxError):
        return [value]


def _path(name: str) -> list[str] | None:
    """The segments after `filters`, None for a parameter that is not a filter."""
    if name.startswith("filters"):
        rest = name.removeprefix("filters")
    elif name.startswith("[filters]"):
        rest = name.removeprefix("[filters]")
    else:
        return None
    segments = _SEGMENT.findall(rest)
    if "".join(f"[{segment}]" for segment in segments) != rest:
        raise invalid_query(f"Filter {name} should have the form filters[field][conditions][$operator]")
    return segments


def _take_document(found: Filters, text: str) -> None:
    """`filters=` with the same tree as JSON."""
    try:
        document = msgspec.json.decode(text)
    except msgspec.DecodeError:
        raise invalid_query(
            "Parameter filters should be JSON, or have the form filters[field][conditions][$operator]"
        ) from None
    if not isinstance(document, dict):
        raise invalid_query("Parameter filters should be an object")
    _take_tree(found, document)


def read_document(document: dict[str, Any]) -> Filters:
    """Filters as a body carries them. Raises ApiError 400 for a shape that is not understood."""
    found = Filters()
    _take_tree(found, document)
    return found


def _take_tree(found: Filters, document: dict[str, Any]) -> None:
    for field, node in document.items():
        if field == "junction":
            found.junction = _junction(str(node))
            continue
        if node is None:  # what a client's model leaves unset
            continue
        conditions = node.get("conditions") if isinstance(node, dict) else None
        if isinstance(node, dict) and conditions is None and all(name.startswith("$") for name in node):
            conditions = node
        if not isinstance(conditions, dict):
            raise invalid_query(f"Property .filters.{field} should have an object conditions")
        for operator, value in conditions.items():
            if value is None:
                continue
            values = value if isinstance(value, list) else [value]
            found.fields.setdefault(field, {}).setdefault(operator, []).extend(map(_as_text, values))


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _junction(value: str) -> str:
    if value.lower() not in ("and", "or"):
        raise invalid_query("Property .filters.junction should be equal to one of the allowed values [ and, or ]")
    return value.lower()
