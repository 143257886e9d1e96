"""The functions of the language: how many arguments each takes and what it computes."""

import math
from collections.abc import Callable, Sequence
from datetime import date
from fractions import Fraction
from typing import NamedTuple, TypeAlias

from largesse.engine.formulas.context import Evaluation
from largesse.engine.formulas.dates import day, days_between, months_between, years_between
from largesse.engine.formulas.errors import NotComputable
from largesse.engine.formulas.numbers import bounded, half_away_from_zero, power, rounding
from largesse.engine.formulas.values import Value, equal, number, truth

Compute: TypeAlias = Callable[[Evaluation], Value]


class Function(NamedTuple):
    """`least` to `most` arguments (None: any number); `build` makes the computation out of those of the arguments."""

    least: int
    most: int | None
    build: Callable[[Sequence[Compute]], Compute]


def _if(arguments: Sequence[Compute]) -> Compute:
    condition, then, otherwise = arguments
    return lambda evaluation: (then if truth(condition(evaluation)) else otherwise)(evaluation)


def switch(subject: Compute, cases: Sequence[tuple[Compute, Compute]], otherwise: Compute) -> Compute:
    """The result of the first case equal to the subject. Cases after it are not computed."""

    def value(evaluation: Evaluation) -> Value:
        sought = subject(evaluation)
        for case, result in cases:
            if equal(sought, case(evaluation)):
                return result(evaluation)
        return otherwise(evaluation)

    return value


def _default_to(arguments: Sequence[Compute]) -> Compute:
    def value(evaluation: Evaluation) -> Value:
        for argument in arguments:
            try:
                return argument(evaluation)
            except NotComputable:
                continue
        raise NotComputable

    return value


def _of_numbers(compute: Callable[..., Fraction]) -> Callable[[Sequence[Compute]], Compute]:
    def build(arguments: Sequence[Compute]) -> Compute:
        return lambda evaluation: bounded(compute(*[number(argument(evaluation)) for argument in arguments]))

    return build


def _of_day(read: Callable[[date], int]) -> Function:
    """Something to read off a date."""

    def build(arguments: Sequence[Compute]) -> Compute:
        [moment] = arguments
        return lambda evaluation: Fraction(read(day(moment(evaluation), evaluation.zone)))

    return Function(1, 1, build)


def _since(between: Callable[[date, date], int]) -> Function:
    """Whole units from a date until today; negative when the date lies ahead (our decision)."""

    def build(arguments: Sequence[Compute]) -> Compute:
        [moment] = arguments
        return lambda evaluation: Fraction(between(day(moment(evaluation), evaluation.zone), evaluation.today))

    return Function(1, 1, build)


def _until(between: Callable[[date, date], int]) -> Function:
    return _since(lambda start, end: between(end, start))


FUNCTIONS: dict[str, Function] = {
    "IF": Function(3, 3, _if),
    "DEFAULT_TO": Function(2, None, _default_to),
    "MIN": Function(2, None, _of_numbers(min)),
    "MAX": Function(2, None, _of_numbers(max)),
    "POW": Function(2, 2, _of_numbers(power)),
    "ROUND": Function(1, 2, _of_numbers(rounding(half_away_from_zero))),
    "FLOOR": Function(1, 2, _of_numbers(rounding(math.floor))),
    "CEIL": Function(1, 2, _of_numbers(rounding(math.ceil))),
    "DAY_OF_MONTH": _of_day(lambda of: of.day),
    "MONTH": _of_day(lambda of: of.month),
    "YEAR": _of_day(lambda of: of.year),
    "DAYS_SINCE": _since(days_between),
    "MONTHS_SINCE": _since(months_between),
    "YEARS_SINCE": _since(years_between),
    "DAYS_UNTIL": _until(days_between),
    "MONTHS_UNTIL": _until(months_between),
}
