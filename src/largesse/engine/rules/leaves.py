"""What a family of conditions defines: for each name how a leaf is compiled, and what it needs."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from largesse.engine.rules.documents import RuleFault
from largesse.engine.rules.facts import Count, Facts
from largesse.engine.rules.operators import OF_METADATA, OF_NUMBER, compile_conditions, conditions_of
from largesse.engine.rules.verdicts import Group, Need

Leaf = Mapping[str, Any]
Test = Callable[[Facts], bool]
Compile = Callable[[Leaf, str], Test]  # (leaf, its place) → test; raises RuleFault


def _unseen(_leaf: Leaf, _facts: Facts) -> None:
    """What a condition that compares nothing looks at."""


class Name(msgspec.Struct, frozen=True):
    """A name that a condition can have; `of_result` where it looks at the order after the redeemable's own effect.

    `actual` is what a condition compares, for explanations.
    """

    group: Group
    compile: Compile
    needs: frozenset[Need] = frozenset()
    of_result: bool = False
    count: Count | None = None
    actual: Callable[[Leaf, Facts], object] = _unseen


def of_number(
    group: Group, read: Callable[[Facts], int | None], needs: frozenset[Need] = frozenset(), *, of_result: bool = False
) -> Name:
    """A name for one number."""
    return Name(group, number(read), needs, of_result, actual=lambda _leaf, facts: read(facts))


def of_property(
    group: Group, read: Callable[[Facts], Mapping[str, Any] | None], needs: frozenset[Need] = frozenset()
) -> Name:
    """A name for a property of some metadata."""
    return Name(group, metadata(read), needs, actual=lambda leaf, facts: property_of(leaf)(read(facts)))


def number(read: Callable[[Facts], int | None]) -> Compile:
    def compiled(leaf: Leaf, place: str) -> Test:
        check = compile_conditions(leaf, place, OF_NUMBER)
        return lambda facts: check(read(facts), facts)

    return compiled


def metadata(read: Callable[[Facts], Mapping[str, Any] | None]) -> Compile:
    def compiled(leaf: Leaf, place: str) -> Test:
        member = property_of(leaf)
        check = compile_conditions(leaf, place, OF_METADATA)
        return lambda facts: check(member(read(facts)), facts)

    return compiled


def property_of(leaf: Leaf) -> Callable[[Mapping[str, Any] | None], object]:
    """Reads the property a leaf names; dots reach into nested objects where no property has the whole name. Raises RuleFault."""
    key = leaf.get("property")
    if not isinstance(key, str) or not key:
        raise RuleFault(f"Rule '{leaf['name']}' must have a 'property'")
    path = key.split(".")

    def read(found: Any) -> object:
        if not found or key in found or len(path) == 1:
            return found.get(key) if found else None
        for step in path:
            found = found.get(step) if isinstance(found, dict) else None
        return found

    return read


def true_only(leaf: Leaf, place: str) -> None:
    """For names that can only be switched on. Raises RuleFault."""
    found = conditions_of(leaf, place)
    sent = found.get("$is")
    values = sent if isinstance(sent, list) else [sent]
    if found.keys() != {"$is"} or len(values) != 1 or not (values[0] is True or values[0] == "true"):
        raise RuleFault(f"{place}.conditions should be the operator $is with true")


def id_of(value: object) -> str:
    """An entity as rules name it: its id, or an object with `id` or `source_id` (documented). Raises ValueError."""
    if isinstance(value, dict):
        value = value.get("id") or value.get("source_id")
    if not isinstance(value, str) or not value:
        raise ValueError("should be an id, or an object with an id")
    return value


def without_parts(leaf: Leaf, place: str) -> None:
    """Refuses sub-rules where a name has none. Raises RuleFault."""
    if leaf.get("rules"):
        raise RuleFault(f"{place}.rules should be empty for {leaf['name']}")
