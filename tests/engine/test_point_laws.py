"""What holds of a card whatever happens to it and whenever it is looked at."""

from datetime import date, timedelta
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from largesse.engine.books import Voucher
from largesse.engine.points import ExpirationRules, Move, Pending, Wallet, expiry

BEGIN = date(2026, 1, 28)
RULES = st.one_of(
    st.none(),
    st.builds(
        ExpirationRules,
        period_type=st.just("MONTH"),
        period_value=st.integers(0, 14),
        rounding_type=st.sampled_from(
            [None, "END_OF_MONTH", "END_OF_QUARTER", "END_OF_HALF_YEAR", "END_OF_YEAR", "PARTICULAR_MONTH"]
        ),
        rounding_value=st.integers(1, 12),
    ),
    st.builds(
        ExpirationRules,
        period_type=st.just("FIXED_DAY_OF_YEAR"),
        fixed_month=st.integers(1, 12),
        fixed_day=st.integers(1, 31),
    ),
)
POINTS = st.integers(1, 1000)
DAYS = st.integers(0, 60)
DEEDS = st.one_of(
    st.tuples(st.just("earn"), POINTS, DAYS),
    st.tuples(st.just("earn for ever"), POINTS, DAYS),
    st.tuples(st.just("remove"), POINTS, DAYS),
    st.tuples(st.just("redeem"), POINTS, DAYS),
    st.tuples(st.just("undo"), st.integers(0, 20), DAYS),
    st.tuples(st.just("await"), POINTS, DAYS),
    st.tuples(st.just("activate"), st.integers(0, 20), DAYS),
    st.tuples(st.just("adjust"), POINTS, DAYS),
    st.tuples(st.just("cancel"), st.integers(0, 20), DAYS),
    st.tuples(st.just("wait"), POINTS, DAYS),
)


class Life:
    """A card, what happens to it day by day, and the sum of its moves: what the ledger would say of each bucket."""

    def __init__(self, initial: int, rules: ExpirationRules | None) -> None:
        self.wallet = Wallet(card=Voucher(id="v", code="card", type="LOYALTY_CARD", gift_amount=initial), rules=rules)
        self.today = BEGIN
        self.ledger: dict[str, int] = {}
        self.spent: list[tuple[date, list[Move]]] = []
        self.ids = count()
        if (move := self.wallet.begin(self.new_id, 0)) is not None:
            self.note([move])

    def new_id(self) -> str:
        return f"b{next(self.ids)}"

    def note(self, moves: list[Move]) -> None:
        for move in moves:
            self.ledger[move.bucket.id] = self.ledger.get(move.bucket.id, 0) + move.points

    def do(self, deed: str, points: int, days: int) -> None:
        wallet, card = self.wallet, self.wallet.card
        if deed == "earn":
            self.note([wallet.credit(points, expiry(wallet.rules, self.today), self.new_id, 0)])
        elif deed == "earn for ever":
            self.note([wallet.credit(points, None, self.new_id, 0)])
        elif deed == "remove" and card.balance >= points:
            self.note(wallet.subtract(points))
        elif deed == "redeem" and card.balance >= points:
            moves = wallet.redeem(points)
            self.note(moves)
            self.spent.append((self.today, moves))
        elif deed == "undo" and self.spent:
            spent_on, moves = self.spent.pop(points % len(self.spent))
            for move in moves:
                back = wallet.refund(move.bucket, -move.points, spent_on, self.today, self.new_id, 0)
                self.note([back])
        elif deed == "await":
            wallet.await_points(Pending(id=self.new_id(), points=points, activates_on=self.today + timedelta(days + 1)))
        elif deed == "activate" and wallet.pending:
            entry = wallet.pending[points % len(wallet.pending)]
            self.note([wallet.activate(entry, self.today, self.new_id, 0).move])
        elif deed == "adjust" and wallet.pending:
            wallet.adjust(wallet.pending[0], points)
        elif deed == "cancel" and wallet.pending:
            wallet.cancel(wallet.pending[points % len(wallet.pending)])
        elif deed == "wait":
            self.today += timedelta(days)
            self.check_view()
            self.settle()

    def settle(self) -> None:
        while (step := self.wallet.next_due(self.today, self.new_id, 0)) is not None:
            self.note(step.moves if hasattr(step, "moves") else [step.move])

    def check_view(self) -> None:
        """What is shown before anything is written is what will be written."""
        shown = self.wallet.as_of(self.today)
        assert shown.agrees()
        due = shown.due_on()
        assert due is None or due > self.today

    def check(self) -> None:
        card = self.wallet.card
        assert self.wallet.agrees()
        assert card.balance >= 0
        assert min(card.subtracted_amount, card.redeemed_amount, card.expired_amount, card.pending_amount) >= 0
        assert all(bucket.points >= 0 for bucket in self.wallet.buckets)
        days = [bucket.expires_on for bucket in self.wallet.buckets]
        assert len(set(days)) == len(days)
        assert all(day is None or day >= self.today for day in days)
        held = {bucket.id: bucket.points for bucket in self.wallet.buckets}
        assert {id: points for id, points in self.ledger.items() if points} == {
            id: points for id, points in held.items() if points
        }


@given(st.integers(0, 500), RULES, st.lists(DEEDS, max_size=40))
def test_a_balance_is_what_its_buckets_hold_whatever_happens(
    initial: int, rules: ExpirationRules | None, deeds: list[tuple[str, int, int]]
) -> None:
    life = Life(initial, rules)
    life.check()
    for deed in deeds:
        life.do(*deed)
        life.check()


@given(RULES, st.lists(st.tuples(POINTS, DAYS), min_size=1, max_size=8), st.data())
def test_redeeming_and_undoing_on_one_day_changes_nothing(
    rules: ExpirationRules | None, earned: list[tuple[int, int]], data: st.DataObject
) -> None:
    life = Life(0, rules)
    for points, days in earned:
        life.do("earn", points, 0)
        life.do("wait", 1, days)
    before = [(bucket.id, bucket.points) for bucket in life.wallet.buckets]
    if life.wallet.card.balance == 0:
        return
    points = data.draw(st.integers(1, life.wallet.card.balance))
    life.do("redeem", points, 0)
    life.do("undo", 0, 0)
    assert [(bucket.id, bucket.points) for bucket in life.wallet.buckets] == before
    assert life.wallet.card.redeemed_amount == 0


@given(RULES, POINTS, DAYS, DAYS, DAYS)
def test_nobody_gains_or_loses_lifetime_by_redeeming_and_undoing(
    rules: ExpirationRules | None, points: int, until_spent: int, until_undone: int, more: int
) -> None:
    spent_on = BEGIN + timedelta(until_spent)
    undone_on = spent_on + timedelta(until_undone)
    expires_on = expiry(rules, BEGIN)
    if expires_on is None or expires_on < spent_on:
        return
    life = Life(0, rules)
    life.do("earn", points, 0)
    life.do("wait", 1, until_spent)
    life.do("redeem", points, 0)
    life.do("wait", 1, until_undone)
    life.do("undo", 0, 0)
    left = expires_on - spent_on
    last = expires_on if expires_on >= undone_on else undone_on + left
    assert life.wallet.next_expiration() == (last, points)
    life.do("wait", 1, more)
    assert life.wallet.card.balance == (points if undone_on + timedelta(more) <= last else 0)


@given(RULES, st.dates(date(2020, 1, 1), date(2030, 1, 1)))
def test_points_never_expire_before_they_are_earned(rules: ExpirationRules | None, earned_on: date) -> None:
    last = expiry(rules, earned_on)
    assert last is None or last >= earned_on
