"""The command line: everything an operator does outside the API."""

import json
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import cyclopts
from cyclopts import App, Parameter

from largesse import __version__
from largesse.kernel.settings import Settings, SettingsError, load_settings

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

app = App(name="largesse", help="Promotions: redeem exactly once, undo exactly.", version=__version__)
project_app = App(name="project", help="Create, list and change projects.")
keys_app = App(name="keys", help="Create, list and revoke credentials.")
app.command(project_app)
app.command(keys_app)

Json = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON.")]
Management = Annotated[bool, Parameter(negative="", help="Keys of the management API.")]
Database = Annotated[str | None, Parameter(name="--database", help="Address of the store; LARGESSE_DATABASE_URL.")]


def main(arguments: list[str] | None = None) -> None:
    """Runs a command, by default that of the command line. What an operator can mend is one line on standard error and status 2."""
    try:
        app(arguments)
    except (SettingsError, cyclopts.CycloptsError, ValueError, OSError) as error:
        print(f"largesse: {error}", file=sys.stderr)
        sys.exit(2)
    except Exception as error:
        from sqlalchemy.exc import DBAPIError

        from largesse.kernel.errors import ApiError

        if isinstance(error, ApiError):
            print(f"largesse: {error}", file=sys.stderr)
        elif isinstance(error, DBAPIError):
            print(f"largesse: the store refused: {str(error.orig).strip()}", file=sys.stderr)
        else:
            raise
        sys.exit(2)


# The server


@app.command
def serve(
    *, host: str | None = None, port: int | None = None, database: Database = None, workers: int | None = None
) -> None:
    """Run the server."""
    from largesse.server import serve as run

    settings = load_settings(host=host, port=port, database_url=database, workers=workers)
    _prepare(settings)
    run(settings)


@app.command
def worker(*, database: Database = None) -> None:
    """Do background jobs without serving; beside servers that have LARGESSE_RUN_JOBS=false, or to help them."""
    from largesse.app import CHORES, KINDS, REACTIONS
    from largesse.server import work

    settings = load_settings(database_url=database)
    _prepare(settings)
    work(settings, KINDS, CHORES, REACTIONS)


def _prepare(settings: Settings) -> None:
    from largesse.kernel.database import migrations

    if settings.embedded:
        migrations.upgrade(settings)
    else:
        migrations.require_current(settings)


@app.command
def demo(*, database: Database = None) -> None:
    """Fill a store with demo data and print commands to try."""
    from largesse.demo import create_demo

    settings = load_settings(database_url=database)
    with _connection(settings) as conn:
        print(create_demo(conn, settings))


@app.command
def migrate(*, database: Database = None) -> None:
    """Bring the store's schema up to date; doing it again changes nothing."""
    from largesse.kernel.database import migrations

    before, after = migrations.upgrade(load_settings(database_url=database))
    print(f"The schema is {after}." if before == after else f"The schema went from {before or 'nothing'} to {after}.")


@app.command
def verify(*, chain: bool = False, noted: str | None = None, database: Database = None) -> None:
    """Recompute every counter and balance from the postings; exit status 1 if any differs.

    Parameters
    ----------
    chain
        Also recompute the seals over the postings, which find a posting that was changed or removed, and print the newest ones.
    noted
        With `--chain`: a newest seal printed earlier, as PROJECT:SEAL:DIGEST, that must still be there.
    """
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from largesse import verification

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    settings = load_settings(database_url=database)
    progress = Progress(*columns, console=Console(stderr=True), transient=True)
    with _connection(settings, snapshot=True) as conn, progress:
        task = progress.add_task("Verifying")
        drifts = verification.run(conn, lambda project: progress.update(task, description=f"Verifying {project}"))
        checked = verification.chains(conn, noted) if chain else {}
    for drift in drifts:
        print(f"{drift.project_id} {drift.subject}: {drift.name} is {drift.stored}, the ledger says {drift.expected}")
    flaws = [flaw for found in checked.values() for flaw in found.flaws]
    for flaw in flaws:
        print(f"{flaw.project_id} {flaw.subject}: {flaw.problem}")
    if drifts or flaws:
        sys.exit(1)
    print("Every counter and balance equals the sum of its postings.")
    for project_id, found in checked.items():
        newest = (
            f"{project_id}:{found.newest} is the newest of {found.seals} seals"
            if found.seals
            else f"{project_id} has no seals"
        )
        print(f"{newest} over {found.postings} postings")


@app.command
def backup(file: Path, *, database: Database = None) -> None:
    """Copy the embedded store to FILE while it is in use."""
    from rich.console import Console
    from rich.progress import Progress

    settings = load_settings(database_url=database)
    if not settings.embedded:
        raise SettingsError("Only the embedded store is copied by this command; use pg_dump for PostgreSQL.")
    if file.exists():
        raise SettingsError(f"{file} exists already; name a new file.")
    path = _existing_file(settings)
    unfinished = file.with_name(f"{file.name}.part")
    unfinished.unlink(missing_ok=True)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("Copying")
        _copy(path, unfinished, lambda done, total: progress.update(task, total=total, completed=done))
    unfinished.rename(file)
    print(f"Copied {path} to {file}.")


def _copy(path: Path, target_path: Path, on_progress: Callable[[int, int], None]) -> None:
    """Copies one moment of a store that is in use, and makes sure it is on the disk."""
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(target_path)) as target:
        source.execute("BEGIN")
        # Reading fixes the moment; without it every write of the server would start the copy anew, for ever.
        source.execute("SELECT count(*) FROM sqlite_master").fetchone()
        source.backup(target, pages=4096, progress=lambda _status, left, total: on_progress(total - left, total))
        # One file, complete by itself; it is a store in use again when a server opens it.
        target.execute("PRAGMA journal_mode=DELETE")


# Projects


@project_app.command(name="create")
def project_create(
    name: str,
    *,
    timezone: str = "UTC",
    currency: str = "USD",
    case_insensitive_codes: Annotated[bool, Parameter(negative="")] = False,
    client_origin: list[str] | None = None,
    client_redeem: Annotated[bool, Parameter(negative="")] = False,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Create a project with a server and a client key pair; the tokens are shown only now."""
    from largesse.kernel import clock
    from largesse.kernel.access import keys, projects
    from largesse.kernel.project import ProjectSettings

    if not name.strip():
        raise SettingsError("A project needs a name")
    wanted = ProjectSettings(
        name=name,
        timezone=timezone,
        currency=currency,
        case_sensitive_codes=not case_insensitive_codes,
        client_trusted_domains=client_origin or [],
        client_redeem_enabled=client_redeem,
    )
    with _connection(load_settings(database_url=database)) as conn:
        now = clock.now_micros()
        project = projects.create_project(conn, wanted, now)
        app_id, app_token = keys.create_key(conn, project.id, now, name="Primary")
        client_id, client_token = keys.create_key(conn, project.id, now, kind="client", name="Client side")
    shown = {
        "project_id": project.id,
        "app_id": app_id,
        "app_token": app_token,
        "client_app_id": client_id,
        "client_token": client_token,
    }
    _print(shown, as_json)


@project_app.command(name="list")
def project_list(*, as_json: Json = False, database: Database = None) -> None:
    """List all projects."""
    from largesse.kernel import clock
    from largesse.kernel.access import projects

    with _connection(load_settings(database_url=database), snapshot=True) as conn:
        found = [
            {
                "project_id": p.id,
                "name": p.settings.name,
                "timezone": p.settings.timezone,
                "created_at": clock.iso(p.created_at),
            }
            for p in projects.list_projects(conn)
        ]
    _print_list(found, as_json)


@project_app.command(name="update")
def project_update(
    project_id: str,
    *,
    set_: Annotated[list[str], Parameter(name="--set", help="name=value, the value in JSON or plain text.")],
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Change settings, such as timezone=Europe/Berlin or stacking_rules.redeemables_application_mode=PARTIAL."""
    import msgspec

    from largesse.kernel.access import projects

    with _connection(load_settings(database_url=database)) as conn:
        project = projects.update_project(conn, project_id, _changes(set_))
    _print(msgspec.to_builtins(project.settings), as_json)


def _changes(texts: list[str]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator:
            raise SettingsError(f"--set takes name=value, not {text!r}")
        try:
            decoded = json.loads(value)
        except ValueError:
            decoded = value
        group, _, option = name.partition(".")
        if option:
            changes.setdefault(group, {})[option] = decoded
        else:
            changes[group] = decoded
    return changes


# Keys


@keys_app.command(name="create")
def keys_create(
    project_id: str | None = None,
    *,
    client: Annotated[bool, Parameter(negative="")] = False,
    management: Management = False,
    name: str = "",
    role: Literal["ADMIN", "USER", "VIEWER", "MERCHANT", "USER_RESTRICTED"] = "ADMIN",
    scope: list[str] | None = None,
    ip: list[str] | None = None,
    expires: str | None = None,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Create a key pair; the token is shown only now. --scope, --ip (address or network) and --expires (ISO date) narrow it.

    --management makes one for the management API of all projects; it takes a --name only.
    """
    from largesse.kernel import clock
    from largesse.kernel.access import keys, projects
    from largesse.kernel.access.management import create_management_key
    from largesse.kernel.access.scopes import ALL_SCOPES

    _one_owner(project_id, management)
    if management:
        if client or scope or ip or expires or role != "ADMIN":
            raise SettingsError("A management key opens the whole management API: only --name goes with --management")
        with _connection(load_settings(database_url=database)) as conn:
            id, token = create_management_key(conn, clock.now_micros(), name)
        _print({"management_id": id, "management_token": token}, as_json)
        return
    assert project_id is not None
    if unknown := sorted(set(scope or ()) - ALL_SCOPES):
        raise SettingsError(f"Unknown scope {unknown[0]}; known are {', '.join(sorted(ALL_SCOPES))}")
    now = clock.now_micros()
    expires_at = _future(expires, now) if expires else None
    with _connection(load_settings(database_url=database)) as conn:
        project = projects.load_project(conn, project_id)
        app_id, app_token = keys.create_key(
            conn,
            project.id,
            now,
            kind="client" if client else "server",
            name=name,
            role=role,
            scopes=scope,
            ip_allow_list=ip,
            expires_at=expires_at,
        )
    _print({"project_id": project_id, "app_id": app_id, "app_token": app_token}, as_json)


def _one_owner(project_id: str | None, management: bool) -> None:
    if (project_id is None) != management:
        raise SettingsError("Name a project, or give --management for keys that are of none")


def _future(text: str, now: int) -> int:
    from largesse.kernel import clock

    try:
        instant = clock.parse_iso(text)
    except ValueError:
        raise SettingsError(f"--expires takes a date such as 2030-12-31T23:59:59Z, not {text!r}") from None
    if instant <= now:
        raise SettingsError(f"--expires takes a date to come; {text} is past")
    return instant


@keys_app.command(name="list")
def keys_list(
    project_id: str | None = None, *, management: Management = False, as_json: Json = False, database: Database = None
) -> None:
    """List the keys of a project, or those of the management API, without their tokens."""
    from largesse.kernel import clock
    from largesse.kernel.access import keys, projects
    from largesse.kernel.access.management import list_management_keys

    _one_owner(project_id, management)
    if project_id is None:
        with _connection(load_settings(database_url=database), snapshot=True) as conn:
            known = [
                {
                    "management_id": key.id,
                    "name": key.name,
                    "last_four": key.last_four,
                    "created_at": clock.iso(key.created_at),
                    "revoked_at": clock.iso_or_none(key.revoked_at),
                }
                for key in list_management_keys(conn)
            ]
        _print_list(known, as_json)
        return
    with _connection(load_settings(database_url=database), snapshot=True) as conn:
        projects.load_project(conn, project_id)
        found = [
            {
                "app_id": key.id,
                "kind": key.kind,
                "name": key.name,
                "role": key.role,
                "last_four": key.last_four,
                "created_at": clock.iso(key.created_at),
                "expires_at": clock.iso_or_none(key.expires_at),
                "revoked_at": clock.iso_or_none(key.revoked_at),
            }
            for key in keys.list_keys(conn, project_id)
        ]
    _print_list(found, as_json)


@keys_app.command(name="revoke")
def keys_revoke(key_id: str, *, database: Database = None) -> None:
    """End a key of any kind and its tokens; running servers notice within 5 seconds."""
    from largesse.kernel import clock
    from largesse.kernel.access import keys
    from largesse.kernel.access.management import find_management_key, revoke_management_key

    with _connection(load_settings(database_url=database)) as conn:
        if find_management_key(conn, key_id) is not None:
            revoke_management_key(conn, key_id, clock.now_micros())
        else:
            keys.revoke_key(conn, key_id, clock.now_micros())
    print(f"Revoked {key_id}.")


# Shared


@contextmanager
def _connection(settings: Settings, *, snapshot: bool = False) -> "Iterator[Connection]":
    """A transaction on the store, its schema up to date; the embedded one is made where there is none.

    With `snapshot` it only reads, sees the store as of one moment whatever is written meanwhile, holds no writer up, and makes
    or changes nothing: a store that is missing or outdated is refused.
    """
    from largesse.kernel.database import migrations
    from largesse.kernel.database.stores import open_reader, open_writer

    if snapshot and settings.embedded:
        _existing_file(settings)
    if settings.embedded and not snapshot:
        migrations.upgrade(settings)
    else:
        migrations.require_current(settings)
    engine = open_writer(settings)
    if snapshot:
        # SQLite's readers are snapshots by themselves; PostgreSQL's read without a transaction.
        repeatable = engine.execution_options(isolation_level="REPEATABLE READ")
        engine = open_reader(settings, engine) if settings.embedded else repeatable
    try:
        with engine.begin() as conn:
            yield conn
    finally:
        engine.dispose()


def _existing_file(settings: Settings) -> Path:
    """Where the embedded store is. Raises SettingsError when it is not, so that a mistyped name is not an empty store."""
    from largesse.kernel.database.stores import store_url

    path = Path(str(store_url(settings.database_url).database))
    if not path.exists():
        raise SettingsError(f"There is no store at {path}.")
    return path


def _print(values: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(values))
        return
    width = max(map(len, values))
    for name, value in values.items():
        print(f"{name.ljust(width)}  {value if isinstance(value, str) else json.dumps(value)}")


def _print_list(values: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print(json.dumps(values))
        return
    for place, value in enumerate(values):
        if place:
            print()
        _print(value, False)
