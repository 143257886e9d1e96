"""A store that can take no more: requests are refused whole, reading goes on, and so does everything once there is room."""

import resource
from pathlib import Path

from tests.api.shop import balance, gift, ok, try_redeem, uses
from tests.servers import Server


def test_a_full_disk_refuses_and_loses_nothing(tmp_path: Path) -> None:
    server = Server(f"sqlite:///{tmp_path}/largesse.db")
    card = gift(server.client, 100_000)
    limits = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
    full = (tmp_path / "largesse.db-wal").stat().st_size + 40_000
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (full, limits[1]))
    answers = [try_redeem(server.client, (card, 10), order=1000) for _ in range(60)]
    done = sum(answer.status_code == 200 for answer in answers)
    refused = [answer for answer in answers if answer.status_code != 200]
    assert {(answer.status_code, answer.json()["key"]) for answer in refused} == {(503, "service_unavailable")}
    assert all(answer.headers["retry-after"] for answer in refused)
    assert (balance(server.client, card), uses(server.client, card)) == (100_000 - 10 * done, done)
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, limits)
    ok(try_redeem(server.client, (card, 10), order=1000))
    assert balance(server.client, card) == 100_000 - 10 * (done + 1)
    server.verify()
    server.stop()
