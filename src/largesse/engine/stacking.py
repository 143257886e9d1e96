"""How redeemables of one request go together: order of evaluation, limits, exclusion."""

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from largesse.engine.books import Ask

ThirtyOrNone = Annotated[int, Meta(ge=1, le=30)] | None
FiveOrNone = Annotated[int, Meta(ge=1, le=5)] | None
GroupedRule = Literal["JOINT_ALWAYS_LAST", "SORTING_RULE", "APPLY_SORTING_RULE"]


class StackingRules(msgspec.Struct, frozen=True, kw_only=True):
    """The rule set of a project, with the API's defaults."""

    redeemables_limit: Annotated[int, Meta(ge=1, le=30)] = 30
    applicable_redeemables_limit: Annotated[int, Meta(ge=1, le=30)] = 5
    applicable_redeemables_per_category_limit: ThirtyOrNone = None
    applicable_redeemables_category_limits: dict[str, Annotated[int, Meta(ge=1, le=30)]] = {}
    applicable_exclusive_redeemables_limit: Annotated[int, Meta(ge=1, le=5)] = 1
    applicable_exclusive_redeemables_per_category_limit: FiveOrNone = None
    exclusive_categories: list[str] = []
    joint_categories: list[str] = []
    redeemables_application_mode: Literal["ALL", "PARTIAL"] = "ALL"
    redeemables_sorting_rule: Literal["REQUESTED_ORDER", "CATEGORY_HIERARCHY"] = "REQUESTED_ORDER"
    grouped_redeemables_sorting_rule: GroupedRule | None = None
    redeemables_products_application_mode: Literal["STACK", "ONCE"] = "STACK"
    redeemables_no_effect_rule: Literal["REDEEM_ANYWAY", "SKIP"] = "REDEEM_ANYWAY"
    no_effect_skip_categories: list[str] = []
    no_effect_redeem_anyway_categories: list[str] = []
    discount_calculation_mode: Literal["DISCOUNTED_AMOUNT", "INITIAL_AMOUNT"] = "DISCOUNTED_AMOUNT"
    initial_amount_mode_categories: list[str] = []
    discounted_amount_mode_categories: list[str] = []
    redeemables_rollback_order_mode: Literal["WITH_ORDER", "WITHOUT_ORDER"] = "WITH_ORDER"

    def is_joint(self, ask: Ask) -> bool:
        """Always stackable; a category in both lists counts as joint (our decision)."""
        return ask.category is not None and ask.category.id in self.joint_categories

    def is_exclusive(self, ask: Ask) -> bool:
        """Never stackable with common ones."""
        return ask.category is not None and ask.category.id in self.exclusive_categories and not self.is_joint(ask)

    def skips_no_effect(self, ask: Ask) -> bool:
        """Whether a redeemable without effect is skipped instead of used up."""
        category = ask.category.id if ask.category else None
        if category in self.no_effect_redeem_anyway_categories:
            return False
        return category in self.no_effect_skip_categories or self.redeemables_no_effect_rule == "SKIP"

    def uses_initial_amount(self, ask: Ask) -> bool:
        """Whether percentages of this redeemable are of the amounts before any discount."""
        category = ask.category.id if ask.category else None
        if category in self.initial_amount_mode_categories:
            return True
        if category in self.discounted_amount_mode_categories:
            return False
        return self.discount_calculation_mode == "INITIAL_AMOUNT"


class SkipReason(msgspec.Struct, frozen=True):
    key: str
    message: str


LIMIT = SkipReason("applicable_redeemables_limit_exceeded", "Applicable redeemables limit exceeded")
CATEGORY_LIMIT = SkipReason(
    "applicable_redeemables_per_category_limit_exceeded", "Applicable redeemables limit per category exceeded"
)
EXCLUSIVE_LIMIT = SkipReason(
    "applicable_exclusive_redeemables_limit_exceeded", "Applicable exclusive redeemables limit exceeded"
)
EXCLUSIVE_CATEGORY_LIMIT = SkipReason(
    "applicable_exclusive_redeemables_per_category_limit_exceeded",
    "Applicable exclusive redeemables limit per category exceeded",
)
EXCLUSION = SkipReason("exclusion_rules_not_met", "Redeemable cannot be applied due to exclusion rules")
PRECEDING_FAILURE = SkipReason(
    "preceding_validation_failed", "Redeemable cannot be applied due to preceding validation failure"
)
NO_EFFECT = SkipReason("no_effect", "Redeemable cannot be applied due to no effect")


def evaluation_order(asks: Sequence[Ask], rules: StackingRules) -> list[Ask]:
    """As sent, or by category hierarchy (no category counts as 1); exclusive ones first, joint ones last where both are there.

    The tiers of a promotion stack keep its order, whatever the rules (our decision).
    """
    found = list(asks)
    if any(ask.stack_id is not None for ask in found):
        return found
    if rules.redeemables_sorting_rule == "CATEGORY_HIERARCHY":
        found.sort(key=lambda ask: ask.category.hierarchy if ask.category else 1)
    grouped = rules.grouped_redeemables_sorting_rule in (None, "JOINT_ALWAYS_LAST")
    if grouped and any(map(rules.is_exclusive, found)) and any(map(rules.is_joint, found)):
        found.sort(key=lambda ask: 0 if rules.is_exclusive(ask) else 2 if rules.is_joint(ask) else 1)
    return found


class Limits:
    """Counts what was applied, and says why one more may not be."""

    def __init__(self, rules: StackingRules) -> None:
        self._rules = rules
        self._applied = 0
        self._exclusive = 0
        self._by_category: dict[str, int] = {}

    def reason_against(self, ask: Ask) -> SkipReason | None:
        rules = self._rules
        if self._applied >= rules.applicable_redeemables_limit:
            return LIMIT
        category = ask.category.id if ask.category else None
        used = self._by_category.get(category, 0) if category else 0
        if category is not None:
            per_category = rules.applicable_redeemables_per_category_limit
            limit = rules.applicable_redeemables_category_limits.get(category, per_category)
            if limit is not None and used >= limit:
                return CATEGORY_LIMIT
        if rules.is_exclusive(ask):
            if self._exclusive >= rules.applicable_exclusive_redeemables_limit:
                return EXCLUSIVE_LIMIT
            exclusive_limit = rules.applicable_exclusive_redeemables_per_category_limit
            if exclusive_limit is not None and used >= exclusive_limit:
                return EXCLUSIVE_CATEGORY_LIMIT
        return None

    def count(self, ask: Ask) -> None:
        self._applied += 1
        if ask.category is not None:
            self._by_category[ask.category.id] = self._by_category.get(ask.category.id, 0) + 1
        if self._rules.is_exclusive(ask):
            self._exclusive += 1
