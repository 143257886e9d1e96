"""Adding jobs, and looking at them."""

from collections.abc import Callable
from typing import Any, Literal

import msgspec
from sqlalchemy import bindparam, insert, select
from sqlalchemy.engine import Connection

from largesse.kernel import ids
from largesse.kernel.database.unit import Unit
from largesse.kernel.jobs.tables import jobs

Status = Literal["ENQUEUED", "IN_PROGRESS", "DONE", "FAILED"]
OperationStatus = Literal["UNKNOWN", "SUCCESS", "FAILED"]

INTERNAL = "INTERNAL."  # begins the kinds that no client asked for: they are not shown

_listeners: set[Callable[[], None]] = set()


class StoredJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job as its async action shows it. Times in microseconds UTC."""

    id: str
    kind: str
    status: Status
    operation_status: OperationStatus
    request_id: str
    done: int
    total: int
    created_at: int
    updated_at: int
    result: dict[str, Any] | None

    @property
    def percent(self) -> int:
        """0 to 100; 100 only when all is done."""
        if self.status == "DONE":
            return 100
        return min(99, 100 * self.done // self.total) if self.total else 0


def enqueue(
    unit: Unit,
    kind: str,
    arguments: dict[str, Any],
    *,
    queue: str | None = None,
    total: int = 0,
    due_at: int | None = None,
) -> str:
    """Adds a job in the caller's transaction; answers its id, that of the async action.

    Jobs of one `queue` (a name within the project, such as a campaign's id) run one after the other in the order of their ids;
    a job without one depends on no other. `total` counts the items it will do, for its progress. Nobody takes it before `due_at`
    (microseconds UTC).
    """
    id = ids.hex_id("aa_")
    unit.conn.execute(
        insert(jobs).values(
            project_id=unit.project_id,
            id=id,
            kind=kind,
            queue=queue or id,
            arguments=arguments,
            state={},
            source={"caller": msgspec.to_builtins(unit.call.caller), "channel": unit.call.channel},
            request_id=unit.call.request_id,
            status="ENQUEUED",
            operation_status="UNKNOWN",
            done=0,
            total=total,
            attempts=0,
            due_at=unit.now if due_at is None else due_at,
            created_at=unit.now,
            updated_at=unit.now,
        )
    )
    for listener in tuple(_listeners):
        listener()
    return id


def listen(listener: Callable[[], None]) -> None:
    """`listener` is called, from any thread, for each job added in this process: a moment before it is committed."""
    _listeners.add(listener)


def unlisten(listener: Callable[[], None]) -> None:
    _listeners.discard(listener)


_ALL = select(*(jobs.c[name] for name in StoredJob.__struct_fields__)).where(jobs.c.project_id == bindparam("project"))
_BY_ID = _ALL.where(jobs.c.id == bindparam("id"))
_NEWEST = (
    _ALL.where(jobs.c.created_at < bindparam("before"), ~jobs.c.kind.startswith(INTERNAL))
    .order_by(jobs.c.created_at.desc(), jobs.c.id.desc())
    .limit(bindparam("limit"))
)


def get(conn: Connection, project_id: str, id: str) -> StoredJob | None:
    row = conn.execute(_BY_ID, {"project": project_id, "id": id}).first()
    return StoredJob(**row._mapping) if row else None


def newest(conn: Connection, project_id: str, *, before: int, limit: int) -> list[StoredJob]:
    """The `limit` newest jobs that clients asked for, enqueued before the instant `before`."""
    rows = conn.execute(_NEWEST, {"project": project_id, "before": before, "limit": limit})
    return [StoredJob(**row._mapping) for row in rows]
