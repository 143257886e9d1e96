"""The older endpoints for one redeemable: thin forms over the same decisions."""

from typing import Any

import msgspec
from litestar import Response, get, post
from msgspec import UNSET, UnsetType

from largesse.customers.model import CustomerInput
from largesse.engine.order import OrderInput
from largesse.engine.sessions import Session
from largesse.kernel import errors, wire
from largesse.kernel.http.query import Query
from largesse.kernel.http.request import ApiRequest, answer, operation
from largesse.redemptions.answers.shapes import Redeemed, ValidationAnswer
from largesse.redemptions.desk import redeemed, validated
from largesse.redemptions.evaluation import Member, Question
from largesse.redemptions.model import GiftInput, Options, RedeemableInput, RewardInput, StackableRequest


class SingleRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The body of the older endpoints: one redeemable, named by the path."""

    order: OrderInput | None = None
    customer: CustomerInput | None = None
    tracking_id: str | None = None
    metadata: dict[str, Any] | None = None
    session: Session | None = None
    gift: GiftInput | None = None
    reward: RewardInput | None = None


class MemberRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What the holder of a loyalty card gets for points; the card is named by the path."""

    reward: RewardInput | None = None
    order: OrderInput | None = None
    customer: CustomerInput | None = None
    tracking_id: str | None = None
    metadata: dict[str, Any] | None = None
    session: Session | None = None


class SingleValidation(msgspec.Struct, kw_only=True):
    """`reason` and `error` only where the voucher does not apply."""

    valid: bool
    code: str
    reason: str | UnsetType = UNSET
    error: dict[str, Any] | UnsetType = UNSET
    applicable_to: Any = UNSET
    inapplicable_to: Any = UNSET
    tracking_id: str | None = None
    order: Any = UNSET
    discount: Any = UNSET
    gift: Any = UNSET
    loyalty: Any = UNSET
    session: Any = UNSET
    metadata: dict[str, Any] = {}
    campaign: str | None | UnsetType = UNSET
    campaign_id: str | None | UnsetType = UNSET


def stackable(code: str, single: SingleRequest) -> StackableRequest:
    return StackableRequest(
        redeemables=[RedeemableInput(object="voucher", id=code, gift=single.gift, reward=single.reward)],
        order=single.order,
        customer=single.customer,
        tracking_id=single.tracking_id,
        metadata=single.metadata,
        session=single.session,
        options=Options(expand=["order", "redeemable"]),
    )


@post(
    "/v1/vouchers/{code:str}/validate",
    **operation("Validate one voucher", body=SingleRequest, answer=SingleValidation, deprecated=True),
)
async def validate_voucher(request: ApiRequest, code: str) -> Response[bytes]:
    return await _validate(request, code, await request.payload(SingleRequest))


@post(
    "/v1/vouchers/{code:str}/redemption",
    **operation("Redeem one voucher", body=SingleRequest, answer=Redeemed, deprecated=True),
)
async def redeem_voucher(request: ApiRequest, code: str) -> Response[bytes]:
    single = await request.payload(SingleRequest)
    return await redeemed(request, Question(stackable(code, single), request.settings, "single"))


@post(
    "/v1/loyalties/members/{member_id:str}/redemption",
    **operation("Redeem a reward", body=MemberRequest, answer=Redeemed),
)
async def redeem_reward(request: ApiRequest, member_id: str) -> Response[bytes]:
    return await _redeem_reward(request, member_id, None)


@post(
    "/v1/loyalties/{campaign_id:str}/members/{member_id:str}/redemption",
    **operation("Redeem a reward of a program", body=MemberRequest, answer=Redeemed),
)
async def redeem_reward_of_program(request: ApiRequest, campaign_id: str, member_id: str) -> Response[bytes]:
    return await _redeem_reward(request, member_id, campaign_id)


async def _redeem_reward(request: ApiRequest, member_id: str, program: str | None) -> Response[bytes]:
    sent = await request.payload(MemberRequest)
    single = SingleRequest(**{name: getattr(sent, name) for name in sent.__struct_fields__})
    question = Question(stackable(member_id, single), request.settings, "single", Member(program))
    return await redeemed(request, question)


@get(
    "/client/v1/validate",
    **operation(
        "Validate one voucher from the client side", answer=SingleValidation, deprecated=True, query=("code", "amount")
    ),
)
async def validate_client_side(request: ApiRequest) -> Response[bytes]:
    code = request.query.text("code")
    if code is None:
        raise errors.invalid_query("Query should have required property 'code'")
    return await _validate(request, code, from_query(request.query))


@post(
    "/client/v1/redeem",
    **operation(
        "Redeem one voucher from the client side",
        body=SingleRequest,
        answer=Redeemed,
        deprecated=True,
        query=("code",),
    ),
)
async def redeem_client_side_single(request: ApiRequest) -> Response[bytes]:
    request.require_switch("client_redeem_enabled")
    code = request.query.text("code")
    if code is None:
        raise errors.invalid_query("Query should have required property 'code'")
    single = await request.payload(SingleRequest)
    return await redeemed(
        request, Question(stackable(code, msgspec.structs.replace(single, gift=None)), request.settings, "single")
    )


async def _validate(request: ApiRequest, code: str, single: SingleRequest) -> Response[bytes]:
    """Failures answer 200 with `valid: false`; only an unknown code is 404 (observed)."""
    asked = await validated(request, Question(stackable(code, single), request.settings))
    found = wire.decode_stored(asked.content, ValidationAnswer)
    redeemable = found.redeemables[0]
    result = redeemable.result
    shown = SingleValidation(valid=found.valid, code=code, tracking_id=found.tracking_id)
    shown.metadata = redeemable.metadata or {}
    if not found.valid:
        shown.error = result.error or {}
        if shown.error.get("code") == 404:
            raise errors.not_found("voucher", code)
        shown.reason = (result.details or {}).get("message", "")
        return answer(shown)
    shown.order, shown.session = found.order, found.session
    shown.applicable_to, shown.inapplicable_to = redeemable.applicable_to, redeemable.inapplicable_to
    shown.campaign, shown.campaign_id = redeemable.campaign_name, redeemable.campaign_id
    if result.gift is not None:
        shown.gift = {"amount": result.gift["balance"], **result.gift}
    elif result.loyalty_card is not None:
        shown.loyalty = result.loyalty_card
    else:
        shown.discount = result.discount
    return answer(shown)


def from_query(query: Query) -> SingleRequest:
    """The nested objects of the client-side GET form: `customer[source_id]=…`, `order[amount]=…`, `amount`, `metadata[key]=…`."""
    tree: dict[str, Any] = {}
    for name, value in query.pairs:
        keys = [key.rstrip("]") for key in name.split("[")]
        node = tree
        for key in keys[:-1]:
            child = node.setdefault(key, {})
            if not isinstance(child, dict):
                raise errors.invalid_query(f"Property .{name} is given twice in different shapes")
            node = child
        node[keys[-1]] = value
    order = dict(tree.get("order") or {}) if isinstance(tree.get("order", {}), dict) else {}
    if "amount" in tree:
        order.setdefault("amount", tree["amount"])
    sent: dict[str, Any] = {name: tree[name] for name in ("customer", "metadata", "tracking_id") if name in tree}
    if order:
        sent["order"] = order
    if tree.get("session_type") == "LOCK":
        sent["session"] = {
            key: tree[f"session_{key}"] for key in ("type", "key", "ttl", "ttl_unit") if f"session_{key}" in tree
        }
    try:
        return msgspec.convert(sent, SingleRequest, strict=False)
    except msgspec.ValidationError as error:
        raise errors.invalid_query(f"Query {error}") from None


routes = [
    validate_voucher,
    redeem_voucher,
    redeem_reward,
    redeem_reward_of_program,
    validate_client_side,
    redeem_client_side_single,
]
