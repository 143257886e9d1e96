"""Opening a store: one SQLite file or PostgreSQL, each configured so that a committed answer survives a crash."""

import sqlite3
from typing import Any

import psycopg
from sqlalchemy import create_engine, event
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from largesse.kernel import seals
from largesse.kernel.database import trips
from largesse.kernel.settings import Settings, SettingsError

BUSY_MILLISECONDS = 10_000
_RETRYABLE = ("26000", "40001", "40P01", "57P01")
# Shutting down, starting, out of connections, disk, memory, or of the time it was given for a lock or a statement: nothing is wrong
# with the request.
_UNAVAILABLE = ("08", "53", "55P03", "57014", "57P")
# After how many seconds (milliseconds for what was sent) a host that fell silent is given up, where the store's address does not
# say otherwise. By itself the system would wait for a quarter of an hour, or for hours.
_PATIENCE: dict[str, Any] = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
_SQLITE_UNAVAILABLE = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)


def store_url(text: str) -> URL:
    """The SQLAlchemy URL of a plain `sqlite:///file` or `postgresql://…` one. Raises SettingsError."""
    try:
        url = make_url(text)
    except ArgumentError:
        raise SettingsError(f"LARGESSE_DATABASE_URL is not a database address: {text!r}") from None
    name = url.get_backend_name()
    if name == "sqlite":
        if not url.database or url.database == ":memory:":
            raise SettingsError(
                "The embedded store needs a file, such as sqlite:///largesse.db: memory would not survive a stop."
            )
        return url.set(drivername="sqlite")
    if name in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    raise SettingsError(f"{name} is not supported; use sqlite:///FILE or postgresql://USER@HOST/NAME.")


READ_LANES = 2  # of each process, for decisions and for searches


def open_writer(settings: Settings) -> Engine:
    """The engine of everything that changes rows."""
    url = store_url(settings.database_url)
    if settings.embedded:
        engine = _sqlite(url, "BEGIN IMMEDIATE", pool_size=1)
    else:
        engine = _postgresql(url, pool_size=settings.pool_size + READ_LANES)
    seals.watch(engine)
    return engine


def open_lanes(settings: Settings, writer: Engine) -> Engine:
    """The engine of the write lanes: on PostgreSQL one that begins no transactions, which the lanes do by `trips.begin`."""
    if settings.embedded:
        return writer
    engine = _postgresql(store_url(settings.database_url), pool_size=settings.lanes, isolation_level="AUTOCOMMIT")
    seals.watch(engine)
    return engine


def open_reader(settings: Settings, writer: Engine) -> Engine:
    """The engine of everything that only reads: its own connections on SQLite, where the writer has just one.

    On PostgreSQL it reads without transactions, whose beginning and end would be two more round trips: each statement sees what is
    committed then, as it would inside one.
    """
    if settings.embedded:
        return _sqlite(store_url(settings.database_url), "BEGIN", pool_size=settings.pool_size + READ_LANES)
    return writer.execution_options(isolation_level="AUTOCOMMIT")


def _postgresql(url: URL, **options: Any) -> Engine:
    arguments = {name: value for name, value in _PATIENCE.items() if name not in url.query}
    arguments["client_encoding"] = "utf8"  # in which the pipeline sends its values
    engine = create_engine(url, max_overflow=0, pool_pre_ping=False, connect_args=arguments, **options)
    trips.watch(engine)
    return engine


def _sqlite(url: URL, begin: str, pool_size: int) -> Engine:
    engine = create_engine(url, pool_size=pool_size, max_overflow=1)

    def on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions are opened below, not by the driver's guesses
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA cache_size=-16384")
        cursor.execute("PRAGMA wal_autocheckpoint=4000")  # 16 MB: a batch of codes should not make a checkpoint each
        cursor.close()

    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "begin", on_begin)
    return engine


def is_transient(error: DBAPIError) -> bool:
    """True where the same transaction may succeed when run again: deadlock, serialization failure, lost connection or statement."""
    code = getattr(error.orig, "sqlstate", None)
    if error.connection_invalidated:
        return True
    return code is not None and (code in _RETRYABLE or code.startswith("08"))


def is_unavailable(error: DBAPIError) -> bool:
    """True where the store is away, full or out of connections: no fault of the request, and worth repeating later."""
    cause = error.orig
    if isinstance(cause, sqlite3.OperationalError):
        return (
            cause.sqlite_errorcode & 0xFF in _SQLITE_UNAVAILABLE
        )  # the low byte, without the detail of extended codes
    if isinstance(cause, psycopg.OperationalError) and cause.sqlstate is None:  # no server there to give a code
        return True
    code = getattr(cause, "sqlstate", None)
    return code is not None and code.startswith(_UNAVAILABLE)
