"""Formulas of dynamic discounts and points: a small pure language, exact and bounded."""

from largesse.engine.formulas.context import FormulaContext
from largesse.engine.formulas.errors import FormulaError
from largesse.engine.formulas.formula import Formula, compile_formula

__all__ = ["Formula", "FormulaContext", "FormulaError", "compile_formula"]
