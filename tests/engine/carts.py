"""Values the engine tests are about."""

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from largesse.engine.books import Ask, Voucher
from largesse.engine.decision import Circumstances, Decision, decide
from largesse.engine.discounts import AmountDiscount, Discount, FixedDiscount, PercentDiscount
from largesse.engine.order import Line, Order
from largesse.engine.stacking import StackingRules

NOW = 1_790_000_000_000_000
UTC = ZoneInfo("UTC")


def amount_off(off: int | str, **more: Any) -> AmountDiscount:
    return AmountDiscount(amount_off=Decimal(off), **more)


def percent_off(off: int | str, **more: Any) -> PercentDiscount:
    return PercentDiscount(percent_off=Decimal(off), **more)


def fixed(price: int, **more: Any) -> FixedDiscount:
    return FixedDiscount(fixed_amount=Decimal(price), **more)


def code(discount: Discount | None, id: str = "v_1", **more: Any) -> Voucher:
    return Voucher(id=id, code=id.upper(), type="DISCOUNT_VOUCHER", discount=discount, **more)


def card(credits: int, id: str = "g_1", **more: Any) -> Voucher:
    return Voucher(id=id, code=id.upper(), type="GIFT_VOUCHER", gift_amount=credits, **more)


def ask(voucher: Voucher | None, credits: int | None = None, id: str | None = None) -> Ask:
    return Ask("voucher", id or (voucher.code if voucher else "NOPE"), voucher, credits)


def cart(*lines: tuple[int, int], amount: int | None = None) -> Order:
    """Lines of (unit price, quantity)."""
    made = tuple(Line(price=price, quantity=quantity, amount=price * quantity) for price, quantity in lines)
    total = sum(price * quantity for price, quantity in lines) if amount is None else amount
    return Order(amount=total, lines=made)


def decided(
    order: Order | None,
    *asks: Ask,
    rules: StackingRules | None = None,
    now: int = NOW,
    session_key: str | None = None,
    zone: ZoneInfo = UTC,
) -> Decision:
    about = Circumstances(rules=rules or StackingRules(), now=now, zone=zone, session_key=session_key)
    return decide(asks, order, about)


def discounts(order: Order) -> list[int]:
    return [line.discount_amount for line in order.lines or ()]


def keys(decision: Decision) -> list[str]:
    """For each redeemable its status, or the key of what stands against it."""
    return [
        outcome.refusal.key if outcome.refusal else outcome.skip.key if outcome.skip else outcome.status
        for outcome in decision.outcomes
    ]
