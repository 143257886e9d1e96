"""Use cases of publications."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Select, false, not_
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import ColumnElement

import largesse.campaigns.service as campaigns
import largesse.customers.service as customers
import largesse.vouchers.publishing as publishing
import largesse.vouchers.service as vouchers
from largesse.campaigns.model import StoredCampaign
from largesse.customers.model import CustomerInput, StoredCustomer
from largesse.kernel import ids
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import ApiError, invalid, invalid_query, not_found
from largesse.kernel.http.filters import FilterColumn
from largesse.kernel.http.query import Query
from largesse.metadata_schemas.service import schemas_of
from largesse.publications import answers, store
from largesse.publications.issuing import Handover, free_codes, hand_over, held, no_voucher
from largesse.publications.model import (
    MOST_AT_ONCE,
    Holder,
    Publication,
    PublicationAnswer,
    PublicationCreate,
    PublicationList,
)
from largesse.vouchers.model import StoredVoucher

CHANNEL = "API"  # whatever the caller's headers name: the official SDKs accept no other in the answer
_columns = store.publications.c
_ORDERS = {
    name: _columns[name] for name in ("id", "voucher_code", "tracking_id", "customer_id", "created_at", "channel")
}
_TYPES = {"discount": "DISCOUNT_VOUCHER", "loyalty": "LOYALTY_CARD", "gift": "GIFT_VOUCHER"}
FILTERS = {
    "failure_code": FilterColumn(_columns.failure_code, "text"),
    "result": FilterColumn(_columns.result, "text"),
    "customer_id": FilterColumn(_columns.customer_id, "text"),
    "campaign_name": FilterColumn(_columns.campaign, "text"),
    "voucher_type": FilterColumn(_columns.voucher_type, "text"),
    "is_referral_code": FilterColumn(_columns.is_referral_code, "boolean"),
    "parent_object_id": FilterColumn(_columns.campaign_id, "text"),
    "related_object_id": FilterColumn(_columns.voucher_id, "text"),
    "source_id": FilterColumn(_columns.source_id, "text"),
}


class Published(msgspec.Struct, frozen=True):
    """A publication with what its answers show: the vouchers handed over, or held since an earlier one."""

    publication: Publication
    customer: StoredCustomer
    vouchers: list[StoredVoucher]


# Publishing


def publish(unit: Unit, sent: PublicationCreate, *, join_once: bool, base_url: str) -> PublicationAnswer | ApiError:
    """Publishes what a request asks for; a refusal that left its record is answered, not raised, so that the record stays.

    Raises ApiError 404 for what the request names, 400 `missing_vouchers`, `too_many_vouchers_requested`, `duplicate_source_id`,
    `invalid_campaign`. Answers ApiError 400 `no_voucher_suitable_for_publication`, `voucher_already_published`,
    `voucher_cannot_be_published`.
    """
    outcome = carry_out(unit, sent, join_once=join_once, base_url=base_url)
    if isinstance(outcome, ApiError):
        return outcome
    return _answer(unit, outcome, base_url)


def carry_out(
    unit: Unit, sent: PublicationCreate, *, join_once: bool, base_url: str, as_member: bool = False
) -> Published | ApiError:
    """The same, for those that show something else of it.

    `as_member`: who has a card of the program already joins again with that one, and a new source id of the caller's is kept in
    a publication of its own (our decision); another card is refused only where somebody has it (documented).
    """
    _check(unit, sent)
    if sent.source_id and (prior := store.by_source(unit.conn, unit.project_id, sent.source_id)) is not None:
        return _again(unit, prior, sent)
    customer = _recipient(unit, sent.customer)
    campaign, voucher = _target(unit, sent)
    try:
        earlier = _earlier(unit, customer, campaign, voucher, join_once=join_once, as_member=as_member)
        if earlier is not None:
            if as_member and sent.source_id:
                earlier = _repeated(unit, earlier, sent)
            return _stored(unit, earlier, customer)
        given = _chosen(unit, sent, customer, campaign, voucher)
    except ApiError as refusal:
        _record_failure(unit, sent, customer, campaign, voucher, refusal)
        return refusal
    handover = Handover(
        customer=customer,
        campaign=campaign,
        vouchers=given,
        channel=sent.channel or CHANNEL,
        source_id=sent.source_id or None,
        metadata=sent.metadata or {},
    )
    return Published(hand_over(unit, [handover], base_url)[0], customer, given)


def _check(unit: Unit, sent: PublicationCreate) -> None:
    schemas_of(unit).check_new("publication", sent.metadata)
    if sent.voucher:
        return
    if sent.target is None:
        raise invalid("missing_vouchers", "Missing vouchers", "Either Campaign or Voucher is required")
    most = 1 if sent.source_id else MOST_AT_ONCE
    if (sent.target.count or 1) > most:
        raise too_many(most)


def too_many(most: int) -> ApiError:
    return invalid("too_many_vouchers_requested", "Too many vouchers requested", f"Only up to {most} can be published")


def _again(unit: Unit, prior: Publication, sent: PublicationCreate) -> Published:
    """A repeated source id: the same request gets the same answer and writes nothing, any other is refused (our decision)."""
    customer = customers.find(unit.conn, unit.project, [sent.customer], [None], lock=False)[0]
    if isinstance(customer, ApiError):
        raise customer
    if sent.target is not None:
        same = sent.target.key in (prior.campaign_id, prior.campaign)
    else:
        wanted = vouchers.load(unit.conn, unit.project, [sent.voucher or ""], lock=False).get(sent.voucher or "")
        same = wanted is not None and wanted.entry.id == prior.voucher_id
    if customer is None or customer.id != prior.customer_id or not same:
        details = f"Publication with source_id: '{sent.source_id}' already exists"
        raise invalid("duplicate_source_id", "Duplicate source_id", details)
    return _stored(unit, prior, customer)


def _recipient(unit: Unit, sent: CustomerInput) -> StoredCustomer:
    """Who gets it, locked: created or updated, unless a client-side call may not do so in this project. Raises ApiError 404."""
    if not unit.call.is_client or unit.project.settings.client_create_customer_enabled:
        return customers.upsert(unit, sent)
    found = customers.find(unit.conn, unit.project, [sent], [None], lock=True)[0]
    if isinstance(found, ApiError):
        raise found
    if found is None:
        raise not_found("customer", sent.source_id or sent.email or "")
    return found


def _target(unit: Unit, sent: PublicationCreate) -> tuple[StoredCampaign | None, StoredVoucher | None]:
    """The campaign that codes are wanted of, or the one code with its campaign, locked. Raises ApiError 404."""
    if sent.target is not None:
        campaign = campaigns.find(unit, sent.target.key or "")
        only = publishing.only_code(unit, campaign) if campaign.type == "STANDALONE" else None
        return campaign, only
    code = sent.voucher or ""
    voucher = vouchers.load(unit.conn, unit.project, [code], lock=True).get(code)
    if voucher is None:
        raise not_found("voucher", code)
    campaign_id = voucher.entry.campaign_id
    if campaign_id is None:
        return None, voucher
    parent = campaigns.by_ids(unit.conn, unit.project_id, [campaign_id]).get(campaign_id)
    if parent is None:  # deleted, and its codes about to follow
        raise not_found("voucher", code)
    return parent, voucher


def _earlier(
    unit: Unit,
    customer: StoredCustomer,
    campaign: StoredCampaign | None,
    voucher: StoredVoucher | None,
    *,
    join_once: bool,
    as_member: bool,
) -> Publication | None:
    """The publication by which the customer has a code already, where one is all that a customer may have of the campaign.

    A request may ask for that, and cannot lift it from a campaign that wants it (our decision).
    """
    if campaign is None or not (join_once or campaign.join_once):
        return None
    holder = held(unit, campaign.id, [customer.id]).get(customer.id)
    if holder is None:
        return None
    if voucher is not None and voucher.entry.id != holder.voucher_id:
        if as_member:
            if voucher.publish_count:
                raise _already_published(voucher)
            return store.by_id(unit.conn, unit.project_id, holder.publication_id)
        raise invalid(
            "voucher_cannot_be_published",
            "Voucher cannot be published",
            "Voucher cannot be published. Customer already joined program.",
        )
    return store.by_id(unit.conn, unit.project_id, holder.publication_id)


def _chosen(
    unit: Unit,
    sent: PublicationCreate,
    customer: StoredCustomer,
    campaign: StoredCampaign | None,
    voucher: StoredVoucher | None,
) -> list[StoredVoucher]:
    """What is handed over: all that was asked for, or ApiError 400."""
    if voucher is None:
        assert campaign is not None  # one of both was asked for
        count = (sent.target.count if sent.target else None) or 1
        found = free_codes(unit, campaign, count)
        if len(found) < count:
            raise no_voucher()
        return found
    entry = voucher.entry
    if not entry.active:
        raise no_voucher()
    if publishing.is_shared(voucher, campaign):
        published = store.has(unit.conn, unit.project_id, entry.id, customer.id)
    else:
        published = voucher.publish_count > 0
    if published:
        raise _already_published(voucher)
    return [voucher]


def _already_published(voucher: StoredVoucher) -> ApiError:
    details = f"Voucher '{voucher.entry.id}' has already been published"
    return invalid("voucher_already_published", "Voucher already published", details)


def _repeated(unit: Unit, earlier: Publication, sent: PublicationCreate) -> Publication:
    """The same publication once more, under another name of the caller's; nobody gets anything."""
    again = msgspec.structs.replace(
        earlier,
        id=ids.text_id("pub_", 32),
        channel=sent.channel or CHANNEL,
        source_id=sent.source_id,
        metadata=sent.metadata or {},
        created_at=unit.now,
    )
    store.insert(unit.conn, unit.project_id, [again])
    return again


def _record_failure(
    unit: Unit,
    sent: PublicationCreate,
    customer: StoredCustomer,
    campaign: StoredCampaign | None,
    voucher: StoredVoucher | None,
    refusal: ApiError,
) -> None:
    entry = voucher.entry if voucher else None
    template = campaign.voucher if campaign else None
    failed = Publication(
        id=ids.text_id("pub_", 32),
        customer_id=customer.id,
        tracking_id=customer.source_id,
        channel=sent.channel or CHANNEL,
        source_id=sent.source_id or None,
        metadata=sent.metadata or {},
        result="FAILURE",
        failure_code=refusal.refusal.key,
        failure_message=refusal.refusal.message,
        campaign_id=campaign.id if campaign else None,
        campaign=campaign.name if campaign else None,
        voucher_type=entry.type if entry else template.type if template else None,
        is_referral_code=entry.is_referral_code if entry else False,
        vouchers=[(entry.id, entry.code)] if entry else [],
        created_at=unit.now,
    )
    store.insert(unit.conn, unit.project_id, [failed])
    told = {
        "customer": answers.recipient(customer),
        "campaign": campaigns.simple(campaign) if campaign else None,
        "publication": answers.listed(failed, customer, {}),
    }
    unit.record("publication.failed", failed.id, told)
    unit.record("customer.publication.failed", failed.id, told, customer_id=customer.id, about=customer)


def _stored(unit: Unit, publication: Publication, customer: StoredCustomer) -> Published:
    """An earlier publication with its vouchers as they are now."""
    wanted = [id for id, _ in publication.vouchers]
    found = vouchers.load(unit.conn, unit.project, wanted, lock=False)
    return Published(publication, customer, [found[id] for id in wanted if id in found])


def _answer(unit: Unit, published: Published, base_url: str) -> PublicationAnswer:
    shown = None
    if len(published.publication.vouchers) == 1 and published.vouchers:
        shown = vouchers.listed(unit, published.vouchers, base_url)[0]
    return answers.answer(published.publication, published.customer, shown)


# Lists


def list_publications(unit: Unit, query: Query) -> PublicationList:
    """Every parameter and filter of the list; newest first."""
    conditions: list[ColumnElement[bool]] = []
    if name := query.text("campaign"):
        conditions.append(_columns.campaign_id == (campaigns.id_or_none(unit, name) or ""))
    if key := query.text("customer"):
        customer = customers.by_key(unit, key)
        conditions.append(_columns.customer_id == (customer.id if customer else key))
    if code := query.text("voucher"):
        found = vouchers.load(unit.conn, unit.project, [code], lock=False).get(code)
        conditions.append(store.of_voucher(unit.project_id, found.entry.id) if found else false())
    return _listed(unit, query, conditions)


def list_of_voucher(unit: Unit, code: str, query: Query) -> PublicationList:
    """To whom a voucher was published, and refused. Raises ApiError 404."""
    return _listed(unit, query, [store.of_voucher(unit.project_id, vouchers.id_of(unit, code))])


def _listed(unit: Unit, query: Query, conditions: list[ColumnElement[bool]]) -> PublicationList:
    if result := query.one_of("result", ("SUCCESS", "FAILURE")):
        conditions.append(_columns.result == result)
    if kind := query.text("voucher_type"):
        if kind not in _TYPES:
            raise invalid_query(
                f"Property .voucher_type should be equal to one of the allowed values [ {', '.join(_TYPES)} ]"
            )
        conditions.append(_columns.voucher_type == _TYPES[kind])
    if (of_referrals := query.flag("is_referral_code")) is not None:
        is_one = _columns.is_referral_code.is_(True)
        conditions.append(is_one if of_referrals else not_(is_one))
    if source_id := query.text("source_id"):
        conditions.append(_columns.source_id == source_id)
    conditions += query.filtered(FILTERS, unit)
    page = query.page()
    order = query.order(_ORDERS, "-created_at", _columns.id)
    found, total = store.page(unit.conn, unit.project_id, conditions, order, limit=page.limit, offset=page.offset)
    named = customers.by_ids(unit.conn, unit.project, {one.customer_id for one in found})
    single = [one.voucher_id for one in found if one.voucher_id and len(one.vouchers) == 1]
    handed = vouchers.load(unit.conn, unit.project, single, lock=False) if single else {}
    vouchers.open_wallets(unit.conn, unit.project, handed.values(), unit.now)
    shown = [answers.listed(one, named.get(one.customer_id), handed) for one in found]
    return PublicationList(publications=shown, total=total)


# What other rooms ask


def ids_of_voucher(project_id: str, voucher_id: str) -> Select[tuple[str]]:
    """Selects the ids of all that was published of a voucher, or was to be."""
    return store.ids_of_voucher(project_id, voucher_id)


def remove_of_vouchers(unit: Unit, voucher_ids: Sequence[str]) -> None:
    """What was published of vouchers that are deleted, and who held them, goes with them (documented)."""
    held = store.remove_of_vouchers(unit.conn, unit.project_id, voucher_ids) if voucher_ids else []
    for holder in held:
        told = answers.assignment(holder)
        unit.record("customer.holder.assignment.deleted", holder.id, told, customer_id=holder.customer_id)
        unit.record("customer.voucher.deleted", holder.voucher_id, told, customer_id=holder.customer_id)


def forget_customer(unit: Unit, customer_id: str) -> None:
    """A deleted customer holds nothing; what was published to them stays on record without anything personal."""
    store.forget_customer(unit.conn, unit.project_id, customer_id)
    publishing.forget_holder(unit, customer_id)


def count_by_result(
    conn: Connection, project_id: str, campaign_id: str, since: int | None, until: int | None
) -> dict[str, int]:
    """How many publications of a campaign were a SUCCESS and a FAILURE in a time; what never happened is absent."""
    return store.count_by_result(conn, project_id, campaign_id, since, until)


def holdings(conn: Connection, project_id: str, customer_id: str) -> list[Holder]:
    """Everything that a customer holds."""
    return store.of_customer(conn, project_id, customer_id)
