"""What customers hold, as their profiles show it."""

from collections.abc import Collection, Mapping

import largesse.vouchers.publishing as vouchers
from largesse.customers.model import Held, Standing
from largesse.kernel import definitions
from largesse.kernel.database.unit import Unit
from largesse.loyalties.tiers import members as tiers
from largesse.vouchers.model import LOYALTY_CARD


def held_by(unit: Unit, customer_ids: Collection[str]) -> Mapping[str, Held]:
    """Credits, points and tiers of these customers as of today; who holds no card is absent.

    One query finds the cards of all; more follow only for loyalty cards: what a midnight has changed, tiers where there are any.
    """
    cards = vouchers.cards_held(unit, customer_ids)
    loyalty = [stored for stored in cards if stored.entry.type == LOYALTY_CARD]
    reached = tiers.of_cards(unit.conn, definitions.current(unit), loyalty, unit.now) if loyalty else {}
    found: dict[str, Held] = {}
    for stored in cards:
        held = found.setdefault(stored.entry.holder_id or "", Held())
        if stored.entry.type != LOYALTY_CARD:
            held.gift_credits += stored.entry.balance
            continue
        card = stored.wallet.as_of(stored.today).card if stored.wallet else stored.entry
        held.points += card.balance
        held.redeemed_points += card.redeemed_amount
        held.loyalty.points += card.gift_amount - card.expired_amount
        standing = held.loyalty.campaigns.setdefault(card.campaign or "", Standing())
        standing.points += card.balance
        if (tier := reached.get(card.id)) is not None:
            standing.loyalty_tier = tier.id
            held.tier_names[tier.id] = tier.name
    return found
