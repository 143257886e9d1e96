"""The one thing callers use: a text compiled to a formula, a formula evaluated to a number."""

from fractions import Fraction
from functools import lru_cache

import msgspec

from largesse.engine.formulas.compiling import Compiler
from largesse.engine.formulas.context import Evaluation, FormulaContext
from largesse.engine.formulas.errors import NotComputable
from largesse.engine.formulas.functions import Compute
from largesse.engine.formulas.parsing import parse
from largesse.engine.formulas.values import number
from largesse.engine.order import MAX_AMOUNT

MAX_RESULT = MAX_AMOUNT // 100  # in major units what no order can exceed; our decision


class Formula(msgspec.Struct, frozen=True, eq=False):
    """A compiled formula. `operands` names the facts it can ask for, so that a caller loads only those."""

    text: str
    operands: frozenset[str]
    compute: Compute

    def evaluate(self, context: FormulaContext) -> Fraction | None:
        """The exact number, or None where the static number beside the formula applies (documented): something it needs is
        missing or of the wrong type, a division by zero, or a number out of range. Never raises.

        Money operands count in major units (documented), so money results do as well; see `results` for how to use them.
        """
        try:
            found = number(self.compute(Evaluation(context)))
        except NotComputable:
            return None
        return found if abs(found) <= MAX_RESULT else None


@lru_cache(maxsize=512)
def compile_formula(text: str) -> Formula:
    """The formula a text says; cached by text. Raises FormulaError with the offending place."""
    compiler = Compiler(text)
    compute = compiler.compile(parse(text).children[0])
    return Formula(text, frozenset(compiler.operands), compute)
