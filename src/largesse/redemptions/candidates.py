"""What may qualify: promotions, codes that anyone may use, and what the customer holds, newest first and read as far as needed."""

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy.engine import Connection

import largesse.campaigns.service as campaigns
import largesse.publications.service as publications
from largesse.engine.books import Campaign
from largesse.engine.candidates import Seen
from largesse.engine.scenarios import Scenario
from largesse.kernel.project import Project
from largesse.redemptions.offering import Offers
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
        has_customer: bool,
        offers: tuple[Offers, Seen | None] | None,
    ) -> None:
        """`offers` are looked up by what the request has, by nothing where all are wanted; None where none are."""
        self._conn = conn
        self._project = project
        self._now = now
        self._before = before
        self._holdings = publications.holdings(conn, project.id, customer_id) if customer_id is not None else []
        self._has_customer = has_customer
        self._offers = offers

    def of(self, scenario: Scenario, *, with_vouchers: bool) -> Iterator[Candidate]:
        """Every candidate of a scenario once, from the newest to the oldest."""
        found: list[Iterable[Candidate]] = []
        if self._offers is None:
            found += [self._wallet()] if with_vouchers else []
        elif scenario == "PROMOTION_STACKS":
            found.append(self._stacks(*self._offers))
        else:
            found += [self._tiers(*self._offers), self._campaigns(*self._offers)]
            found += [self._wallet(), self._for_anyone(), *self._on_their_own(*self._offers)] if with_vouchers else []
        seen: set[str] = set()
        for one in heapq.merge(*found, key=lambda one: one.order, reverse=True):
            if one.id not in seen:
                seen.add(one.id)
                yield one

    def _tiers(self, offers: Offers, request: Seen | None) -> Iterator[Candidate]:
        return offers.tiers.that_may_apply(request, self._behind)

    def _campaigns(self, offers: Offers, request: Seen | None) -> Iterator[Candidate]:
        """For a customer, whom a code could be handed to, and who has not all that they may have of it."""
        if not self._has_customer:
            return
        joined = {one.campaign_id for one in self._holdings}
        for one in offers.campaigns.that_may_apply(request, self._behind):
            if not (one.joins_once and one.id in joined):
                yield one

    def _stacks(self, offers: Offers, request: Seen | None) -> Iterator[Candidate]:
        """Those that begin with a tier that may apply."""
        for stack, first in sorted(offers.stacks.values(), key=lambda one: one[0].order, reverse=True):
            if self._before is not None and stack.created_at >= self._before:
                continue
            if offers.tiers.may_apply(first, request):
                yield stack

    @property
    def _behind(self) -> tuple[int] | None:
        """What is old enough comes behind this in the order of candidates."""
        return None if self._before is None else (self._before,)

    def _wallet(self) -> list[Candidate]:
        held = {one.voucher_id: one.role for one in self._holdings}
        found = codes.by_ids(self._conn, self._project.id, self._now, self._before, held)
        return [_voucher(one, held[one.id]) for one in found]

    def _for_anyone(self) -> list[Candidate]:
        """The codes of campaigns that hold one code for everybody."""
        standalone = campaigns.standalone(self._conn, self._project)
        held = codes.of_campaigns(self._conn, self._project.id, self._now, self._before, standalone)
        return [_voucher(one) for one in held]

    def _on_their_own(self, offers: Offers, request: Seen | None) -> Iterator[Iterable[Candidate]]:
        """Codes without a campaign: those without rules, read as far as needed, and those of which a rule may hold."""
        yield map(_voucher, codes.without_rules(self._conn, self._project.id, self._now, self._before))
        rules = list(offers.rules.that_may_apply(request))
        yield map(_voucher, codes.with_rules(self._conn, self._project.id, self._now, self._before, rules))


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
    """Operators with null are absent, as the official SDKs write those that are not set."""
    return all(_check(operator, sent, value) for operator, sent in (asked.conditions or {}).items() if sent is not None)


def _check(operator: str, sent: Any, value: str | None) -> bool:
    if operator in ("$has_value", "$is_unknown"):
        return (value is None) is (operator == "$is_unknown")
    values = sent if isinstance(sent, list) else [sent]
    if operator in ("$is", "$is_not"):
        values = values[:1]  # documented: the first counts
    return (value in values) is (operator in ("$is", "$in"))
