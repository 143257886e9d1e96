"""Vouchers in wire form."""

from typing import Any

from msgspec import UNSET

from largesse.categories.model import CategoryAnswer
from largesse.kernel import clock
from largesse.validation_rules.model import AssignmentList
from largesse.vouchers.model import (
    GIFT_VOUCHER,
    LOYALTY_CARD,
    Asset,
    Assets,
    CreditTransaction,
    GiftAnswer,
    LoyaltyCardAnswer,
    Publish,
    RedemptionSummary,
    SlimVoucher,
    StoredVoucher,
    TransactionAnswer,
    VoucherAnswer,
)


def answer(
    stored: StoredVoucher,
    base_url: str,
    category: CategoryAnswer | None = None,
    assignments: AssignmentList | None = None,
) -> VoucherAnswer:
    """The full object; `category` is that of its `category_id`.

    Lists and answers of redemptions leave `assignments` out (observed).
    """
    entry = stored.entry
    return VoucherAnswer(
        id=entry.id,
        code=entry.code,
        campaign=entry.campaign,
        campaign_id=entry.campaign_id,
        category=category.name if category else None,
        category_id=category.id if category else None,
        categories=[category] if category else [],
        type=entry.type,
        discount=entry.discount,
        gift=_gift(stored),
        loyalty_card=_loyalty_card(stored),
        start_date=clock.iso_or_none(entry.start_date),
        expiration_date=clock.iso_or_none(entry.expiration_date),
        validity_timeframe=entry.validity_timeframe,
        validity_day_of_week=entry.validity_day_of_week,
        validity_hours=entry.validity_hours,
        active=entry.active,
        additional_info=stored.additional_info,
        metadata=entry.metadata,
        assets=Assets(
            Asset(stored.qr_id, f"{base_url}/api/v1/assets/qr/{stored.qr_id}"),
            Asset(stored.barcode_id, f"{base_url}/api/v1/assets/barcode/{stored.barcode_id}"),
        ),
        is_referral_code=entry.is_referral_code,
        created_at=clock.iso(stored.created_at),
        updated_at=clock.iso_or_none(stored.updated_at),
        holder_id=entry.holder_id or (None if entry.type == LOYALTY_CARD else UNSET),
        referrer_id=stored.referrer_id or UNSET,
        validation_rules_assignments=assignments if assignments is not None else UNSET,
        publish=Publish(count=stored.publish_count, url=f"/v1/vouchers/{entry.code}/publications?page=1&limit=10"),
        redemption=RedemptionSummary(
            quantity=entry.quantity,
            redeemed_quantity=entry.redeemed_quantity,
            redeemed_amount=entry.redeemed_amount if entry.type == GIFT_VOUCHER else UNSET,
            redeemed_points=entry.redeemed_amount if entry.type == LOYALTY_CARD else UNSET,
            url=f"/v1/vouchers/{entry.code}/redemptions?page=1&limit=10",
        ),
    )


def _gift(stored: StoredVoucher) -> GiftAnswer | None:
    entry = stored.entry
    if entry.type != GIFT_VOUCHER:
        return None
    return GiftAnswer(
        amount=entry.gift_amount,
        subtracted_amount=entry.subtracted_amount,
        balance=entry.balance,
        effect=entry.gift_effect,
    )


def _loyalty_card(stored: StoredVoucher) -> LoyaltyCardAnswer | None:
    """As the calendar has made it, whether or not that was written yet."""
    if stored.entry.type != LOYALTY_CARD:
        return None
    wallet = stored.wallet.as_of(stored.today) if stored.wallet else None
    entry = wallet.card if wallet else stored.entry
    next_expiration = wallet.next_expiration() if wallet else None
    return LoyaltyCardAnswer(
        points=entry.gift_amount,
        balance=entry.balance,
        next_expiration_date=next_expiration[0].isoformat() if next_expiration else UNSET,
        next_expiration_points=next_expiration[1] if next_expiration else UNSET,
        pending_points=entry.pending_amount,
        expired_points=entry.expired_amount,
        subtracted_points=entry.subtracted_amount,
    )


def slim(stored: StoredVoucher) -> SlimVoucher:
    entry = stored.entry
    return SlimVoucher(id=entry.id, code=entry.code, campaign=entry.campaign, campaign_id=entry.campaign_id)


def simple(stored: StoredVoucher) -> dict[str, Any]:
    """A voucher inside events and transactions of its points, fit to be encoded."""
    entry, card = stored.entry, _loyalty_card(stored)
    return {
        "id": entry.id,
        "code": entry.code,
        "loyalty_card": card,
        "type": entry.type,
        "campaign": entry.campaign,
        "campaign_id": entry.campaign_id,
        "is_referral_code": entry.is_referral_code,
        "holder_id": entry.holder_id,
        "active": entry.active,
        "redemption": {
            "quantity": entry.quantity,
            "redeemed_quantity": entry.redeemed_quantity,
            "redeemed_points": entry.redeemed_amount,
        },
        "metadata": entry.metadata,
        "created_at": clock.iso(stored.created_at),
        "object": "voucher",
    }


def transaction_answer(transaction: CreditTransaction) -> TransactionAnswer:
    return TransactionAnswer(
        id=transaction.id,
        source_id=transaction.source_id,
        voucher_id=transaction.voucher_id,
        campaign_id=transaction.campaign_id,
        source=transaction.source,
        reason=transaction.reason,
        type=transaction.type,
        details=transaction.details,
        related_transaction_id=transaction.related_transaction_id,
        created_at=clock.iso(transaction.created_at),
    )
