"""Values the engine tests are about."""

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from largesse.engine.benefits import ApplicableTo, BundleComponent, BundleRules, ItemEntry, RuleSet
from largesse.engine.books import Ask, Campaign, Tier, Voucher
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


def tier(discount: Discount | None, id: str = "promo_1", campaign: Campaign | None = None, **more: Any) -> Tier:
    return Tier(
        id=id,
        name=id,
        campaign=campaign or Campaign(id="camp_1", name="Shop", type="PROMOTION"),
        discount=discount,
        **more,
    )


def ask(voucher: Voucher | None, credits: int | None = None, id: str | None = None, *rules: RuleSet) -> Ask:
    return Ask("voucher", id or (voucher.code if voucher else "NOPE"), voucher, credits, rules=rules)


def ask_tier(asked: Tier, *rules: RuleSet, stack_id: str | None = None) -> Ask:
    return Ask("promotion_tier", asked.id, tier=asked, rules=rules, stack_id=stack_id)


def entry(id: str, kind: Any = "product", **more: Any) -> ItemEntry:
    return ItemEntry(object=kind, id=id, **more)


def rule(*included: ItemEntry | str, id: str = "val_1", excluded: tuple[str, ...] = (), **more: Any) -> RuleSet:
    """A rule set that includes products (or entries) and excludes others."""
    entries = tuple(entry(one) if isinstance(one, str) else one for one in included)
    out = tuple(entry(one) for one in excluded)
    return RuleSet(id=id, applicable_to=ApplicableTo(included=entries, excluded=out, **more))


def bundle(*components: tuple[str, int], limit: int = 1, id: str = "val_b", **more: Any) -> RuleSet:
    """A rule set that asks for units of products, SKUs (sku_…) and collections (pc_…)."""
    kinds = {"sku_": "sku", "pc_": "products_collection"}
    parts = tuple(
        BundleComponent(next((kinds[k] for k in kinds if name.startswith(k)), "product"), name, quantity=count)  # type: ignore[arg-type]
        for name, count in components
    )
    return RuleSet(id=id, bundle=BundleRules(parts, limit), **more)


class Collection:
    """The products and SKUs of these ids."""

    def __init__(self, *ids: str) -> None:
        self._ids = ids

    def holds(self, line: Line) -> bool:
        return line.product_id in self._ids or line.sku_id in self._ids


def goods(*lines: tuple[str, int, int], amount: int | None = None) -> Order:
    """Lines of (product, unit price, quantity)."""
    made = tuple(
        Line(product_id=name, price=price, quantity=quantity, amount=price * quantity)
        for name, price, quantity in lines
    )
    return Order(amount=sum(line.amount or 0 for line in made) if amount is None else amount, lines=made)


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
    **more: Any,
) -> Decision:
    about = Circumstances(rules=rules or StackingRules(), now=now, zone=zone, session_key=session_key, **more)
    return decide(asks, order, about)


def discounts(order: Order) -> list[int]:
    return [line.discount_amount for line in order.lines or ()]


def after(order: Order | None, *asks: Ask, **more: Any) -> Order:
    """The order that a valid decision ends with."""
    decision = decided(order, *asks, **more)
    assert decision.valid
    assert decision.order is not None
    return decision.order


def keys(decision: Decision) -> list[str]:
    """For each redeemable its status, or the key of what stands against it."""
    return [
        outcome.refusal.key if outcome.refusal else outcome.skip.key if outcome.skip else outcome.status
        for outcome in decision.outcomes
    ]
