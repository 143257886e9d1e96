"""Idempotency keys: the first answer under a key is stored in its own transaction, and given again to whoever repeats the request.

A key belongs to a project, a method and a path, and lives for 24 hours. A refusal that leaves a record is an answer too; one that
leaves nothing is not kept: the repeated request is simply tried again. A twin that comes while the first is at work waits for it in
the lane or at the key's row, and then gets its answer. Without the header nothing of this runs.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Column, Index, PrimaryKeyConstraint, Table, Text, bindparam, delete, select
from sqlalchemy.engine import Connection

from largesse.engine.refusal import Refusal
from largesse.kernel import wire
from largesse.kernel.call import Idempotency
from largesse.kernel.clock import HOUR
from largesse.kernel.database.columns import metadata, micros, one_of, project_id
from largesse.kernel.database.rows import insert_rows
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import ApiError, invalid

LIFETIME = 24 * HOUR

keys = Table(
    "idempotency_keys",
    metadata,
    project_id(),
    Column("id", Text, nullable=False),  # digest of method, path and key
    Column("request", Text, nullable=False),  # digest of query and body
    Column("refusal", Text),  # JSON, where the answer was one
    Column("answer", Text),  # JSON, where it was not
    micros("created_at"),
    PrimaryKeyConstraint("project_id", "id"),
    Index("idempotency_keys_by_age", "project_id", "created_at"),
)
_COLUMNS = ("id", "request", "refusal", "answer", "created_at")
_KNOWN = select(keys.c.id, keys.c.request, keys.c.refusal, keys.c.answer, keys.c.created_at).where(
    keys.c.project_id == bindparam("project"), one_of(keys.c.id, "ids")
)
_OLD = (
    select(keys.c.id)
    .where(keys.c.project_id == bindparam("project"), keys.c.created_at < bindparam("before"))
    .order_by(keys.c.created_at)
    .limit(bindparam("most"))
)
_REMOVE = delete(keys).where(keys.c.project_id == bindparam("project"), one_of(keys.c.id, "ids"))
_AT_ONCE = 2  # old keys that go with each new one: more than come, so that they cannot pile up


class Replays:
    """What the units of one transaction are answered without any work, by their keys."""

    def __init__(self, conn: Connection, units: Sequence[Unit]) -> None:
        self._conn = conn
        self._stale: list[str] = []
        self._known: dict[str, _Kept] = {}
        keyed = [unit for unit in units if unit.call.idempotency is not None]
        if not keyed:
            return
        wanted = {"project": keyed[0].project_id, "ids": list({_key(unit).id for unit in keyed})}
        for id, request, refusal, answer, created_at in conn.execute(_KNOWN, wanted):
            if created_at + LIFETIME < keyed[0].now:
                self._stale.append(id)
            else:
                self._known[id] = _Kept(request, refusal, answer)

    def knows(self, unit: Unit) -> bool:
        return unit.call.idempotency is not None and unit.call.idempotency.id in self._known

    def answer(self, unit: Unit) -> msgspec.Raw | ApiError:
        """What is stored under the unit's key, or the ApiError that refuses another request under it."""
        key = _key(unit)
        kept = self._known[key.id]
        if kept.request != key.request:
            details = "This Idempotency-Key was used for another request; a new request needs a new key."
            return invalid("idempotency_key_reused", "Idempotency key reused", details)
        key.replayed = True
        if kept.refusal is not None:
            return ApiError(wire.decode_stored(kept.refusal.encode(), Refusal))
        return msgspec.Raw((kept.answer or "").encode())

    def keep(self, answers: Sequence[tuple[Unit, Any]]) -> None:
        """Stores what the units' work answered; what left nothing is not kept. A key taken meanwhile raises IntegrityError."""
        rows: list[tuple[Any, ...]] = []
        for unit, answer in answers:
            kept = _kept(unit, answer)
            if kept is not None:
                self._known[_key(unit).id] = kept
                rows.append((_key(unit).id, kept.request, kept.refusal, kept.answer, unit.now))
        if not rows:
            return
        unit = answers[0][0]
        oldest = {"project": unit.project_id, "before": unit.now - LIFETIME, "most": _AT_ONCE * len(rows)}
        if gone := {*self._conn.execute(_OLD, oldest).scalars(), *self._stale}:
            self._conn.execute(_REMOVE, {"project": unit.project_id, "ids": list(gone)})
        insert_rows(self._conn, keys, _COLUMNS, unit.project_id, rows)


class _Kept(msgspec.Struct, frozen=True):
    request: str
    refusal: str | None
    answer: str | None


def _key(unit: Unit) -> Idempotency:
    assert unit.call.idempotency is not None
    return unit.call.idempotency


def _kept(unit: Unit, answer: Any) -> _Kept | None:
    if unit.call.idempotency is None:
        return None
    request = unit.call.idempotency.request
    if isinstance(answer, ApiError):
        return _Kept(request, wire.encode_text(answer.refusal), None) if unit.events or unit.written else None
    if isinstance(answer, Exception):
        return None
    return _Kept(request, None, answer.decode() if isinstance(answer, bytes) else wire.encode_text(answer))
