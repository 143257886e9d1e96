"""Look-ups by many keys go through indexes, on the store that plans without statistics."""

import importlib
import pkgutil
from collections.abc import Iterator

import pytest
from sqlalchemy import Select, create_engine

import largesse
from largesse.kernel.database.columns import metadata


def _statements() -> Iterator[tuple[str, Select[tuple[object, ...]]]]:
    """Every statement that a module builds at import."""
    for module in pkgutil.walk_packages(largesse.__path__, "largesse."):
        if not module.name.endswith(("__main__", ".env")):
            for name, value in vars(importlib.import_module(module.name)).items():
                held = list(value.items()) if isinstance(value, dict) else [("", value)]
                yield from ((f"{module.name}.{name}{key}", one) for key, one in held if isinstance(one, Select))


_ENGINE = create_engine("sqlite://")
_BY_KEYS = {
    name: text
    for name, statement in _statements()
    if "json_each" in (text := str(statement.compile(dialect=_ENGINE.dialect)))
}


@pytest.mark.parametrize("name", _BY_KEYS)
def test_no_look_up_by_keys_reads_a_whole_project(name: str) -> None:
    text = _BY_KEYS[name]
    with _ENGINE.connect() as conn:
        metadata.create_all(conn)
        steps = [row[3] for row in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", ("",) * text.count("?"))]
    steps = [step for step in steps if not step.startswith("SCAN anon_")]  # rows the statement itself has put together
    assert [step for step in steps if step.endswith("(project_id=?)") or step.startswith("SCAN ")] == [
        "SCAN json_each VIRTUAL TABLE INDEX 1:" for step in steps if "json_each" in step
    ]
