"""What a segment may say, checked when it is made, so that no decision meets a filter that says nothing possible."""

from typing import Any

import msgspec

from largesse.engine.rules import RuleFault
from largesse.engine.segments import Filter, compile_filter
from largesse.kernel import wire
from largesse.kernel.errors import invalid_payload
from largesse.segments.model import Segment, SegmentCreate, SegmentReference, StoredSegment

MOST_LISTED = 20_000  # customers of a static segment (documented)


def checked_filter(sent: SegmentCreate) -> dict[str, Any]:
    """A filter as stored and shown: as sent, the junctions in lower case, nulls left out."""
    if not isinstance(sent.filter, dict):
        raise invalid_payload(f"Property .filter should be an object in a segment of type {sent.type}")
    if sent.customers is not None:
        raise invalid_payload(f"Property .customers cannot be given for a segment of type {sent.type}")
    shown: dict[str, Any] = wire.without_nulls(sent.filter)
    shown.setdefault("junction", "and")
    compiled(shown)
    return lowered(shown)


def lowered(node: dict[str, Any]) -> dict[str, Any]:
    """The junctions of a checked filter in lower case."""
    found: dict[str, Any] = {}
    for name, one in node.items():
        if name == "junction":
            found[name] = one.lower()
        else:
            found[name] = lowered(one) if "junction" in one else one
    return found


def checked_customers(sent: SegmentCreate) -> list[str]:
    """The keys of a static segment's customers, each once."""
    if sent.filter is not None:
        raise invalid_payload("Property .filter cannot be given for a segment of type static")
    keys = list(dict.fromkeys(sent.customers or ()))
    if len(keys) > MOST_LISTED:
        raise invalid_payload(f"Property .customers cannot have more than {MOST_LISTED} customers")
    return keys


def compiled(shown: dict[str, Any]) -> Filter:
    """Raises ApiError 400 that names the place of a mistake."""
    try:
        return compile_filter(shown)
    except RuleFault as fault:
        raise invalid_payload(f"Property {fault}") from None


def read(stored: StoredSegment) -> Segment:
    """A stored segment as decisions read it."""
    reference = SegmentReference(id=stored.id, name=stored.name)
    return Segment(
        id=stored.id,
        name=stored.name,
        records=stored.type == "auto-update",
        is_filled=stored.initial_sync_status == "DONE",
        filter=compile_filter(stored.filter) if stored.filter is not None else None,
        reference=msgspec.to_builtins(reference),
    )
