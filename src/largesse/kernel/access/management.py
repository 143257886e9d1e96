"""Management keys: they open the management API of every project of the installation, and nothing else."""

import secrets
import uuid

import msgspec
from sqlalchemy import func, insert, select, update
from sqlalchemy.engine import Connection

from largesse.kernel.access.keys import digest
from largesse.kernel.access.tables import management_keys
from largesse.kernel.errors import not_found

MAX_LIVE_KEYS = 5  # documented


class ManagementKey(msgspec.Struct, frozen=True, kw_only=True):
    """A credential as stored; times in microseconds UTC."""

    id: str
    name: str
    token_hash: str
    last_four: str
    created_at: int
    revoked_at: int | None = None


_KEYS = select(*(management_keys.c[name] for name in ManagementKey.__struct_fields__))
_LIVE = select(func.count()).select_from(management_keys).where(management_keys.c.revoked_at.is_(None))


def create_management_key(conn: Connection, now: int, name: str = "") -> tuple[str, str]:
    """A new (id, token) pair; the token can never be read again. Raises ValueError where there are as many as may be."""
    if conn.execute(_LIVE).scalar_one() >= MAX_LIVE_KEYS:
        raise ValueError(f"There are {MAX_LIVE_KEYS} management keys already; revoke one first.")
    token = str(uuid.UUID(bytes=secrets.token_bytes(16)))
    made = ManagementKey(
        id=str(uuid.uuid4()),
        name=name or "management key",
        token_hash=digest(token),
        last_four=token[-4:],
        created_at=now,
    )
    conn.execute(insert(management_keys).values(**msgspec.structs.asdict(made)))
    return made.id, token


def list_management_keys(conn: Connection) -> list[ManagementKey]:
    """All of them, oldest first."""
    rows = conn.execute(_KEYS.order_by(management_keys.c.created_at, management_keys.c.id))
    return [ManagementKey(**row._mapping) for row in rows]


def find_management_key(conn: Connection, key_id: str) -> ManagementKey | None:
    row = conn.execute(_KEYS.where(management_keys.c.id == key_id)).first()
    return ManagementKey(**row._mapping) if row else None


def revoke_management_key(conn: Connection, key_id: str, now: int) -> None:
    """Raises ApiError 404."""
    if find_management_key(conn, key_id) is None:
        raise not_found("management key", key_id)
    mine = (management_keys.c.id == key_id, management_keys.c.revoked_at.is_(None))
    conn.execute(update(management_keys).where(*mine).values(revoked_at=now))
