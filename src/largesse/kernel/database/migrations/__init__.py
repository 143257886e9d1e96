"""Bringing a store to the schema this version works with."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Engine

from largesse.kernel.database.stores import open_writer
from largesse.kernel.settings import Settings, SettingsError


def upgrade(settings: Settings) -> tuple[str | None, str]:
    """Applies what is missing; answers the revisions before and after. Repeatable."""
    engine = open_writer(settings)
    try:
        before, head = _revision(engine), _head()
        if before != head:
            config = configuration()
            with engine.begin() as conn:
                config.attributes["connection"] = conn
                command.upgrade(config, "head")
        return before, head
    finally:
        engine.dispose()


def require_current(settings: Settings) -> None:
    """Raises SettingsError when the store's schema is not the one this version works with."""
    engine = open_writer(settings)
    try:
        found, wanted = _revision(engine), _head()
    finally:
        engine.dispose()
    if found != wanted:
        state = "has no schema yet" if found is None else f"has schema {found}"
        raise SettingsError(f"The database {state}, this version needs {wanted}. Run `largesse migrate` first.")


def _revision(engine: Engine) -> str | None:
    with engine.connect() as conn:
        return MigrationContext.configure(conn).get_current_revision()


def _head() -> str:
    head = ScriptDirectory.from_config(configuration()).get_current_head()
    assert head is not None
    return head


def configuration() -> Config:
    """How alembic finds the migrations."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
