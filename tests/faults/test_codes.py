"""Making codes through crashes: whatever is killed, a campaign ends with as many codes as were asked for."""

import time
from pathlib import Path

import pytest

from tests.api.shop import ok
from tests.conftest import STORES, new_store
from tests.servers import Server

CODES = 50_000
PATIENCE_SECONDS = 120  # seconds until a test that waits in vain fails


def made(server: Server, campaign: str) -> int:
    return int(ok(server.client.get(f"/v1/campaigns/{campaign}"))["vouchers_count"])


def wait_for(server: Server, campaign: str, count: int) -> int:
    """Waits until at least so many codes are there; answers how many."""
    end = time.monotonic() + PATIENCE_SECONDS
    while (found := made(server, campaign)) < count:
        assert time.monotonic() < end, f"only {found} codes"
        time.sleep(0.01)
    return found


@pytest.mark.parametrize("kind", STORES)
def test_a_server_killed_while_it_makes_gift_codes_makes_exactly_the_rest(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    server = Server(new_store(kind, request, tmp_path))
    template = {"type": "GIFT_VOUCHER", "gift": {"amount": 700}}
    sent = {"name": "Cards", "voucher": template, "vouchers_count": CODES}
    campaign = ok(server.client.post("/v1/campaigns", json=sent))["id"]
    found = 0
    for _ in range(2):
        found = wait_for(server, campaign, found + 1)
        server.kill()
        server.start()
    assert found < CODES, "it was never killed in the middle"
    wait_for(server, campaign, CODES)
    rows = ok(server.client.get("/v1/vouchers", params={"campaign_id": campaign, "limit": 1}))
    assert rows["total"] == CODES
    assert rows["vouchers"][0]["gift"]["balance"] == 700
    done = ok(server.client.get(f"/v1/campaigns/{campaign}"))
    assert (done["creation_status"], done["vouchers_generation_status"]) == ("DONE", "DONE")
    [action] = ok(server.client.get("/v1/async-actions"))["async_actions"]
    shown = ok(server.client.get(f"/v1/async-actions/{action['id']}"))
    assert shown["result"] == {"message": f"Generated {CODES} vouchers.", "done_count": CODES}
    server.verify()
    server.stop()
