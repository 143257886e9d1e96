"""What the redeemables of a batch are: campaigns, tiers, stacks, categories and rules, kept between batches while none changes.

Only what a request names is looked at, so a code without campaign costs nothing here, however many tiers the project has.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping

import msgspec
from sqlalchemy.engine import Connection

import largesse.campaigns.service as campaigns
import largesse.categories.service as categories
import largesse.promotions.service as promotions
import largesse.validation_rules.service as validation_rules
from largesse.engine.benefits import RuleSet
from largesse.engine.books import Ask, Tier, Voucher
from largesse.kernel.project import Project
from largesse.redemptions.model import RedeemableInput


class Definitions(msgspec.Struct, frozen=True):
    """`stacks` holds the ids of each stack's tiers in their order."""

    tiers: Mapping[str, Tier] = {}
    stacks: Mapping[str, tuple[str, ...]] = {}
    rules: Mapping[str, RuleSet] = {}

    def collections(self, vouchers: Iterable[Voucher]) -> set[str]:
        """Ids of the product collections that rules at hand name; `vouchers` are those asked for."""
        return {id for one in self._rules_at_hand(vouchers) for id in one.collections}

    def segments(self, vouchers: Iterable[Voucher]) -> set[str]:
        """Ids of the segments that conditions at hand look at; `vouchers` are those asked for."""
        conditions = [one.conditions for one in self._rules_at_hand(vouchers)]
        return {id for one in conditions if one is not None for id in one.segments}

    def _rules_at_hand(self, vouchers: Iterable[Voucher]) -> Iterator[RuleSet]:
        for voucher in vouchers:
            yield from voucher.parent.rules if voucher.parent else ()
        for tier in self.tiers.values():
            yield from (*tier.campaign.rules, *tier.rules)
        yield from self.rules.values()

    def asks(self, redeemable: RedeemableInput, voucher: Voucher | None) -> list[Ask]:
        """What one redeemable of a request asks for: itself, or every tier of a stack."""
        if redeemable.object == "voucher":
            return [self._of_voucher(redeemable, voucher)]
        if redeemable.object == "promotion_tier":
            return [self._of_tier(redeemable.id)]
        tier_ids = self.stacks.get(redeemable.id)
        if tier_ids is None:
            return [Ask(redeemable.object, redeemable.id)]
        return [self._of_tier(tier_id, redeemable.id) for tier_id in tier_ids]

    def _of_voucher(self, redeemable: RedeemableInput, voucher: Voucher | None) -> Ask:
        credits = redeemable.gift.credits if redeemable.gift else None
        rules: tuple[RuleSet, ...] = ()
        if voucher is not None and voucher.campaign_id is not None and voucher.parent is None:
            voucher = None  # its campaign is deleted, and the code is on its way after it
        if voucher is not None:
            rules = voucher.parent.rules if voucher.parent else ()
            rules += tuple(self.rules[id] for id in voucher.rule_ids if id in self.rules)
        return Ask("voucher", redeemable.id, voucher, credits, rules=rules)

    def _of_tier(self, tier_id: str, stack_id: str | None = None) -> Ask:
        tier = self.tiers.get(tier_id)
        rules = tier.campaign.rules + tier.rules if tier else ()
        return Ask("promotion_tier", tier_id, tier=tier, rules=rules, stack_id=stack_id)


NOTHING = Definitions()


def load(
    conn: Connection, project: Project, vouchers: Collection[Voucher], tiers: Iterable[str], stacks: Iterable[str]
) -> Definitions:
    """Definitions under these ids; the vouchers are given their campaign and category. No query for what is kept."""
    stack_ids, tier_ids = set(stacks), set(tiers)
    by_stack = promotions.stacks(conn, project, stack_ids)
    tier_ids.update(tier_id for listed in by_stack.values() for tier_id in listed)
    _place(conn, project, vouchers)
    rule_ids = {rule_id for voucher in vouchers for rule_id in voucher.rule_ids}
    if not (tier_ids or stack_ids or rule_ids):
        return NOTHING
    return Definitions(
        promotions.tiers(conn, project, tier_ids),
        by_stack,
        validation_rules.rule_sets(conn, project, rule_ids),
    )


def _place(conn: Connection, project: Project, vouchers: Collection[Voucher]) -> None:
    """Gives each voucher its campaign and its own category."""
    parents = campaigns.definitions(conn, project, {v.campaign_id for v in vouchers if v.campaign_id})
    own = categories.load(conn, project, {v.category_id for v in vouchers if v.category_id})
    if not parents and not own:
        return
    for voucher in vouchers:
        voucher.parent = parents.get(voucher.campaign_id or "")
        voucher.category = own.get(voucher.category_id or "")
