"""Publications in wire form."""

from collections.abc import Mapping
from typing import Any

from msgspec import UNSET

from largesse.customers.model import StoredCustomer
from largesse.kernel import clock
from largesse.publications.model import (
    Holder,
    ListedPublication,
    ListedVoucher,
    Publication,
    PublicationAnswer,
    Recipient,
)
from largesse.vouchers.model import StoredVoucher, VoucherAnswer
from largesse.vouchers.service import answer as voucher_answer


def answer(
    publication: Publication, customer: StoredCustomer | None, voucher: VoucherAnswer | None
) -> PublicationAnswer:
    """What publishing answers; `voucher` is the one that was published, None for several."""
    shown = PublicationAnswer(**_common(publication, customer))
    shown.vouchers_id = [id for id, _ in publication.vouchers]
    if voucher is not None:
        shown.voucher = voucher
    else:
        shown.vouchers = [code for _, code in publication.vouchers]
    return shown


def listed(
    publication: Publication, customer: StoredCustomer | None, vouchers: Mapping[str, StoredVoucher]
) -> ListedPublication:
    """A row of the list: a slim voucher, and of a failure why it failed."""
    shown = ListedPublication(**_common(publication, customer))
    if publication.result == "FAILURE":
        shown.failure_code = publication.failure_code or UNSET
        shown.failure_message = publication.failure_message or UNSET
        shown.vouchers = [code for _, code in publication.vouchers]
        return shown
    shown.vouchers_id = [id for id, _ in publication.vouchers]
    if len(publication.vouchers) > 1:
        shown.vouchers = [code for _, code in publication.vouchers]
    elif (stored := vouchers.get(publication.voucher_id or "")) is not None:
        whole = voucher_answer(stored, "")
        shown.voucher = ListedVoucher(
            code=whole.code,
            campaign=whole.campaign,
            discount=whole.discount or UNSET,
            gift=whole.gift or UNSET,
            loyalty_card=whole.loyalty_card or UNSET,
            is_referral_code=whole.is_referral_code,
        )
    return shown


def assignment(holder: Holder) -> dict[str, Any]:
    """Who holds what, as events tell it."""
    return {
        "holder": {"id": holder.id, "role": holder.role, "publication_id": holder.publication_id},
        "voucher": {"id": holder.voucher_id, "type": holder.voucher_type, "object": "voucher"},
        "campaign": {"id": holder.campaign_id, "campaign_type": holder.campaign_type} if holder.campaign_id else None,
        "customer": {"id": holder.customer_id, "object": "customer"},
    }


def recipient(customer: StoredCustomer) -> Recipient:
    return Recipient(
        id=customer.id,
        name=customer.name or UNSET,
        email=customer.email or UNSET,
        source_id=customer.source_id or UNSET,
        metadata=customer.metadata or UNSET,
    )


def _common(publication: Publication, customer: StoredCustomer | None) -> dict[str, Any]:
    return {
        "id": publication.id,
        "created_at": clock.iso(publication.created_at),
        "customer_id": publication.customer_id,
        "tracking_id": publication.tracking_id,
        "metadata": publication.metadata,
        "channel": publication.channel,
        "source_id": publication.source_id,
        "result": publication.result,
        "customer": recipient(customer) if customer is not None else Recipient(id=publication.customer_id),
    }
