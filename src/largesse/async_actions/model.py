"""Async actions as answers show them."""

from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from largesse.kernel.jobs.queue import OperationStatus, Status


class AsyncActionAnswer(msgspec.Struct, kw_only=True):
    """`operation_status` is UNKNOWN until the action is finished. `processing_time` in milliseconds, `progress` 0 to 100."""

    id: str
    type: str
    status: Status
    operation_status: OperationStatus
    created_at: str
    updated_at: str
    request_id: str
    processing_time: int
    progress: int
    result: dict[str, Any] | UnsetType = UNSET
    object: Literal["async_action"] = "async_action"


class AsyncActionList(msgspec.Struct, kw_only=True):
    """Newest first; the next page ends at the `created_at` of the last one shown."""

    object: Literal["list"] = "list"
    data_ref: Literal["async_actions"] = "async_actions"
    async_actions: list[AsyncActionAnswer]
    has_more: bool
