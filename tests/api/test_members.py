"""Members of loyalty programs: who joins by which card, and how a member is shown."""

from typing import Any

import httpx
import pytest

from tests.api.members import join, member, program, try_join
from tests.api.shop import name, ok, refused
from tests.servers import Server

DAY = 86_400


def new_card(client: httpx.Client, program_id: str) -> Any:
    """A card that nobody has yet."""
    return ok(client.post(f"/v1/campaigns/{program_id}/vouchers"))


def test_a_customer_joins_and_is_shown_as_a_member(server: Server) -> None:
    client = server.client
    made, who = program(client, 100), ok(client.post("/v1/customers", json={"source_id": name("member")}))
    card = join(client, made["id"], {"id": who["id"]})
    assets = card.pop("assets")
    assert set(assets) == {"qr", "barcode"}
    assert card == {
        "id": card["id"],
        "code": card["code"],
        "campaign": made["name"],
        "campaign_id": made["id"],
        "category": None,
        "category_id": None,
        "categories": [],
        "type": "LOYALTY_CARD",
        "discount": None,
        "gift": None,
        "loyalty_card": {"points": 100, "balance": 100},
        "start_date": None,
        "expiration_date": None,
        "validity_timeframe": None,
        "validity_day_of_week": None,
        "validity_hours": None,
        "active": True,
        "additional_info": None,
        "metadata": {},
        "is_referral_code": False,
        "created_at": card["created_at"],
        "updated_at": card["updated_at"],
        "holder_id": who["id"],
        "publish": {"object": "list", "count": 1, "url": f"/v1/vouchers/{card['code']}/publications?page=1&limit=10"},
        "redemption": {
            "quantity": None,
            "redeemed_quantity": 0,
            "redeemed_points": 0,
            "object": "list",
            "url": f"/v1/vouchers/{card['code']}/redemptions?page=1&limit=10",
        },
        "object": "voucher",
    }
    for path in (
        f"/v1/loyalties/{made['id']}/members/{card['code']}",
        f"/v1/loyalties/{made['name']}/members/{card['id']}",
        f"/v1/loyalties/members/{card['code']}",
        f"/v1/loyalties/members/{card['id']}",
    ):
        assert ok(client.get(path)) == card | {"assets": assets}


def test_initial_points_make_no_transaction_and_never_expire(server: Server) -> None:
    client = server.client
    rules = {"period_type": "MONTH", "period_value": 1}
    made = program(client, 1000, expiration_rules=rules)
    card = join(client, made["id"])
    assert ok(client.get(f"/v1/vouchers/{card['code']}/transactions"))["data"] == []
    assert "next_expiration_date" not in card["loyalty_card"]
    server.go_ahead(400 * DAY)
    assert member(server.client, card["code"])["loyalty_card"] == {"points": 1000, "balance": 1000}
    server.verify()


@pytest.mark.parametrize("kind", ["object with id", "object with source id", "id", "source id"])
def test_a_customer_may_be_named_in_four_ways(server: Server, kind: str) -> None:
    client = server.client
    who = ok(client.post("/v1/customers", json={"source_id": name("member")}))
    named: Any = {
        "object with id": {"id": who["id"]},
        "object with source id": {"source_id": who["source_id"]},
        "id": who["id"],
        "source id": who["source_id"],
    }[kind]
    assert join(client, program(client)["id"], named)["holder_id"] == who["id"]


def test_an_unknown_source_id_is_a_new_customer(server: Server) -> None:
    client, source = server.client, name("new")
    card = join(client, program(client)["id"], source)
    assert ok(client.get(f"/v1/customers/{source}"))["id"] == card["holder_id"]
    refused(try_join(client, program(client)["id"], "cust_nobody"), 404, "not_found")
    refused(try_join(client, program(client)["id"], {"id": "cust_nobody"}), 404, "not_found")


def test_who_joins_again_keeps_the_card(server: Server) -> None:
    client, source = server.client, name("member")
    made = program(client, 5)
    first = join(client, made["id"], source)
    assert join(client, made["id"], source) == first
    assert join(client, made["name"], {"source_id": source}, voucher=first["code"]) == first
    unused = new_card(client, made["id"])
    assert join(client, made["id"], source, voucher=unused["code"])["code"] == first["code"]
    other = join(client, made["id"])
    refused(try_join(client, made["id"], source, voucher=other["code"]), 400, "voucher_already_published")
    assert ok(client.get("/v1/publications", params={"customer": source, "result": "SUCCESS"}))["total"] == 1
    published = ok(client.post("/v1/publications", json={"customer": {"source_id": source}, "campaign": made["name"]}))
    assert published["voucher"]["code"] == first["code"]


def test_joining_again_under_a_new_source_id_is_recorded(server: Server) -> None:
    client, source, again = server.client, name("member"), name("P")
    made = program(client, 5)
    first = join(client, made["id"], source, source_id=name("P"))
    for _ in range(2):
        assert join(client, made["id"], source, source_id=again) == first
    rows = ok(client.get("/v1/publications", params={"customer": source}))["publications"]
    assert rows[0]["source_id"] == again
    assert len(rows) == 2
    refused(try_join(client, made["id"], name("other"), source_id=again), 400, "duplicate_source_id")


def test_a_customer_joins_by_a_given_card(server: Server) -> None:
    client = server.client
    made, elsewhere = program(client, 5, type="STATIC"), program(client)
    card = new_card(client, made["id"])
    refused(try_join(client, elsewhere["id"], name(), voucher=card["code"]), 404, "not_found")
    refused(try_join(client, made["id"], name(), voucher="nothing"), 404, "not_found")
    assert join(client, made["id"], voucher=card["id"])["code"] == card["code"]
    refused(try_join(client, made["id"], name(), voucher=card["code"]), 400, "voucher_already_published")


def test_a_static_program_without_cards_takes_nobody(server: Server) -> None:
    client, source = server.client, name("member")
    made = program(client, type="STATIC")
    found = refused(try_join(client, made["id"], source), 400, "no_voucher_suitable_for_publication")
    assert found["details"] == "Couldn't create new vouchers for publication"
    rows = ok(client.get("/v1/publications", params={"customer": source}))["publications"]
    assert [row["failure_code"] for row in rows] == ["no_voucher_suitable_for_publication"]
    new_card(client, made["id"])
    assert join(client, made["id"], source)["publish"]["count"] == 1


@pytest.mark.parametrize("customer", [None, 5, [], ""])
def test_what_no_customer_can_be(server: Server, customer: Any) -> None:
    made = program(server.client)
    refused(try_join(server.client, made["id"], customer), 400, "invalid_payload")
    assert ok(server.client.get(f"/v1/loyalties/{made['id']}"))["vouchers_count"] == 0


def test_a_card_lives_for_a_time_after_joining(server: Server) -> None:
    card = join(server.client, program(server.client, activity_duration_after_publishing="P2D")["id"])
    assert card["start_date"] < card["expiration_date"]


def test_only_cards_of_the_program_are_its_members(server: Server) -> None:
    client = server.client
    made, other = program(client), program(client)
    card = join(client, other["id"])
    refused(client.get(f"/v1/loyalties/{made['id']}/members/{card['code']}"), 404, "not_found")
    refused(client.get(f"/v1/loyalties/nothing/members/{card['code']}"), 404, "not_found")
    code = name("CODE")
    ok(client.post(f"/v1/vouchers/{code}", json={"type": "GIFT_VOUCHER", "gift": {"amount": 1}}))
    refused(client.get(f"/v1/loyalties/members/{code}"), 404, "not_found")
    ok(client.delete(f"/v1/vouchers/{card['code']}"))
    refused(client.get(f"/v1/loyalties/members/{card['code']}"), 404, "not_found")


def test_members_are_listed_and_found(server: Server) -> None:
    client, source = server.client, name("member")
    made = program(client, type="STATIC")
    unused = new_card(client, made["id"])
    first, second = (
        join(client, made["id"], who, voucher=new_card(client, made["id"])["code"]) for who in (source, name())
    )
    path = f"/v1/loyalties/{made['id']}/members"

    def found(**query: Any) -> list[str]:
        listed = ok(client.get(path, params=query))
        assert (listed["object"], listed["data_ref"], listed["total"]) == ("list", "vouchers", len(listed["vouchers"]))
        return [one["code"] for one in listed["vouchers"]]

    assert found() == [second["code"], first["code"], unused["code"]]
    assert found(order="created_at") == [unused["code"], first["code"], second["code"]]
    assert found(order="code") == sorted(found())
    assert found(customer=source) == found(customer=first["holder_id"]) == found(code=first["code"]) == [first["code"]]
    assert found(ids=second["id"]) == [second["code"]]
    assert found(**{"created_at[after]": second["created_at"]}) == []
    assert found(**{"[created_at][before]": first["created_at"]}) == [unused["code"]]
    assert unused["code"] not in found(**{"updated_at[after]": "2020-01-01"})
    assert len(ok(client.get(path, params={"limit": 1}))["vouchers"]) == 1
    refused(client.get(path, params={"order": "name"}), 400, "invalid_query_params")
    refused(client.get(path, params={"limit": 101}), 400, "invalid_query_params")
