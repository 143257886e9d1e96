"""What no client should send to loyalty programs: always a clean 4xx, nothing half written."""

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.members import program
from tests.api.programs import Member, fixed, rule, tier, tiers
from tests.api.shop import ok
from tests.servers import Server

Json = Any
_WEIRD: list[Json] = [
    None,
    True,
    -1,
    0,
    1.5,
    10**30,
    "",
    "x" * 300,
    "5",
    "10**9",
    [],
    [None],
    {},
    {"id": None},
    "\U0001f600",
    "2026-13-01",
]
_LOYALTY = {
    "type": "PROPORTIONAL",
    "calculation_type": "ORDER_ITEMS_AMOUNT",
    "order_items": {"amount": {"every": 1, "points": 1, "applicable_to": [{"object": "product", "id": "p"}]}},
}
_RULE = {
    "event": "order.paid",
    "loyalty": _LOYALTY,
    "pending_points": {"period_type": "DAY", "period_value": 1},
    "expiration_rules": {"period_type": "MONTH", "period_value": 1},
    "start_date": "2026-01-01T00:00:00Z",
    "validity_timeframe": {"interval": "P1D", "duration": "PT1H"},
    "source": {"banner": "B"},
    "metadata": {"a": 1},
}
_TIER = tier("A", 10, 20, earning_rules={"ern_1": {"type": "MULTIPLY", "multiplier": 1.5}}, rewards={}, metadata={})
_ESTIMATE = {"customer": {"source_id": "c"}, "order": {"amount": 5, "items": [{"product_id": "p", "quantity": 1}]}}


def _paths(document: Json, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(document, dict):
        return [path, *(one for key in document for one in _paths(document[key], (*path, key)))]
    if isinstance(document, list):
        return [path, *(one for place in range(len(document)) for one in _paths(document[place], (*path, place)))]
    return [path]


def _with(document: Json, path: tuple[Any, ...], value: Json) -> Json:
    if not path:
        return value
    changed = copy.deepcopy(document)
    place = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return changed


def spoiled(document: Json) -> st.SearchStrategy[Json]:
    return st.builds(
        lambda path, value: _with(document, path, value), st.sampled_from(_paths(document)), st.sampled_from(_WEIRD)
    )


@pytest.fixture(scope="module")
def member(server: Server) -> Member:
    made = program(server.client)
    rule(server.client, made["id"])
    tiers(server.client, made["id"], tier("Base", 0, 5))
    return Member(server.client, made["id"])


@given(
    st.one_of(
        st.tuples(st.just("POST"), st.just("/v1/loyalties/{}/earning-rules"), spoiled([_RULE])),
        st.tuples(st.just("POST"), st.just("/v1/loyalties/{}/tiers"), spoiled([_TIER])),
        st.tuples(st.just("POST"), st.just("/v1/loyalties/{}/qualifications"), spoiled(_ESTIMATE)),
        st.tuples(st.just("PUT"), st.just("/v1/loyalties/{}/earning-rules/{}"), spoiled(_RULE)),
        st.tuples(st.just("PUT"), st.just("/largesse/v1/loyalties/{}/tiers/{}"), spoiled(_TIER)),
        st.tuples(
            st.just("PUT"),
            st.just("/v1/loyalties/{}"),
            spoiled(
                {
                    "loyalty_tiers_expiration": {
                        "qualification_type": "BALANCE",
                        "expiration_date": {
                            "type": "CUSTOM",
                            "extend": "P3M",
                            "rounding": {"type": "CUSTOM", "strategy": "END", "unit": "MONTH", "value": 1},
                        },
                    },
                    "options": {"recalculate_tiers": True},
                }
            ),
        ),
    )
)
@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
def test_one_wrong_member_never_breaks_anything(server: Server, member: Member, asked: Any) -> None:
    method, path, sent = asked
    key = member.program
    if path.count("{}") == 2:
        kind = "tiers" if "tiers" in path else "earning-rules"
        listed = ok(server.client.get(f"/v1/loyalties/{key}/{kind}"))["data"]
        path = path.format(key, listed[-1]["id"])
    else:
        path = path.format(key)
    answer = server.client.request(method, path, json=sent)
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.json()["key"], answer.text
    for kind in ("tiers", "earning-rules"):
        for one in ok(server.client.get(f"/v1/loyalties/{key}/{kind}?limit=100"))["data"][:-1]:
            if method == "POST":
                own = "/largesse" if kind == "tiers" else ""
                assert server.client.delete(f"{own}/v1/loyalties/{key}/{kind}/{one['id']}").status_code == 204


def test_a_member_can_still_earn_after_all_of_that(server: Server, member: Member) -> None:
    held = program(server.client)
    rule(server.client, held["id"], fixed(3))
    other = Member(server.client, held["id"])
    other.pays()
    assert other.balance == 3
    assert member.balance >= 0
    server.verify()
