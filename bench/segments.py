"""Segments among ever more customers: what a look costs, and what a change of one customer asks of the filters.

Measured inside one process, in CPU time: what it waits for is left out, and on PostgreSQL what the store itself computes.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy.engine import Engine

import largesse.customers.service as customers
import largesse.customers.store as customer_rows
from bench.scenarios import Shop
from largesse.customers.model import CustomerUpdate, StoredCustomer
from largesse.kernel import clock, definitions, ids
from largesse.kernel.access.projects import create_project, load_project
from largesse.kernel.call import Call, Caller
from largesse.kernel.database.reactions import react
from largesse.kernel.database.stores import open_writer
from largesse.kernel.database.unit import Unit
from largesse.kernel.jobs.model import Job, Progress
from largesse.kernel.project import ProjectSettings
from largesse.kernel.settings import Settings
from largesse.loyalties.standings import held_by
from largesse.segments import jobs, membership, service, store
from largesse.segments.judging import Segments
from largesse.segments.model import SegmentCreate
from largesse.segments.reaction import make_reaction

HEADER = (
    "customers in the segment",
    "filling, CPU µs each",
    "membership of one, CPU µs",
    "segments with a filter",
    "asked by a change",
    "the change, CPU µs",
)
COUNTS, QUICK_COUNTS = (1_000, 100_000, 1_000_000), (1_000, 20_000)
_WITH_FILTER = 100
_AT_ONCE = 5_000
_LOOKS = 200


class _House:
    """A project in the store of a shop, without the server between."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        with engine.begin() as conn:
            self.project_id = create_project(conn, ProjectSettings(name="Segments"), clock.now_micros()).id

    def do(self, work: Callable[[Unit], Any]) -> Any:
        with self.engine.begin() as conn:
            project = load_project(conn, self.project_id)
            caller = Caller(surface="server", key_id="bench")
            call = Call(project=project, caller=caller, request_id="v-bench", now=clock.now_micros())
            return work(Unit(conn, call))


def rows(shop: Shop, *, quick: bool) -> Iterator[list[str]]:
    """For each number of customers, all of them in one segment; the others look at something else."""
    engine = open_writer(Settings(database_url=shop.server.store))
    try:
        for count in QUICK_COUNTS if quick else COUNTS:
            yield _row(_House(engine), count)
    finally:
        engine.dispose()


def _row(house: _House, count: int) -> list[str]:
    for start in range(0, count, _AT_ONCE):
        last = _add_customers(house, min(_AT_ONCE, count - start))
    made = [_segment(house, f"level_{number}") for number in range(_WITH_FILTER)]
    filling = _cpu(lambda: _fill(house, made[0])) / count
    house.do(lambda unit: _set_filled(unit, made[1:]))
    looking = house.do(lambda unit: _look(unit, made[0], last))
    asked, changing = _change(house, last)
    shown = (filling, looking, changing)
    filled, looked, changed = (f"{seconds * 1e6:,.0f}" for seconds in shown)
    return [f"{count:,}", filled, looked, str(_WITH_FILTER), f"{asked:.1f}", changed]


def _add_customers(house: _House, count: int) -> str:
    made = [
        StoredCustomer(
            id=ids.text_id("cust_"),
            tracking_key=f"track_{ids.random_text(16)}",
            created_at=clock.now_micros(),
            metadata={"level_0": "gold"},
        )
        for _ in range(count)
    ]
    house.do(lambda unit: customer_rows.insert(unit.conn, unit.project_id, made))
    return made[-1].id


def _segment(house: _House, key: str) -> str:
    filter = {"junction": "and", f"metadata.{key}": {"conditions": {"$is": "gold"}}}
    sent = SegmentCreate(name=key, type="auto-update", filter=filter)
    return str(house.do(lambda unit: service.create(unit, sent)).id)


def _fill(house: _House, segment_id: str) -> None:
    step = jobs.kinds(held_by)[jobs.FILL].step
    state: dict[str, Any] = {}
    arguments = {"segment_id": segment_id, "since": [], "tell": False}
    while True:
        job = Job(id="aa_1", kind=jobs.FILL, arguments=arguments, state=state, done=0, total=0, batch=1_000)
        outcome = house.do(lambda unit, job=job: step(unit, job))
        if not isinstance(outcome, Progress):
            return
        state = outcome.state


def _set_filled(unit: Unit, segment_ids: list[str]) -> None:
    """Nobody is in these."""
    store.set_status(unit.conn, unit.project_id, segment_ids, "DONE")
    definitions.changed(unit)


def _look(unit: Unit, segment_id: str, customer_id: str) -> float:
    """CPU seconds of one batch that asks about one customer."""
    found = customers.by_ids(unit.conn, unit.project, [customer_id])[customer_id]

    def look() -> None:
        for _ in range(_LOOKS):
            assert Segments(unit.conn, unit.project, [segment_id], [found], held_by).has(segment_id, found, unit.call)

    look()
    return _cpu(look) / _LOOKS


def _change(house: _House, customer_id: str) -> tuple[float, float]:
    """Filters asked by one change of a customer, and the CPU seconds of all that follows from it."""
    react_to_news = make_reaction(held_by)
    judge, asked = membership.judge, 0

    def counted(*arguments: Any) -> Any:
        nonlocal asked
        asked += 1
        return judge(*arguments)

    def change(unit: Unit, number: int) -> None:
        sent = CustomerUpdate(metadata={"level_1": "gold" if number % 2 else "none"})
        customers.update(unit, customer_id, sent, held_by)
        react([react_to_news], [unit])

    membership.judge = counted
    try:
        seconds = _cpu(lambda: [house.do(lambda unit, n=n: change(unit, n)) for n in range(_LOOKS)])
    finally:
        membership.judge = judge
    return asked / _LOOKS, seconds / _LOOKS


def _cpu(work: Callable[[], Any]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started
