"""Answering the requests of a batch one by one, so that one that fails fails alone."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy.exc import DBAPIError

from largesse.kernel.database.trips import GuardViolation
from largesse.kernel.database.unit import Unit

Q = TypeVar("Q")


def each_alone(answer: Callable[[int, Unit, Q], Any], work: Sequence[tuple[Unit, Q]]) -> list[Any]:
    """What `answer` says to each request, given its place in the batch, or the exception that it raised.

    What the store raises ends the batch: its transaction is of no use any more, and the lane knows what to do.
    """
    found: list[Any] = []
    for place, (unit, question) in enumerate(work):
        try:
            found.append(answer(place, unit, question))
        except (DBAPIError, GuardViolation):
            raise
        except Exception as error:
            found.append(error)
    return found
