"""Locks: what a validation keeps from others."""

import time
from typing import Any

import httpx

from tests.api.promotions import new_tier, of_code, of_tier, redeem_all, validate_all
from tests.api.shop import amount, body, code, gift, name, ok, redeem, refused, try_redeem, uses, validate
from tests.servers import Server


def hold(client: httpx.Client, key: str | None, *codes: Any, order: int = 10000, **session: Any) -> Any:
    """A validation that locks."""
    sent = {"type": "LOCK", **session} | ({"key": key} if key else {})
    return ok(client.post("/v1/validations", json=body(*codes, order=order, session=sent)))


def problem(validation: Any) -> str:
    return str(validation["redeemables"][0]["result"]["error"]["key"])


def test_two_sessions_hold_the_two_uses_of_a_code(server: Server) -> None:
    client, made = server.client, code(server.client, amount(1), quantity=2)
    session = hold(client, "A", made)["session"]
    assert session == {"key": "A", "type": "LOCK", "ttl": 7, "ttl_unit": "DAYS"}
    assert hold(client, "B", made)["valid"]
    third = hold(client, "C", made)
    assert (third["valid"], problem(third)) == (False, "quantity_exceeded")
    assert "session" not in third
    refused(try_redeem(client, made, order=5), 400, "quantity_exceeded")
    done = redeem(client, made, order=5, session={"type": "LOCK", "key": "A"})
    assert done["redemptions"][0]["session"]["key"] == "A"
    assert uses(client, made) == 1
    refused(try_redeem(client, made, order=5), 400, "quantity_exceeded")
    assert client.delete(f"/v1/vouchers/{made}/sessions/B").status_code == 204
    assert validate(client, made, order=5)["valid"]
    refused(client.delete(f"/v1/vouchers/{made}/sessions/B"), 404, "not_found")
    refused(client.delete("/v1/vouchers/NOPE/sessions/B"), 404, "not_found")


def test_held_credits_are_not_there_for_others(server: Server) -> None:
    client, card = server.client, gift(server.client, 5000)
    assert hold(client, "A", (card, 3000))["valid"]
    assert problem(hold(client, "B", (card, 2500))) == "gift_amount_exceeded"
    free = hold(client, "B", card)
    assert free["redeemables"][0]["result"]["gift"]["credits"] == 2000
    assert hold(client, "A", (card, 1000))["valid"], "the same key replaces its locks"
    assert client.delete(f"/v1/vouchers/{card}/sessions/B").status_code == 204
    assert validate(client, (card, 4000), order=10000)["valid"]
    refused(try_redeem(client, (card, 4001), order=10000), 400, "gift_amount_exceeded")


def test_a_lock_that_is_over_holds_nothing(server: Server) -> None:
    client, made = server.client, code(server.client, amount(1), quantity=1)
    session = hold(client, "A", made, ttl=1, ttl_unit="NANOSECONDS")["session"]
    assert (session["ttl"], session["ttl_unit"]) == (1, "NANOSECONDS")
    assert validate(client, made, order=5)["valid"]
    hold(client, "A", made, ttl=1, ttl_unit="HOURS")
    assert not validate(client, made, order=5)["valid"]
    hold(client, "A", made, ttl=50, ttl_unit="MILLISECONDS")  # the same key replaces its locks
    time.sleep(0.1)
    assert validate(client, made, order=5)["valid"]
    redeem(client, made, order=5, session={"key": "A"})


def test_an_unlimited_code_is_held_by_any_number_of_sessions(server: Server) -> None:
    made = code(server.client, amount(1))
    assert all(hold(server.client, f"s{n}", made)["valid"] for n in range(100))


def test_a_key_is_made_where_none_is_given(server: Server) -> None:
    made = code(server.client, amount(1), quantity=1)
    key = hold(server.client, None, made)["session"]["key"]
    assert key.startswith("ssn_")
    assert len(key) == 36
    redeem(server.client, made, order=5, session={"key": key})


def test_a_failed_validation_keeps_the_session_as_it_was(server: Server) -> None:
    client, made = server.client, code(server.client, amount(1), quantity=1)
    hold(client, "keep", made)
    assert not hold(client, "keep", made, "NOPE")["valid"]
    assert problem(hold(client, "other", made)) == "quantity_exceeded"


def test_locks_of_what_is_no_longer_listed_disappear(server: Server) -> None:
    client = server.client
    first, second = code(client, amount(1), quantity=1), code(client, amount(1), quantity=1)
    hold(client, "two", first, second)
    hold(client, "two", second)
    assert validate(client, first, order=5)["valid"]
    assert not validate(client, second, order=5)["valid"]


def test_a_session_may_name_tiers_and_hold_the_cards_beside_them(server: Server) -> None:
    card, tier_id = gift(server.client, 5000), new_tier(server.client, amount(100))
    asked = [of_tier(tier_id), {**of_code(card), "gift": {"credits": 3000}}]
    held = validate_all(server.client, *asked, order=10000, session={"type": "LOCK", "key": name("s")})
    assert held["valid"]
    refused(try_redeem(server.client, (card, 2500), order=10000), 400, "gift_amount_exceeded")
    redeemed = redeem_all(server.client, *asked, order=10000, session={"key": held["session"]["key"]})
    assert {child["session"]["key"] for child in redeemed["redemptions"]} == {held["session"]["key"]}
    redeem(server.client, (card, 2000), order=10000)
