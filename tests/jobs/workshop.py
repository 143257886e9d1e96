"""A store with a project and a clock of its own, and workers that are moved by hand."""

import asyncio
import itertools
from collections.abc import Mapping
from typing import Any

from sqlalchemy import text

from largesse.kernel import clock
from largesse.kernel.access.projects import create_project
from largesse.kernel.call import Call, Caller
from largesse.kernel.database import migrations
from largesse.kernel.database.database import Database
from largesse.kernel.database.unit import Unit
from largesse.kernel.jobs.model import Done, Job, Kind, Progress, Step
from largesse.kernel.jobs.queue import StoredJob, enqueue, get
from largesse.kernel.jobs.worker import Worker
from largesse.kernel.project import Project, ProjectSettings
from largesse.kernel.settings import Settings

_names = itertools.count()
_TABLE = "CREATE TABLE IF NOT EXISTS effects (project_id text, job text, item bigint)"
_NOTE = text("INSERT INTO effects VALUES (:project, :job, :item)")
CALLER = Caller(surface="server", key_id="key", scopes=frozenset(["campaigns"]))


def note(unit: Unit, job: Job, item: int) -> None:
    """An effect of a slice that a test can count."""
    unit.conn.execute(_NOTE, {"project": unit.project_id, "job": job.id, "item": item})


def one_by_one(unit: Unit, job: Job) -> Progress | Done:
    """Notes one item a slice, until `total` are noted."""
    done = job.state.get("done", 0)
    if done == job.total:
        return Done(result={"message": f"Noted {done} items.", "done_count": done})
    note(unit, job, done)
    return Progress(state={"done": done + 1}, done=done + 1)


class Workshop:
    """`now` is its clock, in microseconds UTC; it stands still until a test moves it."""

    def __init__(self, store: str) -> None:
        settings = Settings(database_url=store)
        migrations.upgrade(settings)
        self.database = Database(settings)
        self.database.start()
        self.now = clock.now_micros()
        with self.database.writer.begin() as conn:
            conn.exec_driver_sql(_TABLE)
        self.project = self.new_project()

    def new_project(self) -> Project:
        with self.database.writer.begin() as conn:
            return create_project(conn, ProjectSettings(name="Test"), self.now)

    def call(self, project: Project | None = None) -> Call:
        return Call(project=project or self.project, caller=CALLER, request_id="v-1", now=self.now, channel="Shop")

    def worker(self, kinds: Mapping[str, Kind | Step]) -> Worker:
        all_of_them = {name: kind if isinstance(kind, Kind) else Kind(kind) for name, kind in kinds.items()}
        return Worker(self.database, all_of_them, now=lambda: self.now)

    def enqueue(self, kind: str, *, project: Project | None = None, queue: str | None = None, total: int = 0) -> str:
        self.now += 1
        with self.database.writer.begin() as conn:
            return enqueue(Unit(conn, self.call(project)), kind, {}, queue=queue, total=total)

    def round(self, worker: Worker) -> bool:
        self.now += 1
        return asyncio.run(worker.work_round())

    def finish(self, worker: Worker) -> None:
        """Rounds until nothing is due; the clock stands nearly still."""
        while self.round(worker):
            pass

    def job(self, id: str, project: Project | None = None) -> StoredJob:
        with self.database.reader.connect() as conn:
            found = get(conn, (project or self.project).id, id)
        assert found is not None
        return found

    def column(self, id: str, name: str) -> Any:
        """What the store keeps of a job beyond what is shown."""
        with self.database.reader.connect() as conn:
            return conn.execute(text(f"SELECT {name} FROM jobs WHERE id = :id"), {"id": id}).scalar_one()

    def noted(self, id: str) -> list[int]:
        """The items that a job's committed slices noted."""
        with self.database.reader.connect() as conn:
            found = conn.execute(text("SELECT item FROM effects WHERE job = :id ORDER BY item"), {"id": id})
            return [row[0] for row in found]


def kind() -> str:
    """A kind of job that nobody else knows."""
    return f"TEST.{next(_names)}"
