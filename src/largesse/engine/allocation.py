"""Splitting an amount over weights without losing or inventing a cent."""

from collections.abc import Sequence


def allocate(total: int, weights: Sequence[int]) -> list[int]:
    """Shares of `total` in proportion to `weights` (all >= 0), summing exactly to it; all zero when no weight is positive.

    Largest remainder: exact shares are floored, missing units go to the largest fractions, ties to the earlier place (our decision;
    it reproduces the documented example).
    """
    whole = sum(weights)
    if whole <= 0 or total <= 0:
        return [0] * len(weights)
    shares = [total * weight // whole for weight in weights]
    missing = total - sum(shares)
    by_fraction = sorted(range(len(weights)), key=lambda place: (-(total * weights[place] % whole), place))
    for place in by_fraction[:missing]:
        shares[place] += 1
    return shares


def allocate_within(total: int, weights: Sequence[int], rooms: Sequence[int]) -> list[int]:
    """As `allocate`, but no share exceeds its room: what is cut off is split again over the places that still have room."""
    shares = [0] * len(weights)
    rest = min(total, sum(rooms))
    while rest > 0:
        open_weights = [
            weight if room > share else 0 for weight, room, share in zip(weights, rooms, shares, strict=True)
        ]
        if not any(open_weights):
            break
        given = 0
        for place, share in enumerate(allocate(rest, open_weights)):
            taken = min(share, rooms[place] - shares[place])
            shares[place] += taken
            given += taken
        rest -= given
    return shares
