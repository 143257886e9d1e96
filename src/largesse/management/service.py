"""Use cases of the management API: the set of stacking rules of a project."""

from typing import Any

import msgspec

import largesse.categories.service as categories
from largesse.engine.refusal import Refusal
from largesse.engine.stacking import StackingRules
from largesse.kernel import clock, ids, wire
from largesse.kernel.access.projects import load_project, update_project
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import ApiError, invalid_payload, not_found
from largesse.management import store
from largesse.management.model import MAX_CATEGORY_LIMIT, StackingRulesList, StackingRulesRecord

_NULLABLE = ("applicable_redeemables_per_category_limit", "applicable_exclusive_redeemables_per_category_limit")
_DEFAULTS: dict[str, Any] = msgspec.to_builtins(StackingRules())


def list_stacking_rules(unit: Unit) -> StackingRulesList:
    """The set in force: the project's own, else the defaults, which have neither id nor dates (documented)."""
    record = store.of_project(unit.conn, unit.project_id)
    return StackingRulesList(data=[_shown(_in_force(unit), record)])


def get_stacking_rules(unit: Unit, rules_id: str) -> dict[str, Any]:
    """Raises ApiError 404."""
    return _shown(_in_force(unit), _existing(unit, rules_id))


def create_stacking_rules(unit: Unit, sent: dict[str, Any]) -> dict[str, Any]:
    """Lays what is sent over the defaults.

    Raises ApiError 400, 404 for an unknown category, and 409 while the project has a set.
    """
    changes = _checked(unit, sent)
    # First, because it locks the project: of two that race for the set the second sees what the first made.
    rules = update_project(unit.conn, unit.project_id, {"stacking_rules": _DEFAULTS | changes}).settings.stacking_rules
    if store.of_project(unit.conn, unit.project_id) is not None:
        raise _stacking_rules_exist()
    record = StackingRulesRecord(id=ids.hex_id("stk_"), created_at=unit.now)
    store.add(unit.conn, unit.project_id, record)
    return _shown(rules, record)


def update_stacking_rules(unit: Unit, rules_id: str, sent: dict[str, Any]) -> dict[str, Any]:
    """What is sent replaces its option, lists and maps whole. Raises ApiError 400, and 404 for the set or a category."""
    changes = _checked(unit, sent)
    rules = update_project(unit.conn, unit.project_id, {"stacking_rules": changes}).settings.stacking_rules
    record = _existing(unit, rules_id)
    store.touch(unit.conn, unit.project_id, unit.now)
    return _shown(rules, msgspec.structs.replace(record, updated_at=unit.now))


def delete_stacking_rules(unit: Unit, rules_id: str) -> None:
    """The defaults hold again. Raises ApiError 404."""
    update_project(unit.conn, unit.project_id, {"stacking_rules": _DEFAULTS})
    _existing(unit, rules_id)
    store.remove(unit.conn, unit.project_id)


def _checked(unit: Unit, sent: dict[str, Any]) -> dict[str, Any]:
    """The options among `sent`; unknown members are ignored, and null is a value only where it means no limit."""
    changes = {name: sent[name] for name in _DEFAULTS if name in sent and (sent[name] is not None or name in _NULLABLE)}
    rules: StackingRules = wire.convert(changes, StackingRules)
    for category_id, limit in rules.applicable_redeemables_category_limits.items():
        if limit > MAX_CATEGORY_LIMIT:
            place = f".applicable_redeemables_category_limits.{category_id}"
            raise invalid_payload(f"Property {place} must be <= {MAX_CATEGORY_LIMIT}")
    named = [id for value in changes.values() if isinstance(value, (list, dict)) for id in value]
    known = categories.answers(unit.conn, unit.project, named)
    for category_id in named:
        if category_id not in known:
            raise not_found("category", category_id)
    return changes


def _in_force(unit: Unit) -> StackingRules:
    return load_project(unit.conn, unit.project_id).settings.stacking_rules


def _existing(unit: Unit, rules_id: str) -> StackingRulesRecord:
    record = store.of_project(unit.conn, unit.project_id)
    if record is None or record.id != rules_id:
        raise not_found("stacking_rules", rules_id)
    return record


def _shown(rules: StackingRules, record: StackingRulesRecord | None) -> dict[str, Any]:
    """Limits that are none stand there as null: models of the official SDKs read an absent one as 1."""
    shown: dict[str, Any] = msgspec.to_builtins(rules)
    if rules.grouped_redeemables_sorting_rule is None:
        del shown["grouped_redeemables_sorting_rule"]
    if record is None:
        return shown
    dates = {"created_at": clock.iso(record.created_at), "updated_at": clock.iso_or_none(record.updated_at)}
    return {"id": record.id, **shown, **dates}


def _stacking_rules_exist() -> ApiError:
    details = "This project has a set of stacking rules; update it, or delete it first."
    return ApiError(
        Refusal(code=409, key="stacking_rules_exist", message="Stacking rules already exist", details=details)
    )
