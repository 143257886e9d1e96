"""Vouchers that a customer may be offered, newest first: as little of each as says whether to look at it.

Only what the row itself rules out is left out: switched off, outside its dates, used up. The decision says the rest.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Row, Select, and_, bindparam, or_, select
from sqlalchemy.engine import Connection

import largesse.validation_rules.service as validation_rules
from largesse.kernel.database.columns import one_of
from largesse.vouchers.tables import WITHOUT_CAMPAIGN_AND_RULES, vouchers

_BLOCK = 64  # rows of the first read; each further one is four times as long
_LONGEST = 4_096
_NEVER = 2**63 - 1
_LAST = "\U0010ffff"  # sorts behind every id


class Candidate(msgspec.Struct, frozen=True):
    """`created_at` in microseconds UTC."""

    id: str
    code: str
    type: str
    campaign_id: str | None
    category_id: str | None
    created_at: int


_C = vouchers.c
_ROWS = select(*(_C[name] for name in Candidate.__struct_fields__)).where(
    _C.project_id == bindparam("project"),
    _C.deleted_at.is_(None),
    _C.active.is_(True),
    or_(_C.start_date.is_(None), _C.start_date <= bindparam("now")),
    or_(_C.expiration_date.is_(None), _C.expiration_date >= bindparam("now")),
    or_(_C.quantity.is_(None), _C.redeemed_quantity < _C.quantity),
)
_OLDER: ColumnElement[bool] = and_(  # the first part is all that an index can begin at
    _C.created_at <= bindparam("at"), or_(_C.created_at < bindparam("at"), _C.id < bindparam("id"))
)
# The condition is that of its index, word for word, so that the stores find it.
_WITHOUT_RULES = (
    _ROWS.where(WITHOUT_CAMPAIGN_AND_RULES, _OLDER)
    .order_by(_C.created_at.desc(), _C.id.desc())
    .limit(bindparam("limit"))
)
# Sorted here: in order of creation the stores would read all vouchers of the project for the few that are wanted.
_OF_CAMPAIGNS = _ROWS.where(one_of(_C.campaign_id, "keys"))
_BY_IDS = _ROWS.where(one_of(_C.id, "keys"))


def without_rules(conn: Connection, project_id: str, now: int, before: int | None) -> Iterator[Candidate]:
    """Codes without a campaign and without rules of their own, created before an instant where one is given.

    Read in blocks, as far as asked for.
    """
    at, id, limit = (_NEVER, _LAST, _BLOCK) if before is None else (before, "", _BLOCK)
    while True:
        arguments = {"project": project_id, "now": now, "at": at, "id": id, "limit": limit}
        found = [_candidate(row) for row in conn.execute(_WITHOUT_RULES, arguments)]
        yield from found
        if len(found) < limit:
            return
        at, id, limit = found[-1].created_at, found[-1].id, min(4 * limit, _LONGEST)


def with_rules(
    conn: Connection, project_id: str, now: int, before: int | None, rule_ids: Collection[str]
) -> Sequence[Candidate]:
    """Codes without a campaign that have any of these rules."""
    ids = validation_rules.objects_of(conn, project_id, "voucher", rule_ids)
    return [one for one in _sorted(conn, _BY_IDS, project_id, now, before, ids) if one.campaign_id is None]


def of_campaigns(
    conn: Connection, project_id: str, now: int, before: int | None, campaign_ids: Collection[str]
) -> Sequence[Candidate]:
    """Every code of these campaigns."""
    return _sorted(conn, _OF_CAMPAIGNS, project_id, now, before, campaign_ids)


def by_ids(
    conn: Connection, project_id: str, now: int, before: int | None, ids: Collection[str]
) -> Sequence[Candidate]:
    """Those among these."""
    return _sorted(conn, _BY_IDS, project_id, now, before, ids)


def _sorted(
    conn: Connection,
    statement: Select[Any],
    project_id: str,
    now: int,
    before: int | None,
    keys: Collection[str],
) -> Sequence[Candidate]:
    if not keys:
        return ()
    rows = conn.execute(statement, {"project": project_id, "now": now, "keys": list(keys)})
    found = [_candidate(row) for row in rows]
    limit = _NEVER if before is None else before
    return sorted(
        (one for one in found if one.created_at < limit), key=lambda one: (one.created_at, one.id), reverse=True
    )


def _candidate(row: Row[Any]) -> Candidate:
    return Candidate(**row._mapping)
