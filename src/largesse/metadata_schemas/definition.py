"""Definitions as merchants write them, read and checked."""

from collections.abc import Mapping
from typing import Any

import msgspec

from largesse.kernel import wire
from largesse.kernel.errors import ApiError, invalid_payload
from largesse.metadata_schemas.model import (
    CAMEL_CASE,
    FREE_OBJECT,
    MOST_DEFINITIONS,
    NUMERIC,
    RELATED,
    TEXTUAL,
    Definition,
)

_SNAKE_CASE = {camel: snake for snake, camel in CAMEL_CASE.items()}


def read(sent: Mapping[str, dict[str, Any]], related_object: str) -> dict[str, Definition]:
    """The definitions of a request. Raises ApiError 400 for members that cannot be, or do not go together."""
    return {key: _definition(key, members, related_object) for key, members in sent.items()}


def _definition(key: str, members: dict[str, Any], related_object: str) -> Definition:
    place = f".properties.{key}"
    named = {_SNAKE_CASE.get(name, name): value for name, value in members.items()}
    found: Definition = wire.convert(wire.without_nulls(named), Definition, place)
    for name in (*NUMERIC, *TEXTUAL, *_LISTS, "object_type"):
        fits = found.type in _MEMBERS_OF[name]
        if getattr(found, name) is not None and not fits:
            raise invalid_payload(f"Property {place}.{name} does not go with the type {found.type}")
    kind: type = str if found.type == "string" else int | float  # type: ignore[assignment]  # a union is no type to mypy
    for name in _LISTS:
        if not all(isinstance(value, kind) for value in getattr(found, name) or ()):
            raise invalid_payload(f"Property {place}.{name} should hold values of the type {found.type}")
    if found.type == "object" and related_object not in RELATED:
        raise invalid_payload(f"Property {place}.type cannot be object: a nested schema has no nested objects")
    return found


_LISTS = ("eq", "ne")
_MEMBERS_OF: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(NUMERIC, ("number",)),
    **dict.fromkeys(TEXTUAL, ("string",)),
    **dict.fromkeys(_LISTS, ("string", "number")),
    "object_type": ("object",),
}


def laid_over(stored: dict[str, Definition], sent: dict[str, Definition]) -> dict[str, Definition]:
    """Definitions sent replace those of their keys whole. Raises ApiError 400 for another type, and beyond 100 of them."""
    for key, definition in sent.items():
        if key in stored and stored[key].type != definition.type:
            raise invalid_payload(
                f"Property .properties.{key}.type cannot be changed: it is {stored[key].type} since it was defined"
            )
    merged = stored | sent
    if len(merged) > MOST_DEFINITIONS:
        raise too_many()
    return merged


def too_many() -> ApiError:
    return invalid_payload(f"Property .properties should not have more than {MOST_DEFINITIONS} definitions")


def nested_in(properties: Mapping[str, Definition]) -> list[str]:
    """The names of the schemas that definitions nest."""
    names = (definition.object_type for definition in properties.values() if not definition.deleted)
    return [name for name in dict.fromkeys(names) if name is not None and name != FREE_OBJECT]


def shown(properties: Mapping[str, Definition], *, camel_case: bool) -> dict[str, dict[str, Any]]:
    """Definitions as answers carry them: bounds only where there are some."""
    return {key: _members(definition, camel_case) for key, definition in properties.items()}


def _members(definition: Definition, camel_case: bool) -> dict[str, Any]:
    always = {
        "type": definition.type,
        "array": definition.array,
        "optional": definition.optional,
        "deleted": definition.deleted,
        "object_type": definition.object_type,
    }
    members = always | msgspec.to_builtins(definition)
    return {CAMEL_CASE.get(name, name) if camel_case else name: value for name, value in members.items()}
