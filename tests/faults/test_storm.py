"""The short form of the storm: `make storm` is the long one."""

import random
from pathlib import Path

import pytest

from tests.faults.storm import Storm


@pytest.mark.parametrize(("kind", "workers"), [("sqlite", 1), ("postgresql", 3)])
def test_whatever_is_killed_every_answer_is_kept(kind: str, workers: int, tmp_path: Path) -> None:
    storm = Storm(kind, tmp_path, operations=300, kills=3, seed=random.randrange(10**6), workers=workers)
    storm.rage()
    assert storm.reckon() == [], storm.said()
    storm.stop()
