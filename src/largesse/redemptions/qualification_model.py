"""Qualifications as asked for: of whom, on which order, which kinds of redeemables, and how many of them."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from largesse.customers.model import CustomerInput, StoredCustomer
from largesse.engine.books import Ask
from largesse.engine.decision import Decision
from largesse.engine.order import OrderInput
from largesse.engine.scenarios import Scenario
from largesse.kernel.clock import MILLISECOND
from largesse.kernel.wire import Instant
from largesse.redemptions.model import Options, StackableRequest

DEFAULT_LIMIT = 5
MAX_LIMIT = 50
Shown = Literal["redeemable", "category", "validation_rules"]
SortingRule = Literal["DEFAULT", "BEST_DEAL", "LEAST_DEAL"]
Kind = Literal["voucher", "promotion_tier", "promotion_stack", "campaign"]
Operator = Literal["$is", "$is_not", "$in", "$not_in", "$has_value", "$is_unknown"]


class FieldConditions(msgspec.Struct, frozen=True):
    """The conditions of one field, all of which must hold; values as a list, or one alone."""

    conditions: dict[Operator, Any] | None = None


class QualificationFilters(msgspec.Struct, frozen=True, kw_only=True):
    """Which redeemables are looked at."""

    junction: Literal["and", "or", "AND", "OR"] | None = None
    category_id: FieldConditions | None = None
    campaign_id: FieldConditions | None = None
    campaign_type: FieldConditions | None = None
    resource_id: FieldConditions | None = None
    resource_type: FieldConditions | None = None
    voucher_type: FieldConditions | None = None
    code: FieldConditions | None = None
    holder_role: FieldConditions | None = None


class QualificationOptions(msgspec.Struct, frozen=True, kw_only=True):
    """`starting_after` is a date; what is listed is older. `explain` lists what does not qualify too, with the reasons: an addition
    to the API.
    """

    limit: Annotated[int, Meta(ge=1, le=MAX_LIMIT)] | None = None
    starting_after: Instant | None = None
    filters: QualificationFilters | None = None
    expand: list[Shown] | None = None
    sorting_rule: SortingRule | None = None
    explain: bool | None = None


class QualificationSession(msgspec.Struct, frozen=True):
    """LOCK locks nothing here: it shows what sessions hold of gift cards (documented)."""

    type: Literal["LOCK"] | None = None


class RewardQuestion(msgspec.Struct, frozen=True):
    """The reward that loyalty cards are to pay for; `points` to pay with, None for as many as the order takes."""

    id: str | None = None
    assignment_id: str | None = None
    points: Annotated[int, Meta(ge=0, le=10**15)] | None = None


class QualificationRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a qualification. With a `reward` the loyalty cards are listed that can have it."""

    customer: CustomerInput | None = None
    order: OrderInput | None = None
    tracking_id: str | None = None
    scenario: Scenario | None = None
    options: QualificationOptions | None = None
    session: QualificationSession | None = None
    reward: RewardQuestion | None = None
    metadata: dict[str, Any] | None = None

    def as_stackable(self) -> StackableRequest:
        """The same as a validation of nothing."""
        return StackableRequest(
            redeemables=[],
            order=self.order,
            customer=self.customer,
            tracking_id=self.tracking_id,
            metadata=self.metadata,
            options=Options(explain=self.options.explain if self.options else None),
        )

    def explained(self) -> "QualificationRequest":
        """The same, asking for explanations too."""
        options = msgspec.structs.replace(self.options or QualificationOptions(), explain=True)
        return msgspec.structs.replace(self, options=options)


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """What may qualify, as lists order and filter it. `id` is that of the object, `shown_id` what answers call it.

    `created_at` in microseconds UTC; of what was made at one moment, the lowest `place` comes first.
    """

    kind: Kind
    id: str
    shown_id: str
    created_at: int
    place: int = 0
    name: str | None = None
    code: str | None = None
    campaign_id: str | None = None
    campaign_type: str | None = None
    category_id: str | None = None
    voucher_type: str | None = None
    holder_role: str | None = None
    joins_once: bool = False  # whether a customer may have one code of the campaign only

    @property
    def order(self) -> tuple[int, int, str]:
        """Lists go from the highest down."""
        return self.created_at, -self.place, self.id


class Cursor(msgspec.Struct, frozen=True):
    """Where a page begins: after the first `shown` of what was made in the millisecond from `moment` (microseconds UTC), or at
    what is older than that where none of it was shown.

    On the wire it is one date, and `shown` its microseconds, which no other date of the API has (our decision): so that nothing is
    lost between pages, though lists are ordered by dates in milliseconds.
    """

    moment: int | None = None
    shown: int = 0

    @classmethod
    def at(cls, sent: int | None) -> "Cursor":
        return cls() if sent is None else cls(sent - sent % MILLISECOND, sent % MILLISECOND)

    @property
    def before(self) -> int | None:
        """What is listed was created before this, in microseconds UTC; None for everything."""
        return None if self.moment is None else self.moment + (MILLISECOND if self.shown else 0)

    def has_shown(self, created_at: int, passed: int) -> bool:
        """Whether one, the next after `passed` others of its millisecond, was on an earlier page."""
        return self.moment is not None and created_at >= self.moment and passed < self.shown

    def after(self, created: Sequence[int], limit: int) -> int | None:
        """The cursor of the next page, where more were found than the page takes; None where not. `created` from the newest on."""
        if len(created) <= limit:
            return None
        last, following = (one - one % MILLISECOND for one in created[limit - 1 : limit + 1])
        if last > following:
            return last
        shown = sum(1 for one in created[:limit] if one >= last) + (self.shown if last == self.moment else 0)
        return last + min(shown, MILLISECOND - 1)


class Qualified(msgspec.Struct, frozen=True):
    """A candidate that qualifies, what it was asked as, and what it would do; `tiers` are those of a stack, in its order."""

    candidate: Candidate
    asks: Sequence[Ask]
    decision: Decision
    tiers: Sequence[Candidate] = ()


class Refused(msgspec.Struct, frozen=True):
    """A candidate that does not qualify, and what says why."""

    candidate: Candidate
    decision: Decision


class QualifiedPage(msgspec.Struct, frozen=True):
    """`next` is the cursor of the page after this one, None where there is none; microseconds UTC. `refused` are the candidates
    looked at on the way, where explanations are asked for.
    """

    found: Sequence[Qualified]
    next: int | None
    customer: StoredCustomer | None
    customer_id: str | None
    refused: Sequence[Refused] | None = None
