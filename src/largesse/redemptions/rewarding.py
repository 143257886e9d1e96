"""Rewards of one request: handing out what they promise, and telling the log.

What is handed out is found before anything else of the request is noted, because a campaign may have no code left. A card is
shown as it was before it was credited (observed).
"""

from collections.abc import Mapping
from typing import Any

import msgspec

import largesse.campaigns.service as campaigns
import largesse.categories.service as categories
import largesse.customers.service as customers
import largesse.products.service as products
import largesse.publications.issuing as publications
import largesse.vouchers.service as vouchers
from largesse.customers.model import StoredCustomer
from largesse.engine.order import Order
from largesse.engine.rewards import CampaignReward, Material, Offer, Reward
from largesse.kernel import clock, ids, ledger
from largesse.kernel.database.unit import Unit
from largesse.redemptions.books import Books
from largesse.redemptions.model import GrantedReward, Record
from largesse.vouchers.model import StoredVoucher

_STATES = {"MATERIAL": "PENDING"}  # whoever sends the thing says when it arrived; all else is done at once (documented)
ROLLED_BACK = "ROLLEDBACK"


class Issued(msgspec.Struct, frozen=True):
    """What a redemption hands out: the reward as recorded, and the card that is yet to be credited."""

    granted: GrantedReward
    target: StoredVoucher | None = None


def issue(books: Books, unit: Unit, customer: StoredCustomer, offer: Offer, base_url: str, times: int = 1) -> Issued:
    """Hands out `times` the reward of an offer, but for credit. Raises ApiError 400 `no_voucher_suitable_for_publication`, 404."""
    assignment = offer.assignment
    assert assignment is not None  # decided
    reward = assignment.reward
    campaign = reward.parameters.campaign
    given: list[StoredVoucher] = []
    target = None
    shown: dict[str, Any] = {"assignment_id": assignment.id}
    if offer.tier_id is not None:
        shown["loyalty_tier_id"] = offer.tier_id
    if campaign is not None and campaign.balance is None:
        given = [_published(unit, campaign, customer, base_url) for _ in range(times)]
    elif campaign is not None:
        target = books.cards.target(unit, campaign.id, customer.id)
        if target is None:
            target = _published(unit, campaign, customer, base_url)
            books.cards.take_in(unit, target)
        given = [target]
    if given:
        shown["voucher"] = _shown_voucher(unit, given[0], base_url)
    elif reward.parameters.product is not None:
        shown |= _shown_material(books, reward.parameters.product)
    shown |= _described(reward)
    granted = GrantedReward(
        id=ids.text_id("rewr_"),
        reward_id=reward.id,
        assignment_id=assignment.id,
        type=reward.type,
        shown=shown,
        voucher_ids=tuple(stored.entry.id for stored in given),
        credited=campaign.balance * times if campaign is not None and campaign.balance is not None else None,
    )
    return Issued(granted, target)


def _published(unit: Unit, campaign: CampaignReward, customer: StoredCustomer, base_url: str) -> StoredVoucher:
    return publications.publish_one(unit, campaign.id, customer, base_url=base_url)


def _shown_voucher(unit: Unit, stored: StoredVoucher, base_url: str) -> Any:
    category_id = stored.entry.category_id
    category = categories.answers(unit.conn, unit.project, [category_id]).get(category_id) if category_id else None
    return vouchers.answer(stored, base_url, category)


def _shown_material(books: Books, material: Material) -> dict[str, Any]:
    """The product, and the SKU where the reward is one; what was deleted since is left out."""
    product, sku = books.cards.item(material)
    shown: dict[str, Any] = {}
    if product is not None:
        shown["product"] = products.product_answer(product)
    if sku is not None:
        shown["sku"] = products.sku_answer(sku)
    return shown


def _described(reward: Reward) -> dict[str, Any]:
    described: dict[str, Any] = {
        "id": reward.id,
        "object": "reward",
        "name": reward.name,
        "created_at": clock.iso(reward.created_at),
        "updated_at": clock.iso_or_none(reward.updated_at),
        "parameters": reward.parameters,
    }
    if reward.metadata:
        described["metadata"] = reward.metadata
    return described | {"type": reward.type}


def about(offer: Offer, order: Order | None) -> dict[str, Any]:
    """What the transactions of a redemption say of it."""
    assert offer.assignment is not None
    named: dict[str, Any] = {"reward": {"id": offer.reward_id, "name": offer.assignment.reward.name}}
    if order is not None and order.id:
        named["order"] = {"id": order.id, "source_id": order.source_id}
    return named


def credit(books: Books, unit: Unit, issued: Issued, record: Record, told: Mapping[str, Any]) -> None:
    """Gives the customer's card what the reward promises; `told` completes the details of the transaction."""
    target, amount = issued.target, issued.granted.credited
    if target is None or amount is None:
        return
    details = {"redemption": {"id": record.id}, **told}
    if target.entry.type == "GIFT_VOUCHER":
        move_credit(books, unit, target, amount, details)
        return
    cards = books.cards.of(target)
    assert cards is not None  # found by `CardBook.target`, or taken in since
    cards.credit(unit, target, amount, cards.expiry(target), about=details, operation="AUTOMATIC")


def move_credit(books: Books, unit: Unit, stored: StoredVoucher, amount: int, details: Mapping[str, Any]) -> None:
    """Gives a gift card credit (> 0), or takes it back; minor units."""
    entry = stored.entry
    added, subtracted = max(amount, 0), max(-amount, 0)
    entry.gift_amount += added
    entry.subtracted_amount += subtracted
    stored.updated_at = unit.now
    transaction = vouchers.reward_transaction(stored, amount, details, unit.now)
    posting = ledger.Entry(ledger.GIFT_CREDITS, entry.id, amount, "adjustment", transaction.id, unit.now)
    books.move_credit(posting, transaction)
    if entry.campaign_id is not None:
        campaigns.tally_credits(unit, entry.campaign_id, added, subtracted)
    unit.record("voucher.gift.transaction.created", entry.id, {"transaction": transaction.id})


# Events


def tell(unit: Unit, record: Record, card: StoredVoucher, customer: StoredCustomer) -> None:
    """What the log is told of a reward that was given: that it was, and how far it is."""
    granted = record.reward
    assert granted is not None
    parts = _parts(record, card, customer)
    rewarded = {
        "redemption": {"id": record.id, "amount": record.amount, "order_id": record.order_id},
        "reward": {"customer": parts["customer"], **granted.shown},
        "referral_tier": None,
        "balance": None,
        "custom_event": None,
        "customer_event": None,
    }
    who = {name: parts[name] for name in ("customer", "holder", "voucher", "campaign")}
    unit.record("customer.rewarded", record.id, who | rewarded, customer_id=customer.id)
    for state in ("CREATED", _STATES.get(granted.type, "COMPLETED")):
        _tell_state(unit, granted, parts, record, state)


def tell_undone(
    unit: Unit, child: Record, rollback: Record, card: StoredVoucher, customer: StoredCustomer | None
) -> None:
    """What the log is told of a reward that was undone."""
    granted = child.reward
    assert granted is not None
    _tell_state(unit, granted, _parts(child, card, customer), rollback, ROLLED_BACK)


def _tell_state(unit: Unit, granted: GrantedReward, parts: Mapping[str, Any], record: Record, state: str) -> None:
    source = record.source_id or record.id
    data = {
        **parts,
        "reward_redemption": {
            "id": granted.id,
            "state": state,
            "source_type": "redemption",
            "source_id": source,
            "voucher_id": record.voucher_id,
            "customer_id": record.customer_id,
            "campaign_id": record.campaign_id,
            "reward_assignment_id": granted.assignment_id,
        },
        "source": {"id": source, "type": "redemption"},
        "balance": {"amount": granted.credited} if granted.credited is not None else None,
    }
    event = f"customer.reward_redemptions.{state.lower()}"
    unit.record(event, record.id, data, customer_id=record.customer_id)


def _parts(record: Record, card: StoredVoucher, customer: StoredCustomer | None) -> dict[str, Any]:
    granted = record.reward
    assert granted is not None
    known = customers.simple(customer) if customer else None
    program = card.entry.parent
    return {
        "customer": known,
        "holder": known,
        "voucher": vouchers.simple(card),
        "campaign": {"id": program.id, "name": program.name, "campaign_type": program.type} if program else None,
        "reward": {"customer": known, **granted.shown},
        "reward_assignment": {
            "id": granted.assignment_id,
            "reward_id": granted.reward_id,
            "related_object_id": card.entry.campaign_id,
            "related_object_type": "campaign",
            "object": "reward_assignment",
        },
    }
