"""Why something cannot be had: one kind of value, and a one-line constructor for every reason the engine gives."""

import msgspec

from largesse.engine.explanation import Explanation


class CustomMessage(msgspec.Struct, frozen=True):
    """A merchant's own words, shown beside the API's."""

    message: str


class Refusal(msgspec.Struct, frozen=True, omit_defaults=True):
    """`code` is the HTTP status a direct redemption answers; `key` and `message` are fixed words of the API.

    `explanation` is there only where it was asked for.
    """

    code: int
    key: str
    message: str
    details: str | None = None
    resource_id: str | None = None
    resource_type: str | None = None
    redeemable_type: str | None = None
    redeemable_id: str | None = None
    error: CustomMessage | None = None
    related_object_ids: list[str] | None = None
    related_object_type: str | None = None
    explanation: list[Explanation] | None = None


_KINDS = {"voucher": "voucher", "promotion_tier": "promotion_tier", "promotion_stack": "promotion_stack"}


def not_found(kind: str, asked: str) -> Refusal:
    return Refusal(
        404, "not_found", "Resource not found", f"Cannot find {_KINDS[kind]} with id {asked}", asked, _KINDS[kind]
    )


def voucher_disabled(code: str) -> Refusal:
    return Refusal(400, "voucher_disabled", "voucher is disabled", code)


def voucher_not_active(code: str) -> Refusal:
    return Refusal(400, "voucher_not_active", "voucher is not active yet", code)


def voucher_expired(code: str) -> Refusal:
    return Refusal(400, "voucher_expired", "voucher expired", code)


def voucher_not_active_now(code: str) -> Refusal:
    return Refusal(400, "voucher_not_active_now", "voucher not active now", code)


def quantity_exceeded(code: str) -> Refusal:
    return Refusal(400, "quantity_exceeded", "quantity exceeded", code)


def missing_order(code: str) -> Refusal:
    return Refusal(400, "missing_order", "Missing order", code)


def missing_amount(code: str) -> Refusal:
    return Refusal(400, "missing_amount", "Missing amount", code)


def missing_order_items_amount() -> Refusal:
    details = "At least one applicable order item with amount is required to redeem this GIFT_VOUCHER"
    return Refusal(400, "missing_order_items_amount", "Missing applicable order items", details)


def gift_amount_exceeded(code: str) -> Refusal:
    return Refusal(400, "gift_amount_exceeded", "gift amount exceeded", code)


def missing_reward() -> Refusal:
    details = "A reward is required when redeeming a LOYALTY_CARD"
    return Refusal(400, "missing_reward", "Missing reward", details)


def reward_not_found(reward_id: str) -> Refusal:
    details = f"Cannot find reward with id {reward_id}"
    return Refusal(404, "not_found", "Resource not found", details, reward_id, "reward")


def not_the_holder(code: str) -> Refusal:
    return Refusal(400, "invalid_customer", "Customer must be a holder of a loyalty card.", code)


def loyalty_card_points_exceeded(code: str) -> Refusal:
    return Refusal(400, "loyalty_card_points_exceeded", "loyalty card points exceeded", code)


def missing_order_items(code: str) -> Refusal:
    return Refusal(400, "missing_order_items", "Missing order items", code)


def promotion_inactive(details: str) -> Refusal:
    return Refusal(400, "promotion_inactive", "Inactive Promotion", details)


def promotion_not_active_now(tier_id: str) -> Refusal:
    return Refusal(400, "promotion_not_active_now", "promotion not active now", tier_id)


def missing_customer() -> Refusal:
    return Refusal(400, "missing_customer", "Missing customer", "Customer is required to validate rules")


def rules_violated(group: str, subject: str, rule_ids: list[str], message: str | None) -> Refusal:
    """`group` is what the first rule violated is about (customer, segment, order, redemption), `subject` the kind of redeemable in
    words.

    `message` is the merchant's own.
    """
    if group == "segment":  # a rule about the customer with a text of its own (documented)
        key, text = "customer_rules_violated", "customer does not match segment rules"
    else:
        key, text = f"{group}_rules_violated", f"{group} does not match validation rules"
    details = f"{subject} cannot be redeemed because of violated validation rules: {', '.join(rule_ids)}"
    error = CustomMessage(message) if message is not None else None
    return Refusal(400, key, text, details, error=error)


def no_applicable_redeemables() -> Refusal:
    details = "None of the redeemables of the request can be applied"
    return Refusal(400, "no_applicable_redeemables", "No applicable redeemables", details)


def duplicated_redeemables() -> Refusal:
    details = "Duplicated redeemables detected in one redemption"
    return Refusal(400, "duplicated_redeemables", "Duplicated redeemables detected", details)


def invalid_redeemables(details: str) -> Refusal:
    return Refusal(400, "invalid_redeemables", "Invalid redeemables", details)


def invalid_order(details: str) -> Refusal:
    return Refusal(400, "invalid_order", "Invalid order", details)


def invalid_amount(details: str) -> Refusal:
    return Refusal(400, "invalid_amount", "Invalid amount", details)


def invalid_voucher(details: str) -> Refusal:
    return Refusal(400, "invalid_voucher", "Invalid Voucher", details)


def invalid_payload(details: str) -> Refusal:
    return Refusal(400, "invalid_payload", "Invalid payload", details)
