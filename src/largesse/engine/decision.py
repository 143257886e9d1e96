"""A decision: for every redeemable whether it applies and why or why not, what it does to the order, which postings it makes.

Validating returns it, redeeming commits it. Computing it changes nothing.
"""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from largesse.engine import refusal as refusals
from largesse.engine import stacking
from largesse.engine.benefits import Bundle
from largesse.engine.books import Ask, Voucher
from largesse.engine.circumstances import Circumstances
from largesse.engine.discounts import Discount
from largesse.engine.effects import apply_credits, apply_discount, resolved
from largesse.engine.order import Line, Order, without_applied
from largesse.engine.refusal import Refusal
from largesse.engine.stacking import Limits, SkipReason, StackingRules, evaluation_order
from largesse.engine.validity import in_hours, in_timeframe, on_weekday

__all__ = ["Circumstances", "Decision", "Outcome", "Posting", "check_request", "commit", "decide"]

VOUCHER_USES = "voucher_uses"
TIER_USES = "tier_uses"
GIFT_CREDITS = "gift_credits"
DISCOUNTED_UNITS = "discounted_units"
GIFT = "GIFT_VOUCHER"
Status = Literal["APPLICABLE", "INAPPLICABLE", "SKIPPED"]


class Posting(msgspec.Struct, frozen=True):
    """A signed change of one account: uses grow with a redemption, a card's credits fall.

    Subjects are vouchers, promotion tiers and, for discounted units, budget keys; `most` is what a budget may then hold.
    """

    account: str
    subject_id: str
    amount: int
    most: int | None = None


class Outcome(msgspec.Struct, frozen=True):
    """What became of one redeemable. `order` is the running state after it, with only its own `applied_*`.

    `discount` is the definition with the effect in force and `is_dynamic`; the two lists say what it applies to, JSON-ready;
    `bundle` stands there too where no bundle is complete.
    """

    ask: Ask
    status: Status
    refusal: Refusal | None = None
    skip: SkipReason | None = None
    order: Order | None = None
    discount: Discount | None = None
    credits: int | None = None
    applicable_to: tuple[dict[str, Any], ...] = ()
    inapplicable_to: tuple[dict[str, Any], ...] = ()
    bundle: Bundle | None = None
    postings: tuple[Posting, ...] = ()


class Decision(msgspec.Struct, frozen=True):
    """`outcomes` in order of evaluation; `order` ends with the `applied_*` of the whole request.

    `failure` is what a redemption answers when nothing may be granted.
    """

    outcomes: list[Outcome]
    valid: bool
    order: Order | None
    failure: Refusal | None

    @property
    def applicable(self) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.status == "APPLICABLE"]

    @property
    def inapplicable(self) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.status == "INAPPLICABLE"]

    @property
    def skipped(self) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.status == "SKIPPED"]


def check_request(asks: Sequence[Ask], rules: StackingRules) -> Refusal | None:
    """What makes a whole request impossible, unrecorded: too many redeemables, one twice, a stack beside others."""
    if len(asks) > rules.redeemables_limit:
        return refusals.invalid_redeemables(f"A request takes at most {rules.redeemables_limit} redeemables")
    named = {(ask.object, ask.voucher.id if ask.voucher else ask.id) for ask in asks}
    if len(named) < len(asks):
        return refusals.duplicated_redeemables()
    if len(asks) > 1 and any(ask.object == "promotion_stack" for ask in asks):
        return refusals.invalid_redeemables("Promotion Stack cannot be use with other redeemables")
    return None


def decide(asks: Sequence[Ask], order: Order | None, about: Circumstances) -> Decision:
    """Walks the redeemables in order of evaluation with a running order. Pure: the vouchers are read, not changed."""
    rules = about.rules
    start = without_applied(order) if order is not None else None
    running = start
    limits = Limits(rules)
    excluded = _has_valid_exclusive(asks, start, about)
    outcomes: list[Outcome] = []
    failed = False
    for ask in evaluation_order(asks, rules):
        outcome = _evaluate(ask, running, limits, about, failed=failed, excluded=excluded)
        outcomes.append(outcome)
        if outcome.status == "APPLICABLE":
            limits.count(ask)
            running = outcome.order
        elif outcome.status == "INAPPLICABLE" and rules.redeemables_application_mode == "ALL":
            failed = True
    granted = [outcome for outcome in outcomes if outcome.status == "APPLICABLE"]
    valid = bool(granted) and not failed
    return Decision(
        outcomes,
        valid,
        _of_whole_request(start, running) if start is not None and running is not None else None,
        None if valid else _failure(outcomes, failed),
    )


def _evaluate(
    ask: Ask,
    running: Order | None,
    limits: Limits,
    about: Circumstances,
    *,
    failed: bool,
    excluded: bool,
) -> Outcome:
    rules = about.rules
    if failed:
        return Outcome(ask, "SKIPPED", skip=stacking.PRECEDING_FAILURE)
    reason = limits.reason_against(ask)
    if reason is not None:
        return Outcome(ask, "SKIPPED", skip=reason)
    if excluded and not rules.is_exclusive(ask) and not rules.is_joint(ask):
        return Outcome(ask, "SKIPPED", skip=stacking.EXCLUSION)
    refusal = precondition(ask, running, about)
    if refusal is not None:
        return Outcome(ask, "INAPPLICABLE", refusal=_naming(refusal, ask))
    outcome = _effect(ask, running, about)
    if rules.skips_no_effect(ask) and not _has_effect(outcome):
        return Outcome(ask, "SKIPPED", skip=stacking.NO_EFFECT)
    return outcome


def _has_valid_exclusive(asks: Sequence[Ask], start: Order | None, about: Circumstances) -> bool:
    """Whether common redeemables must stand back; exclusive ones are probed against the initial order (our decision)."""
    return any(about.rules.is_exclusive(ask) and precondition(ask, start, about) is None for ask in asks)


def precondition(ask: Ask, order: Order | None, about: Circumstances) -> Refusal | None:
    """The first reason against a redeemable, in the documented order of checks: its own state, the order, the balance."""
    voucher = ask.voucher
    if voucher is None:
        return refusals.not_found(ask.object, ask.id)
    code = voucher.code
    if not voucher.active or (voucher.parent is not None and not voucher.parent.active):
        return refusals.voucher_disabled(code)
    if voucher.start_date is not None and about.now < voucher.start_date:
        return refusals.voucher_not_active(code)
    if voucher.expiration_date is not None and about.now > voucher.expiration_date:
        return refusals.voucher_expired(code)
    if not _in_window(voucher, about):
        return refusals.voucher_not_active_now(code)
    held_uses, held_credits = voucher.locked(about.session_key, about.now) if voucher.locks else (0, 0)
    if voucher.quantity is not None and voucher.redeemed_quantity + held_uses >= voucher.quantity:
        return refusals.quantity_exceeded(code)
    if voucher.type == GIFT:
        return _gift_precondition(voucher, ask.credits, order, held_credits)
    return None


def _in_window(voucher: Voucher, about: Circumstances) -> bool:
    frame, days, hours = voucher.validity_timeframe, voucher.validity_day_of_week, voucher.validity_hours
    start = voucher.start_date
    if frame is not None and start is not None and not in_timeframe(frame, start, about.now, about.zone):
        return False
    if days and not on_weekday(days, about.now, about.zone):
        return False
    return hours is None or in_hours(hours, about.now, about.zone)


def _gift_precondition(voucher: Voucher, credits: int | None, order: Order | None, held: int) -> Refusal | None:
    if order is None:
        return refusals.missing_order(voucher.code)
    if order.amount is None:
        return refusals.missing_amount(voucher.code)
    if voucher.gift_effect == "APPLY_TO_ITEMS" and not any(line.amount is not None for line in order.lines or ()):
        return refusals.missing_order_items_amount()
    if credits is not None and credits > voucher.balance - held:
        return refusals.gift_amount_exceeded(voucher.code)
    return None


def _effect(ask: Ask, order: Order | None, about: Circumstances) -> Outcome:
    """What an applicable redeemable does."""
    voucher = ask.voucher
    assert voucher is not None  # precondition() has seen it
    used = Posting(VOUCHER_USES, voucher.id, 1)
    if voucher.type == GIFT:
        assert order is not None
        _, held = voucher.locked(about.session_key, about.now) if voucher.locks else (0, 0)
        most = voucher.balance - held if ask.credits is None else ask.credits
        after, taken = apply_credits(voucher.gift_effect, max(0, most), order)
        spent = (Posting(GIFT_CREDITS, voucher.id, -taken),) if taken else ()
        return Outcome(ask, "APPLICABLE", order=after, credits=taken, postings=(used, *spent))
    discount = voucher.discount
    if discount is None:
        return Outcome(ask, "APPLICABLE", order=without_applied(order) if order else None, postings=(used,))
    after_discount = order
    if order is not None:
        touched = _touched_lines(order, about.rules)
        initial = about.rules.uses_initial_amount(ask)
        after_discount = apply_discount(discount, order, from_initial_amount=initial, skip_lines=touched)
    return Outcome(ask, "APPLICABLE", order=after_discount, discount=resolved(discount), postings=(used,))


def _touched_lines(order: Order, rules: StackingRules) -> frozenset[int]:
    """Under ONCE: the lines that carry an item-level discount already."""
    if rules.redeemables_products_application_mode != "ONCE":
        return frozenset()
    return frozenset(place for place, line in enumerate(order.lines or ()) if line.discount_amount)


def _has_effect(outcome: Outcome) -> bool:
    return bool(outcome.credits) or bool(outcome.order and outcome.order.total_applied_discount_amount)


def _naming(refusal: Refusal, ask: Ask) -> Refusal:
    return msgspec.structs.replace(refusal, redeemable_type=ask.object, redeemable_id=ask.id)


def _failure(outcomes: list[Outcome], failed: bool) -> Refusal:
    """What a redemption of an invalid request answers: the first error in mode ALL, else that nothing applies."""
    first = next((outcome.refusal for outcome in outcomes if outcome.refusal is not None), None)
    return first if failed and first is not None else refusals.no_applicable_redeemables()


def _of_whole_request(start: Order, end: Order) -> Order:
    """The final order with `applied_*` measured from where the request began."""
    lines = end.lines
    if lines is not None and lines is not start.lines:
        before = start.lines or ()
        lines = tuple(_line_of_whole_request(before[place], line) for place, line in enumerate(lines))
    return msgspec.structs.replace(
        end, applied_discount_amount=end.discount_amount - start.discount_amount, lines=lines
    )


def _line_of_whole_request(before: Line, after: Line) -> Line:
    applied = after.discount_amount - before.discount_amount
    units = after.discount_quantity if applied else None
    return msgspec.structs.replace(after, applied_discount_amount=applied, applied_discount_quantity=units)


def commit(decision: Decision, session_key: str | None = None, budgets: dict[str, int] | None = None) -> None:
    """Applies the postings to the entries and `budgets` in memory, so that the next request of the batch sees them.

    Locks that `session_key` holds on the vouchers used end with it.
    """
    for outcome in decision.applicable:
        voucher = outcome.ask.voucher
        for posting in outcome.postings:
            if posting.account == DISCOUNTED_UNITS:
                if budgets is not None:
                    budgets[posting.subject_id] = budgets.get(posting.subject_id, 0) + posting.amount
            elif voucher is not None and posting.account == VOUCHER_USES:
                voucher.redeemed_quantity += posting.amount
            elif voucher is not None and posting.account == GIFT_CREDITS:
                voucher.redeemed_amount -= posting.amount
        if session_key and voucher is not None and voucher.locks:
            voucher.locks = [lock for lock in voucher.locks if lock.session_key != session_key]
