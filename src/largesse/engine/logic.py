"""Logic strings of rules: how the numbered parts of a rule go together, such as `(1 and 2) or 3`."""

import re
from collections.abc import Iterator

import msgspec

MAX_LENGTH = 10_000  # characters; our decision
MAX_NESTING = 64  # brackets within brackets; our decision
KEY = re.compile(r"[A-Za-z0-9_$.-]+")
_TOKEN = re.compile(rf"\s*([()]|{KEY.pattern}|\S)")
_WORDS = frozenset(["and", "or"])


class Leaf(msgspec.Struct, frozen=True, tag=True):
    """One part of the rule, by its key."""

    key: str


class Every(msgspec.Struct, frozen=True, tag=True):
    """True where all parts are."""

    parts: tuple["Logic", ...]


class Some(msgspec.Struct, frozen=True, tag=True):
    """True where at least one part is."""

    parts: tuple["Logic", ...]


Logic = Leaf | Every | Some


class LogicError(ValueError):
    """A text that is no logic string; the message names the place and what stands there."""


def is_key(text: str) -> bool:
    """Whether a logic string can name a part `text`; the words `and` and `or` are taken, in any case."""
    return bool(KEY.fullmatch(text)) and text.lower() not in _WORDS


def parse_logic(text: str) -> Logic:
    """What a logic string says. AND binds tighter than OR, both in any case (our decision). Raises LogicError."""
    if len(text) > MAX_LENGTH:
        raise LogicError(f"it is longer than {MAX_LENGTH} characters")
    return _Parser(text).whole()


def keys_of(logic: Logic) -> list[str]:
    """The keys named, each once, in order of their first appearance."""
    return list(dict.fromkeys(_keys(logic)))


def _keys(logic: Logic) -> Iterator[str]:
    if isinstance(logic, Leaf):
        yield logic.key
    else:
        for part in logic.parts:
            yield from _keys(part)


class _Parser:
    """expr := term { OR term } · term := factor { AND factor } · factor := "(" expr ")" | KEY"""

    def __init__(self, text: str) -> None:
        self._tokens = [(match[1], match.start(1)) for match in _TOKEN.finditer(text)]
        self._next = 0
        self._depth = 0

    def whole(self) -> Logic:
        found = self._expression()
        if self._next < len(self._tokens):
            raise self._unexpected("and, or, or the end")
        return found

    def _expression(self) -> Logic:
        parts = [self._term()]
        while self._took("or"):
            parts.append(self._term())
        return parts[0] if len(parts) == 1 else Some(tuple(parts))

    def _term(self) -> Logic:
        parts = [self._factor()]
        while self._took("and"):
            parts.append(self._factor())
        return parts[0] if len(parts) == 1 else Every(tuple(parts))

    def _factor(self) -> Logic:
        if self._took("("):
            self._depth += 1
            if self._depth > MAX_NESTING:
                raise LogicError(f"brackets are nested deeper than {MAX_NESTING}")
            inner = self._expression()
            if not self._took(")"):
                raise self._unexpected("a closing bracket")
            self._depth -= 1
            return inner
        if self._next == len(self._tokens) or not is_key(self._tokens[self._next][0]):
            raise self._unexpected("a key")
        self._next += 1
        return Leaf(self._tokens[self._next - 1][0])

    def _took(self, word: str) -> bool:
        if self._next < len(self._tokens) and self._tokens[self._next][0].lower() == word:
            self._next += 1
            return True
        return False

    def _unexpected(self, wanted: str) -> LogicError:
        if self._next == len(self._tokens):
            return LogicError(f"it ends where {wanted} should follow")
        token, place = self._tokens[self._next]
        return LogicError(f"'{token}' at character {place + 1} is not {wanted}")
