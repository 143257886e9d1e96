"""Loyalty tiers: making and changing them, and how they follow the balance."""

from typing import Any

import httpx
import pytest

from tests.api.members import program
from tests.api.programs import Member, fixed, membership, per, rule, tier, tiers
from tests.api.rewards import buy, coin, material, member, offer, undo
from tests.api.shop import amount, code, name, ok, redeem, refused, try_redeem, validate
from tests.servers import Server

Json = dict[str, Any]


def own(key: str, tier_id: str) -> str:
    return f"/largesse/v1/loyalties/{key}/tiers/{tier_id}"


# The resource


def test_a_tier_is_shown_with_its_bounds_twice(server: Server) -> None:
    made = program(server.client)
    earning = rule(server.client, made["id"])["id"]
    sent = tier(
        "Silver", 100, 499, earning_rules={earning: {"type": "MULTIPLY", "multiplier": 1.5}}, metadata={"color": "gray"}
    )
    [silver, gold] = tiers(server.client, made["id"], sent, tier("Gold", 500, None))
    assert silver["id"].startswith("ltr_")
    assert silver["points"] == silver["config"]["points"] == {"from": 100, "to": 499}
    assert silver["earning_rules"] == {earning: {"type": "MULTIPLY", "multiplier": 1.5}}
    assert (silver["rewards"], silver["metadata"], silver["object"]) == ({}, {"color": "gray"}, "loyalty_tier")
    assert (silver["campaign_id"], silver["name"], silver["updated_at"]) == (made["id"], "Silver", None)
    assert gold["points"] == {"from": 500, "to": None}
    path = f"/v1/loyalties/{made['name']}/tiers"
    assert ok(server.client.get(f"{path}/{silver['id']}")) == silver
    listed = ok(server.client.get(f"{path}?order=created_at"))
    assert ({one["id"] for one in listed["data"]}, listed["total"]) == ({silver["id"], gold["id"]}, 2)
    assert len(ok(server.client.get(f"{path}?limit=1"))["data"]) == 1


def test_no_tiers_are_none(server: Server) -> None:
    assert tiers(server.client, program(server.client)["id"]) == []


@pytest.mark.parametrize(
    "sent",
    [
        [tier("A", 100, 499), tier("B", 499, None)],
        [tier("A", 100, None), tier("B", 500, None)],
        [tier("A", 10, 5)],
        [tier("A", -1, 5)],
        [{"name": "A"}],
        [{"points": {"from": 0}}],
        [{"name": "A", "points": {"to": 5}}],
        [tier("A", 0, 5, earning_rules={"ern_1": {"type": "MULTIPLY"}})],
        [tier("A", 0, 5, earning_rules={"ern_1": {"type": "MULTIPLY", "multiplier": -1}})],
        [tier("A", 0, 5, earning_rules={"ern_1": {"type": "CUSTOM"}})],
        [tier("A", 0, 5, earning_rules={"ern_1": {"type": "NOT_AVAILABLE"}})],
        [tier("A", 0, 5, metadata=[])],
        {"name": "A", "points": {"from": 0}},
    ],
)
def test_what_says_nothing_possible_is_refused(server: Server, sent: Any) -> None:
    made = program(server.client)
    refused(server.client.post(f"/v1/loyalties/{made['id']}/tiers", json=sent), 400, "invalid_payload")
    assert ok(server.client.get(f"/v1/loyalties/{made['id']}/tiers"))["total"] == 0


def test_a_tier_maps_what_its_program_has(server: Server) -> None:
    client = server.client
    made, other = program(client), program(client)
    path = f"/v1/loyalties/{made['id']}/tiers"
    strange = rule(client, other["id"])["id"]
    twice = {"type": "MULTIPLY", "multiplier": 2}
    for mapped, kind in (
        ({"earning_rules": {strange: twice}}, "earning_rule"),
        ({"earning_rules": {"ern_none": twice}}, "earning_rule"),
        ({"rewards": {"rewa_none": twice}}, "reward_assignment"),
    ):
        error = refused(client.post(path, json=[tier("A", 0, 5), tier("B", 6, 9, **mapped)]), 404, "not_found")
        [(member, [id])] = [(name, list(ids)) for name, ids in mapped.items()]
        assert (error["resource_type"], error["resource_id"]) == (kind, id)
        assert f"name in [1].{member} the ids of its" in error["details"]
    assert ok(client.get(path))["total"] == 0
    mine = rule(client, made["id"])["id"]
    [held] = tiers(client, made["id"], tier("A", 0, 5, earning_rules={mine: twice}))
    refused(client.put(own(made["id"], held["id"]), json={"rewards": {"rewa_none": twice}}), 404, "not_found")
    again = ok(client.put(own(made["id"], held["id"]), json={"earning_rules": {mine: twice}}))
    assert again["earning_rules"] == {mine: twice}


def test_a_mapping_may_be_sent_again_though_its_offer_is_gone(server: Server) -> None:
    client = server.client
    card = member(client, 0)
    mug = material(client)
    offered, paying = offer(client, card, mug, 10)["id"], offer(client, card, coin(client))["id"]
    path = f"/v1/loyalties/{card['campaign_id']}"
    priced = {"type": "CUSTOM", "points": 5}
    error = refused(
        client.post(f"{path}/tiers", json=[tier("A", 0, 5, rewards={paying: priced})]), 400, "invalid_payload"
    )
    assert "should be MULTIPLY or NOT_AVAILABLE" in error["details"]
    [held] = tiers(client, card["campaign_id"], tier("A", 0, 5, rewards={offered: priced}))
    assert client.delete(f"/v1/rewards/{mug['id']}/assignments/{offered}").status_code == 204
    ok(client.put(own(card["campaign_id"], held["id"]), json={"rewards": {offered: priced}, "name": "B"}))


def test_new_tiers_keep_apart_from_those_that_are_there(server: Server) -> None:
    made = program(server.client)
    tiers(server.client, made["id"], tier("A", 100, 499))
    for low, high in ((0, 100), (300, 400), (499, None)):
        sent = [tier("B", low, high)]
        refused(server.client.post(f"/v1/loyalties/{made['id']}/tiers", json=sent), 400, "invalid_payload")
    tiers(server.client, made["id"], tier("B", 0, 99), tier("C", 600, None))


def test_unknown_tiers_and_programs_are_not_found(server: Server) -> None:
    made, other = program(server.client), program(server.client)
    [held] = tiers(server.client, made["id"], tier("A", 0, None))
    for path in (
        f"/v1/loyalties/{made['id']}/tiers/ltr_none",
        f"/v1/loyalties/{other['id']}/tiers/{held['id']}",
        "/v1/loyalties/camp_none/tiers",
        "/v1/loyalties/members/none/tiers",
        f"/v1/loyalties/{made['id']}/tiers/ltr_none/earning-rules",
    ):
        refused(server.client.get(path), 404, "not_found")
    refused(server.client.put(own(made["id"], "ltr_none"), json={}), 404, "not_found")
    refused(server.client.delete(own(other["id"], held["id"])), 404, "not_found")


def test_the_rules_of_a_tier_are_those_of_its_program_unmapped_and_the_oldest_first(server: Server) -> None:
    made = program(server.client)
    first, second = rule(server.client, made["id"]), rule(server.client, made["id"], fixed(7))
    mapped = {first["id"]: {"type": "CUSTOM", "points": 200}}
    [held] = tiers(server.client, made["id"], tier("A", 0, None, earning_rules=mapped))
    listed = ok(server.client.get(f"/v1/loyalties/{made['id']}/tiers/{held['id']}/earning-rules"))
    assert (listed["data"], listed["total"]) == ([first, second], 2)
    ok(server.client.delete(f"/v1/loyalties/{made['id']}/earning-rules/{first['id']}"))
    assert ok(server.client.get(f"/v1/loyalties/{made['id']}/tiers/{held['id']}"))["earning_rules"] == {}


# By the balance


def classic(client: httpx.Client, points: int = 0, **more: Any) -> Member:
    member = membership(client, points, **more)
    tiers(client, member.program, tier("Silver", 100, 499), tier("Gold", 500, 1_000))
    return member


def test_a_tier_follows_every_change_of_the_balance(server: Server) -> None:
    member = classic(server.client)
    assert (member.tier, member.told) == (None, [])
    for points, held in (
        (90, None),
        (20, "Silver"),
        (370, "Silver"),
        (30, "Gold"),
        (-100, "Silver"),
        (580, "Gold"),
        (20, None),
    ):
        member.adds(points)
        assert member.tier_name == held, member.balance
    assert member.told == ["joined", "upgraded", "downgraded", "upgraded", "left"]


def test_a_held_tier_says_since_when_and_of_whom(server: Server) -> None:
    member = classic(server.client)
    member.adds(100)
    shown = member.tier
    expiration = shown["expiration"]
    assert (expiration["customer_id"], expiration["campaign_id"]) == (member.id, member.program)
    assert (expiration["tier_id"], expiration["expiration_date"]) == (shown["id"], None)
    assert len(expiration["start_date"]) == len("2026-01-01")
    [event] = ok(server.client.get(f"/v1/customers/{member.id}/activity?type=customer.loyalty.tier.joined"))["data"]
    assert event["data"]["loyalty_tier"]["id"] == shown["id"]
    assert event["data"]["campaign"]["id"] == member.program
    profile = ok(server.client.get(f"/v1/customers/{member.id}"))
    [standing] = profile["loyalty"]["campaigns"].values()
    assert standing["loyalty_tier"] == shown["id"]


def test_initial_points_may_reach_a_tier(server: Server) -> None:
    made = program(server.client, 150)
    tiers(server.client, made["id"], tier("Silver", 100, 499))
    member = Member(server.client, made["id"])
    assert (member.tier_name, member.told) == ("Silver", ["joined"])


def test_points_are_earned_with_the_tier_held_before(server: Server) -> None:
    member = membership(server.client, 240)
    earning = rule(server.client, member.program, fixed(20))["id"]
    tiers(
        server.client,
        member.program,
        tier("Bottom", 1, 249, earning_rules={earning: {"type": "MULTIPLY", "multiplier": 1}}),
        tier("Middle", 250, 499, earning_rules={earning: {"type": "MULTIPLY", "multiplier": 2}}),
    )
    assert member.tier_name == "Bottom"
    member.pays()
    assert (member.balance, member.tier_name) == (260, "Middle")
    member.pays()
    assert member.balance == 300
    details = [one["details"] for one in member.transactions]
    assert [one["loyalty_tier"]["name"] for one in details] == ["Bottom", "Middle"]
    assert [one["holder_loyalty_tier"]["name"] for one in details] == ["Bottom", "Middle"]


@pytest.mark.parametrize(
    ("loyalty", "mapping", "points"),
    [
        (fixed(20), {"type": "MULTIPLY", "multiplier": 2}, 40),
        (fixed(25), {"type": "MULTIPLY", "multiplier": 1.5}, 38),
        (fixed(25), {"type": "MULTIPLY", "multiplier": 0}, 0),
        (fixed(20), {"type": "CUSTOM", "points": 200}, 200),
        (per("ORDER_AMOUNT", "order", "amount", 1_000, 1), {"type": "CUSTOM", "points": 3}, 12),
        (fixed(20), None, 20),
    ],
)
def test_what_a_tier_makes_of_a_rule(server: Server, loyalty: Json, mapping: Json | None, points: int) -> None:
    member = membership(server.client)
    earning = rule(server.client, member.program, loyalty)["id"]
    tiers(server.client, member.program, tier("Any", 0, None, earning_rules={earning: mapping} if mapping else {}))
    member.pays(4_500)
    assert member.balance == points
    for made in member.transactions:
        assert ("loyalty_tier" in made["details"]) == (mapping is not None)
        assert made["details"]["holder_loyalty_tier"]["name"] == "Any"


def test_a_change_of_tier_earns_once(server: Server) -> None:
    member = membership(server.client)
    silver, gold = tiers(server.client, member.program, tier("Silver", 100, 499), tier("Gold", 500, None))
    by_tier = {"loyalty_tier": {"id": gold["id"]}}
    rule(server.client, member.program, fixed(1), "customer.loyalty.tier.joined", loyalty_tier={"id": "__ANY__"})
    value = per("CUSTOMER_METADATA", "customer", "metadata", 3, 4, property="value")
    rule(server.client, member.program, value, "customer.loyalty.tier.upgraded", **by_tier)
    rule(server.client, member.program, fixed(7), "customer.loyalty.tier.left", loyalty_tier={"id": silver["id"]})
    ok(server.client.put(f"/v1/customers/{member.id}", json={"metadata": {"value": 10}}))
    member.adds(100)
    assert member.balance == 101
    member.adds(399)
    assert (member.balance, member.tier_name) == (512, "Gold")
    member.adds(-512)
    assert (member.balance, member.tier_name) == (0, None)
    member.adds(100)
    member.adds(-100)
    assert [points for _, points in member.moves] == [100, 1, 399, 12, -512, 100, 1, -100, 7]


def test_tiers_that_feed_each_other_come_to_an_end(server: Server) -> None:
    member = membership(server.client)
    tiers(server.client, member.program, tier("Low", 0, 9), tier("High", 10, 19))
    for event in ("joined", "left", "upgraded", "downgraded"):
        rule(server.client, member.program, fixed(10), f"customer.loyalty.tier.{event}", loyalty_tier={"id": "__ANY__"})
    member.adds(5)
    assert member.balance < 100


# Changes of tiers


def test_members_without_a_last_day_follow_other_thresholds_up_and_down(server: Server) -> None:
    member, poor = membership(server.client), None
    silver, gold = tiers(server.client, member.program, tier("Silver", 100, 499), tier("Gold", 500, 1_000))
    poor = Member(server.client, member.program)
    member.adds(450)
    poor.adds(100)
    ok(server.client.put(own(member.program, silver["id"]), json={"points": {"from": 110, "to": 399}}))
    assert (member.tier_name, poor.tier_name) == (None, None)
    changed = ok(
        server.client.put(own(member.program, gold["id"]), json={"points": {"from": 400, "to": None}, "name": "Top"})
    )
    assert (changed["points"], changed["name"]) == ({"from": 400, "to": None}, "Top")
    assert (member.tier_name, poor.tier_name) == ("Top", None)
    refused(
        server.client.put(own(member.program, gold["id"]), json={"points": {"from": 399, "to": None}}),
        400,
        "invalid_payload",
    )
    tiers(server.client, member.program, tier("Bronze", 1, 109))
    assert poor.tier_name == "Bronze"
    assert poor.told == ["joined", "left", "joined"]


def test_a_removed_tier_is_left_at_once(server: Server) -> None:
    member = membership(server.client)
    bronze, silver = tiers(server.client, member.program, tier("Bronze", 10, 99), tier("Silver", 100, None))
    member.adds(150)
    assert server.client.delete(own(member.program, silver["id"])).status_code == 204
    assert (member.tier, member.told) == (None, ["joined", "left"])
    ok(server.client.put(own(member.program, bronze["id"]), json={"points": {"from": 10, "to": None}}))
    tiers_now = ok(server.client.get(f"/v1/loyalties/{member.program}/tiers"))["data"]
    assert [one["name"] for one in tiers_now] == ["Bronze"]
    assert member.tier_name == "Bronze"
    assert server.client.delete(own(member.program, bronze["id"])).status_code == 204
    assert member.tier is None


def test_members_beyond_the_first_follow_in_the_background(server: Server) -> None:
    made = program(server.client, 50)
    members = [Member(server.client, made["id"]) for _ in range(3)]
    tiers(server.client, made["id"], tier("All", 0, None))
    assert [member.tier_name for member in members] == ["All"] * 3


TERM = {"qualification_type": "BALANCE", "expiration_date": {"type": "CUSTOM", "extend": "P3M"}}


def test_without_recalculation_members_keep_tier_and_last_day(server: Server) -> None:
    member = classic(server.client)
    member.adds(150)
    path = f"/v1/loyalties/{member.program}"
    ok(server.client.put(path, json={"loyalty_tiers_expiration": TERM}))
    assert member.tier["expiration"]["expiration_date"] is None
    ok(server.client.put(path, json={"options": {"recalculate_tiers": True}}))
    assert member.tier["expiration"]["expiration_date"] is not None
    assert member.told == ["joined", "expiration.changed"]
    member.adds(-100)
    assert member.tier_name == "Silver"
    drop = {"qualification_type": "BALANCE", "expiration_date": {"type": "BALANCE_DROP"}}
    ok(server.client.put(path, json={"loyalty_tiers_expiration": drop, "options": {"recalculate_tiers": True}}))
    assert (member.tier_name, member.tier["expiration"]["expiration_date"]) == ("Silver", None)
    member.adds(1)
    assert member.tier is None


def test_points_collected_before_there_were_tiers_count(server: Server) -> None:
    year = {"qualification_type": "POINTS_IN_PERIOD", "qualification_period": "YEAR"}
    member = membership(server.client, loyalty_tiers_expiration=year)
    rule(server.client, member.program, fixed(60))
    member.pays()
    member.adds(40)
    member.adds(-90)
    tiers(server.client, member.program, tier("Silver", 100, 110))
    assert member.tier_name == "Silver"
    member.adds(500)
    assert member.tier_name == "Silver"
    tiers(server.client, member.program, tier("Gold", 500, None))
    assert (member.tier_name, member.told) == ("Gold", ["joined", "upgraded"])


def test_initial_points_and_transfers_are_not_collected(server: Server) -> None:
    year = {"qualification_type": "POINTS_IN_PERIOD", "qualification_period": "YEAR"}
    member = membership(server.client, 100, loyalty_tiers_expiration=year)
    tiers(server.client, member.program, tier("Silver", 100, None))
    giver = Member(server.client, member.program)
    path = f"/v1/loyalties/{member.program}/members/{member.code}/transfers"
    ok(server.client.post(path, json=[{"code": giver.code, "points": 100}]))
    assert (member.balance, member.tier) == (200, None)


def test_a_deleted_program_lets_go_of_everything(server: Server) -> None:
    member = classic(server.client)
    rule(server.client, member.program)
    member.adds(150)
    ok(server.client.delete(f"/v1/loyalties/{member.program}?force=true"))
    member.client.post(
        "/v1/orders",
        json={"status": "PAID", "amount": 5, "customer": {"source_id": member.source_id}, "source_id": name()},
    )
    refused(server.client.get(f"/v1/loyalties/{member.program}/tiers"), 404, "not_found")


# As a condition


def test_a_rule_asks_for_the_tier_held(server: Server) -> None:
    client, member = server.client, classic(server.client)
    gold = ok(client.get(f"/v1/loyalties/{member.program}/tiers?order=created_at"))["data"]
    wanted = next(one["id"] for one in gold if one["name"] == "Gold")
    condition = {"name": "customer.loyalty.tier", "conditions": {"$is": [wanted]}}
    made = ok(client.post("/v1/validation-rules", json={"name": name(), "rules": {"1": condition, "logic": "1"}}))["id"]
    voucher = code(client, amount(100), validation_rules=[made])
    rule(client, member.program, fixed(7), validation_rule_id=made)
    order = {"order": {"amount": 1_000}, "customer": {"source_id": member.source_id}}
    member.adds(150)
    refused(try_redeem(client, voucher, **order), 400, "customer_rules_violated")
    member.pays()
    assert member.balance == 150
    member.adds(400)
    assert validate(client, voucher, **order)["valid"] is True
    redeem(client, voucher, **order)
    assert member.balance == 557
    member.adds(-400)
    assert validate(client, voucher, **order)["valid"] is False
    refused(try_redeem(client, voucher, order={"amount": 1_000}), 400, "missing_customer")


# With rewards


def test_a_tier_is_lost_by_spending_and_comes_back_with_an_undo(server: Server) -> None:
    client, member = server.client, membership(server.client)
    tiers(client, member.program, tier("Low", 100, 499), tier("High", 500, None))
    reward = material(client)
    offer(client, member.card, reward, 100)
    member.adds(520)
    done = buy(client, member.card, reward)
    assert (member.balance, member.tier_name) == (420, "Low")
    undo(client, done)
    assert (member.balance, member.tier_name) == (520, "High")
    assert member.told == ["joined", "downgraded", "upgraded"]


@pytest.mark.parametrize(
    ("expiration", "held"),
    [
        ({"qualification_type": "BALANCE"}, None),
        ({"qualification_type": "POINTS_IN_PERIOD", "qualification_period": "YEAR"}, "Only"),
    ],
)
def test_what_is_redeemed_by_itself_goes_before_tiers_are_looked_at(
    server: Server, expiration: Json, held: str | None
) -> None:
    client = server.client
    member = membership(client, loyalty_tiers_expiration=expiration)
    tiers(client, member.program, tier("Only", 100, None))
    rule(client, member.program, fixed(10))
    automatic = {"loyalty": {"points": 100, "auto_redeem": True}}
    offer(client, member.card, material(client), parameters=automatic)
    member.adds(95)
    member.pays()
    assert (member.balance, member.tier_name) == (5, held)
    assert member.told == (["joined"] if held else [])
    server.verify()


def test_an_undone_payment_with_points_leaves_what_the_order_earned(server: Server) -> None:
    client, member = server.client, membership(server.client)
    rule(client, member.program, per("ORDER_TOTAL_AMOUNT", "order", "total_amount", 500, 10))
    paying = coin(client)
    offer(client, member.card, paying)
    member.adds(100)
    done = buy(client, member.card, paying, 100, order={"amount": 47_000})
    assert (done["order"]["total_amount"], member.balance) == (45_000, 900)
    undo(client, done)
    assert member.balance == 1_000


def test_a_tier_has_prices_of_its_own(server: Server) -> None:
    client = server.client
    for price, mapping, spent in (
        (30, {"type": "CUSTOM", "points": 300}, 300),
        (40, {"type": "MULTIPLY", "multiplier": 4}, 160),
        (39, {"type": "MULTIPLY", "multiplier": 0.5}, 20),
    ):
        member = membership(client)
        reward = material(client)
        assignment = offer(client, member.card, reward, price)
        tiers(client, member.program, tier("Any", 0, None, rewards={assignment["id"]: mapping}))
        member.adds(500)
        buy(client, member.card, reward)
        assert member.balance == 500 - spent
