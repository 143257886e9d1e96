"""Conditions of validation rules, compiled once and judged often."""

from largesse.engine.rules.compiling import compile_rules, compiled_condition, joined_conditions
from largesse.engine.rules.documents import RuleFault, read_logic
from largesse.engine.rules.explaining import explain
from largesse.engine.rules.facts import Count, Facts, Measure, Period
from largesse.engine.rules.verdicts import Condition, Conditions, Need, Violation

__all__ = [
    "Condition",
    "Conditions",
    "Count",
    "Facts",
    "Measure",
    "Need",
    "Period",
    "RuleFault",
    "Violation",
    "compile_rules",
    "compiled_condition",
    "explain",
    "joined_conditions",
    "read_logic",
]
