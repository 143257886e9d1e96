"""From a rule as written to conditions ready to judge."""

from collections.abc import Callable, Mapping
from typing import Any

from largesse.engine.logic import Every, Logic, keys_of
from largesse.engine.logic import Leaf as Key
from largesse.engine.rules import counts, customers, items, orders, products, redemptions
from largesse.engine.rules.documents import RuleFault, part, parts_of, read_logic
from largesse.engine.rules.facts import Count, Facts
from largesse.engine.rules.leaves import Name, Test, without_parts
from largesse.engine.rules.verdicts import Condition, Conditions, Violation

MAX_LEAVES = 1000  # of one rule; our decision
NAMES: Mapping[str, Name] = {
    **customers.NAMES,
    **orders.NAMES,
    **items.NAMES,
    **products.NAMES,
    **redemptions.NAMES,
    **counts.NAMES,
}
_WITH_PARTS = frozenset(items.NAMES) | frozenset(products.WITH_PARTS)
_Blame = Callable[[Facts], Violation | None]


def compile_rules(document: Mapping[str, Any]) -> Conditions | None:
    """Numbered leaves and their `logic` as conditions; None without any. Raises RuleFault that names the place of a mistake.

    Leaves the logic does not name are checked and then ignored (documented).
    """
    parts = parts_of(document, "rules")
    if len(parts) > MAX_LEAVES:
        raise RuleFault(f"rules cannot have more than {MAX_LEAVES} conditions")
    logic = read_logic(document.get("logic"), parts, "rules")
    if logic is None:
        return None
    compiled = {key: compiled_condition(one, f"rules.{key}") for key, one in parts.items()}
    return joined_conditions(logic, {key: compiled[key] for key in keys_of(logic)})


def joined_conditions(logic: Logic, parts: Mapping[str, Condition]) -> Conditions:
    """The parts as one rule; `logic` names each of them."""
    return Conditions(
        blame=_blamed(logic, {key: one.blame for key, one in parts.items()}),
        needs=frozenset(need for one in parts.values() for need in one.needs),
        of_result=any(one.of_result for one in parts.values()),
        counts=frozenset(one.count for one in parts.values() if one.count is not None),
        most=_most(logic, parts),
        segments=frozenset(id for one in parts.values() for id in one.segments),
        logic=logic,
        parts=parts,
    )


def _most(logic: Logic, parts: Mapping[str, Condition]) -> dict[Count, int]:
    """The upper bounds of what is counted, of conditions that must hold whatever the others say."""
    found: dict[Count, int] = {}
    for one in logic.parts if isinstance(logic, Every) else (logic,):
        part = parts[one.key] if isinstance(one, Key) else None
        if part is not None and part.count is not None:
            most = counts.most_of(part.document)
            if most is not None:
                found[part.count] = min(most, found.get(part.count, most))
    return found


def compiled_condition(document: Any, place: str) -> Condition:
    """One condition of a rule, found at `place`. Raises RuleFault that names the place of a mistake."""
    leaf = part(document, place)
    name = NAMES.get(leaf["name"])
    if name is None:
        raise RuleFault(f"{place}: unknown name '{leaf['name']}'; known are {', '.join(sorted(NAMES))}")
    if leaf["name"] not in _WITH_PARTS:
        without_parts(leaf, place)
    violation = Violation(name.group, message=_own_words(leaf, place))
    return Condition(
        name=leaf["name"],
        document=leaf,
        blame=_leaf_blame(name.compile(leaf, place), violation),
        needs=name.needs,
        of_result=name.of_result,
        count=name.count,
        segments=customers.segments_of(leaf, place),
    )


def _leaf_blame(test: Test, violation: Violation) -> _Blame:
    return lambda facts: None if test(facts) else violation


def _own_words(leaf: Mapping[str, Any], place: str) -> str | None:
    error = leaf.get("error")
    if error is None:
        return None
    if not isinstance(error, dict) or not isinstance(error.get("message"), str):
        raise RuleFault(f"{place}.error should be an object with a 'message'")
    return str(error["message"])


def _blamed(logic: Logic, leaves: Mapping[str, _Blame]) -> _Blame:
    """The leftmost false leaf of a failing part; a false side of an OR that holds is never blamed (our decision)."""
    if isinstance(logic, Key):
        return leaves[logic.key]
    parts = tuple(_blamed(one, leaves) for one in logic.parts)
    if isinstance(logic, Every):
        return lambda facts: next((found for one in parts if (found := one(facts)) is not None), None)

    def of_some(facts: Facts) -> Violation | None:
        first = None
        for one in parts:
            found = one(facts)
            if found is None:
                return None
            first = first or found
        return first

    return of_some
