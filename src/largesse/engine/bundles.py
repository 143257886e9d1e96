"""Bundles: how many complete ones a cart holds when no unit serves twice, which units make them, and what is missing for one.

Components draw on the same lines where their products overlap, so counting is a small matching problem: lines that serve the same
components are pooled, and units are routed from pools to components along augmenting paths.
"""

from collections.abc import Sequence

from largesse.engine.benefits import Bundle, BundleComponent, BundleItem, BundleRules, MissingItem
from largesse.engine.cart import COLLECTION, Cart
from largesse.engine.order import Line

_RANKS = {"sku": 0, "product": 1, COLLECTION: 2}
_Pools = dict[int, int]  # by the set of components a unit may serve, as bits: how many units there are
_Flow = dict[tuple[int, int], int]  # (component, pool) → units


def find_bundles(rules: BundleRules, cart: Cart, lines: Sequence[Line]) -> Bundle:
    """The greatest number of bundles within the limit, made of the units the caller sent (not of free ones added since).

    `identified` is built most specific first (SKU, product, collection), lines in request order, as far as that leaves enough for
    the other components; with no complete bundle it holds the units a first one would use.
    """
    components = sorted(rules.components, key=lambda one: _RANKS[one.object])
    left = [line.quantity if line.initial_quantity is None else line.initial_quantity for line in lines]
    places = [cart.places(one.object, one.id, one.source_id) for one in components]
    masks = _masks(places)
    pools: _Pools = {}
    for place, mask in masks.items():
        pools[mask] = pools.get(mask, 0) + left[place]
    needs = [one.quantity for one in components]
    quantity = _most(needs, pools, rules.limit)
    served = [need * quantity for need in needs] if quantity else _served(needs, pools)[0]
    missing = [] if quantity else [need - some for need, some in zip(needs, served, strict=True)]
    return Bundle(
        quantity,
        rules.limit,
        tuple(_identified(components, served, places, masks, pools, left, lines)),
        tuple(
            MissingItem(one.id, one.object, lacking)
            for one, lacking in zip(components, missing, strict=False)
            if lacking
        ),
    )


def _masks(places: list[list[int]]) -> dict[int, int]:
    """For every line that serves anything, which components it may serve."""
    found: dict[int, int] = {}
    for component, some in enumerate(places):
        for place in some:
            found[place] = found.get(place, 0) | 1 << component
    return found


def _most(needs: list[int], pools: _Pools, limit: int) -> int:
    """The greatest number of bundles up to `limit` that the pools can serve."""
    low, high = 0, limit
    while low < high:
        middle = (low + high + 1) // 2
        if _can_serve([need * middle for need in needs], pools):
            low = middle
        else:
            high = middle - 1
    return low


def _can_serve(demands: list[int], pools: _Pools) -> bool:
    return _served(demands, pools)[0] == demands


def _served(demands: list[int], pools: _Pools) -> tuple[list[int], _Flow]:
    """As many units as the pools can give, earlier components first, and from which pools."""
    free = dict(pools)
    flow: _Flow = {}
    served = []
    for component, demand in enumerate(demands):
        rest = demand
        while rest and (path := _path(component, free, flow)):
            given = min(rest, free[path[-1][1]], *(flow[one, pool] for one, pool in path[1::2]))
            for step, edge in enumerate(path):  # forth along even steps, back along odd ones
                flow[edge] = flow.get(edge, 0) + (-given if step % 2 else given)
            free[path[-1][1]] -= given
            rest -= given
        served.append(demand - rest)
    return served, flow


def _path(component: int, free: _Pools, flow: _Flow) -> list[tuple[int, int]]:
    """The shortest way from a component to a pool with free units, through units that others can give up; empty without one."""
    came: dict[int, tuple[tuple[int, int], ...]] = {}  # pool → edges that lead to it
    waiting: list[tuple[int, tuple[tuple[int, int], ...]]] = [(component, ())]
    for one, edges in waiting:  # grows while it is walked
        for pool in free:
            if not pool >> one & 1 or pool in came:
                continue
            came[pool] = (*edges, (one, pool))
            if free[pool]:
                return list(came[pool])
            waiting.extend(
                (other, (*came[pool], (other, held)))
                for (other, held), units in flow.items()
                if held == pool and units and other != one
            )
    return []


def _identified(
    components: Sequence[BundleComponent],
    demands: list[int],
    places: list[list[int]],
    masks: dict[int, int],
    pools: _Pools,
    left: list[int],
    lines: Sequence[Line],
) -> list[BundleItem]:
    """Which units serve the demands, which the pools are known to be able to."""
    rest, pools, left = list(demands), dict(pools), list(left)
    found = []
    for component, some in enumerate(places):
        for place in some:
            most = min(rest[component], left[place])
            taken = _taken(component, masks[place], most, rest, pools) if most else 0
            if not taken:
                continue
            rest[component] -= taken
            left[place] -= taken
            pools[masks[place]] -= taken
            found.append(_item(components[component], lines[place], place, taken))
    return found


def _taken(component: int, pool: int, most: int, rest: list[int], pools: _Pools) -> int:
    """The most units of a pool a component may take for the demands to stay servable."""
    if pool == 1 << component:  # nobody else wants them
        return most
    low, high = min(most, _served(rest, pools)[1].get((component, pool), 0)), most
    while low < high:
        middle = (low + high + 1) // 2
        demands = [need - middle if one == component else need for one, need in enumerate(rest)]
        if _can_serve(demands, pools | {pool: pools[pool] - middle}):
            low = middle
        else:
            high = middle - 1
    return low


def _item(component: BundleComponent, line: Line, place: int, units: int) -> BundleItem:
    if component.object == "product":
        return BundleItem(component.id, "product", place, units)
    if component.object == "sku":
        return BundleItem(component.id, "sku", place, units)
    if line.sku_id:
        return BundleItem(line.sku_id, "sku", place, units)
    return BundleItem(line.product_id or line.source_id or "", "product", place, units)
