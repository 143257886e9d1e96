"""Application rules: which of the lines an entry governs, or which of their units, a benefit takes, and in which order."""

from collections.abc import Sequence
from fractions import Fraction

import msgspec

from largesse.engine.benefits import ItemEntry
from largesse.engine.order import Line


class Picked(msgspec.Struct, frozen=True, gc=False):
    """Lines in order of application; `units` are those taken of each, counted from 1, or None where lines are taken whole."""

    places: Sequence[int] = ()
    units: Sequence[range] | None = None


def select(entry: ItemEntry, places: Sequence[int], lines: Sequence[Line]) -> Picked:
    """In order of application (documented): every n-th after those skipped, or the one cheapest or most expensive.

    Equal unit prices: the lower subtotal first, then the earlier line, in both directions (documented).
    """
    ordered = _ordered(entry, places, lines)
    skip, repeat = entry.skip_initially, entry.repeat
    if entry.effect in ("APPLY_TO_CHEAPEST", "APPLY_TO_MOST_EXPENSIVE"):
        return Picked(ordered[:1], [range(1, 2)] if entry.target == "UNIT" and ordered else None)
    if entry.target == "ITEM":
        return Picked(ordered[skip::repeat])
    found, units = [], []
    passed = 0  # units of the lines before
    for place in ordered:
        quantity = lines[place].quantity
        first = skip - passed if passed <= skip else -(passed - skip) % repeat
        taken = range(first + 1, quantity + 1, repeat)
        if taken:
            found.append(place)
            units.append(taken)
        passed += quantity
    return Picked(found, units)


def _ordered(entry: ItemEntry, places: Sequence[int], lines: Sequence[Line]) -> Sequence[int]:
    if entry.effect == "APPLY_TO_EVERY":
        return places
    sign = 1 if "CHEAPEST" in entry.effect else -1
    return sorted(places, key=lambda place: (sign * unit_price(lines[place]), lines[place].subtotal or 0, place))


def unit_price(line: Line) -> int | Fraction:
    """Of a line with an amount and units, in minor units: the price given, else the exact share of one unit."""
    return line.price if line.price is not None else Fraction(line.amount or 0, line.quantity)
