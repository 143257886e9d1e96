"""Validation rules and their assignments as sent, stored and shown."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

Name = Annotated[str, Meta(min_length=1, max_length=1000)]
Key = Annotated[str, Meta(min_length=1, max_length=255)]
Kind = Literal["expression", "basic", "advanced", "complex"]
ObjectType = Literal["voucher", "promotion_tier", "campaign", "earning_rule", "distribution", "reward_assignment"]
ContextType = Literal[
    "global",
    "campaign.discount_coupons",
    "campaign.discount_coupons.discount.apply_to_order",
    "campaign.discount_coupons.discount.apply_to_items",
    "campaign.discount_coupons.discount.apply_to_items_proportionally",
    "campaign.discount_coupons.discount.apply_to_items_proportionally_by_quantity",
    "campaign.discount_coupons.discount.apply_to_items_by_quantity",
    "campaign.discount_coupons.discount.fixed.apply_to_items",
    "campaign.discount_coupons.discount.percent.apply_to_items",
    "campaign.gift_vouchers",
    "campaign.gift_vouchers.gift.apply_to_order",
    "campaign.gift_vouchers.gift.apply_to_items",
    "campaign.referral_program",
    "campaign.referral_program.discount.apply_to_order",
    "campaign.referral_program.discount.apply_to_items",
    "campaign.referral_program.discount.apply_to_items_proportionally",
    "campaign.referral_program.discount.apply_to_items_proportionally_by_quantity",
    "campaign.referral_program.discount.apply_to_items_by_quantity",
    "campaign.referral_program.discount.fixed.apply_to_items",
    "campaign.referral_program.discount.percent.apply_to_items",
    "campaign.promotion",
    "campaign.promotion.discount.apply_to_order",
    "campaign.promotion.discount.apply_to_items",
    "campaign.promotion.discount.apply_to_items_proportionally",
    "campaign.promotion.discount.apply_to_items_proportionally_by_quantity",
    "campaign.promotion.discount.apply_to_items_by_quantity",
    "campaign.promotion.discount.fixed.apply_to_items",
    "campaign.promotion.discount.percent.apply_to_items",
    "campaign.loyalty_program",
    "voucher.discount_voucher",
    "voucher.discount_voucher.discount.apply_to_order",
    "voucher.discount_voucher.discount.apply_to_items",
    "voucher.discount_voucher.discount.apply_to_items_proportionally",
    "voucher.discount_voucher.discount.apply_to_items_proportionally_by_quantity",
    "voucher.discount_voucher.discount.apply_to_items_by_quantity",
    "voucher.discount_voucher.discount.fixed.apply_to_items",
    "voucher.discount_voucher.discount.percent.apply_to_items",
    "voucher.gift_voucher",
    "voucher.gift_voucher.gift.apply_to_order",
    "voucher.gift_voucher.gift.apply_to_items",
    "voucher.loyalty_card",
    "earning_rule.order.paid",
    "earning_rule.custom_event",
    "earning_rule.customer.segment.entered",
    "earning_rule.customer.tier.joined",
    "earning_rule.customer.tier.left",
    "earning_rule.customer.tier.upgraded",
    "earning_rule.customer.tier.downgraded",
    "earning_rule.customer.tier.prolonged",
    "distribution.custom_event",
    "distribution.order.paid",
    "distribution.order.created",
    "distribution.order.canceled",
    "distribution.order.updated",
    "reward_assignment.pay_with_points",
]


class RuleError(msgspec.Struct, frozen=True):
    """The merchant's own words where a rule is not met."""

    message: Annotated[str, Meta(max_length=10_000)]


class RuleInput(msgspec.Struct, frozen=True, kw_only=True):
    """Creation needs the name; an update replaces each member that is sent whole, and null clears it."""

    name: Name | UnsetType = UNSET
    rules: dict[str, Any] | None | UnsetType = UNSET
    bundle_rules: dict[str, Any] | None | UnsetType = UNSET
    error: RuleError | None | UnsetType = UNSET
    applicable_to: dict[str, Any] | None | UnsetType = UNSET
    type: Kind | None | UnsetType = UNSET
    context_type: ContextType | None | UnsetType = UNSET


class StoredRule(msgspec.Struct, kw_only=True):
    """`applicable_to` and `bundle_rules` in the form answers show, defaults filled in. Times in microseconds UTC.

    `counts_since` is when the rule last began to count something else.
    """

    id: str
    name: str
    rules: dict[str, Any] = {}
    bundle_rules: dict[str, Any] = {}
    error: dict[str, Any] | None = None
    applicable_to: dict[str, Any]
    type: str = "expression"
    context_type: str = "global"
    created_at: int
    updated_at: int | None = None
    counts_since: int = 0


class RuleAnswer(msgspec.Struct, kw_only=True):
    """`type` is a hint for editors only; `assignments_count` stands there once it is above 0 (observed)."""

    id: str
    name: str
    rules: dict[str, Any]
    bundle_rules: dict[str, Any]
    error: dict[str, Any] | UnsetType = UNSET
    applicable_to: dict[str, Any]
    type: str
    context_type: str
    assignments_count: int | UnsetType = UNSET
    created_at: str
    updated_at: str | UnsetType = UNSET
    object: Literal["validation_rules"] = "validation_rules"


class RuleList(msgspec.Struct, kw_only=True):
    object: str = "list"
    data_ref: str = "data"
    data: list[RuleAnswer]
    total: int


class AssignmentInput(msgspec.Struct, frozen=True, kw_only=True):
    """`related_object_id` may be the code of a voucher.

    `voucher`, `campaign` and `promotion_tier` name an object in the older way, which the official JavaScript SDK still sends.
    """

    related_object_id: Key | None = None
    related_object_type: ObjectType | None = None
    voucher: Key | None = None
    campaign: Key | None = None
    promotion_tier: Key | None = None

    @property
    def related_object(self) -> tuple[str, str] | None:
        """Type and id of what the rule shall hold for."""
        if self.related_object_id is not None:
            return self.related_object_type or "voucher", self.related_object_id
        older = {"voucher": self.voucher, "campaign": self.campaign, "promotion_tier": self.promotion_tier}
        return next(((kind, id) for kind, id in older.items() if id is not None), None)


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """A rule holds for an object. `created_at` in microseconds UTC."""

    id: str
    rule_id: str
    related_object_id: str
    related_object_type: str
    created_at: int


class AssignmentAnswer(msgspec.Struct, kw_only=True):
    id: str
    rule_id: str
    related_object_id: str
    related_object_type: str
    created_at: str
    object: Literal["validation_rules_assignment"] = "validation_rules_assignment"


class AssignmentList(msgspec.Struct, kw_only=True):
    """Also embedded in vouchers, campaigns and tiers as `validation_rules_assignments`."""

    object: str = "list"
    data_ref: str = "data"
    data: list[AssignmentAnswer]
    total: int
