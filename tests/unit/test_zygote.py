"""Forked servers begin and end as processes of their own do."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.servers import Server, migrate
from tests.zygote import Forked

ROOT = Path(__file__).parents[2]
ASKER = """
import os, signal, sys
sys.path.insert(0, {root!r})
from tests.servers import Server

print(Server({store!r}, forked=True).process.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def embedded(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/largesse.db"


def test_a_stop_is_status_0_and_a_kill_minus_9(embedded: str) -> None:
    server = Server(embedded, forked=True)
    assert server.process.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        server.process.wait(0.01)
    assert server.stop() == 0
    server.start()
    server.kill()
    assert server.process.returncode == server.process.poll() == -signal.SIGKILL
    server.process.kill()  # nobody is hit who has its process id now


def test_a_start_that_fails_says_its_status(embedded: str) -> None:
    migrate(embedded)
    refused = Forked(["serve", "--port", "nowhere"], dict(os.environ))
    assert refused.wait(60) == 2
    assert subprocess.run([sys.executable, "-m", "largesse", "serve", "--port", "nowhere"], check=False).returncode == 2


def test_each_fork_has_settings_and_a_session_of_its_own(embedded: str) -> None:
    for told in ("first", "second"):
        server = Server(embedded, settings={"LARGESSE_PUBLIC_URL": f"https://{told}.example"}, forked=True)
        assert f"https://{told}.example" in server.client.get("/docs/openapi.json").text
        assert os.getsid(server.process.pid) == server.process.pid
        server.stop()


def test_forks_end_with_the_process_that_asked_for_them_even_if_it_is_killed(embedded: str) -> None:
    asker = [sys.executable, "-c", ASKER.format(root=str(ROOT), store=embedded)]
    asked = subprocess.run(asker, capture_output=True, text=True, check=False)
    assert asked.returncode == -signal.SIGKILL
    for _ in range(1000):
        if not Path(f"/proc/{int(asked.stdout)}").exists():
            return
        time.sleep(0.01)
    pytest.fail("a server outlived the process that asked for it")
