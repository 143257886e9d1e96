"""Background jobs through crashes: whatever is killed, every effect happens, and happens once."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from largesse.kernel import clock
from largesse.kernel.access.projects import create_project
from largesse.kernel.call import Call, Caller
from largesse.kernel.database import migrations
from largesse.kernel.database.stores import open_reader, open_writer
from largesse.kernel.database.unit import Unit
from largesse.kernel.jobs.queue import enqueue
from largesse.kernel.project import Project, ProjectSettings
from largesse.kernel.settings import Settings
from tests.conftest import STORES, new_store
from tests.faults.counting import COUNT
from tests.servers import COMMAND
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]


class Counting:
    """A store with jobs that count, and what of them was done."""

    def __init__(self, store: str) -> None:
        settings = Settings(database_url=store)
        migrations.upgrade(settings)
        self.store = store
        self.writer: Engine = open_writer(settings)
        self.reader: Engine = open_reader(settings, self.writer)
        with self.writer.begin() as conn:
            # Without a key: doing something twice must show.
            conn.exec_driver_sql("CREATE TABLE counted (project_id text, job text, item bigint, process bigint)")
            self.project: Project = create_project(conn, ProjectSettings(name="Test"), clock.now_micros())

    def enqueue(self, total: int, *, queue: str | None = None) -> str:
        caller = Caller(surface="server", key_id="key")
        with self.writer.begin() as conn:
            call = Call(project=self.project, caller=caller, request_id="v-1", now=clock.now_micros())
            return enqueue(Unit(conn, call), COUNT, {}, queue=queue, total=total)

    def counted(self) -> dict[str, list[int]]:
        """The items of each job."""
        found: dict[str, list[int]] = defaultdict(list)
        for job, item in self.rows("SELECT job, item FROM counted ORDER BY item"):
            found[job].append(item)
        return found

    def rows(self, query: str) -> list[Any]:
        with self.reader.connect() as conn:
            return list(conn.execute(text(query)))

    def amount(self) -> int:
        return int(self.rows("SELECT count(*) FROM counted")[0][0])

    def is_finished(self) -> bool:
        return not self.rows("SELECT 1 FROM jobs WHERE status IN ('ENQUEUED', 'IN_PROGRESS')")


@pytest.fixture(params=STORES)
def counting(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Counting]:
    made = Counting(new_store(request.param, request, tmp_path))
    yield made
    made.reader.dispose()
    made.writer.dispose()


@contextmanager
def process(role: str, counting: Counting, **settings: str) -> "Iterator[subprocess.Popen[str]]":
    """A server or worker that is ready; killed at the end if it still runs."""
    command = [sys.executable, "-m", "tests.faults.counting", role, counting.store]
    environment = os.environ | settings
    started = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert started.stdout is not None
        assert started.stdout.readline().startswith("Largesse ")
        yield started
    finally:
        started.kill()
        started.wait()


def test_a_server_killed_in_the_middle_finishes_its_jobs_when_it_is_back(counting: Counting) -> None:
    total = 2000
    ids = [counting.enqueue(total), counting.enqueue(total)]
    for _ in range(2):
        before = counting.amount()
        with process("serve", counting) as server:
            wait_until(lambda before=before: counting.amount() > before + 50)  # type: ignore[misc]
            time.sleep(random.uniform(0, 0.05))
            server.send_signal(signal.SIGKILL)
            server.wait()
        assert counting.amount() < 2 * total
    with process("serve", counting):
        wait_until(counting.is_finished)
    assert counting.counted() == {id: list(range(total)) for id in ids}


def test_a_worker_told_to_stop_leaves_jobs_that_the_next_takes_at_once(counting: Counting) -> None:
    total = 1500
    id = counting.enqueue(total)
    with process("work", counting) as worker:
        wait_until(lambda: counting.amount() > 0)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(30) == 0
    left = counting.amount()
    assert 0 < left < total
    [(holder, due_at)] = counting.rows("SELECT holder, due_at FROM jobs")
    assert holder is None
    assert due_at <= clock.now_micros()
    with process("work", counting):
        wait_until(counting.is_finished)
    assert counting.counted() == {id: list(range(total))}


@pytest.mark.parametrize("counting", ["postgresql"], indirect=True)
def test_workers_share_the_queues_and_one_of_them_may_die(counting: Counting) -> None:
    total = 100
    with process("work", counting), process("work", counting), process("work", counting) as victim:
        # Only now, when all are looking: the first would have done everything before the last was there.
        queues = [[counting.enqueue(total, queue=f"queue {n}") for _ in range(4)] for n in range(16)]
        wait_until(lambda: victim.pid in {row[0] for row in counting.rows("SELECT DISTINCT process FROM counted")})
        victim.send_signal(signal.SIGKILL)
        wait_until(counting.is_finished)
    assert counting.counted() == {id: list(range(total)) for ids in queues for id in ids}
    processes = Counter(row[0] for row in counting.rows("SELECT process FROM counted"))
    assert len(processes) == 3
    for ids in queues:
        ends = [counting.rows(f"SELECT updated_at FROM jobs WHERE id = '{id}'")[0][0] for id in ids]
        assert ends == sorted(ends)


def test_a_server_that_does_no_jobs_leaves_them_to_a_worker(counting: Counting) -> None:
    with process("serve", counting, LARGESSE_RUN_JOBS="false"):
        id = counting.enqueue(50)
        with process("work", counting) as worker:
            wait_until(counting.is_finished)
            assert counting.rows("SELECT DISTINCT process FROM counted") == [(worker.pid,)]
    assert counting.counted() == {id: list(range(50))}


def test_the_worker_command_stops_cleanly(counting: Counting) -> None:
    command = [*COMMAND, "worker", "--database", counting.store]
    worker = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert worker.stdout is not None
    assert worker.stdout.readline() == "Largesse is doing background jobs\n"
    worker.terminate()
    assert worker.wait(30) == 0
