"""On the embedded store background work lets those go first who wait for an answer, but not for ever."""

import asyncio
import threading
from pathlib import Path

import pytest

from largesse.kernel.database.lanes import MOST_PASSED
from largesse.kernel.database.unit import Unit
from tests.jobs.workshop import Workshop


@pytest.mark.parametrize("rivals", [MOST_PASSED - 1, MOST_PASSED + 3])
def test_background_work_waits_for_a_few_batches_at_most(tmp_path: Path, rivals: int) -> None:
    shop = Workshop(f"sqlite:///{tmp_path}/largesse.db")
    # Each of a project of its own, because a batch takes all that waits for one.
    calls = [shop.call(shop.new_project()) for _ in range(rivals)]
    order: list[str] = []
    begun, free = threading.Event(), threading.Event()

    def hold(unit: Unit) -> None:
        begun.set()
        free.wait(30)

    async def story() -> None:
        holding = asyncio.create_task(shop.database.write(shop.call(), hold))
        await asyncio.to_thread(begun.wait, 30)
        waiting = [shop.database.write(shop.call(), lambda unit: order.append("background"), background=True)]
        waiting += [shop.database.write(call, lambda unit: order.append("answer")) for call in calls]
        tasks = [asyncio.create_task(one) for one in waiting]
        await asyncio.sleep(0)
        free.set()
        await asyncio.gather(holding, *tasks)

    asyncio.run(story())
    shop.database.close()
    assert order.index("background") == min(rivals, MOST_PASSED)
    assert len(order) == rivals + 1
