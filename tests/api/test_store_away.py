"""A PostgreSQL that restarts or goes away: requests are carried out, or told to come again, and nothing is half done."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psycopg
import pytest

from tests.api.shop import amount, asks, code, ok, refused, uses
from tests.servers import Postgres, Server


class Shop(Server):
    """A server whose PostgreSQL is its own, to be taken away."""

    def __init__(self, postgres: Postgres) -> None:
        self.postgres = postgres
        super().__init__(postgres.create_database(), settings={"LARGESSE_CREDENTIAL_CACHE_SECONDS": "0"})

    @contextmanager
    def cut_off(self) -> Iterator[None]:
        """Within it nobody can connect; on entering it every connection has been ended."""
        socket = self.postgres.socket()
        with psycopg.connect(self.store, autocommit=True) as operator:
            hidden = socket.rename(socket.with_name("hidden"))
            try:
                end_others(operator)
                yield
            finally:
                hidden.rename(socket)


def end_others(operator: psycopg.Connection[Any]) -> None:
    """Ends every other connection, those that only begin and have no database yet as well, and waits until they are gone."""
    others = b"FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    while operator.execute(b"SELECT count(*) " + others).fetchone() != (0,):
        operator.execute(b"SELECT pg_terminate_backend(pid, 5000) " + others)


@pytest.fixture(scope="module")
def shop(testrun_uid: str) -> Iterator[Shop]:
    running = Shop(Postgres(f"{testrun_uid}-away"))
    yield running
    running.verify()
    running.stop()


ACTS: dict[str, Callable[[httpx.Client, str], httpx.Response]] = {
    "validate": lambda client, made: client.post("/v1/validations", json={"redeemables": asks(made)}),
    "redeem": lambda client, made: client.post("/v1/redemptions", json={"redeemables": asks(made)}),
    "read": lambda client, made: client.get(f"/v1/vouchers/{made}"),
    "write": lambda client, made: client.post(f"/v1/vouchers/{made}/disable"),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_connections_that_died_while_idle_are_replaced_unnoticed(
    shop: Shop, act: Callable[[httpx.Client, str], httpx.Response]
) -> None:
    made = code(shop.client, amount(100))
    with psycopg.connect(shop.store, autocommit=True) as operator:
        end_others(operator)
    ok(act(shop.client, made))


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_a_store_that_is_away_is_503_until_it_is_back(
    shop: Shop, act: Callable[[httpx.Client, str], httpx.Response]
) -> None:
    made = code(shop.client, amount(100))
    with shop.cut_off():
        answer = act(shop.client, made)
        refused(answer, 503, "service_unavailable")
        assert answer.headers["retry-after"] == "1"
        assert shop.client.get("/readyz").status_code == 503
        assert shop.client.get("/healthz").status_code == 200
    assert uses(shop.client, made) == 0
    ok(act(shop.client, made))


@pytest.mark.parametrize("limit", ["lock_timeout", "statement_timeout"])
@pytest.mark.parametrize("act", [ACTS["redeem"], ACTS["write"]], ids=["redeem", "write"])
def test_a_store_that_gives_up_waiting_for_a_lock_is_503(
    shop: Shop, act: Callable[[httpx.Client, str], httpx.Response], limit: str
) -> None:
    made = code(shop.client, amount(100))
    with psycopg.connect(shop.store, autocommit=True) as operator:
        operator.execute(f"ALTER DATABASE {operator.info.dbname} SET {limit} = '200ms'".encode())
        end_others(operator)
        operator.execute("BEGIN")
        operator.execute("SELECT id FROM vouchers WHERE code = %s FOR UPDATE", [made])
        refused(act(shop.client, made), 503, "service_unavailable")
        operator.execute("ROLLBACK")
        operator.execute(f"ALTER DATABASE {operator.info.dbname} RESET {limit}".encode())
        end_others(operator)
    assert act(shop.client, made).status_code == 200
