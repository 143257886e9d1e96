"""A decision: for every redeemable whether it applies and why or why not, what it does to the order, which postings it makes.

Validating returns it, redeeming commits it. Computing it changes nothing.
"""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from largesse.engine import refusal as refusals
from largesse.engine import stacking
from largesse.engine.benefits import Bundle
from largesse.engine.books import Ask
from largesse.engine.cart import Cart
from largesse.engine.circumstances import Circumstances
from largesse.engine.discounts import Discount
from largesse.engine.effects import Effect, Effects
from largesse.engine.order import Line, Order, without_applied
from largesse.engine.preconditions import Course, Made, Verdict, granted_use, judge, judge_rules, looks_at_result
from largesse.engine.refusal import Refusal
from largesse.engine.rewards import Offer
from largesse.engine.stacking import Limits, SkipReason, StackingRules, evaluation_order
from largesse.engine.tallies import Tallies, Use

__all__ = ["Circumstances", "Decision", "Outcome", "Posting", "check_request", "commit", "decide"]

VOUCHER_USES = "voucher_uses"
TIER_USES = "tier_uses"
GIFT_CREDITS = "gift_credits"
POINTS = "points"
REWARD_USES = "reward_uses"
REWARD_STOCK = "reward_stock"
DISCOUNTED_UNITS = "discounted_units"
Status = Literal["APPLICABLE", "INAPPLICABLE", "SKIPPED"]


class Posting(msgspec.Struct, frozen=True):
    """A signed change of one account: uses grow with a redemption, a card's credits or points and a reward's stock fall.

    Subjects are vouchers, promotion tiers, rewards and, for discounted units, budget keys; `most` is what a budget may then hold.
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
    points: int | None = None
    applicable_to: tuple[dict[str, Any], ...] = ()
    inapplicable_to: tuple[dict[str, Any], ...] = ()
    bundle: Bundle | None = None
    postings: tuple[Posting, ...] = ()


class Decision(msgspec.Struct, frozen=True):
    """`outcomes` in order of evaluation; `order` ends with the `applied_*` of the whole request.

    `failure` is what a redemption answers when nothing may be granted, `uses` what was granted, where rules count.
    """

    outcomes: list[Outcome]
    valid: bool
    order: Order | None
    failure: Refusal | None
    uses: list[Use] = []

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
    """Walks the redeemables in order of evaluation with a running order. Pure: vouchers and budgets are read, not changed."""
    start = without_applied(order) if order is not None else None
    walk = _Walk(start, about)
    excluded = any(walk.is_valid(ask, start) for ask in asks if about.rules.is_exclusive(ask))
    outcomes = [walk.evaluate(ask, excluded) for ask in evaluation_order(asks, about.rules)]
    granted = [outcome for outcome in outcomes if outcome.status == "APPLICABLE"]
    valid = bool(granted) and not walk.has_failed
    return Decision(
        outcomes,
        valid,
        _of_whole_request(start, granted),
        None if valid else _failure(outcomes, walk.has_failed),
        walk.uses,
    )


class _Walk:
    """One pass over the redeemables of a request: the running order, what was counted, and what was found out on the way."""

    def __init__(self, start: Order | None, about: Circumstances) -> None:
        self._about = about
        self._running = start
        self._limits = Limits(about.rules)
        self._effects = Effects(about, self._cart_of)
        self._cart: Cart | None = None
        self._course = Course(about, self._cart_of, [], {})
        self.has_failed = False

    @property
    def uses(self) -> list[Use]:
        """Of the redeemables granted, where the rules count any."""
        return self._course.uses

    def _cart_of(self, order: Order) -> Cart:
        """The cart of an order; discounts do not change it, added lines make a new one."""
        lines = order.lines or ()
        if self._cart is None or len(self._cart.lines) != len(lines):
            self._cart = Cart(lines, self._about.collections)
        return self._cart

    def is_valid(self, ask: Ask, order: Order | None) -> bool:
        """Whether a redeemable alone may be applied: exclusive ones are probed against the initial order (our decision)."""
        return self._judged(ask, order)[0].refusal is None

    def evaluate(self, ask: Ask, excluded: bool) -> Outcome:
        """`excluded` makes common redeemables stand back for a valid exclusive one."""
        rules = self._about.rules
        if self.has_failed:
            return Outcome(ask, "SKIPPED", skip=stacking.PRECEDING_FAILURE)
        reason = self._limits.reason_against(ask)
        if reason is not None:
            return Outcome(ask, "SKIPPED", skip=reason)
        if excluded and not rules.is_exclusive(ask) and not rules.is_joint(ask):
            return Outcome(ask, "SKIPPED", skip=stacking.EXCLUSION)
        verdict, effect = self._judged(ask, self._running)
        if verdict.refusal is not None:
            return self._refused(ask, verdict.refusal, verdict.bundle)
        effect = effect or self._effects.of(ask, self._running, verdict.bundle)
        if effect.refusal is not None:
            return self._refused(ask, effect.refusal, verdict.bundle)
        if rules.skips_no_effect(ask) and not effect.is_felt:
            return Outcome(ask, "SKIPPED", skip=stacking.NO_EFFECT)
        return self._granted(ask, effect, verdict.bundle)

    def _judged(self, ask: Ask, order: Order | None) -> tuple[Verdict, Effect | None]:
        """The verdict on a redeemable, and its effect where that was needed to judge its rules."""
        verdict = judge(ask, order, self._course)
        if verdict.refusal is not None or not looks_at_result(ask):
            return verdict, None
        effect = self._effects.of(ask, order, verdict.bundle)
        made = Made(effect.order, effect.credits, effect.points)
        refusal = effect.refusal or judge_rules(ask, order, verdict.bundles, self._course, made)
        return Verdict(refusal, verdict.bundles), effect

    def _refused(self, ask: Ask, refusal: Refusal, bundle: Bundle | None) -> Outcome:
        if self._about.rules.redeemables_application_mode == "ALL":
            self.has_failed = True
        named = msgspec.structs.replace(refusal, redeemable_type=ask.object, redeemable_id=ask.id)
        return Outcome(ask, "INAPPLICABLE", refusal=named, bundle=bundle)

    def _granted(self, ask: Ask, effect: Effect, bundle: Bundle | None) -> Outcome:
        self._limits.count(ask)
        self._effects.spend(effect)
        if self._about.tallies is not None:
            made = Made(effect.order, effect.credits, effect.points)
            self._course.uses.append(granted_use(ask, self._about, made))
        if effect.order is not None:
            self._running = effect.order
        account, subject = (
            (TIER_USES, ask.tier.id) if ask.tier else (VOUCHER_USES, ask.voucher.id if ask.voucher else "")
        )
        postings = [Posting(account, subject, 1)]
        if effect.credits:
            postings.append(Posting(GIFT_CREDITS, subject, -effect.credits))
        if effect.points:
            postings.append(Posting(POINTS, subject, -effect.points))
        if ask.offer is not None:
            postings += self._of_reward(ask.offer)
        postings += [Posting(DISCOUNTED_UNITS, one.key, one.units, one.most) for one in effect.spent if one.is_kept]
        return Outcome(
            ask,
            "APPLICABLE",
            order=effect.order,
            discount=effect.discount,
            credits=effect.credits,
            points=effect.points,
            applicable_to=effect.applicable_to,
            inapplicable_to=effect.inapplicable_to,
            bundle=bundle,
            postings=tuple(postings),
        )

    def _of_reward(self, offer: Offer) -> list[Posting]:
        """More of a reward was had, and less is left where there is a stock."""
        reward_id, times = offer.reward_id, offer.times
        self._course.rewards[reward_id] = self._course.rewards.get(reward_id, 0) + times
        postings = [Posting(REWARD_USES, reward_id, times)]
        if reward_id in self._about.stocks:
            postings.append(Posting(REWARD_STOCK, reward_id, -times))
        return postings


def _failure(outcomes: list[Outcome], failed: bool) -> Refusal:
    """What a redemption of an invalid request answers: the first error in mode ALL, else that nothing applies."""
    first = next((outcome.refusal for outcome in outcomes if outcome.refusal is not None), None)
    return first if failed and first is not None else refusals.no_applicable_redeemables()


# The request as a whole


def _of_whole_request(start: Order | None, granted: Sequence[Outcome]) -> Order | None:
    """The final order with `applied_*` measured from where the request began."""
    if not granted or start is None:
        return start
    end = granted[-1].order
    if end is None or len(granted) == 1:
        return end
    lines = end.lines
    if lines is not None and lines is not start.lines:
        before = start.lines or ()
        states = [outcome.order.lines or () for outcome in granted if outcome.order is not None]
        lines = tuple(
            line
            if place < len(before) and line is before[place]
            else _line_of_whole_request(before, line, place, states)
            for place, line in enumerate(lines)
        )
    return msgspec.structs.replace(
        end, applied_discount_amount=end.discount_amount - start.discount_amount, lines=lines
    )


def _line_of_whole_request(before: Sequence[Line], after: Line, place: int, states: Sequence[Sequence[Line]]) -> Line:
    """Amounts and added units are differences; discounted units add up, to no more than the line has."""
    was = before[place] if place < len(before) else Line(quantity=0)
    parts = [lines[place] for lines in states if place < len(lines)]
    units = sum([part.applied_discount_quantity or 0 for part in parts])
    details = [one for part in parts if part.application_details for one in part.application_details]
    return msgspec.structs.replace(
        after,
        applied_discount_amount=after.discount_amount - was.discount_amount,
        applied_discount_quantity=min(units, after.quantity) or None,
        applied_quantity=after.quantity - was.quantity or None,
        applied_quantity_amount=(after.amount or 0) - (was.amount or 0) or None,
        application_details=details or None,
    )


def commit(
    decision: Decision,
    session_key: str | None = None,
    budgets: dict[str, int] | None = None,
    tallies: Tallies | None = None,
    stocks: dict[str, int] | None = None,
) -> None:
    """Applies the postings to the entries, `budgets`, `tallies` and `stocks` in memory, so that the next request of the batch
    sees them. Points are taken out of their buckets by whoever opened the card's wallet.

    Locks that `session_key` holds on the vouchers used end with it.
    """
    if tallies is not None:
        tallies.add(decision.uses)
    for outcome in decision.applicable:
        voucher = outcome.ask.voucher
        for posting in outcome.postings:
            if posting.account == DISCOUNTED_UNITS:
                if budgets is not None:
                    budgets[posting.subject_id] = budgets.get(posting.subject_id, 0) + posting.amount
            elif posting.account == REWARD_STOCK:
                if stocks is not None:
                    stocks[posting.subject_id] += posting.amount
            elif voucher is not None and posting.account == VOUCHER_USES:
                voucher.redeemed_quantity += posting.amount
            elif voucher is not None and posting.account == GIFT_CREDITS:
                voucher.redeemed_amount -= posting.amount
        if session_key and voucher is not None and voucher.locks:
            voucher.locks = [lock for lock in voucher.locks if lock.session_key != session_key]
