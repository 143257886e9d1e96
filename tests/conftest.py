"""Shared fixtures: one PostgreSQL a run, one server process a test module and store."""

import re
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from tests.servers import Postgres, Server

STORES = ("sqlite", "postgresql")
_STORE = re.compile(rf"[\[-]({'|'.join(STORES)})[\]-]")

# A change is judged by the same examples each time; `make explore` looks for ones that nobody has seen yet.
# Nor does it fail because the machine was busy for a moment.
_BUSY: dict[str, Any] = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("repeatable", derandomize=True, **_BUSY)
settings.register_profile("explore", derandomize=False, print_blob=True, **_BUSY)
settings.load_profile("repeatable")


def _share(nodeid: str) -> str:
    """What one worker process does in one go: the tests of a module on one store, so that their server starts once."""
    module, _, test = nodeid.partition("::")
    store = _STORE.search(test)
    return f"{module} {store[1]}" if store else module


class _Sharing(LoadScopeScheduling):
    """Hands out shares in the order of the collection."""

    def __init__(self, config: pytest.Config, log: object) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        return _share(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling:
    return _Sharing(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Among several workers the long shares come first, so that none is at work for long when the others have finished."""
    if hasattr(config, "workerinput"):
        sizes = Counter(_share(item.nodeid) for item in items)
        items.sort(key=lambda item: ("tests/faults/" not in item.nodeid, -sizes[_share(item.nodeid)]))


@pytest.fixture(scope="session", autouse=True)
def patience() -> Iterator[None]:
    """Requests without a client wait as long as those of one; httpx would give up after five seconds."""
    with pytest.MonkeyPatch.context() as patched:
        for method in ("get", "delete"):
            patched.setattr(httpx, method, partial(getattr(httpx, method), timeout=60))
        yield


@pytest.fixture(autouse=True)
def no_midnight_within() -> None:
    """A test that begins shortly before midnight waits: what it counts per day would be of two."""
    now = datetime.now(UTC)
    left = timedelta(days=1) - timedelta(hours=now.hour, minutes=now.minute, seconds=now.second)
    if left < timedelta(seconds=20):
        time.sleep(left.seconds + 1)


@pytest.fixture(scope="session")
def postgres(testrun_uid: str) -> Postgres:
    return Postgres(testrun_uid)


@pytest.fixture(scope="module", params=STORES)
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of an empty store; each test that uses it runs on both."""
    return new_store(str(request.param), request, tmp_path_factory.mktemp("store"))


def new_store(kind: str, request: pytest.FixtureRequest, directory: Path) -> str:
    if kind == "sqlite":
        return f"sqlite:///{directory}/largesse.db"
    database: Postgres = request.getfixturevalue("postgres")
    return database.create_database()


@pytest.fixture
def keys(server: Server) -> dict[str, str]:
    """Those of a project that no other test knows."""
    return server.new_project()


@pytest.fixture
def client(server: Server, keys: dict[str, str]) -> httpx.Client:
    return server.client_for(keys)


@pytest.fixture(scope="module")
def server(store: str) -> Iterator[Server]:
    """A server process with a project of its own."""
    running = Server(store, forked=True)
    yield running
    running.stop()


@pytest.fixture(
    scope="module", params=[("sqlite", 1), ("postgresql", 1), ("postgresql", 2)], ids=lambda p: f"{p[0]}-{p[1]}"
)
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on each store, and with two worker processes."""
    kind, workers = request.param
    running = Server(new_store(kind, request, tmp_path_factory.mktemp("race")), workers=workers, forked=True)
    yield running
    running.verify()
    running.stop()
