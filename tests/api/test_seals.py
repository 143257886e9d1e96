"""Seals: a posting that somebody changes or removes behind the engine's back is found."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, create_engine, text

from largesse.kernel import ledger
from largesse.kernel.database.stores import store_url
from tests.api.crowd import CROWD, at_once
from tests.api.shop import amount, code, gift, name, ok, redeem, try_redeem
from tests.servers import Server, run

ONE = "(SELECT min(id) FROM postings WHERE account = 'gift_credits' AND cause = 'redemption')"


@pytest.fixture(scope="module")
def busy(server: Server) -> Server:
    """A server where postings of many kinds were made, also side by side, also undone ones."""
    client = server.client
    made, card = code(client, amount(100), quantity=20), gift(client, 100_000)
    at_once(server, CROWD, lambda one, place: try_redeem(one, made if place % 2 else (card, 50), order=1000))
    done = redeem(client, made, (card, 200), order=5000)
    ok(client.post(f"/v1/redemptions/{done['parent_redemption']['id']}/rollbacks"))
    ok(client.post(f"/v1/vouchers/{card}/balance", json={"amount": 500}))
    taken, body = name(), {"type": "GIFT_VOUCHER", "gift": {"amount": 300}}
    at_once(server, CROWD, lambda one, _: one.post(f"/v1/vouchers/{taken}", json=body))  # all but one are undone
    return server


@contextmanager
def tampered(shop: Server, sql: str) -> Iterator[Connection]:
    """The store with one row changed, for as long as the context lasts."""
    engine = create_engine(store_url(shop.store))
    with engine.connect() as conn:
        transaction = conn.begin()
        assert conn.execute(text(sql)).rowcount == 1
        yield conn
        transaction.rollback()
    engine.dispose()


def problems(conn: Connection, shop: Server) -> list[str]:
    return [flaw.problem for flaw in ledger.check_seals(conn, shop.keys["project_id"]).flaws]


def test_what_nobody_touched_is_whole_and_the_newest_seal_can_be_noted(busy: Server) -> None:
    said = run("verify", "--chain", store=busy.store).stdout
    noted = said.splitlines()[-1].split()[0]
    redeem(busy.client, code(busy.client, amount(100)), order=1000)
    run("verify", "--chain", "--noted", noted, store=busy.store)
    forged = noted[:-1] + ("0" if noted[-1] != "0" else "1")
    found = run("verify", "--chain", "--noted", forged, store=busy.store, check=False)
    assert (found.returncode, "was noted" in found.stdout) == (1, True)


def test_a_changed_posting_is_found(busy: Server) -> None:
    with tampered(busy, f"UPDATE postings SET cause_id = 'r_forged' WHERE id = {ONE}") as conn:
        assert problems(conn, busy) == ["does not fit its postings: one of them was changed"]


def test_a_removed_posting_is_found(busy: Server) -> None:
    with tampered(busy, f"DELETE FROM postings WHERE id = {ONE}") as conn:
        [problem] = problems(conn, busy)
        assert problem.startswith("seals ")


def test_a_removed_seal_is_found(busy: Server) -> None:
    with tampered(busy, "DELETE FROM seals WHERE id = (SELECT min(id) FROM seals)") as conn:
        found = problems(conn, busy)
        assert any(problem.startswith("is gone") for problem in found)
        assert any(problem.startswith("follows ") for problem in found)


def test_a_posting_slipped_in_is_found(busy: Server) -> None:
    columns = "account, subject_id, amount, cause, cause_id, created_at"
    source = f"SELECT project_id, 'post_z', {columns.replace('created_at', 'created_at + 1000000000')}"
    with tampered(
        busy, f"INSERT INTO postings (project_id, id, {columns}) {source} FROM postings WHERE id = {ONE}"
    ) as conn:
        assert problems(conn, busy) == ["is a posting under no seal, younger than the first seal"]
