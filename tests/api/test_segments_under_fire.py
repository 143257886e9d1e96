"""Filters of any shape, and many changes at once: no answer breaks, and whoever is in is who the filter says."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from largesse.engine.segments.fields import FIELDS, OF_ANYTHING
from tests.api.segments import (
    ENTERED,
    LEFT,
    PATH,
    change,
    customer,
    members,
    segment,
    segments_of,
    told,
    where,
)
from tests.api.shop import ok, refused
from tests.servers import Server
from tests.waiting import wait_until

# Bad input

_FIELDS = st.sampled_from(
    [*FIELDS, "metadata.a", "metadata.", "events.x.count", "events.count", "loyalty_points.campaigns.x.points", "shoe"]
)
_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.dates().map(str),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)
_OPERATORS = st.sampled_from([*OF_ANYTHING, "$like", ""])
_CONDITIONS = st.one_of(
    _VALUES, st.fixed_dictionaries({"conditions": st.dictionaries(_OPERATORS, _VALUES, max_size=3)})
)
_JUNCTIONS = st.sampled_from(["and", "OR", "xor"]) | _VALUES
_FILTERS = st.recursive(
    st.dictionaries(_FIELDS, _CONDITIONS, max_size=3),
    lambda inner: st.fixed_dictionaries({"junction": _JUNCTIONS, "inner": inner, "name": _CONDITIONS}),
    max_leaves=3,
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(filter=_FILTERS | _VALUES)
def test_no_filter_breaks_the_server(server: Server, filter: Any) -> None:
    """It is taken, or refused with the place of the fault; and then it judges customers of any shape."""
    client = server.client
    answer = client.post(PATH, json={"name": "Any", "type": "passive", "filter": filter})
    if answer.status_code == 400:
        details = refused(answer, 400, "invalid_payload")["details"]
        assert ".filter" in details or "JSON" in details or "NUL" in details, details
        return
    made = ok(answer)["id"]
    odd = {"a": [None, {"b": 1}, "2026-02-29"], "x": "geo:1,2"}
    ok(client.post("/v1/customers", json={"source_id": "odd", "birthdate": "0001-01-01", "metadata": odd}))
    segments_of(client, {"id": "odd"})
    assert client.delete(f"{PATH}/{made}").status_code == 204


# Races


def test_changes_at_once_leave_what_the_filter_says(server: Server, client: httpx.Client) -> None:
    gold = segment(client, where(metadata__level={"$is": "Gold"}, summary__orders__total_count={"$more_than": [2]}))
    ann = customer(client)

    def act(number: int) -> None:
        if number % 4:
            change(client, ann, metadata={"level": ("Gold", "Bronze")[number % 2]}, name=str(number))
        else:
            ok(client.post("/v1/orders", json={"amount": 1, "status": "PAID", "customer": {"id": ann["id"]}}))

    for _ in range(3):
        with ThreadPoolExecutor(12) as pool:
            list(pool.map(act, range(24)))
        found = ok(client.get(f"/v1/customers/{ann['id']}"))
        inside = found["metadata"]["level"] == "Gold" and found["summary"]["orders"]["total_count"] > 2
        assert members(client, gold) == ({ann["id"]} if inside else set())
        assert segments_of(client, ann) == ({gold} if inside else set())
    server.verify()
    story = told(client, ann, gold)
    assert story == [(ENTERED, LEFT)[place % 2] for place in range(len(story))]


def test_who_comes_while_a_segment_is_filled_is_in_it(client: httpx.Client) -> None:
    before = [customer(client, metadata={"level": 1})["id"] for _ in range(20)]

    def come(number: int) -> str:
        return str(customer(client, metadata={"level": 1}, name=str(number))["id"])

    with ThreadPoolExecutor(8) as pool:
        coming = [pool.submit(come, number) for number in range(40)]
        made = segment(client, where(metadata__level={"$is": 1}))
        came = [one.result() for one in coming]
    wait_until(lambda: members(client, made) == {*before, *came})
