"""What an applicable redeemable does to the order: discounts, free units, credits, and what that counts against."""

from collections.abc import Mapping, Sequence

import msgspec

from largesse.engine.benefits import Bundle, Entries, RuleSet
from largesse.engine.books import Ask, Voucher
from largesse.engine.budgets import Meter
from largesse.engine.cart import Cart
from largesse.engine.circumstances import Circumstances
from largesse.engine.discounts import Discount, UnitDiscount
from largesse.engine.dynamic import Numbers
from largesse.engine.eligibility import Eligible, eligible, names_products
from largesse.engine.item_level import (
    Share,
    Taken,
    credit_shares,
    discount_shares,
    discounted_lines,
    open_places,
    take,
    trimmed,
    with_shares,
    worthless_lines,
)
from largesse.engine.listing import Reach, listed
from largesse.engine.order import Order, check_amount, without_applied
from largesse.engine.order_level import order_discount, with_order_discount
from largesse.engine.preconditions import GIFT, MakeCart, held_credits
from largesse.engine.refusal import Refusal
from largesse.engine.rewards import Offer, pay
from largesse.engine.selection import Picked
from largesse.engine.units import apply_units


class Spent(msgspec.Struct, frozen=True):
    """Units that fall under one budget, which may hold `most`."""

    key: str
    units: int
    most: int
    is_kept: bool


class Effect(msgspec.Struct, frozen=True):
    """`order` with only this redeemable's `applied_*`; `refusal` where the effect cannot be had after all."""

    order: Order | None
    refusal: Refusal | None = None
    discount: Discount | None = None
    credits: int | None = None
    points: int | None = None
    spent: Sequence[Spent] = ()
    applicable_to: Reach = ()
    inapplicable_to: Reach = ()

    @property
    def is_felt(self) -> bool:
        """Whether anything came of it: a discount, credits or points, units added or replaced."""
        if self.credits or self.points or self.order is None:
            return bool(self.credits or self.points)
        if self.order.total_applied_discount_amount:
            return True
        return any(line.applied_quantity for line in self.order.lines or ())


_Choice = Mapping[int, Picked]  # the lines that each entry takes, by its number
_NONE: _Choice = {}


class _Known(msgspec.Struct):
    """What was found out of one combination of rule sets and one cart. `applicable` is the list last made, for `picked`."""

    rules: Sequence[RuleSet]  # kept alive: they are known by identity
    cart: Cart
    eligible: Eligible
    inapplicable: Reach
    picked: _Choice | None = None
    applicable: Reach = ()


class Effects:
    """Computes one redeemable after the other for one request; what rule sets mean for the cart is found out once."""

    def __init__(self, about: Circumstances, cart_of: MakeCart) -> None:
        self._about = about
        self._cart_of = cart_of
        self._spent: dict[str, int] = {}
        self._known: dict[tuple[int, ...], _Known] = {}

    def spend(self, effect: Effect) -> None:
        """Lets later redeemables of the request see which units this one discounted."""
        for one in effect.spent:
            self._spent[one.key] = self._spent.get(one.key, 0) + one.units

    def of(self, ask: Ask, order: Order | None, bundle: Bundle | None) -> Effect:
        """What the redeemable does to the running order."""
        benefit = ask.voucher or ask.tier
        discount = benefit.discount if benefit is not None else None
        if ask.voucher is not None and ask.voucher.type == GIFT:
            return self._of_gift_card(ask, ask.voucher, order)
        if ask.voucher is not None and ask.offer is not None:
            return self._of_reward(ask, ask.voucher, ask.offer, order)
        if discount is None:
            return self._with_lists(ask, order, Effect(without_applied(order) if order is not None else None), _NONE)
        bundles = bundle.quantity if bundle is not None else 0
        numbers = Numbers(ask, order, self._about, bundles)
        times = bundles if bundles and discount.bundle_scaling != "ONCE" else 1
        if isinstance(discount, UnitDiscount):
            return self._of_units(ask, discount, order, numbers, times)
        if discount.effect is None:  # documented: the rules decide
            by_rules = "APPLY_TO_ITEMS" if names_products(ask.rules) else "APPLY_TO_ORDER"
            discount = msgspec.structs.replace(discount, effect=by_rules)
        return self._of_discount(ask, discount, order, numbers, times)

    def _of_gift_card(self, ask: Ask, voucher: Voucher, order: Order | None) -> Effect:
        assert order is not None  # a precondition
        credits = voucher.balance - held_credits(voucher, self._about) if ask.credits is None else ask.credits
        credits = min(max(0, credits), order.total_amount)
        if voucher.gift_effect != "APPLY_TO_ITEMS":
            return self._with_lists(ask, order, Effect(with_order_discount(order, credits), credits=credits), _NONE)
        taken, picked = self._taken(ask, order)
        shares = credit_shares(credits, taken, order)
        used = sum(share.amount for share in shares)
        return self._with_lists(ask, order, Effect(with_shares(order, shares), credits=used), picked)

    def _of_reward(self, ask: Ask, voucher: Voucher, offer: Offer, order: Order | None) -> Effect:
        """Points for a reward, which does nothing to the order; or for as much of the order as they pay."""
        price = offer.price or 0  # known: a precondition
        if offer.coin is None or order is None:
            plain = without_applied(order) if order is not None else None
            return self._with_lists(ask, order, Effect(plain, points=price), _NONE)
        available = max(0, voucher.balance - held_credits(voucher, self._about))
        paid = pay(offer.coin, price, order.total_amount, available, offer.points)
        return self._with_lists(
            ask, order, Effect(with_order_discount(order, paid.discount), points=paid.points), _NONE
        )

    def _of_units(self, ask: Ask, discount: UnitDiscount, order: Order | None, numbers: Numbers, times: int) -> Effect:
        after = order
        if order is not None:
            after = apply_units(
                discount, without_applied(order), self._about, numbers, times, self._taken_before(order)
            )
            refusal = check_amount(after)
            if refusal is not None:
                return Effect(order, refusal)
        resolved = msgspec.structs.replace(discount, effect=discount.effective, is_dynamic=numbers.is_dynamic)
        return self._with_lists(ask, after, Effect(after, discount=resolved), _NONE)

    def _of_discount(self, ask: Ask, discount: Discount, order: Order | None, numbers: Numbers, times: int) -> Effect:
        after = without_applied(order) if order is not None and order.amount is None else order
        picked = _NONE
        spent: list[Spent] = []
        if order is not None and order.amount is not None:
            initial = self._about.rules.uses_initial_amount(ask)
            if discount.effect == "APPLY_TO_ORDER":
                after = with_order_discount(order, order_discount(discount, order, numbers, times, initial))
            else:
                meter = Meter(ask, numbers, self._about, self._spent)
                taken, picked = self._taken(ask, order)
                shares = discount_shares(discount, taken, order, numbers, meter, times, initial)
                shares = trimmed(shares, order.total_amount)
                after, spent = with_shares(order, shares), _spent(shares)
        resolved = msgspec.structs.replace(discount, is_dynamic=numbers.is_dynamic)
        return self._with_lists(ask, order, Effect(after, discount=resolved, spent=spent), picked)

    # What rule sets mean for the cart

    def _taken_before(self, order: Order) -> frozenset[int]:
        """Under ONCE, where a line takes one item-level discount only: those that have theirs."""
        once = self._about.rules.redeemables_products_application_mode == "ONCE"
        return discounted_lines(order) if once else frozenset()

    def _taken(self, ask: Ask, order: Order) -> tuple[list[Taken], _Choice]:
        """The lines an item-level benefit takes: as it works on them, and for each entry as answers list them."""
        found = self._knowledge(ask, order).eligible
        closed = worthless_lines(order) | self._taken_before(order)
        taken = take(found.groups, order, closed)
        picked = {index: Picked(open_places(group, closed)) for index, group in found.included.items()}
        picked.update(zip(found.limiting, [one.picked for one in taken], strict=False))
        return taken, picked

    def _knowledge(self, ask: Ask, order: Order) -> _Known:
        key, cart = tuple(map(id, ask.rules)), self._cart_of(order)
        known = self._known.get(key)
        if known is None or known.cart is not cart:
            found = eligible(ask.rules, cart)
            picked = {index: Picked(group.places) for index, group in found.excluded.items()}
            inapplicable = listed(_excludes(ask.rules), found.excluded, picked, cart, ())
            known = self._known[key] = _Known(ask.rules, cart, found, inapplicable)
        return known

    def _with_lists(self, ask: Ask, order: Order | None, effect: Effect, picked: _Choice) -> Effect:
        """The effect with what it applies to and what it does not; nothing to say without a product definition."""
        if not names_products(ask.rules):
            return effect
        order = order or Order()
        known = self._knowledge(ask, order)
        if known.picked is None or known.picked != picked:
            known.picked = picked
            included = known.eligible.included
            known.applicable = listed(_includes(ask.rules), included, picked, known.cart, order.lines or ())
        return msgspec.structs.replace(effect, applicable_to=known.applicable, inapplicable_to=known.inapplicable)


def _includes(rules: Sequence[RuleSet]) -> list[Entries]:
    return [one.applicable_to.includes for one in rules]


def _excludes(rules: Sequence[RuleSet]) -> list[Entries]:
    return [one.applicable_to.excludes for one in rules]


def _spent(shares: Sequence[Share]) -> list[Spent]:
    """What falls under each budget of the lines that got something."""
    found: dict[str, Spent] = {}
    for share in shares:
        for one in share.budgets:
            before = found.get(one.key) or Spent(one.key, 0, 0, one.is_kept)
            found[one.key] = Spent(one.key, before.units + (share.units or 0), max(before.most, one.most), one.is_kept)
    return list(found.values())
