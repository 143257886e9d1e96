"""Free units: products and SKUs that a benefit adds to the cart, takes off the price of, or exchanges."""

from collections.abc import Iterable
from typing import Any

import msgspec

from largesse.engine.books import Ask
from largesse.engine.cart import Cart
from largesse.engine.circumstances import Circumstances
from largesse.engine.discounts import ItemReference, UnitDiscount, Units, item_names, names
from largesse.engine.dynamic import Numbers
from largesse.engine.money import half_up
from largesse.engine.order import Catalog, CatalogEntry, Line, Order, shown


def unit_items(asks: Iterable[Ask]) -> set[str]:
    """Ids and source ids of the products and SKUs (either may go by any of them) whose prices a decision may need."""
    found: set[str] = set()
    for ask in asks:
        benefit = ask.voucher or ask.tier
        if benefit is not None:
            found.update(item_names(benefit.discount))
    return found


def apply_units(
    discount: UnitDiscount,
    order: Order,
    about: Circumstances,
    numbers: Numbers,
    times: int,
    closed: frozenset[int] = frozenset(),
) -> Order:
    """`order`, of which nothing is applied yet, with the units given. `times` is how many bundles multiply them.

    Lines in `closed` are left alone: as if they were of other products.
    """
    basket = _Basket(order, about, closed)
    if discount.effective == "REPLACE_ITEMS":
        return _replaced(discount, basket, numbers, times)
    for units in discount.given:
        count = numbers.units(units.unit_off_formula, units.unit_off) * times
        if not count:  # a formula may say so
            continue
        if discount.effective == "ADD_SAME_ITEMS":
            for place in basket.same_as(units):
                basket.add(place, count)
        elif (units.effect or "ADD_MISSING_ITEMS") == "ADD_NEW_ITEMS":
            basket.add(basket.line_for(units), count)
        else:
            missing = basket.free_held(units, count)
            if missing:
                basket.add(basket.line_for(units), missing)
    return basket.order()


def _replaced(discount: UnitDiscount, basket: "_Basket", numbers: Numbers, times: int) -> Order:
    """Source units leave, target units come; what they cost more is free (documented). All or nothing of each exchange."""
    source = discount.source
    leaving = numbers.units(source.unit_off_formula, source.unit_off) if source else 0
    coming = numbers.units(discount.unit_off_formula, discount.unit_off)
    if source is None or not leaving or not coming or not basket.exchange(source, leaving, discount, coming, times):
        return basket.untouched
    return basket.order()


class _Change:
    """What becomes of one line: units that come, units made free, units that leave, and the discount that makes."""

    __slots__ = ("added", "details", "discount", "freed", "price")

    def __init__(self, price: int | None) -> None:
        self.price = price  # of one unit; None where it has none
        self.added = 0
        self.freed = 0
        self.discount = 0
        self.details: list[dict[str, Any]] | None = None


class _Basket:
    """The order while one redeemable gives its units; `changes` in order of application."""

    def __init__(self, order: Order, about: Circumstances, closed: frozenset[int]) -> None:
        self._order = self.untouched = order
        self._about = about
        self._closed = closed
        self._lines = list(order.lines or ())
        self._changes: dict[int, _Change] = {}
        self._cart = Cart(self._lines, about.collections)

    # Finding lines

    def _matching(self, units: Units | UnitDiscount) -> list[int]:
        """The lines of the product or SKU, request order."""
        kind = _kind(units, self._about.catalog)
        return [place for place in self._cart.places(kind, *names(units)) if place not in self._closed]

    def same_as(self, units: Units | UnitDiscount) -> list[int]:
        """The lines whose product belongs to the collection, or is the product itself."""
        if units.unit_type in self._about.collections:
            places = self._cart.places("products_collection", units.unit_type)
            return [place for place in places if place not in self._closed]
        return self._matching(units)

    def line_for(self, units: Units | UnitDiscount) -> int:
        """Where units are added: the first matching line, else a new one (documented: merged)."""
        places = self._matching(units)
        if places:
            return places[0]
        self._lines.append(_new_line(units, self._about.catalog, priced=self._order.amount is not None))
        self._cart = Cart(self._lines, self._about.collections)
        return len(self._lines) - 1

    # Changing them

    def _change(self, place: int) -> _Change:
        if place not in self._changes:
            line = self._lines[place]
            price = line.price
            if self._order.amount is None or line.amount is None:
                price = None
            elif price is None:
                price = half_up(line.amount, max(1, line.quantity))
            self._changes[place] = _Change(price)
        return self._changes[place]

    def add(self, place: int, count: int) -> None:
        """So many more units of a line, for free."""
        change = self._change(place)
        change.added += count
        change.freed += count
        change.discount += count * (change.price or 0)

    def free_held(self, units: Units | UnitDiscount, count: int) -> int:
        """Makes up to `count` units in the cart free and says how many are missing. What is free already is not freed again."""
        for place in self._matching(units):
            line, change = self._lines[place], self._change(place)
            held = min(count, line.quantity + change.added)
            count -= held
            free = min(held, line.quantity + change.added - change.freed)
            if change.price:
                worth = (line.amount or 0) + change.added * change.price - line.discount_amount - change.discount
                value = min(free * change.price, worth)
                free = -(-value // change.price)
                change.discount += value
            change.freed += free
        return count

    def exchange(self, source: Units, leaving: int, target: UnitDiscount, coming: int, times: int) -> bool:
        """Takes `leaving` units out for each `coming` ones, up to `times`, as often as the cart holds them undiscounted.

        False, and nothing to be kept, where it holds too few or the order could not bear the lower amount.
        """
        spare = {place: self._spare(place) for place in self._matching(source)}
        times = min(times, sum(spare.values()) // leaving)
        if not times:
            return False
        place = self.line_for(target)
        gain = self._change(place)
        taken = _first(spare, leaving * times)
        cost = sum(units * (self._change(one).price or 0) for one, units in taken.items())
        value = coming * times * (gain.price or 0)
        if self._order.total_amount + min(0, value - cost) < 0:
            return False
        for one, units in taken.items():
            self._change(one).added -= units
        gain.added += coming * times
        gain.discount = max(0, value - cost)
        gain.details = [
            {
                "source_index": one,
                "source_applied_quantity": -units,
                "source_applied_quantity_amount": -units * (self._change(one).price or 0),
                "target_index": place,
                "target_applied_quantity": coming * times,
                "target_applied_quantity_amount": value,
                "target_applied_discount_amount": gain.discount,
            }
            for one, units in taken.items()
        ]
        return True

    def _spare(self, place: int) -> int:
        """Units that can leave a line without leaving less on it than its discounts."""
        line, price = self._lines[place], self._change(place).price
        return min(line.quantity, (line.subtotal or 0) // price) if price else line.quantity

    # The result

    def order(self) -> Order:
        """With the discounts trimmed, from the last line changed, to what the order can bear."""
        order = self._order
        gain = sum(change.added * (change.price or 0) for change in self._changes.values())
        excess = sum(change.discount for change in self._changes.values()) - (order.total_amount + gain)
        for change in reversed(self._changes.values()):
            cut = min(max(0, excess), change.discount)
            change.discount -= cut
            excess -= cut
        lines = self._lines
        for place, change in self._changes.items():
            lines[place] = _changed(lines[place], change)
        after = msgspec.structs.replace(order, lines=tuple(lines) if lines else order.lines)
        if order.amount is None or not gain:
            return after
        initial = order.amount if order.initial_amount is None else order.initial_amount
        return msgspec.structs.replace(after, amount=order.amount + gain, initial_amount=initial)


def _changed(line: Line, change: _Change) -> Line:
    freed = change.freed if change.discount or not change.price else 0
    if not (freed or change.added or change.discount):
        return line
    quantity, value = line.quantity + change.added, change.added * (change.price or 0)
    return msgspec.structs.replace(
        line,
        quantity=quantity,
        amount=None if line.amount is None else line.amount + value,
        initial_quantity=line.quantity if line.initial_quantity is None else line.initial_quantity,
        initial_amount=line.amount if line.initial_amount is None else line.initial_amount,
        discount_amount=line.discount_amount + change.discount,
        applied_discount_amount=change.discount,
        discount_quantity=min(quantity, (line.discount_quantity or 0) + freed) or None,
        applied_discount_quantity=freed or None,
        applied_quantity=change.added or None,
        applied_quantity_amount=value or None,
        application_details=change.details,
    )


def _first(held: dict[int, int], count: int) -> dict[int, int]:
    """`count` units, from the first lines on."""
    found = {}
    for place, units in held.items():
        taken = min(units, count)
        if taken:
            found[place] = taken
        count -= taken
    return found


# Products and SKUs


def _kind(units: Units | UnitDiscount, catalog: Catalog) -> str:
    """What the units are of: as the catalogue knows them, else as their id looks."""
    known = names(units)
    if units.sku is not None or any(name in catalog.skus or name.startswith("sku_") for name in known):
        return "sku"
    return "product"


def _new_line(units: Units | UnitDiscount, catalog: Catalog, *, priced: bool) -> Line:
    """A line of no units yet, with the price of the catalogue: the SKU's, else the product's (documented)."""
    known = names(units)
    sku = product = None
    if is_sku := _kind(units, catalog) == "sku":
        sku = next((catalog.skus[name] for name in known if name in catalog.skus), None)
        product = catalog.products.get(sku.product_id) if sku and sku.product_id else None
    else:
        product = next((catalog.products[name] for name in known if name in catalog.products), None)
    prices = [entry.price for entry in (sku, product) if entry is not None and entry.price is not None]
    price = prices[0] if prices and priced else None
    named = units.product.id if units.product else None
    return Line(
        product_id=product.id
        if product
        else (sku.product_id if sku else None) or named or (None if is_sku else known[0]),
        sku_id=(sku.id if sku else known[0]) if is_sku else None,
        quantity=0,
        price=price,
        amount=0 if price is not None else None,
        product=_shown(product, units.product, "name"),
        sku=_shown(sku, units.sku, "sku"),
    )


def _shown(entry: CatalogEntry | None, reference: ItemReference | None, name: str) -> dict[str, Any] | None:
    """The `product` or `sku` member of an added line: as the catalogue has it, else as the discount names it."""
    if entry is not None or reference is None:
        return shown(entry, None, name)
    held = {"id": reference.id, "source_id": reference.source_id, name: reference.name}
    return {key: value for key, value in held.items() if value is not None}
