"""Where routes hand requests to the lanes."""

from litestar import Response

from largesse.kernel.http.request import ApiRequest
from largesse.redemptions.evaluation import Question
from largesse.redemptions.redemption import redeem
from largesse.redemptions.validation import validate, validate_and_lock


async def validated(request: ApiRequest, question: Question) -> Response[bytes]:
    """Asks the read lane, or a write lane where the request wants something held."""
    if question.body.session is None:
        return as_json(await request.database.consider(request.call, validate, question))
    return as_json(await request.database.decide(request.call, validate_and_lock, question, shard=shard_of(question)))


async def redeemed(request: ApiRequest, question: Question) -> Response[bytes]:
    return as_json(await request.database.decide(request.call, redeem, question, shard=shard_of(question)))


def shard_of(question: Question) -> str:
    """Requests for the same code meet in the same lane, where they are decided together instead of waiting for each other."""
    return question.body.redeemables[0].id


def as_json(body: bytes) -> Response[bytes]:
    return Response(body, status_code=200, media_type="application/json")
