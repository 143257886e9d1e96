"""What members have, beside a plain reckoning of what they did."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.programs import membership, per_total, rule, tier, tiers
from tests.servers import Server

_BOUNDS = {"Low": (50, 99), "Mid": (100, 299), "High": (400, 600)}
_TIMES = {"Low": 2, "Mid": 3, "High": 1}
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("pays"), st.integers(1, 6_000)),
        st.tuples(st.just("adds"), st.integers(1, 200)),
        st.tuples(st.just("removes"), st.integers(1, 300)),
    ),
    max_size=8,
)


def _tier_of(balance: int) -> str | None:
    return next((name for name, (low, high) in _BOUNDS.items() if low <= balance <= high), None)


@given(_STEPS)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_balance_and_tier_are_what_the_steps_make_of_them(server: Server, steps: list[tuple[str, int]]) -> None:
    member = membership(server.client)
    earning = rule(server.client, member.program, per_total(100, 1))["id"]
    sent = [
        tier(name, low, high, earning_rules={earning: {"type": "MULTIPLY", "multiplier": _TIMES[name]}})
        for name, (low, high) in _BOUNDS.items()
    ]
    tiers(server.client, member.program, *sent)
    balance, moves, held, told = 0, [], None, []
    for step, number in steps:
        if step == "pays":
            member.pays(number)
            change = number // 100 * _TIMES.get(held or "", 1)
        elif step == "adds":
            member.adds(number)
            change = number
        else:
            change = -min(number, balance)
            if change:
                member.adds(change)
        if change:
            balance += change
            moves.append(change)
            before, held = held, _tier_of(balance)
            if before != held:
                told.append(_change(before, held))
    assert (member.balance, [points for _, points in member.moves]) == (balance, moves)
    assert (member.tier_name, member.told) == (held, told)


def _change(before: str | None, after: str | None) -> str:
    if before is None:
        return "joined"
    if after is None:
        return "left"
    return "upgraded" if _BOUNDS[after] > _BOUNDS[before] else "downgraded"


def test_the_ledger_agrees(server: Server) -> None:
    server.verify()
