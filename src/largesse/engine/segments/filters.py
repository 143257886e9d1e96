"""A segment's filter, compiled once: whether a customer is in, what it looks at, and when the clock may change that.

A filter joins fields by `junction`; a member that has a `junction` of its own is a filter within the filter (our decision).
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import msgspec

from largesse.engine.rules.documents import RuleFault
from largesse.engine.rules.facts import When
from largesse.engine.rules.operators import compile_conditions, conditions_of, values_of
from largesse.engine.segments.calendar import LAST_DAY, OF_BIRTHDAYS, Spans, spans_of, turning
from largesse.engine.segments.fields import FIELDS, PATTERNS, Field, Profile, field

MAX_FIELDS = 100  # of one filter with all that it holds; our decision
JUNCTIONS = ("and", "or")
_Judge: TypeAlias = Callable[[Profile, When], bool]
_Turning: TypeAlias = Callable[[Profile, When], Iterable[int]]
_DAYS_AGO = {"$more_than": "$more_than_ago", "$less_than": "$less_than_ago"}


class Filter(msgspec.Struct, frozen=True):
    """`reads` are the changes that can move it: `name`, `address.city`, `metadata.<key>`, `orders`, `redemptions`, `wallet` (cards
    and points), `tiers`, `referrals`, `events.<name>`. `by_clock` where days passing can.
    """

    reads: frozenset[str]
    holds: Callable[[Profile, When], bool]
    by_clock: bool
    _turning: tuple[_Turning, ...]

    def turns_on(self, profile: Profile, when: When) -> int | None:
        """The first day after today, as `date.toordinal` counts, on which it may hold no more or hold at last; None for never."""
        days = (day for turning in self._turning for day in turning(profile, when))
        return min((day for day in days if day <= LAST_DAY), default=None)

    @property
    def of_cards(self) -> bool:
        """Whether it looks at what cards and programs hold, which is not kept beside the customer and changes at midnights."""
        return not self.reads.isdisjoint(("wallet", "tiers", "referrals"))

    @property
    def events(self) -> frozenset[str]:
        """The names of the custom events it looks at."""
        return frozenset(one.removeprefix("events.") for one in self.reads if one.startswith("events."))


def compile_filter(document: Any, place: str = ".filter") -> Filter:
    """Raises RuleFault that names the place of a mistake. A filter without fields holds for everyone."""
    compiler = _Compiler()
    judge = compiler.group(document, place)
    return Filter(frozenset(compiler.reads), judge, bool(compiler.turning), tuple(compiler.turning))


class _Compiler:
    """Collects, on its way through a filter, what the filter looks at."""

    def __init__(self) -> None:
        self.reads: set[str] = set()
        self.turning: list[_Turning] = []
        self._count = 0

    def group(self, document: Any, place: str) -> _Judge:
        if not isinstance(document, dict):
            raise RuleFault(f"{place} should be object")
        junction = document.get("junction", "and")
        if not isinstance(junction, str) or junction.lower() not in JUNCTIONS:
            raise RuleFault(f"{place} has wrong `junction` property. It must be one of: {', '.join(JUNCTIONS)}")
        parts = tuple(self._member(name, one, place) for name, one in document.items() if name != "junction")
        if not parts:
            return lambda _profile, _when: True
        if len(parts) == 1:
            return parts[0]
        if junction.lower() == "or":
            return lambda profile, when: any(part(profile, when) for part in parts)
        return lambda profile, when: all(part(profile, when) for part in parts)

    def _member(self, name: str, node: Any, place: str) -> _Judge:
        self._count += 1
        if self._count > MAX_FIELDS:
            raise RuleFault(f"{place} cannot have more than {MAX_FIELDS} fields")
        if isinstance(node, dict) and "junction" in node:
            return self.group(node, f"{place}.{name}")
        found = field(name)
        if found is None:
            known = ", ".join((*FIELDS, *PATTERNS))
            raise RuleFault(f"{place} should not have a field '{name}'; use one of {known}")
        if not isinstance(node, dict) or not isinstance(node.get("conditions"), dict):
            raise RuleFault(f"{place}.{name} should have an object 'conditions'")
        self.reads |= found.reads
        return self._conditions(name, found, _in_days(conditions_of(node, f"{place}.{name}"), found), f"{place}.{name}")

    def _conditions(self, name: str, found: Field, conditions: Mapping[str, Any], place: str) -> _Judge:
        check = compile_conditions({"name": name, "conditions": conditions}, place, found.operators)
        read = found.read
        for operator, sent in conditions.items():
            blind = OF_BIRTHDAYS.get(operator, operator) if found.is_birthday else operator
            spans = spans_of(blind, values_of(sent))
            if spans is not None:
                self.turning.append(_turning(read, spans))
        return lambda profile, when: check(read(profile), when)


def _in_days(conditions: Mapping[str, Any], found: Field) -> Mapping[str, Any]:
    """Of a date, more and less than a number mean that many days ago (documented of lists)."""
    if "$more_than_ago" not in found.operators or "$count" in found.operators:
        return conditions
    return {
        _DAYS_AGO[operator] if operator in _DAYS_AGO and _is_days(sent) else operator: sent
        for operator, sent in conditions.items()
    }


def _is_days(sent: Any) -> bool:
    values = sent if isinstance(sent, list) else [sent]
    return bool(values) and all(isinstance(one, int) or (isinstance(one, str) and one.isdecimal()) for one in values)


def _turning(read: Callable[[Profile], Any], spans: Spans) -> _Turning:
    return lambda profile, when: turning(spans, read(profile), when)
