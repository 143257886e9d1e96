"""HTTP of rewards and of their assignments, from the reward's side and from the program's."""

from litestar import Response, delete, get, post, put

from largesse.kernel.errors import invalid_payload
from largesse.kernel.http.request import ApiRequest, answer, no_content, operation
from largesse.rewards import assigning, service
from largesse.rewards.model import (
    MOST_AT_ONCE,
    AssignmentAnswer,
    AssignmentCreate,
    AssignmentItem,
    AssignmentList,
    AssignmentUpdate,
    RewardAnswer,
    RewardCreate,
    RewardList,
    RewardUpdate,
)

_REWARDS = "/v1/rewards"
_REWARD = "/v1/rewards/{reward_id:str}"
_OF_REWARD = "/v1/rewards/{reward_id:str}/assignments"
_ONE_OF_REWARD = "/v1/rewards/{reward_id:str}/assignments/{assignment_id:str}"
_PROGRAM = "/v1/loyalties/{campaign_id:str}"
_OF_PROGRAM = [f"{_PROGRAM}/rewards", f"{_PROGRAM}/reward-assignments"]
_ONE_OF_PROGRAM = [f"{path}/{{assignment_id:str}}" for path in _OF_PROGRAM]
_LIST = ("limit", "page")


# Rewards


@get(_REWARDS, **operation("List rewards", answer=RewardList, query=(*_LIST, "assignment_id")))
async def list_rewards(request: ApiRequest) -> Response[bytes]:
    return answer(await request.read(lambda unit: service.list_rewards(unit, request.query)))


@post(_REWARDS, **operation("Create a reward", body=RewardCreate, answer=RewardAnswer))
async def create_reward(request: ApiRequest) -> Response[bytes]:
    body = await request.payload(RewardCreate)
    return answer(await request.write(lambda unit: service.create(unit, body)))


@get(_REWARD, **operation("Get a reward", answer=RewardAnswer))
async def get_reward(request: ApiRequest, reward_id: str) -> Response[bytes]:
    return answer(await request.read(lambda unit: service.get(unit, reward_id)))


@put(_REWARD, **operation("Update a reward", body=RewardUpdate, answer=RewardAnswer))
async def update_reward(request: ApiRequest, reward_id: str) -> Response[bytes]:
    body = await request.payload(RewardUpdate)
    return answer(await request.write(lambda unit: service.update(unit, reward_id, body)))


@delete(_REWARD, **operation("Delete a reward", status=204))
async def delete_reward(request: ApiRequest, reward_id: str) -> Response[None]:
    await request.write(lambda unit: service.delete(unit, reward_id))
    return no_content()


# Assignments of a reward


@get(_OF_REWARD, **operation("List the assignments of a reward", answer=AssignmentList, query=_LIST))
async def list_assignments_of_reward(request: ApiRequest, reward_id: str) -> Response[bytes]:
    return answer(await request.read(lambda unit: assigning.list_of_reward(unit, reward_id, request.query)))


@post(_OF_REWARD, **operation("Assign a reward to a campaign", body=AssignmentCreate, answer=AssignmentAnswer))
async def assign_reward(request: ApiRequest, reward_id: str) -> Response[bytes]:
    body = await request.payload(AssignmentCreate)
    return answer(await request.write(lambda unit: assigning.create(unit, reward_id, body)))


@get(_ONE_OF_REWARD, **operation("Get an assignment of a reward", answer=AssignmentAnswer))
async def get_assignment_of_reward(request: ApiRequest, reward_id: str, assignment_id: str) -> Response[bytes]:
    return answer(
        await request.read(lambda unit: assigning.answer(assigning.of_reward(unit, reward_id, assignment_id)))
    )


@put(_ONE_OF_REWARD, **operation("Change a reward's price", body=AssignmentUpdate, answer=AssignmentAnswer))
async def update_assignment_of_reward(request: ApiRequest, reward_id: str, assignment_id: str) -> Response[bytes]:
    body = await request.payload(AssignmentUpdate)
    return answer(
        await request.write(
            lambda unit: assigning.update(unit, assigning.of_reward(unit, reward_id, assignment_id), body)
        )
    )


@delete(_ONE_OF_REWARD, **operation("Take a reward out of a campaign", status=204))
async def delete_assignment_of_reward(request: ApiRequest, reward_id: str, assignment_id: str) -> Response[None]:
    await request.write(lambda unit: assigning.delete(unit, assigning.of_reward(unit, reward_id, assignment_id)))
    return no_content()


# Assignments of a program


@get(
    _OF_PROGRAM,
    **operation("List what a program offers", answer=AssignmentList, query=(*_LIST, "assignment_id", "assignmentId")),
)
async def list_program_rewards(request: ApiRequest, campaign_id: str) -> Response[bytes]:
    return answer(await request.read(lambda unit: assigning.list_of_campaign(unit, campaign_id, request.query)))


@post(
    f"{_PROGRAM}/rewards",
    **operation("Let a program offer rewards", body=list[AssignmentItem], answer=list[AssignmentAnswer]),
)
async def assign_to_program(request: ApiRequest, campaign_id: str) -> Response[bytes]:
    body = await request.payload(list[AssignmentItem])
    if len(body) > MOST_AT_ONCE:
        raise invalid_payload(f"A request takes at most {MOST_AT_ONCE} rewards")
    return answer(await request.write(lambda unit: assigning.create_many(unit, campaign_id, body)))


@get(_ONE_OF_PROGRAM, **operation("Get an assignment of a program", answer=AssignmentAnswer))
async def get_program_reward(request: ApiRequest, campaign_id: str, assignment_id: str) -> Response[bytes]:
    return answer(
        await request.read(lambda unit: assigning.answer(assigning.of_campaign(unit, campaign_id, assignment_id)))
    )


@put(
    f"{_PROGRAM}/rewards/{{assignment_id:str}}",
    **operation("Change a price in a program", body=AssignmentUpdate, answer=AssignmentAnswer),
)
async def update_program_reward(request: ApiRequest, campaign_id: str, assignment_id: str) -> Response[bytes]:
    body = await request.payload(AssignmentUpdate)
    return answer(
        await request.write(
            lambda unit: assigning.update(unit, assigning.of_campaign(unit, campaign_id, assignment_id), body)
        )
    )


@delete(f"{_PROGRAM}/rewards/{{assignment_id:str}}", **operation("Take a reward out of a program", status=204))
async def delete_program_reward(request: ApiRequest, campaign_id: str, assignment_id: str) -> Response[None]:
    await request.write(lambda unit: assigning.delete(unit, assigning.of_campaign(unit, campaign_id, assignment_id)))
    return no_content()


@get(
    f"{_PROGRAM}/reward-assignments/{{assignment_id:str}}/reward",
    **operation("Get the reward of an assignment", answer=RewardAnswer),
)
async def get_reward_of_assignment(request: ApiRequest, campaign_id: str, assignment_id: str) -> Response[bytes]:
    return answer(await request.read(lambda unit: assigning.reward_of(unit, campaign_id, assignment_id)))


routes = [
    list_rewards,
    create_reward,
    get_reward,
    update_reward,
    delete_reward,
    list_assignments_of_reward,
    assign_reward,
    get_assignment_of_reward,
    update_assignment_of_reward,
    delete_assignment_of_reward,
    list_program_rewards,
    assign_to_program,
    get_program_reward,
    update_program_reward,
    delete_program_reward,
    get_reward_of_assignment,
]
