"""A server or a worker that also knows jobs that count, to be run as a process and killed:

python -m tests.faults.counting serve|work STORE
"""

import os
import sys
import time

from sqlalchemy import text

from largesse import server
from largesse.app import KINDS
from largesse.kernel.database.unit import Unit
from largesse.kernel.jobs.model import Done, Job, Kind, Progress
from largesse.kernel.settings import load_settings

COUNT = "TEST.COUNT"
ITEMS_A_SLICE = 5
_COUNTED = text("INSERT INTO counted (project_id, job, item, process) VALUES (:project, :job, :item, :process)")


def count(unit: Unit, job: Job) -> Progress | Done:
    """Counts a few items more, slowly enough to be killed in the middle, before and after its writes."""
    time.sleep(0.002)
    end = min(job.done + ITEMS_A_SLICE, job.total)
    for item in range(job.done, end):
        values = {"project": unit.project_id, "job": job.id, "item": item, "process": os.getpid()}
        unit.conn.execute(_COUNTED, values)
    time.sleep(0.002)
    if end == job.total:
        return Done(result={"done_count": end})
    return Progress(state={}, done=end)


if __name__ == "__main__":
    KINDS[COUNT] = Kind(count)
    settings = load_settings(database_url=sys.argv[2], port=0)
    if sys.argv[1] == "serve":
        server.serve(settings)
    else:
        server.work(settings, KINDS)
