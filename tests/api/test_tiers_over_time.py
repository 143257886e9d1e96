"""Loyalty tiers and the calendar: terms, periods, and points that become usable or are lost at midnight."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.api.members import program
from tests.api.programs import Member, fixed, membership, rule, tier, tiers
from tests.servers import Server
from tests.waiting import wait_until

Json = dict[str, Any]


class Traveller:
    """A server of its own that lives on the days a test names."""

    def __init__(self, store: str, **settings: str) -> None:
        self.server = Server(store, settings=settings, forked=True)
        self.ahead = 0

    def on(self, day: str, time: str = "10:00") -> Server:
        wanted = datetime.fromisoformat(f"{day}T{time}:00+00:00")
        ahead = int((wanted - datetime.now(UTC)).total_seconds())
        self.server.go_ahead(ahead - self.ahead)
        self.ahead = ahead
        return self.server


@pytest.fixture
def traveller(store: str) -> Iterator[Traveller]:
    """Nobody works in the background: what is read is right all the same."""
    made = Traveller(store, LARGESSE_RUN_JOBS="false")
    yield made
    made.server.verify()
    made.server.stop()


def term(extend: str, **rounding: Any) -> Json:
    expiration: Json = {"type": "CUSTOM", "extend": extend}
    return {
        "qualification_type": "BALANCE",
        "expiration_date": expiration | ({"rounding": rounding} if rounding else {}),
    }


def monthly(kind: str = "END_OF_PERIOD", start: str = "IMMEDIATE", **more: Any) -> Json:
    return {
        "qualification_type": "POINTS_IN_PERIOD",
        "qualification_period": "MONTH",
        "start_date": {"type": start},
        "expiration_date": {"type": kind, **more},
    }


def member_of(server: Server, expiration: Json, *sent: Json) -> Member:
    member = membership(server.client, loyalty_tiers_expiration=expiration)
    tiers(server.client, member.program, *(sent or (tier("Silver", 100, 499), tier("Gold", 500, 1_000))))
    return member


def seen_from(server: Server, *members: Member) -> None:
    for member in members:
        member.client = server.client


def test_a_tier_with_a_term_outlives_the_balance(traveller: Traveller) -> None:
    server = traveller.on("2027-11-10")
    member = member_of(server, term("P3M", type="MONTH", strategy="END"))
    kept = member_of(server, term("P4M", type="CUSTOM", strategy="END", unit="MONTH", value=1))
    for one in (member, kept):
        one.adds(600)
    assert member.tier_days == ("Gold", "2027-11-10", "2028-02-29")
    assert kept.tier_days == ("Gold", "2027-11-10", "2029-02-28")
    server = traveller.on("2027-12-01")
    seen_from(server, member, kept)
    member.adds(-450)
    kept.adds(-600)
    assert member.tier_days == ("Gold", "2027-11-10", "2028-02-29")
    server = traveller.on("2028-02-29", "23:50")
    seen_from(server, member)
    assert member.tier_name == "Gold"
    server = traveller.on("2028-03-02", "00:10")
    seen_from(server, member, kept)
    assert member.tier_days == ("Silver", "2028-03-01", "2028-06-30")
    assert member.told == ["joined", "downgraded"]
    assert kept.tier_days == ("Gold", "2027-11-10", "2029-02-28")
    server = traveller.on("2029-03-01")
    seen_from(server, member, kept)
    member.adds(1)  # without having been looked at since
    assert member.tier_days == ("Silver", "2029-03-01", "2029-06-30")
    assert member.told[2:] == ["prolonged", "expiration.changed"] * 3
    assert (kept.tier, kept.told) == (None, ["joined", "left"])


SCHEMES = {
    "this month": monthly(),
    "and the next": monthly("END_OF_NEXT_PERIOD"),
    "with grace": monthly(extend="P7D"),
    "next month": monthly(start="NEXT_PERIOD"),
}


def test_a_tier_reached_within_a_month_lasts_as_its_program_says(traveller: Traveller) -> None:
    server = traveller.on("2027-03-10")
    members = {name: member_of(server, scheme, tier("Only", 100, 150)) for name, scheme in SCHEMES.items()}
    for member in members.values():
        member.adds(60)
        assert member.tier is None
        member.adds(40)
        member.adds(-100)
        member.adds(100)  # 200 collected: more than the ceiling
    assert {name: member.tier_days for name, member in members.items()} == {
        "this month": ("Only", "2027-03-10", "2027-03-31"),
        "and the next": ("Only", "2027-03-10", "2027-04-30"),
        "with grace": ("Only", "2027-03-10", "2027-04-07"),
        "next month": None,
    }
    seen_from(traveller.on("2027-04-01", "00:05"), *members.values())
    assert {name: member.tier_days for name, member in members.items()} == {
        "this month": None,
        "and the next": ("Only", "2027-03-10", "2027-04-30"),
        "with grace": ("Only", "2027-03-10", "2027-04-07"),
        "next month": ("Only", "2027-04-01", "2027-04-30"),
    }
    members["and the next"].adds(150)
    seen_from(traveller.on("2027-05-01", "00:05"), *members.values())
    assert {name: member.tier_days for name, member in members.items()} == {
        "this month": None,
        "and the next": ("Only", "2027-03-10", "2027-05-31"),
        "with grace": None,
        "next month": None,
    }
    assert members["and the next"].told == ["joined", "expiration.changed", "prolonged"]
    assert members["next month"].told == ["joined", "left"]


def test_a_month_that_reached_less_lowers_the_tier_when_it_ends(traveller: Traveller) -> None:
    server = traveller.on("2027-03-10")
    member = member_of(server, monthly("END_OF_NEXT_PERIOD"), tier("Silver", 100, 199), tier("Gold", 200, 300))
    rule(server.client, member.program, fixed(5), "customer.loyalty.tier.downgraded", loyalty_tier={"id": "__ANY__"})
    member.adds(200)
    assert member.tier_days == ("Gold", "2027-03-10", "2027-04-30")
    seen_from(traveller.on("2027-04-20"), member)
    member.adds(120)
    seen_from(traveller.on("2027-05-01"), member)
    assert member.tier_days == ("Silver", "2027-05-01", "2027-05-31")
    assert (member.told, member.balance) == (["joined", "downgraded"], 325)


def test_missed_days_are_made_up_for_in_their_order(traveller: Traveller) -> None:
    server = traveller.on("2027-03-24")
    monthly_points = {"period_type": "MONTH", "period_value": 1}
    spent = membership(server.client, loyalty_tiers_expiration=term("P3M"), expiration_rules=monthly_points)
    tiers(server.client, spent.program, tier("Silver", 100, None))
    spent.adds(150)
    assert spent.tier_days == ("Silver", "2027-03-24", "2027-06-24")
    waited = member_of(server, monthly("END_OF_NEXT_PERIOD"))
    rule(server.client, waited.program, fixed(120), pending_points={"period_type": "DAY", "period_value": 5})
    waited.pays()
    traveller.on("2027-04-10")
    waited.client = traveller.server.client
    assert waited.tier_days == ("Silver", "2027-03-29", "2027-04-30")
    traveller.on("2027-07-01")
    spent.client = traveller.server.client
    assert (spent.tier, spent.told) == (None, ["joined", "left"])


def test_a_worker_brings_what_midnight_brings(store: str) -> None:
    traveller = Traveller(store)
    try:
        server = traveller.on("2027-03-30")
        made = program(server.client, expiration_rules={"period_type": "MONTH", "period_value": 1})
        tiers(server.client, made["id"], tier("Silver", 100, None))
        rule(server.client, made["id"], fixed(100), pending_points={"period_type": "DAY", "period_value": 2})
        member, other = Member(server.client, made["id"]), member_of(server, monthly(), tier("Only", 50, None))
        member.pays()
        other.adds(50)
        assert (member.tier, member.shown["pending_points"], other.tier_name) == (None, 100, "Only")
        seen_from(traveller.on("2027-04-01"), member, other)
        wait_until(lambda: member.told == ["joined"] and other.told == ["joined", "left"])
        assert (member.balance, member.tier_name) == (100, "Silver")
        assert [one[0] for one in member.moves] == ["PENDING_POINTS_ACTIVATION"]
        assert member.shown["next_expiration_date"] == "2027-05-01"
        seen_from(traveller.on("2027-05-02"), member)
        wait_until(lambda: member.told == ["joined", "left"])
        assert member.balance == 0
        traveller.server.verify()
    finally:
        traveller.server.stop()


def test_days_are_those_of_the_project(store: str) -> None:
    traveller = Traveller(store, LARGESSE_RUN_JOBS="false")
    try:
        server = traveller.on("2027-03-31", "20:00")
        server.set("timezone=Asia/Tokyo")
        member = member_of(server, monthly(), tier("Only", 50, None))
        member.adds(50)
        assert member.tier_days == ("Only", "2027-04-01", "2027-04-30")
        seen_from(traveller.on("2027-04-30", "14:50"), member)
        assert member.tier_name == "Only"
        seen_from(traveller.on("2027-04-30", "15:10"), member)
        assert member.tier is None
    finally:
        traveller.server.stop()
