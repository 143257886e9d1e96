"""What rooms above do between the activation of points and the expiry of others on the same midnight."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from largesse.kernel.database.unit import Unit
from largesse.vouchers.model import StoredVoucher

if TYPE_CHECKING:
    from largesse.points.cards import Cards

Hook = Callable[[Unit, "Cards", Sequence[StoredVoucher]], None]  # (unit, all cards at hand, those with new points)
after_activation: list[Hook] = []  # filled once, by the composition root
