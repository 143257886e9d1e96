"""Sessions: how long a validation keeps what it was promised from others, and what that is."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from largesse.engine.decision import Decision

# Nanoseconds of each unit.
_UNITS = {
    "DAYS": 86_400_000_000_000,
    "HOURS": 3_600_000_000_000,
    "MINUTES": 60_000_000_000,
    "SECONDS": 1_000_000_000,
    "MILLISECONDS": 1_000_000,
    "MICROSECONDS": 1_000,
    "NANOSECONDS": 1,
}
_LONGEST = 3_650 * 86_400_000_000  # ten years, so that no lock outlives the numbers that hold it


class Session(msgspec.Struct, frozen=True):
    """`ttl` in `ttl_unit`; 7 days when neither is given, each default alone (documented)."""

    type: Literal["LOCK"] | None = None
    key: Annotated[str, Meta(min_length=1, max_length=255)] | None = None
    ttl: Annotated[int, Meta(ge=0, le=10**18)] | None = None
    ttl_unit: Literal["DAYS", "HOURS", "MINUTES", "SECONDS", "MILLISECONDS", "MICROSECONDS", "NANOSECONDS"] | None = (
        None
    )

    @property
    def effective_ttl(self) -> int:
        return 7 if self.ttl is None else self.ttl

    @property
    def effective_unit(self) -> str:
        return self.ttl_unit or "DAYS"

    def lifetime(self) -> int:
        """Microseconds, rounded up, ten years at most."""
        return min(-(-self.effective_ttl * _UNITS[self.effective_unit] // 1_000), _LONGEST)


def locks_for(decision: Decision) -> list[tuple[str, int, int]]:
    """What a session keeps for each applicable voucher: (voucher id, uses, credits or points)."""
    return [
        (outcome.ask.voucher.id, 1, outcome.credits or outcome.points or 0)
        for outcome in decision.applicable
        if outcome.ask.voucher is not None
    ]
