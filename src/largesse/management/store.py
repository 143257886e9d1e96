"""Every query on the sets of stacking rules."""

import msgspec
from sqlalchemy import Column, PrimaryKeyConstraint, Table, Text, delete, insert, select, update
from sqlalchemy.engine import Connection

from largesse.kernel.database.columns import metadata, micros, project_id
from largesse.management.model import StackingRulesRecord

# The key admits one set a project, whoever races for it.
stacking_rules = Table(
    "stacking_rules",
    metadata,
    project_id(),
    Column("id", Text, nullable=False),
    micros("created_at"),
    micros("updated_at", nullable=True),
    PrimaryKeyConstraint("project_id"),
)
_RECORD = select(*(stacking_rules.c[name] for name in StackingRulesRecord.__struct_fields__))


def of_project(conn: Connection, project_id: str) -> StackingRulesRecord | None:
    row = conn.execute(_RECORD.where(stacking_rules.c.project_id == project_id)).first()
    return StackingRulesRecord(**row._mapping) if row else None


def add(conn: Connection, project_id: str, record: StackingRulesRecord) -> None:
    conn.execute(insert(stacking_rules).values(project_id=project_id, **msgspec.structs.asdict(record)))


def touch(conn: Connection, project_id: str, now: int) -> None:
    conn.execute(update(stacking_rules).where(stacking_rules.c.project_id == project_id).values(updated_at=now))


def remove(conn: Connection, project_id: str) -> None:
    conn.execute(delete(stacking_rules).where(stacking_rules.c.project_id == project_id))
