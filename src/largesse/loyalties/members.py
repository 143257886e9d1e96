"""The members of loyalty programs: the cards, who joins, and what a card is."""

import largesse.customers.service as customers
import largesse.publications.service as publications
import largesse.vouchers.service as vouchers
from largesse.campaigns.model import StoredCampaign
from largesse.customers.model import CustomerInput
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import ApiError, not_found
from largesse.kernel.http.query import Query
from largesse.loyalties.lookups import existing_program
from largesse.loyalties.model import MemberCreate
from largesse.publications.model import CampaignTarget, PublicationCreate
from largesse.vouchers.model import LOYALTY_CARD, StoredVoucher, VoucherAnswer, VoucherList

# Joining


def add(unit: Unit, program_key: str, sent: MemberCreate, base_url: str) -> VoucherAnswer | ApiError:
    """The card by which a customer takes part; who has one already gets that one (documented).

    Answers ApiError 400 `no_voucher_suitable_for_publication`, `voucher_already_published` where their records are to stay; raises
    ApiError 404.
    """
    program = existing_program(unit, program_key)
    if sent.voucher:
        find(unit, sent.voucher, program)
    wanted = PublicationCreate(
        customer=_named(unit, sent.customer) if isinstance(sent.customer, str) else sent.customer,
        voucher=sent.voucher,
        campaign=CampaignTarget(id=program.id),
        channel=sent.channel,
        source_id=sent.source_id,
        metadata=sent.metadata,
    )
    outcome = publications.carry_out(unit, wanted, join_once=True, as_member=True, base_url=base_url)
    if isinstance(outcome, ApiError):
        return outcome
    return vouchers.listed(unit, outcome.vouchers, base_url)[0]


def _named(unit: Unit, key: str) -> CustomerInput:
    """A customer named by id or source id; one that nobody has heard of is a new source id (documented)."""
    found = customers.by_key(unit, key)
    if found is not None or key.startswith("cust_"):
        return CustomerInput(id=found.id if found else key)
    return CustomerInput(source_id=key)


# The cards


def find(unit: Unit, key: str, program: StoredCampaign | None = None, *, lock: bool = False) -> StoredVoucher:
    """The card with this code or id, where asked of one program. Raises ApiError 404, also for what is no loyalty card."""
    stored = vouchers.load(unit.conn, unit.project, [key], lock=lock).get(key)
    if stored is None or stored.entry.type != LOYALTY_CARD:
        raise not_found("voucher", key)
    if program is not None and stored.entry.campaign_id != program.id:
        raise not_found("voucher", key)
    return stored


def get(unit: Unit, key: str, base_url: str, program_key: str | None = None) -> VoucherAnswer:
    """A member as shown. Raises ApiError 404 for the program or the card."""
    program = existing_program(unit, program_key) if program_key is not None else None
    return vouchers.listed(unit, [find(unit, key, program)], base_url)[0]


def list_members(unit: Unit, program_key: str, query: Query, base_url: str) -> VoucherList:
    """All cards of a program, whether or not somebody has them; newest first. Raises ApiError 404."""
    return vouchers.list_of_campaign(unit, existing_program(unit, program_key).id, query, base_url)
