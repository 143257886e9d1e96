"""Why a rule does not hold: each condition that makes it fail, with what it wanted and what it found."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from largesse.engine.explanation import Counter, Failed
from largesse.engine.logic import Every, Logic
from largesse.engine.logic import Leaf as Key
from largesse.engine.rules.compiling import NAMES
from largesse.engine.rules.counts import most_of
from largesse.engine.rules.facts import Count, Facts
from largesse.engine.rules.operators import values_of
from largesse.engine.rules.verdicts import Condition, Conditions

_SELECTING = "$from"  # says where a condition looks, and cannot fail


def explain(conditions: Conditions, facts: Facts, used: Callable[[Count], int | None]) -> list[Failed]:
    """Every false condition of a failing part, leftmost first; `used` answers what is counted without the redemption at hand."""
    parts = conditions.parts
    return [_failed(key, parts[key], facts, used) for key in dict.fromkeys(_failing(conditions.logic, parts, facts))]


def _failing(logic: Logic, parts: Mapping[str, Condition], facts: Facts) -> Iterator[str]:
    if isinstance(logic, Key):
        if parts[logic.key].blame(facts) is not None:
            yield logic.key
        return
    found = [list(_failing(one, parts, facts)) for one in logic.parts]
    if isinstance(logic, Every) or all(found):
        for keys in found:
            yield from keys


def _failed(key: str, part: Condition, facts: Facts, used: Callable[[Count], int | None]) -> Failed:
    leaf = part.document
    operator = _failing_operator(part, facts)
    counter = None
    if part.count is not None:
        before = used(part.count) or 0
        counter = Counter(most_of(leaf), before, (facts.counted(part.count) or 0) - before)
    return Failed(
        key=key,
        name=part.name,
        property=leaf.get("property"),
        condition=operator,
        expected=values_of(leaf["conditions"][operator]) if operator else [],
        actual=NAMES[part.name].actual(leaf, facts),
        counter=counter,
    )


def _failing_operator(part: Condition, facts: Facts) -> str | None:
    """The first operator that fails by itself, else the first there is: sub-rules may be what fails."""
    conditions: Mapping[str, Any] = part.document.get("conditions") or {}
    operators = [operator for operator in conditions if operator != _SELECTING]
    if len(operators) > 1:
        selecting = {name: value for name, value in conditions.items() if name == _SELECTING}
        for operator in operators:
            alone = {**part.document, "conditions": {**selecting, operator: conditions[operator]}}
            if not NAMES[part.name].compile(alone, "rules")(facts):
                return operator
    return next(iter(operators), None)
