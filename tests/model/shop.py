"""What a shop's codes and gift cards should do, in the plainest words: no store, no lanes, no engine of ours."""

from calendar import monthrange
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def three_months_after(micros: int) -> int:
    """The end of the rollback period: the same day of the month, or the last one where it has none."""
    moment = EPOCH + timedelta(microseconds=micros)
    year, month = divmod(moment.year * 12 + moment.month - 1 + 3, 12)
    day = min(moment.day, monthrange(year, month + 1)[1])
    return (moment.replace(year=year, month=month + 1, day=day) - EPOCH) // timedelta(microseconds=1)


@dataclass
class Voucher:
    """A code that takes `off` (minor units) or `percent` off, or a gift card with `credited` credits."""

    code: str
    off: int | None = None
    percent: int | None = None
    quantity: int | None = None
    starts: int | None = None
    ends: int | None = None
    active: bool = True
    uses: int = 0
    credited: int = 0
    subtracted: int = 0
    spent: int = 0

    @property
    def is_gift(self) -> bool:
        return self.off is None and self.percent is None

    @property
    def balance(self) -> int:
        return self.credited - self.subtracted - self.spent


@dataclass(frozen=True)
class Part:
    """What one redeemable of a request does: minor units off the order; of a gift card, the same in credits."""

    voucher: Voucher
    off: int

    @property
    def credits(self) -> int:
        return self.off if self.voucher.is_gift else 0


@dataclass
class Redemption:
    parts: list[Part]
    at: int
    undone: bool = False


@dataclass
class Session:
    ends: int
    held: dict[str, tuple[int, int]] = field(default_factory=dict)  # code → uses and credits


Ask = tuple[str, int | None]  # a code, and for a gift card the credits wanted


class Shop:
    """`now` in microseconds; every method answers an error key, or what was done."""

    def __init__(self) -> None:
        self.vouchers: dict[str, Voucher] = {}
        self.sessions: dict[str, Session] = {}

    def decide(self, asks: list[Ask], amount: int, key: str | None, now: int) -> list[Part] | str:
        """The parts of a request, or why the first redeemable that cannot be had refuses all of it."""
        parts: list[Part] = []
        left = amount
        for code, wanted in asks:
            problem = self._problem(code, wanted, key, now)
            if problem is not None:
                return problem
            voucher = self.vouchers[code]
            parts.append(Part(voucher, self._off(voucher, wanted, left, key, now)))
            left -= parts[-1].off
        return parts

    def _problem(self, code: str, wanted: int | None, key: str | None, now: int) -> str | None:
        voucher = self.vouchers.get(code)
        if voucher is None:
            return "not_found"
        uses, credits = self._held(code, key, now)
        if not voucher.active:
            return "voucher_disabled"
        if voucher.starts is not None and now < voucher.starts:
            return "voucher_not_active"
        if voucher.ends is not None and now > voucher.ends:
            return "voucher_expired"
        if voucher.quantity is not None and voucher.uses + uses >= voucher.quantity:
            return "quantity_exceeded"
        if voucher.is_gift and (wanted or 0) > voucher.balance - credits:
            return "gift_amount_exceeded"
        return None

    def _off(self, voucher: Voucher, wanted: int | None, left: int, key: str | None, now: int) -> int:
        if voucher.off is not None:
            return min(voucher.off, left)
        if voucher.percent is not None:
            return int(Fraction(left * voucher.percent, 100) + Fraction(1, 2))
        free = max(0, voucher.balance - self._held(voucher.code, key, now)[1])
        return min(free if wanted is None else wanted, left)

    def _held(self, code: str, key: str | None, now: int) -> tuple[int, int]:
        """Uses and credits that others hold."""
        others = [session for name, session in self.sessions.items() if name != key and session.ends > now]
        held = [session.held.get(code, (0, 0)) for session in others]
        return sum(uses for uses, _ in held), sum(credits for _, credits in held)

    def hold(self, parts: list[Part], key: str, ends: int) -> None:
        """A valid validation holds what it would take; what its session held before is free again."""
        self.sessions[key] = Session(ends, {part.voucher.code: (1, part.credits) for part in parts})

    def redeem(self, parts: list[Part], key: str | None, now: int) -> Redemption:
        for part in parts:
            part.voucher.uses += 1
            part.voucher.spent += part.credits
            if key in self.sessions:
                self.sessions[str(key)].held.pop(part.voucher.code, None)
        return Redemption(parts, now)

    def undo(self, redemption: Redemption, now: int) -> str | None:
        if redemption.undone:
            return "already_rolled_back"
        if now > three_months_after(redemption.at):
            return "rollback_period_exceeded"
        redemption.undone = True
        for part in redemption.parts:
            part.voucher.uses -= 1
            part.voucher.spent -= part.credits
        return None

    def adjust(self, code: str, credits: int) -> str | None:
        card = self.vouchers[code]
        if card.balance + credits < 0:
            return "gift_amount_exceeded"
        card.credited += max(credits, 0)
        card.subtracted += max(-credits, 0)
        return None
