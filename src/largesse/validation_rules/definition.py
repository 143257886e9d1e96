"""What a validation rule may say: every part of a definition is checked when it is saved, so that no decision meets a wrong one.

Refusals are 400: `invalid_validation_rules` for `rules` and `bundle_rules`, `invalid_payload` for `applicable_to` (documented).
"""

from collections.abc import Mapping
from typing import Any

from largesse.engine.benefits import MAX_PRICE, ApplicableTo, BundleComponent, BundleRules, ItemEntry
from largesse.engine.formulas import FormulaError, compile_formula
from largesse.engine.logic import Logic, Some, keys_of, parse_logic
from largesse.engine.money import is_within
from largesse.engine.rules import Conditions, RuleFault, compile_rules, read_logic
from largesse.kernel import wire
from largesse.kernel.errors import ApiError, invalid, invalid_payload

MAX_BUNDLES = 100  # documented
MAX_COMPONENTS = 100  # our decision
MAX_BUNDLE_QUANTITY = 1_000_000  # our decision
_ALWAYS_SHOWN = ("object", "id", "source_id", "strict", "effect", "target", "skip_initially", "repeat")
_COMPONENT = frozenset(["name", "property", "conditions", "rules", "error"])


# Conditions


def checked_rules(sent: dict[str, Any]) -> dict[str, Any]:
    """`rules` as stored and shown: as sent, with the logic that joins its parts where none is named (observed)."""
    conditions_of(sent)
    parts = [key for key in sent if key != "logic"]
    if not parts or sent.get("logic", "").strip():
        return sent
    return sent | {"logic": " and ".join(parts)}


def conditions_of(rules: dict[str, Any]) -> Conditions | None:
    """`rules` as decisions judge them; None without any."""
    try:
        return compile_rules(rules)
    except RuleFault as fault:
        raise _invalid(str(fault)) from None


def _read_logic(text: Any, parts: Mapping[str, Any], place: str) -> Logic | None:
    try:
        return read_logic(text, parts, place)
    except RuleFault as fault:
        raise _invalid(str(fault)) from None


# Bundles


def checked_bundle(sent: dict[str, Any]) -> dict[str, Any]:
    """`bundle_rules` as stored and shown: each component in full, `logic` and `limit` filled in; {} where none is defined."""
    parts = {key: part for key, part in sent.items() if key not in ("logic", "limit")}
    logic = _read_logic(sent.get("logic"), parts, "bundle_rules")
    limit = sent.get("limit", 1)
    if not _is_whole(limit, MAX_BUNDLES):
        raise _invalid(f"bundle_rules.limit should be an integer from 1 to {MAX_BUNDLES}")
    if logic is None:
        if "limit" in sent:
            raise _invalid("bundle_rules has a limit but no component")
        return {}
    if _has_or(logic):
        raise _invalid("bundle_rules.logic: only 'and' can join the components of a bundle")
    if len(parts) > MAX_COMPONENTS:
        raise _invalid(f"bundle_rules cannot have more than {MAX_COMPONENTS} components")
    shown: dict[str, Any] = {key: _component(part, f"bundle_rules.{key}") for key, part in parts.items()}
    text = sent.get("logic")
    return shown | {"logic": text if text and text.strip() else " and ".join(parts), "limit": limit}


def bundle_of(shown: dict[str, Any]) -> BundleRules | None:
    """A checked bundle as decisions read it: the components that its logic names."""
    if not shown:
        return None
    components = []
    for key in keys_of(parse_logic(shown["logic"])):
        [member] = shown[key]["conditions"]["$is"]
        quantity = next(
            (sub["conditions"]["$is"][0] for name, sub in shown[key]["rules"].items() if name != "logic"), 1
        )
        source_id = member.get("source_id")
        components.append(BundleComponent(member["object"], member.get("id") or source_id, source_id, quantity))
    return BundleRules(tuple(components), shown["limit"])


def _has_or(logic: Logic) -> bool:
    if isinstance(logic, Some):
        return True
    return any(_has_or(part) for part in getattr(logic, "parts", ()))


def _component(sent: Any, place: str) -> dict[str, Any]:
    leaf = _leaf(sent, "order.items.any", place)
    member = wire.convert(_only(leaf, place), ItemEntry, f".{place}.conditions.$is[0]")
    if not (member.id or member.source_id):
        raise _invalid(f"{place}.conditions.$is[0] should have required property 'id'")
    kind = "products_collection" if member.object == "products_collection" else "product_or_sku"
    if _only(leaf, place).get("type", kind) != kind:
        raise _invalid(f"{place}.conditions.$is[0].type should be {kind} for a {member.object}")
    named: dict[str, Any] = {"id": member.id, "type": kind, "object": member.object}
    if member.source_id:
        named["source_id"] = member.source_id
    shown = {"name": leaf["name"], "conditions": {"$is": [named]}, "rules": _quantity(leaf.get("rules") or {}, place)}
    return shown | _custom_error(leaf, place)


def _quantity(sent: Any, place: str) -> dict[str, Any]:
    """The one sub-rule a component may have: how many units of it one bundle takes."""
    place += ".rules"
    if not isinstance(sent, dict):
        raise _invalid(f"{place} should be object")
    parts = {key: part for key, part in sent.items() if key != "logic"}
    _read_logic(sent.get("logic"), parts, place)
    if len(parts) > 1:
        raise _invalid(f"{place} can have one rule only: order.items.aggregated_quantity")
    if not parts:
        return {}
    [(key, part)] = parts.items()
    place += f".{key}"
    leaf = _leaf(part, "order.items.aggregated_quantity", place)
    count = _only(leaf, place)
    if not _is_whole(count, MAX_BUNDLE_QUANTITY):
        raise _invalid(f"{place}.conditions.$is should be an integer from 1 to {MAX_BUNDLE_QUANTITY}")
    if leaf.get("rules"):
        raise _invalid(f"{place}.rules should be empty")
    shown = {"name": leaf["name"], "conditions": {"$is": [count]}, "rules": {}}
    return {key: shown | _custom_error(leaf, place), "logic": key}


def _leaf(sent: Any, name: str, place: str) -> dict[str, Any]:
    """A part of a bundle definition, which may be named `name` only."""
    if not isinstance(sent, dict):
        raise _invalid(f"{place} should be object")
    if sent.get("name") != name:
        raise _invalid(f"{place}.name should be {name}")
    if unknown := sent.keys() - _COMPONENT:
        raise _invalid(f"{place} should not have a property '{min(unknown)}'")
    return sent


def _only(leaf: dict[str, Any], place: str) -> Any:
    """The one value under `$is`; a scalar counts as a list of one."""
    conditions = leaf.get("conditions")
    if not isinstance(conditions, dict) or conditions.keys() != {"$is"}:
        raise _invalid(f"{place}.conditions should have the operator $is and no other")
    values = conditions["$is"] if isinstance(conditions["$is"], list) else [conditions["$is"]]
    if len(values) != 1:
        raise _invalid(f"{place}.conditions.$is should have exactly one member")
    return values[0]


def _custom_error(leaf: dict[str, Any], place: str) -> dict[str, Any]:
    error = leaf.get("error")
    if error is None:
        return {}
    if not isinstance(error, dict) or not isinstance(error.get("message"), str):
        raise _invalid(f"{place}.error should be an object with a 'message'")
    return {"error": {"message": error["message"]}}


def _is_whole(value: Any, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most


def _invalid(details: str) -> ApiError:
    return invalid("invalid_validation_rules", "Invalid Validation Rule Definition", details)


# Items


def checked_applicable_to(sent: dict[str, Any]) -> ApplicableTo:
    """`applicable_to` with every field checked."""
    found = {name: _entries(sent.get(name, []), f".applicable_to.{name}") for name in ("included", "excluded")}
    included_all = wire.convert(sent.get("included_all", False), bool, ".applicable_to.included_all")
    return ApplicableTo(included=found["included"], excluded=found["excluded"], included_all=included_all)


def _entries(sent: Any, place: str) -> tuple[ItemEntry, ...]:
    if not isinstance(sent, list):
        raise invalid_payload(f"Property {place} should be array")
    return tuple(_entry(one, f"{place}[{index}]") for index, one in enumerate(sent))


def _entry(sent: Any, place: str) -> ItemEntry:
    entry: ItemEntry = wire.convert(sent, ItemEntry, place)
    if not (entry.id or entry.source_id):
        raise invalid_payload(f"Property {place} should have required property 'id'")
    if entry.price is not None and not is_within(entry.price, 0, MAX_PRICE):
        raise invalid_payload(f"Property {place}.price should be a number from 0 to {MAX_PRICE}")
    for name in ItemEntry.__struct_fields__:
        if not name.endswith("_formula") or (formula := getattr(entry, name)) is None:
            continue
        fixed = name.removesuffix("_formula")
        # A price may fall back to the discount's own; a limit has nothing else to fall back to.
        if name != "price_formula" and getattr(entry, fixed) is None:
            raise invalid_payload(f"Property {place} should have required property '{fixed}' beside its formula")
        check_formula(formula, f"{place}.{name}")
    return entry


def check_formula(formula: str, place: str) -> None:
    """Raises ApiError 400 `invalid_payload` that names the place of the first mistake."""
    try:
        compile_formula(formula)
    except FormulaError as error:
        raise invalid_payload(f"Property {place} is not a formula: {error.message}") from None


def shown_applicable_to(applicable_to: ApplicableTo) -> dict[str, Any]:
    """As stored and shown."""
    return {
        "excluded": [shown_entry(entry) for entry in applicable_to.excluded],
        "included": [shown_entry(entry) for entry in applicable_to.included],
        "included_all": applicable_to.included_all,
    }


def shown_entry(entry: ItemEntry) -> dict[str, Any]:
    """An entry with its defaults filled in (observed); limits and formulas stand there only where they are set."""
    values = {name: getattr(entry, name) for name in ItemEntry.__struct_fields__}
    return {name: value for name, value in values.items() if name in _ALWAYS_SHOWN or value is not None}
