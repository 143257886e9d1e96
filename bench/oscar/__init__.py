"""A peer: django-oscar checking and recording vouchers on the same PostgreSQL, behind gunicorn.

It gets as many processes as there are cores, and an environment of its own (`.venv-oscar`), made when it is first needed.
"""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

from bench.scenarios import SPREAD, Requests, Shop, send
from tests.servers import Postgres

REQUIRED = ("django-oscar==4.2.1", "psycopg[binary]==3.3.9", "gunicorn==27.0.1")
CROWD = 8
ROUNDS = 20
_HERE = Path(__file__).parent
_ENVIRONMENT = _HERE.parents[1] / ".venv-oscar"
_PORT = 8765
REQUESTS: dict[str, Requests] = {  # by the name of the scenario of ours that it is compared with
    "validate": [("/validate", {"code": "HOT"})],
    "redeem-hot": [("/redeem", {"code": "HOT"})],
    "redeem-spread": [("/redeem", {"code": f"S{n}"}) for n in range(SPREAD)],
}


class Peer:
    """A running shop with the same number of vouchers as ours."""

    def __init__(self, postgres: Postgres) -> None:
        if not (_ENVIRONMENT / "ready").exists():
            subprocess.run([sys.executable, "-m", "venv", _ENVIRONMENT], check=True)
            command = [_ENVIRONMENT / "bin" / "python", "-m", "pip", "install", "--quiet", *REQUIRED]
            subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
            (_ENVIRONMENT / "ready").touch()
        url = make_url(postgres.create_database())
        names = {"HOST": str(url.query["host"]), "NAME": str(url.database), "USER": str(url.username)}
        environment = os.environ | {f"OSCAR_DB_{name}": value for name, value in names.items()}
        prepare = [_ENVIRONMENT / "bin" / "python", _HERE / "peer.py", "prepare", str(SPREAD), str(ROUNDS)]
        subprocess.run(prepare, env=environment, check=True, stdout=subprocess.DEVNULL)
        options = f"--workers {os.cpu_count()} --worker-class gthread --threads 16 --keep-alive 75 --log-level error"
        command = [_ENVIRONMENT / "bin" / "gunicorn", "--chdir", _HERE, "--bind", f"127.0.0.1:{_PORT}"]
        self._process = subprocess.Popen([*command, *options.split(), "peer:application"], env=environment)
        while self._post("validate", "HOT") is None:
            time.sleep(0.2)

    def measure(self, scenario: str, connections: int, seconds: float) -> dict[str, Any]:
        """As `bench.scenarios.measure`, of the peer."""
        return send("127.0.0.1", _PORT, {}, REQUESTS[scenario], connections=connections, seconds=seconds)

    def oversold(self) -> int:
        """Of `ROUNDS` vouchers for one use, each wanted by `CROWD` clients at once: uses too many."""
        with ThreadPoolExecutor(CROWD) as threads:
            done = [sum(threads.map(lambda _, n=n: self._redeemed(f"ONCE{n}"), range(CROWD))) for n in range(ROUNDS)]
        return sum(uses - 1 for uses in done)

    def _redeemed(self, code: str) -> bool:
        answer = self._post("redeem", code)
        return bool(answer and answer["redeemed"])

    def _post(self, path: str, code: str) -> Any:
        body = json.dumps({"code": code}).encode()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{_PORT}/{path}", body) as answer:
                return json.loads(answer.read())
        except urllib.error.URLError:
            return None

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()


def oversold(shop: Shop) -> int:
    """The same asked of ours."""
    codes = [f"ONCE{n}" for n in range(ROUNDS)]
    discount = {"type": "PERCENT", "percent_off": 10}
    body = {"type": "DISCOUNT_VOUCHER", "discount": discount, "redemption": {"quantity": 1}}
    shop.send([(f"/v1/vouchers/{code}", body) for code in codes])
    with ThreadPoolExecutor(CROWD) as threads:

        def redeemed(code: str) -> bool:
            sent = {"redeemables": [{"object": "voucher", "id": code}], "order": {"amount": 20_000}}
            return shop.server.client.post("/v1/redemptions", json=sent).status_code == 200

        done = [sum(threads.map(redeemed, [code] * CROWD)) for code in codes]
    return sum(uses - 1 for uses in done)
