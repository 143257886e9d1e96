"""COMMITs of which nobody hears: whatever became of them, each request is done once, and its client is told so."""

from collections.abc import Iterator

import pytest

from tests.api.shop import amount, asks, balance, code, gift, ok, redeem, refused, uses
from tests.faults.proxy import Proxy
from tests.servers import Postgres, Server

LOST = pytest.mark.parametrize("late_seconds", [None, 0, 0.01, 0.3], ids=["answer", "at once", "soon", "late"])


class Shop(Server):
    """A server that reaches PostgreSQL through a proxy."""

    def __init__(self, postgres: Postgres) -> None:
        self.proxy = Proxy(postgres.socket())
        super().__init__(
            self.proxy.way_to(postgres.create_database()), settings={"LARGESSE_RUN_JOBS": "false"}, forked=True
        )


@pytest.fixture(scope="module")
def shop(postgres: Postgres) -> Iterator[Shop]:
    running = Shop(postgres)
    redeem(
        running.client, code(running.client, amount(1)), order=1000
    )  # first connections commit questions of their own
    yield running
    running.verify()
    running.stop()
    running.proxy.close()


@LOST
def test_a_redemption_is_recorded_once(shop: Shop, late_seconds: float | None) -> None:
    made, lost = code(shop.client, amount(100), quantity=1), shop.proxy.lost
    shop.proxy.lose(late_seconds)
    done = ok(shop.client.post("/v1/redemptions", json={"redeemables": asks(made), "order": {"amount": 1000}}))
    assert shop.proxy.lost == lost + 1
    assert uses(shop.client, made) == 1
    listed = ok(shop.client.get(f"/v1/vouchers/{made}/redemption"))["redemption_entries"]
    assert [one["id"] for one in listed] == [done["redemptions"][0]["id"]]


@LOST
def test_a_rollback_is_recorded_once(shop: Shop, late_seconds: float | None) -> None:
    card, lost = gift(shop.client, 1000), shop.proxy.lost
    paid = {"redeemables": asks((card, 300)), "order": {"amount": 1000}}
    redemptions = [ok(shop.client.post("/v1/redemptions", json=paid))["redemptions"][0]["id"] for _ in range(2)]
    shop.proxy.lose(late_seconds)
    ok(shop.client.post(f"/v1/redemptions/{redemptions[0]}/rollback"))
    assert shop.proxy.lost == lost + 1
    assert (balance(shop.client, card), uses(shop.client, card)) == (700, 1)


@LOST
def test_a_balance_is_adjusted_once(shop: Shop, late_seconds: float | None) -> None:
    card, lost = gift(shop.client, 1000), shop.proxy.lost
    shop.proxy.lose(late_seconds)
    assert ok(shop.client.post(f"/v1/vouchers/{card}/balance", json={"amount": 100}))["balance"] == 1100
    assert shop.proxy.lost == lost + 1
    assert balance(shop.client, card) == 1100


@LOST
def test_a_voucher_is_made_once(shop: Shop, late_seconds: float | None) -> None:
    lost = shop.proxy.lost
    shop.proxy.lose(late_seconds)
    made = code(shop.client, amount(100))
    assert shop.proxy.lost == lost + 1
    again = {"type": "DISCOUNT_VOUCHER", "discount": amount(100)}
    refused(shop.client.post(f"/v1/vouchers/{made}", json=again), 409, "duplicate_found")


def test_several_lost_in_a_row_are_each_done_once(shop: Shop) -> None:
    card, lost = gift(shop.client, 100_000), shop.proxy.lost
    for late_seconds in (0.02, None, 0, 0.1):
        shop.proxy.lose(late_seconds)
    for _ in range(20):
        ok(shop.client.post("/v1/redemptions", json={"redeemables": asks((card, 10)), "order": {"amount": 1000}}))
    assert shop.proxy.lost == lost + 4
    assert (balance(shop.client, card), uses(shop.client, card)) == (99_800, 20)
