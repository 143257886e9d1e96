"""The moment after a definition changed: transactions that began before may still decide by the old one.

Whatever is kept in step by everybody who knows a definition must not begin before nobody is left who does not. On PostgreSQL every
transaction that decides reads the project's version first and so holds a lock on that table until it ends: whoever holds one after
the change may have read the old version, and once they are gone, nobody has. On SQLite one transaction writes at a time, so that
there is never anybody. With Citus this holds where all transactions come through the same coordinator.
"""

from sqlalchemy import Column, PrimaryKeyConstraint, Table, Text, bindparam, delete, insert, select, text, update
from sqlalchemy.engine import Connection

from largesse.kernel import ids
from largesse.kernel.database.columns import JsonText, metadata, project_id

# One row per change that is not settled yet; `rivals` are the transactions that were under way when somebody first looked.
settling = Table(
    "settling",
    metadata,
    project_id(),
    Column("id", Text, nullable=False),
    Column("rivals", JsonText),
    PrimaryKeyConstraint("project_id", "id"),
)
_OPEN = select(settling.c.id, settling.c.rivals).where(settling.c.project_id == bindparam("project"))
_ALIVE = text(
    "SELECT virtualtransaction FROM pg_locks WHERE locktype = 'relation' AND relation = 'projects'::regclass"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


def begin(conn: Connection, project_id: str) -> None:
    """To be called in the transaction that changes a definition."""
    if conn.dialect.name == "postgresql":
        conn.execute(insert(settling).values(project_id=project_id, id=ids.text_id("set_"), rivals=None))


def is_over(conn: Connection, project_id: str) -> bool:
    """Whether all changes that this transaction can see are known to everybody. It only gets on by being asked."""
    if conn.dialect.name != "postgresql":
        return True
    found = conn.execute(_OPEN, {"project": project_id}).all()
    if not found:
        return True
    alive = set(conn.execute(_ALIVE).scalars())
    over = True
    for id, rivals in found:
        this = (settling.c.project_id == project_id, settling.c.id == id)
        if rivals is None:
            conn.execute(update(settling).where(*this, settling.c.rivals.is_(None)).values(rivals=sorted(alive)))
        elif alive.isdisjoint(rivals):
            conn.execute(delete(settling).where(*this))
            continue
        over = False
    return over
