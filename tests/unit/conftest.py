"""Fixtures of tests that work on a store without a server."""

from collections.abc import Iterator

import pytest
from sqlalchemy.engine import Engine

from largesse.kernel.database import migrations
from largesse.kernel.database.stores import open_writer
from largesse.kernel.settings import Settings


@pytest.fixture(scope="module")
def engine(store: str) -> Iterator[Engine]:
    """That of the writer, on each store."""
    settings = Settings(database_url=store)
    migrations.upgrade(settings)
    engine = open_writer(settings)
    yield engine
    engine.dispose()
