"""Conditions of validation rules, compiled once and judged often."""

from largesse.engine.rules.compiling import compile_rules
from largesse.engine.rules.documents import RuleFault, read_logic
from largesse.engine.rules.facts import Count, Facts, Measure, Period
from largesse.engine.rules.verdicts import Conditions, Violation

__all__ = [
    "Conditions",
    "Count",
    "Facts",
    "Measure",
    "Period",
    "RuleFault",
    "Violation",
    "compile_rules",
    "read_logic",
]
