"""Projects: creating, changing, and reading the settings that decisions use."""

import secrets
from collections.abc import Collection
from typing import Any

import msgspec
from sqlalchemy import Row, bindparam, insert, select, update
from sqlalchemy.engine import Connection

from largesse.engine.stacking import StackingRules
from largesse.kernel import ids, settling, wire
from largesse.kernel.access.tables import projects
from largesse.kernel.database import trips
from largesse.kernel.errors import ApiError, invalid_payload, not_found
from largesse.kernel.project import Project, ProjectSettings, zone

_VERSION = "SELECT version FROM projects WHERE project_id = ?"
_VERSION_ASKED = select(projects.c.version).where(projects.c.project_id == bindparam("project"))
_ALL = select(
    projects.c.project_id,
    projects.c.version,
    projects.c.created_at,
    projects.c.secret,
    projects.c.settings,
    projects.c.described,
)

# Stacking rules: limits that another option bounds, and lists that may not share a category (documented; the last our decision).
_AT_MOST = (
    ("applicable_redeemables_limit", "redeemables_limit"),
    ("applicable_redeemables_per_category_limit", "applicable_redeemables_limit"),
    ("applicable_exclusive_redeemables_per_category_limit", "applicable_exclusive_redeemables_limit"),
)
_DISJOINT = (
    ("exclusive_categories", "joint_categories"),
    ("no_effect_skip_categories", "no_effect_redeem_anyway_categories"),
    ("initial_amount_mode_categories", "discounted_amount_mode_categories"),
)


def create_project(conn: Connection, settings: ProjectSettings, now: int) -> Project:
    """A new project. Raises ApiError 400 for an unknown time zone."""
    _check(settings)
    project = Project(
        id=ids.text_id("proj_", 10), version=1, created_at=now, settings=settings, secret=secrets.token_hex(32)
    )
    conn.execute(
        insert(projects).values(
            project_id=project.id,
            version=1,
            created_at=now,
            secret=project.secret,
            settings=msgspec.to_builtins(settings),
        )
    )
    return project


def load_project(conn: Connection, project_id: str) -> Project:
    """Raises ApiError 404."""
    row = conn.execute(_ALL.where(projects.c.project_id == project_id)).first()
    if row is None:
        raise not_found("project", project_id)
    return _project(row)


def list_projects(conn: Connection) -> list[Project]:
    """Every project, oldest first."""
    return [_project(row) for row in conn.execute(_ALL.order_by(projects.c.created_at, projects.c.project_id))]


def current_project(conn: Connection, project: Project) -> Project:
    """The project with the settings in force now: itself while its version is, else loaded again."""
    return first_look(conn, project)[0]


def first_look(conn: Connection, project: Project, *questions: trips.Question) -> tuple[Project, list[trips.Rows]]:
    """The same, with what `questions` find for the price of one. On SQLite they are not asked: asking later costs no more."""
    if conn.dialect.name == "postgresql":
        versions, *found = trips.ask(conn, trips.Question(_VERSION_ASKED, {"project": project.id}), *questions)
        version = versions[0][0] if versions else None
    else:
        version, found = conn.exec_driver_sql(_VERSION, (project.id,)).scalar(), []
    return (project if version == project.version else load_project(conn, project.id)), found


def describe(conn: Connection, project_id: str, kinds: Collection[str]) -> None:
    """Notes for which kinds of objects the project has metadata schemas; the caller moves the version."""
    mine = projects.c.project_id == project_id
    conn.execute(update(projects).where(mine).values(described=sorted(kinds)))


def update_project(conn: Connection, project_id: str, changes: dict[str, Any]) -> Project:
    """Lays `changes` (nested for stacking_rules) over the settings. Raises ApiError 400, naming what is unknown or impossible."""
    # Locked, because every change of a definition moves the version too: two of them must never make one and the same.
    row = conn.execute(_ALL.where(projects.c.project_id == project_id).with_for_update()).first()
    if row is None:
        raise not_found("project", project_id)
    project = _project(row)
    values = _laid_over(msgspec.to_builtins(project.settings), changes, "")
    settings = wire.convert(values, ProjectSettings)
    _check(settings)
    if settings.case_sensitive_codes != project.settings.case_sensitive_codes:
        raise invalid_payload("Property .case_sensitive_codes is fixed when a project is created")
    if (settings.timezone, settings.first_weekday) != (project.settings.timezone, project.settings.first_weekday):
        settling.begin(conn, project_id)
    version = project.version + 1
    conn.execute(
        update(projects)
        .where(projects.c.project_id == project_id)
        .values(version=version, settings=msgspec.to_builtins(settings))
    )
    return msgspec.structs.replace(project, version=version, settings=settings)


def _laid_over(values: dict[str, Any], changes: dict[str, Any], place: str) -> dict[str, Any]:
    laid = dict(values)
    for name, value in changes.items():
        if name not in values:
            raise invalid_payload(f"Property {place}.{name} is unknown; known are {', '.join(values)}")
        nested = name == "stacking_rules" and isinstance(value, dict)
        laid[name] = _laid_over(values[name], value, f"{place}.{name}") if nested else value
    return laid


def _check(settings: ProjectSettings) -> None:
    try:
        zone(settings.timezone)
    except ValueError:
        raise invalid_payload("Property .timezone should be an IANA zone such as Europe/Berlin, or GMT+2") from None
    _check_stacking(settings.stacking_rules)


def _check_stacking(rules: StackingRules) -> None:
    for name, bound in _AT_MOST:
        limit, most = getattr(rules, name), getattr(rules, bound)
        if limit is not None and limit > most:
            raise invalid_payload(f"Property .{name} cannot be higher than {bound}")
    for one, other in _DISJOINT:
        if set(getattr(rules, one)) & set(getattr(rules, other)):
            raise invalid_payload(f"A category cannot be in {one} and {other}")


def _project(row: Row[Any, Any, Any, Any, Any, Any]) -> Project:
    id, version, created_at, secret, settings, described = row
    try:
        found = wire.convert(settings, ProjectSettings)
    except ApiError as error:  # written by a newer version or by hand
        raise RuntimeError(f"The settings of project {id} cannot be read: {error}") from error
    return Project(
        id=id,
        version=version,
        created_at=created_at,
        settings=found,
        secret=secret,
        described=frozenset(described or ()),
    )
