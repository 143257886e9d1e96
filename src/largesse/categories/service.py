"""Use cases of categories, and what other rooms ask of them."""

from collections.abc import Callable, Collection
from typing import Any

import msgspec
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import ColumnElement

from largesse.categories import store
from largesse.categories.model import CategoryAnswer, CategoryInput, CategoryList, Name, StoredCategory
from largesse.engine.books import Category
from largesse.kernel import clock, definitions, ids, wire
from largesse.kernel.access.projects import load_project, update_project
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import duplicate_name, not_found, resource_in_use
from largesse.kernel.project import Project

Forget = Callable[[Unit, str], None]  # (unit, category id): a room's references to it become null
_DEFAULT_HIERARCHY = 1
_LISTS = (
    "exclusive_categories",
    "joint_categories",
    "no_effect_skip_categories",
    "no_effect_redeem_anyway_categories",
    "initial_amount_mode_categories",
    "discounted_amount_mode_categories",
    "applicable_redeemables_category_limits",
)


# What other rooms ask


def load(conn: Connection, project: Project, ids: Collection[str]) -> dict[str, Category]:
    """Categories as decisions read them; `project` as `current_project` answered. Unknown ids are absent."""
    return definitions.load(conn, project, "category", ids, _compiled, definitions.own)


def _compiled(conn: Connection, project_id: str, ids: list[str]) -> dict[str, Category]:
    return {id: Category(id, c.name, c.hierarchy) for id, c in store.by_ids(conn, project_id, ids).items()}


def answers(conn: Connection, project: Project, ids: Collection[str]) -> dict[str, CategoryAnswer]:
    """The categories that exist under `ids` as answers show them, in one query."""
    if not ids:
        return {}
    return {id: answer(category) for id, category in store.by_ids(conn, project.id, ids).items()}


def name_of(project_id: ColumnElement[str], category_id: ColumnElement[str]) -> ColumnElement[str]:
    """The name of the category that a row of another table carries, for its filters; NULL where it has none."""
    return store.name_of(project_id, category_id)


def resolve(unit: Unit, category_id: str | None, name: str | None) -> str | None:
    """The id of the category a request names; the id wins over the name, and neither is none.

    An unknown name makes a category of hierarchy 1 (our decision). Raises ApiError 404 for an unknown id.
    """
    if category_id is not None:
        return _existing(unit, category_id).id
    if name is None:
        return None
    wire.convert(name, Name, ".category")
    found = store.by_name(unit.conn, unit.project_id, name)
    return found.id if found else _added(unit, name, _DEFAULT_HIERARCHY).id


def find(unit: Unit, key: str) -> StoredCategory | None:
    """A category by its id, else by its name."""
    return store.by_ids(unit.conn, unit.project_id, [key]).get(key) or store.by_name(unit.conn, unit.project_id, key)


# The resource


def list_categories(unit: Unit) -> CategoryList:
    found = store.newest_first(unit.conn, unit.project_id)
    return CategoryList(data=[answer(category) for category in found], total=len(found))


def get(unit: Unit, category_id: str) -> CategoryAnswer:
    """Raises ApiError 404."""
    return answer(_existing(unit, category_id))


def create(unit: Unit, sent: CategoryInput) -> CategoryAnswer:
    """Raises ApiError 409 for a name that is taken (our decision)."""
    if store.by_name(unit.conn, unit.project_id, sent.name):
        raise duplicate_name("category", sent.name)
    return answer(_added(unit, sent.name, sent.hierarchy))


def _added(unit: Unit, name: str, hierarchy: int) -> StoredCategory:
    made = StoredCategory(id=ids.hex_id("cat_"), name=name, hierarchy=hierarchy, created_at=unit.now)
    store.add(unit.conn, unit.project_id, made)
    definitions.changed(unit, ("category", made.id))
    return made


def update(unit: Unit, category_id: str, sent: CategoryInput) -> CategoryAnswer:
    """A new name shows everywhere at once. Raises ApiError 404, or 409 for a name that is taken."""
    category = _existing(unit, category_id)
    namesake = store.by_name(unit.conn, unit.project_id, sent.name)
    if namesake is not None and namesake.id != category.id:
        raise duplicate_name("category", sent.name)
    changed = msgspec.structs.replace(category, name=sent.name, hierarchy=sent.hierarchy, updated_at=unit.now)
    store.save(unit.conn, unit.project_id, changed)
    definitions.changed(unit, ("category", category.id))
    return answer(changed)


def delete(unit: Unit, category_id: str, forget: Forget, *, remove_from_stacking_rules: bool) -> None:
    """Deletes a category; what referred to it has none afterwards.

    Raises ApiError 404, and 400 `resource_in_use` while the project's stacking rules list it, unless it may be taken out of them.
    """
    category = _existing(unit, category_id)
    rules = msgspec.to_builtins(load_project(unit.conn, unit.project_id).settings.stacking_rules)
    listed = {name: rules[name] for name in _LISTS if category.id in rules[name]}
    if listed and not remove_from_stacking_rules:
        how = f" ({', '.join(listed)}); remove_from_stacking_rules=true takes it out of them"
        raise resource_in_use("category", category.id, "stacking_rules", [], how)
    forget(unit, category.id)
    store.remove(unit.conn, unit.project_id, category.id)
    if listed:
        changes = {name: _without(value, category.id) for name, value in listed.items()}
        update_project(unit.conn, unit.project_id, {"stacking_rules": changes})
    definitions.changed(unit, ("category", category.id))


def _without(listed: list[str] | dict[str, Any], category_id: str) -> list[str] | dict[str, Any]:
    if isinstance(listed, dict):
        return {id: limit for id, limit in listed.items() if id != category_id}
    return [id for id in listed if id != category_id]


def _existing(unit: Unit, category_id: str) -> StoredCategory:
    found = store.by_ids(unit.conn, unit.project_id, [category_id]).get(category_id)
    if found is None:
        raise not_found("category", category_id)
    return found


def answer(category: StoredCategory) -> CategoryAnswer:
    shown = CategoryAnswer(
        id=category.id,
        name=category.name,
        hierarchy=category.hierarchy,
        created_at=clock.iso(category.created_at),
    )
    if category.updated_at is not None:
        shown.updated_at = clock.iso(category.updated_at)
    return shown
