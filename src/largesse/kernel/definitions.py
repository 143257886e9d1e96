"""Definitions that decisions read (campaigns, tiers, rules, categories): compiled once, kept until one of the project's changes.

Every change of a definition moves the project's version in its own transaction; the first query of each batch reads that
version. What is kept is only what was asked for, so thousands of definitions cost nothing to a decision that needs one.
"""

import threading
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

import msgspec
from sqlalchemy import bindparam, update
from sqlalchemy.engine import Connection

from largesse.kernel.access.projects import current_project
from largesse.kernel.access.tables import projects
from largesse.kernel.database.unit import Unit
from largesse.kernel.project import Project

V = TypeVar("V")
Loader = Callable[[Connection, str, list[str]], Mapping[str, V]]  # (connection, project id, ids) → what exists of them

_MOST_KEPT = 50_000  # of one kind and project; beyond it the oldest knowledge is dropped whole
_BUMP = update(projects).where(projects.c.project_id == bindparam("project")).values(version=projects.c.version + 1)
_kept: dict[str, tuple[int, dict[str, dict[str, Any]]]] = {}  # project id → (version, kind → id → value or None)
_lock = threading.Lock()


def changed(unit: Unit) -> None:
    """To be called by every write of a definition, in its transaction: decisions after the commit load anew."""
    unit.conn.execute(_BUMP, {"project": unit.project_id})
    unit.changes_definitions = True


def current(unit: Unit) -> Project:
    """The unit's project as its transaction sees it, read at most once: what `load` wants where the unit's own may be seconds old.

    To a transaction that changes definitions itself it has no version, so that nothing is kept that may yet be undone.
    """
    if not unit.is_current:
        unit.call = msgspec.structs.replace(unit.call, project=current_project(unit.conn, unit.project))
        unit.is_current = True
    return msgspec.structs.replace(unit.project, version=0) if unit.changes_definitions else unit.project


def after_locks(unit: Unit) -> Project:
    """The same once the transaction has waited for locks, whose holders may have changed definitions meanwhile.

    Nobody has where the store has one writer.
    """
    project = current(unit)
    if unit.changes_definitions or unit.conn.dialect.name == "sqlite":
        return project
    return current_project(unit.conn, project)


def load(conn: Connection, project: Project, kind: str, ids: Collection[str], loader: Loader[V]) -> dict[str, V]:
    """The definitions of `kind` that exist under `ids`; one query for those not kept yet, none when all are.

    `project` must be as `current_project` answered in this transaction. Values are shared between requests: never change one.
    """
    if not ids:
        return {}
    kept = _of(project, kind)
    missing = [id for id in ids if id not in kept]
    if missing:
        loaded = loader(conn, project.id, missing)
        with _lock:
            if len(kept) + len(missing) > _MOST_KEPT:
                kept.clear()
            kept.update({id: loaded.get(id) for id in missing})
            found = {id: loaded[id] if id in loaded else kept.get(id) for id in ids}
    else:
        found = {id: kept.get(id) for id in ids}
    return {id: value for id, value in found.items() if value is not None}


def _of(project: Project, kind: str) -> dict[str, Any]:
    with _lock:
        version, kinds = _kept.get(project.id, (0, {}))
        if version < project.version:
            kinds = {}
            _kept[project.id] = (project.version, kinds)
        elif version > project.version:  # a slower transaction with an older view: it must not spoil what is kept
            return {}
        return kinds.setdefault(kind, {})
