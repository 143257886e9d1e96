"""Chores: work that time brings is found, done in slices, and put off where it fails."""

import asyncio
from collections.abc import Iterator

import pytest
from sqlalchemy.engine import Connection

from largesse.kernel.database.unit import Unit
from largesse.kernel.jobs import worker
from largesse.kernel.jobs.model import Chore
from tests.jobs.workshop import Workshop


@pytest.fixture(scope="module")
def shop(store: str) -> Iterator[Workshop]:
    workshop = Workshop(store)
    yield workshop
    workshop.database.close()


class Heap:
    """So many items of a project wait to be done."""

    def __init__(self, shop: Workshop, items: int) -> None:
        self.project_id, self.left, self.failing = shop.project.id, items, False
        self.slices: list[int] = []

    def due(self, _conn: Connection, _now: int) -> list[str]:
        return [self.project_id] if self.left else []

    def step(self, unit: Unit, most: int) -> int:
        assert unit.project_id == self.project_id
        self.slices.append(most)
        if self.failing:
            raise RuntimeError("no")
        done = min(most, self.left)
        self.left -= done
        return done


def hand(shop: Workshop, heap: Heap) -> worker.Worker:
    chore = Chore(name="HEAP", due=heap.due, step=heap.step)
    return worker.Worker(shop.database, {}, [chore], now=lambda: shop.now)


def do_chores(busy: worker.Worker) -> bool:
    return asyncio.run(busy.do_chores())


def test_what_time_brings_is_done_slice_by_slice(shop: Workshop) -> None:
    heap = Heap(shop, 120)
    busy = hand(shop, heap)
    while do_chores(busy):
        pass
    assert heap.left == 0
    assert heap.slices[0] == worker.FIRST_BATCH


def test_nothing_is_looked_for_again_at_once(shop: Workshop) -> None:
    heap = Heap(shop, 0)
    idle = hand(shop, heap)
    assert do_chores(idle) is False
    heap.left = 1
    assert do_chores(idle) is False
    assert heap.slices == []


def test_a_chore_that_fails_is_put_off_and_tried_in_small_pieces(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "CHORE_SECONDS", 0)
    monkeypatch.setattr(worker, "FIRST_WAIT", 0)
    heap = Heap(shop, 3)
    unlucky = hand(shop, heap)
    heap.failing = True
    assert do_chores(unlucky) is False
    heap.failing = False
    while do_chores(unlucky):
        pass
    assert heap.left == 0
    assert heap.slices[:2] == [worker.FIRST_BATCH, 1]
