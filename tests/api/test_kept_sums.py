"""What rules count is kept beside history and stays equal to it, whatever happens to rules, periods and redemptions."""

import threading
from collections.abc import Iterator
from datetime import datetime

import pytest

from tests.api.crowd import at_once
from tests.api.limits import KEY, assign, campaign, limit, limited, undo
from tests.api.promotions import new_tier, of_tier, try_redeem_all
from tests.api.shop import amount, code, name, ok, redeem, refused, try_redeem, validate
from tests.conftest import new_store
from tests.servers import Server

DAY = 86_400


def bare_campaign(shop: Server, codes: int) -> tuple[str, list[str]]:
    """The id and codes of a campaign without rules."""
    sent = {"name": name("Campaign"), "voucher": {"type": "DISCOUNT_VOUCHER", "discount": amount(100)}}
    made = ok(shop.client.post("/v1/campaigns", json=sent))
    return made["id"], [ok(shop.client.post(f"/v1/campaigns/{made['id']}/vouchers"))["code"] for _ in range(codes)]


def release(shop: Server, rule_id: str) -> None:
    """Takes a rule off everything it is assigned to."""
    for one in ok(shop.client.get(f"/v1/validation-rules/{rule_id}/assignments"))["data"]:
        assert shop.client.delete(f"/v1/validation-rules/{rule_id}/assignments/{one['id']}").status_code == 204


def change(shop: Server, rule_id: str, counted: str, most: int) -> None:
    rules = {"1": {"name": counted, "conditions": {"$less_than_or_equal": [most]}}}
    ok(shop.client.put(f"/v1/validation-rules/{rule_id}", json={"rules": rules}))


def test_a_campaign_knows_what_was_redeemed_before_its_rule(shop: Server) -> None:
    campaign_id, codes = bare_campaign(shop, 2)
    early = [redeem(shop.client, codes[0], order=1000) for _ in range(3)]
    assign(shop, limit(shop, "campaign.redemptions.count", 5), campaign_id, "campaign")
    assert validate(shop.client, codes[1], order=1000)["valid"]
    for _ in range(2):
        redeem(shop.client, codes[1], order=1000)
    refused(try_redeem(shop.client, codes[0], order=1000), 400, KEY)
    undo(shop, early[1])
    redeem(shop.client, codes[0], order=1000)
    refused(try_redeem(shop.client, codes[0], order=1000), 400, KEY)


@pytest.mark.parametrize("object_type", ["voucher", "campaign", "promotion_tier"])
def test_what_happens_while_a_rule_is_away_counts_when_it_is_back(shop: Server, object_type: str) -> None:
    if object_type == "promotion_tier":
        object_id = new_tier(shop.client, amount(100))
        asked = of_tier(object_id)
    else:
        campaign_id, [made] = bare_campaign(shop, 1)
        object_id, asked = (campaign_id if object_type == "campaign" else made), {"object": "voucher", "id": made}
    rule_id = limit(shop, "redemption.count.per_api_key", 4)
    for _ in range(2):
        assign(shop, rule_id, object_id, object_type)
        assert try_redeem_all(shop.client, asked, order=1000).status_code == 200
        release(shop, rule_id)
        assert try_redeem_all(shop.client, asked, order=1000).status_code == 200
    assign(shop, rule_id, object_id, object_type)
    refused(try_redeem_all(shop.client, asked, order=1000), 400, KEY)


def test_a_rule_may_begin_to_count_something_else(shop: Server) -> None:
    campaign_id, [made] = bare_campaign(shop, 1)
    ann = {"source_id": name("cust")}
    rule_id = limit(shop, "campaign.redemptions.count", 9)
    assign(shop, rule_id, campaign_id, "campaign")
    for counted in ("campaign.redemptions.count", "campaign.redemptions.customers_count.yearly") * 2:
        change(shop, rule_id, counted, 9)
        redeem(shop.client, made, order=1000, customer=ann)
    for counted in ("campaign.redemptions.count", "campaign.redemptions.customers_count.yearly"):
        change(shop, rule_id, counted, 4)
        refused(try_redeem(shop.client, made, order=1000, customer=ann), 400, KEY)
    change(shop, rule_id, "campaign.redemptions.count", 5)
    redeem(shop.client, made, order=1000, customer=ann)


@pytest.mark.parametrize(("counted", "most"), [("orders.amount_discounted", 300), ("orders.amount", 3000)])
def test_a_budget_is_given_back_to_the_cent(shop: Server, counted: str, most: int) -> None:
    codes = campaign(shop, 3, f"campaign.{counted}", most)
    done = [redeem(shop.client, one, order=1000) for one in codes]
    refused(try_redeem(shop.client, codes[0], order=1), 400, KEY)
    undo(shop, done[1])
    redeem(shop.client, codes[0], order=1000)
    refused(try_redeem(shop.client, codes[1], order=1), 400, KEY)
    shop.verify()


def test_an_order_leaves_a_budget_with_the_last_code_it_carried(shop: Server) -> None:
    codes = campaign(shop, 3, "campaign.orders.amount", 1500)
    first = redeem(shop.client, codes[0], order=1000)
    second = redeem(shop.client, codes[1], order={"id": first["order"]["id"]})
    undo(shop, first)
    refused(try_redeem(shop.client, codes[2], order=501), 400, KEY)
    undo(shop, second)
    redeem(shop.client, codes[2], order=1500)
    refused(try_redeem(shop.client, codes[2], order=1), 400, KEY)


def test_a_stack_counts_each_child_and_gives_each_back(shop: Server) -> None:
    codes = campaign(shop, 3, "campaign.redemptions.count.monthly", 2)
    both = redeem(shop.client, codes[0], codes[1], order=1000)
    refused(try_redeem(shop.client, codes[2], order=1000), 400, KEY)
    ok(shop.client.post(f"/v1/redemptions/{both['parent_redemption']['id']}/rollbacks"))
    both = redeem(shop.client, codes[1], codes[2], order=1000)
    refused(try_redeem(shop.client, codes[0], order=1000), 400, KEY)


def test_new_customers_are_counted_from_their_first_redemption(shop: Server) -> None:
    made, source = limited(shop, "redemption.count.per_customer", 2), name("cust")
    for _ in range(2):
        redeem(shop.client, made, order=1000, customer={"source_id": source})
    refused(try_redeem(shop.client, made, order=1000, customer={"source_id": source}), 400, KEY)


def test_a_crowd_redeems_while_a_rule_comes_and_goes(shop: Server) -> None:
    """Whatever the mixture of those who know the rule and those who do not yet, nobody is counted twice or not at all."""
    campaign_id, codes = bare_campaign(shop, 8)
    rule_id = limit(shop, "campaign.redemptions.count", 1_000)
    stop = threading.Event()

    def come_and_go() -> None:
        with shop.client_for(shop.keys) as client:
            while not stop.is_set():
                sent = {"related_object_id": campaign_id, "related_object_type": "campaign"}
                made = ok(client.post(f"/v1/validation-rules/{rule_id}/assignments", json=sent))
                client.delete(f"/v1/validation-rules/{rule_id}/assignments/{made['id']}")

    rival = threading.Thread(target=come_and_go)
    rival.start()
    try:
        responses = [
            one
            for _ in range(4)
            for one in at_once(shop, 8, lambda client, place: try_redeem(client, codes[place], order=1000))
        ]
    finally:
        stop.set()
        rival.join()
    done = [one.json() for one in responses if one.status_code == 200]
    assert len(done) == 32
    assign(shop, rule_id, campaign_id, "campaign")
    at_once(shop, 8, lambda client, place: try_redeem(client, codes[place], order=1000))
    undo(shop, done[0])
    redeem(shop.client, codes[0], order=1000)
    shop.verify()
    change(shop, rule_id, "campaign.redemptions.count", 41)
    assert len([1 for one in codes[:3] if try_redeem(shop.client, one, order=1000).status_code == 200]) == 1


def test_a_code_deleted_for_good_still_gives_its_slot_back(shop: Server) -> None:
    codes = campaign(shop, 2, "campaign.redemptions.count", 1)
    done = redeem(shop.client, codes[0], order=1000)
    assert shop.client.delete(f"/v1/vouchers/{codes[0]}", params={"force": "true"}).status_code == 204
    refused(try_redeem(shop.client, codes[1], order=1000), 400, KEY)
    undo(shop, done)
    redeem(shop.client, codes[1], order=1000)


@pytest.fixture(params=["sqlite", "postgresql"])
def travelling(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose clock may be put forward."""
    running = Server(new_store(str(request.param), request, tmp_path_factory.mktemp("time")), forked=True)
    yield running
    running.verify()
    running.stop()


def test_a_redemption_of_an_earlier_period_frees_that_period_only(travelling: Server) -> None:
    codes = campaign(travelling, 1, "campaign.redemptions.count.daily", 1)
    yesterdays = redeem(travelling.client, codes[0], order=1000)
    refused(try_redeem(travelling.client, codes[0], order=1000), 400, KEY)
    travelling.go_ahead(DAY)
    todays = redeem(travelling.client, codes[0], order=1000)
    undo(travelling, yesterdays)
    refused(try_redeem(travelling.client, codes[0], order=1000), 400, KEY)
    undo(travelling, todays)
    redeem(travelling.client, codes[0], order=1000)


def test_a_week_begins_on_the_projects_first_weekday(travelling: Server) -> None:
    made = code(travelling.client, amount(100))
    assign(travelling, limit(travelling, "redemption.count.weekly", 3), made, "voucher")
    first = datetime.fromisoformat(
        redeem(travelling.client, code(travelling.client, amount(1)), order=5)["redemptions"][0]["date"]
    )
    travelling.go_ahead(DAY * ((6 - first.weekday()) or 7))  # a Sunday
    redeem(travelling.client, made, order=1000)
    travelling.go_ahead(DAY)
    for _ in range(2):
        redeem(travelling.client, made, order=1000)
    for first_weekday, valid in (("SUNDAY", False), ("SATURDAY", False), ("MONDAY", True)):
        travelling.set(f"first_weekday={first_weekday}")
        assert validate(travelling.client, made, order=1000)["valid"] is valid
    redeem(travelling.client, made, order=1000)
    travelling.set("first_weekday=SUNDAY")
    refused(try_redeem(travelling.client, made, order=1000), 400, KEY)
