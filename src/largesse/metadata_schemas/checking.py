"""Whether metadata is as its schema says, and in the API's words why not."""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from largesse.engine.refusal import Refusal
from largesse.kernel import clock, wire
from largesse.kernel.errors import ApiError
from largesse.metadata_schemas.model import Definition

_LONGEST_SHOWN = 100
_PLACE = re.compile(r"(?:geo:)?(-?\d{1,2}(?:\.\d+)?),\s*(-?\d{1,3}(?:\.\d+)?)", re.ASCII)
_ZONED = re.compile(r"T.+(?:Z|[+-]\d{2}:?\d{2})\Z", re.ASCII | re.IGNORECASE)
_KINDS = {
    "string": "a string",
    "number": "a number",
    "boolean": "a boolean",
    "date": "a date in ISO 8601 (YYYY-MM-DD)",
    "datetime": "a date and time in ISO 8601",
    "image_url": "a URL pointing to JPG/JPEG or PNG resource",
    "geopoint": "a geopoint (geo:lat,lng)",
    "object": "an object",
}


class Schema(msgspec.Struct, frozen=True):
    """A schema ready for use: definitions that count, with the schemas of nested objects under their `object_type`."""

    properties: Mapping[str, Definition] = {}
    allow_defined_only: bool = False
    nested: Mapping[str, "Schema"] = {}

    def check_new(self, metadata: Mapping[str, Any]) -> None:
        """For what is created: every key, and that none is missing which is required. Raises ApiError 400."""
        self._refuse(violations(self, metadata, metadata))

    def check_changed(self, result: Mapping[str, Any], touched: Collection[str]) -> None:
        """For what is updated: the keys touched, as they are afterwards (documented). Raises ApiError 400."""
        self._refuse(violations(self, result, [key for key in touched if key in result], required=touched))

    def _refuse(self, found: list[str]) -> None:
        if found:
            raise metadata_refused("; ".join(found))


def metadata_refused(details: str) -> ApiError:
    refusal = Refusal(code=400, key="metadata_validation_failed", message="Metadata validation failed", details=details)
    return ApiError(refusal)


def violations(
    schema: Schema,
    metadata: Mapping[str, Any],
    keys: Collection[str],
    *,
    required: Collection[str] | None = None,
    place: str = "",
) -> list[str]:
    """One clause for each of `keys` that is not as defined, and for each key missing that has to be there.

    `required` narrows which missing keys matter; None means all.
    """
    found: list[str] = []
    for key, definition in schema.properties.items():
        asked = required is None or key in required
        if asked and not definition.optional and metadata.get(key) is None:
            found.append(f"{place}{key}: is required, {_expected(definition)}")
    for key in keys:
        known = schema.properties.get(key)
        if known is None:
            if schema.allow_defined_only:
                found.append(f"{place}{key}: is not defined in the schema")
        elif metadata[key] is not None:
            found += _faults(schema, known, metadata[key], f"{place}{key}")
    return found


def _faults(schema: Schema, definition: Definition, value: Any, place: str) -> list[str]:
    inner = schema.nested.get(definition.object_type or "") if definition.type == "object" else None
    elements = value if definition.array and isinstance(value, list) else [value]
    if definition.array != isinstance(value, list) or not all(_fits(definition, one) for one in elements):
        return [f"{place}: {_expected(definition)} (actual value is '{_shown(value)}')"]
    if inner is None:
        return []
    places = [f"{place}[{n}]." for n in range(len(elements))] if definition.array else [f"{place}."]
    return [
        fault for one, where in zip(elements, places, strict=True) for fault in violations(inner, one, one, place=where)
    ]


def _fits(definition: Definition, value: Any) -> bool:
    if not _OF_TYPE[definition.type](value):
        return False
    if definition.eq is not None and value not in definition.eq:
        return False
    if definition.ne is not None and value in definition.ne:
        return False
    if isinstance(value, str):
        length = len(value)
        return (
            (definition.min_length is None or length >= definition.min_length)
            and (definition.max_length is None or length <= definition.max_length)
            and definition.exact_length in (None, length)
        )
    if definition.type != "number":
        return True
    return (
        (definition.lt is None or value < definition.lt)
        and (definition.lte is None or value <= definition.lte)
        and (definition.gt is None or value > definition.gt)
        and (definition.gte is None or value >= definition.gte)
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_day(value: Any) -> bool:
    return isinstance(value, str) and _reads(clock.parse_day, value)


def _is_moment(value: Any) -> bool:
    """With a zone, without which it would be no instant (documented)."""
    return isinstance(value, str) and bool(_ZONED.search(value)) and _reads(clock.parse_iso, value)


def _reads(parse: Callable[[str], object], value: str) -> bool:
    try:
        parse(value)
    except (ValueError, OverflowError):
        return False
    return True


def _is_image(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        found = urlsplit(value)
    except ValueError:
        return False
    return (
        found.scheme in ("http", "https")
        and bool(found.netloc)
        and found.path.lower().endswith((".jpg", ".jpeg", ".png"))
    )


def _is_place(value: Any) -> bool:
    found = _PLACE.fullmatch(value) if isinstance(value, str) else None
    return found is not None and abs(float(found[1])) <= 90 and abs(float(found[2])) <= 180


_OF_TYPE: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "number": _is_number,
    "boolean": lambda value: isinstance(value, bool),
    "date": _is_day,
    "datetime": _is_moment,
    "image_url": _is_image,
    "geopoint": _is_place,
    "object": lambda value: isinstance(value, dict),
}


def _expected(definition: Definition) -> str:
    """Everything that a definition asks for, as documented: `must be a string, must be equal to one of A,B`."""
    parts = [f"must be {_KINDS[definition.type]}"]
    if definition.eq is not None:
        parts.append(f"must be equal to one of {_listed(definition.eq)}")
    if definition.ne is not None:
        parts.append(f"must not be equal to any of {_listed(definition.ne)}")
    for name, words in _BOUNDS.items():
        if (bound := getattr(definition, name)) is not None:
            parts.append(f"must {words} {bound}")
    every = ", ".join(parts)
    return f"must be an array, and every element: {every}" if definition.array else every


_BOUNDS = {
    "lt": "be less than",
    "lte": "be less than or equal to",
    "gt": "be greater than",
    "gte": "be greater than or equal to",
    "min_length": "have a length of at least",
    "max_length": "have a length of at most",
    "exact_length": "have a length of exactly",
}


def _listed(values: list[Any]) -> str:
    return ",".join(str(value) for value in values)


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else wire.encode_text(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
