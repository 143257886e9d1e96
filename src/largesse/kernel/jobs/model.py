"""What a job is to the code that does its work."""

from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy.engine import Connection

from largesse.kernel.database.unit import Unit


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A job as one slice sees it. `arguments` are as enqueued, `state` as the slice before left it (`{}` at first)."""

    id: str
    kind: str
    arguments: dict[str, Any]
    state: dict[str, Any]
    done: int  # items done so far
    total: int  # items in all; 0 while nobody knows
    batch: int  # items that this slice should do at most, so that it stays short; at least 1


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """A slice was done and others follow. `total` None leaves it as it is."""

    state: dict[str, Any]
    done: int
    total: int | None = None


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """The job is finished. `result` is what its async action shows; `success` False where nothing of it could be done."""

    result: dict[str, Any]
    success: bool = True


class Chore(msgspec.Struct, frozen=True, kw_only=True):
    """Work that time brings and nobody asks for, such as letting points expire at midnight.

    `due` answers the projects that may have some at an instant: it looks and locks nothing. `step` does a slice of at most so many
    items of one project and answers how many it did; 0 where there is nothing to do now, or another worker has it in hand. It may
    run again after an error and beside others, so what it does must be there to be done once only, under locks of its own.
    """

    name: str
    due: Callable[[Connection, int], list[str]]  # (connection, now) → project ids
    step: Callable[[Unit, int], int]


Step = Callable[[Unit, Job], Progress | Done]
GivenUp = Callable[[Unit, Job, str], None]  # (unit, job, message): what else has to change when a job ends as FAILED


class Kind(msgspec.Struct, frozen=True):
    """How jobs of one kind are done.

    `step` does one slice in the transaction of its unit, which also saves what it returns: both happen, or neither. It may run
    again after an error, so it must be a function of the store and the job. An ApiError ends the job as FAILED with the error's
    text; any other exception is tried again later, and ends it after `claims.ATTEMPTS` times in a row. `given_up` runs in the
    transaction that ends it so.
    """

    step: Step
    given_up: GivenUp | None = None
