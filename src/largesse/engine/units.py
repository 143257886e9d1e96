"""Free units: products and SKUs that a benefit adds to the cart or takes off the price of."""

from collections.abc import Iterable

from largesse.engine.books import Ask
from largesse.engine.discounts import item_names


def unit_items(asks: Iterable[Ask]) -> set[str]:
    """Ids and source ids of the products and SKUs (either may go by any of them) whose prices a decision may need."""
    found: set[str] = set()
    for ask in asks:
        benefit = ask.voucher or ask.tier
        if benefit is not None:
            found.update(item_names(benefit.discount))
    return found
