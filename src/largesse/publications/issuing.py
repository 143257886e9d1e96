"""Handing codes over, set-wise: what every publication writes, whoever asked for it."""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec

import largesse.campaigns.service as campaigns
import largesse.points.service as points
import largesse.vouchers.publishing as vouchers
from largesse.campaigns.model import PROMOTION, StoredCampaign
from largesse.customers.model import StoredCustomer
from largesse.engine.validity import parse_duration
from largesse.kernel import clock, ids
from largesse.kernel.database.trips import sent_together
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import ApiError, invalid, not_found
from largesse.publications import store
from largesse.publications.answers import assignment, recipient
from largesse.publications.model import Holder, Publication
from largesse.vouchers.model import StoredVoucher
from largesse.vouchers.service import answer as voucher_answer


class Handover(msgspec.Struct, kw_only=True):
    """Vouchers, locked by this transaction, for one customer; `campaign` is theirs, None for those that have none."""

    customer: StoredCustomer
    campaign: StoredCampaign | None
    vouchers: list[StoredVoucher]
    channel: str = "API"
    source_id: str | None = None
    metadata: dict[str, Any] = {}


def hand_over(unit: Unit, handovers: Sequence[Handover], base_url: str = "") -> list[Publication]:
    """Makes each customer the holder of their vouchers and records it. The customers' rows are locked by the caller."""
    made = [_hand_over(unit, handover) for handover in handovers]
    pairs = list(zip(handovers, made, strict=True))
    with sent_together(unit.conn):
        for shared in (False, True):
            given = [v for h in handovers for v in h.vouchers if vouchers.is_shared(v, h.campaign) == shared]
            vouchers.save_given(unit, given, shared=shared)
        store.insert(unit.conn, unit.project_id, made)
        new = [holder for handover, publication in pairs for holder in _holders(handover, publication)]
        store.insert_holders(unit.conn, unit.project_id, new)
    points.begin(unit, [voucher for handover in handovers for voucher in handover.vouchers])
    for handover, publication in pairs:
        _record(unit, handover, publication, base_url)
    for holder in new:
        unit.record("customer.holder.assignment.created", holder.id, assignment(holder), customer_id=holder.customer_id)
    return made


def publish_one(
    unit: Unit,
    campaign_id: str,
    customer: StoredCustomer,
    *,
    channel: str = "API",
    metadata: dict[str, Any] | None = None,
    base_url: str = "",
) -> StoredVoucher:
    """Hands one more code of a campaign to a customer, whose row the caller has locked.

    Raises ApiError 404, 400 `no_voucher_suitable_for_publication`; then nothing was written.
    """
    found = publish_to_all(unit, campaign_id, [customer], channel=channel, metadata=metadata, base_url=base_url)
    if customer.id not in found:
        raise no_voucher()
    return found[customer.id]


def publish_to_all(
    unit: Unit,
    campaign_id: str,
    customers: Sequence[StoredCustomer],
    *,
    channel: str = "API",
    metadata: dict[str, Any] | None = None,
    base_url: str = "",
) -> dict[str, StoredVoucher]:
    """The same for several customers: by customer id, without those for whom no code was left. Raises ApiError 404."""
    campaign = campaigns.by_ids(unit.conn, unit.project_id, [campaign_id]).get(campaign_id)
    if campaign is None:
        raise not_found("campaign", campaign_id)
    codes = free_codes(unit, campaign, len(customers))
    given = dict(zip((customer.id for customer in customers), codes, strict=False))
    handovers = [
        Handover(
            customer=customer,
            campaign=campaign,
            vouchers=[given[customer.id]],
            channel=channel,
            metadata=metadata or {},
        )
        for customer in customers
        if customer.id in given
    ]
    hand_over(unit, handovers, base_url)
    return given


def free_codes(unit: Unit, campaign: StoredCampaign, count: int) -> list[StoredVoucher]:
    """At most `count` codes to hand out, locked. Raises ApiError 400 `invalid_campaign` for a campaign that has no codes."""
    if campaign.campaign_type == PROMOTION:
        raise invalid("invalid_campaign", "Invalid campaign", "A PROMOTION campaign has tiers and no codes to publish.")
    try:
        return vouchers.take(unit, campaign, count)
    except ApiError as error:  # its pattern has no free code left; nothing was made
        if error.refusal.key != "invalid_code_config":
            raise
        return []


def held(unit: Unit, campaign_id: str, customer_ids: Collection[str]) -> dict[str, Holder]:
    """By customer id what each of these customers has of a campaign, the latest; without those who have nothing. One query."""
    found = store.held(unit.conn, unit.project_id, campaign_id, customer_ids) if customer_ids else []
    return {holder.customer_id: holder for holder in found}


def no_voucher() -> ApiError:
    return invalid(
        "no_voucher_suitable_for_publication",
        "Couldn't find any voucher suitable for publication",
        "Couldn't create new vouchers for publication",
    )


def _hand_over(unit: Unit, handover: Handover) -> Publication:
    campaign, first = handover.campaign, handover.vouchers[0].entry
    active_for = campaign.activity_duration_after_publishing if campaign else None
    lifetime = parse_duration(active_for) if active_for else None
    for stored in handover.vouchers:
        vouchers.give(unit, stored, handover.customer.id, lifetime)
    return Publication(
        id=ids.text_id("pub_", 32),
        customer_id=handover.customer.id,
        tracking_id=handover.customer.source_id,
        channel=handover.channel,
        source_id=handover.source_id,
        metadata=handover.metadata,
        campaign_id=first.campaign_id,
        campaign=first.campaign,
        voucher_type=first.type,
        is_referral_code=first.is_referral_code,
        vouchers=[(stored.entry.id, stored.entry.code) for stored in handover.vouchers],
        created_at=unit.now,
    )


def _holders(handover: Handover, publication: Publication) -> list[Holder]:
    return [
        Holder(
            id=ids.hex_id("rh_"),
            voucher_id=stored.entry.id,
            customer_id=handover.customer.id,
            role="REFERRER" if stored.entry.is_referral_code else "OWNER",
            campaign_id=stored.entry.campaign_id,
            campaign_type=handover.campaign.campaign_type if handover.campaign else None,
            voucher_type=stored.entry.type,
            publication_id=publication.id,
            created_at=publication.created_at,
        )
        for stored in handover.vouchers
    ]


def _record(unit: Unit, handover: Handover, publication: Publication, base_url: str) -> None:
    """What happened to each code, to the customer, and as a whole."""
    customer = recipient(handover.customer)
    told: dict[str, Any] = {
        "customer": customer,
        "campaign": campaigns.simple(handover.campaign) if handover.campaign else None,
        "publication": {"id": publication.id, "channel": publication.channel, "source_id": publication.source_id},
    }
    at = clock.iso(publication.created_at)
    shown = [voucher_answer(stored, base_url) for stored in handover.vouchers]
    for voucher in shown:
        unit.record("voucher.published", voucher.id, told | {"voucher": voucher, "created_at": at})
    told |= {"voucher": shown[0] if len(shown) == 1 else None}
    unit.record("publication.succeeded", publication.id, told | {"user": None})
    unit.record(
        "customer.publication.succeeded",
        publication.id,
        told,
        customer_id=handover.customer.id,
        about=handover.customer,
    )
