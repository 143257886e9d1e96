"""Use cases of async actions."""

from largesse.async_actions.model import AsyncActionAnswer, AsyncActionList
from largesse.kernel import clock
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import not_found
from largesse.kernel.http.query import Query
from largesse.kernel.jobs import queue
from largesse.kernel.jobs.queue import StoredJob

_MILLISECOND = 1000
_END_OF_TIME = 2**62


def list_actions(unit: Unit, query: Query) -> AsyncActionList:
    """A page of those scheduled before `end_date`, without their results. Raises ApiError 400 for a bad parameter."""
    limit, end_date = query.limit(), query.instant("end_date")
    before = _END_OF_TIME if end_date is None else end_date
    found = queue.newest(unit.conn, unit.project_id, before=before, limit=limit + 1)
    shown = [_answer(job) for job in found[:limit]]
    return AsyncActionList(async_actions=shown, has_more=len(found) > limit)


def get_action(unit: Unit, id: str) -> AsyncActionAnswer:
    """With its result once finished. Raises ApiError 404."""
    job = queue.get(unit.conn, unit.project_id, id)
    if job is None:
        raise not_found("async_action", id)
    shown = _answer(job)
    if job.result is not None:
        shown.result = job.result
    return shown


def _answer(job: StoredJob) -> AsyncActionAnswer:
    return AsyncActionAnswer(
        id=job.id,
        type=job.kind,
        status=job.status,
        operation_status=job.operation_status,
        created_at=clock.iso(job.created_at),
        updated_at=clock.iso(job.updated_at),
        request_id=job.request_id,
        processing_time=(job.updated_at - job.created_at) // _MILLISECOND,
        progress=job.percent,
    )
