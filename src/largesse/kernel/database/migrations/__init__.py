"""Bringing a store to the schema this version works with."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError

from largesse.kernel.database.stores import open_reader, open_writer
from largesse.kernel.settings import Settings, SettingsError


def upgrade(settings: Settings) -> tuple[str | None, str]:
    """Applies what is missing; answers the revisions before and after. Repeatable, also by several processes at once.

    Raises SettingsError when a newer version has been here.
    """
    engine = open_writer(settings)
    try:
        before, head = _revision(settings, engine), _head()
        if before != head:
            _refuse_newer(before, head)
            try:
                _apply(engine)
            except DBAPIError:
                # Another process did the same meanwhile; then all is well.
                if _revision(settings, engine) != head:
                    raise
        return before, head
    finally:
        engine.dispose()


def require_current(settings: Settings) -> None:
    """Raises SettingsError when the store's schema is not the one this version works with."""
    engine = open_writer(settings)
    try:
        found, wanted = _revision(settings, engine), _head()
    finally:
        engine.dispose()
    if found != wanted:
        _refuse_newer(found, wanted)
        state = "has no schema yet" if found is None else f"has schema {found}"
        raise SettingsError(f"The database {state}, this version needs {wanted}. Run `largesse migrate` first.")


def _apply(engine: Engine) -> None:
    config = configuration()
    with engine.begin() as conn:
        config.attributes["connection"] = conn
        command.upgrade(config, "head")


def _revision(settings: Settings, writer: Engine) -> str | None:
    reader = open_reader(settings, writer)  # looking must not wait for a running server's writes
    try:
        with reader.connect() as conn:
            return MigrationContext.configure(conn).get_current_revision()
    finally:
        if reader is not writer:
            reader.dispose()


def _refuse_newer(found: str | None, head: str) -> None:
    if found is not None and found not in {script.revision for script in _scripts().walk_revisions()}:
        raise SettingsError(
            f"The database has schema {found}, which this version does not know; it works with {head}. "
            "Run the version of Largesse that wrote it, or a newer one."
        )


def _head() -> str:
    head = _scripts().get_current_head()
    assert head is not None
    return head


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(configuration())


def configuration() -> Config:
    """How alembic finds the migrations."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
