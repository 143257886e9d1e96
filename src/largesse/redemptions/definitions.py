"""What the redeemables of a batch are: campaigns, categories and rules, kept between batches while none changes."""

from collections.abc import Collection, Mapping

import msgspec
from sqlalchemy.engine import Connection

import largesse.campaigns.service as campaigns
import largesse.categories.service as categories
import largesse.validation_rules.service as validation_rules
from largesse.engine.benefits import RuleSet
from largesse.engine.books import Ask, Voucher
from largesse.kernel.project import Project
from largesse.redemptions.model import RedeemableInput


class Definitions(msgspec.Struct, frozen=True):
    """Rules by id."""

    rules: Mapping[str, RuleSet] = {}

    def asks(self, redeemable: RedeemableInput, voucher: Voucher | None) -> list[Ask]:
        """What one redeemable of a request asks for."""
        credits = redeemable.gift.credits if redeemable.gift else None
        rules: tuple[RuleSet, ...] = ()
        if voucher is not None and voucher.campaign_id is not None and voucher.parent is None:
            voucher = None  # its campaign is deleted, and the code is on its way after it
        if voucher is not None:
            rules = voucher.parent.rules if voucher.parent else ()
            rules += tuple(self.rules[id] for id in voucher.rule_ids if id in self.rules)
        return [Ask(redeemable.object, redeemable.id, voucher, credits, rules=rules)]


NOTHING = Definitions()


def load(conn: Connection, project: Project, vouchers: Collection[Voucher]) -> Definitions:
    """The rules of these vouchers, which are given their campaign and category. No query for what is kept."""
    parents = campaigns.definitions(conn, project, {v.campaign_id for v in vouchers if v.campaign_id})
    own = categories.load(conn, project, {v.category_id for v in vouchers if v.category_id})
    if parents or own:
        for voucher in vouchers:
            voucher.parent = parents.get(voucher.campaign_id or "")
            voucher.category = own.get(voucher.category_id or "")
    rule_ids = {rule_id for voucher in vouchers for rule_id in voucher.rule_ids}
    if not rule_ids:
        return NOTHING
    return Definitions(validation_rules.rule_sets(conn, project, rule_ids))
