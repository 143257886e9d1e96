"""What filters see of customers, loaded set-wise and only as far as any of the filters at hand looks."""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy.engine import Connection

import largesse.customers.service as customers
from largesse.customers.model import StoredCustomer
from largesse.engine.rules.facts import When
from largesse.engine.segments import Filter
from largesse.kernel.project import Project


def profiles(
    conn: Connection,  # noqa: ARG001 - cards, points and events will be read from it
    project: Project,  # noqa: ARG001
    filters: Collection[Filter],  # noqa: ARG001
    found: Sequence[StoredCustomer],
) -> dict[str, dict[str, Any]]:
    """The profiles of these customers by id, as `engine.segments.fields` describes them."""
    return {one.id: msgspec.to_builtins(customers.answer(one)) for one in found}


def moment(project: Project, now: int) -> When:
    return When(now=now, zone=project.zone)
