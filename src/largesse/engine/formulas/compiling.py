"""From tree to closures. Every part is computed at most once, so an evaluation costs no more than the text is long."""

import re
from collections.abc import Callable, Sequence
from datetime import date
from difflib import get_close_matches
from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

from largesse.engine.formulas.context import Evaluation
from largesse.engine.formulas.dates import parse_date, parse_date_time
from largesse.engine.formulas.errors import FormulaError
from largesse.engine.formulas.functions import FUNCTIONS, Compute, switch
from largesse.engine.formulas.numbers import MAX_DIGITS, bounded
from largesse.engine.formulas.operands import METADATA, OPERANDS, of_fact, of_metadata
from largesse.engine.formulas.operators import ARITHMETIC, COMPARISONS, DATE_COMPARISONS
from largesse.engine.formulas.values import Value, number, truth

if TYPE_CHECKING:
    from lark import Token, Tree

MAX_DEPTH = 64  # of functions and operations within each other; our decision, far from what Python can nest
_LITERALS: dict[str, tuple[Callable[[str], date | None], str]] = {
    "DATE": (parse_date, "YYYY-MM-DD"),
    "DATE_TIME": (parse_date_time, "YYYY-MM-DDTHH:mm:ssZ"),
}
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class Compiler:
    """Compiles one text; `operands` collects the names of the facts it asks for."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.operands: set[str] = set()
        self._rules: dict[str, Callable[[Tree[Token], int], Compute]] = {
            "any_of": self._any_of,
            "all_of": self._all_of,
            "compared": self._compared,
            "sum": self._arithmetic,
            "product": self._arithmetic,
            "negated": self._negated,
            "number": self._number,
            "text": self._text,
            "name": self._name,
            "call": self._call,
            "switch": self._switch,
        }

    def compile(self, node: "Tree[Token] | Token", depth: int = 1) -> Compute:
        """The computation of one part. Raises FormulaError with the place of what means nothing."""
        tree = cast("Tree[Token]", node)
        if depth > MAX_DEPTH:
            raise FormulaError(f"A formula cannot nest deeper than {MAX_DEPTH} levels", self.text, tree.meta.start_pos)
        return self._rules[tree.data](tree, depth)

    def _within(self, nodes: "Sequence[Tree[Token] | Token]", depth: int) -> list[Compute]:
        return [self.compile(node, depth + 1) for node in nodes]

    def _any_of(self, tree: "Tree[Token]", depth: int) -> Compute:
        parts = self._within(tree.children, depth)
        return lambda evaluation: any(truth(part(evaluation)) for part in parts)

    def _all_of(self, tree: "Tree[Token]", depth: int) -> Compute:
        parts = self._within(tree.children, depth)
        return lambda evaluation: all(truth(part(evaluation)) for part in parts)

    def _compared(self, tree: "Tree[Token]", depth: int) -> Compute:
        left, right = self._within(tree.children[::2], depth)
        operator = cast("Token", tree.children[1]).type
        if operator in DATE_COMPARISONS:
            dates = DATE_COMPARISONS[operator]
            return lambda evaluation: dates(left(evaluation), right(evaluation), evaluation.zone)
        compare = COMPARISONS[operator]
        return lambda evaluation: compare(left(evaluation), right(evaluation))

    def _arithmetic(self, tree: "Tree[Token]", depth: int) -> Compute:
        first, *others = self._within(tree.children[::2], depth)
        operators = [ARITHMETIC[cast("Token", token).type] for token in tree.children[1::2]]
        steps = list(zip(operators, others, strict=True))

        def value(evaluation: Evaluation) -> Value:
            found = number(first(evaluation))
            for operator, other in steps:
                found = bounded(operator(found, number(other(evaluation))))
            return found

        return value

    def _negated(self, tree: "Tree[Token]", depth: int) -> Compute:
        [operand] = self._within(tree.children[1:], depth)
        return lambda evaluation: -number(operand(evaluation))

    def _number(self, tree: "Tree[Token]", _depth: int) -> Compute:
        token = _token(tree)
        if len(token) > MAX_DIGITS:
            raise self._error(f"A number cannot have more than {MAX_DIGITS} digits", token)
        return _constant(Fraction(token))

    def _text(self, tree: "Tree[Token]", _depth: int) -> Compute:
        return _constant(_unquoted(tree))

    def _name(self, tree: "Tree[Token]", _depth: int) -> Compute:
        token = _token(tree)
        if token in OPERANDS:
            self.operands.add(str(token))
            return of_fact(token)
        if token in METADATA or token in _LITERALS:
            raise self._error(f'{token} needs a text in parentheses, as in {token}("…")', token)
        if token in FUNCTIONS:
            raise self._error(f"{token} is a function and needs its arguments in parentheses", token)
        raise self._unknown(token)

    def _call(self, tree: "Tree[Token]", depth: int) -> Compute:
        token = _token(tree)
        given = cast("Tree[Token]", tree.children[1]).children if len(tree.children) > 1 else []
        if token in METADATA or token in _LITERALS:
            return self._of_text(token, given)
        if token in OPERANDS:
            raise self._error(f"{token} takes no arguments", token)
        if token not in FUNCTIONS:
            raise self._unknown(token)
        function = FUNCTIONS[token]
        if len(given) < function.least or (function.most is not None and len(given) > function.most):
            wanted = _count(function.least, function.most)
            raise self._error(f"{token} takes {wanted}, separated by semicolons, but has {len(given)}", token)
        return function.build(self._within(given, depth))

    def _of_text(self, token: "Token", given: "list[Any]") -> Compute:
        if len(given) != 1 or given[0].data != "text":
            raise self._error(f'{token} takes one text in quotes, as in {token}("…")', token)
        written = _unquoted(given[0])
        if token in METADATA:
            self.operands.add(str(token))
            return of_metadata(str(token), written)
        read, form = _LITERALS[token]
        found = read(written)
        if found is None:
            raise self._error(f"{token} needs an existing date written as {form}", _token(given[0]))
        return _constant(found)

    def _switch(self, tree: "Tree[Token]", depth: int) -> Compute:
        subject, *cases, otherwise = cast("list[Tree[Token]]", tree.children)
        pairs = [self._within(case.children, depth) for case in cases]
        subject_, otherwise_ = self._within([subject, otherwise], depth)
        return switch(subject_, [(case, result) for case, result in pairs], otherwise_)

    def _error(self, problem: str, token: "Token") -> FormulaError:
        return FormulaError(problem, self.text, token.start_pos or 0)

    def _unknown(self, token: "Token") -> FormulaError:
        known = [*OPERANDS, *METADATA, *_LITERALS, *FUNCTIONS, "SWITCH", "SWITCH_CASE", "AND", "OR"]
        alike = get_close_matches(token[:60], known, 1)
        hint = f"; did you mean {alike[0]}?" if alike else ""
        return self._error(f'Unknown name "{token[:60]}"{hint}', token)


def _constant(value: Value) -> Compute:
    return lambda _: value


def _token(tree: "Tree[Token]") -> "Token":
    return cast("Token", tree.children[0])


def _unquoted(tree: "Tree[Token]") -> str:
    return _ESCAPED.sub(r"\1", _token(tree)[1:-1])


def _count(least: int, most: int | None) -> str:
    if most is None:
        return f"at least {least} arguments"
    if most == least:
        return f"{least} argument" + "s" * (least != 1)
    return f"{least} or {most} arguments"
