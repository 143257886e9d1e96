"""Exports as tests ask for them."""

import csv
import io
from typing import Any

import httpx

from tests.api.shop import ok
from tests.waiting import wait_until


def finished(client: httpx.Client, export: Any) -> Any:
    """An export just asked for, once it is done."""
    assert (export["status"], export["result"], export["channel"], export["user_id"]) == (
        "SCHEDULED",
        None,
        "API",
        None,
    )
    path = f"/v1/exports/{export['id']}"
    wait_until(lambda: ok(client.get(path))["status"] in ("DONE", "ERROR"))
    found = ok(client.get(path))
    assert found["status"] == "DONE"
    assert {**found, "status": "SCHEDULED", "result": None} == export
    return found


def text(client: httpx.Client, export: Any) -> str:
    """Its file, as somebody without keys downloads it."""
    answer = httpx.get(finished(client, export)["result"]["url"])
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    return answer.content.decode()


def rows(client: httpx.Client, path: str, **sent: Any) -> list[dict[str, str]]:
    """The rows of an export asked for at a path."""
    return list(csv.DictReader(io.StringIO(text(client, ok(client.post(path, json=sent))))))


def exported(client: httpx.Client, what: str, *fields: str, **parameters: Any) -> list[dict[str, str]]:
    """The rows of an export of objects of a kind; with default fields where none are named."""
    asked = parameters | ({"fields": list(fields)} if fields else {})
    return rows(client, "/v1/exports", exported_object=what, parameters=asked)
