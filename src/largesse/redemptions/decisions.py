"""Stored decisions: what became of each redeemable of a request, for whoever asks later why.

A redemption's record keeps what was granted and to which line each minor unit went. This keeps the rest beside it: what was refused
or skipped and why, and what was left of each code and card. A project keeps it for `explanation_days`.
"""

import base64
import zlib
from typing import Any

import msgspec
from sqlalchemy import and_, bindparam, delete, or_, select
from sqlalchemy.engine import Connection

from largesse.engine.decision import Decision, Outcome
from largesse.engine.explanation import Explanation
from largesse.kernel import ids, wire
from largesse.kernel.clock import DAY
from largesse.kernel.database.columns import one_of
from largesse.kernel.database.rows import insert_rows
from largesse.kernel.project import Project
from largesse.redemptions.tables import decisions

_LONG = 512  # characters from which compressing is worth its time
_COMPRESSED = "z"
_ONE_IN = 32  # batches of which one removes what is too old, and then more than came since
_AT_ONCE = 3_000
Noted = tuple[str, str]  # the id of a redemption (single, parent or failed), and its decision as text


class StoredOutcome(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What became of one redeemable. What was left is told of vouchers: uses None without limit, credits or points of cards."""

    object: str
    id: str
    status: str
    key: str | None = None
    message: str | None = None
    rules: list[Explanation] | None = None
    uses_left: int | None = None
    balance: int | None = None


_OUTCOMES = msgspec.json.Decoder(list[StoredOutcome])
_OF = select(decisions.c.outcomes).where(
    decisions.c.project_id == bindparam("project"), decisions.c.id == bindparam("id")
)
# Ids sort by time behind the two prefixes that decisions have, so that the oldest lie at the beginnings of two ranges.
_OLD = (
    select(decisions.c.id)
    .where(
        decisions.c.project_id == bindparam("project"),
        or_(
            and_(decisions.c.id >= "r_", decisions.c.id < bindparam("kept")),
            and_(decisions.c.id >= "rf_", decisions.c.id < bindparam("kept_failures")),
        ),
    )
    .limit(_AT_ONCE)
)
_REMOVE = delete(decisions).where(decisions.c.project_id == bindparam("project"), one_of(decisions.c.id, "ids"))


def note(redemption_id: str, decision: Decision) -> Noted:
    """The decision of a request as it will be stored under its redemption, after it was committed in memory."""
    text = wire.encode_text([_stored(outcome) for outcome in decision.outcomes])
    if len(text) > _LONG:
        text = _COMPRESSED + base64.b85encode(zlib.compress(text.encode())).decode()
    return redemption_id, text


def _stored(outcome: Outcome) -> StoredOutcome:
    ask = outcome.ask
    refusal, skip, voucher = outcome.refusal, outcome.skip, ask.voucher
    uses_left = balance = None
    if voucher is not None:
        uses_left = None if voucher.quantity is None else voucher.quantity - voucher.redeemed_quantity
        balance = None if voucher.discount is not None else voucher.balance
    told = refusal or skip
    return StoredOutcome(
        object=ask.object,
        id=ask.tier.id if ask.tier else voucher.id if voucher else ask.id,
        status=outcome.status,
        key=told.key if told else None,
        message=told.message if told else None,
        rules=refusal.explanation if refusal else None,
        uses_left=uses_left,
        balance=balance,
    )


def save(conn: Connection, project: Project, noted: list[Noted]) -> None:
    insert_rows(conn, decisions, ("id", "outcomes"), project.id, noted)


def forget_old(conn: Connection, project: Project, noted: list[Noted], now: int) -> None:
    """Now and then removes decisions that are older than the project keeps them."""
    if not noted or int(noted[0][0][-2:], 16) % _ONE_IN:
        return
    before = now - project.settings.explanation_days * DAY
    kept = {"kept": ids.hex_id_at("r_", before), "kept_failures": ids.hex_id_at("rf_", before)}
    old = list(conn.execute(_OLD, {"project": project.id, **kept}).scalars())
    if old:
        conn.execute(_REMOVE, {"project": project.id, "ids": old})


def of(conn: Connection, project_id: str, redemption_id: str) -> list[StoredOutcome] | None:
    """The decision under a redemption; None where there is none, or none any more."""
    text: Any = conn.execute(_OF, {"project": project_id, "id": redemption_id}).scalar()
    if text is None:
        return None
    if text.startswith(_COMPRESSED):
        text = zlib.decompress(base64.b85decode(text[1:])).decode()
    return _OUTCOMES.decode(text)
