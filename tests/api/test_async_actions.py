"""Async actions: background jobs as callers watch them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from largesse.kernel import clock
from largesse.kernel.access.projects import load_project
from largesse.kernel.call import Call, Caller
from largesse.kernel.database.stores import open_writer
from largesse.kernel.database.unit import Unit
from largesse.kernel.jobs.queue import enqueue
from largesse.kernel.settings import Settings
from tests.api.shop import ok, refused
from tests.servers import Server

KIND = "CAMPAIGN.VOUCHERS_GENERATE"
CALLER = Caller(surface="server", key_id="key")


@contextmanager
def transaction(server: Server, project_id: str, now: int) -> Iterator[Unit]:
    """A unit of work on the server's store at the instant `now`."""
    engine = open_writer(Settings(database_url=server.store))
    with engine.begin() as conn:
        project = load_project(conn, project_id)
        yield Unit(conn, Call(project=project, caller=CALLER, request_id="v-136552919d00003c87", now=now))
    engine.dispose()


def enqueued(server: Server, project_id: str, count: int, now: int) -> list[str]:
    """Jobs that nobody will do soon, one a millisecond, oldest first."""
    found = []
    for n in range(count):
        with transaction(server, project_id, now + n * 1000) as unit:
            found.append(enqueue(unit, KIND, {}))
    return found


def test_an_action_that_waits_shows_what_it_is(server: Server) -> None:
    now = clock.now_micros() + clock.DAY
    [id] = enqueued(server, server.keys["project_id"], 1, now)
    assert re.fullmatch(r"aa_[0-9a-f]{18}", id)
    assert ok(server.client.get(f"/v1/async-actions/{id}")) == {
        "id": id,
        "type": KIND,
        "status": "ENQUEUED",
        "operation_status": "UNKNOWN",
        "created_at": clock.iso(now),
        "updated_at": clock.iso(now),
        "request_id": "v-136552919d00003c87",
        "processing_time": 0,
        "progress": 0,
        "object": "async_action",
    }


def test_an_unknown_action_is_not_found(server: Server) -> None:
    refusal = refused(server.client.get("/v1/async-actions/aa_1"), 404, "not_found")
    assert (refusal["details"], refusal["resource_type"]) == ("Cannot find async_action with id aa_1", "async_action")


def test_actions_are_paged_newest_first_by_end_date(server: Server) -> None:
    keys = server.new_project()
    ids = enqueued(server, keys["project_id"], 12, clock.now_micros() + clock.DAY)[::-1]
    with server.client_for(keys) as client:
        first = ok(client.get("/v1/async-actions"))
        assert (first["object"], first["data_ref"], first["has_more"]) == ("list", "async_actions", True)
        assert [action["id"] for action in first["async_actions"]] == ids[:10]
        end = first["async_actions"][-1]["created_at"]
        second = ok(client.get("/v1/async-actions", params={"end_date": end, "limit": 2}))
        assert ([action["id"] for action in second["async_actions"]], second["has_more"]) == (ids[10:], False)
        assert ok(client.get("/v1/async-actions?limit=100"))["has_more"] is False


def test_actions_are_seen_by_their_project_only(server: Server) -> None:
    theirs = server.new_project()
    [id] = enqueued(server, theirs["project_id"], 1, clock.now_micros() + clock.DAY)
    refused(server.client.get(f"/v1/async-actions/{id}"), 404, "not_found")


@pytest.mark.parametrize(
    ("query", "details"),
    [
        ("limit=0", "Property .limit cannot be lower than 1"),
        ("limit=101", "Property .limit cannot be higher than 100"),
        ("end_date=soon", "Property .end_date cannot be recognized as a ISO-8601 compliant date"),
    ],
)
def test_what_no_page_can_be(server: Server, query: str, details: str) -> None:
    refusal = refused(server.client.get(f"/v1/async-actions?{query}"), 400, "invalid_query_params")
    assert refusal["details"] == details
