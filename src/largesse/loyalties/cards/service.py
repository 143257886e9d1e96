"""Changing what a card holds by hand, and showing what it holds."""

from collections.abc import Sequence
from datetime import date

import msgspec

import largesse.points.service as points
import largesse.vouchers.service as vouchers
import largesse.wallets.service as wallets
from largesse.kernel import clock
from largesse.kernel.benefits import MAX_CREDITS
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import ApiError, invalid, invalid_payload, not_found
from largesse.kernel.http.query import Query
from largesse.loyalties import members
from largesse.loyalties.cards.model import (
    BucketAnswer,
    BucketList,
    BucketPoints,
    PointsBalance,
    PointsChange,
    TransferAnswer,
    TransferItem,
)
from largesse.loyalties.lookups import existing_program
from largesse.points.cards import Cards, Tag
from largesse.vouchers.model import (
    LOYALTY_CARD,
    BalanceAnswer,
    BalanceChange,
    StoredVoucher,
    TransactionList,
    VoucherAnswer,
)

# Which card


def find(unit: Unit, key: str, campaign: str | None) -> StoredVoucher:
    """The card with this code or id, in a program where one is named. Raises ApiError 404 for program or voucher."""
    return members.find(unit, key, existing_program(unit, campaign) if campaign is not None else None)


def lock(unit: Unit, key: str, campaign: str | None) -> tuple[Cards, StoredVoucher]:
    """The same, ready for changes. Raises ApiError 404, 400 `missing_customer` for a card that nobody holds yet."""
    cards, found = points.lock(unit, [key])
    return cards, _held(_checked(unit, found.get(key), key, campaign))


def _checked(unit: Unit, found: StoredVoucher | None, key: str, campaign: str | None) -> StoredVoucher:
    named = existing_program(unit, campaign) if campaign is not None else None
    if found is None or found.entry.type != LOYALTY_CARD:
        raise not_found("voucher", key)
    if named is not None and found.entry.campaign_id != named.id:
        raise not_found("voucher", key)
    return found


def _held(stored: StoredVoucher) -> StoredVoucher:
    if stored.entry.holder_id is None:
        details = f"Loyalty card {stored.entry.code} has no holder yet: publish it to a customer first"
        raise invalid("missing_customer", "Missing customer", details)
    return stored


# Adjustments


def change_balance(unit: Unit, key: str, campaign: str | None, sent: PointsChange) -> PointsBalance:
    """Adds points or removes them, down to zero at most.

    Raises ApiError 404, 400 `missing_customer`, `invalid_add_balance_params`, `loyalty_card_points_exceeded`,
    `invalid_expiration_date`, `invalid_payload`.
    """
    cards, stored = lock(unit, key, campaign)
    tag = Tag(source_id=sent.source_id, reason=sent.reason)  # from nobody (observed)
    changed = _change(unit, cards, stored, sent, tag)
    return balance(stored, changed)


def change_voucher_balance(unit: Unit, key: str, sent: BalanceChange) -> BalanceAnswer:
    """The same through the resource of vouchers, whose word for points is `amount`; a card without a holder is `not_published`."""
    amount = sent.amount
    if amount is not None and (isinstance(amount, bool) or not isinstance(amount, int)):
        raise _bad_change("Property .amount should be a whole number other than 0")
    cards, found = points.lock(unit, [key])
    stored = _checked(unit, found.get(key), key, None)
    if stored.entry.holder_id is None:
        raise invalid("not_published", "Voucher is not published", "Publish the loyalty card to a customer first")
    tag = Tag(source="API", source_id=sent.source_id, reason=sent.reason)
    shown = balance(stored, _change(unit, cards, stored, PointsChange(points=amount), tag))
    return BalanceAnswer(
        amount=shown.points,
        total=shown.total,
        balance=shown.balance,
        type=shown.type,
        related_object=shown.related_object,
    )


def _change(unit: Unit, cards: Cards, stored: StoredVoucher, sent: PointsChange, tag: Tag) -> int:
    change, entry = sent.points or 0, stored.entry
    if change == 0 or abs(change) > MAX_CREDITS:
        raise _bad_change("The number of points should be a whole number other than 0")
    if change > 0:
        if entry.gift_amount + change > MAX_CREDITS:
            raise _bad_change(f"The points of a card cannot be more than {MAX_CREDITS} in all")
        cards.credit(unit, stored, change, _expiry(unit, cards, stored, sent), tag=tag)
    elif entry.balance + change < 0:
        raise points.points_exceeded(stored)
    else:
        cards.remove(unit, stored, -change, tag=tag)
    cards.save()
    return change


def _expiry(unit: Unit, cards: Cards, stored: StoredVoucher, sent: PointsChange) -> date | None:
    if sent.expiration_type == "NON_EXPIRING":
        return None
    if sent.expiration_type != "CUSTOM_DATE":
        return cards.expiry(stored)
    if sent.expiration_date is None:
        raise invalid_payload("Property .expiration_date is required with the expiration type CUSTOM_DATE")
    text = sent.expiration_date
    try:
        day = clock.parse_day(text) if len(text) == 10 else unit.project.day(clock.parse_iso(text))
    except (ValueError, OverflowError):
        details = "Property .expiration_date cannot be recognized as a ISO-8601 compliant date"
        raise invalid_payload(details) from None
    if day < cards.today:
        details = "Expiration date cannot be set in the past"
        raise invalid("invalid_expiration_date", "Invalid expiration date", details)
    return day


def _bad_change(details: str) -> ApiError:
    return invalid("invalid_add_balance_params", "Invalid add balance params", details)


def balance(stored: StoredVoucher, changed: int) -> PointsBalance:
    """What a card holds after it changed by a signed number of points."""
    entry = stored.entry
    return PointsBalance(
        points=changed,
        total=entry.balance + entry.redeemed_amount,
        balance=entry.balance,
        related_object={"type": "voucher", "id": entry.id},
    )


# Transfers


def transfer(unit: Unit, campaign: str, key: str, sent: Sequence[TransferItem], base_url: str) -> TransferAnswer:
    """Moves points from other cards to this one: all that were asked for, or none.

    Raises ApiError 404 for any of the cards, 400 `missing_customer`, `loyalty_card_points_exceeded`, `invalid_payload`.
    """
    cards, found = points.lock(unit, {key, *(item.code for item in sent)})
    target = _held(_checked(unit, found.get(key), key, campaign))
    for item in sent:
        source = _held(_checked(unit, found.get(item.code), item.code, None))
        if source is target:
            raise invalid_payload("Points cannot be transferred from a loyalty card to itself")
        if source.entry.balance < item.points:
            raise points.points_exceeded(source)
        if target.entry.gift_amount + item.points > MAX_CREDITS:
            raise invalid_payload(f"The points of a card cannot be more than {MAX_CREDITS} in all")
        tag = Tag(source="API", source_id=item.source_id, reason=item.reason)
        cards.transfer(unit, source, target, item.points, tag)
    cards.save()
    return _after_transfer(vouchers.shown(unit, target, base_url))


def _after_transfer(shown: VoucherAnswer) -> TransferAnswer:
    values = {name: getattr(shown, name) for name in TransferAnswer.__struct_fields__}
    values["active"] = "true" if shown.active else "false"
    values["validity_timeframe"] = msgspec.to_builtins(shown.validity_timeframe) or {}
    values["validity_day_of_week"] = shown.validity_day_of_week or []
    return TransferAnswer(**values)


# What was, and what expires


def list_transactions(unit: Unit, key: str, campaign: str | None, query: Query) -> TransactionList:
    """Newest first; pages by id. Raises ApiError 404 for program or voucher."""
    return vouchers.list_transactions(unit, find(unit, key, campaign).entry.id, query)


def list_expirations(unit: Unit, campaign: str, key: str, query: Query) -> BucketList:
    """The buckets that can be used, by day of expiry, those that never expire last; empty ones too (observed)."""
    stored = find(unit, key, campaign)
    page = query.page()
    vouchers.open_wallets(unit.conn, unit.project, [stored], unit.now)
    held = stored.wallet.as_of(stored.today).buckets if stored.wallet else []
    changed_at = wallets.changed_at(unit.conn, unit.project_id, stored.entry.id)
    shown = []
    for bucket in held[page.offset : page.offset + page.limit]:
        answer = BucketAnswer(
            id=bucket.id,
            voucher_id=stored.entry.id,
            campaign_id=stored.entry.campaign_id,
            bucket=BucketPoints(bucket.points),
            created_at=clock.iso(bucket.created_at),
        )
        if bucket.expires_on is not None:
            answer.expires_at = bucket.expires_on.isoformat()
        if (changed := changed_at.get(bucket.id)) is not None:
            answer.updated_at = clock.iso(changed)
        shown.append(answer)
    return BucketList(data=shown, total=len(held))
