"""Numbers of a benefit: static, or computed by the formula beside them for one redeemable and cart."""

from decimal import Decimal
from fractions import Fraction

from largesse.engine.books import Ask
from largesse.engine.circumstances import Circumstances
from largesse.engine.discounts import MAX_UNITS
from largesse.engine.formulas import FormulaContext, FormulaError, compile_formula, results
from largesse.engine.money import whole_units
from largesse.engine.order import Line, Order


class Numbers:
    """Reads the numbers of one redeemable. `is_dynamic` tells whether a formula gave any of them (documented: not a fallback)."""

    def __init__(self, ask: Ask, order: Order | None, about: Circumstances, bundles: int) -> None:
        self._ask = ask
        self._order = order
        self._about = about
        self._bundles = bundles
        self._known: dict[str, Fraction | None] = {}
        self.is_dynamic = False

    def money(self, formula: str | None, fixed: Decimal | None, line: Line | None = None) -> int | None:
        """Minor units, halves up; None where neither the formula nor the static number says anything."""
        found = self._computed(formula, line)
        if found is not None:
            return results.minor_units(found)
        return whole_units(fixed) if fixed is not None else None

    def percent(self, formula: str | None, fixed: Decimal | None, line: Line | None = None) -> Fraction:
        """A percentage, 0 to 100."""
        found = self._computed(formula, line)
        return results.percent(found) if found is not None else Fraction(fixed or 0)

    def units(self, formula: str | None, fixed: Decimal | int | None, line: Line | None = None) -> int:
        """A number of units, rounded down."""
        found = self._computed(formula, line)
        return min(results.units(found), MAX_UNITS) if found is not None else int(fixed or 0)

    def _computed(self, formula: str | None, line: Line | None) -> Fraction | None:
        if formula is None:
            return None
        try:
            compiled = compile_formula(formula)
        except FormulaError:  # definitions are checked when saved; what got in otherwise never fails a redemption
            return None
        asks_of_line = any(operand.startswith("ORDER_ITEM_") for operand in compiled.operands)
        if asks_of_line:
            found = compiled.evaluate(self._context(line))
        elif formula in self._known:
            found = self._known[formula]
        else:
            found = self._known[formula] = compiled.evaluate(self._context(None))
        self.is_dynamic = self.is_dynamic or found is not None
        return found

    def _context(self, line: Line | None) -> FormulaContext:
        about, voucher, tier = self._about, self._ask.voucher, self._ask.tier
        holder = voucher or tier
        return FormulaContext(
            now=about.now,
            zone=about.zone,
            order=self._order,
            line=line,
            customer_metadata=about.customer.metadata if about.customer else None,
            customer_birthdate=about.customer.birthdate if about.customer else None,
            redeemable_metadata=holder.metadata if holder else None,
            redemption_metadata=about.metadata,
            voucher_redemption_quantity=voucher.quantity if voucher else None,
            voucher_redeemed_quantity=voucher.redeemed_quantity if voucher else None,
            voucher_publish_count=voucher.publish_count if voucher else None,
            voucher_start_date=voucher.start_date if voucher else None,
            voucher_expiration_date=voucher.expiration_date if voucher else None,
            promotion_tier_start_date=tier.start_date if tier else None,
            promotion_tier_expiration_date=tier.expiration_date if tier else None,
            bundle_quantity=self._bundles,
        )
