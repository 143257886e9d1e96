"""What members of a program may choose for their points: by card, and by tier."""

import largesse.rewards.assigning as assigning
import largesse.rewards.service as rewards
import largesse.vouchers.service as vouchers
from largesse.engine.rewards import price_of
from largesse.kernel import definitions
from largesse.kernel.database.unit import Unit
from largesse.kernel.http.query import Query
from largesse.loyalties import members
from largesse.loyalties.lookups import existing_program
from largesse.loyalties.tiers import members as tier_members
from largesse.loyalties.tiers import service as tiers
from largesse.rewards.model import OfferedList


def of_member(unit: Unit, key: str, query: Query) -> OfferedList:
    """What the holder of a card may have: not what their tier does not have, nor what is out of stock (our decision).

    With `affordable_only` only what the card has the points for, at the price of the tier. Raises ApiError 404.
    """
    affordable_only = query.flag("affordable_only")
    stored = members.find(unit, key)
    vouchers.open_wallets(unit.conn, unit.project, [stored], unit.now)
    card = stored.wallet.as_of(stored.today).card if stored.wallet else stored.entry
    project, campaign_id = definitions.current(unit), stored.entry.campaign_id or ""
    prices = tier_members.prices(unit.conn, project, [stored], unit.now).get(stored.entry.id)
    priced = {
        assignment.id: price_of(assignment, prices.mappings.get(assignment.id) if prices else None)
        for assignment in rewards.offered(unit.conn, project, [campaign_id])[campaign_id].values()
    }
    most = card.balance if affordable_only else None
    found = [
        one
        for one in assigning.offers(unit, campaign_id)
        if (price := priced.get(one.assignment.id)) is not None
        and one.reward.stock != 0
        and (most is None or price <= most)
    ]
    return OfferedList(data=found, total=len(found))


def of_tier(unit: Unit, program_key: str, tier_id: str, query: Query) -> OfferedList:
    """What a tier has of the rewards of its program, at their base prices. Raises ApiError 404 for the program or the tier."""
    program = existing_program(unit, program_key)
    tier = tiers.existing(unit, program, tier_id)
    found = []
    for one in assigning.offers(unit, program.id):
        mapping = tier.rewards.get(one.assignment.id)
        if mapping is None or mapping.type != "NOT_AVAILABLE":
            one.object = "loyalty_tier_reward"
            found.append(one)
    page = query.page()
    return OfferedList(data=found[page.offset : page.offset + page.limit], total=len(found))
