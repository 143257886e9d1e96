"""Where routes hand requests to the lanes."""

import msgspec
from litestar import Response

from largesse.kernel.http.request import ApiRequest
from largesse.redemptions.evaluation import Question
from largesse.redemptions.model import explained
from largesse.redemptions.redemption import redeem
from largesse.redemptions.validation import validate, validate_and_lock

_EXPLAIN = (b"x-largesse-explain", b"1")


async def validated(request: ApiRequest, question: Question) -> Response[bytes]:
    """Asks the read lane, or a write lane where the request wants something held."""
    question = _as_asked(request, question)
    if question.body.session is None:
        return as_json(await request.database.consider(request.call, validate, question))
    return as_json(await request.database.decide(request.call, validate_and_lock, question, shard=shard_of(question)))


async def redeemed(request: ApiRequest, question: Question) -> Response[bytes]:
    question = _as_asked(request, question)
    return as_json(await request.database.decide(request.call, redeem, question, shard=shard_of(question)))


def _as_asked(request: ApiRequest, question: Question) -> Question:
    if not wants_explanations(request):
        return question
    return msgspec.structs.replace(question, body=explained(question.body))


def wants_explanations(request: ApiRequest) -> bool:
    """Whether a header asks why rules are violated, where the body has no place for it."""
    return _EXPLAIN in request.scope["headers"]  # as they came: decoding them all would cost every redemption


def shard_of(question: Question) -> str:
    """Requests for the same code meet in the same lane, where they are decided together instead of waiting for each other."""
    return question.body.redeemables[0].id


def as_json(body: bytes) -> Response[bytes]:
    return Response(body, status_code=200, media_type="application/json")
