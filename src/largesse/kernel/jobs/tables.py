"""The table of background jobs."""

from sqlalchemy import BigInteger, Column, Index, PrimaryKeyConstraint, Table, Text, text

from largesse.kernel.database.columns import JsonText, metadata, micros, project_id

_UNFINISHED = text("due_at IS NOT NULL")
_STARTED = text("status = 'IN_PROGRESS'")

jobs = Table(
    "jobs",
    metadata,
    project_id(),
    Column("id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column(
        "queue", Text, nullable=False
    ),  # jobs of one queue run one after the other; a job's own id where none was named
    Column("arguments", JsonText, nullable=False),
    Column("state", JsonText, nullable=False),  # what the last slice left for the next
    Column("source", JsonText, nullable=False),  # {caller, channel} of the request that started it
    Column("request_id", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("operation_status", Text, nullable=False),
    Column("done", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),  # 0 while nobody knows
    Column("result", JsonText),
    Column("attempts", BigInteger, nullable=False),  # since the last slice that went well, the one at hand included
    Column("last_error", Text),
    # When a worker may take it: at once, after a pause, or when the worker that holds it has fallen silent; null once finished.
    micros("due_at", nullable=True),
    Column("holder", Text),  # the claim that may commit slices
    micros("created_at"),
    micros("updated_at"),
    PrimaryKeyConstraint("project_id", "id"),
    Index("jobs_by_creation", "project_id", "created_at", "id"),
    Index("jobs_due", "due_at", sqlite_where=_UNFINISHED, postgresql_where=_UNFINISHED),
    Index("jobs_waiting", "project_id", "queue", "id", sqlite_where=_UNFINISHED, postgresql_where=_UNFINISHED),
    Index("jobs_started", "project_id", "queue", unique=True, sqlite_where=_STARTED, postgresql_where=_STARTED),
)
