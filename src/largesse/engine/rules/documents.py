"""A rule as written: numbered parts and the logic that joins them. Every mistake is named with its place."""

from collections.abc import Callable, Mapping
from typing import Any

from largesse.engine.logic import Every, Leaf, Logic, LogicError, is_key, keys_of, parse_logic


class RuleFault(ValueError):
    """A rule that says nothing possible; the text names the place and what should stand there."""


def part(document: Any, place: str) -> dict[str, Any]:
    """A part of a rule. Raises RuleFault."""
    if not isinstance(document, dict) or not isinstance(document.get("name"), str):
        raise RuleFault(f"{place} should be an object with a 'name'")
    return document


def parts_of(document: Any, place: str) -> dict[str, Any]:
    """The parts of a rule by their keys. Raises RuleFault."""
    if not isinstance(document, dict):
        raise RuleFault(f"{place} should be object")
    return {key: one for key, one in document.items() if key != "logic"}


def read_logic(text: Any, parts: Mapping[str, Any], place: str) -> Logic | None:
    """How parts go together; all of them by AND where nothing is said (documented). None without parts. Raises RuleFault."""
    for key in parts:
        if not is_key(key):
            raise RuleFault(f"{place}: '{key}' cannot be a key of a rule; use letters, digits and _ $ . -")
    if text is not None and not isinstance(text, str):
        raise RuleFault(f"{place}.logic should be string")
    if text is None or not text.strip():
        text = " and ".join(parts)
    if not text:
        return None
    try:
        logic = parse_logic(text)
    except LogicError as error:
        raise RuleFault(f"{place}.logic: {error}") from None
    for key in keys_of(logic):
        if key not in parts:
            raise RuleFault(f"{place}.logic: '{key}' is no key of the rule; it has {', '.join(parts) or 'none'}")
    return logic


def joined(logic: Logic, tests: Mapping[str, Callable[..., bool]]) -> Callable[..., bool]:
    """One test made of several by the logic that joins them."""
    if isinstance(logic, Leaf):
        return tests[logic.key]
    parts = tuple(joined(one, tests) for one in logic.parts)
    if isinstance(logic, Every):
        return lambda *about: all(one(*about) for one in parts)
    return lambda *about: any(one(*about) for one in parts)
