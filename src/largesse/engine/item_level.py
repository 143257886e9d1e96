"""Benefits on lines: what each eligible line gets, within every limit, and how they change the order."""

from collections.abc import Callable, Sequence
from fractions import Fraction

import msgspec

from largesse.engine.allocation import allocate, allocate_within
from largesse.engine.benefits import Group, ItemEntry
from largesse.engine.budgets import Budget, Meter
from largesse.engine.discounts import AmountDiscount, Discount, FixedDiscount, PercentDiscount
from largesse.engine.dynamic import Numbers
from largesse.engine.money import half_up
from largesse.engine.order import Line, Order, line_without_applied, without_applied
from largesse.engine.selection import Picked, select

# What a line with so many discounted units gets, at most its subtotal, before any limit of amount.
Reckon = Callable[[Line, int, ItemEntry], int]


class Taken(msgspec.Struct, frozen=True):
    """The lines of one group that the application rules take, in order of application."""

    entry: ItemEntry
    picked: Picked


class Share(msgspec.Struct, frozen=True, gc=False):
    """What one line gets: minor units, the units discounted (None where they are not counted), the budgets these fall under."""

    place: int
    amount: int
    units: int | None = None
    budgets: Sequence[Budget] = ()


class Caps(msgspec.Struct, frozen=True):
    """Limits of the discount itself, and how far bundles multiply those of the entries."""

    line: int | None = None
    whole: int | None = None
    quantity_times: int = 1
    amount_times: int = 1


def discounted_lines(order: Order) -> frozenset[int]:
    """Lines that carry an item-level discount already."""
    return frozenset([place for place, line in enumerate(order.lines or ()) if line.discount_amount])


def worthless_lines(order: Order) -> frozenset[int]:
    """Lines that nothing can be taken off: without an amount or without units."""
    return frozenset(
        [place for place, line in enumerate(order.lines or ()) if line.amount is None or not line.quantity]
    )


def take(groups: Sequence[Group], order: Order, closed: frozenset[int]) -> list[Taken]:
    """Applies the application rules of each entry to its lines, but for the `closed` ones."""
    lines = order.lines or ()
    return [Taken(one.entry, select(one.entry, open_places(one, closed), lines)) for one in groups]


def open_places(group: Group, closed: frozenset[int]) -> Sequence[int]:
    """The lines of a group less the closed ones."""
    return [place for place in group.places if place not in closed] if closed else group.places


# Discounts of each line by itself


def discount_shares(
    discount: Discount, taken: Sequence[Taken], order: Order, numbers: Numbers, meter: Meter, times: int, initial: bool
) -> list[Share]:
    """The shares of AMOUNT, PERCENT or FIXED on items, in order of application; `times` is how many bundles multiply it.

    `initial` bases percentages on amounts before any discount and added units.
    """
    if isinstance(discount, AmountDiscount):
        if "PROPORTIONALLY" in (discount.effect or ""):
            return _split(discount, taken, order, numbers, times)
        if discount.effect == "APPLY_TO_ITEMS_BY_QUANTITY":
            caps = Caps(whole=discount.aggregated_amount_limit, quantity_times=times)
            return shares_of(taken, order, _by_quantity(discount, numbers), caps, meter)
        caps = Caps(whole=_times(discount.aggregated_amount_limit, times), amount_times=times)
        return shares_of(taken, order, _by_line(discount, numbers, times), caps, meter)
    if isinstance(discount, PercentDiscount):
        whole = _times(discount.aggregated_amount_limit, times)
        caps = Caps(line=discount.amount_limit, whole=whole, amount_times=times)
        return shares_of(taken, order, _percentage(discount, numbers, times, initial), caps, meter)
    assert isinstance(discount, FixedDiscount)
    return shares_of(taken, order, _new_price(discount, numbers), Caps(quantity_times=times), meter)


def _amount_off(discount: AmountDiscount, numbers: Numbers, times: int) -> Callable[[Line], int]:
    formula, fixed = discount.amount_off_formula, discount.amount_off
    if formula is None:
        off = (numbers.money(None, fixed) or 0) * times
        return lambda _: off
    return lambda line: (numbers.money(formula, fixed, line) or 0) * times


def _by_line(discount: AmountDiscount, numbers: Numbers, times: int) -> Reckon:
    amount_off = _amount_off(discount, numbers, times)
    return lambda line, units, _: min(amount_off(line), _worth(line, units))


def _by_quantity(discount: AmountDiscount, numbers: Numbers) -> Reckon:
    amount_off = _amount_off(discount, numbers, 1)

    def reckon(line: Line, units: int, _entry: ItemEntry) -> int:
        off = amount_off(line)
        if line.price is not None:
            off = min(off, line.price)
        return min(off * units, (line.amount or 0) - line.discount_amount)

    return reckon


def _percentage(discount: PercentDiscount, numbers: Numbers, times: int, initial: bool) -> Reckon:
    formula, fixed = discount.percent_off_formula, discount.percent_off
    top = bottom = 0
    if formula is None:
        top, bottom = scaled_percent(numbers.percent(None, fixed), times)

    def reckon(line: Line, units: int, _entry: ItemEntry) -> int:
        over, under = (top, bottom) if formula is None else scaled_percent(numbers.percent(formula, fixed, line), times)
        subtotal = (line.amount or 0) - line.discount_amount
        base = subtotal
        if initial:
            base = (line.amount or 0) if line.initial_amount is None else line.initial_amount
        if units != line.quantity:
            over, under = over * units, under * line.quantity
        return min((2 * base * over + under) // (2 * under), subtotal)

    return reckon


def scaled_percent(percent: Fraction, times: int) -> tuple[int, int]:
    """A percentage per bundle, together at most 100, as the ratio that it takes of an amount."""
    top, bottom = percent.as_integer_ratio()
    return min(top * times, 100 * bottom), 100 * bottom


def _new_price(discount: FixedDiscount, numbers: Numbers) -> Reckon:
    """The entry's price, else the discount's (documented)."""

    def reckon(line: Line, units: int, entry: ItemEntry) -> int:
        price = numbers.money(entry.price_formula, entry.price, line)
        if price is None:
            price = numbers.money(discount.fixed_amount_formula, discount.fixed_amount, line) or 0
        return max(0, _worth(line, units) - price * units)

    return reckon


def _worth(line: Line, units: int) -> int:
    """What so many units of the line still cost."""
    subtotal = (line.amount or 0) - line.discount_amount
    return subtotal if units == line.quantity else half_up(subtotal * units, line.quantity)


def shares_of(
    taken: Sequence[Taken], order: Order, reckon: Reckon, caps: Caps, meter: Meter | None = None
) -> list[Share]:
    """What every line gets within the limits of its entry, of the discount, and of the order's total."""
    lines = order.lines or ()
    found = [share for one in taken for share in _of_group(one, lines, reckon, caps, meter)]
    return _within(_sequence(taken, found), caps.whole)


def _of_group(one: Taken, lines: Sequence[Line], reckon: Reckon, caps: Caps, meter: Meter | None) -> list[Share]:
    """Aggregated limits are used up in order of application; a line that gets nothing uses nothing of them (our decision)."""
    entry = one.entry
    most_units = _times(entry.quantity_limit, caps.quantity_times)
    left_units = entry.aggregated_quantity_limit
    most = _least(_times(entry.amount_limit, 1), caps.line)
    left = _times(entry.aggregated_amount_limit, caps.amount_times)
    if meter is not None and not entry.limits_over_time:
        meter = None
    found = []
    picked = one.picked.units
    for index, place in enumerate(one.picked.places):
        line = lines[place]
        units = line.quantity if picked is None else len(picked[index])
        if most_units is not None and most_units < units:
            units = most_units
        if left_units is not None and left_units < units:
            units = left_units
        budgets: Sequence[Budget] = ()
        if meter is not None:
            budgets = meter.budgets_of(entry, line)
            units = meter.room(budgets, units)
        amount = reckon(line, units, entry) if units > 0 else 0
        if most is not None and most < amount:
            amount = most
        if left is not None and left < amount:
            amount = left
        if amount <= 0:
            continue
        if left_units is not None:
            left_units -= units
        if left is not None:
            left -= amount
        if meter is not None:
            meter.take(budgets, units)
        found.append(Share(place, amount, units, budgets))
    return found


def _sequence(taken: Sequence[Taken], shares: list[Share]) -> list[Share]:
    """One entry's own order; where several entries are concerned, the order of the lines (our decision)."""
    if sum(1 for one in taken if one.picked.places) > 1:
        shares.sort(key=lambda share: share.place)
    return shares


def _within(shares: list[Share], limit: int | None) -> list[Share]:
    """Shares under a common limit, used up in their order."""
    if limit is None:
        return shares
    found = []
    for share in shares:
        given = min(share.amount, limit)
        limit -= given
        if given:
            found.append(share if given == share.amount else msgspec.structs.replace(share, amount=given))
    return found


def _times(limit: int | None, times: int) -> int | None:
    return None if limit is None else limit * times


def _least(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else min(one, other)


# One sum over the lines


def _split(discount: AmountDiscount, taken: Sequence[Taken], order: Order, numbers: Numbers, times: int) -> list[Share]:
    """One sum, first lowered to what is left to pay, then split by subtotal or by quantity (documented).

    An entry's aggregated limit holds its lines together; what it cuts off goes to the lines of the others (our decision).
    """
    off = (numbers.money(discount.amount_off_formula, discount.amount_off) or 0) * times
    total = min(off, order.total_amount, *_some(_times(discount.aggregated_amount_limit, times)))
    lines = order.lines or ()
    places = [place for one in taken for place in one.picked.places]
    rooms = {place: lines[place].subtotal or 0 for place in places}
    by_quantity = discount.effect == "APPLY_TO_ITEMS_PROPORTIONALLY_BY_QUANTITY"
    weights = {place: lines[place].quantity for place in places} if by_quantity else rooms
    open_groups = [(one, _times(one.entry.aggregated_amount_limit, times)) for one in taken if one.picked.places]
    found: dict[int, int] = {}
    rest = min(total, sum(rooms.values()))
    while True:
        given = _allotted(
            rest, [place for one, _ in open_groups for place in one.picked.places], weights, rooms, by_quantity
        )
        over = [
            (one, limit)
            for one, limit in open_groups
            if limit is not None and sum(given[place] for place in one.picked.places) > limit
        ]
        if not over:
            break
        for one, limit in over:
            found |= _allotted(limit, [*one.picked.places], weights, rooms, by_quantity)
            rest -= limit
        open_groups = [group for group in open_groups if group not in over]
    found |= given
    return _sequence(taken, [Share(place, found[place]) for place in places if found[place]])


def _some(limit: int | None) -> tuple[int, ...]:
    return () if limit is None else (limit,)


def _allotted(
    total: int, places: list[int], weights: dict[int, int], rooms: dict[int, int], by_quantity: bool
) -> dict[int, int]:
    """Ties of a remainder go to the earlier line (documented), whatever the order of application."""
    ordered = sorted(places)
    weighed, room = [weights[place] for place in ordered], [rooms[place] for place in ordered]
    total = min(total, sum(room))
    return dict(
        zip(ordered, allocate_within(total, weighed, room) if by_quantity else allocate(total, weighed), strict=True)
    )


# Gift cards


def credit_shares(credits: int, taken: Sequence[Taken], order: Order) -> list[Share]:
    """Credits spent line by line, each as far as it costs anything (documented)."""
    shares = shares_of(taken, order, lambda line, units, _: _worth(line, units), Caps(whole=credits))
    return [Share(share.place, share.amount) for share in shares]


# What every one of them ends in


def trimmed(shares: Sequence[Share], total: int) -> list[Share]:
    """Shares that the order can bear: cut back from the end of the sequence until they make no more than `total` (documented)."""
    excess = sum([share.amount for share in shares]) - total
    found = list(shares)
    while excess > 0:
        last = found.pop()
        if last.amount > excess:
            found.append(msgspec.structs.replace(last, amount=last.amount - excess))
        excess -= last.amount
    return found


def with_shares(order: Order, shares: Sequence[Share]) -> Order:
    """`order` with the shares taken off its lines, and nothing else applied."""
    if not shares:
        return without_applied(order)
    replace = msgspec.structs.replace
    touched = {share.place for share in shares}
    lines = [line if place in touched else line_without_applied(line) for place, line in enumerate(order.lines or ())]
    for share in shares:
        line = lines[share.place]
        units = line.discount_quantity
        if share.units is not None:
            units = share.units if units is None else min(line.quantity, units + share.units)
        lines[share.place] = replace(
            line,
            discount_amount=line.discount_amount + share.amount,
            applied_discount_amount=share.amount,
            discount_quantity=units,
            applied_discount_quantity=share.units,
            applied_quantity=None,
            applied_quantity_amount=None,
            application_details=None,
        )
    return replace(order, applied_discount_amount=0, lines=tuple(lines))
