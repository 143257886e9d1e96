"""From text to tree, within limits that keep any text cheap to refuse."""

import re
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

from largesse.engine.formulas.errors import FormulaError
from largesse.engine.formulas.grammar import GRAMMAR

if TYPE_CHECKING:  # imported on first use: starting up needs no parser
    from lark import Lark, Token, Tree

MAX_LENGTH = 5_000  # characters; our decision
MAX_SYMBOLS = 1_000  # numbers, names, texts, operators and brackets together; our decision

_SYMBOL = re.compile(r'"(?:\\.|[^"\\])*"?|\w[\w.]*|[<>!]=|\S', re.DOTALL)
_EXPECTED = {
    "NUMBER": "a value",
    "_OPEN": '"("',
    "PLUS": "an operator",
    "_SWITCH_CASE": "SWITCH_CASE(…)",
    "_SEPARATOR": '";"',
    "_CLOSE": '")"',
    "$END": "the end",
}


def parse(text: str) -> "Tree[Token]":
    """The tree of the formula. Raises FormulaError with the place that cannot be read, or where a limit is passed."""
    from lark.exceptions import UnexpectedCharacters, UnexpectedToken

    _check_limits(text)
    try:
        return _parser().parse(text)
    except UnexpectedCharacters as error:
        place = error.pos_in_stream or 0
        raise FormulaError(_unreadable(text, place), text, place) from None
    except UnexpectedToken as error:
        at_end = error.token.type == "$END"
        found = "The formula ends too early" if at_end else f'Unexpected "{error.token[:60]}"'
        start = len(text) if at_end else error.token.start_pos or 0
        raise FormulaError(f"{found}: expected {_expected(error.accepts)}", text, start) from None


@cache
def _parser() -> "Lark":
    from lark import Lark

    return Lark(GRAMMAR, parser="lalr", lexer="basic", propagate_positions=True)


def _check_limits(text: str) -> None:
    if len(text) > MAX_LENGTH:
        raise FormulaError(f"A formula cannot be longer than {MAX_LENGTH} characters", text, MAX_LENGTH)
    count = 0
    for count, symbol in enumerate(_SYMBOL.finditer(text), 1):
        if count > MAX_SYMBOLS:
            problem = f"A formula cannot have more than {MAX_SYMBOLS} numbers, names, texts, operators and brackets"
            raise FormulaError(problem, text, symbol.start())
    if not count:
        raise FormulaError("A formula cannot be empty", text, 0)


def _unreadable(text: str, place: int) -> str:
    if text[place] == '"':
        return 'Text without its closing "'
    return f'Unexpected character "{text[place]}"'


def _expected(accepted: Iterable[str]) -> str:
    wanted = [said for name, said in _EXPECTED.items() if name in accepted]
    return wanted[0] if wanted[0] == "a value" else " or ".join(wanted)
