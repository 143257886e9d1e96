"""Releasing what a validation session holds."""

import largesse.vouchers.service as vouchers
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import not_found
from largesse.redemptions import store


def release(unit: Unit, code: str, session_key: str) -> None:
    """Frees one voucher's lock of a session; the session's other locks stay. Raises ApiError 404 for either that is unknown."""
    stored = vouchers.load(unit.conn, unit.project, [code], lock=True).get(code)
    if stored is None:
        raise not_found("voucher", code)
    held = store.live_locks(unit.conn, unit.project_id, [stored.entry.id], unit.now).get(stored.entry.id, [])
    if all(lock.session_key != session_key for lock in held):
        raise not_found("session", session_key)
    store.delete_locks(unit.conn, unit.project_id, session_key, [stored.entry.id])
