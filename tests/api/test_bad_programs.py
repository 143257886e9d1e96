"""Whatever is sent to programs, members and publications: a clean answer, never a 500, nothing half written."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.members import program
from tests.api.shop import gift, name, ok, refused
from tests.servers import Server

NAMES = [
    "id",
    "source_id",
    "name",
    "email",
    "customer",
    "voucher",
    "campaign",
    "count",
    "channel",
    "metadata",
    "type",
    "points",
    "loyalty_card",
    "expiration_rules",
    "period_type",
    "period_value",
    "rounding_type",
    "rounding_value",
    "fixed_month",
    "fixed_day",
    "loyalty_tiers_expiration",
    "qualification_type",
    "start_date",
    "extend",
    "expiration_date",
    "options",
    "recalculate_tiers",
    "redemption",
    "quantity",
    "code_config",
    "pattern",
    "length",
    "charset",
    "auto_join",
    "join_once",
    "vouchers_count",
    "activity_duration_after_publishing",
    "validity_timeframe",
    "validity_hours",
    "category",
    "unset_metadata_fields",
]
WORDS = (
    "LOYALTY_CARD",
    "LOYALTY_PROGRAM",
    "MONTH",
    "FIXED_DAY_OF_YEAR",
    "PARTICULAR_MONTH",
    "CUSTOM",
    "P1M",
    "AUTO_UPDATE",
    "##",
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(WORDS),
    st.text(max_size=5),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=20,
)
BODIES = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=8)
FUZZ = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@FUZZ
@given(sent=BODIES)
def test_no_body_breaks_anything(server: Server, sent: dict[str, Any]) -> None:
    client = server.client
    made = _known(server)
    for method, path, body in (
        ("POST", "/v1/loyalties", {"name": name("Odd"), **sent}),
        ("PUT", f"/v1/loyalties/{made}", sent),
        ("POST", f"/v1/loyalties/{made}/members", sent),
        ("POST", f"/v1/loyalties/{made}/members", {"customer": {"source_id": name()}, **sent}),
        ("POST", "/v1/publications", sent),
        ("POST", "/v1/publications", {"customer": {"source_id": name()}, "campaign": {"name": made}, **sent}),
    ):
        answer = client.request(method, path, json=body)
        assert answer.status_code < 500, f"{method} {path} {body}: {answer.text}"


_programs: dict[str, str] = {}


def _known(server: Server) -> str:
    if server.store not in _programs:
        _programs[server.store] = program(server.client, 10)["id"]
    return _programs[server.store]


@pytest.mark.parametrize(
    "query",
    [
        "customer[source_id]=a&customer=b[]",
        "customer[source_id][x]=a&voucher=V",
        "customer=a&customer[name]=b&voucher=V",
        "customer[source_id]=a&campaign[count]=x&campaign[name]=n",
        "customer[source_id]=a&campaign[count]=0&campaign[name]=n",
        "customer[address]=x&voucher=V",
        "customer[]=x&voucher=V",
        "join_once=maybe&customer[source_id]=a&voucher=V",
    ],
)
def test_no_query_breaks_anything(server: Server, query: str) -> None:
    answer = server.client.get(f"/v1/publications/create?{query}")
    assert answer.status_code in (400, 404), answer.text


@pytest.mark.parametrize("path", ["/v1/loyalties", "/v1/publications"])
@pytest.mark.parametrize("query", ["limit=0", "limit=x", "page=0", "order=shoe", "filters[x]=1"])
def test_lists_refuse_what_they_do_not_know(server: Server, path: str, query: str) -> None:
    refused(server.client.get(f"{path}?{query}"), 400, "invalid_query_params")


def test_a_publication_that_fails_late_leaves_no_holder(server: Server) -> None:
    client, source = server.client, name("late")
    card = gift(client, 10)
    sent = {"customer": {"source_id": source}, "voucher": card, "metadata": {"x": "y" * 70_000}}
    refused(client.post("/v1/publications", json=sent), 400, "invalid_payload")
    refused(client.get(f"/v1/customers/{source}"), 404, "not_found")
    assert ok(client.get(f"/v1/vouchers/{card}"))["publish"]["count"] == 0
