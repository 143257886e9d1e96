"""Use cases of validation rules and their assignments, and what other rooms ask of them."""

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import UNSET
from sqlalchemy.engine import Connection

import largesse.product_collections.service as product_collections
from largesse.engine.benefits import ApplicableTo, RuleSet
from largesse.engine.rules import Count
from largesse.engine.rules.typed import KINDS, typed
from largesse.kernel import clock, definitions, ids, settling, wire
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import (
    duplicate_found,
    duplicate_name,
    invalid_payload,
    not_found,
    resource_in_use,
)
from largesse.kernel.http.query import Query, since_and_until
from largesse.kernel.project import Project
from largesse.metadata_schemas.service import types_of
from largesse.validation_rules import items, store
from largesse.validation_rules.definition import (
    bundle_of,
    checked_applicable_to,
    checked_bundle,
    checked_rules,
    conditions_of,
    shown_applicable_to,
)
from largesse.validation_rules.model import (
    Assignment,
    AssignmentAnswer,
    AssignmentInput,
    AssignmentList,
    RuleAnswer,
    RuleInput,
    RuleList,
    StoredRule,
)

ResolveObject = Callable[[Unit, str, str], str]  # (unit, object type, id or code) → id; raises ApiError 404
NoteRules = Callable[
    [Unit, str, list[str]], None
]  # (unit, voucher id, ids of its own rules in order); locks the voucher
_SINGLE = ("voucher", "promotion_tier", "campaign", "earning_rule", "distribution")  # what an event can be about
_ORDERS = {name: store.rules.c[name] for name in ("created_at", "updated_at", "name")}


# What decisions ask


def rule_sets(conn: Connection, project: Project, rule_ids: Collection[str]) -> dict[str, RuleSet]:
    """Rules by id, kept while none of the project's definitions changes; `project` as `current_project` answered."""
    return definitions.load(conn, project, "validation_rule", rule_ids, _compiled, definitions.own)


def _compiled(conn: Connection, project_id: str, rule_ids: list[str]) -> dict[str, RuleSet]:
    types = wire.encode_text(types_of(conn, project_id, KINDS.values()))
    found = (_rule_set(row, types) for row in store.written(conn, project_id, rule_ids))
    return {one.id: one for one in found}


@lru_cache(maxsize=20_000)
def _rule_set(row: tuple[Any, ...], types: str) -> RuleSet:
    """Compiled once for as long as the row stays the same: when one rule changes, the others cost only their reading.

    `types` are those that the project's schemas give to metadata, as JSON.
    """
    rule = store.read(row)
    applicable_to = wire.convert(rule.applicable_to, ApplicableTo)
    if applicable_to == ApplicableTo():
        applicable_to = items.marked(rule.rules)
    return RuleSet(
        id=rule.id,
        name=rule.name,
        applicable_to=applicable_to,
        bundle=bundle_of(rule.bundle_rules),
        conditions=conditions_of(typed(rule.rules, wire.decode_stored(types, dict[str, dict[str, str]]))),
        message=rule.error["message"] if rule.error else None,
        collections=items.collections_of(applicable_to, rule.bundle_rules, rule.rules),
        series=_series_of(rule),
    )


def _series_of(rule: StoredRule) -> str:
    """Under which name what a rule counts is counted."""
    return f"{rule.id}@{rule.counts_since}"


def every(conn: Connection, project: Project) -> dict[str, RuleSet]:
    """All rules of the project, kept like those of `rule_sets`."""

    def load(conn: Connection, project_id: str, _ids: list[str]) -> dict[str, list[str]]:
        return {"*": store.ids(conn, project_id)}

    def follows(_id: str, _made: object) -> Iterable[definitions.Key]:
        return (("validation_rule", definitions.ANY),)

    return rule_sets(conn, project, definitions.load(conn, project, "every validation rule", ["*"], load, follows)["*"])


def objects_of(conn: Connection, project_id: str, object_type: str, rule_ids: Collection[str]) -> set[str]:
    """Ids of the objects of a type that have any of these rules, in one query."""
    return store.objects_of(conn, project_id, object_type, rule_ids) if rule_ids else set()


def rules_of(
    conn: Connection, project: Project, object_type: str, object_ids: Collection[str]
) -> dict[str, tuple[RuleSet, ...]]:
    """The rules of several objects in order of assignment, `()` for an object without any; `project` as for `rule_sets`.

    Assignments of vouchers are asked for anew each time: there are as many as vouchers, and they do not move the project's
    version. A decision that knows a voucher's rules by id asks `rule_sets`.
    """
    if not object_ids:
        return {}

    def assigned(conn: Connection, project_id: str, ids: list[str]) -> dict[str, tuple[Assignment, ...]]:
        found: dict[str, list[Assignment]] = {id: [] for id in ids}
        for one in store.of_objects(conn, project_id, object_type, ids):
            found[one.related_object_id].append(one)
        return {id: tuple(held) for id, held in found.items()}

    def follows(id: str, _made: object) -> Iterable[definitions.Key]:
        return ((object_type, id),)

    if object_type == "voucher":
        by_object = assigned(conn, project.id, list(object_ids))
    else:
        by_object = definitions.load(conn, project, f"rules:{object_type}", object_ids, assigned, follows)
    rules = rule_sets(conn, project, {one.rule_id for held in by_object.values() for one in held})
    return {id: tuple(_held(rules[one.rule_id], one) for one in held) for id, held in by_object.items()}


def _held(rules: RuleSet, held: Assignment) -> RuleSet:
    """A rule as its holder has it: what it counts begins anew with each assignment.

    A voucher knows its rules by their ids alone, and what they count is forgotten whenever they change. Others (rewards) have
    their rules judged only at times, so that what they count is read from history.
    """
    if rules.conditions is None or not rules.conditions.counts or held.related_object_type == "voucher":
        return rules
    series = _series(held, rules.series) if held.related_object_type in ("campaign", "promotion_tier") else ""
    return msgspec.structs.replace(rules, series=series, of_campaign=held.related_object_type == "campaign")


def _series(held: Assignment, series: str) -> str:
    return series if held.related_object_type == "voucher" else f"{held.id}@{series}"


def counting(conn: Connection, project_id: str) -> dict[tuple[str, str], set[str]]:
    """By type and id of what they are assigned to, the series of all rules that count; for verification."""
    found: dict[tuple[str, str], set[str]] = {}
    for rule in store.all_rules(conn, project_id):
        conditions = conditions_of(rule.rules)
        if conditions is not None and conditions.counts:
            series = _series_of(rule)
            for one in store.of_rule(conn, project_id, rule.id):
                key = (one.related_object_type, one.related_object_id)
                found.setdefault(key, set()).add(_series(one, series))
    return found


# What other rooms ask


def assign(unit: Unit, rule_ids: Sequence[str], object_type: str, object_id: str) -> None:
    """Assigns rules to an object that has just been made, in this order; a rule named twice counts once.

    Raises ApiError 404 for an unknown rule. A voucher's own column of rule ids is the caller's to fill.
    """
    wanted = list(dict.fromkeys(rule_ids))
    if not wanted:
        return
    rules = store.by_ids(unit.conn, unit.project_id, wanted)
    for rule_id in wanted:
        if rule_id not in rules:
            raise not_found("validation_rules", rule_id)
    made = [_new_assignment(unit, rule_id, object_type, object_id) for rule_id in wanted]
    store.add_assignments(unit.conn, unit.project_id, made)
    _moved(unit, object_type, [object_id])
    for one in made:
        _record_assignment(unit, "created", rules[one.rule_id], one)


def assignments(
    conn: Connection, project: Project, object_type: str, object_ids: Collection[str]
) -> dict[str, list[AssignmentAnswer]]:
    """The assignments of several objects in order, in one query; an empty list for an object without any."""
    found: dict[str, list[AssignmentAnswer]] = {id: [] for id in object_ids}
    if found:
        for one in store.of_objects(conn, project.id, object_type, list(found)):
            found[one.related_object_id].append(assignment_answer(one))
    return found


def remove_assignments(unit: Unit, object_type: str, object_ids: Collection[str]) -> None:
    """To be called where objects are deleted for good: their assignments go with them."""
    if object_ids and store.remove_of_objects(unit.conn, unit.project_id, object_type, object_ids):
        _moved(unit, object_type, object_ids)


def check_unused(unit: Unit, object_type: str, item_id: str) -> None:
    """Refuses to let go of a product, SKU or collection that a rule names: 400 `resource_in_use` (documented)."""
    if naming := store.naming(unit.conn, unit.project_id, item_id):
        raise resource_in_use(object_type, item_id, "validation_rules", naming)


def _moved(unit: Unit, object_type: str, object_ids: Collection[str]) -> None:
    if object_type != "voucher":
        definitions.changed(unit, *((object_type, id) for id in object_ids))


# Rules


def list_rules(unit: Unit, query: Query) -> RuleList:
    columns = store.rules.c
    conditions = since_and_until(columns.created_at, query)
    page = query.page()
    order = query.order(_ORDERS, "-created_at", columns.id)
    found, total = store.page(unit.conn, unit.project_id, conditions, order, limit=page.limit, offset=page.offset)
    counts = store.counts(unit.conn, unit.project_id, [rule.id for rule in found])
    return RuleList(data=[_answer(rule, counts.get(rule.id, 0)) for rule in found], total=total)


def get(unit: Unit, rule_id: str) -> RuleAnswer:
    """Raises ApiError 404."""
    return _counted(unit, _existing(unit, rule_id))


def create(unit: Unit, sent: RuleInput) -> RuleAnswer:
    """Raises ApiError 400 for a definition that says nothing possible, 409 for a name that is taken (documented)."""
    if sent.name is UNSET:
        raise invalid_payload("Payload should have required property 'name'")
    rule = StoredRule(
        id=ids.text_id("val_", 12), name="", applicable_to=shown_applicable_to(ApplicableTo()), created_at=unit.now
    )
    _take(unit, rule, sent)
    store.add(unit.conn, unit.project_id, rule)
    definitions.changed(unit, ("validation_rule", rule.id))
    shown = _answer(rule, 0)
    _record(unit, "created", shown, "created_at")
    return shown


def update(unit: Unit, rule_id: str, sent: RuleInput) -> RuleAnswer:
    """What is sent replaces whole, null clears; it holds at once wherever the rule is assigned. Raises as `create`, and 404."""
    rule = _existing(unit, rule_id)
    counted_since = rule.counts_since
    _take(unit, rule, sent)
    if rule.counts_since != counted_since:
        settling.begin(unit.conn, unit.project_id)
    rule.updated_at = unit.now
    store.save(unit.conn, unit.project_id, rule)
    definitions.changed(unit, ("validation_rule", rule.id))
    shown = _counted(unit, rule)
    _record(unit, "updated", shown, "updated_at")
    return shown


def _take(unit: Unit, rule: StoredRule, sent: RuleInput) -> None:
    if sent.name is not UNSET and sent.name != rule.name:
        if store.by_name(unit.conn, unit.project_id, sent.name):
            raise duplicate_name("validation_rules", sent.name)
        rule.name = sent.name
    if sent.rules is not UNSET:
        counted = _counts(rule.rules)
        rule.rules = checked_rules(wire.without_nulls(sent.rules or {}))
        if _counts(rule.rules) != counted:
            rule.counts_since = max(unit.now, rule.counts_since + 1)
    if sent.error is not UNSET:
        rule.error = msgspec.to_builtins(sent.error)
    if sent.type is not UNSET:
        rule.type = sent.type or "expression"
    if sent.context_type is not UNSET:
        rule.context_type = sent.context_type or "global"
    _take_items(unit, rule, sent)


def _counts(rules: dict[str, Any]) -> frozenset[Count]:
    conditions = conditions_of(rules)
    return conditions.counts if conditions is not None else frozenset()


def _take_items(unit: Unit, rule: StoredRule, sent: RuleInput) -> None:
    """The parts that name products: each by id and source id where the catalogue knows it. Collections must exist (our decision).

    A collection that does not would exclude nothing, in silence.
    """
    applicable_to, bundle = ApplicableTo(), {}
    if sent.applicable_to is not UNSET:
        applicable_to = checked_applicable_to(wire.without_nulls(sent.applicable_to or {}))
    if sent.bundle_rules is not UNSET:
        bundle = checked_bundle(wire.without_nulls(sent.bundle_rules or {}))
    conditions = rule.rules if sent.rules is not UNSET else {}
    product_collections.check_known(unit, sorted(items.collections_of(applicable_to, bundle, conditions)))
    applicable_to, bundle = items.resolved(unit.conn, unit.project_id, applicable_to, bundle)
    if sent.applicable_to is not UNSET:
        rule.applicable_to = shown_applicable_to(applicable_to)
    if sent.bundle_rules is not UNSET:
        rule.bundle_rules = bundle


def delete(unit: Unit, rule_id: str) -> None:
    """Raises ApiError 404, and 400 `resource_in_use` while the rule is assigned.

    Its silent end would widen a promotion (our decision).
    """
    rule = _existing(unit, rule_id)
    if assigned := store.first_of_rule(unit.conn, unit.project_id, rule.id):
        raise resource_in_use("validation_rules", rule.id, "validation_rules_assignment", assigned)
    store.remove(unit.conn, unit.project_id, rule.id)
    definitions.changed(unit, ("validation_rule", rule.id))
    _record(unit, "deleted", _answer(rule, 0), "deleted_at")


def _existing(unit: Unit, rule_id: str) -> StoredRule:
    rule = store.by_ids(unit.conn, unit.project_id, [rule_id]).get(rule_id)
    if rule is None:
        raise not_found("validation_rules", rule_id)
    return rule


# Assignments


def list_assignments(unit: Unit, query: Query, rule_id: str | None = None) -> AssignmentList:
    """Of one rule (ApiError 404 where it does not exist), or of all as the query asks."""
    columns = store.assignments.c
    conditions = []
    if rule_id is not None:
        conditions.append(columns.rule_id == _existing(unit, rule_id).id)
    else:
        for name, column in (("rule", columns.rule_id), ("related_object_id", columns.related_object_id)):
            if value := query.text(name):
                conditions.append(column == value)
    page = query.page()
    order = query.order({"created_at": columns.created_at}, "-created_at", columns.id)
    found, total = store.assignment_page(
        unit.conn, unit.project_id, conditions, order, limit=page.limit, offset=page.offset
    )
    return AssignmentList(data=[assignment_answer(one) for one in found], total=total)


def create_assignment(
    unit: Unit, rule_id: str, sent: AssignmentInput, resolve: ResolveObject, note: NoteRules, *, force: bool
) -> AssignmentAnswer:
    """Raises ApiError 404 for rule or object, 409 where the rule is assigned already; `force` replaces that assignment."""
    rule = _existing(unit, rule_id)
    if sent.related_object is None:
        raise invalid_payload("Payload should have required property 'related_object_id'")
    object_type, named = sent.related_object
    object_id = resolve(unit, object_type, named)
    for one in store.of_objects(unit.conn, unit.project_id, object_type, [object_id]):
        if one.rule_id != rule.id:
            continue
        if not force:
            raise duplicate_found("validation_rules_assignment", one.id)
        store.remove_assignment(unit.conn, unit.project_id, one.id)
        _record_assignment(unit, "deleted", rule, one)
    made = _new_assignment(unit, rule.id, object_type, object_id)
    store.add_assignments(unit.conn, unit.project_id, [made])
    _tell(unit, made, note)
    if object_type != "voucher" and _counts(rule.rules):  # of a voucher, which is locked, no redemption is under way
        settling.begin(unit.conn, unit.project_id)
    _record_assignment(unit, "created", rule, made)
    return assignment_answer(made)


def delete_assignment(unit: Unit, rule_id: str, assignment_id: str, note: NoteRules) -> None:
    """Raises ApiError 404 for the rule or an assignment that is not of it."""
    rule = _existing(unit, rule_id)
    found = store.assignment(unit.conn, unit.project_id, rule.id, assignment_id)
    if found is None:
        raise not_found("validation_rules_assignment", assignment_id)
    store.remove_assignment(unit.conn, unit.project_id, found.id)
    _tell(unit, found, note)
    _record_assignment(unit, "deleted", rule, found)


def _tell(unit: Unit, changed: Assignment, note: NoteRules) -> None:
    """Decisions learn of a changed assignment: a voucher carries the ids of its rules, all else is kept per version."""
    if changed.related_object_type == "voucher":
        held = store.of_objects(unit.conn, unit.project_id, "voucher", [changed.related_object_id])
        note(unit, changed.related_object_id, [one.rule_id for one in held])
    _moved(unit, changed.related_object_type, [changed.related_object_id])


def _new_assignment(unit: Unit, rule_id: str, object_type: str, object_id: str) -> Assignment:
    return Assignment(
        id=ids.text_id("asgm_", 16),
        rule_id=rule_id,
        related_object_id=object_id,
        related_object_type=object_type,
        created_at=unit.now,
    )


# Shapes


def _counted(unit: Unit, rule: StoredRule) -> RuleAnswer:
    return _answer(rule, store.counts(unit.conn, unit.project_id, [rule.id]).get(rule.id, 0))


def _answer(rule: StoredRule, assignments_count: int) -> RuleAnswer:
    shown = RuleAnswer(
        id=rule.id,
        name=rule.name,
        rules=rule.rules,
        bundle_rules=rule.bundle_rules,
        applicable_to=rule.applicable_to,
        type=rule.type,
        context_type=rule.context_type,
        created_at=clock.iso(rule.created_at),
    )
    if rule.error is not None:
        shown.error = rule.error
    if assignments_count:
        shown.assignments_count = assignments_count
    if rule.updated_at is not None:
        shown.updated_at = clock.iso(rule.updated_at)
    return shown


def assignment_answer(one: Assignment) -> AssignmentAnswer:
    return AssignmentAnswer(**msgspec.structs.asdict(one) | {"created_at": clock.iso(one.created_at)})


def embedded(found: list[AssignmentAnswer]) -> AssignmentList:
    """What vouchers, campaigns and tiers show of their assignments."""
    return AssignmentList(data=found, total=len(found))


# Events


def _record(unit: Unit, what: str, shown: RuleAnswer, moment: str) -> None:
    data = {"rule": msgspec.to_builtins(shown), moment: clock.iso(unit.now)}
    unit.record(f"business_validation_rule.{what}", shown.id, data)


def _record_assignment(unit: Unit, what: str, rule: StoredRule, one: Assignment) -> None:
    data: dict[str, Any] = {
        "rule": msgspec.to_builtins(_answer(rule, 0)),
        "assignment": msgspec.to_builtins(assignment_answer(one)),
    }
    for kind in _SINGLE:
        data[kind] = {"id": one.related_object_id} if kind == one.related_object_type else None
    unit.record(f"business_validation_rule.assignment.{what}", one.id, data)
