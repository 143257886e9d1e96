"""What answers say of a benefit's reach: the entries it applies to and those it does not, with the lines of the cart they mean."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from largesse.engine.benefits import Entries, Group
from largesse.engine.cart import COLLECTION, Cart
from largesse.engine.order import Line
from largesse.engine.selection import Picked

MAX_UNITS_SHOWN = 1000  # of a whole cart; beyond, single units are not listed (documented)
Reach = tuple[dict[str, Any], ...]
_NOTHING = Picked()


def listed(
    definitions: Iterable[Entries],
    groups: Mapping[int, Group],
    picked: Mapping[int, Picked],
    cart: Cart,
    lines: Sequence[Line],
) -> Reach:
    """The entries as defined, each collection followed by its products in the cart, with the lines taken in order of application.

    `groups` and `picked` are those of the entries that have any, in order, by their numbers among all of them; `lines` have the
    quantities they have now.
    """
    shown = [one for known in definitions for one in known.shown]
    shows_units = sum([line.quantity for line in lines]) <= MAX_UNITS_SHOWN
    found: list[dict[str, Any]] = []
    told = 0
    for index, group in groups.items():
        taken = picked.get(index, _NOTHING)
        if not taken.places and group.entry.object != COLLECTION:
            continue
        found += shown[told:index]
        told = index + 1
        found.append(shown[index] | _lines(taken, shows_units) if taken.places else shown[index])
        if group.entry.object == COLLECTION:
            found += _members(group, taken, cart, shows_units)
    return tuple(found + shown[told:])


def _members(group: Group, taken: Picked, cart: Cart, shows_units: bool) -> Iterable[dict[str, Any]]:
    """The products, or SKUs of lines that name no product, of a collection that are in the cart (documented: strict)."""
    effect = group.entry.effect
    found: dict[tuple[str, str], dict[str, Any]] = {}
    names = cart.item_names
    for place in group.places:
        kind, id = name = names[place]
        if name not in found:
            found[name] = {"object": kind, "id": id, "strict": True, "effect": effect}
    if taken.units is None:
        for place in taken.places:
            found[names[place]].setdefault("order_item_indices", []).append(place)
    else:
        for place, units in zip(taken.places, taken.units, strict=True):
            found[names[place]].setdefault("order_item_units", []).append(_unit(place, units, shows_units))
    return found.values()


def _lines(taken: Picked, shows_units: bool) -> dict[str, Any]:
    """Whole lines by their numbers from 0, single units by their numbers from 1 within a line."""
    if taken.units is None:
        return {"order_item_indices": taken.places}
    units = zip(taken.places, taken.units, strict=True)
    return {"order_item_units": [_unit(place, some, shows_units) for place, some in units]}


def _unit(place: int, units: range, shows_units: bool) -> dict[str, Any]:
    return {"index": place, "units": list(units)} if shows_units else {"index": place, "units_limit_exceeded": True}
