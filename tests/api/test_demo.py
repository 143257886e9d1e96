"""The demo shop: what its printed commands do."""

from collections.abc import Iterator
from typing import Any

import pytest

from largesse.demo import SERVER_KEYS
from tests.api.promotions import of_code, of_stack, redeem_all
from tests.api.shop import ok
from tests.servers import Server, run

MUGS = {"items": [{"source_id": "mug", "related_object": "product", "quantity": 2}]}


@pytest.fixture(scope="module")
def shop(server: Server) -> Iterator[Any]:
    said = run("demo", store=server.store).stdout
    assert run("demo", store=server.store).stdout == said  # a second time makes nothing twice
    with server.client_for({"app_id": SERVER_KEYS[0], "app_token": SERVER_KEYS[1]}) as client:
        yield client


@pytest.mark.parametrize(("code", "due"), [("WELCOME10", 2160), ("FIVE-OFF", 1900), ("GIFT-50", 0), ("MUG-20", 1920)])
def test_every_code_can_be_redeemed_and_taken_back(shop: Any, code: str, due: int) -> None:
    done = redeem_all(shop, of_code(code), order=MUGS, customer={"source_id": "ann"})
    assert done["order"]["total_amount"] == due
    ok(shop.post(f"/v1/redemptions/{done['redemptions'][0]['id']}/rollback", json={"reason": "changed my mind"}))


def test_the_stack_takes_both_offers_off(shop: Any) -> None:
    stacks = ok(shop.get("/v1/promotions/stacks"))["data"]
    assert [stack["name"] for stack in stacks] == ["All spring offers"]
    done = redeem_all(shop, of_stack(stacks[0]["id"]), order=MUGS)
    assert [one["order"]["total_amount"] for one in done["redemptions"]] == [2200, 2090]


def test_the_mug_code_is_for_mugs_only(shop: Any) -> None:
    cart = {"items": [*MUGS["items"], {"source_id": "tea", "quantity": 1, "price": 1000}]}
    done = redeem_all(shop, of_code("MUG-20"), order=cart)
    assert done["order"]["items_discount_amount"] == 480
    assert done["order"]["total_amount"] == 2920
