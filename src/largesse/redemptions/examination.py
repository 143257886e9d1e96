"""The older endpoints of qualification: which vouchers, or which campaigns, a customer could use. Thin forms of the search."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import msgspec
from litestar import Response, post
from sqlalchemy.engine import Connection

import largesse.campaigns.service as campaigns
import largesse.categories.service as categories
import largesse.customers.service as customers
import largesse.vouchers.service as vouchers
from largesse.campaigns.model import CampaignAnswer
from largesse.customers.model import CustomerInput
from largesse.engine.decision import Outcome
from largesse.engine.order import OrderInput
from largesse.kernel import clock, ids, wire
from largesse.kernel.access.projects import current_project
from largesse.kernel.database.alone import each_alone
from largesse.kernel.database.unit import Unit
from largesse.kernel.http.query import Query
from largesse.kernel.http.request import ApiRequest, operation
from largesse.redemptions.answers.shapes import ItemList
from largesse.redemptions.desk import as_json
from largesse.redemptions.qualification import Search
from largesse.redemptions.qualification_model import (
    MAX_LIMIT,
    FieldConditions,
    QualificationFilters,
    QualificationOptions,
    QualificationRequest,
    QualifiedPage,
    RewardQuestion,
)
from largesse.vouchers.model import VoucherAnswer

_QUERY = ("audienceRulesOnly", "limit", "order")
_VOUCHER_ORDERS = ("created_at", "updated_at", "code")
_CAMPAIGN_ORDERS = ("created_at", "updated_at", "type", "code", "category", "campaign")


class ExaminationRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Who would buy what; with a `reward` the loyalty cards are meant that can have it."""

    customer: CustomerInput | None = None
    order: OrderInput | None = None
    tracking_id: str | None = None
    reward: RewardQuestion | None = None
    metadata: dict[str, Any] | None = None


class Examination(msgspec.Struct, frozen=True, eq=False):
    """What is asked, of vouchers or of campaigns; `order` is a member with `-` for descending."""

    kind: Literal["voucher", "campaign"]
    body: QualificationRequest
    order: str
    base_url: str


class ExaminedVoucher(VoucherAnswer, kw_only=True):
    """A voucher that qualifies, and what it applies to."""

    applicable_to: ItemList
    inapplicable_to: ItemList


class _Examined(msgspec.Struct, kw_only=True):
    object: str = "list"
    data_ref: str = "data"
    total: int
    id: str
    created_at: str
    tracking_id: str | None


class ExaminedVouchers(_Examined, kw_only=True):
    data: list[ExaminedVoucher]


class ExaminedCampaigns(_Examined, kw_only=True):
    data: list[CampaignAnswer]


def examine(conn: Connection, work: Sequence[tuple[Unit, Examination]]) -> list[Any]:
    """Decider of the search lane: answers each request as JSON, changing nothing."""
    project = current_project(conn, work[0][0].project)

    def answer(_place: int, unit: Unit, question: Examination) -> bytes:
        unit.call = msgspec.structs.replace(unit.call, project=project)
        return _answered(unit, question, Search(conn, unit, question.body).page())

    return each_alone(answer, work)


def _answered(unit: Unit, question: Examination, page: QualifiedPage) -> bytes:
    shared: dict[str, Any] = {
        "total": len(page.found),
        "id": ids.text_id("qfl_", 24),
        "created_at": clock.iso(unit.now),
        "tracking_id": customers.tracking_id(unit.project, page.customer),
    }
    outcomes = {one.candidate.id: one.decision.outcomes[0] for one in page.found}
    if question.kind == "voucher":
        return wire.encode(ExaminedVouchers(data=_vouchers(unit, question, outcomes), **shared))
    return wire.encode(ExaminedCampaigns(data=_campaigns(unit, question, outcomes), **shared))


def _vouchers(unit: Unit, question: Examination, outcomes: dict[str, Outcome]) -> list[ExaminedVoucher]:
    by_id = vouchers.load(unit.conn, unit.project, outcomes, lock=False) if outcomes else {}
    vouchers.open_wallets(unit.conn, unit.project, by_id.values(), unit.now)
    entries = [one.entry for one in by_id.values()]
    held = categories.answers(unit.conn, unit.project, {one.category_id for one in entries if one.category_id})
    shown = []
    for id, outcome in outcomes.items():
        answer = vouchers.answer(by_id[id], question.base_url, held.get(by_id[id].entry.category_id or ""))
        shown.append(
            ExaminedVoucher(
                **{name: getattr(answer, name) for name in VoucherAnswer.__struct_fields__},
                applicable_to=ItemList(outcome.applicable_to, len(outcome.applicable_to)),
                inapplicable_to=ItemList(outcome.inapplicable_to, len(outcome.inapplicable_to)),
            )
        )
    return _sorted(shown, question.order, lambda one, name: getattr(one, name))


def _campaigns(unit: Unit, question: Examination, outcomes: dict[str, Outcome]) -> list[CampaignAnswer]:
    names = {
        "type": "campaign_type",
        "campaign": "name",
        "code": "id",
    }  # a campaign has no code: ids stand in its place
    shown = campaigns.answers_of(unit, outcomes)
    return _sorted(shown, question.order, lambda one, name: getattr(one, names.get(name, name)))


def _sorted(shown: list[Any], order: str, read: Callable[[Any, str], Any]) -> list[Any]:
    """What has no such member comes as if it were empty."""
    name = order.removeprefix("-")
    return sorted(shown, key=lambda one: str(read(one, name) or ""), reverse=order.startswith("-"))


def _question(
    kind: Literal["voucher", "campaign"], sent: ExaminationRequest, query: Query, base_url: str
) -> Examination:
    orders = _VOUCHER_ORDERS if kind == "voucher" else _CAMPAIGN_ORDERS
    filters = QualificationFilters(resource_type=FieldConditions({"$is": [kind]}))
    body = QualificationRequest(
        customer=sent.customer,
        order=sent.order,
        tracking_id=sent.tracking_id,
        scenario="AUDIENCE_ONLY" if query.flag("audienceRulesOnly") else "ALL",
        options=QualificationOptions(limit=query.integer("limit", 1, MAX_LIMIT, MAX_LIMIT), filters=filters),
        reward=sent.reward,
        metadata=sent.metadata,
    )
    order = query.one_of("order", [name for one in orders for name in (one, f"-{one}")]) or "-created_at"
    return Examination(kind, body, order, base_url)


@post(
    "/v1/vouchers/qualification",
    **operation(
        "List the vouchers that qualify",
        body=ExaminationRequest,
        answer=ExaminedVouchers,
        query=_QUERY,
        deprecated=True,
    ),
)
async def examine_vouchers(request: ApiRequest) -> Response[bytes]:
    return await _examined(request, "voucher")


@post(
    "/v1/campaigns/qualification",
    **operation(
        "List the campaigns that qualify",
        body=ExaminationRequest,
        answer=ExaminedCampaigns,
        query=_QUERY,
        deprecated=True,
    ),
)
async def examine_campaigns(request: ApiRequest) -> Response[bytes]:
    return await _examined(request, "campaign")


async def _examined(request: ApiRequest, kind: Literal["voucher", "campaign"]) -> Response[bytes]:
    sent = await request.payload(ExaminationRequest)
    question = _question(kind, sent, request.query, request.settings.base_url)
    return as_json(await request.database.search(request.call, examine, question))


routes = [examine_vouchers, examine_campaigns]
