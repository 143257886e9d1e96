"""Points that come back, whatever the calendar did to their buckets meanwhile. The first case is a documented one."""

from typing import Any

import pytest

from tests.api import rewards
from tests.api.crowd import CROWD, at_once, outcomes
from tests.api.loyalty import Program
from tests.api.shop import ok
from tests.servers import Server


@pytest.fixture(scope="module")
def bought(server: Server) -> tuple[Program, list[tuple[str, Any]]]:
    """Cards with 40 points until 31 January and 100 for ever, of which 100 were spent on 20 January."""
    server.go_to("2026-01-20")
    program = Program(server, points=100)
    made = []
    prize = rewards.material(server.client)
    for place in range(2):
        code = program.card()
        program.add(code, 40, expiration_type="CUSTOM_DATE", expiration_date="2026-01-31")
        card = ok(server.client.get(f"/v1/vouchers/{code}"))
        if place == 0:
            rewards.offer(server.client, card, prize, 100)
        made.append((code, rewards.buy(server.client, card, prize)))
        assert program.buckets(code) == [(0, "2026-01-31"), (40, None)]
    return program, made


def test_points_return_to_the_buckets_they_came_from(bought: tuple[Program, list[tuple[str, Any]]]) -> None:
    program, [(code, redemption), _] = bought
    program.server.go_to("2026-01-25")
    rewards.undo(program.server.client, redemption)
    assert program.buckets(code) == [(40, "2026-01-31"), (100, None)]
    assert program.transactions(code)[-1] == ("POINTS_REFUND", 100)
    program.server.verify()


def test_points_of_a_bucket_that_is_over_get_the_days_they_had_left(
    bought: tuple[Program, list[tuple[str, Any]]],
) -> None:
    program, [_, (code, redemption)] = bought
    program.server.go_to("2026-02-03")
    rewards.undo(program.server.client, redemption)
    assert program.buckets(code) == [(40, "2026-02-14"), (100, None)]  # 11 days, as on the day they were spent
    assert program.shown(code)["balance"] == 140
    program.server.go_to("2026-02-15")
    assert program.shown(code)["balance"] == 100
    program.server.verify()


def test_at_midnight_a_crowd_spends_nothing_that_has_expired(server: Server) -> None:
    server.go_to("2026-03-10T23:50")
    program = Program(server)
    cards = [program.card() for _ in range(4)]
    for card in cards:
        program.add(card, 50, expiration_type="CUSTOM_DATE", expiration_date="2026-03-10")
        program.add(card, 30)
    server.go_to("2026-03-11T00:00:01")
    paths = [f"{program.members}/{card}/balance" for card in cards]
    answers = at_once(server, CROWD, lambda client, n: client.post(paths[n % 4], json={"points": -10}))
    assert outcomes(answers) == {"ok": 12, "loyalty_card_points_exceeded": CROWD - 12}
    for card in cards:
        assert program.shown(card) == {"points": 80, "balance": 0, "expired_points": 50, "subtracted_points": 30}
        assert [kind for kind, _ in program.transactions(card)].count("POINTS_EXPIRATION") == 1
    server.verify()
