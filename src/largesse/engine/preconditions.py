"""What must hold before a redeemable is worth anything, in the documented order: its state, the order, the balance, the rules."""

from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from largesse.engine import refusal as refusals
from largesse.engine.benefits import Bundle, RuleSet
from largesse.engine.books import Ask, Campaign, Tier, Voucher
from largesse.engine.bundles import find_bundles
from largesse.engine.cart import Cart
from largesse.engine.circumstances import Circumstances
from largesse.engine.eligibility import eligible
from largesse.engine.explanation import Explanation
from largesse.engine.order import Order
from largesse.engine.refusal import Refusal
from largesse.engine.rewards import Offer
from largesse.engine.rules import Count, Facts, Violation, explain
from largesse.engine.tallies import Redeemed, Tallies, Use, redeemed
from largesse.engine.validity import Hours, Timeframe, in_hours, in_timeframe, on_weekday

GIFT = "GIFT_VOUCHER"
LOYALTY = "LOYALTY_CARD"
MakeCart = Callable[[Order], Cart]


class Verdict(msgspec.Struct, frozen=True):
    """Why not, if so; and the bundles found in the cart for each rule set, the scarcest of which counts (our decision)."""

    refusal: Refusal | None = None
    bundles: tuple[Bundle | None, ...] = ()

    @property
    def bundle(self) -> Bundle | None:
        return min((one for one in self.bundles if one is not None), key=lambda one: one.quantity, default=None)


class Made(msgspec.Struct, frozen=True):
    """What a redeemable makes of the order: the order after it, with only its own `applied_*`, and what it takes of a card."""

    order: Order | None
    credits: int | None = None
    points: int | None = None


class Course(msgspec.Struct, frozen=True):
    """A request under way: what its redeemables are judged by, the uses of those already granted, and how often each reward was."""

    about: Circumstances
    cart_of: MakeCart
    uses: list[Use]
    rewards: dict[str, int] = {}


def judge(ask: Ask, order: Order | None, course: Course) -> Verdict:
    """The first reason against a redeemable, judged by the running order.

    Rules are left out where `looks_at_result`: `judge_rules` judges them once the effect is known.
    """
    about, cart_of = course.about, course.cart_of
    if ask.tier is not None:
        refusal = _of_tier(ask.tier, about) or _missing(ask, order, about)
    elif ask.voucher is not None:
        refusal = (
            _of_voucher(ask.voucher, about)
            or _of_holder(ask.voucher, about)
            or _missing(ask, order, about)
            or _of_gift_card(ask, ask.voucher, order, about, cart_of)
            or _of_loyalty_card(ask, ask.voucher, order, course)
        )
    else:
        refusal = refusals.not_found(ask.object, ask.id)
    if refusal is not None or not ask.rules:
        return Verdict(refusal)
    bundles = tuple([_found(one, order, cart_of) for one in ask.rules])
    if looks_at_result(ask):
        return Verdict(bundles=bundles)
    return Verdict(judge_rules(ask, order, bundles, course), bundles)


# Its own state


def _of_voucher(voucher: Voucher, about: Circumstances) -> Refusal | None:
    """A voucher follows its campaign's dates and windows where it has none of its own."""
    code, campaign = voucher.code, voucher.parent
    if not voucher.active or (campaign is not None and not campaign.active):
        return refusals.voucher_disabled(code)
    start, end = voucher.start_date, voucher.expiration_date
    if campaign is not None:
        start = campaign.start_date if start is None else start
        end = campaign.expiration_date if end is None else end
    if start is not None and about.now < start:
        return refusals.voucher_not_active(code)
    if end is not None and about.now > end:
        return refusals.voucher_expired(code)
    if not _voucher_is_open(voucher, start, about):
        return refusals.voucher_not_active_now(code)
    held, _ = voucher.locked(about.session_key, about.now) if voucher.locks else (0, 0)
    if voucher.quantity is not None and voucher.redeemed_quantity + held >= voucher.quantity:
        return refusals.quantity_exceeded(code)
    return None


def _voucher_is_open(voucher: Voucher, start: int | None, about: Circumstances) -> bool:
    campaign = voucher.parent
    frame, days, hours = voucher.validity_timeframe, voucher.validity_day_of_week, voucher.validity_hours
    if campaign is not None:
        if frame is None and campaign.validity_timeframe is not None:
            frame, start = campaign.validity_timeframe, campaign.start_date
        days = campaign.validity_day_of_week if days is None else days
        hours = campaign.validity_hours if hours is None else hours
    return _is_open(frame, start, days, hours, about)


def _is_open(
    frame: Timeframe | None, start: int | None, days: list[int] | None, hours: Hours | None, about: Circumstances
) -> bool:
    if frame is not None and start is not None and not in_timeframe(frame, start, about.now, about.zone):
        return False
    if days and not on_weekday(days, about.now, about.zone):
        return False
    return hours is None or in_hours(hours, about.now, about.zone)


def _of_tier(tier: Tier, about: Circumstances) -> Refusal | None:
    """Both the tier and its campaign must be on, begun, not over, and open."""
    holders: tuple[Tier | Campaign, ...] = (tier, tier.campaign)
    if not all(holder.active for holder in holders):
        return refusals.promotion_inactive(f"Promotion Tier with id: {tier.id} is disabled.")
    for holder in holders:
        if holder.start_date is not None and about.now < holder.start_date:
            return refusals.promotion_inactive(f"Promotion Tier with id: {tier.id} is not active yet.")
        if holder.expiration_date is not None and about.now > holder.expiration_date:
            return refusals.promotion_inactive(f"Promotion Tier with id: {tier.id} expired.")
    for holder in holders:
        frame, days, hours = holder.validity_timeframe, holder.validity_day_of_week, holder.validity_hours
        if not _is_open(frame, holder.start_date, days, hours, about):
            return refusals.promotion_not_active_now(tier.id)
    return None


# The holder, the order and the balance


def _of_holder(voucher: Voucher, about: Circumstances) -> Refusal | None:
    """Loyalty cards, and only they, demand their holder (documented)."""
    if voucher.type != LOYALTY:
        return None
    if about.customer is None:
        return refusals.missing_customer()
    return None if about.customer.id == voucher.holder_id else refusals.not_the_holder(voucher.code)


def _of_gift_card(
    ask: Ask, voucher: Voucher, order: Order | None, about: Circumstances, cart_of: MakeCart
) -> Refusal | None:
    if voucher.type != GIFT:
        return None
    if order is None:
        return refusals.missing_order(voucher.code)
    if order.amount is None:
        return refusals.missing_amount(voucher.code)
    if voucher.gift_effect == "APPLY_TO_ITEMS" and not _has_priced_line(ask.rules, order, cart_of):
        return refusals.missing_order_items_amount()
    if ask.credits is not None and ask.credits > voucher.balance - held_credits(voucher, about):
        return refusals.gift_amount_exceeded(voucher.code)
    return None


def _of_loyalty_card(ask: Ask, voucher: Voucher, order: Order | None, course: Course) -> Refusal | None:
    if voucher.type != LOYALTY:
        return None
    offer = ask.offer
    if offer is None:
        return None if course.about.lists_cards else refusals.missing_reward()
    if offer.assignment is None or offer.price is None:
        return refusals.reward_not_found(offer.reward_id)
    if offer.coin is not None and order is None:
        return refusals.missing_order(voucher.code)
    if offer.coin is not None and order is not None and order.amount is None:
        return refusals.missing_amount(voucher.code)
    left = course.about.stocks.get(offer.reward_id)
    if left is not None and left < course.rewards.get(offer.reward_id, 0) + offer.times:
        return refusals.quantity_exceeded(offer.reward_id)
    available = voucher.balance - held_credits(voucher, course.about)
    return _of_points(offer, offer.price, voucher, available, order)


def _of_points(offer: Offer, price: int, voucher: Voucher, available: int, order: Order | None) -> Refusal | None:
    """The price, or what was asked to be spent; without being asked one block must be there, where anything is due."""
    exceeded = refusals.loyalty_card_points_exceeded(voucher.code)
    if offer.coin is None:
        return exceeded if price > available else None
    if offer.points is None:
        is_due = order is not None and order.total_amount
        return exceeded if is_due and price > available else None
    if offer.points > available:
        return exceeded
    if offer.points < price:
        return refusals.invalid_payload(
            f"Property .reward.points should be at least {price}, which is the smallest payment"
        )
    return None


def held_credits(voucher: Voucher, about: Circumstances) -> int:
    """Credits or points that other sessions hold."""
    return voucher.locked(about.session_key, about.now)[1] if voucher.locks else 0


def _has_priced_line(rules: Sequence[RuleSet], order: Order, cart_of: MakeCart) -> bool:
    lines = order.lines or ()
    groups = eligible(rules, cart_of(order)).groups
    return any(lines[place].amount is not None for group in groups for place in group.places)


# The rules


def _missing(ask: Ask, order: Order | None, about: Circumstances) -> Refusal | None:
    """What the rules look at and the request does not have."""
    if not ask.rules:
        return None
    needs = {need for one in ask.rules if one.conditions is not None for need in one.conditions.needs}
    if any(one.bundle is not None and one.fills_bundle for one in ask.rules):
        needs |= {"order", "items"}
    name = ask.voucher.code if ask.voucher else ask.id
    if "customer" in needs and about.customer is None:
        return refusals.missing_customer()
    if "order" in needs and order is None:
        return refusals.missing_order(name)
    if "items" in needs and not (order and order.lines):
        return refusals.missing_order_items(name)
    if "amount" in needs and (order is None or order.amount is None):
        return refusals.missing_amount(name)
    return None


def judge_rules(
    ask: Ask, order: Order | None, bundles: Sequence[Bundle | None], course: Course, made: Made | None = None
) -> Refusal | None:
    """Every rule set must hold, its conditions and its bundle.

    The first rule set violated gives key and message, the details name all of them (our decision).
    """
    about = course.about
    facts = Facts(
        now=about.now,
        zone=about.zone,
        order=order or Order(),
        result=made.order if made is not None else None,
        cart_of=course.cart_of,
        customer=about.customer,
        metadata=about.metadata,
        api_key=about.api_key,
        holder_id=ask.voucher.holder_id if ask.voucher else None,
        points_used=_points_used(ask, made),
        counted=_nothing,
    )
    violated: list[tuple[RuleSet, Violation]] = []
    explained: list[Explanation] = []
    for one, bundle in zip(ask.rules, bundles, strict=True):
        violation, seen = None, facts
        if one.conditions is not None:
            if one.conditions.counts:
                seen = msgspec.structs.replace(facts, counted=partial(_counted, ask, one, course, made))
            violation = one.conditions.blame(seen)
        if violation is None and bundle is not None and not bundle.quantity and one.fills_bundle:
            violation = Violation("order")
        if violation is not None:
            violated.append((one, violation))
            if about.explains:
                explained.append(_explained(ask, one, course, seen))
    if not violated:
        return None
    rules, first = violated[0]
    message = rules.message if first.message is None else first.message
    refusal = refusals.rules_violated(first.group, _subject(ask), [one.id for one, _ in violated], message)
    return msgspec.structs.replace(refusal, explanation=explained) if explained else refusal


def _explained(ask: Ask, rules: RuleSet, course: Course, facts: Facts) -> Explanation:
    failed = []
    if rules.conditions is not None:
        failed = explain(rules.conditions, facts, partial(_used, ask, rules, course))
    return Explanation(rule_id=rules.id, rule_name=rules.name, failed=failed)


def _nothing(_count: Count) -> None:
    """What a rule that counts nothing asks of history."""


def _counted(ask: Ask, rules: RuleSet, course: Course, made: Made | None, count: Count) -> int | None:
    """What history, the requests before in the batch, the redeemables before in the request, and this one add up to."""
    return _summed(ask, rules, course, count, [*course.uses, use_of(ask, course.about, made)])


def _used(ask: Ask, rules: RuleSet, course: Course, count: Count) -> int | None:
    """The same without this one."""
    return _summed(ask, rules, course, count, course.uses)


def _summed(ask: Ask, rules: RuleSet, course: Course, count: Count, uses: Sequence[Use]) -> int | None:
    about = course.about
    tally = _redeemed(ask, about).tally(count, rules, about.calendar)
    return None if tally is None else (about.tallies or Tallies({})).of(tally, uses)


def _points_used(ask: Ask, made: Made | None) -> int:
    """Points that pay for the order; what a reward costs pays for nothing."""
    pays = ask.offer is not None and ask.offer.coin is not None
    return (made.points or 0) if pays and made is not None else 0


def use_of(ask: Ask, about: Circumstances, made: Made | None) -> Use:
    """The redemption of a redeemable, as the sums that rules ask for see it."""
    asked = _redeemed(ask, about)
    return Use(
        asked.kind,
        asked.id,
        asked.campaign_id,
        asked.customer_id,
        asked.api_key,
        asked.at,
        discount=made.order.total_applied_discount_amount if made is not None and made.order is not None else 0,
        credits=(made.credits or made.points or 0) if made is not None else 0,
        order=made.order if made is not None else None,
    )


def granted_use(ask: Ask, about: Circumstances, made: Made) -> Use:
    """The same of a redeemable that is granted, with the sums that its rules keep."""
    use = use_of(ask, about, made)
    return msgspec.structs.replace(use, kept=use.tallies(ask.rules, about.calendar))


def _redeemed(ask: Ask, about: Circumstances) -> Redeemed:
    return redeemed(ask, about.now, about.customer.id if about.customer else None, about.api_key)


def _found(rules: RuleSet, order: Order | None, cart_of: MakeCart) -> Bundle | None:
    if rules.bundle is None or order is None:
        return None
    return find_bundles(rules.bundle, cart_of(order), order.lines or ())


def looks_at_result(ask: Ask) -> bool:
    """Whether a rule can be judged only by what the redeemable makes of the order."""
    return any(one.conditions is not None and one.conditions.of_result for one in ask.rules)


def _subject(ask: Ask) -> str:
    """The kind of redeemable as messages name it (documented)."""
    if ask.voucher is None:
        return "Promotion Tier"
    if ask.voucher.is_referral_code:
        return "Referral Code"
    return {GIFT: "Gift Card", LOYALTY: "Loyalty Card"}.get(ask.voucher.type, "Discount Coupon")
