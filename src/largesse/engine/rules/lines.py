"""Lines as conditions see them: the units that were sent, not those that discounts added; and sub-rules about some of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from largesse.engine.order import Line
from largesse.engine.rules.documents import RuleFault, joined, part, parts_of, read_logic
from largesse.engine.rules.facts import Facts
from largesse.engine.rules.leaves import Leaf, property_of, without_parts
from largesse.engine.rules.operators import OF_METADATA, OF_NUMBER, compile_conditions

MOST_SHOWN = 100  # lines of an explanation; our decision


class Matched:
    """The lines that a rule has matched, out of `of` candidates."""

    __slots__ = ("_amount", "_units", "facts", "lines", "of")

    def __init__(self, facts: Facts, lines: Sequence[Line], of: int) -> None:
        self.facts = facts
        self.lines = lines
        self.of = of
        self._units: int | None = None
        self._amount: int | None = None

    @property
    def units(self) -> int:
        if self._units is None:
            self._units = sum(units(line) for line in self.lines)
        return self._units

    @property
    def amount(self) -> int:
        """Of all lines, less their item-level discounts so far."""
        if self._amount is None:
            self._amount = sum(line.subtotal or 0 for line in self.lines)
        return self._amount


SubTest = Callable[[Matched, Line], bool]
CompileSub = Callable[[Leaf, str], SubTest]


def units(line: Line) -> int:
    return line.quantity if line.initial_quantity is None else line.initial_quantity


def candidates(facts: Facts) -> list[int]:
    """The places of the lines that a rule may match."""
    return [place for place, line in enumerate(facts.cart.lines) if units(line) > 0]


def sub_rules(leaf: Leaf, place: str, known: Mapping[str, CompileSub]) -> SubTest | None:
    """The sub-rules of a leaf as one test of a matched line; None without any. Raises RuleFault."""
    place = f"{place}.rules"
    parts = parts_of(leaf.get("rules") or {}, place)
    logic = read_logic((leaf.get("rules") or {}).get("logic"), parts, place)
    tests = {key: _sub_rule(one, f"{place}.{key}", known) for key, one in parts.items()}
    return joined(logic, tests) if logic is not None else None


def _sub_rule(document: Any, place: str, known: Mapping[str, CompileSub]) -> SubTest:
    leaf = part(document, place)
    compile_sub = known.get(leaf["name"])
    if compile_sub is None:
        names = ", ".join(sorted(known))
        raise RuleFault(f"{place}: '{leaf['name']}' cannot be a sub-rule here; known are {names}")
    without_parts(leaf, place)
    return compile_sub(leaf, place)


def of_line(read: Callable[[Line], int | None]) -> CompileSub:
    def compiled(leaf: Leaf, place: str) -> SubTest:
        check = compile_conditions(leaf, place, OF_NUMBER)
        return lambda matched, line: check(read(line), matched.facts)

    return compiled


def of_all(read: Callable[[Matched], int]) -> CompileSub:
    def compiled(leaf: Leaf, place: str) -> SubTest:
        check = compile_conditions(leaf, place, OF_NUMBER)
        return lambda matched, _line: check(read(matched), matched.facts)

    return compiled


def of_line_metadata(leaf: Leaf, place: str) -> SubTest:
    member = property_of(leaf)
    check = compile_conditions(leaf, place, OF_METADATA)
    return lambda matched, line: check(member(line.metadata), matched.facts)


def lines_at(facts: Facts, places: Iterable[int]) -> list[Line]:
    lines = facts.cart.lines
    return [lines[place] for place in places]


def shown_lines(facts: Facts, places: Sequence[int]) -> list[dict[str, object]]:
    """Lines as explanations name them, the first hundred."""
    lines = facts.cart.lines
    return [
        {
            "index": place,
            "product_id": lines[place].product_id,
            "sku_id": lines[place].sku_id,
            "price": lines[place].price,
            "quantity": units(lines[place]),
        }
        for place in places[:MOST_SHOWN]
    ]
