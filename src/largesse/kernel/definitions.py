"""Definitions that decisions read (campaigns, tiers, rules, categories): compiled once, kept until one of the project's changes.

Every change of a definition moves the project's version in its own transaction; the first query of each batch reads that
version. What is kept is only what was asked for, so thousands of definitions cost nothing to a decision that needs one.

A change says what it changed, and notes that beside the version in the event log. Whoever finds the version moved drops only
what the notes name and what follows it; where a version has no note, everything. Kinds that do not say what they follow are
dropped with every change.
"""

import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Generic, TypeAlias, TypeVar

import msgspec
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.engine import Connection

from largesse.kernel.access.projects import current_project
from largesse.kernel.access.tables import projects
from largesse.kernel.database.unit import Unit
from largesse.kernel.events import events
from largesse.kernel.project import Project

V = TypeVar("V")
Key: TypeAlias = tuple[str, str]  # (kind, id)
Loader = Callable[[Connection, str, list[str]], Mapping[str, V]]  # (connection, project id, ids) → what exists of them
Follows = Callable[[str, V | None], Iterable[Key]]  # (id, its value) → what else that was made of

ANY = "*"  # stands in keys for every definition of a kind
_MOST_KEPT = 50_000  # of one kind and project; beyond it the oldest knowledge is dropped whole
_MOST_NOTES = 500  # versions that are followed one by one
_BUMP = (
    update(projects)
    .where(projects.c.project_id == bindparam("project"))
    .values(version=projects.c.version + 1)
    .returning(projects.c.version)
)
_CHANGED = "definitions.changed"  # of nobody's activity: it names no customer, and is no event of the API
_NOTE = insert(events)
_NOTES = select(events.c.data).where(
    events.c.project_id == bindparam("project"),
    events.c.id > bindparam("behind"),
    events.c.id <= bindparam("last"),
)


class _Whole(msgspec.Struct):
    """One value made of many definitions, and what of them changed since."""

    value: Any
    changed: frozenset[Key] = frozenset()


class _Kept:
    """What is kept of one project as of one version; `undeclared` are the kinds that do not say what they follow."""

    def __init__(self, version: int) -> None:
        self.version = version
        self.kinds: dict[str, dict[str, Any]] = {}
        self.undeclared: set[str] = set()
        self.followers: dict[Key, set[Key]] = {}
        self.wholes: dict[str, _Whole] = {}

    def move(self, version: int, changed: Iterable[Key]) -> None:
        """To a later version, before which these changed: they and all that follows them are dropped."""
        self.version = version
        for kind in self.undeclared:
            self.kinds.pop(kind, None)
        waiting = [*changed, *((kind, ANY) for kind in {kind for kind, _ in changed})]
        dropped: set[Key] = set()
        while waiting:
            key = waiting.pop()
            if key not in dropped:
                dropped.add(key)
                self.kinds.get(key[0], {}).pop(key[1], None)
                waiting += self.followers.pop(key, ())
        for whole in self.wholes.values():
            whole.changed |= dropped


_kept: dict[str, _Kept] = {}  # by project id
_lock = threading.Lock()


def changed(unit: Unit, *keys: Key) -> None:
    """To be called by every write of a definition, in its transaction: decisions after the commit load anew.

    `keys` are what was made, changed or removed; without any, everything is looked at anew.
    """
    version = unit.conn.execute(_BUMP, {"project": unit.project_id}).scalar()
    unit.changes_definitions = True
    if keys and version is not None:
        unit.conn.execute(
            _NOTE,
            {
                "project_id": unit.project_id,
                "id": _note_id(version),
                "type": _CHANGED,
                "entity_id": str(version),
                "group_id": unit.call.request_id,
                "source": {},
                "data": {"keys": sorted(set(keys))},
                "created_at": unit.now,
            },
        )


def _note_id(version: int) -> str:
    """In order of versions, in a family of their own among the ids of events."""
    return f"evdef_{version:018x}"


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


def own(_id: str, _value: object) -> Iterable[Key]:
    """What is made of nothing but the definition under its own kind and id."""
    return ()


def load(
    conn: Connection,
    project: Project,
    kind: str,
    ids: Collection[str],
    loader: Loader[V],
    follows: Follows[V] | None = None,
) -> dict[str, V]:
    """The definitions of `kind` that exist under `ids`; one query for those not kept yet, none when all are.

    `project` must be as `current_project` answered in this transaction. Values are shared between requests: never change one.
    `follows` says what a value was made of beside the definition under its own kind and id; it is asked after `loader`.
    """
    if not ids:
        return {}
    kept = _of(conn, project)
    with _lock:
        held = kept.kinds.get(kind, {}) if kept.version == project.version else {}
        found: dict[str, V | None] = {id: held[id] for id in ids if id in held}
    missing = [id for id in ids if id not in found]
    if missing:
        loaded = loader(conn, project.id, missing)
        new = {id: loaded.get(id) for id in missing}
        followed = [((kind, id), follows(id, made)) for id, made in new.items()] if follows is not None else ()
        found |= new
        with _lock:
            if kept.version == project.version:
                _add(kept, kind, new, followed, is_declared=follows is not None)
    return {id: value for id in ids if (value := found[id]) is not None}


def _add(
    kept: _Kept,
    kind: str,
    new: Mapping[str, Any],
    followed: Iterable[tuple[Key, Iterable[Key]]],
    *,
    is_declared: bool,
) -> None:
    held = kept.kinds.setdefault(kind, {})
    if len(held) + len(new) > _MOST_KEPT:
        held.clear()
    held.update(new)
    if not is_declared:
        kept.undeclared.add(kind)
    for key, leaders in followed:
        for leader in leaders:
            kept.followers.setdefault(leader, set()).add(key)


class Whole(Generic[V]):
    """How one value is made of many definitions: `build` from all of them, `adapt` from an earlier one and what changed since.

    What changed are keys of definitions and of all kept values that followed them. Values are shared: `adapt` makes a new one.
    Whatever `build` reads by `load` must say what it follows.
    """

    def __init__(self, kind: str, build: Callable[[], V], adapt: Callable[[V, Collection[Key]], V]) -> None:
        self.kind = kind
        self.build = build
        self.adapt = adapt


def whole(conn: Connection, project: Project, made: Whole[V]) -> V:
    """The value as of the project's version; `project` must be as `current_project` answered in this transaction."""
    kept = _of(conn, project)
    with _lock:
        held = kept.wholes.get(made.kind) if kept.version == project.version else None
        before: Any = held.value if held is not None else None
        changed = held.changed if held is not None else frozenset()
    value: V = before
    if held is None:
        value = made.build()
    elif changed:
        value = made.adapt(before, changed)
    with _lock:
        if kept.version == project.version:
            kept.wholes[made.kind] = _Whole(value)
    return value


def _of(conn: Connection, project: Project) -> _Kept:
    """What is kept as of the project's version."""
    while True:
        with _lock:
            kept = _kept.get(project.id)
            version = kept.version if kept is not None else 0
        if version == project.version and kept is not None:
            return kept
        if version >= project.version:  # a slower transaction with an older view: it must not spoil what is kept
            return _Kept(-1)
        noted = _noted(conn, project.id, version, project.version) if kept is not None else None
        with _lock:
            if _kept.get(project.id) is not kept or (kept is not None and kept.version != version):
                continue  # somebody else was faster
            if kept is None or noted is None:
                kept = _kept[project.id] = _Kept(project.version)
            else:
                kept.move(project.version, noted)
            return kept


def _noted(conn: Connection, project_id: str, behind: int, last: int) -> set[Key] | None:
    """What changed with the versions after `behind` up to `last`; None where that was not noted of each of them."""
    if last - behind > _MOST_NOTES:
        return None
    arguments = {"project": project_id, "behind": _note_id(behind), "last": _note_id(last)}
    notes = conn.execute(_NOTES, arguments).scalars().all()
    if len(notes) < last - behind:
        return None
    return {(kind, id) for note in notes for kind, id in note["keys"]}
