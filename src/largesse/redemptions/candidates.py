"""What may qualify: promotions, codes that anyone may use, and what the customer holds, newest first and read as far as needed."""

import heapq
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy.engine import Connection

import largesse.campaigns.service as campaigns
import largesse.publications.service as publications
from largesse.engine.books import Campaign
from largesse.engine.candidates import Seen
from largesse.engine.scenarios import Scenario
from largesse.kernel.project import Project
from largesse.redemptions.promotion_index import Indexed
from largesse.redemptions.qualification_model import Candidate, FieldConditions, QualificationFilters
from largesse.vouchers import candidates as codes

_FIELDS = {
    "category_id": "category_id",
    "campaign_id": "campaign_id",
    "campaign_type": "campaign_type",
    "resource_id": "id",
    "resource_type": "kind",
    "voucher_type": "voucher_type",
    "code": "code",
    "holder_role": "holder_role",
}


class Sources:
    """Where candidates of one request come from. `before` bounds their age, in microseconds UTC."""

    def __init__(
        self,
        conn: Connection,
        project: Project,
        now: int,
        before: int | None,
        customer_id: str | None,
        promotions: tuple[Indexed, Seen] | None,
    ) -> None:
        """`promotions` are looked up by what the request has; None where none are wanted."""
        self._conn = conn
        self._project = project
        self._now = now
        self._before = before
        self._holdings = publications.holdings(conn, project.id, customer_id) if customer_id is not None else []
        self._promotions = promotions

    def of(self, scenario: Scenario, *, with_vouchers: bool) -> Iterator[Candidate]:
        """Every candidate of a scenario once, from the newest to the oldest."""
        found: list[Iterable[Candidate]] = []
        if scenario == "PROMOTION_STACKS":
            found.append(self._stacks())
        elif scenario == "CUSTOMER_WALLET":
            found += [self._wallet()] if with_vouchers else []
        else:
            found.append(self._tiers())
            found += [self._wallet(), self._for_anyone(), self._on_their_own()] if with_vouchers else []
        seen: set[str] = set()
        for one in heapq.merge(*found, key=lambda one: one.order, reverse=True):
            if one.id not in seen:
                seen.add(one.id)
                yield one

    def _tiers(self) -> Iterator[Candidate]:
        if self._promotions is None:
            return
        indexed, request = self._promotions
        first = 0
        if self._before is not None:
            first = bisect_right(indexed.tiers, -self._before, key=lambda one: -one.created_at)
        for place in indexed.index.find(request, first):
            yield indexed.tiers[place]

    def _stacks(self) -> Iterator[Candidate]:
        """Those that begin with a tier that may apply."""
        if self._promotions is None:
            return
        indexed, request = self._promotions
        for stack, first in indexed.stacks:
            if self._before is not None and stack.created_at >= self._before:
                continue
            if first is not None and indexed.index.may_apply(first, request):
                yield stack

    def _wallet(self) -> list[Candidate]:
        held = {one.voucher_id: one.role for one in self._holdings}
        found = codes.by_ids(self._conn, self._project.id, self._now, self._before, held)
        return [_voucher(one, held[one.id]) for one in found]

    def _for_anyone(self) -> list[Candidate]:
        """The codes of campaigns that hold one code for everybody."""
        standalone = campaigns.standalone(self._conn, self._project)
        held = codes.of_campaigns(self._conn, self._project.id, self._now, self._before, standalone)
        return [_voucher(one) for one in held]

    def _on_their_own(self) -> Iterator[Candidate]:
        return map(_voucher, codes.on_their_own(self._conn, self._project.id, self._now, self._before))


def _voucher(one: codes.Candidate, role: str | None = None) -> Candidate:
    return Candidate(
        kind="voucher",
        id=one.id,
        shown_id=one.code,
        created_at=one.created_at,
        code=one.code,
        campaign_id=one.campaign_id,
        category_id=one.category_id,
        voucher_type=one.type,
        holder_role=role,
    )


# Filters


def wanted(
    found: Sequence[Candidate], filters: QualificationFilters | None, parents: Mapping[str, Campaign]
) -> list[Candidate]:
    """Those that pass the filters; `parents` are their campaigns."""
    if filters is None:
        return list(found)
    asked = {field: conditions for field in _FIELDS if (conditions := getattr(filters, field)) is not None}
    if not asked:
        return list(found)
    together = any if (filters.junction or "and").lower() == "or" else all
    return [
        one
        for one in found
        if together([_holds(conditions, _value(one, field, parents)) for field, conditions in asked.items()])
    ]


def _value(one: Candidate, field: str, parents: Mapping[str, Campaign]) -> str | None:
    parent = parents.get(one.campaign_id or "")
    if field == "campaign_type":
        return parent.type if parent else None
    if field == "category_id" and one.category_id is None:
        return parent.category.id if parent and parent.category else None
    value: str | None = getattr(one, _FIELDS[field])
    return value


def _holds(asked: FieldConditions, value: str | None) -> bool:
    return all(_check(operator, sent, value) for operator, sent in (asked.conditions or {}).items())


def _check(operator: str, sent: Any, value: str | None) -> bool:
    if operator in ("$has_value", "$is_unknown"):
        return (value is None) is (operator == "$is_unknown")
    values = sent if isinstance(sent, list) else [sent]
    if operator in ("$is", "$is_not"):
        values = values[:1]  # documented: the first counts
    return (value in values) is (operator in ("$is", "$in"))
