"""After a storm: what clients were told is compared with what the store holds, row by row and without the engine."""

import json
from collections import defaultdict
from typing import Any

from sqlalchemy import Connection, text

Note = dict[str, Any]  # what a client process wrote down of one request
_UNKNOWN = (0, 500, 503)  # nobody answered, or nobody could say

_REDEMPTIONS = text("SELECT id, result, metadata FROM redemptions WHERE object = 'redemption'")
_ROLLBACKS = text(
    "SELECT source_id, count(*) AS times FROM redemptions"
    " WHERE object = 'redemption_rollback' AND result = 'SUCCESS' GROUP BY source_id"
)
_ADJUSTMENTS = text(
    "SELECT source_id, count(*) AS times FROM voucher_transactions"
    " WHERE type IN ('CREDITS_ADDITION', 'CREDITS_REMOVAL') GROUP BY source_id"
)
_OVERDRAWN = text("SELECT code FROM vouchers WHERE gift_amount - subtracted_amount - redeemed_amount < 0")
_LIVE = "FROM redemptions WHERE object = 'redemption' AND status = 'SUCCEEDED' AND voucher_code = :code"
_USED = {
    "code": text(f"SELECT count(*) {_LIVE}"),
    "session": text(f"SELECT count(*) {_LIVE}"),
    "campaign": text(f"SELECT count(*) {_LIVE}"),
    "budget": text(f"SELECT coalesce(sum(discount_amount), 0) {_LIVE}"),
    "customer": text(f"SELECT coalesce(max(n), 0) FROM (SELECT count(*) AS n {_LIVE} GROUP BY customer_id) AS counted"),
}


class Reckoning:
    """What is wrong, in words; nothing where every answer was kept."""

    def __init__(self, conn: Connection, notes: list[Note]) -> None:
        self._conn = conn
        self._notes = notes

    def problems(self) -> list[str]:
        overdrawn = [f"{row.code} is overdrawn" for row in self._conn.execute(_OVERDRAWN)]
        failed = [f"{note['act']} failed: {one}" for note in self._notes for one in note["failures"]]
        return [*self._redemptions(), *self._rollbacks(), *self._adjustments(), *overdrawn, *failed]

    def _of(self, act: str) -> list[Note]:
        return [note for note in self._notes if note["act"] == act]

    def _redemptions(self) -> list[str]:
        """An answered one is there, whole and once; a refused one is not; an unanswered one is whole or not there."""
        found: defaultdict[str, set[str]] = defaultdict(set)
        for row in self._conn.execute(_REDEMPTIONS):
            if row.result == "SUCCESS":
                found[json.loads(row.metadata or "{}").get("marker", "")].add(row.id)
        problems = [_redemption_problem(note, found.pop(note["marker"], set())) for note in self._of("redeem")]
        return [problem for problem in problems if problem] + [f"nobody asked for {marker}" for marker in found]

    def _rollbacks(self) -> list[str]:
        """Every answered one is there, and nothing was undone twice."""
        undone = {row.source_id: row.times for row in self._conn.execute(_ROLLBACKS)}
        answered = {note["marker"] for note in self._of("undo") if note["status"] == 200}
        twice = [f"{id} was undone {times} times" for id, times in undone.items() if times != 1]
        return twice + [f"the undo of {id} was answered and is not there" for id in answered - undone.keys()]

    def _adjustments(self) -> list[str]:
        """A keyed one happened exactly once however often it was sent; another one at most once."""
        there = {row.source_id: row.times for row in self._conn.execute(_ADJUSTMENTS)}
        problems = []
        for note in self._of("adjust"):
            times = there.get(note["marker"], 0)
            allowed = {200: (1,)}.get(note["status"], (0, 1) if note["status"] in _UNKNOWN else (0,))
            if times not in allowed:
                problems.append(f"adjustment {note['marker']}: answered {note['status']}, happened {times} times")
        return problems


def _redemption_problem(note: Note, kept: set[str]) -> str | None:
    status, marker, count = note["status"], note["marker"], len(note["body"]["redeemables"])
    if status == 200:
        parent = note["answer"].get("parent_redemption")
        answered = {one["id"] for one in note["answer"]["redemptions"]} | ({parent["id"]} if parent else set())
        return None if kept == answered else f"{marker} was answered with {answered}, {kept} are there"
    if status in _UNKNOWN:
        whole = count + 1 if count > 1 else 1
        return None if len(kept) in (0, whole) else f"{marker} is half done: {kept}"
    return f"{marker} was refused with {note['answer'].get('key')}, {kept} are there" if kept else None


def over_the_limit(conn: Connection, limits: dict[str, tuple[str, int]]) -> list[str]:
    """Codes of which more is in force than their limit, given as kind of limit and most."""
    problems = []
    for code, (kind, most) in limits.items():
        used = int(conn.execute(_USED[kind], {"code": code}).scalar_one())
        if used > most:
            problems.append(f"limit per {kind}: {used} of {most}")
    return problems
